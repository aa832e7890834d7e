/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * All cgroups below a directory, the ones near to it first, and those of users
 * last.
 */
#ifndef BANNERPROBE_CGROUP_WALK_H
#define BANNERPROBE_CGROUP_WALK_H

#include <stdint.h>

/*
 * A walk ends after so many cgroups, or so long: a user can make them by the
 * hundred thousand below a cgroup of that user.
 */
#define CGROUP_WALK_MAX 32768
#define CGROUP_WALK_NS 250000000ULL   /* of processor time */
#define CGROUP_WALK_BYTES (8UL << 20) /* of paths that wait */

typedef void cgroup_met(uint64_t id, const char *path, void *context);

/* `root` is a descriptor of the directory, which is met as "/". */
void cgroup_walk(int root, cgroup_met *met, void *context);

#endif
