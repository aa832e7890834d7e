/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Standard output that waits for no consumer while the inventory is read: a
 * pager that nobody pages on, or a stopped terminal, would keep a transaction
 * open, and with it all that the probe writes meanwhile in the file beside the
 * inventory.
 */
#ifndef BANNERPROBE_OUTPUT_H
#define BANNERPROBE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* From now on what the consumer does not take at once is kept in a file. */
void output_open(void);

/*
 * From now on lines that are longer than the terminal is wide are folded; what
 * follows the first piece is indented by so many characters, at most
 * FOLD_INDENT_MAX.
 */
void output_fold(size_t indent);

/*
 * Writes all that is left, and waits for the consumer. Called when no statement
 * reads. False, with errno: it could not be written.
 */
bool output_drain(void);

/* Whether something could not be written. */
bool output_failed(void);

#endif
