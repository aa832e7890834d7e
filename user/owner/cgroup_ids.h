/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From a cgroup v2 id to its path. The id is what bpf_skb_cgroup_id() and
 * sock_diag return: 64 bits, the inode number of the cgroup's directory. The
 * kernel gives no id twice and renames no cgroup of v2, so that an answer stays
 * true.
 *
 * With CAP_DAC_READ_SEARCH the kernel opens the directory by its id. Without,
 * the tree is walked: at the first question, and again where an id is not
 * known, see pace.h. A 32-bit kernel's inode numbers are too short for that.
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
 * Looks for the hierarchy at `root`; NULL: at /sys/fs/cgroup and at
 * /sys/fs/cgroup/unified (v1 and v2 side by side). NULL without memory. Where
 * there is no hierarchy, nothing is known.
 */
struct cgroup_ids *cgroup_ids_open(const char *root, unsigned int flags);
void cgroup_ids_close(struct cgroup_ids *ids);

/* NULL: not known. It lives until the next call. */
const struct cgroup *cgroup_ids_find(struct cgroup_ids *ids, uint64_t id);

/* Why nothing or not all can be known, in one line; NULL: all can. */
const char *cgroup_ids_reason(const struct cgroup_ids *ids);

/* How many cgroups are remembered, and how often the tree was walked. */
unsigned int cgroup_ids_count(const struct cgroup_ids *ids);
unsigned int cgroup_ids_walks(const struct cgroup_ids *ids);

#endif
