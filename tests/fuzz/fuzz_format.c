/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fuzzes the formats. An input is
 *
 *   2 bytes of length and so many that were said, 1 byte of length and so many
 *   of names, then struct event and its tunnels
 *
 * and what is missing at its end is 0, so that a greater struct leaves it an
 * input. Each format must write lines of printable ASCII, which are read back,
 * field by field, to the same record and the same bytes.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sinks/community_id.h"
#include "sinks/format.h"
#include "sinks/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char line[LINE_MAX_BYTES];
static const char *at; /* what is left to be read of it */

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* --- reading back ------------------------------------------------------ */

/* Only the writers need coverage; instrumented readers would cost time. */
#pragma clang attribute push(__attribute__((no_sanitize("coverage"))),         \
			     apply_to = function)

static void expect(const char *text)
{
	while (*text)
		require(*at++ == *text++);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void expect_number(__u64 expected)
{
	__u64 number = 0;

	require(is_digit(*at));
	for (; is_digit(*at); at++)
		number = number * 10 + (__u64)(*at - '0');
	require(number == expected);
}

/* The digits after the second, and their dot. */
static void expect_microseconds(__u64 time)
{
	const char *begin = at + 1;

	expect(".");
	expect_number(time % 1000000000 / 1000);
	require(at == begin + 6);
}

static void expect_timestamp(__u64 time)
{
	expect_number(time / 1000000000);
	expect_microseconds(time);
}

static void expect_address(__u8 family, const __u32 expected[4])
{
	char text[INET6_ADDRSTRLEN] = "";
	__u32 address[4];
	size_t len =
		strspn(at, family == 4 ? "0123456789." : "0123456789abcdef:.");

	require(len < sizeof(text));
	memcpy(text, at, len);
	at += len;
	family = family == 4 ? AF_INET : AF_INET6;
	require(inet_pton(family, text, address) == 1);
	require(!memcmp(address, expected, family == AF_INET ? 4 : 16));
}

static uint8_t hex_value(char digit)
{
	require(is_digit(digit) || (digit >= 'a' && digit <= 'f'));
	return (uint8_t)(is_digit(digit) ? digit - '0' : digit - 'a' + 10);
}

/* A character; in json, which has its own escapes around, \" or \\ is one. */
static char next_char(bool json)
{
	if (json && *at == '\\') {
		at++;
		require(*at == '"' || *at == '\\');
	}
	return *at++;
}

/* A byte, escaped. */
static uint8_t next_byte(bool json)
{
	char c = next_char(json);
	uint8_t high;

	if (c != '\\')
		return (uint8_t)c;
	c = next_char(json);
	if (c == '\\')
		return '\\';
	require(c == 'x');
	high = hex_value(*at++);
	return (uint8_t)(high << 4 | hex_value(*at++));
}

static void expect_bytes(const void *expected, size_t len, bool json)
{
	for (size_t i = 0; i < len; i++)
		require(next_byte(json) == ((const uint8_t *)expected)[i]);
}

/* --- the formats ------------------------------------------------------- */

static void expect_endpoint(const struct event *record, const __u32 *address,
			    __u16 port)
{
	if (record->family == 6)
		expect("[");
	expect_address(record->family, address);
	expect(record->family == 6 ? "]:" : ":");
	expect_number(port);
}

static const char *const tunnel_names[TUNNEL_KINDS] = {
#define TUNNEL_NAME(id, name, unopened, opener) [TUNNEL_##id] = name,
	TUNNELS(TUNNEL_NAME)
#undef TUNNEL_NAME
};

static void read_json_tunnels(const struct event *record)
{
	for (int i = 0; i < record->tunnel_count; i++) {
		const struct tunnel *tunnel = &event_tunnels(record)[i];

		expect(i ? ",{\"type\":\"" : ",\"tunnel\":[{\"type\":\"");
		expect(tunnel_names[tunnel->kind]);
		expect("\",\"id\":");
		expect_number(tunnel->id);
		if (tunnel->family) {
			expect(",\"src\":\"");
			expect_address(tunnel->family, tunnel->source);
			expect("\",\"dst\":\"");
			expect_address(tunnel->family, tunnel->destination);
			expect("\"");
		}
		expect("}");
	}
	expect(record->tunnel_count ? "]" : "");
}

static void read_text_tunnels(const struct event *record)
{
	for (int i = 0; i < record->tunnel_count; i++) {
		const struct tunnel *tunnel = &event_tunnels(record)[i];

		expect(" ");
		expect(tunnel_names[tunnel->kind]);
		if (tunnel->id) {
			expect(" ");
			expect_number(tunnel->id);
		}
	}
}

static void expect_side(const struct event *record, enum side_name side)
{
	if (side == SERVER)
		expect_endpoint(record, record->server, record->server_port);
	else
		expect_endpoint(record, record->client, record->client_port);
}

/* What rules can make of a banner: printable ASCII, with what is escaped. */
static const struct identified identity = { .service = "s",
					    .product = "p\"\\",
					    .version = "1" };

/* A field that may fill its room, without a NUL. */
static void expect_field(const char *field, size_t room, bool json)
{
	expect_bytes(field, strnlen(field, room), json);
}

static void read_text_owner(const struct service_owner *owner)
{
	const bool has_process = owner && *owner->process &&
				 (*owner->container || !*owner->unit);

	if (!owner || (!*owner->unit && !*owner->container && !has_process))
		return;
	expect(" [");
	expect_field(owner->unit, sizeof(owner->unit), false);
	expect(*owner->unit && *owner->container ? " " : "");
	expect_field(owner->container, sizeof(owner->container), false);
	if (has_process) {
		expect(*owner->container ? " " : "");
		/* No byte of it could be taken for what surrounds it. */
		require(!strchr(" []", *at));
		expect_field(owner->process, sizeof(owner->process), false);
	}
	expect("]");
}

static void read_text(const struct event *record, const struct source *source)
{
	at = strchr(line, '.'); /* behind the second, in local time */
	require(at);
	expect_microseconds(record->time + source->clock_offset);
	expect(" ");
	if (source->events) {
		expect(event_kind_names[record->kind]);
		expect(" ");
	}
	expect_side(record, event_origin(record->kind));
	expect(" -> ");
	expect_side(record,
		    event_origin(record->kind) == SERVER ? CLIENT : SERVER);
	read_text_tunnels(record);
	read_text_owner(source->owner);
	expect(record->seen & SEEN_SYN ? "" : " (no SYN seen)");
	if (record->kind == EVENT_OPEN)
		return;
	expect(" ");
	expect_bytes(record->bytes, record->kept, false);
	expect(source->identity ? " = p\"\\\\ 1" : "");
}

static void expect_mac(const char *name, const __u8 expected[MAC_LENGTH])
{
	static const __u8 not_told[MAC_LENGTH];

	if (!memcmp(expected, not_told, MAC_LENGTH))
		return;
	expect(",\"");
	expect(name);
	expect("\":");
	for (int i = 0; i < MAC_LENGTH; i++) {
		uint8_t high;

		expect(i ? ":" : "\"");
		high = hex_value(*at++);
		require((high << 4 | hex_value(*at++)) == expected[i]);
	}
	expect("\"");
}

static void read_json_field(const char *name, const char *field, size_t room)
{
	if (!*field)
		return;
	expect(",\"");
	expect(name);
	expect("\":\"");
	expect_field(field, room, true);
	expect("\"");
}

static void read_json_owner(const struct service_owner *owner)
{
	if (!owner)
		return;
	read_json_field("unit", owner->unit, sizeof(owner->unit));
	read_json_field("container", owner->container,
			sizeof(owner->container));
	read_json_field("pod", owner->pod, sizeof(owner->pod));
	read_json_field("pod_name", owner->pod_name, sizeof(owner->pod_name));
	read_json_field("cgroup", owner->cgroup, sizeof(owner->cgroup));
	if (owner->uid != OWNED_BY_NO_ONE_KNOWN) {
		expect(",\"uid\":");
		expect_number(owner->uid);
	}
	if (owner->pid) {
		expect(",\"pid\":");
		expect_number(owner->pid);
	}
	read_json_field("process", owner->process, sizeof(owner->process));
}

static void read_json_more(const struct event *record)
{
	if (record->segments) {
		expect(",\"segments\":");
		expect_number(record->segments);
	}
	expect_mac("server_mac", record->server_mac);
	expect_mac("client_mac", record->client_mac);
	expect(event_origin(record->kind) == SERVER ? ",\"server_ttl\":" :
						      ",\"client_ttl\":");
	expect_number(record->ttl);
	if (record->rtt_us != RTT_UNKNOWN) {
		expect(",\"rtt_us\":");
		expect_number(record->rtt_us);
	}
	expect(",\"community_id\":\"1:");
	require(strspn(at,
		       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		       "0123456789+/") == COMMUNITY_ID_LENGTH - 3);
	at += COMMUNITY_ID_LENGTH - 3;
	expect("=\"}");
}

/* Which side's payload was seen before, and which side sent the event. */
static void read_json_payload(const struct event *record)
{
	static const char *const own[] = {
		[EVENT_BANNER] = "d",  [EVENT_RESPONSE] = "d",
		[EVENT_REQUEST] = "D", [EVENT_REPLY] = "D",
		[EVENT_OPEN] = "",
	};
	const bool is_server = event_origin(record->kind) == SERVER;

	expect(record->sides_seen & EVENT_CLIENT_DATA ? "D" : "");
	expect(is_server ? own[record->kind] : "");
	expect(record->sides_seen & EVENT_SERVER_DATA ? "d" : "");
	expect(is_server ? "" : own[record->kind]);
}

/*
 * Since the SYN-ACK; for the second speaker, since the first speaker's bytes,
 * which a SYN may have carried.
 */
static void read_json_delay(const struct event *record)
{
	__u64 since = record->synack_time;

	if (record->kind == EVENT_RESPONSE || record->kind == EVENT_REPLY) {
		if (!record->spoke_us)
			return;
		since = record->spoke_us == SPOKE_IN_SYN ?
				record->start_time :
				since + (record->spoke_us - 1) * 1000ULL;
	}
	expect(",\"delay_us\":");
	expect_number(record->time > since ? (record->time - since) / 1000 : 0);
}

static void read_json_end(const struct event *record,
			  const struct source *source)
{
	expect(",\"history\":\"");
	expect(record->seen & SEEN_SYN ? "S" : "");
	expect(record->seen & SEEN_SYNACK ? "h" : "");
	expect(record->seen & SEEN_ACK ? "A" : "");
	expect(record->seen & SEEN_CLIENT_FIN ? "F" : "");
	read_json_payload(record);
	expect("\"");
	read_json_delay(record);
	expect(",\"iface\":\"");
	expect_bytes(source->name, strlen(source->name), true);
	if (source->capture_iface) {
		expect("\",\"capture_iface\":\"");
		expect_field(source->capture_iface, CAPTURE_IFACE_MAX, true);
	}
	expect("\"");
	if (record->direction == DIRECTION_IN)
		expect(",\"dir\":\"in\"");
	if (record->direction == DIRECTION_OUT)
		expect(",\"dir\":\"out\"");
	for (int i = 0; i < record->vlan_count; i++) {
		expect(i ? "," : ",\"vlan\":[");
		expect_number(record->vlan[i]);
	}
	expect(record->vlan_count ? "]" : "");
	read_json_tunnels(record);
	expect(source->identity ? ",\"service\":\"s\",\"product\":"
				  "\"p\\\"\\\\\\\\\",\"version\":\"1\"" :
				  "");
	read_json_owner(source->owner);
	read_json_more(record);
}

static void read_json(const struct event *record, const struct source *source)
{
	expect("{\"ts\":");
	expect_timestamp(record->time + source->clock_offset);
	expect(",\"client\":\"");
	expect_address(record->family, record->client);
	expect("\",\"client_port\":");
	expect_number(record->client_port);
	expect(",\"server\":\"");
	expect_address(record->family, record->server);
	expect("\",\"server_port\":");
	expect_number(record->server_port);
	if (source->events) {
		expect(",\"event\":\"");
		expect(event_kind_names[record->kind]);
		expect(record->crossed ? "\",\"crossed\":true" : "\"");
		expect(is_proxy_header(record) ? ",\"proxy\":true" : "");
	}
	if (record->kind != EVENT_OPEN) {
		expect(",\"banner\":\"");
		expect_bytes(record->bytes, record->kept, true);
		expect("\",\"len\":");
		expect_number(record->len);
		expect(",\"truncated\":");
		expect(record->kept < record->len ? "true" : "false");
	}
	read_json_end(record, source);
}

/* The value: its reader takes a bare - for none, and (empty) for nothing. */
static void read_zeek_value(const struct event *record, size_t len)
{
	require(strncmp(at, "-\t", 2) && *at != '#');
	if (!len) {
		expect("(empty)");
		return;
	}
	require(strncmp(at, "(empty)\t", 8));
	expect_bytes(record->bytes, len, false);
}

/* Before the value; returns the type, which at most one tab follows. */
static const char *read_zeek_columns(const struct event *record,
				     const struct source *source)
{
	const char *type;
	bool of_server;

	expect_timestamp(record->start_time + source->clock_offset);
	expect("\tC");
	at += strcspn(at, "\t"); /* an id of its own making */
	expect("\t");
	type = strstr(at, "PassiveRecon::");
	require(type);
	type += strlen("PassiveRecon::");
	of_server = !strncmp(type, "OPEN", 4) || strstr(type, "_SERVER");
	if (!strncmp(type, "TCP_CLIENT", 10) ||
	    !strncmp(type, "SSH_CLIENT", 10) ||
	    !strncmp(type, "HTTP_CLIENT", 11))
		of_server = false;
	expect_address(record->family,
		       of_server ? record->server : record->client);
	expect("\t");
	if (of_server)
		expect_number(record->server_port);
	else
		expect("-");
	expect("\t");
	at = type + strcspn(type, "\t");
	expect("\t");
	return type;
}

/* Bytes before the end of an identification's line. */
static size_t version_length(const struct event *record)
{
	size_t len = 0;

	while (len < record->kept && record->bytes[len] != '\r' &&
	       record->bytes[len] != '\n')
		len++;
	require(len < record->kept); /* it has an end */
	return len;
}

static void expect_port(const struct event *record)
{
	expect("tcp/");
	expect_number(record->server_port);
}

static void read_zeek(const struct event *record, const struct source *source)
{
	const char *type = read_zeek_columns(record, source);

	if (!strncmp(type, "HTTP", 4)) {
		require(!strncmp(type + 5, "SERVER", 6) ==
			(record->kind == EVENT_RESPONSE));
		at += strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");
		expect("\t");
		require(strncmp(at, "-\t", 2) && *at != '#' && *at != '\t');
		while (*at != '\t')
			next_byte(false);
	} else if (!strncmp(type, "OPEN_PORT", 9)) {
		expect("TCP\t");
		expect_port(record);
	} else if (!strncmp(type, "TCP_CLIENT", 10)) {
		expect_port(record);
		expect("\t");
		read_zeek_value(record, record->kept);
	} else {
		expect("-\t");
		read_zeek_value(record, *type == 'S' ? version_length(record) :
						       record->kept);
	}
	expect("\t-");
}

/* --- the harness ------------------------------------------------------- */

/* Zeek's format has tabs, and more than one row of a message of HTTP. */
static void check_line(size_t len, bool zeek)
{
	require(len > 0 && len < sizeof(line) && line[len - 1] == '\n');
	for (size_t i = 0; i < len - 1; i++)
		require((line[i] >= 0x20 && line[i] <= 0x7e) ||
			(zeek && (line[i] == '\t' || line[i] == '\n')));
	line[len] = 0;
	at = line;
}

/* Whether the event must have a row; known for banners and open ports only. */
static bool has_row(const struct event *record)
{
	const char *banner = (const char *)record->bytes;

	if (record->kind != EVENT_BANNER)
		return record->kind == EVENT_OPEN;
	if (record->kept > 5 && !memcmp(banner, "HTTP/", 5) &&
	    is_digit(banner[5]))
		return false;
	if (record->kept > 5 && !strncasecmp(banner, "SSH-", 4) &&
	    (banner[4] == '1' || banner[4] == '2') && banner[5] == '.')
		return memchr(banner, '\r', record->kept) ||
		       memchr(banner, '\n', record->kept);
	return record->kept < 11 || memcmp(banner, "UNKNOWN 408", 11);
}

static void check_format(enum format format, const struct event *record,
			 const struct source *source)
{
	static void (*const readers[])(const struct event *record,
				       const struct source *source) = {
		[FORMAT_TEXT] = read_text,
		[FORMAT_JSON] = read_json,
		[FORMAT_ZEEK] = read_zeek,
	};
	size_t len = format_record(format, line, record, source);

	if (format == FORMAT_ZEEK && !len) {
		require(!has_row(record));
		return;
	}
	check_line(len, format == FORMAT_ZEEK);
	do {
		readers[format](record, source);
		expect("\n");
	} while (format == FORMAT_ZEEK && at < line + len);
	require(at == line + len);
}

#pragma clang attribute pop

/* --- the input --------------------------------------------------------- */

/* What is left of it. */
struct input {
	const uint8_t *data;
	size_t size;
};

/* Takes so many bytes, or all that are left; what is missing stays as it is. */
static size_t take(struct input *input, void *to, size_t size)
{
	if (size > input->size)
		size = input->size;
	memcpy(to, input->data, size);
	input->data += size;
	input->size -= size;
	return size;
}

/* Behind the bytes that were said. */
static void take_tunnels(struct input *input, struct event *record)
{
	struct tunnel *tunnels;

	record->tunnel_count %= TUNNELS_MAX + 1;
	record->tunnels_at = (__u16)((record->kept + 7) & ~7U);
	tunnels = (struct tunnel *)(record->bytes + record->tunnels_at);
	take(input, tunnels, record->tunnel_count * sizeof(*tunnels));
	for (int i = 0; i < record->tunnel_count; i++) {
		tunnels[i].kind %= TUNNEL_KINDS;
		tunnels[i].family = tunnels[i].family & 1 ? 4 :
				    tunnels[i].family & 2 ? 6 :
							    0;
	}
}

/* Limits each field to the values that the engine can produce. */
static void take_record(struct input *input, struct event *record, __u32 kept)
{
	take(input, record, sizeof(*record));
	record->kept = kept;
	record->family = record->family & 1 ? 4 : 6;
	record->vlan_count %= 3;
	record->kind %= EVENT_KINDS;
	record->crossed &= 1;
	take_tunnels(input, record);
}

/* The same text everywhere. A process' name needs no NUL. */
static void make_owner(struct service_owner *owner, const char *name)
{
	const size_t len = strlen(name);

	*owner = (struct service_owner){
		.uid = len & 1 ? (__u32)len : OWNED_BY_NO_ONE_KNOWN,
		.pid = (__u32)(len & 2),
	};
	snprintf(owner->unit, sizeof(owner->unit), "%s", len & 4 ? name : "");
	snprintf(owner->container, sizeof(owner->container), "%s",
		 len & 8 ? name : "");
	snprintf(owner->pod, sizeof(owner->pod), "%s", name);
	snprintf(owner->pod_name, sizeof(owner->pod_name), "%s", name);
	snprintf(owner->cgroup, sizeof(owner->cgroup), "%s", name);
	memcpy(owner->process, name,
	       len < sizeof(owner->process) ? len : sizeof(owner->process));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct service_owner owner;
	struct input input = { data, size };
	__u8 head[2] = {}, name_len = 0;
	char name[256] = "";
	struct event *record;
	size_t kept;

	take(&input, head, sizeof(head));
	kept = input.size < BANNER_MAX ? input.size : BANNER_MAX;
	/* Else most inputs would have no byte left for the other fields. */
	kept = (size_t)(head[0] | head[1] << 8) % (kept + 1);
	record = calloc(1, sizeof(*record) + kept + 7 +
				   TUNNELS_MAX * sizeof(struct tunnel));
	require(record);
	take(&input, record->bytes, kept);
	take(&input, &name_len, 1);
	take(&input, name, name_len);
	take_record(&input, record, (__u32)kept);
	make_owner(&owner, name);
	for (int format = FORMAT_TEXT; format <= FORMAT_ZEEK; format++)
		check_format((enum format)format, record,
			     &(struct source){
				     .name = name,
				     .clock_offset = record->start_time,
				     .capture_iface = size & 4 ? name : NULL,
				     .identity = record->kind != EVENT_OPEN &&
								 size & 2 ?
							 &identity :
							 NULL,
				     .owner = size & 8 ? &owner : NULL,
				     .events = size & 1 ? EVENTS_ALL : 0,
			     });
	free(record);
	return 0;
}
