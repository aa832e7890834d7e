/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "output.h"

#include "fold.h"
#include "say.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* So much can be written without waiting where poll(2) says POLLOUT. */
#define AT_ONCE 512
/* Characters: a narrower terminal has no room for wide indents. */
#define NARROW 40

static struct {
	bool is_open;
	FILE *kept;	  /* what the consumer did not take; NULL: nothing */
	int error;	  /* of the first write that failed */
	size_t width;	  /* lines are folded to; 0: they are not */
	size_t indent;	  /* of a folded line's pieces */
	char line[65536]; /* the one that is not whole yet; longer ones are cut
			     anywhere */
	size_t len;
} output;

static bool would_wait(void)
{
	struct pollfd consumer = { .fd = STDOUT_FILENO, .events = POLLOUT };

	return !poll(&consumer, 1, 0);
}

/* Returns the bytes written; fewer where `patient` is false, or on errors. */
static size_t write_out(const char *text, size_t len, bool patient)
{
	size_t done = 0;

	while (done < len && (patient || !would_wait())) {
		const size_t some = len - done < AT_ONCE ? len - done : AT_ONCE;
		const ssize_t written = write(STDOUT_FILENO, text + done, some);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) {
			output.error = errno;
			return done;
		}
		done += (size_t)written;
	}
	return done;
}

static size_t put_bytes(const char *text, size_t len)
{
	size_t done = 0;

	if (!output.kept)
		done = write_out(text, len, false);
	if (done < len && !output.kept && !output.error)
		output.kept = tmpfile();
	/* Without room for such a file the consumer is waited for. */
	if (output.kept)
		done += fwrite(text + done, 1, len - done, output.kept);
	else if (!output.error)
		done += write_out(text + done, len - done, true);
	return done;
}

static void put_piece(void *context, const char *piece, size_t len,
		      size_t indent)
{
	static const char spaces[FOLD_INDENT_MAX + 1] = "            ";

	(void)context;
	put_bytes(spaces, indent);
	put_bytes(piece, len);
	put_bytes("\n", 1);
}

static void put_folded(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\n')
			output.line[output.len++] = text[i];
		if (text[i] != '\n' && output.len < sizeof(output.line) - 1)
			continue;
		output.line[output.len] = 0;
		fold_line(output.line, output.len, output.width,
			  output.width < NARROW ? FOLD_INDENT : output.indent,
			  put_piece, NULL);
		output.len = 0;
	}
}

static void look_at_width(void)
{
	const size_t width = terminal_width();

	if (width)
		output.width = width;
}

void output_fold(size_t indent)
{
	output.indent = indent;
	look_at_width();
}

static ssize_t put(void *cookie, const char *text, size_t len)
{
	size_t done = len;

	(void)cookie;
	if (output.width) {
		look_at_width(); /* it may have changed */
		put_folded(text, len);
	} else {
		done = put_bytes(text, len);
	}
	if (!output.error)
		return (ssize_t)done;
	errno = output.error;
	return output.width ? 0 : (ssize_t)done;
}

void output_open(void)
{
	static const cookie_io_functions_t functions = { .write = put };
	struct stat status;
	FILE *file;

	if (output.is_open || fstat(STDOUT_FILENO, &status) ||
	    S_ISREG(status.st_mode))
		return;
	file = fopencookie(NULL, "w", functions);
	if (!file)
		return; /* standard output stays as it is */
	stdout = file;
	output.is_open = true;
}

static void write_kept(void)
{
	char piece[BUFSIZ];
	size_t len;

	if (fflush(output.kept))
		output.error = errno;
	rewind(output.kept);
	while (!output.error &&
	       (len = fread(piece, 1, sizeof(piece), output.kept)))
		write_out(piece, len, true);
	fclose(output.kept);
	output.kept = NULL;
}

bool output_failed(void)
{
	return ferror(stdout) || output.error;
}

bool output_drain(void)
{
	bool done = !fflush(stdout) && !ferror(stdout);

	if (done && output.kept)
		write_kept();
	if (output.error)
		errno = output.error;
	return done && !output.error;
}
