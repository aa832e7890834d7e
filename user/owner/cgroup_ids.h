/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds the path of a cgroup v2 id. bpf_skb_cgroup_id() and sock_diag return
 * such ids: 64 bits, the inode number of the cgroup's directory. The kernel
 * assigns no id twice and renames no cgroup of v2, so an answer stays true.
 *
 * With CAP_DAC_READ_SEARCH the directory is opened by its id. Without it, the
 * tree is walked: for the first lookup, and again for an unknown id as often as
 * pace.h allows. A 32-bit kernel's inode numbers are too short for a walk.
 */
#ifndef BANNERPROBE_CGROUP_IDS_H
#define BANNERPROBE_CGROUP_IDS_H

#include "cgroup_path.h"

#include <stdint.h>

#define CGROUP_IDS_MAX 4096  /* cgroups that are remembered */
#define CGROUP_PATH_MAX 1024 /* bytes of a path, with its NUL */

struct cgroup_ids;

struct cgroup {
	const char *path; /* "/system.slice/ssh.service"; any bytes but NUL */
	struct cgroup_owner owner;
};

enum cgroup_ids_flags {
	CGROUP_IDS_WALK = 1 << 0, /* never open a directory by its id */
};

/*
 * Opens the hierarchy at `root`; NULL: at /sys/fs/cgroup or
 * /sys/fs/cgroup/unified (v1 and v2 side by side). Where there is none, no
 * lookup succeeds. NULL without memory.
 */
struct cgroup_ids *cgroup_ids_open(const char *root, unsigned int flags);
void cgroup_ids_close(struct cgroup_ids *ids);

/* Valid until the next call. NULL: not known. */
const struct cgroup *cgroup_ids_find(struct cgroup_ids *ids, uint64_t id);

/* Why some or all ids cannot be found, in one line; NULL: all can be. */
const char *cgroup_ids_reason(const struct cgroup_ids *ids);

/* How many cgroups are remembered, and how often the tree was walked. */
unsigned int cgroup_ids_count(const struct cgroup_ids *ids);
unsigned int cgroup_ids_walks(const struct cgroup_ids *ids);

#endif
