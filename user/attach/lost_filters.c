/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "lost_filters.h"

#include "system/clock.h"
#include "system/message.h"

/*
 * How long the other program may take to set up its qdisc anew: a filter that
 * came back at once would make the qdisc first, which the kernel then refuses
 * to the other program.
 */
#define PATIENCE NS_PER_SECOND

static void doubt(struct interfaces *interfaces, struct interface *interface)
{
	if (interface->gone || (interface->in.way != ATTACHED_CLSACT &&
				interface->out.way != ATTACHED_CLSACT))
		return;
	interface->is_doubted = true;
	/* Not put off by later ones. */
	if (!interfaces->doubts_until)
		interfaces->doubts_until = monotonic_ns() + PATIENCE;
}

void lost_filters_doubt(unsigned int index, void *context)
{
	struct interfaces *interfaces = context;
	struct interface *interface = interfaces_by_index(interfaces, index);

	if (interface)
		doubt(interfaces, interface);
}

void lost_filters_doubt_all(struct interfaces *interfaces)
{
	for (int i = 0; i < interfaces->count; i++)
		doubt(interfaces, interfaces->list[i]);
}

static void look(struct interfaces *interfaces, struct interface *interface)
{
	const bool is_doubted = interface->is_doubted;

	interface->is_doubted = false;
	if (!is_doubted || interface->gone || !interface_lost_filter(interface))
		return;
	message("%s: another program has removed a tc filter of this one: "
		"attaching again",
		interface->name);
	interfaces_attach_again(interfaces, interface);
}

int lost_filters_look(struct interfaces *interfaces)
{
	const __u64 now = monotonic_ns();

	if (!interfaces->doubts_until)
		return -1;
	if (now < interfaces->doubts_until)
		return (int)((interfaces->doubts_until - now) / NS_PER_MS) + 1;
	interfaces->doubts_until = 0;
	for (int i = 0; i < interfaces->count; i++)
		look(interfaces, interfaces->list[i]);
	return interfaces->queued ? 0 : -1;
}
