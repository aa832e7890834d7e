/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "align.h"

#include "align_text.h"
#include "looks.h"

#include <string.h>

/* Shorter runs of equal bytes in binary greetings are chance. */
#define BINARY_RUN 3

static uint16_t value(const struct form *form, size_t at)
{
	return form->symbol[at] & SYMBOL_VALUE;
}

/* --- tokens ------------------------------------------------------------ */

#define BASE64_LEAST 12

#define PADDING_MAX 2

/*
 * The end of a base64 token, which may contain + / and ends with =. It has
 * capitals, small letters and digits, unlike words and paths. `at`: there is
 * none.
 */
static size_t base64_end(const struct form *form, size_t at)
{
	size_t end = at, padding = 0;
	bool digit = false, capital = false, small = false;

	for (; end < form->len && !symbol_is_wild(form->symbol[end]); end++) {
		const uint8_t byte = (uint8_t)form->symbol[end];

		if (!symbol_is_word(form->symbol[end]) && byte != '+' &&
		    byte != '/')
			break;
		digit |= symbol_is_digit(form->symbol[end]);
		capital |= byte >= 'A' && byte <= 'Z';
		small |= byte >= 'a';
	}
	if (!digit || !capital || !small || end < at + BASE64_LEAST)
		return at;
	while (padding < PADDING_MAX && end + padding < form->len &&
	       value(form, end + padding) == '=')
		padding++;
	return end + padding;
}

#define PAIRS_LEAST 4

static bool is_hex(const struct form *form, size_t at)
{
	return at < form->len && !symbol_is_wild(form->symbol[at]) &&
	       byte_in_class((uint8_t)form->symbol[at], CLASS_HEX);
}

/* The end of 8f:49:7a:80 and the like; `at`: there is none. */
static size_t pairs_end(const struct form *form, size_t at)
{
	size_t end = at, pairs = 0;

	while (is_hex(form, end) && is_hex(form, end + 1) &&
	       !is_hex(form, end + 2)) {
		pairs++;
		end += 2;
		if (end >= form->len || value(form, end) != ':' ||
		    !is_hex(form, end + 1))
			break;
		end++;
	}
	return pairs >= PAIRS_LEAST && (end == form->len ||
					!symbol_is_word(form->symbol[end])) ?
		       end :
		       at;
}

static size_t token_end(const struct form *form, size_t at)
{
	size_t end = at;

	if (form->binary)
		return at + 1;
	end = base64_end(form, at);
	if (end == at)
		end = pairs_end(form, at);
	if (end > at)
		return end;
	if (!symbol_is_word(form->symbol[at]))
		return at + 1;
	/* A date far from now is a token, too: the server's clock may be wrong.
	 */
	end = looks_date_end(form, at);
	if (end > at)
		return end;
	while (end < form->len && symbol_is_word(form->symbol[end]))
		end++;
	return end;
}

static size_t tokenize(const struct form *form, struct align_token *token)
{
	size_t n = 0, end;

	for (size_t at = 0; at < form->len; at = end) {
		uint32_t hash = 0x811c9dc5;

		end = token_end(form, at);
		for (size_t i = at; i < end; i++)
			hash = (hash ^ value(form, i)) * 0x01000193;
		token[n++] = (struct align_token){ (uint16_t)at, (uint16_t)end,
						   hash };
	}
	return n;
}

static bool agrees(const struct form *a, const struct align_token *at,
		   const struct form *b, const struct align_token *bt)
{
	const size_t len = at->to - at->from;

	if (at->hash != bt->hash || (size_t)(bt->to - bt->from) != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (value(a, at->from + i) != value(b, bt->from + i))
			return false;
	}
	/* Learned parts always lie in a gap, and are judged there. */
	return !symbol_is_wild(a->symbol[at->from]) ||
	       !wild_is_learned(symbol_wild(a->symbol[at->from]));
}

/* --- gaps -------------------------------------------------------------- */

static void add_gap(struct align *align, size_t a_from, size_t a_to,
		    size_t b_from, size_t b_to)
{
	if (a_from == a_to && b_from == b_to)
		return;
	align->gap[align->gaps++] =
		(struct gap){ (uint16_t)a_from, (uint16_t)a_to,
			      (uint16_t)b_from, (uint16_t)b_to };
}

/* Joins gaps that have only a few binary bytes between them. */
static void join_gaps(struct align *align, const struct form *a,
		      const struct form *b)
{
	size_t n = 0;

	if (!a->binary && !b->binary)
		return;
	for (size_t i = 1; i < align->gaps; i++) {
		struct gap *last = &align->gap[n], *next = &align->gap[i];

		if (next->a_from - last->a_to < BINARY_RUN) {
			last->a_to = next->a_to;
			last->b_to = next->b_to;
		} else {
			align->gap[++n] = *next;
		}
	}
	if (align->gaps)
		align->gaps = n + 1;
}

/* --- place by place ---------------------------------------------------- */

static bool has_places(const struct form *form)
{
	for (size_t i = 0; i < form->len; i++) {
		if (symbol_is_wild(form->symbol[i]) &&
		    symbol_wild(form->symbol[i]) != WILD_BYTE &&
		    symbol_wild(form->symbol[i]) != WILD_LENGTH)
			return false;
	}
	return true;
}

static void by_place(struct align *align, const struct form *a,
		     const struct form *b)
{
	for (size_t at = 0, end; at < a->len; at = end) {
		end = at + 1;
		if (value(a, at) == value(b, at) &&
		    value(a, at) != SYMBOL_WILD + WILD_BYTE)
			continue;
		while (end < a->len &&
		       (value(a, end) != value(b, end) ||
			value(a, end) == SYMBOL_WILD + WILD_BYTE))
			end++;
		add_gap(align, at, end, at, end);
	}
}

/* --- by words ---------------------------------------------------------- */

/* The tokens between the common beginning and the common end. */
struct middle {
	size_t from, a_to, b_to;
};

static struct middle trim(const struct align *align, const struct form *a,
			  const struct form *b)
{
	struct middle m = { 0, align->a_len, align->b_len };

	while (m.from < m.a_to && m.from < m.b_to &&
	       agrees(a, &align->a[m.from], b, &align->b[m.from]))
		m.from++;
	while (m.a_to > m.from && m.b_to > m.from &&
	       agrees(a, &align->a[m.a_to - 1], b, &align->b[m.b_to - 1])) {
		m.a_to--;
		m.b_to--;
	}
	return m;
}

/* A long word counts for more than a few spaces. */
static unsigned int weight(const struct align_token *token)
{
	return (unsigned int)(token->to - token->from) * 2 - 1;
}

static unsigned int larger(unsigned int x, unsigned int y)
{
	return x > y ? x : y;
}

/* score[i][j]: of the best common part of the tokens from i and from j on. */
static void fill(struct align *align, const struct form *a,
		 const struct form *b, const struct middle *m)
{
	const size_t rows = m->a_to - m->from, columns = m->b_to - m->from;
	const size_t width = columns + 1;

	memset(align->score + rows * width, 0, width * sizeof(*align->score));
	for (size_t i = rows; i-- > 0;) {
		uint16_t *row = align->score + i * width, *below = row + width;

		row[columns] = 0;
		for (size_t j = columns; j-- > 0;) {
			const struct align_token *at = &align->a[m->from + i],
						 *bt = &align->b[m->from + j];
			unsigned int best = larger(row[j + 1], below[j]);

			if (agrees(a, at, b, bt))
				best = larger(best, below[j + 1] + weight(at));
			row[j] = (uint16_t)best;
		}
	}
}

static void trace(struct align *align, const struct form *a,
		  const struct form *b, const struct middle *m)
{
	const size_t width = m->b_to - m->from + 1;
	size_t i = m->from, j = m->from, gap_i = i, gap_j = j;

	while (i < m->a_to && j < m->b_to) {
		const uint16_t *row =
			align->score + (i - m->from) * width + j - m->from;
		const struct align_token *at = &align->a[i], *bt = &align->b[j];

		if (agrees(a, at, b, bt) &&
		    row[0] == row[width + 1] + weight(at)) {
			add_gap(align, align->a[gap_i].from, at->from,
				align->b[gap_j].from, bt->from);
			gap_i = ++i;
			gap_j = ++j;
		} else if (row[0] == row[width]) {
			i++;
		} else {
			j++;
		}
	}
	add_gap(align, gap_i < align->a_len ? align->a[gap_i].from : a->len,
		m->a_to < align->a_len ? align->a[m->a_to].from : a->len,
		gap_j < align->b_len ? align->b[gap_j].from : b->len,
		m->b_to < align->b_len ? align->b[m->b_to].from : b->len);
}

static void by_words(struct align *align, const struct form *a,
		     const struct form *b)
{
	struct middle m;

	align->a_len = tokenize(a, align->a);
	align->b_len = tokenize(b, align->b);
	m = trim(align, a, b);
	if ((m.a_to - m.from + 1) * (m.b_to - m.from + 1) <= ALIGN_CELLS) {
		fill(align, a, b, &m);
		trace(align, a, b, &m);
		return;
	}
	add_gap(align, align->a[m.from].from,
		m.a_to < align->a_len ? align->a[m.a_to].from : a->len,
		align->b[m.from].from,
		m.b_to < align->b_len ? align->b[m.b_to].from : b->len);
}

void align_forms(struct align *align, const struct form *a,
		 const struct form *b)
{
	align->gaps = 0;
	if (a->len == b->len && (a->binary || b->binary) && has_places(a) &&
	    has_places(b)) {
		by_place(align, a, b);
	} else {
		by_words(align, a, b);
		join_gaps(align, a, b);
	}
	if (a->binary || b->binary)
		align_text(align, a, b);
}

void align_widen(struct align *align, size_t gap, const struct form *a,
		 bool (*belongs)(const struct form *a, size_t at,
				 const void *context),
		 const void *context)
{
	struct gap *widened = &align->gap[gap];
	const size_t least = gap ? widened[-1].a_to : 0,
		     most = gap + 1 < align->gaps ? widened[1].a_from : a->len;

	while (widened->a_from > least &&
	       belongs(a, widened->a_from - 1u, context)) {
		widened->a_from--;
		widened->b_from--;
	}
	while (widened->a_to < most && belongs(a, widened->a_to, context)) {
		widened->a_to++;
		widened->b_to++;
	}
}
