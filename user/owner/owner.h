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
 * For one thread. Nothing is guessed: a value is absent if it is not known, has
 * changed meanwhile, or differs among the sockets that may be the server's. An
 * answer for a known listener takes some microseconds. Unknown ones are looked
 * up at most once a second (pace.h). That takes milliseconds on a large host,
 * and at most a quarter of a second each for cgroups and processes.
 *
 * After owner_open() these system calls are used: bpf(BPF_ITER_CREATE),
 * clock_gettime, close, fcntl, fstat, getdents64, lseek, newfstatat,
 * open_by_handle_at, openat, read, readlink, recvmsg, sendto; without an
 * iterator also setns and clone. If one is refused, less is known. CAP_BPF is
 * needed for processes, CAP_NET_ADMIN for the addresses of other namespaces.
 */
#ifndef BANNERPROBE_OWNER_H
#define BANNERPROBE_OWNER_H

#include "listener.h"

#define OWNER_UID_UNKNOWN 0xffffffff /* as a uid */

/*
 * When the same question would have the same answer: until `until`, if the
 * port's listeners have not changed. That proves its counter, which is the same
 * (kernel_watch.h); without counters the kernel, which still chooses this
 * listener (diag_ask()).
 */
struct owner_again {
	uint64_t until;	   /* CLOCK_MONOTONIC, ns; 0: ask again */
	uint64_t listener; /* its cookie; 0: the kernel was not asked */
	uint64_t counted;  /* the counter */
	uint32_t place;	   /* of the counter (kernel_counters.h); 0: none */
	uint32_t ifindex;  /* to ask the kernel with */
};

/*
 * Texts are NULL where they are not known, and valid until the next call of any
 * function here. A local user may have chosen the bytes of `cgroup` and
 * `process`: escape them. The others are printable ASCII.
 */
struct owner {
	struct owner_again again;
	/*
	 * "ssh.service". For units of a user's own manager, the manager:
	 * "user@1000.service".
	 */
	const char *unit;
	/*
	 * "docker:3f2a91c0b7de"; also containerd, crio, podman, and cri (made
	 * by a kubelet with the cgroupfs driver, which names no runtime). lxc
	 * and nspawn have a name in place of the digits.
	 */
	const char *container;
	const char *pod;      /* uid of a pod: 36 characters, or 32 digits */
	const char *pod_name; /* "namespace/name" */
	const char *cgroup;   /* path below the root of cgroup v2 */
	const char *process;  /* comm, at most 15 bytes */
	uint32_t pid;	      /* in this process's PID namespace; 0 */
	uint32_t uid;	      /* or OWNER_UID_UNKNOWN */
	/*
	 * When the oldest process that has the socket open began or, in another
	 * namespace, when the port's listeners last changed, if that was later:
	 * CLOCK_MONOTONIC, ns; 0: not known. An earlier event is not of this
	 * process.
	 */
	uint64_t started;
	/*
	 * Processes of the unit chose the names of container and pod: a user's
	 * rootless containers, or any process that pretends to be a container.
	 * Show them with the unit only.
	 */
	bool claimed;
};

struct owners;

/* Parts to leave out, for tests and for hosts where they cost too much. */
enum owner_flags {
	OWNER_NO_PROCESSES = 1 << 0,  /* no iterator of open files */
	OWNER_NO_NAMESPACES = 1 << 1, /* no other network namespaces */
	OWNER_NO_POD_NAMES = 1 << 2,
	OWNER_NO_HANDLES = 1 << 3, /* cgroups are found by a walk only */
	OWNER_NO_WATCH = 1 << 4,   /* no counters of the kernel's */
};

/*
 * NULL without memory. Parts that cannot be opened stay unknown; owner_reason()
 * returns why. Without an iterator, a socket is opened in each network
 * namespace behind an interface; namespaces that begin later stay unknown
 * without CAP_SYS_ADMIN.
 */
struct owners *owner_open(unsigned int flags);
void owner_close(struct owners *owners);

/*
 * Reads all listeners, their processes and cgroups, so that the first record
 * need not wait for that. With root's privileges cgroups are found without a
 * walk.
 */
void owner_look_around(struct owners *owners);

/*
 * The kernel's counters, for kernel_counters_map(). The caller closes the
 * descriptor. -1: there are none.
 */
int owner_take_counters(struct owners *owners);

/*
 * Whether any service of this host can be behind the interface. The answer may
 * be cached for a second.
 */
bool owner_leads_to_services(struct owners *owners, uint32_t ifindex);

/* Closes deleted namespaces, which only this process keeps alive. */
void owner_tick(struct owners *owners);

enum owner_part {
	OWNER_CGROUPS,	  /* unit, container, pod, cgroup */
	OWNER_LISTENERS,  /* of this network namespace: pid, process */
	OWNER_PROCESSES,  /* pid, process */
	OWNER_NAMESPACES, /* everything about services behind a veth */
	OWNER_POD_NAMES,
	OWNER_PARTS,
};

/* Why a part is not known, as text without a newline; NULL: it is. */
const char *owner_reason(const struct owners *owners, enum owner_part part);

/* The kernel's values of a server's socket when the banner left (tc egress).
 */
struct owner_socket {
	uint64_t cgroup;	/* bpf_skb_cgroup_id(); 0: not known */
	uint32_t uid;		/* bpf_get_socket_uid(), or OWNER_UID_UNKNOWN */
	struct endpoint server; /* in this network namespace */
};

/*
 * The owner of a connection with packets that left this host. Cgroup and uid
 * are the kernel's values: a connection has the cgroup of its listener, and the
 * uid of the process that accepted it. False: nothing is known, and all of
 * `owner` is absent.
 */
bool owner_of_socket(struct owners *owners, const struct owner_socket *socket,
		     struct owner *owner);

/*
 * The owner of the socket that listens at `server`, in the namespace behind the
 * interface that the server's packets came from (a veth or netkit, a bridge
 * with such ports, lo). 0: in this network namespace; only then server->ifindex
 * is read: the connection's interface, or 0. The address must belong to that
 * namespace, because a container may be a router. False: nothing is known, or
 * there are several owners, and all of `owner` is absent.
 *
 * Must not be called for a packet that this host forwards from a network: its
 * server is behind no such interface, and 0 would mean this host.
 */
bool owner_of_listener(struct owners *owners, uint32_t ifindex,
		       const struct endpoint *server, struct owner *owner);

#endif
