/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "newcomers.h"

#include "links.h"
#include "system/message.h"
#include "system/netlink.h"

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

bool newcomers_watch(struct newcomers *newcomers)
{
	*newcomers = (struct newcomers){ .socket = netlink_watch(RTMGRP_TC) };
	return newcomers->socket;
}

void newcomers_end(struct newcomers *newcomers)
{
	netlink_close(newcomers->socket);
}

static struct newcomer *find(struct newcomers *newcomers, unsigned int index)
{
	for (size_t i = 0; i < newcomers->count; i++) {
		if (newcomers->list[i].index == index)
			return &newcomers->list[i];
	}
	return NULL;
}

static void add(struct newcomers *newcomers, unsigned int index)
{
	if (newcomers->count == NEWCOMERS_MAX)
		newcomers->some_missed = true;
	else
		newcomers->list[newcomers->count++] =
			(struct newcomer){ .index = index };
}

static int on_change(const struct nlmsghdr *header, void *context)
{
	const struct tcmsg *message = mnl_nlmsg_get_payload(header);
	const unsigned int index = (unsigned int)message->tcm_ifindex;
	struct newcomers *newcomers = context;
	struct newcomer *known = find(newcomers, index);

	if (header->nlmsg_type == RTM_NEWTFILTER && !known)
		add(newcomers, index);
	else if (header->nlmsg_type == RTM_DELQDISC && known &&
		 message->tcm_parent == TC_H_CLSACT)
		known->is_lost = true;
	return MNL_CB_OK;
}

/* The messages come in the order of what they report. */
static void take(struct newcomers *newcomers)
{
	if (newcomers->socket &&
	    netlink_take(newcomers->socket, on_change, newcomers))
		newcomers->some_missed = true;
}

bool newcomers_came(struct newcomers *newcomers, unsigned int index)
{
	take(newcomers);
	return newcomers->some_missed || find(newcomers, index);
}

/* --- what was lost -------------------------------------------------------- */

static void report_if_it_is(const struct link *link, void *context)
{
	unsigned int *index = context;

	if (link->index != *index)
		return;
	message("%s: a tc filter that another program added at this moment was "
		"removed with the clsact qdisc: add it again",
		link->name);
	*index = 0; /* an interrupted dump may report a link again */
}

void newcomers_report(struct newcomers *newcomers, unsigned int index)
{
	const struct newcomer *newcomer;

	take(newcomers);
	newcomer = find(newcomers, index);
	if (newcomer && newcomer->is_lost)
		links_list(report_if_it_is, &index);
}
