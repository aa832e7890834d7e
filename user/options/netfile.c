/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "netfile.h"

#include "usage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANK " \t\r\n"

/* The text of a line, without blanks and comment; may be "". */
static char *text_of(char *line)
{
	char *end;

	line[strcspn(line, "#")] = '\0';
	line += strspn(line, BLANK);
	end = line + strlen(line);
	while (end > line && strchr(BLANK, end[-1]))
		end--;
	*end = '\0';
	return line;
}

/* Adds the networks of a file; returns how many. */
static unsigned long add_lines(struct server_list *wanted, FILE *file,
			       const struct option_use *use, __u32 set)
{
	unsigned long nets = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	for (unsigned long number = 1; (len = getline(&line, &size, file)) >= 0;
	     number++) {
		/* A line with a NUL byte is an error: it would be cut there. */
		const bool is_text = strlen(line) == (size_t)len;
		const char *text = text_of(line);

		if (is_text && !*text)
			continue;
		if (!is_text || !server_list_add_net(wanted, text, set))
			wrong_usage("%s %s:%lu: %s: no net like 192.0.2.0/24 "
				    "or 2001:db8::/32",
				    use->spelling, use->value, number, text);
		nets++;
	}
	if (ferror(file))
		wrong_usage("%s %s: %s", use->spelling, use->value,
			    strerror(errno));
	free(line);
	return nets;
}

void netfile_add(struct server_list *wanted, const struct option_use *use,
		 __u32 set)
{
	const char *path = use->value + 1;
	FILE *file;

	if (!*path)
		wrong_usage("%s @: the name of a file is missing behind the @",
			    use->spelling);
	file = fopen(path, "re");
	if (!file)
		wrong_usage("%s %s: %s", use->spelling, use->value,
			    strerror(errno));
	if (!add_lines(wanted, file, use, set))
		usage_note("%s %s: there is no net in this file", use->spelling,
			   use->value);
	fclose(file);
	/* Also for a file without networks: no server is in an empty set. */
	wanted->by |= filter_of_set(set);
}
