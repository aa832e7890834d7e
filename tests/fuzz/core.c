/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fuzzes the core: frames, one after the other, through the parser, a small
 * table and the tracker. An input is a row of steps: one byte that chooses,
 * then either a frame as it comes (two bytes of length before it), or the few
 * numbers of a segment of one of 16 connections, so that conversations are
 * found at all.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../play.h"

#define MAX_FLOWS 16
#define LENGTH 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static __u64 logged;

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void on_record(const struct record *record, void *context)
{
	(void)context;
	require(record->len > 0 && record->kept <= record->len &&
		record->kept <= LENGTH);
	require(record->family == 4 || record->family == 6);
	require(record->seen & SEEN_SYNACK);
	require(record->time >= record->synack_time &&
		record->synack_time >= record->start_time);
	logged++;
}

/* A frame as it comes; returns how many bytes of the input were taken. */
static size_t raw_frame(struct native *native, const uint8_t *data, size_t size,
			bool raw_ip, __u64 now)
{
	size_t len = size < 2 ? 0 : (size_t)(data[0] | data[1] << 8) % 2048;
	size_t wire_len, at_hand;
	struct segment segment;
	uint8_t *copy;

	if (size < 2)
		return size;
	at_hand = len < size - 2 ? len : size - 2;
	wire_len = at_hand + (data[1] >> 4);
	copy = malloc(at_hand); /* so that a byte too far is seen */
	if (at_hand)
		memcpy(copy, data + 2, at_hand);
	play_packet(native, copy, at_hand, wire_len, raw_ip, now, &segment);
	free(copy);
	return at_hand + 2;
}

#define SEGMENT_BYTES 6

/* A segment of a connection, its numbers not far from what is expected. */
static size_t near_segment(struct native *native, const uint8_t *data,
			   size_t size, __u64 now)
{
	static const char payload[] = "0123456789abcdef";
	struct test_packet packet = {};
	struct segment segment;
	struct bytes bytes;

	if (size < SEGMENT_BYTES)
		return size;
	packet.from_server = data[0] & 0x80;
	packet.ipv6 = data[0] & 0x40;
	packet.client_port = (__u16)(1024 + (data[0] & 15));
	packet.server_port = 25;
	packet.flags = data[1] & 0x1f;
	packet.seq = (packet.from_server ? 5000U : 0xfffffff0U) +
		     (__u32)(int8_t)data[2];
	packet.ack = (packet.from_server ? 0xfffffff0U : 5000U) +
		     (__u32)(int8_t)data[3];
	packet.payload = payload;
	packet.payload_len = data[4] & 15;
	packet.padding = data[5] & 7;
	packet_build(&bytes, &packet);
	play_packet(native, bytes.data, bytes.len, bytes.len, false, now,
		    &segment);
	return SEGMENT_BYTES;
}

/* Each connection that began came to exactly one end. */
static void check_account(const struct native *native)
{
	const __u64 *counters = native->counters;
	__u64 ends = 0;

	for (int i = COUNT_FIRST_OUTCOME; i <= COUNT_LAST_OUTCOME; i++)
		ends += counters[i];
	require(ends == counters[COUNT_CONNECTIONS]);
	require(counters[COUNT_BANNER] == logged);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct native native;
	__u64 now = 1000;

	logged = 0;
	require(native_open(&native, MAX_FLOWS, LENGTH, on_record, NULL));
	while (size) {
		uint8_t kind = *data++;
		size_t taken;

		size--;
		/* Hours, too: what was spilled is given up some day. */
		now += kind & 0x80 ? 1ULL << (kind >> 2 & 31) << 12 : 1;
		if (kind & 1)
			taken = near_segment(&native, data, size, now);
		else
			taken = raw_frame(&native, data, size, kind & 2, now);
		data += taken;
		size -= taken;
	}
	native_finish(&native);
	check_account(&native);
	native_close(&native);
	return 0;
}
