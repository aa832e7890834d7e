/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the model says of real connections: for tests/tools/compare_captures.py.
 *
 * Each line of standard input is a TCP segment: the number of its four-tuple,
 * the number of its packet, the end that sent it (0 or 1), its flags, sequence
 * and acknowledgement numbers and payload length. The segments of a four-tuple
 * follow each other. Each line of standard output is a four-tuple's event: its
 * number, the packet that has its bytes, the kind, whether it is crossed, the
 * offset of the bytes in the payload and their number; or "unclear", where the
 * definition leaves a choice.
 */
#include "unit/model.h"

#include <stdio.h>
#include <stdlib.h>

#define PACKETS_MAX (1 << 20) /* of a four-tuple */
#define LINE_MAX 256

static const char *const kinds[MODEL_KINDS] = {
	[MODEL_BANNER] = "banner",     [MODEL_REQUEST] = "request",
	[MODEL_RESPONSE] = "response", [MODEL_REPLY] = "reply",
	[MODEL_OPEN] = "open",
};

static struct model model;
static unsigned long packets[PACKETS_MAX];
static int packet_count;

static void begin(void)
{
	model_open(&model, MODEL_NEED_NONE, false, false, false);
	model_ask(&model, MODEL_ALL_KINDS);
	packet_count = 0;
}

static void end(unsigned long four_tuple)
{
	bool is_unclear;

	model_finish(&model);
	is_unclear = model.unclear || packet_count == PACKETS_MAX ||
		     model.logged_count == MODEL_LOGGED;
	for (int kind = 0; kind < MODEL_KINDS; kind++)
		is_unclear |= model.kind_unclear[kind] != NULL;
	if (is_unclear)
		printf("%lu unclear\n", four_tuple);
	for (int i = 0; i < model.logged_count; i++) {
		const struct event_seen *event = &model.logged[i];

		printf("%lu %lu %s %d %u %u\n", four_tuple,
		       packets[event->source], kinds[event->kind],
		       event->crossed, event->offset, event->len);
	}
}

int main(void)
{
	unsigned long four_tuple, packet, current = 0;
	unsigned int from, flags, seq, ack, len;
	char line[LINE_MAX];
	bool any = false;

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%lu %lu %u %u %u %u %u", &four_tuple, &packet,
			   &from, &flags, &seq, &ack, &len) != 7) {
			fprintf(stderr, "not a segment: %s", line);
			return EXIT_FAILURE;
		}
		if (any && four_tuple != current)
			end(current);
		if (!any || four_tuple != current)
			begin();
		any = true;
		current = four_tuple;
		if (packet_count == PACKETS_MAX)
			continue;
		packets[packet_count++] = packet;
		model_packet(&model,
			     &(struct model_segment){ .from = (__u8)from,
						      .flags = (__u8)flags,
						      .seq = seq,
						      .ack = ack,
						      .len = len });
	}
	if (any)
		end(current);
	return EXIT_SUCCESS;
}
