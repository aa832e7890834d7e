/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "stats.h"

#include "message.h"

#include <stdio.h>

const struct counter_text counter_texts[COUNTER_MAX] = {
#define COUNTER_TEXT(id, name, meaning) [COUNT_##id] = { name, meaning },
	COUNTERS(COUNTER_TEXT)
#undef COUNTER_TEXT
};

static void print(const char *name, __u64 value, const char *meaning)
{
	fprintf(stderr, "%-24s %12llu  %s\n", name, value, meaning);
}

void stats_print(__u64 packets, const __u64 counters[COUNTER_MAX],
		 const struct output *output)
{
	message_clear_status();
	print("packets", packets,
	      "packets read, or passed by the interfaces that are watched");
	for (int i = COUNT_NOTHING + 1; i < COUNTER_MAX; i++)
		print(counter_texts[i].name, counters[i],
		      counter_texts[i].meaning);
	print("logged", output->logged, "records written");
	print("left_out", output->left_out,
	      "records that this format leaves out");
	print("lost_output", output_lost(output),
	      "records lost: could not be written");
}

void stats_print_losses(const __u64 counters[COUNTER_MAX],
			const struct output *output)
{
	if (counters[COUNT_LOST_RING])
		message("%llu banners lost: the ring buffer was full",
			counters[COUNT_LOST_RING]);
	if (counters[COUNT_LOST_PART])
		message("%llu segments of greetings lost: the ring buffer was "
			"full",
			counters[COUNT_LOST_PART]);
	if (counters[COUNT_CROWDED_OUT])
		message("%llu greetings logged before their end: too many at "
			"once",
			counters[COUNT_CROWDED_OUT]);
	if (counters[COUNT_CROWDED_PART])
		message("%llu segments of greetings left out: too many at once",
			counters[COUNT_CROWDED_PART]);
	if (counters[COUNT_EVICTED])
		message("%llu connections evicted before anything was decided: "
			"more --max-flows would keep them",
			counters[COUNT_EVICTED]);
	if (output_lost(output) && !output_reader_left(output))
		message("%llu records lost: they could not be written",
			output_lost(output));
}
