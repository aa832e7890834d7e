/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "netfile.h"

#include "system/message.h"

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

static bool add_lines(struct server_list *wanted, FILE *file,
		      const char *option, const char *path, __u32 set)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	bool good = true;

	for (unsigned long number = 1;
	     good && (len = getline(&line, &size, file)) >= 0; number++) {
		/* A line with a NUL byte is an error: it would be cut there. */
		const bool is_text = strlen(line) == (size_t)len;
		const char *text = text_of(line);

		good = is_text &&
		       (!*text || server_list_add_net(wanted, text, set));
		if (!good)
			message("%s @%s:%lu: %s: no net like 192.0.2.0/24 or "
				"2001:db8::/32",
				option, path, number, text);
	}
	if (good && ferror(file)) {
		message("%s @%s: %s", option, path, strerror(errno));
		good = false;
	}
	free(line);
	return good;
}

bool netfile_add(struct server_list *wanted, const char *option,
		 const char *path, __u32 set)
{
	FILE *file = fopen(path, "re");
	bool good;

	if (!file) {
		message("%s @%s: %s", option, path, strerror(errno));
		return false;
	}
	good = add_lines(wanted, file, option, path, set);
	fclose(file);
	/* Also for a file without networks: no server is in an empty set. */
	wanted->by |= filter_of_set(set);
	return good;
}
