/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The results of a test's packets, as text that can be compared and read. */
#ifndef BANNERPROBE_TESTS_PLAY_H
#define BANNERPROBE_TESTS_PLAY_H

#include "engine/packet_engine.h"
#include "scenarios.h"

#define TEXT_MAX 2048

/* Appends a record to `text`, as the table of cases writes it. */
void text_add_record(char text[TEXT_MAX], const struct event *record);

/* Writes the counters to `text`, likewise. */
void text_set_counters(char text[TEXT_MAX], const __u64 counters[COUNTER_MAX]);

/* Parses an Ethernet or raw IP packet and passes it to the engine. */
enum parse_result play_packet(struct engine *native, const __u8 *data,
			      size_t len, size_t wire_len, bool raw_ip,
			      __u64 now, struct segment *segment);

#endif
