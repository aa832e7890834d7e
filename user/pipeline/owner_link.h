/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What passes between the reader, which must not open anything, and the process
 * that finds owners (owner_process.h): datagrams, a question and its answer. A
 * question has ids, addresses and ports only: nothing that a stranger said.
 */
#ifndef BANNERPROBE_OWNER_LINK_H
#define BANNERPROBE_OWNER_LINK_H

#include "owner/listener.h"
#include "sinks/service_owner.h"

#include <linux/types.h>

/* All of it is compared, so that no byte of it may be undefined. */
struct owner_key {
	struct endpoint server;
	__u64 cgroup;	  /* of the socket, where there is one */
	__u32 uid;	  /* likewise */
	__u32 has_socket; /* 1: as the kernel had it when the packet left */
	__u32 ifindex;	  /* 0, or the interface that the server is behind */
	__u32 reserved;
};

struct owner_question {
	struct owner_key key;
	__u64 number; /* of the question, and of its answer */
};

struct owner_answer {
	__u64 number;
	__u64 started;	/* when the process began, CLOCK_MONOTONIC, ns; or 0 */
	__u32 is_known; /* 0: nothing is */
	__u32 leads_nowhere; /* 1: no service of this host is behind it */
	struct service_owner owner;
};

#endif
