/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Attaches programs to the hooks of an interface, and detaches them. Never
 * replaces or detaches a program of others.
 */
#ifndef BANNERPROBE_ATTACH_H
#define BANNERPROBE_ATTACH_H

#include "clsact.h"
#include "counters.h"
#include "system/hash_table.h"
#include "links.h"
#include "options/options.h"

#include <linux/if.h>
#include <linux/types.h>
#include <stdbool.h>

struct bannerprobe_bpf;

/* One program on one hook. */
struct attachment {
	enum { DETACHED, ATTACHED_LINK, ATTACHED_TCX, ATTACHED_CLSACT } way;
	const char *name; /* of the hook, for messages */
	union {
		int link_fd; /* the kernel detaches when this is closed */
		struct clsact_filter filter;
	};
};

struct interface {
	char name[IFNAMSIZ];
	const char *asked_name; /* or NULL: it matches a pattern */
	unsigned int index;	/* 0: no interface has that name */
	bool raw_ip;		/* no Ethernet header */
	bool loopback;		/* receives each packet that it transmitted */
	bool trial;		/* --check: to see whether attaching works */
	bool gone;		/* not attached to: deleted, or not yet, or not
				 * possible */
	bool is_short;		/* the last try failed for lack of a resource */
	bool is_doubted;	/* others may have removed its clsact filters */
	enum hook asked;	/* on the command line */
	enum hook first;	/* the hook chosen for the device; never auto */
	struct attachment in, out;
	struct packet_counts device;  /* its counters when last read */
	struct packet_counts packets; /* since attaching */
	__u64 *counted; /* under its earlier indexes; NULL: nothing */

	/* As published (publish.c). */
	__u32 published;      /* place of the interface */
	__u32 published_name; /* number of the name, or NO_PLACE */

	/* For interface_list.c. */
	int place;
	__u32 seen; /* number of the dump that saw it last */
	bool is_queued;
	bool failed; /* there was no memory to list it */
	struct interface *prev, *next;
	UT_hash_handle by_index;
};

/* Raises the limit of open file descriptors as far as the system allows. */
void attach_prepare(void);

/*
 * Notes a link for the interface, and chooses how to attach. 0 or negative
 * errno, with a message: what the user asked for is impossible.
 */
int interface_meet(struct interface *interface, const struct link *link,
		   enum hook hook);

/* The same for an interface that was gone and comes back. */
int interface_meet_again(struct interface *interface, const struct link *link);

void interface_rename(struct interface *interface, const struct link *link);

/* Whether the interface is to be attached by XDP first. */
bool interface_wants_xdp(const struct interface *interface);

/* Whether so many interfaces may need clsact filters. */
bool attach_may_need_clsact(int interfaces);

/*
 * Whether an error means that resources are short: attaching may be tried
 * again.
 */
bool interface_is_short_of(int error);

/*
 * Attaches both directions, or the one that is not attached. With `trial` it
 * attaches, too, except for native XDP, which can reset a device: then it
 * reports what the driver says of itself. 0 or negative errno. A message has
 * given the reason, except for -ENODEV and where interface_is_short_of() holds.
 * The caller detaches what was attached.
 */
int interface_attach(struct interface *interface, struct bannerprobe_bpf *bpf);

/* Prints how the interface was attached. */
void interface_tell(const struct interface *interface);

/* Notes the device's packet counters as they are now. */
void interface_saw_packets(struct interface *interface,
			   const struct packet_counts *counts);

/* Whether another program has removed a clsact filter of the interface. */
bool interface_lost_filter(const struct interface *interface);

/* Forgets such filters: interface_attach() attaches them again, and no more. */
void interface_drop_lost(struct interface *interface);

/* Detaches what interface_attach() attached, and nothing else. */
void interface_detach(struct interface *interface);

/* The same for at most CLSACT_PAIRS_MAX interfaces, which is faster. */
void interfaces_detach_some(struct interface *const *list, int count);

#endif
