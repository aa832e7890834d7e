/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "format.h"

#include "community_id.h"
#include "format_tunnels.h"
#include "put.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_SECOND 1000000000ULL

static const char hex_digits[] = "0123456789abcdef";

/* Seconds and microseconds; finer digits are cut off. */
static char *put_timestamp(char *to, __u64 time)
{
	to = put_number(to, time / NS_PER_SECOND, 1);
	*to++ = '.';
	return put_number(to, time % NS_PER_SECOND / 1000, 6);
}

static char *put_hex(char *to, __u8 byte)
{
	*to++ = '\\';
	*to++ = 'x';
	*to++ = hex_digits[byte >> 4];
	*to++ = hex_digits[byte & 15];
	return to;
}

static char *put_escaped(char *to, const __u8 *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\\')
			to = PUT(to, "\\\\");
		else if (bytes[i] >= 0x20 && bytes[i] <= 0x7e)
			*to++ = (char)bytes[i];
		else
			to = put_hex(to, bytes[i]);
	}
	return to;
}

/* The same escapes, and those of a JSON string around them. */
static char *put_escaped_json(char *to, const __u8 *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\\') {
			to = PUT(to, "\\\\\\\\");
		} else if (bytes[i] == '"') {
			to = PUT(to, "\\\"");
		} else if (bytes[i] >= 0x20 && bytes[i] <= 0x7e) {
			*to++ = (char)bytes[i];
		} else {
			*to++ = '\\';
			to = put_hex(to, bytes[i]);
		}
	}
	return to;
}

/* Cut at `most` bytes: a path cannot be longer. */
static char *put_name_json(char *to, const char *name, size_t most)
{
	return put_escaped_json(to, (const __u8 *)name, strnlen(name, most));
}

/* What was seen of the connection, up to the event. */
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
	if (event->kind != EVENT_OPEN && event_origin(event->kind) == SERVER)
		*to++ = 'd';
	if (event->sides_seen & EVENT_SERVER_DATA)
		*to++ = 'd';
	if (event->kind == EVENT_REQUEST || event->kind == EVENT_REPLY)
		*to++ = 'D';
	return to;
}

static char *put_mac(char *to, const char *name, const __u8 address[MAC_LENGTH])
{
	static const __u8 not_told[MAC_LENGTH];

	if (!memcmp(address, not_told, MAC_LENGTH))
		return to;
	to = PUT(to, ",\"");
	to = put_text(to, name, strlen(name));
	to = PUT(to, "_mac\":\"");
	for (int i = 0; i < MAC_LENGTH; i++) {
		if (i)
			*to++ = ':';
		*to++ = hex_digits[address[i] >> 4];
		*to++ = hex_digits[address[i] & 15];
	}
	return PUT(to, "\"");
}

/* What the packet tells besides, and what the other tools call it. */
static char *put_json_more(char *to, const struct event *record)
{
	if (record->segments) {
		to = PUT(to, ",\"segments\":");
		to = put_number(to, record->segments, 1);
	}
	to = put_mac(to, "server", record->server_mac);
	to = put_mac(to, "client", record->client_mac);
	to = event_origin(record->kind) == SERVER ?
		     PUT(to, ",\"server_ttl\":") :
		     PUT(to, ",\"client_ttl\":");
	to = put_number(to, record->ttl, 1);
	if (record->rtt_us != RTT_UNKNOWN) {
		to = PUT(to, ",\"rtt_us\":");
		to = put_number(to, record->rtt_us, 1);
	}
	to = PUT(to, ",\"community_id\":\"");
	community_id(to, record);
	return PUT(to + COMMUNITY_ID_LENGTH, "\"}\n");
}

/*
 * The time since what came before: the SYN-ACK, or what the other side said, if
 * that was seen.
 */
static char *put_delay(char *to, const struct event *event)
{
	const bool is_second = event->kind == EVENT_RESPONSE ||
			       event->kind == EVENT_REPLY;
	__u64 before = event->synack_time;

	if (is_second && !event->spoke_us)
		return to;
	if (is_second)
		before += (event->spoke_us - 1) * 1000ULL;
	to = PUT(to, ",\"delay_us\":");
	/* Never negative, whatever order a capture is in. */
	return put_number(to,
			  event->time > before ? (event->time - before) / 1000 :
						 0,
			  1);
}

static char *put_json_end(char *to, const struct event *record,
			  const struct source *source)
{
	to = PUT(to, "\"");
	to = put_delay(to, record);
	to = PUT(to, ",\"iface\":\"");
	to = put_name_json(to, source->name, 4096);
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
		to = put_number(to, record->vlan[i], 1);
	}
	if (record->vlan_count)
		to = PUT(to, "]");
	to = put_tunnels_json(to, record);
	return put_json_more(to, record);
}

static char *put_json_kind(char *to, const struct event *event)
{
	to = PUT(to, ",\"event\":\"");
	to = put_text_of(to, event_kind_names[event->kind]);
	return event->crossed ? PUT(to, "\",\"crossed\":true") :
				PUT(to, "\"");
}

static char *put_json_bytes(char *to, const struct event *event)
{
	to = PUT(to, ",\"banner\":\"");
	to = put_escaped_json(to, event->bytes, event->kept);
	to = PUT(to, "\",\"len\":");
	to = put_number(to, event->len, 1);
	return event->kept < event->len ? PUT(to, ",\"truncated\":true") :
					  PUT(to, ",\"truncated\":false");
}

static char *put_json(char *to, const struct event *record,
		      const struct source *source)
{
	to = PUT(to, "{\"ts\":");
	to = put_timestamp(to, record->time + source->clock_offset);
	to = PUT(to, ",\"client\":\"");
	to = put_address(to, record->family, record->client);
	to = PUT(to, "\",\"client_port\":");
	to = put_number(to, record->client_port, 1);
	to = PUT(to, ",\"server\":\"");
	to = put_address(to, record->family, record->server);
	to = PUT(to, "\",\"server_port\":");
	to = put_number(to, record->server_port, 1);
	if (source->events)
		to = put_json_kind(to, record);
	if (record->kind != EVENT_OPEN)
		to = put_json_bytes(to, record);
	to = PUT(to, ",\"history\":\"");
	to = put_history(to, record);
	return put_json_end(to, record, source);
}

static char *put_endpoint(char *to, const struct event *record,
			  const __u32 *address, __u16 port)
{
	if (record->family == 6)
		*to++ = '[';
	to = put_address(to, record->family, address);
	if (record->family == 6)
		*to++ = ']';
	*to++ = ':';
	return put_number(to, port, 1);
}

/* Local time; the calendar is worked out once a second. */
static char *put_local_time(char *to, __u64 time)
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
	*to++ = '.';
	return put_number(to, time % NS_PER_SECOND / 1000, 6);
}

static char *put_server(char *to, const struct event *event)
{
	return put_endpoint(to, event, event->server, event->server_port);
}

static char *put_client(char *to, const struct event *event)
{
	return put_endpoint(to, event, event->client, event->client_port);
}

/* FROM -> TO: the side that spoke stands first. */
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
	to = put_tunnels(to, record);
	if (record->kind != EVENT_OPEN) {
		*to++ = ' ';
		to = put_escaped(to, record->bytes, record->kept);
	}
	*to++ = '\n';
	return to;
}

static bool begins(const struct event *record, const char *text)
{
	size_t len = strlen(text);

	return record->kept >= len && !memcmp(record->bytes, text, len);
}

/* ^[sS][sS][hH]-[12]\. */
static bool is_ssh(const struct event *record)
{
	return record->kept >= 6 &&
	       !strncasecmp((const char *)record->bytes, "ssh-", 4) &&
	       (record->bytes[4] == '1' || record->bytes[4] == '2') &&
	       record->bytes[5] == '.';
}

/*
 * What IVRE's reader of Zeek's passive reconnaissance log does not take for a
 * banner.
 */
static bool is_http(const struct event *record)
{
	return begins(record, "UNKNOWN 408") ||
	       (begins(record, "HTTP/") && record->kept > 5 &&
		record->bytes[5] >= '0' && record->bytes[5] <= '9');
}

/* Stable for a connection, and unlike another's: 64 bits in base 62. */
static char *put_uid(char *to, const struct event *record)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz";
	__u64 words[6] = { record->start_time,
			   (__u64)record->client_port << 16 |
				   record->server_port };
	__u64 hash = 0xcbf29ce484222325ULL;

	memcpy(&words[2], record->client, 16);
	memcpy(&words[4], record->server, 16);
	for (int i = 0; i < 6; i++) {
		hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 32;
	}
	*to++ = 'C';
	for (int i = 0; i < 11; i++) {
		*to++ = digits[hash % 62];
		hash /= 62;
	}
	return to;
}

/* Values that Zeek's format gives a meaning of their own are escaped. */
static char *put_zeek_value(char *to, const __u8 *bytes, size_t len)
{
	size_t escaped = 0;

	if (!len)
		return PUT(to, "(empty)");
	if (bytes[0] == '#' || (len == 1 && bytes[0] == '-') ||
	    (len == 7 && !memcmp(bytes, "(empty)", 7))) {
		to = put_hex(to, bytes[0]);
		escaped = 1;
	}
	return put_escaped(to, bytes + escaped, len - escaped);
}

/* The bytes before the first line end. */
static size_t first_line(const struct event *record)
{
	size_t len = 0;

	while (len < record->kept && record->bytes[len] != '\r' &&
	       record->bytes[len] != '\n')
		len++;
	return len;
}

static char *put_zeek(char *to, const struct event *record,
		      const struct source *source)
{
	const bool ssh = is_ssh(record);

	if (is_http(record))
		return to;
	to = put_timestamp(to, record->start_time + source->clock_offset);
	*to++ = '\t';
	to = put_uid(to, record);
	*to++ = '\t';
	to = put_address(to, record->family, record->server);
	*to++ = '\t';
	to = put_number(to, record->server_port, 1);
	to = ssh ? PUT(to, "\tPassiveRecon::SSH_SERVER\t-\t") :
		   PUT(to, "\tPassiveRecon::TCP_SERVER_BANNER\t-\t");
	to = put_zeek_value(to, record->bytes,
			    ssh ? first_line(record) : record->kept);
	return PUT(to, "\t-\n");
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
		return (size_t)(put_zeek(to, record, source) - to);
	}
	return 0;
}

/* Zeek's own way of writing a time into a header. */
static size_t put_zeek_time(char *to, const char *name, time_t now)
{
	struct tm calendar = {};
	size_t len = (size_t)sprintf(to, "#%s\t", name);

	localtime_r(&now, &calendar);
	return len + strftime(to + len, 64, "%Y-%m-%d-%H-%M-%S\n", &calendar);
}

size_t format_header(enum format format, char *to, time_t now)
{
	static const char before[] = "#separator \\x09\n"
				     "#set_separator\t,\n"
				     "#empty_field\t(empty)\n"
				     "#unset_field\t-\n"
				     "#path\tpassiverecon\n";
	static const char after[] = "#fields\tts\tuid\thost\tsrvport\trecon_"
				    "type\tsource\tvalue\ttargetval\n"
				    "#types\ttime\tstring\taddr\tport\tenum\tst"
				    "ring\tstring\tstring\n";
	char *end = to;

	if (format != FORMAT_ZEEK)
		return 0;
	end = PUT(end, before);
	end += put_zeek_time(end, "open", now);
	end = PUT(end, after);
	return (size_t)(end - to);
}

size_t format_footer(enum format format, char *to, time_t now)
{
	return format == FORMAT_ZEEK ? put_zeek_time(to, "close", now) : 0;
}
