/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A table that is as wide as it must be, and no wider than it may. */
#ifndef BANNERPROBE_TABLE_H
#define BANNERPROBE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct table_column {
	const char *head;
	bool gives;  /* is cut where the table is too wide */
	bool number; /* to the right */
};

struct table;

struct table *table_open(const struct table_column *columns, int count);
void table_close(struct table *table);
/* Copies; printable ASCII, one text for each column. */
void table_add(struct table *table, const char *const *texts);
bool table_failed(const struct table *table); /* out of memory */
/* To standard output; 0: of any width. Nothing where there is no row. */
void table_print(const struct table *table, size_t width);

#endif
