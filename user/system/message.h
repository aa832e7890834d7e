/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Messages for the user: on standard error, one line each. */
#ifndef BANNERPROBE_MESSAGE_H
#define BANNERPROBE_MESSAGE_H

#include <stdbool.h>

/*
 * From now on no write to standard error, by any function of stdio, waits
 * longer than a moment for room in a pipe or terminal.
 */
void message_open(void);

/*
 * Prints "bannerprobe: ", the message and a newline. Bytes that are not
 * printable ASCII are written as \xhh.
 */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Shows a status line in place of the previous one, if standard error is a
 * terminal.
 */
void message_status(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* Shared by the processes that write to one standard error. */
struct message_shared {
	bool has_status; /* a status line is shown */
	bool is_claimed; /* a process is writing a message */
};

/*
 * Sets where that state is kept: in memory that several processes have mapped,
 * so that each can erase another's status line, and none writes into another's
 * message. NULL: in this process alone.
 */
void message_share(struct message_shared *shared);

/* Erases the status line, before anything else is written to the terminal. */
void message_clear_status(void);

/* Prints libbpf's own messages on standard error, or suppresses them. */
void message_libbpf(bool verbose);

#endif
