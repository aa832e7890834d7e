/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "privileges.h"

#include "message.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/bpf.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEFAULT_USER "nobody"
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* --- user -------------------------------------------------------------- */

/*
 * Reads /etc/passwd itself, because the static program must not load the
 * libraries of the name services. The result is valid until the next call.
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
} needed[] = {
	{ CAP_BPF, "CAP_BPF" },
	{ CAP_NET_ADMIN, "CAP_NET_ADMIN" },
	{ CAP_PERFMON, "CAP_PERFMON" },
};

/*
 * CAP_SYS_ADMIN includes CAP_BPF and CAP_PERFMON, which are new in Linux 5.8.
 */
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

/*
 * The capabilities that each role keeps. The attacher needs its two to attach
 * to interfaces that come back, and to remove clsact filters (Linux before
 * 6.6). The file helper needs its two in directories where only root may create
 * files.
 */
static const int kept_attaching[] = { CAP_BPF, CAP_NET_ADMIN, -1 };
static const int kept_reading[] = { -1 };
static const int kept_for_files[] = { CAP_DAC_OVERRIDE, CAP_FOWNER, -1 };
static const int *const kept[] = {
	[ROLE_ATTACH] = kept_attaching,
	[ROLE_READ] = kept_reading,
	[ROLE_OWNER] = kept_attaching, /* BPF iterator, other namespaces */
	[ROLE_FILES] = kept_for_files,
};

static bool hold(unsigned int capability)
{
	return capng_have_capability(CAPNG_EFFECTIVE, capability);
}

/*
 * Selects, of the available capabilities, those that the role keeps. libcap-ng
 * applies the selection later.
 */
static void choose_kept(enum role role)
{
	unsigned long long held = 0;

	for (const int *one = kept[role]; *one >= 0; one++) {
		if (capng_have_capability(CAPNG_PERMITTED, (unsigned int)*one))
			held |= 1ULL << *one;
	}
	capng_clear(CAPNG_SELECT_ALL);
	for (const int *one = kept[role]; *one >= 0; one++) {
		if (held >> *one & 1)
			capng_update(CAPNG_ADD,
				     CAPNG_EFFECTIVE | CAPNG_PERMITTED,
				     (unsigned int)*one);
	}
}

int privileges_keep(enum role role)
{
	bool may_bound;

	if (capng_get_caps_process())
		return -EPERM;
	may_bound = hold(CAP_SETPCAP);
	choose_kept(role);
	return capng_apply(may_bound ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) ?
		       -EPERM :
		       0;
}

/* Changes to the user, and keeps the capabilities of the role. */
static int change_user(const struct identity *identity, enum role role)
{
	const unsigned int bound = hold(CAP_SETPCAP) ? CAPNG_CLEAR_BOUNDING : 0;

	choose_kept(role);
	return capng_change_id((int)identity->uid, (int)identity->gid,
			       (capng_flags_t)(CAPNG_DROP_SUPP_GRP | bound));
}

/* Whether capng_get_caps_process() found the capability. */
static bool may_change(const struct identity *identity)
{
	return identity->changes && hold(CAP_SETUID) && hold(CAP_SETGID);
}

void privileges_tell_user(const struct identity *identity)
{
	if (!capng_get_caps_process() && identity->changes &&
	    !may_change(identity))
		message("%s: cannot become that user without CAP_SETUID and "
			"CAP_SETGID: staying user %d",
			identity->name, (int)geteuid());
}

int privileges_drop(const struct identity *identity, enum role role)
{
	int error = capng_get_caps_process();

	if (!error)
		error = may_change(identity) ? change_user(identity, role) :
					       privileges_keep(role);
	if (!error)
		return 0;
	message("giving up privileges failed (%d): --unconfined goes on with "
		"them",
		error);
	return -EPERM;
}

int privileges_limit(void)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t most;
	} limits[] = {
		{ RLIMIT_CORE, 0 }, /* a core dump would hold packet data */
		{ RLIMIT_MEMLOCK, 0 },	  { RLIMIT_MSGQUEUE, 0 },
		{ RLIMIT_NPROC, 0 },	  { RLIMIT_NOFILE, 64 },
		{ RLIMIT_DATA, 1 << 30 },
	};

	for (size_t i = 0; i < COUNT(limits); i++) {
		struct rlimit limit;

		if (getrlimit(limits[i].resource, &limit))
			return -errno;
		if (limit.rlim_max > limits[i].most)
			limit.rlim_max = limits[i].most;
		if (limit.rlim_cur > limit.rlim_max)
			limit.rlim_cur = limit.rlim_max;
		if (setrlimit(limits[i].resource, &limit))
			return -errno;
	}
	return 0;
}

/* --- system calls -------------------------------------------------------- */

/* System calls with any arguments, for each role but the file helper. */
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
	SCMP_SYS(fstat),
	SCMP_SYS(futex),
	SCMP_SYS(getpid),
	SCMP_SYS(getrandom),
	SCMP_SYS(gettid),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(lseek),
	SCMP_SYS(madvise),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(newfstatat),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(shutdown),
	SCMP_SYS(statx),
	SCMP_SYS(time),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(write),
	SCMP_SYS(writev),
};

/*
 * System calls with any arguments, for each role but the file helper and the
 * reader, which opens no file and creates no socket.
 */
static const int allowed_to_attach[] = {
	SCMP_SYS(flock),
	SCMP_SYS(getdents64), /* directories of captures */
	SCMP_SYS(getsockname),
	SCMP_SYS(getsockopt),
	SCMP_SYS(mmap),
	SCMP_SYS(mprotect),
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(pread64),
	SCMP_SYS(readlink),
	SCMP_SYS(setitimer),
	SCMP_SYS(setsockopt),
	SCMP_SYS(tgkill),
	SCMP_SYS(timer_settime),
	SCMP_SYS(wait4), /* for the other processes */
	/* For netlink sockets, also those of libbpf. */
	SCMP_SYS(bind),
	SCMP_SYS(connect),
};

/*
 * System calls that are allowed only with one of these values as an argument.
 */
static const struct call_with {
	int call;
	unsigned int argument;
	unsigned long value;
} allowed_with[] = {
	{ SCMP_SYS(ioctl), 1, TCGETS }, /* isatty() */
};

static const struct call_with allowed_to_attach_with[] = {
	{ SCMP_SYS(bpf), 0, BPF_MAP_LOOKUP_ELEM },
	{ SCMP_SYS(bpf), 0, BPF_MAP_LOOKUP_BATCH },
	{ SCMP_SYS(bpf), 0, BPF_MAP_UPDATE_ELEM }, /* own addresses are added */
	{ SCMP_SYS(bpf), 0, BPF_MAP_DELETE_ELEM }, /* and removed */
	{ SCMP_SYS(bpf), 0, BPF_OBJ_GET_INFO_BY_FD },
	{ SCMP_SYS(bpf), 0, BPF_LINK_CREATE },
	{ SCMP_SYS(bpf), 0, BPF_PROG_QUERY },
	{ SCMP_SYS(socket), 0, AF_NETLINK },
	{ SCMP_SYS(socket), 0, AF_UNIX },
};

/* For the process that finds owners: it reads cgroups, /proc and netlink. */
static const int allowed_to_own[] = {
	SCMP_SYS(getdents64), SCMP_SYS(open),	  SCMP_SYS(openat),
	SCMP_SYS(pread64),    SCMP_SYS(readlink),
};

static const struct call_with allowed_to_own_with[] = {
	{ SCMP_SYS(bpf), 0, BPF_ITER_CREATE },
	{ SCMP_SYS(bpf), 0, BPF_LINK_CREATE }, /* of one process's files */
};

/* System calls with any arguments, for the file helper. */
static const int allowed_for_files[] = {
	SCMP_SYS(brk),		SCMP_SYS(close),      SCMP_SYS(exit_group),
	SCMP_SYS(fchmod),	SCMP_SYS(fcntl),      SCMP_SYS(flock),
	SCMP_SYS(fstat),	SCMP_SYS(getdents64), SCMP_SYS(getpid),
	SCMP_SYS(lseek),	SCMP_SYS(mmap),	      SCMP_SYS(munmap),
	SCMP_SYS(newfstatat),	SCMP_SYS(openat),     SCMP_SYS(recvfrom),
	SCMP_SYS(renameat),	SCMP_SYS(renameat2),  SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sendmsg),    SCMP_SYS(statx),
	SCMP_SYS(unlinkat),
};

static int allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	int error = 0;

	for (size_t i = 0; !error && i < count; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return error;
}

static int allow_with(scmp_filter_ctx filter, const struct call_with *calls,
		      size_t count)
{
	int error = 0;

	for (size_t i = 0; !error && i < count; i++)
		error = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, calls[i].call, 1,
			SCMP_CMP64(calls[i].argument, SCMP_CMP_EQ,
				   calls[i].value));
	return error;
}

/*
 * Allows memory that is not executable, and signals to this process alone,
 * which abort() needs.
 */
static int allow_within(scmp_filter_ctx filter)
{
	static const int with_protection[] = { SCMP_SYS(mmap),
					       SCMP_SYS(mprotect) };
	int error = 0;

	for (size_t i = 0; !error && i < COUNT(with_protection); i++)
		error = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, with_protection[i], 1,
			SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (!error)
		error = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
			SCMP_CMP64(0, SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	return error;
}

static int allow_to_own(scmp_filter_ctx filter)
{
	int error = allow_within(filter);

	if (!error)
		error = allow(filter, allowed_to_own, COUNT(allowed_to_own));
	return error ? error :
		       allow_with(filter, allowed_to_own_with,
				  COUNT(allowed_to_own_with));
}

static int add_rules(scmp_filter_ctx filter, enum role role)
{
	int error;

	if (role == ROLE_FILES)
		return allow(filter, allowed_for_files,
			     COUNT(allowed_for_files));
	error = allow(filter, allowed, COUNT(allowed));
	if (!error)
		error = allow_with(filter, allowed_with, COUNT(allowed_with));
	if (!error && role == ROLE_READ)
		return allow_within(filter);
	if (!error && role == ROLE_OWNER)
		return allow_to_own(filter);
	if (!error)
		error = allow(filter, allowed_to_attach,
			      COUNT(allowed_to_attach));
	return error ? error :
		       allow_with(filter, allowed_to_attach_with,
				  COUNT(allowed_to_attach_with));
}

int privileges_confine(enum role role)
{
	/* libseccomp sets no_new_privs as well when it loads the filter. */
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int error = filter ? add_rules(filter, role) : -ENOMEM;

	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}

bool privileges_confine_or_tell(enum role role, bool may_fail)
{
	const int error = privileges_confine(role);

	if (error)
		message("restricting the system calls: %s%s", strerror(-error),
			may_fail ? "" : ": --unconfined goes on without");
	return !error || may_fail;
}
