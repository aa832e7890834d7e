/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "zeek.h"

#include "format.h"
#include "http_headers.h"
#include "put.h"
#include "ssh_line.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

/* A row of the log: a value of one side of a connection. */
struct row {
	const char *type;
	const char *source; /* NULL: none */
	bool of_server;
	const __u8 *value;
	size_t len;
};

/* Zeek's uid: the same for all rows of a connection; 64 bits in base 62. */
static char *put_uid(char *to, const struct event *record)
{
	__u64 words[6] = { record->start_time,
			   (__u64)record->client_port << 16 |
				   record->server_port };
	__u64 hash = 0xcbf29ce484222325ULL;

	memcpy(&words[2], record->client, 16);
	memcpy(&words[4], record->server, 16);
	for (int i = 0; i < 6; i++) {
		/* The same on every machine: addresses are bytes, not numbers.
		 */
		hash = (hash ^ (i < 2 ? words[i] : le64toh(words[i]))) *
		       0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 32;
	}
	*to++ = 'C';
	return put_base_62(to, hash);
}

/* Escapes a value, also one that Zeek's format gives a meaning of its own. */
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

static char *put_row(char *to, const struct event *event,
		     const struct source *source, const struct row *row)
{
	to = put_timestamp(to, event->start_time + source->clock_offset);
	*to++ = '\t';
	to = put_uid(to, event);
	*to++ = '\t';
	to = put_address(to, event->family,
			 row->of_server ? event->server : event->client);
	*to++ = '\t';
	to = row->of_server ? put_number(to, event->server_port) : PUT(to, "-");
	to = PUT(to, "\tPassiveRecon::");
	to = put_text(to, row->type, strlen(row->type));
	*to++ = '\t';
	to = row->source ? put_text(to, row->source, strlen(row->source)) :
			   PUT(to, "-");
	*to++ = '\t';
	to = put_zeek_value(to, row->value, row->len);
	return PUT(to, "\t-\n");
}

/* --- HTTP ---------------------------------------------------------------- */

/* The headers that IVRE's script logs. */
static const char *const client_headers[] = {
	"USER-AGENT", "X-FLASH-VERSION", "ACCEPT-LANGUAGE",	"AUTHORIZATION",
	"VIA",	      "X-FORWARDED-FOR", "PROXY-AUTHORIZATION", NULL,
};
static const char *const server_headers[] = {
	"SERVER",
	"X-SERVER",
	"X-POWERED-BY",
	"X-GENERATOR",
	"VIA",
	"WWW-AUTHENTICATE",
	"PROXY-AUTHENTICATE",
	"MICROSOFTSHAREPOINTTEAMSERVICES",
	NULL,
};

/*
 * The header's name in upper case, as Zeek writes it; NULL: it is not logged.
 */
static const char *listed_name(const struct http_header *header,
			       const char *const *list)
{
	while (*list && !http_is_named(header, *list))
		list++;
	return *list;
}

static char *put_http(char *to, const struct event *event,
		      const struct source *source, bool of_server)
{
	struct http_headers left = http_headers_of(event->bytes, event->kept);
	struct http_header header;
	__u8 value[BANNER_MAX];
	struct row row = { .type = of_server ? "HTTP_SERVER_HEADER" :
					       "HTTP_CLIENT_HEADER",
			   .of_server = of_server,
			   .value = value };

	while (http_next_header(&left, &header)) {
		row.source = listed_name(&header, of_server ? server_headers :
							      client_headers);
		if (!row.source)
			continue;
		row.len = http_unfold(&header, value);
		to = put_row(to, event, source, &row);
	}
	return to;
}

/* --- the kind of a side's first bytes ------------------------------------ */

/*
 * Whether Zeek takes the bytes for a ClientHello: of TLS, of SSL 2 (with a
 * length of two bytes or three), or of DTLS.
 */
static bool is_tls(const __u8 *bytes, size_t len)
{
	return len >= 11 && bytes[0] == 0x16 && bytes[1] == 3 &&
	       bytes[2] <= 3 && bytes[5] == 1 && bytes[9] == 3 &&
	       bytes[10] <= 3;
}

static bool is_ssl_2(const __u8 *bytes, size_t len)
{
	for (size_t at = 2; at <= 3 && at + 3 <= len; at++) {
		if (bytes[at] == 1 &&
		    (bytes[at + 1] == 0 || bytes[at + 1] == 3) &&
		    bytes[at + 2] <= 4)
			return true;
	}
	return false;
}

static bool is_dtls(const __u8 *bytes, size_t len)
{
	static const __u8 none[7];

	return len >= 27 && bytes[0] == 0x16 && bytes[1] == 0xfe &&
	       (bytes[2] == 0xff || bytes[2] == 0xfd) &&
	       !memcmp(bytes + 3, none, sizeof(none)) && bytes[13] == 1 &&
	       bytes[25] == 0xfe && (bytes[26] == 0xff || bytes[26] == 0xfd);
}

/* Whether IVRE's script leaves the event out of the clients' banners. */
static bool is_known(const struct event *event)
{
	const __u8 *bytes = event->bytes;
	const size_t len = event->kept;

	return is_tls(bytes, len) || is_ssl_2(bytes, len) ||
	       is_dtls(bytes, len) || ssh_begins(bytes, len) ||
	       http_is_request(bytes, len);
}

/* The same for the servers' banners. */
static bool is_known_server(const struct event *event)
{
	static const char thttpd[] = "UNKNOWN 408";
	const size_t len = sizeof(thttpd) - 1;

	return ssh_begins(event->bytes, event->kept) ||
	       http_is_response(event->bytes, event->kept) ||
	       (event->kept >= len && !memcmp(event->bytes, thttpd, len));
}

/* --- events -------------------------------------------------------------- */

static char *put_ssh(char *to, const struct event *event,
		     const struct source *source, bool of_server)
{
	const struct row row = {
		.type = of_server ? "SSH_SERVER" : "SSH_CLIENT",
		.of_server = of_server,
		.value = event->bytes,
		.len = ssh_line(event->bytes, event->kept),
	};

	return row.len ? put_row(to, event, source, &row) : to;
}

static char *put_banner(char *to, const struct event *event,
			const struct source *source)
{
	const struct row row = { .type = "TCP_SERVER_BANNER",
				 .of_server = true,
				 .value = event->bytes,
				 .len = event->kept };

	return is_known_server(event) ? put_ssh(to, event, source, true) :
					put_row(to, event, source, &row);
}

/* The port that a client's row, or an open port's, names. */
static void name_port(char name[16], const struct event *event)
{
	char *end = PUT(name, "tcp/");

	*put_number(end, event->server_port) = '\0';
}

static char *put_request(char *to, const struct event *event,
			 const struct source *source)
{
	char port[16];
	const struct row row = { .type = "TCP_CLIENT_BANNER",
				 .source = port,
				 .value = event->bytes,
				 .len = event->kept };

	if (http_is_request(event->bytes, event->kept))
		return put_http(to, event, source, false);
	if (is_known(event))
		return put_ssh(to, event, source, false);
	name_port(port, event);
	return put_row(to, event, source, &row);
}

static char *put_response(char *to, const struct event *event,
			  const struct source *source)
{
	if (http_is_response(event->bytes, event->kept))
		return put_http(to, event, source, true);
	return put_ssh(to, event, source, true);
}

static char *put_open(char *to, const struct event *event,
		      const struct source *source)
{
	char port[16];
	struct row row = { .type = "OPEN_PORT",
			   .source = "TCP",
			   .of_server = true,
			   .value = (const __u8 *)port };

	name_port(port, event);
	row.len = strlen(port);
	return put_row(to, event, source, &row);
}

size_t zeek_record(char *to, const struct event *event,
		   const struct source *source)
{
	char *end = to;

	switch (event->kind) {
	case EVENT_BANNER:
		end = put_banner(to, event, source);
		break;
	case EVENT_REQUEST:
		end = put_request(to, event, source);
		break;
	case EVENT_RESPONSE:
		end = put_response(to, event, source);
		break;
	case EVENT_REPLY:
		end = put_ssh(to, event, source, false);
		break;
	case EVENT_OPEN:
		end = put_open(to, event, source);
		break;
	default:
		break;
	}
	return (size_t)(end - to);
}

/* --- the lines around them ----------------------------------------------- */

/* Zeek's own way of writing a time into a header. */
static size_t put_zeek_time(char *to, const char *name, time_t now)
{
	struct tm calendar = {};
	size_t len = (size_t)sprintf(to, "#%s\t", name);

	localtime_r(&now, &calendar);
	return len + strftime(to + len, 64, "%Y-%m-%d-%H-%M-%S\n", &calendar);
}

size_t zeek_header(char *to, time_t now)
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

	end = PUT(end, before);
	end += put_zeek_time(end, "open", now);
	end = PUT(end, after);
	return (size_t)(end - to);
}

size_t zeek_footer(char *to, time_t now)
{
	return put_zeek_time(to, "close", now);
}
