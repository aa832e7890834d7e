/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "interface_stats.h"

#include "attach/interfaces.h"
#include "stats_json.h"

/* Those worked out from the table that all share are told of all together. */
static bool is_shared(int counter)
{
	return counter == COUNT_OPEN || counter == COUNT_EVICTED;
}

static void write_interface(FILE *file, const struct interfaces *interfaces,
			    const struct interface *interface)
{
	__u64 counters[COUNTER_MAX];

	fputs("{\"iface\":", file);
	stats_write_json_string(file, interface->name);
	fprintf(file, ",\"packets_in\":%llu,\"packets_out\":%llu,\"seen\":%llu",
		interface->packets.received, interface->packets.sent,
		interface->banners);
	if (interfaces_read_counters(interfaces, interface, counters)) {
		for (int i = COUNT_NOTHING + 1; i < COUNTER_MAX; i++) {
			if (!is_shared(i))
				fprintf(file, ",\"%s\":%llu",
					counter_texts[i].name, counters[i]);
		}
	}
	fputc('}', file);
}

void interface_stats_write_json(FILE *file, const void *context)
{
	const struct interfaces *interfaces = context;
	const char *separator = "";

	fputs(",\"interfaces\":[", file);
	for (int i = 0; i < interfaces->count; i++) {
		if (interfaces->list[i]->gone)
			continue;
		fputs(separator, file);
		write_interface(file, interfaces, interfaces->list[i]);
		separator = ",";
	}
	fputc(']', file);
}
