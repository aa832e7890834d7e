/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a cgroup's path says of its owner: a systemd unit, a container, a pod.
 * Portable C, no file, no allocation.
 *
 * What in a path can be forged: the first part, down to the first unit or
 * container, is made by root only (systemd, a container runtime, the kubelet).
 * Below it names are free where the subtree is delegated: to a user's own
 * manager (user@1000.service), to a service with Delegate=yes, to a container.
 * So
 *
 *  - the unit is the first one on the path, never one further down: a user's
 *    app.slice/ssh.service is reported as user@1000.service;
 *  - the container is the first one on the path: what a container names inside
 *    itself is not read;
 *  - a container or pod below a unit is the claim of that unit. It is reported
 *    together with the unit, and `claimed` is set, so that nothing is looked
 *    up by it.
 */
#ifndef BANNERPROBE_CGROUP_PATH_H
#define BANNERPROBE_CGROUP_PATH_H

#include <stdbool.h>
#include <stddef.h>

#define CGROUP_UNIT 256	    /* a unit's name and a NUL, systemd's limit */
#define CGROUP_CONTAINER 80 /* "runtime:id" and a NUL */
#define CGROUP_POD 37	    /* a pod's uid and a NUL */

/* An empty text: there is none. All of them are printable ASCII. */
struct cgroup_owner {
	char unit[CGROUP_UNIT];
	char container[CGROUP_CONTAINER]; /* runtime:12 digits, or its name */
	char pod[CGROUP_POD];		  /* 36 characters, or 32 digits */
	bool claimed; /* container and pod: by the unit's processes */
};

/*
 * Reads a path below the root of cgroup v2, or of v1's hierarchy "systemd":
 * "/system.slice/ssh.service". Any bytes are allowed.
 */
void cgroup_path_read(struct cgroup_owner *owner, const char *path);

/* Whether this is a pod's uid, as in the kubelet's names: 36 or 32 digits. */
bool pod_uid_is_valid(const char *uid, size_t len);

#endif
