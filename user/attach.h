/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which program is attached to which hook of an interface, and how it comes
 * off again. Never replaces or detaches another's program.
 */
#ifndef BANNERPROBE_ATTACH_H
#define BANNERPROBE_ATTACH_H

#include "clsact.h"
#include "counters.h"
#include "options.h"

#include <linux/if.h>
#include <linux/types.h>
#include <stdbool.h>

struct bannerprobe_bpf;

/* One program on one hook. */
struct attachment {
	enum { DETACHED, ATTACHED_LINK, ATTACHED_CLSACT } way;
	const char *name; /* of the way, for a person */
	union {
		int link_fd; /* the kernel detaches when it closes */
		struct clsact_filter filter;
	};
};

/* What passed an interface. */
struct packet_counts {
	__u64 received, sent;
};

struct interface {
	char name[IFNAMSIZ];
	unsigned int index;
	bool raw_ip;	 /* no Ethernet header */
	bool gone;	 /* not attached to yet; or deleted while the program
			  * ran: index is 0, or of one of the name that could
			  * not be attached to */
	bool by_pattern; /* not named, but one of those that match */
	bool trial;	 /* only to see whether it can be attached to */
	enum hook asked; /* on the command line */
	enum hook first; /* what that and the device come to; never auto */
	struct attachment in, out;
	struct packet_counts before; /* when it was attached to */
	__u64 counted[COUNTER_MAX];  /* on it, under an index that it had */
	__u64 banners;		     /* seen on it */
};

/* Finds the interface and how to attach to it; 0 or negative errno, told. */
int interface_find(struct interface *interface, const char *name,
		   enum hook hook);

/*
 * Finds one that was gone and is there again under its name. 0; -ENODEV: it is
 * not there; -EALREADY: it has been tried; otherwise negative errno, told.
 */
int interface_find_again(struct interface *interface);

/* The name that an index has now, or NULL where there is none. */
const char *interface_name_now(unsigned int index, char name[IFNAMSIZ]);

/* Whether the interface is to be attached by XDP first. */
bool interface_wants_xdp(const struct interface *interface);

/*
 * Attaches both directions. On trial it does so, too, but for
 * native XDP, which can reset a device: of that it says what the driver says of
 * itself. 0 or negative errno, of which the
 * reason has been told; what is attached by then is left to the caller.
 */
int interface_attach(struct interface *interface, struct bannerprobe_bpf *bpf);

/* Says how that was done. */
void interface_tell(const struct interface *interface);

/*
 * What has passed since it was attached to, as the device counts. 0 or negative
 * errno.
 */
int interface_count_packets(const struct interface *interface,
			    struct packet_counts *packets);

/* Detaches what interface_attach() attached, and nothing else. */
void interface_detach(struct interface *interface);

#endif
