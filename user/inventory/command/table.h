/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A table as wide as its content needs, within the terminal's width. */
#ifndef BANNERPROBE_TABLE_H
#define BANNERPROBE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* The first column names the row: it may get a line of its own. */
struct table_column {
	const char *head;
	size_t least; /* characters that it may be cut to; 0: it is not cut */
	enum {
		TABLE_TEXT,
		TABLE_NUMBER, /* aligned to the right */
		TABLE_TIME,   /* 2026-11-26 10:00, cut to the day */
	} kind;
	int leaves; /* the order in which columns are left out; 0: it stays */
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
