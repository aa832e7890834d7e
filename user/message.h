/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is said to a person: on standard error, one line each. */
#ifndef BANNERPROBE_MESSAGE_H
#define BANNERPROBE_MESSAGE_H

#include <stdbool.h>

/* Prints "bannerprobe: ", the message and a newline. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Routes libbpf's own messages to standard error, or away. */
void message_libbpf(bool verbose);

#endif
