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
	bool changes; /* not the user that started the program */
};

/*
 * Looks a user up in /etc/passwd. `name` NULL: nobody, when started as root (or
 * root still, with a message, where there is no nobody); otherwise the user
 * that started the program. False, with a message: no such user, or only root
 * can become it.
 */
bool privileges_find_user(struct identity *identity, const char *name);

/* The role of a process: what it does, and so what it may do. */
enum role {
	ROLE_ATTACH,   /* the attacher: attaches, also to interfaces that come
			* back */
	ROLE_READ,     /* the reader: reads packet data, and writes records */
	ROLE_CAPTURES, /* -r: reads captures; keeps the capabilities it has */
	ROLE_OWNER,    /* finds whose services are: asks the kernel */
	ROLE_FILES,    /* the file helper: opens the log and the metrics */
};

/*
 * Becomes the user, where CAP_SETUID and CAP_SETGID are available, and keeps of
 * the available capabilities those of the role. 0 or negative errno, with a
 * message.
 */
int privileges_drop(const struct identity *identity, enum role role);

/* Prints a message if these two capabilities are missing. */
void privileges_tell_user(const struct identity *identity);

/*
 * Keeps, of the available capabilities, those of the role. 0 or negative errno.
 */
int privileges_keep(enum role role);

/*
 * No new privileges, and no system calls but those of the role: any other fails
 * with EPERM. 0 or negative errno.
 */
int privileges_confine(enum role role);

/*
 * The same; false, with a message, where it failed and `may_fail` is not set.
 */
bool privileges_confine_or_tell(enum role role, bool may_fail);

/* Sets the resource limits of a process of ROLE_READ. 0 or negative errno. */
int privileges_limit(void);

/*
 * The missing capabilities that loading and attaching need, for a message:
 * "CAP_BPF, CAP_PERFMON"; NULL: none is missing.
 */
const char *privileges_missing(void);

#endif
