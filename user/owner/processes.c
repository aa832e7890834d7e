/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "processes.h"

#include "kernel_watch.h"
#include "one_process.h"
#include "pace.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "owner.skel.h"

#define READ_NS                                                                \
	250000000ULL /* of processor time, that a reading takes at most */
#define ROOM_FIRST 256
#define CONFIRMED_MAX 64 /* sockets that are remembered */
#define ONE_MAX 64	 /* listening sockets of a process that is read alone */

/* A socket that its processes still had open. */
struct confirmed {
	uint32_t inode;
	uint64_t until; /* CLOCK_MONOTONIC, ns */
};

/* What confirming has taken of the processor, in a second. */
struct budget {
	uint64_t begun; /* CLOCK_MONOTONIC, ns */
	uint64_t spent; /* ns */
};

struct processes {
	struct bpf_link *iterator; /* NULL: there is none */
	int program;		   /* of the iterator; -1 */
	char reason[256];
	struct pace aged, missed;
	struct held_socket *list;
	size_t count, room;
	bool is_known;
	unsigned int readings;
	uint64_t read; /* when the list was read: CLOCK_MONOTONIC, ns */
	uint64_t cost; /* what that took of the processor, ns */
	const uint64_t *counters;      /* or NULL: nothing is confirmed */
	uint64_t listed[COUNTERS_ALL]; /* them, before the list was read */
	struct budget budget;
	struct confirmed confirmed[CONFIRMED_MAX]; /* by inode */
	struct held_socket one[ONE_MAX];
};

/* --- opening ---------------------------------------------------------------*/

static struct bpf_link *attach(int *program, int *error)
{
	struct owner_bpf *bpf = owner_bpf__open();
	struct bpf_link *link = NULL;

	*error = bpf ? 0 : errno;
	if (!bpf)
		return NULL;
	*error = -owner_bpf__load(bpf);
	if (!*error) {
		link = bpf_program__attach_iter(bpf->progs.listening_sockets,
						NULL);
		*error = link ? 0 : errno;
		*program = fcntl(bpf_program__fd(bpf->progs.listening_sockets),
				 F_DUPFD_CLOEXEC, 0);
	}
	/* The link keeps the program loaded. */
	owner_bpf__destroy(bpf);
	return link;
}

struct processes *processes_open(const uint64_t *counters)
{
	struct processes *processes = calloc(1, sizeof(*processes));
	int error;

	if (!processes)
		return NULL;
	processes->counters = counters;
	processes->program = -1;
	processes->iterator = attach(&processes->program, &error);
	if (!processes->iterator)
		snprintf(processes->reason, sizeof(processes->reason),
			 "no BPF iterator of open files (%s), which needs "
			 "Linux 5.8 with /sys/kernel/btf/vmlinux, CAP_BPF and "
			 "CAP_PERFMON: pid and process are not known",
			 strerror(error));
	return processes;
}

void processes_close(struct processes *processes)
{
	if (!processes)
		return;
	bpf_link__destroy(processes->iterator);
	if (processes->program >= 0)
		close(processes->program);
	free(processes->list);
	free(processes);
}

const char *processes_reason(const struct processes *processes)
{
	return processes->reason[0] ? processes->reason : NULL;
}

/* --- reading ---------------------------------------------------------------*/

static bool make_room(struct processes *processes)
{
	size_t room = processes->room ? 2 * processes->room : ROOM_FIRST;
	struct held_socket *list;

	if (processes->room >= PROCESSES_HELD_MAX)
		return false;
	list = reallocarray(processes->list, room, sizeof(*list));
	if (!list)
		return false;
	processes->list = list;
	processes->room = room;
	return true;
}

/*
 * Reads all records. One read(2) may end within a record. False: there are too
 * many, reading took too long, or the kernel refused.
 */
static bool read_all(struct processes *processes, int fd)
{
	const uint64_t end = pace_processor() + READ_NS;
	size_t len = 0;
	ssize_t got;

	do {
		size_t size = processes->room * sizeof(*processes->list);

		if (len == size) {
			if (!make_room(processes))
				return false;
			size = processes->room * sizeof(*processes->list);
		}
		got = read(fd, (char *)processes->list + len, size - len);
		if (got > 0)
			len += (size_t)got;
		/*
		 * EAGAIN: the iterator passed a million files without a record.
		 */
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (pace_processor() > end)
			return false;
	} while (got);
	processes->count = len / sizeof(*processes->list);
	return true;
}

static void read_iterator(struct processes *processes)
{
	const uint64_t begun = pace_processor();
	int fd = bpf_iter_create(bpf_link__fd(processes->iterator));

	processes->read = monotonic_ns();
	if (processes->counters)
		kernel_counters_copy(processes->listed, processes->counters, 0,
				     COUNTERS_ALL);
	processes->count = 0;
	processes->is_known = fd >= 0 && read_all(processes, fd);
	if (fd >= 0)
		close(fd);
	processes_sort(processes->list, processes->count);
	processes->readings++;
	processes->cost = pace_processor() - begun;
}

bool processes_refresh(struct processes *processes, bool is_missing)
{
	struct pace *pace = is_missing ? &processes->missed : &processes->aged;

	if (!processes->iterator || !pace_is_due(pace, monotonic_ns()))
		return false;
	pace_begin(pace);
	read_iterator(processes);
	pace_end(pace);
	/* This reading also counts as the periodic one. */
	if (is_missing)
		processes->aged = processes->missed;
	return true;
}

unsigned int processes_readings(const struct processes *processes)
{
	return processes->readings;
}

bool processes_are_known(const struct processes *processes)
{
	return processes->is_known;
}

const struct held_socket *processes_list(const struct processes *processes,
					 size_t *count)
{
	*count = processes->count;
	return processes->list;
}

bool processes_find(const struct processes *processes, uint16_t port,
		    uint32_t inode, struct process *process)
{
	const struct confirmed *confirmed =
		&processes->confirmed[inode % CONFIRMED_MAX];

	*process = (struct process){};
	if (!inode || !processes->is_known ||
	    !processes_find_in(processes->list, processes->count, port, inode,
			       process))
		return false;
	process->due = processes->aged.next;
	if (confirmed->inode == inode && confirmed->until > process->due)
		process->due = confirmed->until;
	return true;
}

/* --- confirming ------------------------------------------------------------*/

bool processes_counted(const struct processes *processes, uint32_t place,
		       uint64_t *listed)
{
	*listed = processes->listed[place];
	return processes->counters && processes->readings &&
	       kernel_count(processes->counters, place) == *listed;
}

/* Whether a process may have got a child since all were read. */
static bool has_forked(const struct processes *processes,
		       const struct held_socket *held)
{
	uint64_t forks;

	return !processes_counted(processes, counter_of_forks(held->started),
				  &forks);
}

/* Whether a process has the same descriptors of a socket as before. */
static bool is_same(struct processes *processes,
		    const struct held_socket *before, size_t count)
{
	const ssize_t all = one_process_read(processes->program, before->pid,
					     processes->one, ONE_MAX);
	size_t same = 0;

	for (ssize_t i = 0; i < all; i++) {
		const struct held_socket *now = &processes->one[i];

		if (now->inode != before->inode)
			continue;
		if (memcmp(now, before, sizeof(*now)))
			return false;
		same++;
	}
	return same == count;
}

static bool are_same(struct processes *processes, uint16_t port, uint32_t inode)
{
	size_t count = processes->count, first = 0;
	const struct held_socket *held =
		processes_holders(processes->list, &count, port, inode);

	while (first < count) {
		size_t next = first + 1;

		while (next < count && held[next].pid == held[first].pid)
			next++;
		/* One without a number, outside of the PID namespace. */
		if (!held[first].pid || has_forked(processes, &held[first]) ||
		    !is_same(processes, &held[first], next - first))
			return false;
		first = next;
	}
	return count;
}

/*
 * Confirming is for few sockets with few processes: it takes as long as reading
 * all of them, in each second, and a little more at most.
 */
static bool is_cheaper(struct processes *processes, uint64_t now)
{
	struct budget *budget = &processes->budget;

	if (now >= budget->begun + NS_PER_SECOND)
		*budget = (struct budget){ .begun = now };
	return budget->spent < processes->cost;
}

bool processes_confirm(struct processes *processes, uint16_t port,
		       uint32_t inode)
{
	struct confirmed *confirmed =
		&processes->confirmed[inode % CONFIRMED_MAX];
	const uint64_t now = monotonic_ns();
	uint64_t begun;
	bool is_confirmed;

	if (!pace_is_due(&processes->aged, now) ||
	    (confirmed->inode == inode && now < confirmed->until))
		return true;
	if (!processes->counters || !processes->is_known ||
	    !is_cheaper(processes, now) ||
	    now >= processes->read +
			    PROCESSES_CONFIRMED_SECONDS * NS_PER_SECOND)
		return false;
	begun = pace_processor();
	is_confirmed = are_same(processes, port, inode);
	processes->budget.spent += pace_processor() - begun;
	if (is_confirmed)
		*confirmed = (struct confirmed){ inode, now + NS_PER_SECOND };
	return is_confirmed;
}
