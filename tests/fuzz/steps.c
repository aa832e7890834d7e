/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "steps.h"

#include "guarded.h"
#include "unit/wrap.h"

#define IS_SEGMENT 0x01
#define IS_RAW_IP 0x02
#define HOOK_SHIFT 2
#define SPLIT_SHIFT 4
#define IS_LATE 0x80
#define LATE_SHIFT 2

static const __u8 *take(struct steps *steps, size_t len)
{
	const __u8 *taken = steps->data;

	steps->data += len;
	steps->size -= len;
	return taken;
}

static void keep(struct fuzz_step *step, const __u8 *data, size_t len)
{
	step->data = guarded_copy(0, data, len);
	step->len = len;
}

/* A frame as it comes: 11 bits of length, and 4 of what was cut off it. */
static bool take_frame(struct steps *steps, struct fuzz_step *step)
{
	const __u8 *head;
	size_t len;

	if (steps->size < 2)
		return false;
	head = take(steps, 2);
	len = (size_t)(head[0] | head[1] << 8) % 2048;
	if (len > steps->size)
		len = steps->size;
	step->wire_len = len + (head[1] >> 4);
	keep(step, take(steps, len), len);
	return true;
}

/* In up to two tunnels, in most cases in none. */
static void wrap_in(struct bytes *bytes, unsigned int inner, unsigned int outer)
{
	if (inner >= WRAPS)
		return;
	wrap(bytes, (enum wrap)inner);
	if (outer < WRAPS)
		wrap(bytes, (enum wrap)outer);
}

/* A segment of a connection, with numbers near the expected ones. */
static bool take_segment(struct steps *steps, struct fuzz_step *step)
{
	static const char payload[] = "0123456789abcdef";
	struct test_packet packet = { .server_port = 25, .payload = payload };
	struct bytes bytes;
	const __u8 *data;

	if (steps->size < 6)
		return false;
	data = take(steps, 6);
	packet.from_server = data[0] & 0x80;
	packet.ipv6 = data[0] & 0x40;
	packet.raw_ip = step->raw_ip;
	packet.client_port = (__u16)(1024 + (data[0] & 15));
	packet.flags = data[1] & 0x1f;
	packet.seq = (packet.from_server ? 5000U : 0xfffffff0U) +
		     (__u32)(__s8)data[2];
	packet.ack = (packet.from_server ? 0xfffffff0U : 5000U) +
		     (__u32)(__s8)data[3];
	packet.payload_len = data[4] & 15;
	packet.padding = data[5] & 7;
	packet_build(&bytes, &packet);
	if (!step->raw_ip)
		wrap_in(&bytes, data[5] >> 3, data[4] >> 4);
	step->wire_len = bytes.len;
	keep(step, bytes.data, bytes.len);
	return true;
}

bool steps_next(struct steps *steps, struct fuzz_step *step)
{
	__u8 kind;

	if (!steps->size)
		return false;
	kind = *take(steps, 1);
	*step = (struct fuzz_step){
		.raw_ip = kind & IS_RAW_IP,
		.hook = kind >> HOOK_SHIFT & 3,
		.split = kind >> SPLIT_SHIFT & 7,
		/* Hours, too: connections in the overflow expire. */
		.wait = kind & IS_LATE ? 4096ULL << (kind >> LATE_SHIFT & 31) :
					 1,
	};
	return kind & IS_SEGMENT ? take_segment(steps, step) :
				   take_frame(steps, step);
}
