/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A listening TCP socket that a process has open, as the BPF iterator writes
 * it: one record for each file descriptor of each process.
 */
#ifndef BANNERPROBE_HELD_SOCKET_H
#define BANNERPROBE_HELD_SOCKET_H

#define HELD_COMM 16 /* bytes of a comm, TASK_COMM_LEN of the kernel */
#define HELD_UID_UNKNOWN 0xffffffff

struct held_socket {
	__u64 cgroup;	      /* cgroup v2 id of the socket; 0: not known */
	__u64 cookie;	      /* of the socket; 0: the kernel gave none yet */
	__u64 task_cgroup;    /* cgroup v2 id of the process */
	__u64 started;	      /* when the process began: CLOCK_MONOTONIC, ns */
	__u32 address[4];     /* bound to, network byte order; IPv4 in [0] */
	__u32 inode;	      /* of the socket */
	__u32 netns;	      /* inode of the socket's network namespace */
	__u32 task_netns;     /* inode of the process's network namespace */
	__u32 uid;	      /* of the socket, or HELD_UID_UNKNOWN */
	__u32 ifindex;	      /* bound to; 0: to none */
	__u32 pid;	      /* thread group, in the reader's PID namespace */
	__u32 parent;	      /* likewise; 0: outside of that namespace */
	__u16 port;	      /* host byte order */
	__u8 family;	      /* 4 or 6 */
	__u8 v6only;	      /* 1: IPV6_V6ONLY is set */
	char comm[HELD_COMM]; /* of the thread group; any bytes, NUL at the end
			       */
};

#endif
