/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "netfile.h"

#include "system/clock.h"
#include "usage.h"

#include <arpa/inet.h>
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

/* --- the network around an address ---------------------------------------- */

/* Sets the bits beyond the prefix to 0. True: some were set. */
static bool clear_rest(unsigned char *bytes, unsigned int size,
		       unsigned int prefix)
{
	bool changed = false;

	for (unsigned int i = 0; i < size; i++) {
		const unsigned int bits = prefix > 8 * i ? prefix - 8 * i : 0;
		const unsigned int kept =
			bits >= 8 ? 0xff : 0xff & (0xff00U >> bits);

		changed |= bytes[i] & ~kept;
		bytes[i] &= (unsigned char)kept;
	}
	return changed;
}

bool net_around(char text[NET_TEXT_MAX], const char *net)
{
	const int family = strchr(net, ':') ? AF_INET6 : AF_INET;
	char address[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	unsigned int prefix;

	if (sscanf(net, "%45[^/]/%u", address, &prefix) != 2 ||
	    inet_pton(family, address, bytes) != 1 ||
	    !clear_rest(bytes, family == AF_INET ? 4 : 16, prefix))
		return false;
	inet_ntop(family, bytes, address, sizeof(address));
	snprintf(text, NET_TEXT_MAX, "%s/%u", address, prefix);
	return true;
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

/* Lines whose address has bits beyond the prefix: how many, and the first. */
struct inexact {
	unsigned long count, number;
	char text[64], around[NET_TEXT_MAX];
};

static void count_inexact(struct inexact *inexact, const char *text,
			  unsigned long number)
{
	char around[NET_TEXT_MAX];

	if (!net_around(around, text) || inexact->count++)
		return;
	inexact->number = number;
	snprintf(inexact->text, sizeof(inexact->text), "%s", text);
	memcpy(inexact->around, around, sizeof(around));
}

static void note_inexact(const struct inexact *inexact,
			 const struct option_use *use)
{
	char others[64] = "";

	if (inexact->count > 1)
		snprintf(others, sizeof(others),
			 " (the first of %lu such lines)", inexact->count);
	if (inexact->count)
		usage_note("%s %s:%lu: %s: taken for %s%s", use->spelling,
			   use->value, inexact->number, inexact->text,
			   inexact->around, others);
}

/* Adds the networks of a file; returns how many. */
static unsigned long add_lines(struct server_list *wanted,
			       const struct content *content,
			       const struct option_use *use, __u32 set)
{
	const char *end = content->text + content->len;
	struct inexact inexact = {};
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
		count_inexact(&inexact, text, number);
		nets++;
	}
	note_inexact(&inexact, use);
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
		refuse(use, strcmp(path, "-") ?
				    strerror(errno) :
				    "no such file: @/dev/stdin reads standard "
				    "input");
	read_content(&content, use, file);
	if (!add_lines(wanted, &content, use, set))
		usage_note("%s %s: there is no net in this file", use->spelling,
			   use->value);
	close(file);
	free(content.text);
	/* Also for a file without networks: no server is in an empty set. */
	wanted->by |= filter_of_set(set);
}
