/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "intern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CHAINS 1024
#define ALLOCATOR_SHARE 8 /* bytes that malloc() adds to an allocation */

int texts_open(struct texts *texts)
{
	*texts = (struct texts){ .chains = FIRST_CHAINS };
	texts->chain = calloc(texts->chains, sizeof(void *));
	texts->memory = texts->chains * sizeof(void *);
	return texts->chain ? 0 : -ENOMEM;
}

void texts_close(struct texts *texts)
{
	for (uint32_t i = 0; texts->chain && i < texts->chains; i++) {
		struct text *text = texts->chain[i], *next;

		for (; text; text = next) {
			next = text->next;
			free(text);
		}
	}
	free(texts->chain);
	texts->chain = NULL;
}

static uint32_t hash_of(const char *bytes, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)bytes[i]) * 0x100000001b3ULL;
	return (uint32_t)(hash ^ hash >> 32);
}

static void grow(struct texts *texts)
{
	const uint32_t chains = texts->chains * 2;
	struct text **chain = calloc(chains, sizeof(void *));

	if (!chain)
		return; /* without memory the chains just get longer */
	for (uint32_t i = 0; i < texts->chains; i++) {
		struct text *text = texts->chain[i], *next;

		for (; text; text = next) {
			next = text->next;
			text->next = chain[text->hash & (chains - 1)];
			chain[text->hash & (chains - 1)] = text;
		}
	}
	free(texts->chain);
	texts->memory += (chains - texts->chains) * sizeof(void *);
	texts->chain = chain;
	texts->chains = chains;
}

static size_t size_of(size_t len)
{
	return sizeof(struct text) + len + 1;
}

struct text *text_get(struct texts *texts, const char *bytes, size_t len)
{
	const uint32_t hash = hash_of(bytes, len);
	struct text **chain = &texts->chain[hash & (texts->chains - 1)];
	struct text *text;

	for (text = *chain; text; text = text->next) {
		if (text->hash == hash && text->len == len &&
		    !memcmp(text->bytes, bytes, len)) {
			text->users++;
			return text;
		}
	}
	text = malloc(size_of(len));
	if (!text)
		return NULL;
	*text = (struct text){ *chain, 1, hash, (uint32_t)len };
	memcpy(text->bytes, bytes, len);
	text->bytes[len] = 0;
	*chain = text;
	texts->memory += size_of(len) + ALLOCATOR_SHARE;
	if (++texts->count > texts->chains)
		grow(texts);
	return text;
}

void text_put(struct texts *texts, struct text *text)
{
	struct text **at;

	if (!text || --text->users)
		return;
	at = &texts->chain[text->hash & (texts->chains - 1)];
	while (*at != text)
		at = &(*at)->next;
	*at = text->next;
	texts->count--;
	texts->memory -= size_of(text->len) + ALLOCATOR_SHARE;
	free(text);
}
