/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "table.h"

#include "fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 8
#define BETWEEN 2
#define FIRST_LEAST 21 /* 192.168.100.200:65535 */
#define DAY 10	       /* characters of a time's day */
#define LEAST 8	       /* of any column on a very narrow terminal */

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

/* --- widths ------------------------------------------------------------ */

/* What the widths have beyond `most`; 0: they fit. */
static size_t over(const struct table *table, const size_t *width, size_t most)
{
	size_t all = 0;

	for (int i = 0; i < table->count; i++)
		all += width[i] + (i && width[i] ? BETWEEN : 0);
	return all > most ? all - most : 0;
}

/* Takes from a column what is too much, down to `least`. */
static void take(const struct table *table, size_t *width, int column,
		 size_t least, size_t most)
{
	const size_t much = over(table, width, most);

	if (width[column] > least)
		width[column] = width[column] < least + much ?
					least :
					width[column] - much;
}

static void leave_out(const struct table *table, size_t *width, size_t most)
{
	for (int n = 1; n < COLUMNS_MAX; n++) {
		for (int i = 0; i < table->count; i++) {
			if (table->columns[i].leaves == n &&
			    over(table, width, most))
				width[i] = 0;
		}
	}
}

/*
 * The first column is as wide as the longest text that has room in it; those
 * that are longer get lines of their own. What is left over goes to others.
 */
static void settle(const struct table *table, size_t *width, size_t most)
{
	const char *at = table->text, *end = at + table->len;
	size_t longest = strlen(table->columns[0].head);

	for (int i = 0; at < end; at += strlen(at) + 1, i++) {
		const size_t len = strlen(at);

		if (!(i % table->count) && len <= width[0] && len > longest)
			longest = len;
	}
	if (longest < width[0])
		width[0] = longest;
	for (int i = table->count - 1; i > 0; i--) {
		const bool whole = table->columns[i].kind == TABLE_TIME;
		const bool grows = whole || table->columns[i].least;

		while (grows && width[i] && width[i] < table->width[i]) {
			const size_t was = width[i];

			width[i] = whole ? table->width[i] : was + 1;
			if (!over(table, width, most))
				continue;
			width[i] = was;
			break;
		}
	}
}

/* What matters least is cut or left out first. */
static void fit(const struct table *table, size_t most, size_t *width)
{
	const struct table_column *columns = table->columns;

	memcpy(width, table->width, sizeof(table->width));
	if (!most || !over(table, width, most))
		return;
	for (int i = table->count - 1; i > 0; i--) {
		if (columns[i].least)
			take(table, width, i, columns[i].least, most);
	}
	take(table, width, 0, FIRST_LEAST, most);
	for (int i = 1; i < table->count; i++) {
		if (columns[i].kind == TABLE_TIME && over(table, width, most))
			width[i] = DAY;
	}
	leave_out(table, width, most);
	take(table, width, table->count - 1, LEAST, most);
	take(table, width, 0, LEAST, most);
	settle(table, width, most);
}

/* --- printing ---------------------------------------------------------- */

static void print_cell(const struct table_column *column, const char *text,
		       size_t width, size_t before)
{
	const size_t len = strlen(text);

	printf("%*s", (int)before, "");
	if (len <= width)
		fputs(text, stdout);
	else if (column->kind == TABLE_TIME)
		printf("%.*s", (int)width, text);
	else
		printf("%.*s..", (int)width - 2, text);
}

/* Prints a row from its first cell on. Returns what follows its last one. */
static const char *print_row(const struct table *table, const char *at,
			     const size_t *width, size_t most)
{
	size_t before = 0; /* spaces that are printed if a text follows */

	for (int i = 0; i < table->count; i++) {
		const char *text = at;
		const size_t len = strlen(at);

		at += len + 1;
		if (!width[i])
			continue;
		before += i ? BETWEEN : 0;
		if (!i && len > width[i]) {
			fold_line(text, len, most, FOLD_INDENT, fold_print,
				  NULL);
			before += width[i];
			continue;
		}
		if (table->columns[i].kind == TABLE_NUMBER)
			before += len < width[i] ? width[i] - len : 0;
		if (len) {
			print_cell(&table->columns[i], text, width[i], before);
			before = 0;
		}
		if (table->columns[i].kind != TABLE_NUMBER && len < width[i])
			before += width[i] - len;
	}
	putchar('\n');
	return at;
}

void table_print(const struct table *table, size_t width)
{
	size_t fitted[COLUMNS_MAX];
	char heads[256] = "";
	const char *at = table->text;
	size_t len = 0;

	if (!table->len)
		return;
	for (int i = 0; i < table->count; i++) {
		strcpy(heads + len, table->columns[i].head);
		len += strlen(heads + len) + 1;
	}
	fit(table, width, fitted);
	print_row(table, heads, fitted, width);
	while (at < table->text + table->len)
		at = print_row(table, at, fitted, width);
}
