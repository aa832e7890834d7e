/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the loader may do, and what it gives up once it is attached. */
#ifndef BANNERPROBE_PRIVILEGES_H
#define BANNERPROBE_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

/* Who to be when nothing needs root any more. */
struct identity {
	const char *name;
	uid_t uid;
	gid_t gid;
	bool changes; /* it is another than the one that started */
};

/*
 * Looks a user up in /etc/passwd. `name` NULL: nobody when started as root (or
 * still root, with a message, where there is no nobody), else whoever started.
 * False, with a message: no such user, or only root could become it.
 */
bool privileges_find_user(struct identity *identity, const char *name);

/*
 * Becomes that user and keeps CAP_BPF and CAP_NET_ADMIN, as far as they were
 * there: interfaces that come back are attached to, and clsact filters (Linux
 * before 6.6) can be removed by nothing less. 0 or negative errno, with a
 * message.
 */
int privileges_drop(const struct identity *identity);

/*
 * No new privileges, and no system calls but those that watching, or reading
 * captures, needs: any other fails with EPERM. 0 or negative errno, with a
 * message.
 */
int privileges_confine(void);

/*
 * The capabilities that loading and attaching need and that are not there, for
 * a message: "CAP_BPF, CAP_PERFMON"; NULL: all are.
 */
const char *privileges_missing(void);

#endif
