/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The interfaces that are watched: those that were named, which are waited for
 * when they go, and those that match a pattern, as they come and go.
 */
#ifndef BANNERPROBE_INTERFACES_H
#define BANNERPROBE_INTERFACES_H

#include "attach.h"
#include "options.h"

struct mnl_socket;

struct interfaces {
	const struct options *options; /* names and patterns, and the hook */
	struct bannerprobe_bpf *bpf; /* to be set before the first attaching */
	/* Called when an interface goes, while its index tells its name still.
	 */
	void (*leaving)(unsigned int index, void *context);
	void *context;
	struct interface **list;
	int count;
};

/*
 * Finds what is there of what was asked for. False, with a message: one that
 * was named is not there, or cannot be watched as was asked.
 */
bool interfaces_find(struct interfaces *interfaces);

/* The programs that are needed for them, and for those that may come. */
unsigned int interfaces_programs(const struct interfaces *interfaces);

/*
 * False, with a message: one that was named cannot be attached to. With
 * options->check it is tried, as interface_attach() tries it.
 */
bool interfaces_attach(struct interfaces *interfaces);

/* Says how, of each that is attached to. */
void interfaces_tell(const struct interfaces *interfaces);

/* Detaches from all. May be called more than once. */
void interfaces_detach(struct interfaces *interfaces);
void interfaces_free(struct interfaces *interfaces);

/* A banner was seen on an index: its name, as long as it is watched; else "".
 */
const char *interfaces_banner(struct interfaces *interfaces,
			      unsigned int index);

/*
 * What was counted on an interface since it is watched, but for what is worked
 * out from the table that all share. False where that cannot be told: it is
 * gone, or there was no slot for it (programs_count_interface()).
 */
bool interfaces_read_counters(const struct interfaces *interfaces,
			      const struct interface *interface,
			      __u64 counters[COUNTER_MAX]);

/* Packets that have passed those that are watched, as the devices count. */
__u64 interfaces_count_packets(const struct interfaces *interfaces);

/* Says of each that is watched what has passed and what came of it. */
void interfaces_print_stats(const struct interfaces *interfaces);

/*
 * Reads what has changed (netlink_watch_links()): attaches to what has come,
 * and lets go of what has gone. False, with a message: nothing is watched any
 * more, and nothing is waited for.
 */
bool interfaces_follow(struct interfaces *interfaces, struct mnl_socket *links);

#endif
