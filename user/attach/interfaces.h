/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The interfaces that are watched. An interface that the user named is waited
 * for when it vanishes; interfaces that match a pattern come and go. A name may
 * be any of a link's names, and means the link that has the name now.
 */
#ifndef BANNERPROBE_INTERFACES_H
#define BANNERPROBE_INTERFACES_H

#include "attach.h"
#include "options/options.h"
#include "published.h"

struct interfaces {
	const struct options *options; /* names and patterns, and the hook */
	struct bannerprobe_bpf *bpf;   /* set before the first attaching */
	struct publisher *publisher;   /* set before the first attaching */
	/* Called when an interface has gone. */
	void (*left)(void *context);
	/* Whether to stop before all is attached. */
	bool (*is_stopped)(void *context);
	void *context;

	struct interface **list;
	int count;
	struct interface *by_index; /* the existing ones */
	struct interface *named;    /* queue of those that the user named */
	struct interface *others;   /* queue of the others, attached later */
	int queued;
	int waiting;	    /* named interfaces that do not exist now */
	bool refused;	    /* a named interface cannot be watched */
	__u32 look;	    /* number of the latest dump of all links */
	bool stale;	    /* changes were missed */
	__u64 packets_gone; /* of interfaces that are not watched any more */
	bool some_left;	    /* an interface is watched, or waited for */
	bool recount;	    /* not_watched may have changed */
	int not_watched;    /* as last reported */
	__u64 told_at;	    /* ns: when not_watched was last reported */
	__u64 doubts_until; /* ns: when filters are looked at; 0: never */
};

/*
 * Finds the existing interfaces that the user asked for. False, with a message:
 * a named interface does not exist, or cannot be watched as asked.
 */
bool interfaces_find(struct interfaces *interfaces);

/* The programs that these and later interfaces need: enum programs. */
unsigned int interfaces_programs(const struct interfaces *interfaces);

/* Whether the interfaces may need clsact filters. */
bool interfaces_may_need_clsact(const struct interfaces *interfaces);

/*
 * Attaches to the named interfaces; the others are left to interfaces_work().
 * False, with a message: attaching to a named interface failed. With
 * options->check all are tried (`trial` of interface_attach()).
 */
bool interfaces_attach(struct interfaces *interfaces);

/* Prints for each attached interface how it was attached. */
void interfaces_tell(const struct interfaces *interfaces);

/*
 * Attaches to the next interface in the queue, and reports how many are not
 * watched if their number has changed. Looks for filters that others have
 * removed (lost_filters.c). *wait: after how many ms to call again;
 * -1: not before links change. False, with a message: no interface is watched
 * or waited for any more.
 */
bool interfaces_work(struct interfaces *interfaces, int *wait);

/* Queues an interface that has lost a filter to be attached to. */
void interfaces_attach_again(struct interfaces *interfaces,
			     struct interface *interface);

/* Detaches from all interfaces. May be called more than once. */
void interfaces_detach(struct interfaces *interfaces);
void interfaces_free(struct interfaces *interfaces);

struct interface *interfaces_by_index(const struct interfaces *interfaces,
				      unsigned int index);

/*
 * Reads what was counted on an interface since it is watched, except for
 * counters that are computed from the shared table. False: the interface is
 * gone, or has no slot (programs_count_interface()).
 */
bool interfaces_read_counters(const struct interfaces *interfaces,
			      const struct interface *interface,
			      __u64 counters[COUNTER_MAX]);

/*
 * Called when an interface is released, before its index can be used again: the
 * counts of a named one are kept for its return.
 */
void interfaces_forget_counters(const struct interfaces *interfaces,
				struct interface *interface);

/*
 * Reads the packet counters of the watched interfaces' devices. Returns their
 * sum, with the packets of interfaces that are gone, so it never falls.
 */
__u64 interfaces_count_packets(struct interfaces *interfaces);

/*
 * How many existing interfaces the user asked for and are not watched in both
 * directions.
 */
int interfaces_not_watched(const struct interfaces *interfaces);

/*
 * Publishes the packets and counters of each interface, and the sums over all
 * interfaces.
 */
void interfaces_publish(struct interfaces *interfaces,
			const __u64 counters[COUNTER_MAX],
			const struct event_counts *events);

/*
 * Reads changes of links and filters (links_watch()): releases vanished
 * interfaces, and queues new ones.
 */
void interfaces_follow(struct interfaces *interfaces, struct mnl_socket *links);

#endif
