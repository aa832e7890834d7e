/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "owner.h"

#include "cgroup_ids.h"
#include "kernel_watch.h"
#include "pod_names.h"
#include "processes.h"
#include "views.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INIT_SCOPE "init.scope" /* where systemd itself runs */
#define SOCKET_UNIT ".socket"

struct owners {
	struct cgroup_ids *cgroups;
	struct pod_names *pods;
	struct kernel_watch *watch;  /* or NULL */
	struct processes *processes; /* NULL: OWNER_NO_PROCESSES */
	struct views *views;
	char comm[HELD_COMM]; /* of the last answer */
};

/* --- opening ---------------------------------------------------------------*/

static bool open_parts(struct owners *owners, unsigned int flags)
{
	const uint64_t *counters = NULL;

	if (!(flags & OWNER_NO_WATCH))
		owners->watch = kernel_watch_open(namespaces_own(NULL));
	if (owners->watch)
		counters = kernel_watch_counters(owners->watch);
	owners->cgroups = cgroup_ids_open(
		NULL, flags & OWNER_NO_HANDLES ? CGROUP_IDS_WALK : 0);
	if (!owners->cgroups)
		return false;
	if (!(flags & OWNER_NO_POD_NAMES)) {
		owners->pods = pod_names_open(NULL);
		if (!owners->pods)
			return false;
	}
	if (!(flags & OWNER_NO_PROCESSES)) {
		owners->processes = processes_open(counters);
		if (!owners->processes)
			return false;
	}
	owners->views = views_open(owners->processes, counters,
				   !(flags & OWNER_NO_NAMESPACES));
	return owners->views;
}

struct owners *owner_open(unsigned int flags)
{
	struct owners *owners = calloc(1, sizeof(*owners));

	if (owners && open_parts(owners, flags))
		return owners;
	owner_close(owners);
	return NULL;
}

void owner_close(struct owners *owners)
{
	if (!owners)
		return;
	views_close(owners->views);
	processes_close(owners->processes);
	kernel_watch_close(owners->watch);
	pod_names_close(owners->pods);
	cgroup_ids_close(owners->cgroups);
	free(owners);
}

int owner_take_counters(struct owners *owners)
{
	return owners->watch ? kernel_watch_take_fd(owners->watch) : -1;
}

bool owner_leads_to_services(struct owners *owners, uint32_t ifindex)
{
	return views_lead(owners->views, ifindex);
}

void owner_tick(struct owners *owners)
{
	views_tick(owners->views);
}

const char *owner_reason(const struct owners *owners, enum owner_part part)
{
	switch (part) {
	case OWNER_CGROUPS:
		return cgroup_ids_reason(owners->cgroups);
	case OWNER_LISTENERS:
		return views_reason(owners->views);
	case OWNER_PROCESSES:
		return owners->processes ?
			       processes_reason(owners->processes) :
			       "not asked for: pid and process are not known";
	case OWNER_NAMESPACES:
		return views_peers_reason(owners->views);
	case OWNER_POD_NAMES:
		return owners->pods ?
			       pod_names_reason(owners->pods) :
			       "not asked for: names of pods are not known";
	default:
		return NULL;
	}
}

/* --- answers ---------------------------------------------------------------*/

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

/* Fills in unit, container and pod, which the cgroup's path names. */
static void tell_cgroup(struct owners *owners, uint64_t id, struct owner *owner)
{
	const struct cgroup *cgroup = cgroup_ids_find(owners->cgroups, id);

	if (!cgroup)
		return;
	owner->cgroup = cgroup->path;
	owner->unit = or_null(cgroup->owner.unit);
	owner->container = or_null(cgroup->owner.container);
	owner->pod = or_null(cgroup->owner.pod);
	owner->pod_name = NULL;
	owner->claimed = cgroup->owner.claimed;
	if (owner->pod && owners->pods && !owner->claimed)
		owner->pod_name = pod_names_find(owners->pods, owner->pod);
}

static bool find_process(struct owners *owners, const struct listener *listener,
			 struct process *process)
{
	const uint16_t port = listener->bound.port;

	if (!owners->processes)
		return false;
	if (!processes_confirm(owners->processes, port, listener->inode))
		processes_refresh(owners->processes, false);
	if (processes_find(owners->processes, port, listener->inode, process))
		return true;
	return processes_refresh(owners->processes, true) &&
	       processes_find(owners->processes, port, listener->inode,
			      process);
}

/* Finds what the processes of all members of a group have in common. */
static bool find_processes(struct owners *owners, const struct group *group,
			   struct process *common)
{
	struct process process;

	if (group->count > GROUP_MAX ||
	    !find_process(owners, group->member[0], common))
		return false;
	for (size_t i = 1; i < group->count; i++) {
		if (!find_process(owners, group->member[i], &process))
			return false;
		if (common->pid != process.pid)
			common->pid = 0;
		if (memcmp(common->comm, process.comm, HELD_COMM))
			memset(common->comm, 0, HELD_COMM);
		if (common->cgroup != process.cgroup)
			common->cgroup = 0;
		common->is_manager |= process.is_manager;
		if (process.started < common->started)
			common->started = process.started;
		if (process.due < common->due)
			common->due = process.due;
	}
	return true;
}

/*
 * Whether systemd made a socket of this unit. It does so in its own cgroup, or
 * in that of the .socket unit, if that has one.
 */
static bool is_systemds(const char *unit)
{
	const size_t len = strlen(unit), suffix = strlen(SOCKET_UNIT);

	return !strcmp(unit, INIT_SCOPE) ||
	       (len > suffix && !strcmp(unit + len - suffix, SOCKET_UNIT));
}

/*
 * Fills in the process; *due: until then it is not read again. Where systemd
 * made the socket and passed it to a service, the cgroup is that of the
 * service's process.
 */
static bool tell_process(struct owners *owners, const struct group *group,
			 struct owner *owner, uint64_t *due)
{
	struct process process;

	if (!find_processes(owners, group, &process))
		return false;
	*due = process.due;
	memcpy(owners->comm, process.comm, HELD_COMM);
	owner->process = or_null(owners->comm);
	owner->pid = process.pid;
	owner->started = process.started;
	if (owner->unit && is_systemds(owner->unit) && !process.is_manager &&
	    process.cgroup)
		tell_cgroup(owners, process.cgroup, owner);
	return true;
}

/*
 * Only for a whole answer: what is missing is looked for each time. When
 * processes are read again, and what else was.
 */
static struct owner_again again(const struct group *group, uint64_t processes,
				uint64_t others)
{
	const struct endpoint *bound = &group->member[0]->bound;

	return (struct owner_again){
		.until = others < processes ? others : processes,
		.listener = group->chosen,
		.counted = group->counted,
		.place = group->place,
		.ifindex = bound->ifindex,
	};
}

static void clear(struct owner *owner)
{
	*owner = (struct owner){ .uid = OWNER_UID_UNKNOWN };
}

static bool is_known(const struct owner *owner)
{
	return owner->cgroup || owner->process || owner->pid ||
	       owner->uid != OWNER_UID_UNKNOWN;
}

bool owner_of_socket(struct owners *owners, const struct owner_socket *socket,
		     struct owner *owner)
{
	struct group group;
	uint64_t due;
	bool has_listener = views_find_own(owners->views, &socket->server,
					   socket->cgroup, &group) &&
			    group.agrees;

	clear(owner);
	owner->uid = socket->uid;
	if (socket->cgroup)
		tell_cgroup(owners, socket->cgroup, owner);
	else if (has_listener)
		tell_cgroup(owners, group.member[0]->cgroup, owner);
	if (has_listener && tell_process(owners, &group, owner, &due) &&
	    group.chosen)
		owner->again = again(&group, due, views_own_due(owners->views));
	return is_known(owner);
}

bool owner_of_listener(struct owners *owners, uint32_t ifindex,
		       const struct endpoint *server, struct owner *owner)
{
	struct group group;
	uint64_t due;

	clear(owner);
	if (!views_find(owners->views, ifindex, server, &group) ||
	    !group.agrees)
		return false;
	owner->uid = group.member[0]->uid;
	tell_cgroup(owners, group.member[0]->cgroup, owner);
	if (tell_process(owners, &group, owner, &due) && ifindex &&
	    group.place && !group.chosen)
		owner->again = again(&group, due,
				     views_far_due(owners->views, ifindex));
	/* An earlier event may be of an earlier listener. */
	if (!group.chosen && group.place && owner->started < group.counted)
		owner->started = group.counted;
	return is_known(owner);
}

/* --- before the first question ---------------------------------------------*/

void owner_look_around(struct owners *owners)
{
	const struct owner_socket nowhere = { .uid = OWNER_UID_UNKNOWN,
					      .server = { .family = 4 } };
	const struct held_socket *held;
	struct owner owner;
	size_t count;

	owner_of_socket(owners, &nowhere, &owner);
	if (!owners->processes)
		return;
	processes_refresh(owners->processes, false);
	held = processes_list(owners->processes, &count);
	for (size_t i = 0; i < count; i++) {
		cgroup_ids_find(owners->cgroups, held[i].cgroup);
		cgroup_ids_find(owners->cgroups, held[i].task_cgroup);
	}
}
