/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "processes.h"

#include "pace.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "owner.skel.h"

#define READ_NS                                                                \
	250000000ULL /* of processor time, that a reading takes at most */
#define ROOM_FIRST 256

struct processes {
	struct bpf_link *iterator; /* NULL: there is none */
	char reason[256];
	struct pace aged, missed;
	struct held_socket *list;
	size_t count, room;
	bool is_known;
	unsigned int readings;
};

/* --- opening ---------------------------------------------------------------*/

static struct bpf_link *attach(int *error)
{
	struct owner_bpf *bpf = owner_bpf__open();
	struct bpf_link *link = NULL;

	*error = bpf ? 0 : errno;
	if (!bpf)
		return NULL;
	/* Those are for port_watch.c: not each kernel has what they need. */
	bpf_program__set_autoload(bpf->progs.listening_begins, false);
	bpf_program__set_autoload(bpf->progs.listening_ends, false);
	bpf_program__set_autoload(bpf->progs.listening_state, false);
	*error = -owner_bpf__load(bpf);
	if (!*error) {
		link = bpf_program__attach_iter(bpf->progs.listening_sockets,
						NULL);
		*error = link ? 0 : errno;
	}
	/* The link keeps the program loaded. */
	owner_bpf__destroy(bpf);
	return link;
}

struct processes *processes_open(void)
{
	struct processes *processes = calloc(1, sizeof(*processes));
	int error;

	if (!processes)
		return NULL;
	processes->iterator = attach(&error);
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
	int fd = bpf_iter_create(bpf_link__fd(processes->iterator));

	processes->count = 0;
	processes->is_known = fd >= 0 && read_all(processes, fd);
	if (fd >= 0)
		close(fd);
	processes_sort(processes->list, processes->count);
	processes->readings++;
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

uint64_t processes_due(const struct processes *processes)
{
	return processes->aged.next;
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
	*process = (struct process){};
	return inode && processes->is_known &&
	       processes_find_in(processes->list, processes->count, port, inode,
				 process);
}
