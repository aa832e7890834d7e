/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * An HTTP response depends on the request. So its form is the protocol's
 * version and the headers that identify the server.
 */
#include "structure.h"

#include <string.h>

static const char *const telling[] = {
	"Server:",
	"X-Powered-By:",
	"X-AspNet-Version:",
	"X-Generator:",
	"X-AspNetMvc-Version:",
	"MicrosoftSharePointTeamServices:",
	"X-Jenkins:",
	"X-Influxdb-Version:",
};

/* Only with a second colon it may have a time of day. */
static void add_telling(struct form *form, const struct greeting *g, size_t at,
			size_t end)
{
	const uint8_t *colon = memchr(g->bytes + at, ':', end - at);
	const size_t behind = colon ? (size_t)(colon - g->bytes) + 1 : end;

	if (memchr(g->bytes + behind, ':', end - behind))
		structure_add_text(form, g, at, end, 0);
	else
		form_add_bytes(form, g->bytes, at, end, 0);
}

static void add_header(struct form *form, const struct greeting *g, size_t at,
		       size_t end)
{
	for (size_t i = 0; i < sizeof(telling) / sizeof(*telling); i++) {
		if (greeting_has(g, at, telling[i]))
			add_telling(form, g, at, end);
	}
}

bool structure_http(struct form *form, const struct greeting *g)
{
	size_t at, end;

	if (!greeting_has(g, 0, "HTTP/1.") || g->len < 12)
		return false;
	end = greeting_line_end(g, 0);
	form_add_bytes(form, g->bytes, 0, 9, SYMBOL_FIXED);
	form->refusal = greeting_has(g, 9, "408");
	form_add_wild(form, WILD_STATUS, 9);
	for (at = end; at < g->len; at = end) {
		end = greeting_line_end(g, at);
		if (g->bytes[at] == '\r' || g->bytes[at] == '\n')
			break;
		if (g->bytes[end - 1] == '\n')
			add_header(form, g, at, end);
	}
	form_add_wild(form, WILD_HEADERS, at < g->len ? at : g->len);
	form->whole = at < g->len;
	return true;
}

/*
 * The form of TLS is just the protocol: the rest depends on client and chance.
 */
bool structure_tls(struct form *form, const struct greeting *g)
{
	if (g->len < 6 || g->bytes[1] != 3 || g->bytes[2] > 4)
		return false;
	if (g->bytes[0] != 0x15 && (g->bytes[0] != 0x16 || g->bytes[5] != 2))
		return false;
	if (g->bytes[0] == 0x15 && (g->bytes[3] || g->bytes[4] != 2))
		return false;
	form_add_bytes(form, g->bytes, 0, 2, SYMBOL_FIXED);
	form_add_wild(form, WILD_TLS, 2);
	form->refusal = g->bytes[0] == 0x15; /* an alert */
	form->binary = true;
	form->whole = true;
	return true;
}
