/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The privileges of each process, and how it gives up all others once
 * everything is loaded.
 */
#ifndef BANNERPROBE_PRIVILEGES_H
#define BANNERPROBE_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

/* The user that the processes change to when nothing needs root any more. */
struct identity {
	const char *name;
	uid_t uid;
	gid_t gid;
	bool changes; /* not the user that started the program */
};

/*
 * Looks a user up in /etc/passwd. `name` NULL: as root, the user "nobody", or
 * with a message still root where there is no such user; otherwise the user
 * that started the program. False, with a message: the user does not exist, or
 * only root can change to it.
 */
bool privileges_find_user(struct identity *identity, const char *name);

/* The role of a process, which decides its privileges. */
enum role {
	ROLE_ATTACH,   /* the attacher: attaches, also to interfaces that come
			* back */
	ROLE_READ,     /* the reader: reads packet data, and writes records */
	ROLE_CAPTURES, /* -r: reads captures; keeps the capabilities it has */
	ROLE_OWNER,    /* finds the owners of services */
	ROLE_FILES,    /* the file helper: opens the log and the metrics */
};

/*
 * Changes to the user, if CAP_SETUID and CAP_SETGID are available, and keeps of
 * the available capabilities those of the role. 0 or negative errno, with a
 * message.
 */
int privileges_drop(const struct identity *identity, enum role role);

/*
 * Prints a message if CAP_SETUID or CAP_SETGID is missing for a change of user.
 */
void privileges_tell_user(const struct identity *identity);

/*
 * Keeps, of the available capabilities, those of the role. 0 or negative errno.
 */
int privileges_keep(enum role role);

/*
 * Sets no_new_privs, and a seccomp filter that allows the system calls of the
 * role. Any other call fails with EPERM. 0 or negative errno.
 */
int privileges_confine(enum role role);

/*
 * The same, with a message on failure. False: it failed, and `may_fail` is not
 * set.
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
