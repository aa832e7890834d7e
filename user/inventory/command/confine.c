/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "confine.h"

#include "say.h"

#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* System calls of SQLite on its files, of the C library, and for the stream. */
static const int allowed[] = {
	SCMP_SYS(access),	 SCMP_SYS(brk),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(close),	 SCMP_SYS(exit),
	SCMP_SYS(exit_group),	 SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),	 SCMP_SYS(fallocate),
	SCMP_SYS(fchmod),	 SCMP_SYS(fcntl),
	SCMP_SYS(fdatasync),	 SCMP_SYS(fstat),
	SCMP_SYS(fstatfs),	 SCMP_SYS(fsync),
	SCMP_SYS(ftruncate),	 SCMP_SYS(futex),
	SCMP_SYS(getcwd),	 SCMP_SYS(getdents64), /* folders of rules */
	SCMP_SYS(geteuid),	 SCMP_SYS(getpid),
	SCMP_SYS(getrandom),	 SCMP_SYS(gettid),
	SCMP_SYS(gettimeofday),	 SCMP_SYS(getuid),
	SCMP_SYS(lseek),	 SCMP_SYS(lstat),
	SCMP_SYS(madvise),	 SCMP_SYS(mremap),
	SCMP_SYS(munmap),	 SCMP_SYS(nanosleep),
	SCMP_SYS(newfstatat),	 SCMP_SYS(open),
	SCMP_SYS(openat),	 SCMP_SYS(poll),
	SCMP_SYS(ppoll),	 SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),	 SCMP_SYS(read),
	SCMP_SYS(readlink),	 SCMP_SYS(readlinkat),
	SCMP_SYS(recvfrom),	 SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigaction),	 SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),	 SCMP_SYS(sendto),
	SCMP_SYS(stat),		 SCMP_SYS(statx),
	SCMP_SYS(time),		 SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),	 SCMP_SYS(write),
	SCMP_SYS(writev),
};

/* Allows memory that is not executable. */
static int allow_memory(scmp_filter_ctx filter)
{
	static const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
	int error = 0;

	for (size_t i = 0; !error && i < COUNT(calls); i++)
		error = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, calls[i], 1,
			SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return error;
}

static int restrict_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int error = filter ? allow_memory(filter) : -ENOMEM;

	for (size_t i = 0; !error && i < COUNT(allowed); i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	return error;
}

bool confine_keeper(void)
{
	/* No core files: they would hold what servers sent. */
	static const struct rlimit none = {};
	int error = setrlimit(RLIMIT_CORE, &none) ? -errno : restrict_calls();

	if (error)
		say("restricting the system calls: %s", strerror(-error));
	return !error;
}
