/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A file or a pipe that is read: while nothing comes of it, other events are
 * served.
 */
#ifndef BANNERPROBE_INPUT_H
#define BANNERPROBE_INPUT_H

#include "events.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

struct input {
	int fd;
	bool is_regular; /* never waits, and has a size */
	bool ended;	 /* the program is to end: nothing more is read */
	off_t size, done;
	struct events *events;
	char buffer[1 << 16]; /* of the stream */
};

/* Opens a path, or for "-" standard input. 0 or negative errno. */
int input_open(struct input *input, const char *path, struct events *events);
void input_close(struct input *input);

/*
 * Like read(2): the bytes that have come, at the end 0, which it is also when
 * the program is to end; -1 and errno.
 */
ssize_t input_read(struct input *input, void *bytes, size_t size);

/* The same as a stream, which ends before the input; NULL and errno. */
FILE *input_stream(struct input *input);

#endif
