/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* --help and --version. */
#ifndef BANNERPROBE_HELP_H
#define BANNERPROBE_HELP_H

/* Both end the process: with 1, and a message, where nothing can be written. */
void help_print(void) __attribute__((noreturn));
void help_print_version(void) __attribute__((noreturn));

#endif
