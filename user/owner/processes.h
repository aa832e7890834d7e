/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds the processes that have a listening socket open, by a BPF iterator over
 * the files of all tasks (Linux 5.8 with BTF). Loading and attaching it needs
 * CAP_BPF and CAP_PERFMON; reading it needs CAP_BPF, on newer kernels nothing.
 * It shows the processes of the reader's PID namespace.
 */
#ifndef BANNERPROBE_PROCESSES_H
#define BANNERPROBE_PROCESSES_H

#include <linux/types.h>

#include "held_socket.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The most open listening sockets, of all processes together. If there are
 * more, no process is known: so a local user can hide all processes by opening
 * that many sockets.
 */
#define PROCESSES_HELD_MAX 32768

#define PROCESSES_CONFIRMED_SECONDS 5 /* until all are read again */

struct processes;

/*
 * `counters`: of kernel_watch.h, or NULL. NULL without memory. Without an
 * iterator no process is found.
 */
struct processes *processes_open(const uint64_t *counters);
void processes_close(struct processes *processes);

/* Why no process can be found, in one line; NULL: they can be. */
const char *processes_reason(const struct processes *processes);

/*
 * Reads the iterator again if that is due (pace.h). `is_missing`: because a
 * socket is not known; otherwise because time has passed. True: it was read.
 */
bool processes_refresh(struct processes *processes, bool is_missing);

/* How often it was read. */
unsigned int processes_readings(const struct processes *processes);

/*
 * Whether what is known of a socket's processes is a second old at most: by the
 * last reading, or because each of them still has it open, has the same name
 * and cgroup, and has not forked. That reads the files of these processes only.
 * Not seen is a process that another one has handed the socket and that keeps
 * it, too: all are read after PROCESSES_CONFIRMED_SECONDS. False: all should be
 * read now.
 */
bool processes_confirm(struct processes *processes, uint16_t port,
		       uint32_t inode);

/*
 * A counter as it was when the last reading began. False: it has changed since
 * then, or nothing is counted.
 */
bool processes_counted(const struct processes *processes, uint32_t place,
		       uint64_t *listed);

/* Whether the last reading was complete. */
bool processes_are_known(const struct processes *processes);

/* The records read, one for each descriptor, sorted by port and inode. */
const struct held_socket *processes_list(const struct processes *processes,
					 size_t *count);

struct process {
	uint32_t pid;	      /* 0: several, and none is the others' ancestor */
	char comm[HELD_COMM]; /* any bytes; "": different ones */
	uint64_t cgroup;      /* of the process; 0: different ones */
	uint64_t started;     /* of the oldest: CLOCK_MONOTONIC, ns */
	uint64_t due;	      /* until then it is read again only if missing */
	bool is_manager; /* it is process 1, which holds sockets for others */
};

/*
 * Finds the process of a socket in the last reading. Where several have the
 * socket open, as a server and its workers do, it is the one that all others
 * descend from. Process 1 counts only if no other process has the socket.
 * False: no process has the socket open.
 */
bool processes_find(const struct processes *processes, uint16_t port,
		    uint32_t inode, struct process *process);

/* The same for a list in the order of processes_list(), without `due`. */
void processes_sort(struct held_socket *list, size_t count);
const struct held_socket *processes_holders(const struct held_socket *list,
					    size_t *count, uint16_t port,
					    uint32_t inode);
bool processes_find_in(const struct held_socket *list, size_t count,
		       uint16_t port, uint32_t inode, struct process *process);

#endif
