/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A table as wide as its content needs, within the terminal's width. */
#ifndef BANNERPROBE_TABLE_H
#define BANNERPROBE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct table_column {
	const char *head;
	bool gives;  /* may be cut if the table is too wide */
	bool number; /* aligned to the right */
};

struct table;

struct table *table_open(const struct table_column *columns, int count);
void table_close(struct table *table);
/* Adds a row of copies; printable ASCII, one text for each column. */
void table_add(struct table *table, const char *const *texts);
bool table_failed(const struct table *table); /* out of memory */
/* Prints the table; width 0: any. Prints nothing if there are no rows. */
void table_print(const struct table *table, size_t width);

#endif
