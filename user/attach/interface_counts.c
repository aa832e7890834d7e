/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Counts packets and events by interface, and publishes the counts. */
#include "interfaces.h"

#include "programs.h"
#include "system/message.h"

#include <stdlib.h>
#include <string.h>

/*
 * For more interfaces than this, one dump reads the counters of all devices.
 */
#define ASKED_ONE_BY_ONE 16

bool interfaces_read_counters(const struct interfaces *interfaces,
			      const struct interface *interface,
			      __u64 counters[COUNTER_MAX])
{
	if (interface->gone ||
	    !programs_interface_counters(interfaces->bpf, interface->index,
					 counters))
		return false;
	for (int i = 0; interface->counted && i < COUNTER_MAX; i++)
		counters[i] += interface->counted[i];
	return true;
}

/* Keeps the counts of a named interface: if it comes back it continues them. */
static void keep_counts(struct interface *interface,
			const __u64 counters[COUNTER_MAX])
{
	if (!interface->counted)
		interface->counted =
			calloc(COUNTER_MAX, sizeof(*interface->counted));
	if (!interface->counted)
		message("%s: out of memory: its counters begin at 0 again",
			interface->name);
	for (int i = 0; interface->counted && i < COUNTER_MAX; i++)
		interface->counted[i] += counters[i];
}

void interfaces_forget_counters(const struct interfaces *interfaces,
				struct interface *interface)
{
	__u64 counters[COUNTER_MAX];

	if (!programs_interface_counters(interfaces->bpf, interface->index,
					 counters))
		return;
	if (interface->asked_name)
		keep_counts(interface, counters);
	programs_forget_interface(interfaces->bpf, interface->index);
}

/* --- packets ------------------------------------------------------------- */

static void on_packets(unsigned int index, const struct packet_counts *packets,
		       void *context)
{
	struct interface *interface = interfaces_by_index(context, index);

	if (interface && !interface->gone)
		interface_saw_packets(interface, packets);
}

/* Reads the devices' counters. One that cannot be read stays as it was. */
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

/* --- publishing ---------------------------------------------------------- */

static void publish(const struct interfaces *interfaces,
		    const struct interface *interface)
{
	struct published_interface now = { .is_watched = !interface->gone,
					   .packets = interface->packets };

	memcpy(now.name, interface->name, sizeof(now.name));
	now.has_counters =
		interfaces_read_counters(interfaces, interface, now.counters);
	publish_interface(interfaces->publisher, interface->published, &now);
}

void interfaces_publish(struct interfaces *interfaces,
			const __u64 counters[COUNTER_MAX],
			const struct event_counts *events)
{
	const __u64 packets = interfaces_count_packets(interfaces);

	for (int i = 0; i < interfaces->count; i++)
		publish(interfaces, interfaces->list[i]);
	publish_totals(interfaces->publisher, packets, counters, events,
		       interfaces_not_watched(interfaces));
}
