/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Chooses, among the processes that have a socket open, the one that owns it.
 */
#include "processes.h"

#include <stdlib.h>
#include <string.h>

#define SERVICE_MANAGER 1 /* systemd, which keeps sockets open for others */

/* The descriptors of one socket, by pid. */
struct holders {
	const struct held_socket *first;
	size_t count;
};

static int compare_socket(const struct held_socket *held, uint16_t port,
			  uint32_t inode)
{
	if (held->port != port)
		return held->port < port ? -1 : 1;
	return held->inode < inode ? -1 : held->inode > inode;
}

static int compare(const void *left, const void *right)
{
	const struct held_socket *a = left, *b = right;
	int order = compare_socket(a, b->port, b->inode);

	if (order)
		return order;
	return a->pid < b->pid ? -1 : a->pid > b->pid;
}

void processes_sort(struct held_socket *list, size_t count)
{
	if (count)
		qsort(list, count, sizeof(*list), compare);
}

static struct holders holders_of(const struct held_socket *list, size_t count,
				 uint16_t port, uint32_t inode)
{
	struct holders holders = { list, 0 };
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare_socket(&list[middle], port, inode) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	holders.first = list + low;
	while (low + holders.count < count &&
	       !compare_socket(holders.first + holders.count, port, inode))
		holders.count++;
	return holders;
}

static bool has_pid(struct holders holders, uint32_t pid)
{
	size_t low = 0, high = holders.count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (holders.first[middle].pid == pid)
			return true;
		if (holders.first[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* Process 1's descriptors come first, because its PID is the lowest. */
static void leave_out_manager(struct holders *holders)
{
	size_t held = 0;

	while (held < holders->count &&
	       holders->first[held].pid == SERVICE_MANAGER)
		held++;
	if (held < holders->count) {
		holders->first += held;
		holders->count -= held;
	}
}

/*
 * The process that all others descend from: the only one with a parent that
 * does not have the socket. 0: there are several.
 */
static uint32_t eldest(struct holders holders)
{
	uint32_t found = 0;

	for (size_t i = 0; i < holders.count; i++) {
		const struct held_socket *held = &holders.first[i];

		if (held->pid == found || has_pid(holders, held->parent))
			continue;
		if (found)
			return 0;
		found = held->pid;
	}
	return found;
}

const struct held_socket *processes_holders(const struct held_socket *list,
					    size_t *count, uint16_t port,
					    uint32_t inode)
{
	const struct holders holders = holders_of(list, *count, port, inode);

	*count = holders.count;
	return holders.first;
}

bool processes_find_in(const struct held_socket *list, size_t count,
		       uint16_t port, uint32_t inode, struct process *process)
{
	struct holders holders = holders_of(list, count, port, inode);
	bool same_comm = true, same_cgroup = true;

	*process = (struct process){};
	if (!holders.count)
		return false;
	leave_out_manager(&holders);
	process->started = holders.first->started;
	for (size_t i = 1; i < holders.count; i++) {
		const struct held_socket *held = &holders.first[i];

		same_comm &= !memcmp(held->comm, holders.first->comm,
				     sizeof(held->comm));
		same_cgroup &= held->task_cgroup == holders.first->task_cgroup;
		if (held->started < process->started)
			process->started = held->started;
	}
	if (same_cgroup)
		process->cgroup = holders.first->task_cgroup;
	if (same_comm) {
		memcpy(process->comm, holders.first->comm, HELD_COMM);
		process->comm[HELD_COMM - 1] = '\0';
		process->pid = eldest(holders);
	}
	process->is_manager = holders.first->pid == SERVICE_MANAGER;
	return true;
}
