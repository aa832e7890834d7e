/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The owner of a service, as the process that finds owners answers with it. A
 * text is "" if it is not known.
 */
#ifndef BANNERPROBE_SERVICE_OWNER_H
#define BANNERPROBE_SERVICE_OWNER_H

#include <linux/types.h>

#define OWNED_BY_NO_ONE_KNOWN 0xffffffff /* the uid is not known */

struct service_owner {
	char unit[256];	    /* of systemd: "ssh.service" */
	char container[80]; /* "docker:3f2a91c0b7de" */
	char pod[37];	    /* uid of a pod */
	char process[16];   /* comm: any bytes */
	char cgroup[1024];  /* path: any bytes */
	char pod_name[320]; /* "namespace/name" */
	__u32 uid;	    /* of the socket; or OWNED_BY_NO_ONE_KNOWN */
	__u32 pid;	    /* of the process; 0: not known */
};

#endif
