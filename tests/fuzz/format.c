/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fuzzes the formats: an input is a record, and the line that comes of it must
 * be one line of printable ASCII that is read back to the same banner.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char line[LINE_MAX_BYTES];
static uint8_t read_back[BANNER_MAX];

static void require(bool holds)
{
	if (!holds)
		abort();
}

static int hex_value(char digit)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = digit ? strchr(digits, digit) : NULL;

	require(found);
	return (int)(found - digits);
}

/* One byte of a banner, escaped; `text` moves on. */
static uint8_t unescape(const char **text)
{
	const char *from = *text;

	*text = from + 1;
	if (*from != '\\')
		return (uint8_t)*from;
	*text = from + 2;
	if (from[1] == '\\')
		return '\\';
	require(from[1] == 'x');
	*text = from + 4;
	return (uint8_t)(hex_value(from[2]) << 4 | hex_value(from[3]));
}

static void check_text(const struct record *record, const char *from,
		       const char *end)
{
	size_t len = 0;

	while (from < end) {
		require(len < record->kept);
		read_back[len++] = unescape(&from);
	}
	require(from == end && len == record->kept);
	require(!memcmp(read_back, record->banner, len));
}

/* JSON's own escapes are undone in place: only \" and \\ are used. */
static char *undo_json(char *from)
{
	char *to = from;

	for (; *from != '"'; from++) {
		require(*from != '\n');
		if (*from == '\\')
			from++;
		*to++ = *from;
	}
	return to;
}

static void check_line(size_t len)
{
	require(len > 0 && len < LINE_MAX_BYTES && line[len - 1] == '\n');
	for (size_t i = 0; i < len - 1; i++)
		require((line[i] >= 0x20 && line[i] <= 0x7e) || line[i] == '\t');
	line[len] = 0;
}

static void check_format(enum format format, const struct record *record,
			 const char *name)
{
	const struct source source = { name, record->start_time };
	size_t len = format_record(format, line, record, &source);
	char *banner;

	if (format == FORMAT_ZEEK && !len)
		return; /* HTTP, which is no banner there */
	check_line(len);
	if (format == FORMAT_TEXT) {
		banner = strstr(line, " -> ");
		require(banner);
		banner = strchr(banner + 4, ' ');
		require(banner);
		check_text(record, banner + 1, line + len - 1);
	} else if (format == FORMAT_JSON) {
		banner = strstr(line, "\"banner\":\"");
		require(banner);
		banner += 10;
		check_text(record, banner, undo_json(banner));
	} else {
		int tabs = 0;

		for (size_t i = 0; i < len; i++)
			tabs += line[i] == '\t';
		require(tabs == 7);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record *record;
	char name[64] = "";

	if (size < sizeof(*record) || size > sizeof(*record) + BANNER_MAX)
		return 0;
	record = malloc(size);
	memcpy(record, data, size);
	/* What a probe can hand over, in every field that it says so of. */
	record->kept = (__u32)(size - sizeof(*record));
	record->family = record->family & 1 ? 4 : 6;
	record->vlan_count %= 3;
	memcpy(name, data, sizeof(name) - 1);
	for (int format = FORMAT_TEXT; format <= FORMAT_ZEEK; format++)
		check_format((enum format)format, record, name);
	free(record);
	return 0;
}
