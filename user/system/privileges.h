/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the processes may do, and what they give up once all is loaded. */
#ifndef BANNERPROBE_PRIVILEGES_H
#define BANNERPROBE_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

/* The user to become when nothing needs root any more. */
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

/* What a process of this program does, and what it may do for that. */
enum role {
	ROLE_ATTACH,   /* to interfaces, also to those that come back */
	ROLE_READ,     /* reads what strangers have sent, and writes records */
	ROLE_CAPTURES, /* reads them: whatever capabilities it has */
	ROLE_FILES,    /* opens the log and the metrics again */
};

/*
 * Becomes that user, where CAP_SETUID and CAP_SETGID are there, and keeps of
 * the capabilities that are there those of the role. 0 or negative errno, with
 * a message.
 */
int privileges_drop(const struct identity *identity, enum role role);

/* Says in a line if those two are missing. */
void privileges_tell_user(const struct identity *identity);

/*
 * Keeps, of the capabilities that are there, those of the role. 0 or negative
 * errno.
 */
int privileges_keep(enum role role);

/*
 * No new privileges, and no system calls but those of the role: any other fails
 * with EPERM. 0 or negative errno.
 */
int privileges_confine(enum role role);

/* The same; false, with a message, where it failed and must not. */
bool privileges_confine_or_tell(enum role role, bool may_fail);

/* Bounds what a process of ROLE_READ can use up. 0 or negative errno. */
int privileges_limit(void);

/*
 * The capabilities that loading and attaching need and that are not there, for
 * a message: "CAP_BPF, CAP_PERFMON"; NULL: all are.
 */
const char *privileges_missing(void);

#endif
