/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "format_change.h"

#include "format_parts.h"
#include "put.h"

#include <stdbool.h>

/* Bytes of a text that a line of text shows. */
#define SHOWN_MAX 200

static const char *kind_of(const struct stream_change *change)
{
	return change->kind < CHANGE_KINDS ? change_kind_names[change->kind] :
					     "unknown";
}

struct bytes {
	const __u8 *bytes;
	size_t len;
};

/* A text of a side; after the last one, the tunnels' identifiers. */
static struct bytes text_of(const struct stream_change *change, int side,
			    int text)
{
	const __u16 *len = change->len[0];
	const int which = side * CHANGE_TEXTS + text;
	const __u8 *at = change->bytes;

	for (int i = 0; i < which; i++)
		at += len[i];
	return (struct bytes){ at, which < CHANGE_SIDES * CHANGE_TEXTS ?
					   len[which] :
					   change->tunnel_len };
}

static struct bytes tunnels_of(const struct stream_change *change)
{
	return text_of(change, CHANGE_SIDES, 0);
}

/*
 * Text that is escaped already. The keeper is not relied on: what is not
 * printable is escaped here. `backslash`: how the format writes one.
 */
static char *put_once(char *to, struct bytes text, const char *backslash,
		      char *(*put)(char *to, const __u8 *bytes, size_t len))
{
	for (size_t i = 0; i < text.len; i++)
		to = text.bytes[i] == '\\' ? put_text_of(to, backslash) :
					     put(to, &text.bytes[i], 1);
	return to;
}

/* --- json ---------------------------------------------------------------- */

static char *put_value_json(char *to, int text, struct bytes value)
{
	return text == CHANGE_OWNER_NAME ?
		       put_once(to, value, "\\\\", put_escaped_json) :
		       put_escaped_json(to, value.bytes, value.len);
}

static bool is_told(const struct stream_change *change, int side, int text)
{
	return text == CHANGE_SAID ? change->is_there[side] :
				     change->len[side][text];
}

static char *put_side_json(char *to, const char *name,
			   const struct stream_change *change, int side)
{
	static const char *const names[] = { [CHANGE_SAID] = "banner",
					     [CHANGE_SERVICE] = "service",
					     [CHANGE_PRODUCT_NAME] = "product",
					     [CHANGE_VERSION_NAME] = "version",
					     [CHANGE_OWNER_NAME] = "owner" };
	bool is_open = false;

	for (int text = 0; text < CHANGE_TEXTS; text++) {
		if (!is_told(change, side, text))
			continue;
		to = PUT(to, ",\"");
		if (!is_open) {
			to = put_text_of(to, name);
			to = PUT(to, "\":{\"");
		}
		is_open = true;
		to = put_text_of(to, names[text]);
		to = PUT(to, "\":\"");
		to = put_value_json(to, text, text_of(change, side, text));
		*to++ = '"';
	}
	return is_open ? PUT(to, "}") : to;
}

/* Writes "42/7" as an event's record has it; each identifier has a digit. */
static char *put_identifiers(char *to, struct bytes ids)
{
	if (!ids.len)
		return to;
	to = PUT(to, ",\"tunnel\":[{\"id\":");
	for (size_t i = 0; i < ids.len; i++) {
		if (ids.bytes[i] == '/')
			to = PUT(to, "},{\"id\":");
		else if (ids.bytes[i] >= '0' && ids.bytes[i] <= '9')
			*to++ = (char)ids.bytes[i];
	}
	return PUT(to, "}]");
}

static char *put_json(char *to, const struct stream_change *change)
{
	to = PUT(to, "{\"ts\":");
	to = put_timestamp(to, change->time);
	to = PUT(to, ",\"event\":\"change\",\"kind\":\"");
	to = put_text_of(to, kind_of(change));
	to = PUT(to, "\",\"server\":\"");
	to = put_address(to, change->family, change->server);
	to = PUT(to, "\",\"server_port\":");
	to = put_number(to, change->server_port);
	to = put_identifiers(to, tunnels_of(change));
	to = put_side_json(to, "old", change, CHANGE_OLD);
	to = put_side_json(to, "new", change, CHANGE_NEW_SIDE);
	if (change->number) {
		to = PUT(to, ",\"number\":");
		to = put_number(to, change->number);
	}
	return PUT(to, "}\n");
}

/* --- text ---------------------------------------------------------------- */

static char *put_shown(char *to, struct bytes text)
{
	const bool is_cut = text.len > SHOWN_MAX;

	to = put_escaped(to, text.bytes, is_cut ? SHOWN_MAX : text.len);
	return is_cut ? PUT(to, "..") : to;
}

/* Product and version; if they are not known or not changed, the banner. */
static char *put_side(char *to, const struct stream_change *change, int side,
		      bool as_said)
{
	const struct bytes service = text_of(change, side, CHANGE_SERVICE);
	const struct bytes product = text_of(change, side, CHANGE_PRODUCT_NAME);
	const struct bytes version = text_of(change, side, CHANGE_VERSION_NAME);

	if (product.len && !as_said) {
		to = put_shown(to, product);
		if (!version.len)
			return to;
		*to++ = ' ';
		return put_shown(to, version);
	}
	if (service.len) {
		to = put_shown(to, service);
		to = PUT(to, ": ");
	}
	return put_shown(to, text_of(change, side, CHANGE_SAID));
}

static char *put_owner_text(char *to, const struct stream_change *change,
			    int side)
{
	return put_once(to, text_of(change, side, CHANGE_OWNER_NAME), "\\",
			put_escaped);
}

/* What it was, and what it is. */
static char *put_sides(char *to, const struct stream_change *change)
{
	const bool as_said = change->kind == CHANGE_BANNER;

	if (change->kind == CHANGE_OWNER) {
		to = put_owner_text(to, change, CHANGE_OLD);
		to = PUT(to, " -> ");
		return put_owner_text(to, change, CHANGE_NEW_SIDE);
	}
	if (change->is_there[CHANGE_OLD] && change->kind != CHANGE_RETURNED) {
		to = put_side(to, change, CHANGE_OLD, as_said);
		to = PUT(to, " -> ");
	}
	if (change->is_there[CHANGE_NEW_SIDE])
		return put_side(to, change, CHANGE_NEW_SIDE, as_said);
	return PUT(to, "open");
}

static char *put_number_text(char *to, const struct stream_change *change)
{
	if (!change->number)
		return to;
	if (change->kind == CHANGE_NEW) {
		to = PUT(to, " (and ");
		to = put_number(to, change->number - 1);
		return PUT(to, " more of this server at once)");
	}
	to = PUT(to, " (ever different: ");
	to = put_number(to, change->number);
	return PUT(to, EVER_DIFFERENT_WORDS ")");
}

static char *put_line(char *to, const struct stream_change *change)
{
	to = put_local_time(to, change->time);
	to = PUT(to, " change ");
	to = put_text_of(to, kind_of(change));
	*to++ = ' ';
	to = put_endpoint(to, change->family, change->server,
			  change->server_port);
	if (change->tunnel_len) {
		to = PUT(to, " in ");
		to = put_shown(to, tunnels_of(change));
	}
	*to++ = ' ';
	to = put_sides(to, change);
	to = put_number_text(to, change);
	*to++ = '\n';
	return to;
}

/* --- any format ---------------------------------------------------------- */

size_t format_change(enum format format, char *to,
		     const struct stream_change *change)
{
	switch (format) {
	case FORMAT_TEXT:
		return (size_t)(put_line(to, change) - to);
	case FORMAT_JSON:
		return (size_t)(put_json(to, change) - to);
	case FORMAT_ZEEK:
		break; /* has no record of a change */
	}
	return 0;
}
