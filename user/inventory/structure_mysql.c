/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * MySQL's and MariaDB's first packet: the handshake, version 10, or an error.
 * Version, capabilities, character set and plugin stay; the thread's number,
 * the salt and the status are wild.
 */
#include "structure.h"

#include <string.h>

#define HEADER 4 /* bytes: length (three) and packet number */
#define SALT_ONE 8
#define RESERVED 10
#define ERROR_HEADER (HEADER + 3)
#define FIRST_ERROR 1000
#define LAST_ERROR 4999

static size_t packet_end(const struct greeting *g)
{
	return HEADER + ((size_t)g->bytes[0] | (size_t)g->bytes[1] << 8 |
			 (size_t)g->bytes[2] << 16);
}

static void add_fixed(struct form *form, const struct greeting *g, size_t from,
		      size_t to)
{
	form_add_bytes(form, g->bytes, from, to < g->len ? to : g->len,
		       SYMBOL_FIXED);
}

/* The name of the refused host in the error's text is the client's. */
static void add_error_text(struct form *form, const struct greeting *g,
			   size_t end)
{
	const uint8_t *begin = memmem(g->bytes, end, "Host '", 6), *quote;
	size_t at = ERROR_HEADER, to;

	if (begin) {
		to = (size_t)(begin - g->bytes) + 6;
		quote = memchr(g->bytes + to, '\'', end - to);
		add_fixed(form, g, at, to);
		form_add_wild(form, WILD_CLIENT, to);
		at = quote ? (size_t)(quote - g->bytes) : end;
	}
	structure_add_text(form, g, at, end, 0);
}

static bool read_error(struct form *form, const struct greeting *g, size_t end)
{
	unsigned int code;

	if (g->len < ERROR_HEADER || g->bytes[HEADER] != 0xff)
		return false;
	code = g->bytes[HEADER + 1] | (unsigned int)g->bytes[HEADER + 2] << 8;
	if (code < FIRST_ERROR || code > LAST_ERROR)
		return false;
	/* The packet's length depends on the client's name. */
	form_add_wild(form, WILD_LENGTH, 0);
	add_fixed(form, g, 3, ERROR_HEADER);
	add_error_text(form, g, end < g->len ? end : g->len);
	form->refusal = true;
	return true;
}

/* After the version: thread, salt, capabilities, status, second salt. */
static void add_handshake(struct form *form, const struct greeting *g,
			  size_t at, size_t end)
{
	const size_t salt = at + 4, low = salt + SALT_ONE,
		     status = low + 1 + 2 + 1, high = status + 2,
		     reserved = high + 3, salt_two = reserved + RESERVED;
	const size_t salt_len = reserved <= g->len && g->bytes[high + 2] > 21 ?
					g->bytes[high + 2] - SALT_ONE :
					13;

	form_add_wild(form, WILD_ID, at);
	form_add_wild(form, WILD_SALT, salt);
	add_fixed(form, g, low, status);
	if (status >= end)
		return;
	form_add_wild(form, WILD_STATUS, status);
	add_fixed(form, g, high, salt_two);
	if (salt_two >= end)
		return;
	form_add_wild(form, WILD_SALT, salt_two);
	if (salt_two + salt_len < end)
		add_fixed(form, g, salt_two + salt_len, end);
}

bool structure_mysql(struct form *form, const struct greeting *g)
{
	const uint8_t *nul;
	size_t end, version = HEADER + 1;

	if (g->len < HEADER + 3 || g->bytes[2] || g->bytes[3] > 2)
		return false;
	end = packet_end(g);
	if (read_error(form, g, end))
		return true;
	nul = memchr(g->bytes + version, 0, g->len - version);
	if (g->bytes[3] || g->bytes[HEADER] != 10 || !nul ||
	    g->bytes[version] < '0' || g->bytes[version] > '9')
		return false;
	add_fixed(form, g, 0, (size_t)(nul - g->bytes) + 1);
	add_handshake(form, g, (size_t)(nul - g->bytes) + 1,
		      end < g->len ? end : g->len);
	form->binary = true;
	form->whole &= g->len >= end;
	return true;
}
