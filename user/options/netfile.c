/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "netfile.h"

#include "system/clock.h"
#include "usage.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLANK " \t\r\n"
#define READ_SECONDS 5 /* a pipe's writer has so long */
#define SIZE_MOST ((size_t)64 << 20)
#define SIZE_STEP ((size_t)64 << 10)

/* --- the file ------------------------------------------------------------- */

struct content {
	char *text; /* ends with a NUL */
	size_t len, room;
};

static void refuse(const struct option_use *use, const char *why)
	__attribute__((noreturn));

static void refuse(const struct option_use *use, const char *why)
{
	wrong_usage("%s %s: %s", use->spelling, use->value, why);
}

/* Waits until something can be read, or the writer has closed. */
static void await_bytes(const struct option_use *use, int file, __u64 end)
{
	struct pollfd polled = { .fd = file, .events = POLLIN };
	int left, ready;

	do {
		const __u64 now = monotonic_ns();

		left = now < end ? (int)((end - now) / NS_PER_MS) : 0;
		ready = poll(&polled, 1, left);
	} while (ready < 0 && errno == EINTR);
	if (!ready)
		wrong_usage("%s %s: its end did not come within %d seconds: "
			    "name a file, or a pipe that something writes to",
			    use->spelling, use->value, READ_SECONDS);
}

static void make_room(struct content *content, const struct option_use *use)
{
	if (content->len + 1 < content->room)
		return;
	if (content->len >= SIZE_MOST)
		refuse(use, "it has more than 64 MiB");
	content->room = 2 * content->room + SIZE_STEP;
	content->text = realloc(content->text, content->room);
	if (!content->text)
		refuse(use, strerror(errno));
}

/* A device may never end, and a pipe may have no writer: both have limits. */
static void read_content(struct content *content, const struct option_use *use,
			 int file)
{
	const __u64 end = monotonic_ns() + READ_SECONDS * NS_PER_SECOND;
	ssize_t count = 1;

	while (count) {
		await_bytes(use, file, end);
		make_room(content, use);
		count = read(file, content->text + content->len,
			     content->room - content->len - 1);
		if (count > 0)
			content->len += (size_t)count;
		else if (count < 0 && errno != EINTR && errno != EAGAIN)
			refuse(use, strerror(errno));
	}
	content->text[content->len] = '\0';
}

/* --- its lines ------------------------------------------------------------ */

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
static unsigned long add_lines(struct server_list *wanted,
			       const struct content *content,
			       const struct option_use *use, __u32 set)
{
	const char *end = content->text + content->len;
	unsigned long nets = 0, number = 1;
	char *line = content->text, *next;

	for (; line < end; line = next, number++) {
		const char *text;
		bool is_text;

		next = memchr(line, '\n', (size_t)(end - line));
		next = next ? next : content->text + content->len;
		*next++ = '\0';
		/* A line with a NUL byte is an error: it would be cut there. */
		is_text = strlen(line) + 1 == (size_t)(next - line);
		text = text_of(line);
		if (is_text && !*text)
			continue;
		if (!is_text || !server_list_add_net(wanted, text, set))
			wrong_usage("%s %s:%lu: %.100s: no net like "
				    "192.0.2.0/24 or 2001:db8::/32",
				    use->spelling, use->value, number, text);
		nets++;
	}
	return nets;
}

void netfile_add(struct server_list *wanted, const struct option_use *use,
		 __u32 set)
{
	const char *path = use->value + 1;
	struct content content = {};
	int file;

	if (!*path)
		wrong_usage("%s @: the name of a file is missing behind the @",
			    use->spelling);
	file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (file < 0)
		refuse(use, strerror(errno));
	read_content(&content, use, file);
	if (!add_lines(wanted, &content, use, set))
		usage_note("%s %s: there is no net in this file", use->spelling,
			   use->value);
	close(file);
	free(content.text);
	/* Also for a file without networks: no server is in an empty set. */
	wanted->by |= filter_of_set(set);
}
