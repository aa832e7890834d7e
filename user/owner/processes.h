/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which processes have a listening socket open, by a BPF iterator over the
 * files of all tasks: Linux 5.8 with BTF, loaded and attached with CAP_BPF and
 * CAP_PERFMON. Reading it needs CAP_BPF, or on newer kernels nothing. It shows
 * the processes of the reader's PID namespace.
 */
#ifndef BANNERPROBE_PROCESSES_H
#define BANNERPROBE_PROCESSES_H

#include <linux/types.h>

#include "held_socket.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Open listening sockets of all processes together. Where there are more, no
 * process is known: a local user who opens that many can hide all of them.
 */
#define PROCESSES_HELD_MAX 32768

struct processes;

/* NULL without memory. Where there is no iterator, nothing is known. */
struct processes *processes_open(void);
void processes_close(struct processes *processes);

/* Why nothing is known, in one line; NULL: it works. */
const char *processes_reason(const struct processes *processes);

/*
 * Reads the iterator anew where that is due, see pace.h. `is_missing`: for a
 * socket that is not known, else because time has passed. True: it was read.
 */
bool processes_refresh(struct processes *processes, bool is_missing);

/* How often it was read. */
unsigned int processes_readings(const struct processes *processes);

/* Whether all that there is could be read the last time. */
bool processes_are_known(const struct processes *processes);

/* What was read, one for each descriptor, by port and inode. */
const struct held_socket *processes_list(const struct processes *processes,
					 size_t *count);

struct process {
	uint32_t pid;	      /* 0: several, and none began the others */
	char comm[HELD_COMM]; /* any bytes; "": they have different ones */
	uint64_t cgroup;      /* of the process; 0: different ones */
	uint64_t started;     /* when the first began: CLOCK_MONOTONIC, ns */
	bool is_manager; /* it is process 1, which holds sockets for others */
};

/*
 * The process of a socket, by what was read the last time. Where several of one
 * comm have the socket open, the one that all others descend from, as a server
 * and its workers. Process 1 counts only where it is the only one. False: none
 * has it open.
 */
bool processes_find(const struct processes *processes, uint16_t port,
		    uint32_t inode, struct process *process);

/* The same, of a list in the order of processes_list(). */
void processes_sort(struct held_socket *list, size_t count);
bool processes_find_in(const struct held_socket *list, size_t count,
		       uint16_t port, uint32_t inode, struct process *process);

#endif
