/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From a pod's uid to "namespace/name", by the names of the directories that
 * the kubelet makes for the logs of the node's pods: NAMESPACE_NAME_UID in
 * /var/log/pods. No API token is needed. Read again where a uid is not known,
 * see pace.h.
 */
#ifndef BANNERPROBE_POD_NAMES_H
#define BANNERPROBE_POD_NAMES_H

#define POD_NAMES_MAX 4096 /* pods that are remembered; a node has some 110 */

struct pod_names;

/*
 * Opens the directory; NULL: /var/log/pods. Where there is none, no name is
 * known. NULL without memory.
 */
struct pod_names *pod_names_open(const char *directory);
void pod_names_close(struct pod_names *names);

/*
 * "kube-system/coredns-5d78c9869d-abcde": lower case letters, digits, "-", "."
 * and one "/". NULL: not known. It lives until the next call.
 */
const char *pod_names_find(struct pod_names *names, const char *uid);

/* Why no name is known, in one line; NULL: names are. */
const char *pod_names_reason(const struct pod_names *names);

#endif
