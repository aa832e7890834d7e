/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "format.h"

#include "community_id.h"
#include "format_parts.h"
#include "format_owner.h"
#include "format_tunnels.h"
#include "proxy_header.h"
#include "put.h"
#include "zeek.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A name as a JSON string, cut at `most` bytes. */
static char *put_name_json(char *to, const char *name, size_t most)
{
	return put_escaped_json(to, (const __u8 *)name, strnlen(name, most));
}

/*
 * The name of an interface or a file. Most records have the last one's name: a
 * short one is remembered as it was written. It is copied as a whole, as `to`
 * has room for a line.
 */
static char *put_source_name(char *to, const char *name)
{
	static char last[64], text[64];
	static size_t len;
	char *end;

	if (!strcmp(name, last)) {
		memcpy(to, text, sizeof(text));
		return to + len;
	}
	end = put_name_json(to, name, 4096);
	if (strlen(name) < sizeof(last) && (size_t)(end - to) <= sizeof(text)) {
		len = (size_t)(end - to);
		memcpy(text, to, len);
		strcpy(last, name);
	}
	return end;
}

/* The segments seen of the connection before the event, a letter for each. */
static char *put_history(char *to, const struct event *event)
{
	const __u8 seen = event->seen;

	if (seen & SEEN_SYN)
		*to++ = 'S';
	if (seen & SEEN_SYNACK)
		*to++ = 'h';
	if (seen & SEEN_ACK)
		*to++ = 'A';
	if (seen & SEEN_CLIENT_FIN)
		*to++ = 'F';
	if (event->sides_seen & EVENT_CLIENT_DATA)
		*to++ = 'D';
	if (event->sides_seen & EVENT_SERVER_DATA)
		*to++ = 'd';
	if (event->kind != EVENT_OPEN)
		*to++ = event_origin(event->kind) == SERVER ? 'd' : 'D';
	return to;
}

/* `key`: with all that stands before the address. */
static inline char *put_mac(char *to, const char *key,
			    const __u8 address[MAC_LENGTH])
{
	static const __u8 not_told[MAC_LENGTH];

	if (!memcmp(address, not_told, MAC_LENGTH))
		return to;
	to = put_text_of(to, key);
#pragma GCC unroll 6
	for (int i = 0; i < MAC_LENGTH; i++) {
		to = put_two_hex(to, address[i]);
		*to++ = ':';
	}
	return PUT(to - 1, "\"");
}

/* Segments, link-layer addresses, TTL, round-trip time and Community ID. */
static char *put_json_more(char *to, const struct event *record,
			   const struct community_digest *digest)
{
	if (record->segments) {
		to = PUT(to, ",\"segments\":");
		to = put_number(to, record->segments);
	}
	to = put_mac(to, ",\"server_mac\":\"", record->server_mac);
	to = put_mac(to, ",\"client_mac\":\"", record->client_mac);
	to = event_origin(record->kind) == SERVER ?
		     PUT(to, ",\"server_ttl\":") :
		     PUT(to, ",\"client_ttl\":");
	to = put_number(to, record->ttl);
	if (record->rtt_us != RTT_UNKNOWN) {
		to = PUT(to, ",\"rtt_us\":");
		to = put_number(to, record->rtt_us);
	}
	to = PUT(to, ",\"community_id\":\"");
	to = put_community_id(to, digest);
	return PUT(to, "\"}\n");
}

/*
 * The time since the SYN-ACK or, for an event that answers the other side's
 * bytes, since these bytes, if they were seen.
 */
static char *put_delay(char *to, const struct event *event)
{
	const bool is_second =
		event->kind == EVENT_RESPONSE || event->kind == EVENT_REPLY;
	__u64 before = event->synack_time;

	if (is_second && !event->spoke_us)
		return to;
	if (is_second && event->spoke_us == SPOKE_IN_SYN)
		before = event->start_time;
	else if (is_second)
		before += (event->spoke_us - 1) * 1000ULL;
	to = PUT(to, ",\"delay_us\":");
	/* Never negative, even if a capture is out of order. */
	return put_number(
		to, event->time > before ? (event->time - before) / 1000 : 0);
}

static char *put_json_end(char *to, const struct event *record,
			  const struct source *source,
			  const struct community_digest *digest)
{
	to = PUT(to, "\"");
	to = put_delay(to, record);
	to = PUT(to, ",\"iface\":\"");
	to = put_source_name(to, source->name);
	if (source->capture_iface) {
		to = PUT(to, "\",\"capture_iface\":\"");
		to = put_name_json(to, source->capture_iface,
				   CAPTURE_IFACE_MAX);
	}
	to = PUT(to, "\"");
	if (record->direction == DIRECTION_IN)
		to = PUT(to, ",\"dir\":\"in\"");
	else if (record->direction == DIRECTION_OUT)
		to = PUT(to, ",\"dir\":\"out\"");
	for (int i = 0; i < record->vlan_count; i++) {
		to = i ? PUT(to, ",") : PUT(to, ",\"vlan\":[");
		to = put_number(to, record->vlan[i]);
	}
	if (record->vlan_count)
		to = PUT(to, "]");
	if (record->tunnel_count)
		to = put_tunnels_json(to, record);
	if (source->identity)
		to = put_identity_json(to, source->identity);
	if (source->owner)
		to = put_owner_json(to, source->owner);
	return put_json_more(to, record, digest);
}

static char *put_json_kind(char *to, const struct event *event)
{
	to = PUT(to, ",\"event\":\"");
	to = put_text_of(to, event_kind_names[event->kind]);
	to = event->crossed ? PUT(to, "\",\"crossed\":true") : PUT(to, "\"");
	return is_proxy_header(event) ? PUT(to, ",\"proxy\":true") : to;
}

static char *put_json_bytes(char *to, const struct event *event)
{
	to = PUT(to, ",\"banner\":\"");
	to = put_escaped_json(to, event->bytes, event->kept);
	to = PUT(to, "\",\"len\":");
	to = put_number(to, event->len);
	return event->kept < event->len ? PUT(to, ",\"truncated\":true") :
					  PUT(to, ",\"truncated\":false");
}

static char *put_json(char *to, const struct event *record,
		      const struct source *source)
{
	struct community_digest digest;

	community_digest(&digest, record);
	to = PUT(to, "{\"ts\":");
	to = put_timestamp(to, record->time + source->clock_offset);
	to = PUT(to, ",\"client\":\"");
	to = put_address(to, record->family, record->client);
	to = PUT(to, "\",\"client_port\":");
	to = put_number(to, record->client_port);
	to = PUT(to, ",\"server\":\"");
	to = put_address(to, record->family, record->server);
	to = PUT(to, "\",\"server_port\":");
	to = put_number(to, record->server_port);
	if (source->events)
		to = put_json_kind(to, record);
	if (record->kind != EVENT_OPEN)
		to = put_json_bytes(to, record);
	to = PUT(to, ",\"history\":\"");
	to = put_history(to, record);
	return put_json_end(to, record, source, &digest);
}

char *put_endpoint(char *to, __u8 family, const __u32 *address, __u16 port)
{
	if (family == 6)
		*to++ = '[';
	to = put_address(to, family, address);
	if (family == 6)
		*to++ = ']';
	*to++ = ':';
	return put_number(to, port);
}

/* Local time. The date is computed once a second. */
char *put_local_time(char *to, __u64 time)
{
	static time_t last = -1;
	static char text[64];
	static size_t len;
	time_t second = (time_t)(time / NS_PER_SECOND);

	if (second != last) {
		struct tm calendar;

		len = localtime_r(&second, &calendar) ?
			      strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S",
				       &calendar) :
			      0;
		last = second;
	}
	to = put_text(to, text, len);
	return put_microseconds(to, time);
}

static char *put_server(char *to, const struct event *event)
{
	return put_endpoint(to, event->family, event->server,
			    event->server_port);
}

static char *put_client(char *to, const struct event *event)
{
	return put_endpoint(to, event->family, event->client,
			    event->client_port);
}

/* FROM -> TO: the side that spoke is written first. */
static char *put_line_text(char *to, const struct event *record,
			   const struct source *source)
{
	const bool from_server = event_origin(record->kind) == SERVER;
	const char *name = event_kind_names[record->kind];

	to = put_local_time(to, record->time + source->clock_offset);
	*to++ = ' ';
	if (source->events & ~EVENTS_BANNER) {
		to = put_text(to, name, strlen(name));
		*to++ = ' ';
	}
	to = from_server ? put_server(to, record) : put_client(to, record);
	to = PUT(to, " -> ");
	to = from_server ? put_client(to, record) : put_server(to, record);
	if (record->tunnel_count)
		to = put_tunnels(to, record);
	if (source->owner)
		to = put_owner(to, source->owner);
	/* Only the SYN-ACK says that there was one. */
	if (!(record->seen & SEEN_SYN))
		to = PUT(to, " (no SYN seen)");
	if (record->kind != EVENT_OPEN) {
		*to++ = ' ';
		to = put_escaped(to, record->bytes, record->kept);
	}
	if (source->identity)
		to = put_identity(to, source->identity);
	*to++ = '\n';
	return to;
}

size_t format_record(enum format format, char *to, const struct event *record,
		     const struct source *source)
{
	switch (format) {
	case FORMAT_TEXT:
		return (size_t)(put_line_text(to, record, source) - to);
	case FORMAT_JSON:
		return (size_t)(put_json(to, record, source) - to);
	case FORMAT_ZEEK:
		return zeek_record(to, record, source);
	}
	return 0;
}

size_t format_header(enum format format, char *to, time_t now)
{
	return format == FORMAT_ZEEK ? zeek_header(to, now) : 0;
}

size_t format_footer(enum format format, char *to, time_t now)
{
	return format == FORMAT_ZEEK ? zeek_footer(to, now) : 0;
}
