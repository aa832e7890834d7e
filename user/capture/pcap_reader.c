/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* pcap, in either byte order: what draft-ietf-opsawg-pcap says, and old kinds.
 */
#include "packet_reader.h"

#include <string.h>

#define MAGIC_MICROSECONDS 0xa1b2c3d4
#define MAGIC_NANOSECONDS 0xa1b23c4d
/* A patched tcpdump of Linux 2.2 days: each packet header has 8 bytes more. */
#define MAGIC_PATCHED 0xa1b2cd34

#define FILE_HEADER 24
#define PACKET_HEADER 16
#define PACKET_HEADER_PATCHED 24
/*
 * A packet so much later is prefetched, where it begins if those before it have
 * the same length, as in a transfer of bulk data.
 */
#define AHEAD 8
#define LINK_TYPE_MASK 0x03ffffff /* above it: whether frames have an FCS */

bool pcap_is_magic(__u32 magic)
{
	return magic == MAGIC_MICROSECONDS || magic == MAGIC_NANOSECONDS ||
	       magic == MAGIC_PATCHED;
}

/*
 * Before version 2.3 the two lengths are swapped; in 2.3 either order occurs.
 */
static void read_version(struct packet_reader *reader, __u16 major, __u16 minor)
{
	reader->lengths_are_swapped = major == 543 || minor < 3; /* DG/UX */
	reader->lengths_may_be_swapped = minor == 3;
}

static enum read_result pcap_next(struct packet_reader *reader,
				  struct captured_packet *packet)
{
	struct byte_source *source = &reader->source;
	struct capture_interface *interface = reader->interfaces;
	const __u8 *bytes = source_head(source, reader->header_len);
	__u32 len, wire_len;

	if (!bytes && source->state == SOURCE_ENDED &&
	    source->at == source->end)
		return READ_END;
	if (!bytes)
		return packet_reader_cut(reader, "packet's header");
	/* Seconds are unsigned: good until 2106. */
	packet->time = read_u32(reader, bytes) * 1000000000ULL +
		       read_u32(reader, bytes + 4) * interface->factor;
	len = read_u32(reader, bytes + 8);
	wire_len = read_u32(reader, bytes + 12);
	if (reader->lengths_are_swapped ||
	    (reader->lengths_may_be_swapped && len > wire_len)) {
		len = wire_len;
		wire_len = read_u32(reader, bytes + 8);
	}
	if (len > CAPTURED_MAX)
		return packet_reader_lie(reader,
					 "a packet of %u bytes, of which no "
					 "more than %d can be",
					 len, CAPTURED_MAX);
	bytes = source_view(source, reader->header_len + len);
	if (!bytes)
		return packet_reader_cut(reader, "packet");
	packet->len = len;
	packet_reader_place(reader, packet, bytes, reader->header_len);
	source_prefetch(source, AHEAD * (reader->header_len + (size_t)len));
	packet->wire_len = wire_len > len ? wire_len : len;
	packet->interface = interface;
	packet->is_swapped = reader->is_swapped;
	source_take(source, reader->header_len + len);
	return READ_DONE;
}

enum read_result pcap_begin(struct packet_reader *reader)
{
	const __u8 *bytes = source_bytes(&reader->source, FILE_HEADER);
	struct capture_interface *interface;
	__u16 major, minor;
	__u32 magic;

	if (!bytes)
		return packet_reader_cut(reader, "file's header");
	memcpy(&magic, bytes, sizeof(magic));
	reader->is_swapped = !pcap_is_magic(magic);
	magic = read_u32(reader, bytes);
	major = read_u16(reader, bytes + 4);
	minor = read_u16(reader, bytes + 6);
	if (!(major == 2 && minor <= 4) && major != 543)
		return packet_reader_lie(reader, "pcap of version %u.%u", major,
					 minor);
	interface = packet_reader_add_interface(
		reader, read_u32(reader, bytes + 20) & LINK_TYPE_MASK);
	if (!interface)
		return packet_reader_lie(reader, "out of memory");
	if (magic == MAGIC_NANOSECONDS)
		interface->factor = 1;
	reader->header_len =
		magic == MAGIC_PATCHED ? PACKET_HEADER_PATCHED : PACKET_HEADER;
	read_version(reader, major, minor);
	reader->next = pcap_next;
	source_take(&reader->source, FILE_HEADER);
	return READ_DONE;
}
