/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finds "namespace/name" of a pod's uid. The kubelet makes a directory for each
 * pod's logs, /var/log/pods/NAMESPACE_NAME_UID, so no API token is needed. The
 * names are read again for an unknown uid, as often as pace.h allows.
 */
#ifndef BANNERPROBE_POD_NAMES_H
#define BANNERPROBE_POD_NAMES_H

#define POD_NAMES_MAX 4096 /* pods that are remembered; a node has some 110 */

struct pod_names;

/*
 * Opens the directory; NULL: /var/log/pods. If it does not exist, no name is
 * found. NULL without memory.
 */
struct pod_names *pod_names_open(const char *directory);
void pod_names_close(struct pod_names *names);

/*
 * "kube-system/coredns-5d78c9869d-abcde": lower case letters, digits, "-", "."
 * and one "/". Valid until the next call. NULL: not known.
 */
const char *pod_names_find(struct pod_names *names, const char *uid);

/* Why no name is known, in one line; NULL: names are. */
const char *pod_names_reason(const struct pod_names *names);

#endif
