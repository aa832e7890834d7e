/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "candidates.h"

#include <errno.h>
#include <stdlib.h>

#include "literal.h"

#define GRAM 4
#ifndef GRAM_BITS /* a fuzzer has fewer */
#define GRAM_BITS 15
#endif
#define GRAMS (1 << GRAM_BITS)
#define WORD_BITS 64

/* A literal by which a pattern could be found. */
struct candidate {
	uint32_t pattern;
	uint32_t start; /* in the pool */
	uint32_t len;
};

/* The literal by which a pattern is found. */
struct entry {
	uint32_t pattern;
	uint32_t start;
	uint16_t len;
	uint16_t gram; /* offset of the rarest gram in the literal */
};

struct pool {
	void *items;
	size_t count, room;
};

struct prefilter {
	unsigned int patterns;
	struct pool bytes, candidates;
	struct entry *entries;	   /* by their grams */
	uint32_t first[GRAMS + 1]; /* entry of each gram */
	uint64_t *always, *marked;
	size_t words;
	struct pool lowered; /* the text */
};

/* Room for so many more; NULL where there is no memory. */
static void *grow(struct pool *pool, size_t count, size_t size)
{
	size_t room = pool->room ? pool->room : 1024;
	void *items;

	while (room < pool->count + count)
		room *= 2;
	if (room != pool->room) {
		items = realloc(pool->items, room * size);
		if (!items)
			return NULL;
		pool->items = items;
		pool->room = room;
	}
	return (char *)pool->items + pool->count * size;
}

struct prefilter *prefilter_new(void)
{
	return calloc(1, sizeof(struct prefilter));
}

void prefilter_free(struct prefilter *prefilter)
{
	if (!prefilter)
		return;
	free(prefilter->bytes.items);
	free(prefilter->candidates.items);
	free(prefilter->lowered.items);
	free(prefilter->entries);
	free(prefilter->always);
	free(prefilter->marked);
	free(prefilter);
}

static uint32_t gram_at(const char *bytes)
{
	uint32_t gram;

	memcpy(&gram, bytes, sizeof(gram));
	return gram * 2654435761U >> (32 - GRAM_BITS);
}

static int add_literal(struct prefilter *prefilter,
		       const struct literal *literal)
{
	struct candidate *candidate =
		grow(&prefilter->candidates, 1, sizeof(*candidate));
	char *bytes = grow(&prefilter->bytes, literal->len, 1);

	if (!candidate || !bytes)
		return -ENOMEM;
	memcpy(bytes, literal->bytes, literal->len);
	*candidate = (struct candidate){ prefilter->patterns,
					 (uint32_t)prefilter->bytes.count,
					 literal->len };
	prefilter->candidates.count++;
	prefilter->bytes.count += literal->len;
	return 0;
}

int prefilter_add(struct prefilter *prefilter, const char *regex, size_t len)
{
	struct literals literals;
	const bool understood = literals_of(regex, len, &literals);
	int error = 0;

	for (int i = 0; !error && i < literals.count; i++) {
		if (literals.all[i].len >= GRAM)
			error = add_literal(prefilter, &literals.all[i]);
	}
	prefilter->patterns++;
	return error ? error : !understood;
}

/* How many literals hold each gram. */
static void count_grams(const struct prefilter *prefilter, uint32_t *counts)
{
	const struct candidate *candidates = prefilter->candidates.items;
	const char *bytes = prefilter->bytes.items;

	for (size_t i = 0; i < prefilter->candidates.count; i++) {
		const struct candidate *one = &candidates[i];

		for (uint32_t at = 0; at + GRAM <= one->len; at++)
			counts[gram_at(bytes + one->start + at)]++;
	}
}

/* Takes this literal if it has a rarer gram than the one taken so far. */
static void choose(const struct prefilter *prefilter, const uint32_t *counts,
		   const struct candidate *candidate, struct entry *entry,
		   uint32_t *rarest)
{
	const char *bytes = prefilter->bytes.items;

	for (uint32_t at = 0; at + GRAM <= candidate->len; at++) {
		const uint32_t count =
			counts[gram_at(bytes + candidate->start + at)];

		if (count >= *rarest)
			continue;
		*rarest = count;
		*entry = (struct entry){ candidate->pattern, candidate->start,
					 (uint16_t)candidate->len,
					 (uint16_t)at };
	}
}

static void set_bit(uint64_t *words, uint32_t bit)
{
	words[bit / WORD_BITS] |= 1ULL << bit % WORD_BITS;
}

/* One entry for each pattern with a literal; others are always candidates. */
static size_t choose_all(struct prefilter *prefilter, const uint32_t *counts,
			 struct entry *chosen)
{
	const struct candidate *candidates = prefilter->candidates.items;
	size_t at = 0, count = 0;

	for (uint32_t i = 0; i < prefilter->patterns; i++) {
		uint32_t rarest = UINT32_MAX;

		for (; at < prefilter->candidates.count &&
		       candidates[at].pattern == i;
		     at++)
			choose(prefilter, counts, &candidates[at],
			       &chosen[count], &rarest);
		if (rarest == UINT32_MAX)
			set_bit(prefilter->always, i);
		else
			count++;
	}
	return count;
}

static uint32_t gram_of(const struct prefilter *prefilter,
			const struct entry *entry)
{
	return gram_at((const char *)prefilter->bytes.items + entry->start +
		       entry->gram);
}

/* Sorts by counting: first[] is where each gram's entries begin. */
static void sort_entries(struct prefilter *prefilter,
			 const struct entry *chosen, size_t count)
{
	uint32_t *first = prefilter->first;

	for (size_t i = 0; i < count; i++)
		first[gram_of(prefilter, &chosen[i])]++;
	for (uint32_t i = 1; i <= GRAMS; i++)
		first[i] += first[i - 1];
	for (size_t i = count; i-- > 0;)
		prefilter->entries[--first[gram_of(prefilter, &chosen[i])]] =
			chosen[i];
}

int prefilter_build(struct prefilter *prefilter)
{
	const size_t patterns = prefilter->patterns + 1;
	uint32_t *counts = calloc(GRAMS, sizeof(*counts));
	struct entry *chosen = calloc(patterns, sizeof(*chosen));
	int error = -ENOMEM;

	prefilter->words = patterns / WORD_BITS + 1;
	prefilter->entries = calloc(patterns, sizeof(*prefilter->entries));
	prefilter->always = calloc(prefilter->words, sizeof(uint64_t));
	prefilter->marked = calloc(prefilter->words, sizeof(uint64_t));
	if (counts && chosen && prefilter->entries && prefilter->always &&
	    prefilter->marked) {
		count_grams(prefilter, counts);
		sort_entries(prefilter, chosen,
			     choose_all(prefilter, counts, chosen));
		error = 0;
	}
	free(counts);
	free(chosen);
	return error;
}

/* Marks those patterns of a gram that have their literal around it. */
static void mark(struct prefilter *prefilter, const char *text, size_t len,
		 size_t at)
{
	const uint32_t gram = gram_at(text + at);
	const char *bytes = prefilter->bytes.items;

	for (uint32_t i = prefilter->first[gram];
	     i < prefilter->first[gram + 1]; i++) {
		const struct entry *entry = &prefilter->entries[i];

		if (at >= entry->gram && at - entry->gram + entry->len <= len &&
		    !memcmp(text + at - entry->gram, bytes + entry->start,
			    entry->len))
			set_bit(prefilter->marked, entry->pattern);
	}
}

int prefilter_scan(struct prefilter *prefilter, const struct text *text)
{
	char *lowered = grow(&prefilter->lowered, text->len, 1);

	if (!lowered)
		return -ENOMEM;
	for (size_t i = 0; i < text->len; i++)
		lowered[i] = (char)tolower(text->bytes[i]);
	memcpy(prefilter->marked, prefilter->always,
	       prefilter->words * sizeof(uint64_t));
	for (size_t i = 0; i + GRAM <= text->len; i++)
		mark(prefilter, lowered, text->len, i);
	return 0;
}

int prefilter_next(const struct prefilter *prefilter, unsigned int number)
{
	size_t word = number / WORD_BITS;
	uint64_t bits;

	if (number >= prefilter->patterns)
		return -1;
	bits = prefilter->marked[word] & ~0ULL << number % WORD_BITS;
	while (!bits) {
		if (++word >= prefilter->words)
			return -1;
		bits = prefilter->marked[word];
	}
	return (int)(word * WORD_BITS) + __builtin_ctzll(bits);
}
