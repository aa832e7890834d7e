/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "packet_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_MAX 7 /* bytes of the longest one */

/* Files that are often mistaken for captures, and what to do with them. */
static const struct {
	const char *magic;
	__u8 len;
	const char *what;
} others[] = {
	{ "\xfd"
	  "7zXZ",
	  5,
	  "is compressed by xz, which is not opened: xz -dc FILE | bannerprobe "
	  "-r -" },
	{ "BZh", 3,
	  "is compressed by bzip2, which is not opened: bzip2 -dc FILE | "
	  "bannerprobe -r -" },
	{ "\x04\x22\x4d\x18", 4,
	  "is compressed by lz4, which is not opened: lz4 -dc FILE | "
	  "bannerprobe -r -" },
	{ "PK\x03\x04", 4,
	  "is a zip archive, which is not opened: unzip -p FILE | bannerprobe "
	  "-r -" },
	{ "snoop\0\0", 7,
	  "is a capture of snoop: editcap -F pcapng FILE - | bannerprobe -r "
	  "-" },
	{ "\x1f\x9d", 2,
	  "is compressed by compress, which is not opened: gzip -dc FILE | "
	  "bannerprobe -r -" },
	{ "GMBU", 4,
	  "is a capture of Network Monitor: editcap -F pcapng FILE - | "
	  "bannerprobe -r -" },
};

/* A compressed file's content may be compressed again; by the outer one. */
static const char *const twice[] = {
	[COMPRESSION_GZIP] = "is compressed twice, which is opened once: gzip "
			     "-dc FILE | bannerprobe -r -",
	[COMPRESSION_ZSTD] = "is compressed twice, which is opened once: zstd "
			     "-dc FILE | bannerprobe -r -",
};

static enum read_result no_capture(struct packet_reader *reader)
{
	struct byte_source *source = &reader->source;
	const char *what = "is no capture (pcap or pcapng)";
	const __u8 *bytes;
	size_t len;

	source_view(source, MAGIC_MAX); /* so many are at hand, or all */
	if (source->state == SOURCE_STOPPED)
		return READ_STOPPED;
	bytes = source->at;
	len = bytes ? (size_t)(source->end - bytes) : 0;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (bytes && len >= others[i].len &&
		    !memcmp(bytes, others[i].magic, others[i].len))
			what = others[i].what;
	}
	if (bytes && source->compression && compression_of(bytes, len))
		what = twice[source->compression];
	snprintf(reader->problem, sizeof(reader->problem), "%s",
		 len ? what : "is empty");
	return READ_NO_CAPTURE;
}

enum read_result packet_reader_begin(struct packet_reader *reader)
{
	struct byte_source *source = &reader->source;
	const __u8 *bytes = NULL;
	__u32 magic;

	if (source_begin(source))
		bytes = source_bytes(source, sizeof(magic));
	if (!bytes &&
	    (source->state == SOURCE_FAILED || source->state == SOURCE_STOPPED))
		return packet_reader_cut(reader, "header");
	if (!bytes)
		return no_capture(reader);
	memcpy(&magic, bytes, sizeof(magic));
	if (magic == PCAPNG_MAGIC)
		return pcapng_begin(reader);
	if (pcap_is_magic(magic) || pcap_is_magic(__builtin_bswap32(magic)))
		return pcap_begin(reader);
	return no_capture(reader);
}

/* Whether the content ended before the end that the file had when opened. */
static bool is_part(const struct byte_source *source)
{
	return source_offset(source) < source->size &&
	       source_became_shorter(source);
}

enum read_result packet_reader_end(struct packet_reader *reader)
{
	if (!is_part(&reader->source))
		return READ_END;
	snprintf(reader->problem, sizeof(reader->problem),
		 "after packet %llu: " BECAME_SHORTER, reader->packets);
	return READ_FAILED;
}

void packet_reader_close(struct packet_reader *reader)
{
	packet_reader_forget_interfaces(reader);
	free(reader->interfaces);
	reader->interfaces = NULL;
	reader->interface_room = 0;
	source_close(&reader->source);
}

enum read_result packet_reader_lie(struct packet_reader *reader,
				   const char *format, ...)
{
	char text[96];
	va_list arguments;

	if (source_is_lost(&reader->source))
		return packet_reader_cut(reader, "packet");
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	snprintf(reader->problem, sizeof(reader->problem),
		 "damaged at byte %llu, after packet %llu: %s",
		 source_offset(&reader->source), reader->packets, text);
	return READ_FAILED;
}

enum read_result packet_reader_cut(struct packet_reader *reader,
				   const char *what)
{
	const struct byte_source *source = &reader->source;

	if (source->state == SOURCE_STOPPED)
		return READ_STOPPED;
	if (source->state == SOURCE_FAILED)
		snprintf(reader->problem, sizeof(reader->problem),
			 "after packet %llu: %s", reader->packets,
			 source->problem);
	else
		snprintf(reader->problem, sizeof(reader->problem),
			 "cut off at byte %llu, in a %s, after packet %llu%s",
			 source_offset(source) +
				 (__u64)(source->end - source->at),
			 what, reader->packets,
			 source_became_shorter(source) ? ": " BECAME_SHORTER :
							 "");
	return READ_FAILED;
}

void packet_reader_forget_interfaces(struct packet_reader *reader)
{
	source_let_go(&reader->source);
	for (__u32 i = 0; i < reader->interface_count; i++)
		free(reader->interfaces[i].name);
	reader->interface_count = 0;
}

struct capture_interface *
packet_reader_add_interface(struct packet_reader *reader, __u32 link_type)
{
	struct capture_interface *interface;

	if (reader->interface_count == reader->interface_room) {
		const __u32 room = reader->interface_room * 2 + 1;

		source_let_go(&reader->source);
		interface = reallocarray(reader->interfaces, room,
					 sizeof(*interface));
		if (!interface)
			return NULL;
		reader->interfaces = interface;
		reader->interface_room = room;
	}
	interface = &reader->interfaces[reader->interface_count++];
	*interface = (struct capture_interface){ .link_type = link_type,
						 .factor = 1000,
						 .divisor = 1 };
	return interface;
}
