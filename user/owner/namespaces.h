/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The network namespaces behind interfaces. A namespace has numbers (nsid,
 * ip-netns(8)) for the namespaces that it is linked to. The kernel may reuse a
 * number once its namespace is gone.
 */
#ifndef BANNERPROBE_NAMESPACES_H
#define BANNERPROBE_NAMESPACES_H

#include "diag.h"

#define NAMESPACE_OWN -1 /* as an nsid: the namespace of this process */
#define NAMESPACE_PATH 300

/* The far end of an interface. */
struct peer {
	int nsid;	  /* or NAMESPACE_OWN */
	uint32_t ifindex; /* in that namespace; 0: not known */
};

typedef void peer_met(const struct peer *peer, void *context);

/*
 * Calls `met` for the far end of a veth, netkit or lo, and of each such port of
 * a bridge. An interface that leads to a network has no far end. 0 or negative
 * errno; -ENODEV: there is no such interface.
 */
int namespaces_find_peers(uint32_t ifindex, peer_met *met, void *context);

/* The nsid of a process's or descriptor's namespace; or negative errno.
 */
int namespaces_id_of_pid(uint32_t pid);
int namespaces_id_of_fd(int fd);

/*
 * The inode number of this process's network namespace, by /proc or, with
 * CAP_NET_ADMIN, by a socket. 0: not known.
 */
uint32_t namespaces_own(const struct diag *diag);

/* An open namespace, and what else keeps it alive: a process or a path. */
struct netns {
	int fd;
	int nsid;
	uint32_t inode;
	uint32_t pid; /* a process in it; 0: `path` keeps it */
	char path[NAMESPACE_PATH];
};

typedef void netns_met(const struct netns *netns, void *context);

/*
 * Opens all namespaces with an nsid, by the names of `ip netns` and by
 * processes, and closes each after `met`. Processes of other users need
 * CAP_SYS_PTRACE.
 */
void namespaces_list(netns_met *met, void *context);

/*
 * Whether the process or path still keeps a namespace alive. A descriptor or
 * socket of this process keeps it, too, with its interfaces, so it has to be
 * closed after `ip netns del`.
 */
bool netns_is_alive(const struct netns *netns);

/*
 * A socket for sock_diag in a namespace. The calling thread stays in its own
 * namespace. Needs CAP_SYS_ADMIN. NULL with errno set.
 */
struct diag *netns_open_diag(int fd);

typedef void address_met(const struct endpoint *address, void *context);

/*
 * The addresses of a namespace's interfaces, without ports. Another namespace
 * than the own needs CAP_NET_ADMIN. 0 or negative errno.
 */
int namespaces_addresses(int nsid, address_met *met, void *context);

#endif
