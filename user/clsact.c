/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "clsact.h"

#include "message.h"
#include "netlink.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define EGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)

#define LEFTOVERS_MAX 64 /* in one direction; the rest at the next start */
#define PROGRAM_NAME "bannerprobe_" /* what the names of ours begin with */

/*
 * A process that lives holds an abstract socket for each of its filters, named
 * after the program's ID: the kernel lets go of it with the process, and it
 * is seen exactly where the interface is, in its network namespace. Returns
 * the socket; -EADDRINUSE where another holds it.
 */
static int claim_program(__u32 program_id)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int len = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
			   "bannerprobe/%u", program_id);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			     (size_t)len))) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

/* --- what others left behind ------------------------------------------- */

struct survey {
	struct clsact_filter leftovers[LEFTOVERS_MAX];
	int count; /* of the leftovers */
	int others;
};

static void survey_filter(const struct filter *filter, void *context)
{
	struct survey *survey = context;
	int claim = -EADDRINUSE;

	if (!strncmp(filter->name, PROGRAM_NAME, strlen(PROGRAM_NAME)) &&
	    filter->program_id && survey->count < LEFTOVERS_MAX)
		claim = claim_program(filter->program_id);
	if (claim < 0) {
		survey->others++;
		return;
	}
	survey->leftovers[survey->count++] = (struct clsact_filter){
		.direction = filter->parent == INGRESS ? BPF_TC_INGRESS :
							 BPF_TC_EGRESS,
		.handle = filter->handle,
		.priority = filter->priority,
		.program_id = filter->program_id,
		.claim = claim,
	};
}

/* Returns how many were cleared; *others: filters that are not left over. */
static int clear_leftovers(unsigned int ifindex, int *others)
{
	static const unsigned int parents[] = { INGRESS, EGRESS };
	int cleared = 0;

	*others = 0;
	for (int i = 0; i < 2; i++) {
		struct survey survey = {};

		if (netlink_list_filters(ifindex, parents[i], survey_filter,
					 &survey))
			survey.others++; /* nothing is known: assume the worst
					  */
		for (int j = 0; j < survey.count; j++)
			clsact_detach(&survey.leftovers[j], ifindex);
		cleared += survey.count;
		*others += survey.others;
	}
	return cleared;
}

int clsact_prepare(unsigned int ifindex, bool *made)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int error = bpf_tc_hook_create(&hook);
	int cleared, others;

	if (!error) {
		*made = true;
		return 0;
	}
	if (error != -EEXIST)
		return error;
	cleared = clear_leftovers(ifindex, &others);
	if (cleared)
		message("cleared %d tc filters that an earlier run left behind",
			cleared);
	/* Then that run made the qdisc, as far as one can tell. */
	*made |= cleared && !others;
	return 0;
}

/* --- one's own --------------------------------------------------------- */

int clsact_attach(struct clsact_filter *filter, unsigned int ifindex,
		  enum bpf_tc_attach_point direction, int program)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = direction);
	/* First of all, so that no other's verdict hides a packet... */
	LIBBPF_OPTS(bpf_tc_opts, options, .prog_fd = program, .priority = 1);
	struct bpf_prog_info info = {};
	__u32 info_size = sizeof(info);
	int error = bpf_obj_get_info_by_fd(program, &info, &info_size);
	int claim;

	if (error)
		return error;
	/* Claimed before it is there: another start must not clear it. */
	claim = claim_program(info.id);
	error = bpf_tc_attach(&hook, &options);
	if (error == -EINVAL || error == -EEXIST) {
		/* ... but that priority belongs to another kind of filter. */
		options.priority = 0;
		options.handle = 0;
		error = bpf_tc_attach(&hook, &options);
	}
	if (error) {
		if (claim >= 0)
			close(claim);
		return error;
	}
	*filter = (struct clsact_filter){ .direction = direction,
					  .handle = options.handle,
					  .priority = options.priority,
					  .program_id = options.prog_id,
					  .claim = claim };
	return 0;
}

void clsact_detach(struct clsact_filter *filter, unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = filter->direction);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = filter->handle,
		    .priority = filter->priority);

	/* Whatever has taken its place by now is not touched. */
	if (!bpf_tc_query(&hook, &options) &&
	    options.prog_id == filter->program_id) {
		options.prog_fd = 0;
		options.prog_id = 0;
		options.flags = 0;
		bpf_tc_detach(&hook, &options);
	}
	if (filter->claim >= 0)
		close(filter->claim);
	filter->claim = -1;
}

static void count_filter(const struct filter *filter, void *context)
{
	int *count = context;

	(void)filter;
	(*count)++;
}

void clsact_remove(unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int count = 0;

	/* Removing the qdisc takes everybody's filters along. */
	if (!netlink_list_filters(ifindex, INGRESS, count_filter, &count) &&
	    !netlink_list_filters(ifindex, EGRESS, count_filter, &count) &&
	    !count)
		bpf_tc_hook_destroy(&hook);
}
