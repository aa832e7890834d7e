/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int input_open(struct input *input, const char *path, struct events *events)
{
	struct stat status;

	*input = (struct input){ .fd = STDIN_FILENO, .events = events };
	/* The writer of a FIFO is waited for with all else. */
	if (strcmp(path, "-"))
		input->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (input->fd < 0)
		return -errno;
	if (!fstat(input->fd, &status) && S_ISREG(status.st_mode)) {
		input->is_regular = true;
		input->size = status.st_size;
	}
	return 0;
}

void input_close(struct input *input)
{
	if (input->fd > STDIN_FILENO)
		close(input->fd);
	input->fd = -1;
}

ssize_t input_read(struct input *input, void *bytes, size_t size)
{
	ssize_t len;

	do {
		input->ended = !events_wait(input->events, input->fd,
					    !input->is_regular);
		if (input->ended)
			return 0;
		len = read(input->fd, bytes, size);
	} while (len < 0 && (errno == EAGAIN || errno == EINTR));
	if (len > 0)
		input->done += len;
	return len;
}

static ssize_t read_cookie(void *cookie, char *bytes, size_t size)
{
	return input_read(cookie, bytes, size);
}

FILE *input_stream(struct input *input)
{
	const cookie_io_functions_t functions = { .read = read_cookie };
	FILE *file = fopencookie(input, "r", functions);

	if (file)
		setvbuf(file, input->buffer, _IOFBF, sizeof(input->buffer));
	return file;
}
