/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The network namespaces behind interfaces. The kernel numbers the namespaces
 * that this one has to do with (ip-netns(8), nsid), and gives a number anew
 * once its namespace is gone.
 */
#ifndef BANNERPROBE_NAMESPACES_H
#define BANNERPROBE_NAMESPACES_H

#include "diag.h"

#define NAMESPACE_OWN -1 /* as an nsid: the one this process is in */
#define NAMESPACE_PATH 300

/* The far end of an interface. */
struct peer {
	int nsid;	  /* or NAMESPACE_OWN */
	uint32_t ifindex; /* there; 0: not known */
};

typedef void peer_met(const struct peer *peer, void *context);

/*
 * Calls `met` for the far end of a veth, netkit or lo, and for those of the
 * ports of a bridge. 0 or negative errno; -ENODEV: there is no such interface.
 * An interface that leads to a network has no far end.
 */
int namespaces_find_peers(uint32_t ifindex, peer_met *met, void *context);

/* The nsid of a process's or a descriptor's namespace; negative: none, errno.
 */
int namespaces_id_of_pid(uint32_t pid);
int namespaces_id_of_fd(int fd);

/*
 * The inode number of the own network namespace; 0: not known. By /proc, or
 * with CAP_NET_ADMIN by a socket of it.
 */
uint32_t namespaces_own(const struct diag *diag);

/* A namespace that was opened, and what keeps it alive beside us. */
struct netns {
	int fd;
	int nsid;
	uint32_t inode;
	uint32_t pid; /* a process in it; 0: by `path` */
	char path[NAMESPACE_PATH];
};

typedef void netns_met(const struct netns *netns, void *context);

/*
 * Opens all that have an nsid, by the names of `ip netns` and by processes, and
 * closes each after `met`. Others' processes need CAP_SYS_PTRACE.
 */
void namespaces_list(netns_met *met, void *context);

/*
 * Whether what kept a namespace alive does so still. A descriptor or socket of
 * ours keeps it, too, and its interfaces with it: what `ip netns del` leaves
 * behind must be let go.
 */
bool netns_is_alive(const struct netns *netns);

/*
 * A socket for sock_diag in a namespace. The calling thread stays where it is.
 * Needs CAP_SYS_ADMIN. NULL with errno set.
 */
struct diag *netns_open_diag(int fd);

typedef void address_met(const struct endpoint *address, void *context);

/*
 * The addresses of a namespace's interfaces, without ports. CAP_NET_ADMIN is
 * needed for another's than the own. 0 or negative errno.
 */
int namespaces_addresses(int nsid, address_met *met, void *context);

#endif
