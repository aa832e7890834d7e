/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "logline.h"

#include "inventory/address.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Levels of JSON: object, list of tunnels, tunnel, and spare ones. */
#define DEPTH_MAX 5
#define TUNNELS_MAX 8
/* s since 1970: later times do not fit into the file. */
#define LAST_SECOND 4e9

struct log_reader {
	struct json_tokener *tokener;
};

struct log_reader *log_reader_open(void)
{
	struct log_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return NULL;
	reader->tokener = json_tokener_new_ex(DEPTH_MAX);
	if (!reader->tokener) {
		free(reader);
		return NULL;
	}
	json_tokener_set_flags(reader->tokener, JSON_TOKENER_STRICT);
	return reader;
}

void log_reader_close(struct log_reader *reader)
{
	if (!reader)
		return;
	json_tokener_free(reader->tokener);
	free(reader);
}

/* --- fields ------------------------------------------------------------ */

static const char *text_of(struct json_object *object, const char *name,
			   size_t *len)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	*len = (size_t)json_object_get_string_len(value);
	return json_object_get_string(value);
}

static bool read_number(struct json_object *object, const char *name,
			double least, double most, double *number)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value) ||
	    (!json_object_is_type(value, json_type_double) &&
	     !json_object_is_type(value, json_type_int)))
		return false;
	*number = json_object_get_double(value);
	return *number >= least && *number <= most;
}

static bool read_address(struct json_object *object, const char *name,
			 struct address *address)
{
	size_t len;
	const char *text = text_of(object, name, &len);

	return text && strlen(text) == len && address_from_text(address, text);
}

static bool read_port(struct json_object *object, const char *name,
		      uint16_t *port)
{
	double number;

	if (!read_number(object, name, 0, 65535, &number))
		return false;
	*port = (uint16_t)number;
	return *port == number;
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Undoes the log's escapes; false: bannerprobe did not write it. */
static bool unescape(struct log_record *record, const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (n == LOG_BANNER_MAX || text[i] < 0x20 || text[i] > 0x7e)
			return false;
		if (text[i] != '\\') {
			record->bytes[n++] = (uint8_t)text[i];
		} else if (i + 1 < len && text[i + 1] == '\\') {
			record->bytes[n++] = '\\';
			i++;
		} else if (i + 3 < len && text[i + 1] == 'x' &&
			   hex_value(text[i + 2]) >= 0 &&
			   hex_value(text[i + 3]) >= 0) {
			record->bytes[n++] =
				(uint8_t)(hex_value(text[i + 2]) << 4 |
					  hex_value(text[i + 3]));
			i += 3;
		} else {
			return false;
		}
	}
	record->seen.bytes = record->bytes;
	record->seen.len = n;
	return true;
}

/* --- the record -------------------------------------------------------- */

static enum log_line read_event(struct json_object *object,
				struct observation *seen)
{
	static const struct {
		const char *name;
		enum observed event;
	} events[] = { { "banner", OBSERVED_BANNER },
		       { "response", OBSERVED_RESPONSE },
		       { "open", OBSERVED_OPEN } };
	size_t len;
	const char *name = text_of(object, "event", &len);

	seen->event = OBSERVED_BANNER;
	if (!name)
		return LOG_RECORD;
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++) {
		if (!strcmp(name, events[i].name)) {
			seen->event = events[i].event;
			return LOG_RECORD;
		}
	}
	return LOG_OTHER;
}

static bool read_banner(struct json_object *object, struct log_record *record)
{
	struct json_object *truncated;
	size_t len;
	const char *text = text_of(object, "banner", &len);

	record->seen.bytes = record->bytes;
	record->seen.len = 0;
	record->seen.complete = true;
	if (record->seen.event == OBSERVED_OPEN)
		return true;
	if (json_object_object_get_ex(object, "truncated", &truncated))
		record->seen.complete = !json_object_get_boolean(truncated);
	return text && unescape(record, text, len);
}

/* The identifiers of the tunnels that have one: "42/7". */
static void read_tunnel(struct json_object *object, struct log_record *record)
{
	struct json_object *list;
	size_t at = 0;

	record->tunnel[0] = 0;
	if (!json_object_object_get_ex(object, "tunnel", &list) ||
	    !json_object_is_type(list, json_type_array))
		return;
	for (size_t i = 0;
	     i < json_object_array_length(list) && i < TUNNELS_MAX; i++) {
		double id;

		if (read_number(json_object_array_get_idx(list, i), "id", 1,
				4294967295.0, &id))
			at += (size_t)snprintf(record->tunnel + at,
					       sizeof(record->tunnel) - at,
					       "%s%.0f", at ? "/" : "", id);
	}
}

/* Copies a text; "" if there is none, or if it is too long. */
static const char *read_name(struct json_object *object, const char *name,
			     char *to, size_t size)
{
	size_t len;
	const char *text = text_of(object, name, &len);

	*to = 0;
	if (text && strlen(text) == len && len < size)
		strcpy(to, text);
	return to;
}

/* False: the name does not fit; without it, the record would be another's. */
static bool read_sensor(struct json_object *object, struct log_record *record)
{
	struct json_object *value;

	record->seen.sensor = read_name(object, "sensor", record->sensor,
					sizeof(record->sensor));
	record->seen.tunnel = record->tunnel;
	if (!json_object_object_get_ex(object, "sensor", &value) || !value)
		return true;
	return *record->sensor ||
	       (json_object_is_type(value, json_type_string) &&
		!json_object_get_string_len(value));
}

static void read_owner(struct json_object *object, struct log_record *record)
{
	struct observation *seen = &record->seen;

	seen->unit =
		read_name(object, "unit", record->unit, sizeof(record->unit));
	seen->container = read_name(object, "container", record->container,
				    sizeof(record->container));
	seen->process = read_name(object, "process", record->process,
				  sizeof(record->process));
}

static enum log_line read_object(struct json_object *object,
				 struct log_record *record)
{
	struct observation *seen = &record->seen;
	enum log_line line = read_event(object, seen);
	double time;

	if (line != LOG_RECORD)
		return line;
	if (!read_number(object, "ts", 0, LAST_SECOND, &time) ||
	    !read_address(object, "server", &seen->server) ||
	    !read_address(object, "client", &seen->client) ||
	    !read_port(object, "server_port", &seen->server_port) ||
	    !read_port(object, "client_port", &seen->client_port) ||
	    !read_banner(object, record) || !read_sensor(object, record))
		return LOG_BROKEN;
	seen->time = (uint64_t)llround(time * 1e6);
	read_tunnel(object, record);
	read_owner(object, record);
	return LOG_RECORD;
}

enum log_line log_read(struct log_reader *reader, const char *line, size_t len,
		       struct log_record *record)
{
	struct json_object *object;
	enum log_line found = LOG_BROKEN;

	if (len > LOG_LINE_MAX)
		return LOG_BROKEN;
	json_tokener_reset(reader->tokener);
	object = json_tokener_parse_ex(reader->tokener, line, (int)len);
	if (object && json_tokener_get_parse_end(reader->tokener) == len &&
	    json_object_is_type(object, json_type_object))
		found = read_object(object, record);
	json_object_put(object);
	return found;
}
