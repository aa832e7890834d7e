/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Links, as rtnetlink reports them: names, kind, packet counters. */
#ifndef BANNERPROBE_LINKS_H
#define BANNERPROBE_LINKS_H

#include <libmnl/libmnl.h>
#include <linux/types.h>
#include <stdbool.h>

/* Packets, as a device counts them. */
struct packet_counts {
	__u64 received, sent;
};

/* A link, as a message describes it; valid as long as the message. */
struct link {
	unsigned int index;
	unsigned short type; /* ARPHRD_... */
	bool gone;	     /* deleted, or moved to another namespace */
	const char *name;
	const struct nlattr *others; /* its other names, or NULL */
	struct packet_counts packets;
	bool has_packets; /* `packets` is set */
};

typedef void link_told(const struct link *link, void *context);

/* Reads a message; false: its subject is not a link. */
bool link_read(struct link *link, const struct nlmsghdr *header);

/* Whether `matches` accepts one of the link's names. */
bool link_has_name(const struct link *link,
		   bool (*matches)(const char *name, const void *context),
		   const void *context);

typedef void filter_gone_told(unsigned int index, void *context);

/*
 * Subscribes to changes of links, and of tc filters; NULL with errno set on
 * failure.
 */
struct mnl_socket *links_watch(bool filters);

/*
 * Reads messages as netlink_take() does. Calls `told` for each link that was
 * made, changed or deleted, and `filter_gone` with the link's index where
 * filters or a qdisc were removed.
 */
int links_take(struct mnl_socket *socket, link_told *told,
	       filter_gone_told *filter_gone, void *context);

/* Dumps all links as messages, without their counters. Negative errno. */
int links_dump(mnl_cb_t read, void *context);

/* Calls `told` for all links, for each at least once. Negative errno. */
int links_list(link_told *told, void *context);

typedef void packets_told(unsigned int index,
			  const struct packet_counts *packets, void *context);

/*
 * Calls `told` with the packet counters of one link, or of each link. Negative
 * errno.
 */
int links_count_packets(unsigned int index, packets_told *told, void *context);
int links_count_all_packets(packets_told *told, void *context);

#endif
