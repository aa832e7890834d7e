/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "interfaces.h"

#include "message.h"
#include "netlink.h"
#include "programs.h"

#include <errno.h>
#include <fnmatch.h>
#include <ifaddrs.h>
#include <netpacket/packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* --- the list ----------------------------------------------------------- */

static bool is_pattern(const char *name)
{
	return strpbrk(name, "*?[");
}

static bool has_patterns(const struct interfaces *interfaces)
{
	for (int i = 0; i < interfaces->options->count; i++) {
		if (is_pattern(interfaces->options->names[i]))
			return true;
	}
	return false;
}

static bool matches_pattern(const struct interfaces *interfaces,
			    const char *name)
{
	for (int i = 0; i < interfaces->options->count; i++) {
		const char *pattern = interfaces->options->names[i];

		if (is_pattern(pattern) && !fnmatch(pattern, name, 0))
			return true;
	}
	return false;
}

static struct interface *find_name(const struct interfaces *interfaces,
				   const char *name)
{
	for (int i = 0; i < interfaces->count; i++) {
		if (!strcmp(interfaces->list[i]->name, name))
			return interfaces->list[i];
	}
	return NULL;
}

static struct interface *find_index(const struct interfaces *interfaces,
				    unsigned int index)
{
	for (int i = 0; i < interfaces->count; i++) {
		if (interfaces->list[i]->index == index)
			return interfaces->list[i];
	}
	return NULL;
}

static struct interface *add(struct interfaces *interfaces)
{
	struct interface *new = calloc(1, sizeof(*new));
	struct interface **list =
		reallocarray(interfaces->list, (size_t)interfaces->count + 1,
			     sizeof(void *));

	if (list)
		interfaces->list = list;
	if (!new || !list) {
		message("out of memory");
		free(new);
		return NULL;
	}
	list[interfaces->count++] = new;
	return new;
}

static void forget(struct interfaces *interfaces, struct interface *interface)
{
	for (int i = 0; i < interfaces->count; i++) {
		if (interfaces->list[i] == interface)
			interfaces->list[i] =
				interfaces->list[--interfaces->count];
	}
	free(interface);
}

/* Adds one; NULL, with a message, where it cannot be watched as was asked. */
static struct interface *find(struct interfaces *interfaces, const char *name,
			      bool by_pattern)
{
	struct interface *interface = add(interfaces);

	if (!interface)
		return NULL;
	if (interface_find(interface, name, interfaces->options->hook)) {
		forget(interfaces, interface);
		return NULL;
	}
	interface->by_pattern = by_pattern;
	interface->trial = interfaces->options->check;
	interface->gone = true; /* until it is attached to */
	return interface;
}

/* Calls `found` for each interface that there is. */
static void list_all(struct interfaces *interfaces, link_changed *found)
{
	struct ifaddrs *all;

	if (getifaddrs(&all)) {
		message("listing the interfaces: %s", strerror(errno));
		return;
	}
	for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
		const struct sockaddr_ll *link = (const void *)one->ifa_addr;

		if (link && link->sll_family == AF_PACKET)
			found((unsigned int)link->sll_ifindex, one->ifa_name,
			      interfaces);
	}
	freeifaddrs(all);
}

static void find_if_matching(unsigned int index, const char *name,
			     void *context)
{
	struct interfaces *interfaces = context;

	if (matches_pattern(interfaces, name) && !find_index(interfaces, index))
		find(interfaces, name, true);
}

static void tell_patterns_without_match(const struct interfaces *interfaces)
{
	for (int i = 0; i < interfaces->options->count; i++) {
		const char *pattern = interfaces->options->names[i];
		bool found = !is_pattern(pattern);

		for (int j = 0; !found && j < interfaces->count; j++)
			found = !fnmatch(pattern, interfaces->list[j]->name, 0);
		if (!found)
			message("%s: no interface matches yet: waiting for one",
				pattern);
	}
}

bool interfaces_find(struct interfaces *interfaces)
{
	const struct options *options = interfaces->options;

	for (int i = 0; i < options->count; i++) {
		const char *name = options->names[i];

		if (is_pattern(name) || find_name(interfaces, name))
			continue; /* twice the same is once */
		if (!find(interfaces, name, false))
			return false;
	}
	if (has_patterns(interfaces))
		list_all(interfaces, find_if_matching);
	tell_patterns_without_match(interfaces);
	return true;
}

unsigned int interfaces_programs(const struct interfaces *interfaces)
{
	unsigned int which = 0;

	for (int i = 0; i < interfaces->count; i++) {
		const struct interface *interface = interfaces->list[i];

		which |=
			interface->raw_ip ? PROGRAMS_RAW_IP : PROGRAMS_ETHERNET;
		if (interface_wants_xdp(interface))
			which |= PROGRAMS_XDP;
	}
	if (!has_patterns(interfaces))
		return which;
	return interfaces->options->hook == HOOK_TC ?
		       PROGRAMS_ALL & ~PROGRAMS_XDP :
		       PROGRAMS_ALL;
}

const char *interfaces_banner(struct interfaces *interfaces, unsigned int index)
{
	struct interface *interface = find_index(interfaces, index);

	if (!interface)
		return "";
	interface->banners++;
	return interface->name;
}

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

__u64 interfaces_count_packets(const struct interfaces *interfaces)
{
	__u64 sum = 0;

	for (int i = 0; i < interfaces->count; i++) {
		const struct interface *interface = interfaces->list[i];
		struct packet_counts packets;

		if (!interface->gone &&
		    !interface_count_packets(interface, &packets))
			sum += packets.received + packets.sent;
	}
	return sum;
}

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
	struct packet_counts packets = {};
	__u64 counters[COUNTER_MAX];

	interface_count_packets(interface, &packets);
	if (!interfaces_read_counters(interfaces, interface, counters)) {
		message("%s: %llu packets in, %llu out, %llu banners",
			interface->name, packets.received, packets.sent,
			interface->banners);
		return;
	}
	message("%s: %llu packets in, %llu out, %llu connections, %llu "
		"banners, %llu segments ignored, %llu packets not read, %llu "
		"lost",
		interface->name, packets.received, packets.sent,
		counters[COUNT_CONNECTIONS], interface->banners,
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

/* --- attaching ---------------------------------------------------------- */

/* One that cannot be attached to stays in the list: it was tried. */
static int attach(struct interfaces *interfaces, struct interface *interface)
{
	int error;

	programs_count_interface(interfaces->bpf, interface->index);
	error = interface_attach(interface, interfaces->bpf);
	if (error)
		interface_detach(interface);
	interface->gone = error;
	return error;
}

bool interfaces_attach(struct interfaces *interfaces)
{
	for (int i = 0; i < interfaces->count; i++) {
		struct interface *interface = interfaces->list[i];

		if (attach(interfaces, interface) && !interface->by_pattern)
			return false;
	}
	return true;
}

void interfaces_tell(const struct interfaces *interfaces)
{
	for (int i = 0; i < interfaces->count; i++) {
		if (!interfaces->list[i]->gone)
			interface_tell(interfaces->list[i]);
	}
}

void interfaces_detach(struct interfaces *interfaces)
{
	for (int i = 0; i < interfaces->count; i++)
		interface_detach(interfaces->list[i]);
}

void interfaces_free(struct interfaces *interfaces)
{
	for (int i = 0; i < interfaces->count; i++)
		free(interfaces->list[i]);
	free(interfaces->list);
	interfaces->list = NULL;
	interfaces->count = 0;
}

/* --- those that come, go and change -------------------------------------- */

/* One that comes back goes on counting where it has ended. */
static void forget_counters(const struct interfaces *interfaces,
			    struct interface *interface)
{
	__u64 counters[COUNTER_MAX];

	if (!programs_interface_counters(interfaces->bpf, interface->index,
					 counters))
		return;
	for (int i = 0; i < COUNTER_MAX; i++)
		interface->counted[i] += counters[i];
	programs_forget_interface(interfaces->bpf, interface->index);
}

static void lose(struct interfaces *interfaces, struct interface *interface)
{
	if (!interface->gone) {
		message(interface->by_pattern ?
				"%s: the interface was deleted" :
				"%s: the interface was deleted: waiting for it "
				"to come back",
			interface->name);
		interface_detach(interface);
		interfaces->leaving(interface->index, interfaces->context);
		interface->gone = true;
	}
	forget_counters(interfaces, interface);
	interface->index = 0;
	if (interface->by_pattern)
		forget(interfaces, interface);
}

/*
 * Attaches to an interface that has come back, as those of PPP, VPNs and USB
 * do. Each that comes is tried once.
 */
static void attach_again(struct interfaces *interfaces,
			 struct interface *interface)
{
	int error = interface_find_again(interface);

	if (!error && !attach(interfaces, interface))
		interface_tell(interface);
}

/* One of that name is there, and is not watched. */
static void meet(struct interfaces *interfaces, const char *name)
{
	struct interface *interface = find_name(interfaces, name);

	if (interface && interface->gone) {
		attach_again(interfaces, interface);
	} else if (!interface && matches_pattern(interfaces, name)) {
		interface = find(interfaces, name, true);
		if (interface && !attach(interfaces, interface))
			interface_tell(interface);
	}
}

/*
 * An interface was deleted (name NULL), made, changed or renamed. What it is
 * called is asked anew: what has waited to be read may be old.
 */
static void on_link_changed(unsigned int index, const char *name, void *context)
{
	struct interfaces *interfaces = context;
	struct interface *interface = find_index(interfaces, index);
	char now[IFNAMSIZ];

	if (!interface) {
		if (name && interface_name_now(index, now))
			meet(interfaces, now);
	} else if (!name || !interface_name_now(index, now)) {
		lose(interfaces, interface);
	} else if (strcmp(interface->name, now)) {
		message("%s: is called %s now", interface->name, now);
		strcpy(interface->name, now);
	}
}

/* Changes were missed: each interface is looked at. */
static void check_links(struct interfaces *interfaces)
{
	for (int i = interfaces->count - 1; i >= 0; i--) {
		const struct interface *interface = interfaces->list[i];

		if (interface->index)
			on_link_changed(interface->index, interface->name,
					interfaces);
	}
	list_all(interfaces, on_link_changed);
}

static bool some_are_left(const struct interfaces *interfaces)
{
	if (has_patterns(interfaces))
		return true;
	for (int i = 0; i < interfaces->count; i++) {
		/* Waited for, or watched; the others were tried in vain. */
		if (!interfaces->list[i]->index || !interfaces->list[i]->gone)
			return true;
	}
	return false;
}

bool interfaces_follow(struct interfaces *interfaces, struct mnl_socket *links)
{
	if (netlink_read_links(links, on_link_changed, interfaces) == -ENOBUFS)
		check_links(interfaces);
	if (some_are_left(interfaces))
		return true;
	message("no interface is left");
	return false;
}
