/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "privileges.h"

#include "message.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/sockios.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_USER "nobody"
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* --- who --------------------------------------------------------------- */

/*
 * Not by the name services: the static program must not load their libraries.
 * What is returned lives until the next call.
 */
static const struct passwd *find_user(const char *name)
{
	FILE *users = fopen("/etc/passwd", "re");
	const struct passwd *user;

	if (!users)
		return NULL;
	do
		user = fgetpwent(users);
	while (user && strcmp(user->pw_name, name));
	fclose(users);
	return user;
}

bool privileges_find_user(struct identity *identity, const char *name)
{
	const bool is_root = !geteuid();
	const struct passwd *user;

	*identity = (struct identity){ .uid = geteuid(), .gid = getegid() };
	if (!name && !is_root)
		return true;
	identity->name = name ? name : DEFAULT_USER;
	user = find_user(identity->name);
	if (!user) {
		if (name)
			message("--user %s: no such user in /etc/passwd", name);
		else
			message("%s: no such user in /etc/passwd: staying "
				"root, without most of its power",
				identity->name);
		return !name;
	}
	identity->changes = user->pw_uid != identity->uid;
	if (identity->changes && !is_root) {
		message("--user %s: only root can become another user", name);
		return false;
	}
	identity->uid = user->pw_uid;
	identity->gid = user->pw_gid;
	return true;
}

/* --- capabilities ------------------------------------------------------- */

static const struct {
	unsigned int capability;
	const char *name;
	bool kept; /* after everything is attached */
} needed[] = {
	{ CAP_BPF, "CAP_BPF", true },
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN", true },
	{ CAP_PERFMON, "CAP_PERFMON", false },
};

/* Before Linux 5.8 CAP_SYS_ADMIN stood for the new ones, and it does still. */
static bool have(unsigned int capability)
{
	return capng_have_capability(CAPNG_EFFECTIVE, capability) ||
	       (capability != CAP_NET_ADMIN &&
		capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN));
}

const char *privileges_missing(void)
{
	static char text[64];
	size_t len = 0;

	if (capng_get_caps_process())
		return NULL;
	for (size_t i = 0; i < COUNT(needed); i++) {
		if (!have(needed[i].capability))
			len += (size_t)snprintf(text + len, sizeof(text) - len,
						"%s%s", len ? ", " : "",
						needed[i].name);
	}
	return len ? text : NULL;
}

/* Chooses, for libcap-ng to apply, what is kept of what there is. */
static void choose_kept(void)
{
	bool held[COUNT(needed)];

	capng_get_caps_process();
	for (size_t i = 0; i < COUNT(needed); i++)
		held[i] = capng_have_capability(CAPNG_PERMITTED,
						needed[i].capability);
	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < COUNT(needed); i++) {
		if (needed[i].kept && held[i])
			capng_update(CAPNG_ADD,
				     CAPNG_EFFECTIVE | CAPNG_PERMITTED,
				     needed[i].capability);
	}
}

int privileges_drop(const struct identity *identity)
{
	const bool may_bound =
		!capng_get_caps_process() &&
		capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	int error;

	choose_kept();
	if (identity->changes)
		error = capng_change_id((int)identity->uid, (int)identity->gid,
					CAPNG_DROP_SUPP_GRP |
						CAPNG_CLEAR_BOUNDING);
	else
		error = capng_apply(may_bound ? CAPNG_SELECT_BOTH :
						CAPNG_SELECT_CAPS);
	if (!error)
		return 0;
	message("giving up privileges%s%s failed (%d): `--user root` stays who "
		"it is",
		identity->changes ? " to become " : "",
		identity->changes ? identity->name : "", error);
	return -EPERM;
}

/* --- system calls -------------------------------------------------------- */

/* With any arguments. */
static const int allowed[] = {
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(close),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(fcntl),
	SCMP_SYS(flock),
	SCMP_SYS(fstat),
	SCMP_SYS(futex),
	SCMP_SYS(getdents64), /* directories of captures */
	SCMP_SYS(getpid),
	SCMP_SYS(getrandom),
	SCMP_SYS(gettid),
	SCMP_SYS(getsockname),
	SCMP_SYS(getsockopt),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(lseek),
	SCMP_SYS(madvise),
	SCMP_SYS(mmap),
	SCMP_SYS(mprotect),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(newfstatat),
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(pread64),
	SCMP_SYS(read),
	SCMP_SYS(readlink),
	SCMP_SYS(readv),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(setitimer),
	SCMP_SYS(setsockopt),
	SCMP_SYS(statx),
	SCMP_SYS(tgkill),
	SCMP_SYS(time),
	SCMP_SYS(timer_settime),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	/* libbpf and netlink sockets are bound and connected with these. */
	SCMP_SYS(bind),
	SCMP_SYS(connect),
};

/* With one of these values as their argument of that number. */
static const struct {
	int call;
	unsigned int argument;
	unsigned long value;
} allowed_with[] = {
	{ SCMP_SYS(bpf), 0, BPF_MAP_LOOKUP_ELEM },
	{ SCMP_SYS(bpf), 0, BPF_MAP_LOOKUP_BATCH },
	{ SCMP_SYS(bpf), 0, BPF_MAP_UPDATE_ELEM }, /* addresses that come */
	{ SCMP_SYS(bpf), 0, BPF_MAP_DELETE_ELEM }, /* and go */
	{ SCMP_SYS(bpf), 0, BPF_OBJ_GET_INFO_BY_FD },
	{ SCMP_SYS(bpf), 0, BPF_LINK_CREATE },
	{ SCMP_SYS(socket), 0, AF_INET }, /* for the ioctls */
	{ SCMP_SYS(socket), 0, AF_NETLINK },
	{ SCMP_SYS(socket), 0, AF_UNIX },
	{ SCMP_SYS(ioctl), 1, SIOCGIFINDEX },
	{ SCMP_SYS(ioctl), 1, SIOCGIFHWADDR },
	{ SCMP_SYS(ioctl), 1, SIOCGIFNAME },
	{ SCMP_SYS(ioctl), 1, SIOCETHTOOL },
	{ SCMP_SYS(ioctl), 1, TCGETS }, /* isatty() */
};

static int add_rules(scmp_filter_ctx filter)
{
	int error = 0;

	for (size_t i = 0; !error && i < COUNT(allowed); i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; !error && i < COUNT(allowed_with); i++)
		error = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, allowed_with[i].call, 1,
			SCMP_CMP64(allowed_with[i].argument, SCMP_CMP_EQ,
				   allowed_with[i].value));
	return error;
}

int privileges_confine(void)
{
	/* libseccomp sets no_new_privs as well when it loads the filter. */
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int error = filter ? add_rules(filter) : -ENOMEM;

	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	if (error)
		message("restricting the system calls: %s", strerror(-error));
	return error;
}
