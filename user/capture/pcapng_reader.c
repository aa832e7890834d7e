/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* pcapng, as draft-ietf-opsawg-pcapng has it. */
#include "packet_reader.h"

#include "platform.h"

#include <stdint.h>
#include <string.h>

#define BYTE_ORDER_MAGIC 0x1a2b3c4d
#define BYTE_ORDER_MAGIC_SWAPPED 0x4d3c2b1a
#define SECTION_HEADER_MIN 28
#define BLOCK_MIN 12 /* bytes: type, length, and the length again */
#define BLOCK_HEADER 8
#define BLOCK_TRAILER 4

/* More than any host has; each takes memory. */
#define INTERFACES_MAX 65536
#define NAME_MAX_BYTES 255

enum block_type {
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET_OLD = 2,
	BLOCK_PACKET_SIMPLE = 3,
	BLOCK_PACKET_ENHANCED = 6,
};

enum interface_option {
	OPTION_END = 0,
	OPTION_IF_NAME = 2,
	OPTION_IF_TSRESOL = 9,
	OPTION_IF_TSOFFSET = 14,
};

/* Offsets of fields, from the start of their block. */
#define INTERFACE_LINK_TYPE 8
#define INTERFACE_SNAP_LEN 12
#define INTERFACE_OPTIONS 16
#define PACKET_INTERFACE 8
#define PACKET_TIME 12
#define PACKET_LEN 20
#define PACKET_WIRE_LEN 24
#define PACKET_BYTES 28
#define SIMPLE_WIRE_LEN 8
#define SIMPLE_BYTES 12

/* Converts a time from an interface's clock to ns since 1970. */
static __u64 time_of(const struct capture_interface *interface, __u64 units)
{
	unsigned __int128 ns = (unsigned __int128)units * interface->factor;
	__int128 time;

	if (interface->divisor != 1)
		ns /= interface->divisor;
	time = (__int128)(ns >> interface->shift) +
	       (__int128)interface->offset * 1000000000;
	if (time < 0)
		return 0;
	return time > INT64_MAX ? INT64_MAX : (__u64)time;
}

/* 10^-n or 2^-n seconds. False: too fine for a time of 64 bits. */
static bool read_resolution(struct capture_interface *interface, __u8 value)
{
	const __u8 exponent = value & 0x7f;

	interface->factor = 1000000000;
	interface->divisor = 1;
	if (value & 0x80) {
		interface->shift = exponent;
		return true;
	}
	for (int i = 0; i < exponent; i++) {
		if (interface->factor > 1)
			interface->factor /= 10;
		else if (interface->divisor <= UINT64_MAX / 10)
			interface->divisor *= 10;
		else
			return false;
	}
	return true;
}

static bool read_name(struct capture_interface *interface, const __u8 *value,
		      __u16 len)
{
	if (len > NAME_MAX_BYTES)
		len = NAME_MAX_BYTES;
	if (!len || !*value || interface->name)
		return true;
	interface->name = strndup((const char *)value, len);
	return interface->name;
}

static bool read_interface_option(const struct packet_reader *reader,
				  struct capture_interface *interface,
				  __u16 code, const __u8 *value, __u16 len)
{
	switch (code) {
	case OPTION_IF_NAME:
		return read_name(interface, value, len);
	case OPTION_IF_TSRESOL:
		return len != 1 || read_resolution(interface, *value);
	case OPTION_IF_TSOFFSET:
		if (len != 8)
			return true;
		memcpy(&interface->offset, value, 8);
		if (reader->is_swapped)
			interface->offset = (__s64)__builtin_bswap64(
				(__u64)interface->offset);
		return true;
	default:
		return true;
	}
}

static enum read_result read_interface(struct packet_reader *reader,
				       const __u8 *block, __u32 len)
{
	struct capture_interface *interface;
	__u32 at = INTERFACE_OPTIONS, end = len - BLOCK_TRAILER;

	if (end < INTERFACE_OPTIONS)
		return packet_reader_lie(reader, "an interface of %u bytes",
					 len);
	if (reader->interface_count == INTERFACES_MAX)
		return packet_reader_lie(reader, "more than %d interfaces",
					 INTERFACES_MAX);
	interface = packet_reader_add_interface(
		reader, read_u16(reader, block + INTERFACE_LINK_TYPE));
	if (!interface)
		return packet_reader_lie(reader, "out of memory");
	interface->snap_len = read_u32(reader, block + INTERFACE_SNAP_LEN);
	while (end - at >= 4) {
		const __u16 code = read_u16(reader, block + at);
		const __u16 size = read_u16(reader, block + at + 2);

		at += 4;
		if (code == OPTION_END)
			break;
		if (size > end - at)
			return packet_reader_lie(reader,
						 "an option of %u bytes, in %u",
						 size, end - at);
		if (!read_interface_option(reader, interface, code, block + at,
					   size))
			return packet_reader_lie(reader,
						 "a clock too fine, or out of "
						 "memory");
		at += (size + 3U) & ~3U;
		if (at > end)
			break;
	}
	return READ_DONE;
}

/* The interface of a packet, or NULL if there is none of this number. */
static struct capture_interface *interface_of(struct packet_reader *reader,
					      __u32 number)
{
	return number < reader->interface_count ? &reader->interfaces[number] :
						  NULL;
}

/*
 * The part common to all packet blocks, which begin at packet->bytes. `at`:
 * offset of the packet's bytes.
 */
static enum read_result finish_packet(struct packet_reader *reader,
				      struct captured_packet *packet, __u32 len,
				      __u32 at)
{
	if (packet->len > len - BLOCK_TRAILER - at)
		return packet_reader_lie(reader,
					 "a packet of %u bytes, in a block of "
					 "%u",
					 packet->len, len);
	if (packet->len > CAPTURED_MAX)
		return packet_reader_lie(reader,
					 "a packet of %u bytes, of which no "
					 "more than %d can be",
					 packet->len, CAPTURED_MAX);
	packet_reader_place(reader, packet, packet->bytes, at);
	packet->is_swapped = reader->is_swapped;
	if (packet->wire_len < packet->len)
		packet->wire_len = packet->len;
	return READ_DONE;
}

static enum read_result read_packet(struct packet_reader *reader,
				    const __u8 *block, __u32 len, bool is_old,
				    struct captured_packet *packet)
{
	__u32 number;

	if (len < PACKET_BYTES + BLOCK_TRAILER)
		return packet_reader_lie(reader, "a packet's block of %u bytes",
					 len);
	number = is_old ? read_u16(reader, block + PACKET_INTERFACE) :
			  read_u32(reader, block + PACKET_INTERFACE);
	packet->interface = interface_of(reader, number);
	if (!packet->interface)
		return packet_reader_lie(reader,
					 "a packet of interface %u, of %u that "
					 "there are",
					 number, reader->interface_count);
	packet->time =
		time_of(packet->interface,
			(__u64)read_u32(reader, block + PACKET_TIME) << 32 |
				read_u32(reader, block + PACKET_TIME + 4));
	packet->len = read_u32(reader, block + PACKET_LEN);
	packet->wire_len = read_u32(reader, block + PACKET_WIRE_LEN);
	return finish_packet(reader, packet, len, PACKET_BYTES);
}

/*
 * A Simple Packet Block has no time, belongs to the first interface, and has no
 * captured length: it follows from the block's length and the snap length.
 */
static enum read_result read_simple_packet(struct packet_reader *reader,
					   const __u8 *block, __u32 len,
					   struct captured_packet *packet)
{
	if (len < SIMPLE_BYTES + BLOCK_TRAILER)
		return packet_reader_lie(reader, "a packet's block of %u bytes",
					 len);
	packet->interface = interface_of(reader, 0);
	if (!packet->interface)
		return packet_reader_lie(reader, "a packet of no interface");
	packet->time = 0;
	packet->wire_len = packet->len =
		read_u32(reader, block + SIMPLE_WIRE_LEN);
	if (packet->interface->snap_len &&
	    packet->len > packet->interface->snap_len)
		packet->len = packet->interface->snap_len;
	return finish_packet(reader, packet, len, SIMPLE_BYTES);
}

/* A new section, which may be of the other byte order. */
static enum read_result begin_section(struct packet_reader *reader)
{
	const __u8 *block = source_bytes(&reader->source, BLOCK_MIN);
	__u32 magic, len;

	if (!block)
		return packet_reader_cut(reader, "section's header");
	memcpy(&magic, block + BLOCK_HEADER, sizeof(magic));
	if (magic != BYTE_ORDER_MAGIC && magic != BYTE_ORDER_MAGIC_SWAPPED)
		return packet_reader_lie(reader, "a section of no byte order");
	reader->is_swapped = magic == BYTE_ORDER_MAGIC_SWAPPED;
	packet_reader_forget_interfaces(reader);
	len = read_u32(reader, block + 4);
	if (len < SECTION_HEADER_MIN)
		return packet_reader_lie(reader,
					 "a section's header of %u bytes", len);
	block = source_bytes(&reader->source, SECTION_HEADER_MIN);
	if (block && read_u16(reader, block + 12) != 1)
		return packet_reader_lie(reader, "pcapng of version %u.%u",
					 read_u16(reader, block + 12),
					 read_u16(reader, block + 14));
	return READ_DONE;
}

/* Skips a block that is not needed, however long it is. */
static enum read_result skip_block(struct packet_reader *reader, __u32 len)
{
	struct byte_source *source = &reader->source;
	const __u8 *trailer = NULL;

	if (source_skip(source, len - BLOCK_TRAILER))
		trailer = source_bytes(source, BLOCK_TRAILER);
	if (!trailer)
		return packet_reader_cut(reader, "block");
	if (read_u32(reader, trailer) != len)
		return packet_reader_lie(
			reader, "a block of %u bytes, by its end of %u", len,
			read_u32(reader, trailer));
	source_take(source, BLOCK_TRAILER);
	return READ_DONE;
}

/* The length at a block's end, read once: the block may be mapped. */
static __u32 read_trailer(const struct packet_reader *reader, const __u8 *block,
			  __u32 len)
{
	__u32 trailer = read_u32(reader, block + len - BLOCK_TRAILER);

	OPAQUE(trailer);
	return trailer;
}

/* READ_END: the block holds no packet. */
static enum read_result read_interface_block(struct packet_reader *reader,
					     __u32 len)
{
	const __u8 *block = source_bytes(&reader->source, len);
	enum read_result result;

	if (!block)
		return packet_reader_cut(reader, "block");
	result = read_interface(reader, block, len);
	if (result != READ_DONE)
		return result;
	source_take(&reader->source, len);
	return READ_END;
}

/* READ_END: the block holds no packet. */
static enum read_result read_block(struct packet_reader *reader, __u32 type,
				   __u32 len, struct captured_packet *packet)
{
	struct byte_source *source = &reader->source;
	const __u8 *head, *block = NULL;
	enum read_result result;
	__u32 trailer;

	if (len > SOURCE_PIECE_MAX)
		return packet_reader_lie(reader,
					 "a block of %u bytes, of which no "
					 "more than %u can be",
					 len, SOURCE_PIECE_MAX);
	if (source_head(source, len < PACKET_BYTES ? len : PACKET_BYTES))
		block = source_view(source, len);
	if (!block)
		return packet_reader_cut(reader, "block");
	trailer = read_trailer(reader, block, len);
	if (trailer != len)
		return packet_reader_lie(
			reader, "a block of %u bytes, by its end of %u", len,
			trailer);
	if (type == BLOCK_INTERFACE)
		return read_interface_block(reader, len);
	head = source->is_mapped ? source->head : block;
	packet->bytes = block;
	if (type == BLOCK_PACKET_SIMPLE)
		result = read_simple_packet(reader, head, len, packet);
	else
		result = read_packet(reader, head, len,
				     type == BLOCK_PACKET_OLD, packet);
	if (result == READ_DONE)
		source_take(source, len);
	return result;
}

static bool block_is_wanted(__u32 type)
{
	return type == BLOCK_PACKET_ENHANCED || type == BLOCK_INTERFACE ||
	       type == BLOCK_PACKET_SIMPLE || type == BLOCK_PACKET_OLD;
}

/* Reads one block. READ_DONE: it held a packet; READ_END: it held none. */
static enum read_result next_block(struct packet_reader *reader,
				   struct captured_packet *packet)
{
	const __u8 *header = source_head(&reader->source, BLOCK_HEADER);
	enum read_result result;
	__u32 type, len;

	if (!header)
		return packet_reader_cut(reader, "block");
	type = read_u32(reader, header);
	if (type == PCAPNG_MAGIC) {
		result = begin_section(reader);
		if (result != READ_DONE)
			return result;
		header = source_head(&reader->source, BLOCK_HEADER);
		if (!header)
			return packet_reader_cut(reader, "block");
	}
	len = read_u32(reader, header + 4);
	if (len < BLOCK_MIN || len % 4)
		return packet_reader_lie(reader, "a block of %u bytes", len);
	if (block_is_wanted(type))
		return read_block(reader, type, len, packet);
	result = skip_block(reader, len);
	return result == READ_DONE ? READ_END : result;
}

static enum read_result pcapng_next(struct packet_reader *reader,
				    struct captured_packet *packet)
{
	const struct byte_source *source = &reader->source;
	enum read_result result;

	do {
		if (source->at == source->end &&
		    !source_fetch_view(&reader->source, 1) &&
		    source->state == SOURCE_ENDED)
			return READ_END;
		result = next_block(reader, packet);
	} while (result == READ_END);
	return result;
}

enum read_result pcapng_begin(struct packet_reader *reader)
{
	struct captured_packet none;
	const enum read_result result = next_block(reader, &none);

	reader->next = pcapng_next;
	return result == READ_END ? READ_DONE : result;
}
