/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads a cgroup's owner from its path: a systemd unit, a container, a pod.
 * Portable C, without files or allocation.
 *
 * A path can be forged in part. Only root (systemd, a container runtime, the
 * kubelet) creates the first part, down to the first unit or container. Names
 * below it can be anything where the subtree is delegated: to a user's own
 * manager (user@1000.service), to a service with Delegate=yes, to a container.
 * So
 *
 *  - the unit is the first one on the path, never one further down: a user's
 *    app.slice/ssh.service is reported as user@1000.service;
 *  - the container is the first one on the path: cgroups inside a container are
 *    not read; so is the pod;
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

/* All texts are printable ASCII. An empty text: there is none. */
struct cgroup_owner {
	char unit[CGROUP_UNIT];
	char container[CGROUP_CONTAINER]; /* runtime:12 digits, or its name */
	char pod[CGROUP_POD];		  /* 36 characters, or 32 digits */
	bool claimed; /* the unit's processes named container and pod */
};

/*
 * Reads a path below the root of cgroup v2, or of v1's hierarchy "systemd":
 * "/system.slice/ssh.service". Any bytes are allowed.
 */
void cgroup_path_read(struct cgroup_owner *owner, const char *path);

/* Whether this is a pod's uid, as in the kubelet's names: 36 or 32 digits. */
bool pod_uid_is_valid(const char *uid, size_t len);

#endif
