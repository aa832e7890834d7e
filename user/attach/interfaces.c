/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "interfaces.h"

#include "asked.h"
#include "interface_list.h"
#include "lost_filters.h"
#include "system/clock.h"
#include "system/message.h"
#include "programs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- interfaces that appear ---------------------------------------------- */

/*
 * Adds an interface. NULL: the user did not ask for it; or, with a message, it
 * cannot be watched.
 */
static struct interface *meet_new(struct interfaces *interfaces,
				  const struct link *link, const char *asked)
{
	struct interface *interface = interfaces_add(interfaces);

	if (!interface)
		return NULL;
	interface->asked_name = asked_is_pattern(asked) ? NULL : asked;
	interface->trial = interfaces->options->check;
	if (interface_meet(interface, link, interfaces->options->hook) ||
	    !interfaces_list_index(interfaces, interface)) {
		interfaces->refused |= interface->asked_name != NULL;
		interface->index = 0;
		interfaces_forget(interfaces, interface);
		return NULL;
	}
	return interface;
}

static struct interface *meet_again(struct interfaces *interfaces,
				    struct interface *interface,
				    const struct link *link)
{
	int error = interface_meet_again(interface, link);

	if (!interfaces_list_index(interfaces, interface))
		return NULL;
	interfaces->waiting--;
	interfaces->recount = true;
	interfaces->some_left = false; /* perhaps */
	return error ? NULL : interface;
}

/* Handles a new link: it is queued to be attached, if it was asked for. */
static void meet(struct interfaces *interfaces, const struct link *link)
{
	const char *asked = asked_for(interfaces->options, link);
	struct interface *interface;

	if (!asked)
		return;
	interface = interfaces_find_waiting(interfaces, asked);
	interface = interface ? meet_again(interfaces, interface, link) :
				meet_new(interfaces, link, asked);
	if (!interface)
		return;
	interface->seen = interfaces->look;
	interfaces_enqueue(interfaces, interface);
}

/* The search for existing interfaces at the start. */
struct search {
	struct interfaces *interfaces;
	bool *found; /* for each of the options' names */
};

static void find_link(const struct link *link, void *context)
{
	struct search *search = context;

	asked_mark(search->interfaces->options, link, search->found);
	/* A dump that was interrupted may report a link again. */
	if (!interfaces_by_index(search->interfaces, link->index))
		meet(search->interfaces, link);
}

static bool find_all(struct search *search)
{
	const int error =
		search->found ? links_list(find_link, search) : -ENOMEM;

	if (!error)
		return asked_are_found(search->interfaces->options,
				       search->found);
	message("listing the interfaces: %s", strerror(-error));
	return false;
}

bool interfaces_find(struct interfaces *interfaces)
{
	struct search search = { interfaces,
				 calloc((size_t)interfaces->options->count,
					sizeof(bool)) };
	const bool there = find_all(&search);

	if (there)
		asked_tell_unmatched(interfaces->options, search.found);
	free(search.found);
	return there && !interfaces->refused;
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
	if (!asked_has_patterns(interfaces->options))
		return which;
	return interfaces->options->hook == HOOK_TC ||
			       interfaces->options->hook == HOOK_AUTO ?
		       PROGRAMS_ALL & ~PROGRAMS_XDP :
		       PROGRAMS_ALL;
}

bool interfaces_may_need_clsact(const struct interfaces *interfaces)
{
	return asked_has_patterns(interfaces->options) ||
	       attach_may_need_clsact(interfaces->options->count);
}

/* --- attaching ----------------------------------------------------------- */

static void begin_name(const struct interfaces *interfaces,
		       struct interface *interface)
{
	interface->published_name =
		publish_name(interfaces->publisher, interface->index,
			     interface->published, interface->name);
}

static void end_name(const struct interfaces *interfaces,
		     struct interface *interface)
{
	publish_end_of_name(interfaces->publisher, interface->published_name);
	interface->published_name = NO_PLACE;
}

/* An interface that cannot be attached stays in the list as tried. */
static int attach(struct interfaces *interfaces, struct interface *interface)
{
	int error;

	interfaces_dequeue(interfaces, interface);
	programs_count_interface(interfaces->bpf, interface->index);
	begin_name(interfaces, interface);
	error = interface_attach(interface, interfaces->bpf);
	if (error) {
		interface_detach(interface);
		end_name(interfaces, interface);
	}
	interfaces->recount = true;
	interfaces->some_left = false; /* perhaps */
	interface->gone = error;
	interface->is_short = interface_is_short_of(error);
	return error;
}

void interfaces_attach_again(struct interfaces *interfaces,
			     struct interface *interface)
{
	interface_drop_lost(interface);
	end_name(interfaces, interface);
	interface->gone = true;
	interfaces_enqueue(interfaces, interface);
}

static void show_progress(const struct interfaces *interfaces)
{
	if (interfaces->queued)
		message_status("attaching: %d of %d interfaces",
			       interfaces->count - interfaces->queued,
			       interfaces->count);
}

/* A lack of resources is no failure while another interface is watched. */
bool interfaces_attach(struct interfaces *interfaces)
{
	int short_of = 0, attached = 0;

	while ((interfaces->named ||
		(interfaces->options->check && interfaces->queued)) &&
	       !interfaces->is_stopped(interfaces->context)) {
		struct interface *interface = interfaces_next(interfaces);
		int error = attach(interfaces, interface);

		if (error == -ENODEV)
			message("%s: %s", interface->name, strerror(-error));
		if (error && !interface->is_short && interface->asked_name)
			return false;
		attached += !error;
		short_of = error ? error : short_of;
		show_progress(interfaces);
	}
	if (!short_of || attached)
		return true;
	message("attaching: %s", strerror(-short_of));
	return false;
}

void interfaces_tell(const struct interfaces *interfaces)
{
	for (int i = 0; i < interfaces->count; i++) {
		if (!interfaces->list[i]->gone)
			interface_tell(interfaces->list[i]);
	}
}

int interfaces_not_watched(const struct interfaces *interfaces)
{
	int count = 0;

	for (int i = 0; i < interfaces->count; i++) {
		const struct interface *interface = interfaces->list[i];

		count += interface->index && interface->gone &&
			 !interface->is_queued;
	}
	return count;
}

static bool some_are_short(const struct interfaces *interfaces)
{
	for (int i = 0; i < interfaces->count; i++) {
		if (interfaces->list[i]->is_short)
			return true;
	}
	return false;
}

/*
 * Reports how many interfaces are not watched, once a second at most. Returns
 * after how many ms to call it again, or -1.
 */
static int tell_not_watched(struct interfaces *interfaces)
{
	const int count = interfaces_not_watched(interfaces);
	const __u64 now = monotonic_ns();

	interfaces->recount = count != interfaces->not_watched;
	if (!interfaces->recount)
		return -1;
	if (now < interfaces->told_at + NS_PER_SECOND)
		return (int)((interfaces->told_at + NS_PER_SECOND - now) /
			     NS_PER_MS) +
		       1;
	interfaces->recount = false;
	interfaces->not_watched = count;
	interfaces->told_at = now;
	if (count)
		message("%d interfaces are not watched%s", count,
			some_are_short(interfaces) ?
				": the limit of open files (ulimit -n), or of "
				"memory, is reached" :
				"");
	else
		message("all interfaces are watched");
	return -1;
}

/* Resources were released: queues one interface that had lacked them. */
static void try_one_again(struct interfaces *interfaces)
{
	struct interface *next = NULL;

	for (int i = 0; i < interfaces->count; i++) {
		struct interface *interface = interfaces->list[i];

		if (interface->index && interface->is_short &&
		    !interface->is_queued &&
		    (!next || (interface->asked_name && !next->asked_name)))
			next = interface;
	}
	if (next)
		interfaces_enqueue(interfaces, next);
}

void interfaces_detach(struct interfaces *interfaces)
{
	const int count = interfaces->count;

	for (int i = 0, some; i < count; i += some) {
		some = count - i < CLSACT_PAIRS_MAX ? count - i :
						      CLSACT_PAIRS_MAX;
		message_status("detaching: %d of %d interfaces", i, count);
		interfaces_detach_some(&interfaces->list[i], some);
	}
	message_clear_status();
}

void interfaces_free(struct interfaces *interfaces)
{
	HASH_CLEAR(by_index, interfaces->by_index);
	for (int i = 0; i < interfaces->count; i++) {
		free(interfaces->list[i]->counted);
		free(interfaces->list[i]);
	}
	free(interfaces->list);
	interfaces->list = NULL;
	interfaces->named = interfaces->others = NULL;
	interfaces->count = 0;
}

/* --- interfaces that go and change --------------------------------------- */

/* Releases an interface that is gone, or that the user no longer asks for. */
static void lose(struct interfaces *interfaces, struct interface *interface)
{
	/* One that has lost a filter is gone, and may have the other hook. */
	interface_detach(interface);
	if (!interface->gone) {
		end_name(interfaces, interface);
		interfaces->left(interfaces->context);
		interface->gone = true;
		try_one_again(interfaces);
	}
	interface->is_short = false;
	interfaces->recount = true;
	interfaces->some_left = false; /* perhaps */
	interfaces_dequeue(interfaces, interface);
	interfaces_forget_counters(interfaces, interface);
	HASH_DELETE(by_index, interfaces->by_index, interface);
	interface->index = 0;
	if (interface->asked_name) {
		interfaces->waiting++;
		return;
	}
	interfaces->packets_gone +=
		interface->packets.received + interface->packets.sent;
	interfaces_forget(interfaces, interface);
}

static void on_deleted(struct interfaces *interfaces,
		       struct interface *interface, const struct link *link)
{
	if (link->has_packets && !interface->gone)
		interface_saw_packets(interface, &link->packets);
	/* Before the message: what it reports as deleted holds no hook. */
	interface_detach(interface);
	if (!interface->gone)
		message(interface->asked_name ?
				"%s: the interface was deleted: waiting for it "
				"to come back" :
				"%s: the interface was deleted",
			interface->name);
	lose(interfaces, interface);
}

/* Reports which name a link no longer has; `asked`: what asks for it now. */
static void tell_names(const struct interface *interface,
		       const struct link *link, const char *asked)
{
	const char *then = asked		 ? "" :
			   interface->asked_name ? ": waiting for one of that "
						   "name to come" :
						   ": not watched any more";

	if (strcmp(interface->name, link->name) != 0)
		message("%s: is called %s now%s", interface->name, link->name,
			then);
	else if (interface->asked_name)
		message("%s: is not called %s any more%s", interface->name,
			interface->asked_name, then);
	else if (!asked)
		message("%s: no name of it matches any more%s", interface->name,
			then);
}

/*
 * Handles a changed link. The user may have asked for it by a name that it no
 * longer has.
 */
static void on_changed(struct interfaces *interfaces,
		       struct interface *interface, const struct link *link)
{
	const char *asked = asked_for(interfaces->options, link);
	const char *name = asked && !asked_is_pattern(asked) ? asked : NULL;
	const bool stays = asked && name == interface->asked_name;

	interface->seen = interfaces->look;
	if (!stays || strcmp(interface->name, link->name))
		tell_names(interface, link, asked);
	if (stays && !strcmp(interface->name, link->name))
		return;
	if (stays) {
		end_name(interfaces, interface);
		interface_rename(interface, link);
		if (!interface->gone)
			begin_name(interfaces, interface);
		return;
	}
	lose(interfaces, interface);
	meet(interfaces, link);
}

static void on_link(const struct link *link, void *context)
{
	struct interfaces *interfaces = context;
	struct interface *interface =
		interfaces_by_index(interfaces, link->index);

	if (interface && link->gone)
		on_deleted(interfaces, interface, link);
	else if (interface)
		on_changed(interfaces, interface, link);
	else if (!link->gone)
		meet(interfaces, link);
}

/* Changes were missed: dumps all links. */
static int look(struct interfaces *interfaces)
{
	static const struct link gone = { .gone = true };
	int error;

	interfaces->look++;
	error = links_list(on_link, interfaces);
	interfaces->stale = error;
	for (int i = interfaces->count - 1; !error && i >= 0; i--) {
		struct interface *interface = interfaces->list[i];

		if (interface->index && interface->seen != interfaces->look)
			on_deleted(interfaces, interface, &gone);
	}
	return error;
}

static bool some_are_left(struct interfaces *interfaces)
{
	interfaces->some_left =
		asked_has_patterns(interfaces->options) || interfaces->waiting;
	for (int i = 0; i < interfaces->count; i++) {
		const struct interface *interface = interfaces->list[i];

		/*
		 * Interfaces that are watched or queued. Attaching to the
		 * others failed.
		 */
		interfaces->some_left |= !interface->gone ||
					 interface->is_queued ||
					 interface->is_short;
	}
	return interfaces->some_left;
}

/* The shorter wait; -1 is without limit. */
static int sooner(int one, int other)
{
	return (unsigned int)one < (unsigned int)other ? one : other;
}

bool interfaces_work(struct interfaces *interfaces, int *wait)
{
	*wait = 0;
	if (interfaces->queued) {
		struct interface *interface = interfaces_next(interfaces);

		if (!attach(interfaces, interface))
			interface_tell(interface);
		show_progress(interfaces);
		return true;
	}
	*wait = sooner(interfaces->recount ? tell_not_watched(interfaces) : -1,
		       lost_filters_look(interfaces));
	if (interfaces->some_left || some_are_left(interfaces))
		return true;
	message("no interface is left");
	return false;
}

void interfaces_follow(struct interfaces *interfaces, struct mnl_socket *links)
{
	int error = links_take(links, on_link, lost_filters_doubt, interfaces);

	if (error)
		lost_filters_doubt_all(interfaces);
	if (error || interfaces->stale)
		error = look(interfaces);
	if (error)
		message("listing the interfaces: %s", strerror(-error));
}
