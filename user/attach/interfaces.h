/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The interfaces that are watched. Those that were named are waited for when
 * they vanish; those that match a pattern come and go. A name may be any name
 * of a link, and means the link that has the name now.
 */
#ifndef BANNERPROBE_INTERFACES_H
#define BANNERPROBE_INTERFACES_H

#include "attach.h"
#include "options/options.h"
#include "published.h"

struct interfaces {
	const struct options *options; /* names and patterns, and the hook */
	struct bannerprobe_bpf *bpf; /* to be set before the first attaching */
	struct publisher *publisher; /* likewise */
	/* Called when an interface has gone. */
	void (*left)(void *context);
	/* Whether to stop before all is attached. */
	bool (*is_stopped)(void *context);
	void *context;

	struct interface **list;
	int count;
	struct interface *by_index; /* those that are there */
	struct interface *named;    /* to be attached to, in this order, */
	struct interface *others;   /* and then these */
	int queued;
	int waiting;	    /* for an interface of their name to come */
	bool refused;	    /* an interface that was named cannot be watched */
	__u32 look;	    /* number of the latest dump of all links */
	bool stale;	    /* changes were missed */
	__u64 packets_gone; /* by interfaces that are not watched any more */
	bool some_left;	    /* is known: they are watched, or waited for */
	bool recount;	    /* how many are not watched may have changed */
	int not_watched;    /* as reported the last time */
	__u64 told_at;	    /* ns */
};

/*
 * Finds the existing interfaces that were asked for. False, with a message: one
 * that was named does not exist, or cannot be watched as asked.
 */
bool interfaces_find(struct interfaces *interfaces);

/* The programs that are needed for them, and for those that may come. */
unsigned int interfaces_programs(const struct interfaces *interfaces);

/* Whether filters of clsact are perhaps needed for them. */
bool interfaces_may_need_clsact(const struct interfaces *interfaces);

/*
 * Attaches to the interfaces that were named; the others are left to
 * interfaces_work(). False, with a message: one that was named cannot be
 * attached to. With options->check all are tried, as interface_attach() tries
 * them.
 */
bool interfaces_attach(struct interfaces *interfaces);

/* Prints for each attached interface how it was attached. */
void interfaces_tell(const struct interfaces *interfaces);

/*
 * Attaches to the next interface in the queue, and reports how many are not
 * watched when that has changed. `wait`: after how many ms there is more to do;
 * -1: nothing before something changes. False, with a message: nothing is
 * watched any more, and nothing is waited for.
 */
bool interfaces_work(struct interfaces *interfaces, int *wait);

/* Detaches from all. May be called more than once. */
void interfaces_detach(struct interfaces *interfaces);
void interfaces_free(struct interfaces *interfaces);

struct interface *interfaces_by_index(const struct interfaces *interfaces,
				      unsigned int index);

/*
 * What was counted on an interface since it is watched, except for counters
 * that are computed from the shared table. False where that is not known: the
 * interface is gone, or has no slot (programs_count_interface()).
 */
bool interfaces_read_counters(const struct interfaces *interfaces,
			      const struct interface *interface,
			      __u64 counters[COUNTER_MAX]);

/*
 * Reads the packet counters of the watched interfaces' devices. Returns the
 * sum, with those of interfaces that are gone: it never falls.
 */
__u64 interfaces_count_packets(struct interfaces *interfaces);

/* How many existing interfaces were asked for and are not watched in full. */
int interfaces_not_watched(const struct interfaces *interfaces);

/*
 * Publishes the packets and counters of each interface and, with these
 * counters, of all.
 */
void interfaces_publish(struct interfaces *interfaces,
			const __u64 counters[COUNTER_MAX]);

/*
 * Reads changes of links (links_watch()): releases vanished interfaces, and
 * queues new ones.
 */
void interfaces_follow(struct interfaces *interfaces, struct mnl_socket *links);

#endif
