/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which program is attached to which hook of an interface, and how it comes
 * off again. Never replaces or detaches another's program.
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
	const char *name; /* of the way, for a person */
	union {
		int link_fd; /* the kernel detaches when it closes */
		struct clsact_filter filter;
	};
};

struct interface {
	char name[IFNAMSIZ];
	const char *asked_name; /* or NULL: it matches a pattern */
	unsigned int index;	/* 0: there is none of that name */
	bool raw_ip;		/* no Ethernet header */
	bool trial;		/* only to see whether it can be attached to */
	bool gone;		/* not attached to: deleted, or not yet, or not
				 * possible */
	bool is_short;		/* the last try failed for want of something */
	enum hook asked;	/* on the command line */
	enum hook first; /* what that and the device come to; never auto */
	struct attachment in, out;
	struct packet_counts device;  /* what it counted when last asked */
	struct packet_counts packets; /* since it was attached to */
	__u64 counted[COUNTER_MAX];   /* on it, under an index that it had */

	/* As published. */
	__u32 published;      /* its place */
	__u32 published_name; /* NO_PLACE: its index stands for nothing */

	/* Of the list that it is in. */
	int place;
	__u32 seen; /* in which look at everything */
	bool is_queued;
	bool failed; /* there was no memory to list it */
	struct interface *prev, *next;
	UT_hash_handle by_index;
};

/* As many links as the system lets this process have. */
void attach_prepare(void);

/*
 * Takes a link for the interface, and finds how to attach to it. 0 or negative
 * errno, told: what was asked for cannot be.
 */
int interface_meet(struct interface *interface, const struct link *link,
		   enum hook hook);

/* The same for one that was gone and comes back. */
int interface_meet_again(struct interface *interface, const struct link *link);

void interface_rename(struct interface *interface, const struct link *link);

/* Whether the interface is to be attached by XDP first. */
bool interface_wants_xdp(const struct interface *interface);

/* Whether filters of clsact are perhaps needed for so many interfaces. */
bool attach_may_need_clsact(int interfaces);

/* Whether an error tells that there is no room: it may be tried again. */
bool interface_is_short_of(int error);

/*
 * Attaches both directions. On trial it does so, too, but for native XDP, which
 * can reset a device: of that it says what the driver says of itself. 0 or
 * negative errno, of which the reason has been told, but for -ENODEV and where
 * interface_is_short_of(); what is attached by then is left to the caller.
 */
int interface_attach(struct interface *interface, struct bannerprobe_bpf *bpf);

/* Says how that was done. */
void interface_tell(const struct interface *interface);

/* What the device counts now. */
void interface_saw_packets(struct interface *interface,
			   const struct packet_counts *counts);

/* Detaches what interface_attach() attached, and nothing else. */
void interface_detach(struct interface *interface);

#endif
