/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What rtnetlink tells of links: their names, their kind, what has passed. */
#ifndef BANNERPROBE_LINKS_H
#define BANNERPROBE_LINKS_H

#include <libmnl/libmnl.h>
#include <linux/types.h>
#include <stdbool.h>

/* Packets, as a device counts them. */
struct packet_counts {
	__u64 received, sent;
};

/* A link, as a message tells of it; it lives as long as the message. */
struct link {
	unsigned int index;
	unsigned short type; /* ARPHRD_... */
	bool gone;	     /* deleted, or moved to another namespace */
	const char *name;
	const struct nlattr *others; /* names, or NULL */
	struct packet_counts packets;
	bool has_packets; /* are told */
};

typedef void link_told(const struct link *link, void *context);

/* Reads a message; false: it tells of no link. */
bool link_read(struct link *link, const struct nlmsghdr *header);

/* Whether one of its names is one that `matches`. */
bool link_has_name(const struct link *link,
		   bool (*matches)(const char *name, const void *context),
		   const void *context);

/* Subscribes to changes of links; NULL with errno set on failure. */
struct mnl_socket *links_watch(void);

/* As netlink_take(): `told` of each that was made, changed or deleted. */
int links_take(struct mnl_socket *socket, link_told *told, void *context);

/* Dumps all links as messages, without their counters. Negative errno. */
int links_dump(mnl_cb_t read, void *context);

/* `told` of all links, of each once at least. Negative errno. */
int links_list(link_told *told, void *context);

typedef void packets_told(unsigned int index,
			  const struct packet_counts *packets, void *context);

/* What one link has received and sent, or each of all. Negative errno. */
int links_count_packets(unsigned int index, packets_told *told, void *context);
int links_count_all_packets(packets_told *told, void *context);

#endif
