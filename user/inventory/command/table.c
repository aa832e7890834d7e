/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 8
#define BETWEEN 2
#define GIVING_LEAST 12 /* characters: no column is cut to less */

struct table {
	const struct table_column *columns;
	int count;
	size_t width[COLUMNS_MAX];
	char *text; /* all cells, each followed by a NUL */
	size_t len, room;
	bool failed;
};

struct table *table_open(const struct table_column *columns, int count)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->columns = columns;
	table->count = count;
	for (int i = 0; i < count; i++)
		table->width[i] = strlen(columns[i].head);
	return table;
}

void table_close(struct table *table)
{
	if (table)
		free(table->text);
	free(table);
}

static bool make_room(struct table *table, size_t more)
{
	size_t room = table->room ? table->room : 4096;
	char *text;

	if (table->len + more <= table->room)
		return true;
	while (room < table->len + more)
		room *= 2;
	text = realloc(table->text, room);
	if (!text) {
		table->failed = true;
		return false;
	}
	table->text = text;
	table->room = room;
	return true;
}

void table_add(struct table *table, const char *const *texts)
{
	size_t need = 0;

	for (int i = 0; i < table->count; i++)
		need += strlen(texts[i]) + 1;
	if (table->failed || !make_room(table, need))
		return;
	for (int i = 0; i < table->count; i++) {
		const size_t len = strlen(texts[i]);

		memcpy(table->text + table->len, texts[i], len + 1);
		table->len += len + 1;
		if (len > table->width[i])
			table->width[i] = len;
	}
}

bool table_failed(const struct table *table)
{
	return table->failed;
}

/* Computes the widths of the columns that may be cut. */
static void fit(const struct table *table, size_t most, size_t *width)
{
	size_t all = 0;

	for (int i = 0; i < table->count; i++) {
		width[i] = table->width[i];
		all += width[i] + (i ? BETWEEN : 0);
	}
	for (int i = 0; most && i < table->count; i++) {
		const size_t over = all > most ? all - most : 0;
		size_t given;

		if (!table->columns[i].gives || width[i] <= GIVING_LEAST)
			continue;
		given = width[i] - GIVING_LEAST;
		given = given < over ? given : over;
		width[i] -= given;
		all -= given;
	}
}

static void print_cell(const struct table_column *column, const char *text,
		       size_t width, bool first, bool last)
{
	const size_t len = strlen(text);

	if (!first)
		printf("%*s", BETWEEN, "");
	if (len > width)
		printf("%.*s..", (int)width - 2, text);
	else if (column->number)
		printf("%*s", (int)width, text);
	else
		printf("%-*s", last ? 0 : (int)width, text);
}

void table_print(const struct table *table, size_t width)
{
	size_t fitted[COLUMNS_MAX];
	const char *at = table->text, *end = table->text + table->len;

	if (!table->len)
		return;
	fit(table, width, fitted);
	for (int i = 0; i < table->count; i++)
		print_cell(&table->columns[i], table->columns[i].head,
			   fitted[i], !i, i == table->count - 1);
	putchar('\n');
	while (at < end) {
		for (int i = 0; i < table->count; i++) {
			print_cell(&table->columns[i], at, fitted[i], !i,
				   i == table->count - 1);
			at += strlen(at) + 1;
		}
		putchar('\n');
	}
}
