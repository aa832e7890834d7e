/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The owner of a service: the systemd unit, container, pod, user and process
 * that a server's socket of this host belongs to.
 *
 *	owners = owner_open(0);	(as root, before privileges are given up)
 *	for each record, one of
 *		owner_of_socket(owners, &socket, &owner);
 *		owner_of_listener(owners, ifindex, &endpoint, &owner);
 *	once a second: owner_tick(owners);
 *	owner_close(owners);
 *
 * For one thread. Nothing is guessed: what is not known, what has changed
 *since, and what differs among the sockets that may be the server's is absent.
 * An answer for a listener that is known takes some microseconds. Whatever is
 * not known is looked up at most once a second, see pace.h; that takes
 * milliseconds on a large host, and a quarter of a second at most for each of
 * cgroups and processes.
 *
 * Afterwards it uses, of system calls: bpf(BPF_ITER_CREATE), clock_gettime,
 * close, fcntl, fstat, getdents64, lseek, newfstatat, open_by_handle_at,
 * openat, read, readlink, recvmsg, sendto; setns and clone where it was opened
 * without an iterator. Where one is refused, less is known. CAP_BPF is needed
 * for processes, CAP_NET_ADMIN for the addresses of other namespaces.
 */
#ifndef BANNERPROBE_OWNER_H
#define BANNERPROBE_OWNER_H

#include "listener.h"

#define OWNER_UID_UNKNOWN 0xffffffff /* as a uid */

/*
 * Texts are NULL where they are not known, and live until the next call of any
 * function here. `cgroup` and `process` are bytes that a local user chose:
 * escape them. The others are printable ASCII.
 */
struct owner {
	/*
	 * "ssh.service". What a user's own manager runs is of that manager:
	 * "user@1000.service".
	 */
	const char *unit;
	/*
	 * "docker:3f2a91c0b7de"; also containerd, crio, podman, cri (made by a
	 * kubelet, by cgroupfs, which does not say by what), and with a name
	 * lxc and nspawn.
	 */
	const char *container;
	const char *pod;      /* uid of a pod: 36 characters, or 32 digits */
	const char *pod_name; /* "namespace/name" */
	const char *cgroup;   /* path below the root of cgroup v2 */
	const char *process;  /* comm, at most 15 bytes */
	uint32_t pid;	      /* in this process's PID namespace; 0 */
	uint32_t uid;	      /* or OWNER_UID_UNKNOWN */
	/*
	 * When the first of the processes began that have the socket open, ns of
	 * CLOCK_MONOTONIC: what was said before was not said by them. 0: not
	 * known.
	 */
	uint64_t started;
	/*
	 * Container and pod are names that processes of the unit gave: of a
	 * user's rootless containers, which is as it should be, or of anything
	 * that wants to pass for a container. Show them with the unit only.
	 */
	bool claimed;
};

struct owners;

/* What to do without, for tests and for hosts where it costs too much. */
enum owner_flags {
	OWNER_NO_PROCESSES = 1 << 0,  /* no iterator of open files */
	OWNER_NO_NAMESPACES = 1 << 1, /* no other network namespaces */
	OWNER_NO_POD_NAMES = 1 << 2,
	OWNER_NO_HANDLES = 1 << 3, /* cgroups are found by a walk only */
};

/*
 * NULL without memory. What cannot be opened is not known, and owner_reason()
 * says why. Without an iterator a socket is opened in each network namespace
 * behind an interface; those that begin later stay unknown without
 * CAP_SYS_ADMIN.
 */
struct owners *owner_open(unsigned int flags);
void owner_close(struct owners *owners);

/*
 * Whether a service of this host can be behind the interface at all. An answer
 * stays true for a second.
 */
bool owner_leads_to_services(struct owners *owners, uint32_t ifindex);

/* Lets go what only this library keeps alive: namespaces that were deleted. */
void owner_tick(struct owners *owners);

enum owner_part {
	OWNER_CGROUPS,	  /* unit, container, pod, cgroup */
	OWNER_LISTENERS,  /* of this network namespace: pid, process */
	OWNER_PROCESSES,  /* pid, process */
	OWNER_NAMESPACES, /* all, of services behind a veth */
	OWNER_POD_NAMES,
	OWNER_PARTS,
};

/* Why a part cannot be known, in one line without a newline; NULL: it can. */
const char *owner_reason(const struct owners *owners, enum owner_part part);

/* A server's connection as the kernel had it when the banner left (tc egress).
 */
struct owner_socket {
	uint64_t cgroup;	/* bpf_skb_cgroup_id(); 0: not known */
	uint32_t uid;		/* bpf_get_socket_uid(), or OWNER_UID_UNKNOWN */
	struct endpoint server; /* in this network namespace */
};

/*
 * Of a connection that left this host. Its cgroup and uid are the kernel's
 * word; a connection has the cgroup of its listener, and the uid of the process
 * that accepted it. False: nothing is known, and all of `owner` is absent.
 */
bool owner_of_socket(struct owners *owners, const struct owner_socket *socket,
		     struct owner *owner);

/*
 * Of what listens at `server`, behind the interface by which its packets came
 * (a veth or netkit, a bridge with such ports, lo); 0: in this network
 * namespace. `server->ifindex` is then the connection's interface or 0; else it
 * is not read. The address must be one of that namespace: a container may be a
 * router. False: nothing is known, or it is not one owner, and all of `owner`
 * is absent.
 *
 * Not for a packet that this host only forwards from a network: no interface of
 * that kind leads to its server, and 0 would be a lie.
 */
bool owner_of_listener(struct owners *owners, uint32_t ifindex,
		       const struct endpoint *server, struct owner *owner);

#endif
