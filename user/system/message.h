/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is said to a person: on standard error, one line each. */
#ifndef BANNERPROBE_MESSAGE_H
#define BANNERPROBE_MESSAGE_H

#include <stdbool.h>

/*
 * From now on nothing that is written to standard error, by whatever function
 * of stdio, waits for longer than a moment for its reader.
 */
void message_open(void);

/*
 * Prints "bannerprobe: ", the message and a newline. What is no printable ASCII
 * in it is written as \xhh.
 */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Shows how things are going, in place of what it showed before, where standard
 * error is a terminal and nowhere else.
 */
void message_status(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/*
 * Whether something is shown is in memory that several processes have mapped:
 * each of them takes away what another one shows. NULL: of this process alone.
 */
void message_share_status(bool *shared);

/* Takes that away, before anything else is written to the terminal. */
void message_clear_status(void);

/* Routes libbpf's own messages to standard error, or away. */
void message_libbpf(bool verbose);

#endif
