/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "interface_stats.h"

#include "stats_json.h"
#include "system/message.h"

/*
 * Counters that are computed from the shared table are reported for all
 * interfaces together.
 */
static bool is_shared(int counter)
{
	return counter == COUNT_OPEN || counter == COUNT_EVICTED;
}

static void write_interface(FILE *file,
			    const struct published_interface *interface,
			    __u64 banners)
{
	fputs("{\"iface\":", file);
	stats_write_json_string(file, interface->name);
	fprintf(file, ",\"packets_in\":%llu,\"packets_out\":%llu,\"seen\":%llu",
		interface->packets.received, interface->packets.sent, banners);
	for (int i = COUNT_NOTHING + 1;
	     interface->has_counters && i < COUNTER_MAX; i++) {
		if (!is_shared(i))
			fprintf(file, ",\"%s\":%llu", counter_texts[i].name,
				interface->counters[i]);
	}
	fputc('}', file);
}

void interface_stats_write_json(FILE *file, const void *context)
{
	const struct interface_stats *stats = context;
	const char *separator = "";

	fputs(",\"interfaces\":[", file);
	for (__u32 i = 0; i < stats->published.count; i++) {
		const struct published_interface *interface =
			&stats->published.interfaces[i];

		if (!interface->is_watched)
			continue;
		fputs(separator, file);
		write_interface(file, interface, stats->banners[i]);
		separator = ",";
	}
	fputc(']', file);
}

/* --- as text -------------------------------------------------------------- */

static __u64 sum_from(const __u64 counters[COUNTER_MAX], enum counter first,
		      enum counter last)
{
	__u64 sum = 0;

	for (int i = first; i <= (int)last; i++)
		sum += counters[i];
	return sum;
}

static void print_interface(const struct published_interface *interface,
			    __u64 banners)
{
	const __u64 *counters = interface->counters;

	if (!interface->has_counters) {
		message("%s: %llu packets in, %llu out, %llu banners",
			interface->name, interface->packets.received,
			interface->packets.sent, banners);
		return;
	}
	message("%s: %llu packets in, %llu out, %llu connections, %llu "
		"banners, %llu segments ignored, %llu packets not read, %llu "
		"lost",
		interface->name, interface->packets.received,
		interface->packets.sent, counters[COUNT_CONNECTIONS], banners,
		sum_from(counters, COUNT_FIRST_IGNORED, COUNT_LAST_IGNORED),
		sum_from(counters, COUNT_FIRST_UNREAD, COUNT_LAST_UNREAD),
		counters[COUNT_LOST_RING] + counters[COUNT_LOST_PART]);
}

void interface_stats_print(const void *context)
{
	const struct interface_stats *stats = context;

	for (__u32 i = 0; i < stats->published.count; i++) {
		const struct published_interface *interface =
			&stats->published.interfaces[i];

		if (interface->is_watched)
			print_interface(interface, stats->banners[i]);
	}
}
