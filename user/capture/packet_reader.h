/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Packets of a capture, pcap or pcapng, one after the other.
 *
 * libpcap is not used: it refuses a pcapng with interfaces of unlike link types
 * or snap lengths, or with sections of unlike byte orders, drops the names of
 * interfaces, and does not decompress.
 */
#ifndef BANNERPROBE_PACKET_READER_H
#define BANNERPROBE_PACKET_READER_H

#include "byte_source.h"

#include <linux/types.h>
#include <stdbool.h>

/* An interface of a capture; a pcap has one, without a name. */
struct capture_interface {
	__u32 link_type; /* LINKTYPE_..., as tcpdump.org numbers them */
	__u32 snap_len;	 /* 0: none */
	char *name;	 /* or NULL */
	__u32 origin;	 /* for the caller; initially 0 */
	/* Its clock: ns = (units * factor / divisor >> shift) + offset. */
	__u64 factor;
	__u64 divisor;
	__u8 shift;
	__s64 offset; /* s */
};

struct captured_packet {
	const __u8 *bytes; /* valid until the source calls let_go(), or until
			    * the next packet is read; see source_view() */
	const __u8 *head;  /* if not the same: a copy of the first bytes, as
			    * others may change a mapped file; valid until the
			    * next packet is read */
	__u32 head_len;
	__u32 len;	/* captured bytes */
	__u64 end;	/* offset in the content, behind it */
	__u32 wire_len; /* original bytes, on the wire */
	__u64 time;	/* ns since 1970; 0: the capture has no time */
	struct capture_interface *interface; /* valid as long as `bytes` */
	bool is_swapped; /* written by a host of the other byte order */
};

enum read_result {
	READ_DONE,	 /* a packet was read, or the capture is open */
	READ_END,	 /* there are no more packets */
	READ_STOPPED,	 /* the source's `wait` has returned false */
	READ_NO_CAPTURE, /* problem: what it is instead */
	READ_FAILED,	 /* problem: why */
};

struct packet_reader {
	struct byte_source source;
	enum read_result (*next)(struct packet_reader *reader,
				 struct captured_packet *packet);
	bool is_swapped;
	__u64 packets; /* read so far */
	char problem[192];

	/* pcap */
	__u32 header_len; /* of each packet */
	bool lengths_may_be_swapped, lengths_are_swapped;

	/* pcapng: the interfaces of the section */
	struct capture_interface *interfaces;
	__u32 interface_count, interface_room;
};

/*
 * Reads the beginning of reader->source, which shows the format. The caller
 * closes the reader in any case.
 */
enum read_result packet_reader_begin(struct packet_reader *reader);
void packet_reader_close(struct packet_reader *reader);

/* What the end of the content means: READ_END or READ_FAILED. */
enum read_result packet_reader_end(struct packet_reader *reader);

/* READ_DONE, READ_END, READ_STOPPED or READ_FAILED. */
static inline enum read_result
packet_reader_next(struct packet_reader *reader, struct captured_packet *packet)
{
	const enum read_result result = reader->next(reader, packet);

	reader->packets += result == READ_DONE;
	packet->end = source_offset(&reader->source);
	return result == READ_END ? packet_reader_end(reader) : result;
}

/* --- for the formats */

bool pcap_is_magic(__u32 magic);
enum read_result pcap_begin(struct packet_reader *reader);

#define PCAPNG_MAGIC 0x0a0d0d0a /* in either byte order */
enum read_result pcapng_begin(struct packet_reader *reader);

/* READ_FAILED: the content at the source's position is inconsistent. */
enum read_result packet_reader_lie(struct packet_reader *reader,
				   const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The result where the content ends within `what` (a packet, a block). */
enum read_result packet_reader_cut(struct packet_reader *reader,
				   const char *what);

/* Forgets the interfaces; adds one that counts microseconds, NULL: no memory.
 */
void packet_reader_forget_interfaces(struct packet_reader *reader);
struct capture_interface *
packet_reader_add_interface(struct packet_reader *reader, __u32 link_type);

/*
 * Fills in where a packet's bytes are: `skip` bytes behind a header that
 * source_head() has returned, and behind what source_view() has.
 */
static inline void packet_reader_place(const struct packet_reader *reader,
				       struct captured_packet *packet,
				       const __u8 *view, __u32 skip)
{
	const struct byte_source *source = &reader->source;

	packet->bytes = packet->head = view + skip;
	packet->head_len = packet->len;
	if (!source->is_mapped)
		return;
	packet->head = source->head + skip;
	if (packet->len > (__u32)source->head_len - skip)
		packet->head_len = (__u32)source->head_len - skip;
}

static inline __u32 read_u32(const struct packet_reader *reader,
			     const __u8 *from)
{
	__u32 value;

	__builtin_memcpy(&value, from, sizeof(value));
	return reader->is_swapped ? __builtin_bswap32(value) : value;
}

static inline __u16 read_u16(const struct packet_reader *reader,
			     const __u8 *from)
{
	__u16 value;

	__builtin_memcpy(&value, from, sizeof(value));
	return reader->is_swapped ? __builtin_bswap16(value) : value;
}

#endif
