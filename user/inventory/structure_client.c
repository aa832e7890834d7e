/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds the client's own address in a greeting, or a name that contains it. */
#include "structure.h"

#include <arpa/inet.h>
#include <string.h>

static char *put_octet(char *to, uint8_t value)
{
	if (value >= 100)
		*to++ = (char)('0' + value / 100);
	if (value >= 10)
		*to++ = (char)('0' + value / 10 % 10);
	*to++ = (char)('0' + value % 10);
	return to;
}

/* Forwards by step 1, backwards by step -1. */
static void spell_octets(char *to, const uint8_t *octet, int step, char between)
{
	for (int i = 0; i < 4; i++) {
		if (i)
			*to++ = between;
		to = put_octet(to, *octet);
		octet += step;
	}
	*to = '\0';
}

static void spell_v4(struct greeting *g, const uint8_t *octet)
{
	static const char hex[] = "0123456789abcdef";

	for (int i = 0; i < 4; i++) {
		g->client[4][2 * i] = hex[octet[i] >> 4];
		g->client[4][2 * i + 1] = hex[octet[i] & 15];
	}
	g->client[4][8] = '\0';
	/*
	 * Most greetings have no address, and need no search for this one. In
	 * telnet's, what is negotiated may be between the digits.
	 */
	if (!g->joined_digits && !(g->kinds & BYTE_FOREIGN))
		return;
	spell_octets(g->client[0], octet, 1, '.');
	spell_octets(g->client[1], octet, 1, '-');
	spell_octets(g->client[2], octet + 3, -1, '.');
	spell_octets(g->client[3], octet + 3, -1, '-');
}

static bool is_name(const struct greeting *g, size_t at)
{
	return greeting_is_word(g, at) ||
	       (at < g->len && (g->bytes[at] == '-' || g->bytes[at] == '.' ||
				g->bytes[at] == ':' || g->bytes[at] == '_'));
}

/* Whether no character beside an address could be a part of it. */
static bool stands_alone(const struct greeting *g, size_t from, size_t to)
{
	return !(from && greeting_is_digit(g, from - 1)) &&
	       !greeting_is_digit(g, to);
}

/* The first spelling at or behind `at`. In so few bytes memmem() takes longer.
 */
static const uint8_t *find(const struct greeting *g, size_t at, size_t end,
			   const char *text)
{
	const size_t len = strlen(text);

	while (at + len <= end) {
		const uint8_t *found =
			memchr(g->bytes + at, *text, end - at - len + 1);

		if (!found)
			return NULL;
		at = (size_t)(found - g->bytes);
		if (!memcmp(found, text, len) && stands_alone(g, at, at + len))
			return found;
		at++;
	}
	return NULL;
}

static bool holds(const struct greeting *g, size_t from, size_t to)
{
	for (int i = 0; i < CLIENT_SPELLINGS; i++) {
		if (*g->client[i] && find(g, from, to, g->client[i]))
			return true;
	}
	return false;
}

void client_spell(struct greeting *g)
{
	struct address client = g->seen->client;

	for (int i = 0; i < CLIENT_SPELLINGS; i++)
		*g->client[i] = '\0';
	address_unmap(&client);
	if (client.family == 4)
		spell_v4(g, client.byte);
	else if (client.family == 6)
		inet_ntop(AF_INET6, client.byte, g->client[0],
			  CLIENT_SPELLING_MAX);
	g->client_named = holds(g, 0, g->len);
}

/* 192.0.2.1:50000: a single colon is not part of an address. */
static size_t cut_port(const struct greeting *g, size_t at, size_t end)
{
	const uint8_t *first = memchr(g->bytes + at, ':', end - at);
	const size_t behind = first ? (size_t)(first - g->bytes) + 1 : end;

	if (!first || memchr(g->bytes + behind, ':', end - behind))
		return end;
	return behind - 1;
}

size_t client_at(const struct greeting *g, size_t at)
{
	size_t end = at;

	if (at && is_name(g, at - 1) && g->bytes[at - 1] != ':')
		return 0;
	while (is_name(g, end))
		end++;
	end = cut_port(g, at, end);
	while (end > at &&
	       (g->bytes[end - 1] == '.' || g->bytes[end - 1] == ':' ||
		g->bytes[end - 1] == '-'))
		end--;
	return end > at && holds(g, at, end) ? end : 0;
}
