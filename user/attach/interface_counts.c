/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What has passed the interfaces, and what came of it. */
#include "interfaces.h"

#include "system/message.h"
#include "programs.h"

/* Of more, the counters of all devices are asked for at once. */
#define ASKED_ONE_BY_ONE 16

bool interfaces_read_counters(const struct interfaces *interfaces,
			      const struct interface *interface,
			      __u64 counters[COUNTER_MAX])
{
	if (interface->gone ||
	    !programs_interface_counters(interfaces->bpf, interface->index,
					 counters))
		return false;
	for (int i = 0; i < COUNTER_MAX; i++)
		counters[i] += interface->counted[i];
	return true;
}

/* --- packets ---------------------------------------------------------------
 */

static void on_packets(unsigned int index, const struct packet_counts *packets,
		       void *context)
{
	struct interface *interface = interfaces_by_index(context, index);

	if (interface && !interface->gone)
		interface_saw_packets(interface, packets);
}

/* What cannot be asked stays as it was. */
static void ask_devices(struct interfaces *interfaces)
{
	if (interfaces->count > ASKED_ONE_BY_ONE) {
		links_count_all_packets(on_packets, interfaces);
		return;
	}
	for (int i = 0; i < interfaces->count; i++) {
		if (!interfaces->list[i]->gone)
			links_count_packets(interfaces->list[i]->index,
					    on_packets, interfaces);
	}
}

__u64 interfaces_count_packets(struct interfaces *interfaces)
{
	__u64 sum = interfaces->packets_gone;

	ask_devices(interfaces);
	for (int i = 0; i < interfaces->count; i++) {
		const struct interface *interface = interfaces->list[i];

		sum += interface->packets.received + interface->packets.sent;
	}
	return sum;
}

/* --- for a person ----------------------------------------------------------
 */

static __u64 sum_from(const __u64 counters[COUNTER_MAX], enum counter first,
		      enum counter last)
{
	__u64 sum = 0;

	for (int i = first; i <= (int)last; i++)
		sum += counters[i];
	return sum;
}

static void print_interface(const struct interfaces *interfaces,
			    const struct interface *interface)
{
	__u64 counters[COUNTER_MAX];

	if (!interfaces_read_counters(interfaces, interface, counters)) {
		message("%s: %llu packets in, %llu out, %llu banners",
			interface->name, interface->packets.received,
			interface->packets.sent, interface->banners);
		return;
	}
	message("%s: %llu packets in, %llu out, %llu connections, %llu "
		"banners, %llu segments ignored, %llu packets not read, %llu "
		"lost",
		interface->name, interface->packets.received,
		interface->packets.sent, counters[COUNT_CONNECTIONS],
		interface->banners,
		sum_from(counters, COUNT_FIRST_IGNORED, COUNT_LAST_IGNORED),
		sum_from(counters, COUNT_FIRST_UNREAD, COUNT_LAST_UNREAD),
		counters[COUNT_LOST_RING] + counters[COUNT_LOST_PART]);
}

void interfaces_print_stats(const struct interfaces *interfaces)
{
	for (int i = 0; i < interfaces->count; i++) {
		if (!interfaces->list[i]->gone)
			print_interface(interfaces, interfaces->list[i]);
	}
}
