/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The protocol between the reader and the process that finds owners
 * (owner_process.h), since the reader may not open anything: one datagram is a
 * question, one its answer. A question has ids, addresses and ports only, and
 * no bytes of a banner.
 */
#ifndef BANNERPROBE_OWNER_LINK_H
#define BANNERPROBE_OWNER_LINK_H

#include "owner/owner.h"
#include "sinks/service_owner.h"

#include <linux/types.h>

/* Compared as bytes: zeroed before it is filled in. */
struct owner_key {
	struct endpoint server;
	__u64 cgroup;	  /* cgroup v2 id of the socket; 0: not known */
	__u32 uid;	  /* of the socket */
	__u32 has_socket; /* 1: the packet left by the server's socket */
	__u32 ifindex;	  /* without a socket: the interface to the server */
	__u32 reserved;
};

struct owner_question {
	struct owner_key key;
	__u64 number; /* the answer has the same */
};

struct owner_answer {
	__u64 number;
	__u64 started;	/* of the process: CLOCK_MONOTONIC, ns; 0: not known */
	__u32 is_known; /* 0: no owner is known */
	__u32 leads_nowhere; /* 1: no service of this host is behind `ifindex`
			      */
	struct owner_again again;
	struct service_owner owner;
};

#endif
