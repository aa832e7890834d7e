/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The filter of system calls: calls that it must allow, and must refuse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/privileges.h"

/* Whether a call, made by a process of that role, is refused. */
static bool is_refused_to(enum role role, long (*call)(void))
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (privileges_confine(role))
			_exit(2);
		_exit(call() < 0 && errno == EPERM);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	return WEXITSTATUS(status);
}

static bool is_refused(long (*call)(void))
{
	return is_refused_to(ROLE_ATTACH, call);
}

static long call_open(void)
{
	return open("/dev/null", O_WRONLY | O_APPEND | O_CREAT, 0600);
}

static long call_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static int ends[2]; /* of a socket that was there before */

static long call_shutdown(void)
{
	return shutdown(ends[0], SHUT_WR);
}

static long call_execve(void)
{
	return execl("/bin/true", "true", NULL);
}

static long call_fork(void)
{
	return fork();
}

static long call_inet6(void)
{
	return socket(AF_INET6, SOCK_STREAM, 0);
}

static long call_bpf_prog_load(void)
{
	return syscall(SYS_bpf, 5 /* BPF_PROG_LOAD */, NULL, 0);
}

static long call_ptrace(void)
{
	return ptrace(PTRACE_TRACEME);
}

static long call_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}

static long call_unlink(void)
{
	return unlink("/no such file");
}

static long call_rename(void)
{
	return rename("/no such file", "/no such file, either");
}

static long call_setuid(void)
{
	return setuid(0);
}

static void test_what_is_needed(void **state)
{
	(void)state;
	assert_false(is_refused(call_open));
	assert_false(is_refused(call_netlink));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	assert_false(is_refused(call_shutdown));
}

static void test_what_is_refused(void **state)
{
	(void)state;
	assert_true(is_refused(call_execve));
	assert_true(is_refused(call_fork));
	assert_true(is_refused(call_inet6));
	assert_true(is_refused(call_bpf_prog_load));
	assert_true(is_refused(call_ptrace));
	assert_true(is_refused(call_unshare));
	assert_true(is_refused(call_unlink));
	assert_true(is_refused(call_rename));
	assert_true(is_refused(call_setuid));
}

static void test_what_opens_files(void **state)
{
	(void)state;
	assert_false(is_refused_to(ROLE_FILES, call_open));
	assert_true(is_refused_to(ROLE_FILES, call_netlink));
	assert_true(is_refused_to(ROLE_FILES, call_inet6));
	assert_true(is_refused_to(ROLE_FILES, call_execve));
	assert_true(is_refused_to(ROLE_FILES, call_fork));
	assert_true(is_refused_to(ROLE_FILES, call_bpf_prog_load));
	assert_true(is_refused_to(ROLE_FILES, call_ptrace));
	assert_true(is_refused_to(ROLE_FILES, call_setuid));
}

static long call_write(void)
{
	return write(STDERR_FILENO, "", 0);
}

static long call_map(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ?
		       -1 :
		       0;
}

static long call_map_to_run(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ?
		       -1 :
		       0;
}

static long call_protect_to_run(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long call_bpf_lookup(void)
{
	return syscall(SYS_bpf, 1 /* BPF_MAP_LOOKUP_ELEM */, NULL, 0);
}

static long call_kill_parent(void)
{
	return kill(getppid(), 0);
}

static long call_signal_parent(void)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static long call_signal_own(void)
{
	return syscall(SYS_tgkill, getpid(), gettid(), 0);
}

static long call_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static void test_what_reads(void **state)
{
	(void)state;
	assert_false(is_refused_to(ROLE_READ, call_write));
	assert_false(is_refused_to(ROLE_READ, call_map));
	assert_false(is_refused_to(ROLE_READ, call_shutdown));
	assert_false(is_refused_to(ROLE_READ, call_signal_own));
	assert_true(is_refused_to(ROLE_READ, call_open));
	assert_true(is_refused_to(ROLE_READ, call_netlink));
	assert_true(is_refused_to(ROLE_READ, call_inet6));
	assert_true(is_refused_to(ROLE_READ, call_unix));
	assert_true(is_refused_to(ROLE_READ, call_execve));
	assert_true(is_refused_to(ROLE_READ, call_fork));
	assert_true(is_refused_to(ROLE_READ, call_bpf_prog_load));
	assert_true(is_refused_to(ROLE_READ, call_bpf_lookup));
	assert_true(is_refused_to(ROLE_READ, call_ptrace));
	assert_true(is_refused_to(ROLE_READ, call_unshare));
	assert_true(is_refused_to(ROLE_READ, call_unlink));
	assert_true(is_refused_to(ROLE_READ, call_setuid));
	assert_true(is_refused_to(ROLE_READ, call_kill_parent));
	assert_true(is_refused_to(ROLE_READ, call_signal_parent));
	assert_true(is_refused_to(ROLE_READ, call_map_to_run));
	assert_true(is_refused_to(ROLE_READ, call_protect_to_run));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_needed),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_what_opens_files),
		cmocka_unit_test(test_what_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
