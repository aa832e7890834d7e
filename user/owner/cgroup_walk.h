/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Visits all cgroups below a directory: those near to it first, those of users
 * last.
 */
#ifndef BANNERPROBE_CGROUP_WALK_H
#define BANNERPROBE_CGROUP_WALK_H

#include <stdint.h>

/*
 * Limits of a walk, because a user can make cgroups by the hundred thousand
 * below a cgroup of that user.
 */
#define CGROUP_WALK_MAX 32768
#define CGROUP_WALK_NS 250000000ULL   /* of processor time */
#define CGROUP_WALK_BYTES (8UL << 20) /* of paths in the queue */

typedef void cgroup_met(uint64_t id, const char *path, void *context);

/* `root`: descriptor of the directory. `met` gets it as "/". */
void cgroup_walk(int root, cgroup_met *met, void *context);

#endif
