/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * PR_SET_PDEATHSIG would not do: a parent that has changed to another user may
 * not signal this process.
 */
int process_live_with(int pipe)
{
	return fcntl(pipe, F_SETSIG, SIGKILL) ||
			       fcntl(pipe, F_SETOWN, getpid()) ||
			       fcntl(pipe, F_SETFL, O_ASYNC) ?
		       -errno :
		       0;
}

/* Sets up the child. Its end of `life` stays open until it ends. */
static void begin(const int life[2], const char *name)
{
	struct pollfd closed = { .fd = life[0] };

	prctl(PR_SET_NAME, name);
	close(life[1]);
	/* The parent may have ended before process_live_with() took effect. */
	if (process_live_with(life[0]) || poll(&closed, 1, 0))
		_exit(1);
}

pid_t process_fork(void)
{
	sigset_t all, before;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid)
		sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

int process_start(struct process *process, const char *name)
{
	int life[2], error;
	pid_t pid;

	if (pipe2(life, O_CLOEXEC))
		return -errno;
	pid = process_fork();
	if (!pid) {
		begin(life, name);
		*process = (struct process){ .ended = -1, .life = life[0] };
		return 0;
	}
	error = -errno;
	close(life[0]);
	if (pid < 0) {
		close(life[1]);
		return error;
	}
	*process = (struct process){
		.pid = pid,
		.ended = (int)syscall(SYS_pidfd_open, pid, 0),
		.life = life[1],
	};
	if (process->ended >= 0)
		return 1;
	error = -errno;
	process_end(process);
	return error;
}

void process_keep_only(const int *kept, size_t count)
{
	unsigned int from = 0;

	for (;;) {
		unsigned int next = ~0U;

		for (size_t i = 0; i < count; i++) {
			if (kept[i] >= (int)from &&
			    (unsigned int)kept[i] < next)
				next = (unsigned int)kept[i];
		}
		if (next > from)
			syscall(SYS_close_range, from, next - 1, 0);
		if (next == ~0U)
			return;
		from = next + 1;
	}
}

void process_forget(struct process *process)
{
	if (process->ended >= 0)
		close(process->ended);
	if (process->life >= 0)
		close(process->life);
	*process = (struct process)PROCESS_NONE;
}

bool process_has_ended(const struct process *process)
{
	struct pollfd ended = { .fd = process->ended, .events = POLLIN };

	return process->pid && poll(&ended, 1, 0) > 0;
}

static bool reap(struct process *process)
{
	return waitpid(process->pid, &process->status, WNOHANG) == process->pid;
}

bool process_wait(const struct process *process, enum wait wait, long long end)
{
	return process->ended < 0 ||
	       wait_ready(process->ended, POLLIN, wait, end);
}

bool process_end(struct process *process)
{
	bool has_ended;

	if (!process->pid)
		return true;
	has_ended = reap(process);
	/*
	 * Killed through the pipe, because kill(2) fails if the process has
	 * changed to another user.
	 */
	close(process->life);
	if (!has_ended &&
	    process_wait(process, WAIT_KILLED, wait_end(WAIT_KILLED)))
		reap(process);
	if (process->ended >= 0)
		close(process->ended);
	process->ended = process->life = -1;
	process->pid = 0;
	return has_ended;
}
