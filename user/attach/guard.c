/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "guard.h"

#include "clsact.h"
#include "links.h"
#include "system/message.h"
#include "system/netlink.h"
#include "system/privileges.h"
#include "system/process.h"
#include "system/stopping.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define GUARD_NAME "bannerprobe-tc"

/* The descriptors that the guard keeps open besides the standard ones. */
enum kept {
	KEPT_SOCKET = 3, /* to the attacher */
	KEPT_ATTACHER,	 /* readable when the attacher has ended */
	KEPT_KILL,	 /* a pipe: a byte in it kills the guard */
	/*
	 * The pipe's other end. It stays open here, too: otherwise the death of
	 * the attacher would kill the guard before it has cleared anything.
	 */
	KEPT_KILL_OPEN,
	KEPT_END,
	KEPT_COUNT = KEPT_END - KEPT_SOCKET,
};

static int guard_socket = -1; /* the attacher's socket to the guard */
static int guard_kill = -1;   /* the attacher's end of that pipe */
static pid_t guard_pid;

struct indexes {
	unsigned int *list;
	size_t count;
};

static void add_index(const struct link *link, void *context)
{
	struct indexes *indexes = context;
	unsigned int *list =
		reallocarray(indexes->list, indexes->count + 1, sizeof(*list));

	if (!list)
		return;
	indexes->list = list;
	list[indexes->count++] = link->index;
}

static void clear_all(void)
{
	struct indexes indexes = {};

	links_list(add_index, &indexes);
	for (size_t i = 0; i < indexes.count; i++)
		clsact_clear(indexes.list[i]);
	free(indexes.list);
}

/*
 * Closes descriptors that other processes wait to see closed: the log, and the
 * pipe that shows the attacher's end. Standard error stays open.
 */
static int keep_only(const int kept[KEPT_COUNT])
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int high[KEPT_COUNT]; /* away from the numbers that they will get */

	for (int i = 0; i < KEPT_COUNT; i++)
		high[i] = fcntl(kept[i], F_DUPFD, KEPT_END);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0)
		return -errno;
	for (int i = 0; i < KEPT_COUNT; i++) {
		if (dup2(high[i], KEPT_SOCKET + i) < 0)
			return -errno;
	}
	return syscall(SYS_close_range, KEPT_END, ~0U, 0) ? -errno : 0;
}

/* What the attacher tells the guard. */
enum word {
	WORD_BEGINS, /* filters may exist from now on */
	WORD_DONE,   /* nothing is left to remove */
	WORD_NONE,   /* nothing more: the attacher's end of the socket closed */
};

static enum word hear(void)
{
	ssize_t len;
	char word;

	do
		len = read(KEPT_SOCKET, &word, sizeof(word));
	while (len < 0 && errno == EINTR);
	return len > 0 ? (enum word)word : WORD_NONE;
}

static bool tell(enum word word)
{
	const char byte = (char)word;

	return send(guard_socket, &byte, sizeof(byte), MSG_NOSIGNAL) ==
	       sizeof(byte);
}

/*
 * Waits for the attacher's end. False: nothing is left to remove. If the
 * attacher was killed, its other descriptors may still be open when its socket
 * closes. So its end is waited for, too: then all of them are closed.
 */
static bool attacher_was_killed(void)
{
	struct pollfd ended = { .fd = KEPT_ATTACHER, .events = POLLIN };

	if (hear() != WORD_BEGINS || hear() != WORD_NONE)
		return false;
	while (poll(&ended, 1, -1) < 0 && errno == EINTR)
		;
	return true;
}

static void __attribute__((noreturn))
guard(const int kept[KEPT_COUNT], const struct identity *identity)
{
	prctl(PR_SET_NAME, GUARD_NAME);
	if (keep_only(kept) || process_live_with(KEPT_KILL) || clsact_open() ||
	    netlink_reopen() || privileges_drop(identity, ROLE_ATTACH) ||
	    privileges_confine(ROLE_ATTACH))
		_exit(1);
	/* The attacher waits for this byte before it goes on. */
	if (write(KEPT_SOCKET, "", 1) == 1 && attacher_was_killed())
		clear_all();
	_exit(0);
}

int guard_fd(void)
{
	return guard_socket;
}

/*
 * The guard takes no signal: one to the whole process group is the attacher's
 * to handle, and systemd's watchdog sends SIGABRT to all processes of a unit.
 */
static int start(const int kept[KEPT_COUNT], int socket,
		 const struct identity *identity)
{
	const pid_t child = process_fork();
	int error;
	char byte;

	guard_pid = child;
	if (!child)
		guard(kept, identity);
	error = -errno;
	close(kept[0]); /* so that the socket closes when the guard ends */
	if (child < 0)
		return error;
	if (!wait_ready(socket, POLLIN, WAIT_START, wait_end(WAIT_START)))
		return -ETIMEDOUT;
	return read(socket, &byte, sizeof(byte)) == 1 ? 0 : -EPERM;
}

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

static int start_beside(const struct identity *identity)
{
	const int attacher = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int ends[2] = { -1, -1 }, killing[2] = { -1, -1 }, error;

	if (attacher < 0 || pipe2(killing, O_CLOEXEC) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		error = -errno;
	} else {
		const int kept[] = { ends[1], attacher, killing[0],
				     killing[1] };

		error = start(kept, ends[0], identity);
	}
	close_all((int[]){ attacher, killing[0] }, 2);
	if (error) {
		close_all((int[]){ ends[0], killing[1] }, 2);
	} else {
		guard_socket = ends[0];
		guard_kill = killing[1];
	}
	return error;
}

void guard_start(const struct identity *identity)
{
	const int error = start_beside(identity);

	if (error)
		message("starting the process that removes tc filters after a "
			"SIGKILL: %s: the next start would remove them",
			strerror(-error));
}

void guard_begin(void)
{
	if (guard_socket >= 0)
		tell(WORD_BEGINS);
}

static bool guard_ends(enum wait wait)
{
	return wait_ready(guard_socket, POLLIN, wait, wait_end(wait));
}

void guard_stop(void)
{
	if (guard_socket < 0)
		return;
	/*
	 * The guard's end of the socket closes when the guard ends. One that is
	 * stopped is killed: nothing is left to remove.
	 */
	if (tell(WORD_DONE) && !guard_ends(WAIT_GUARD) &&
	    write(guard_kill, "", 1) == 1)
		guard_ends(WAIT_KILLED);
	close(guard_socket);
	close(guard_kill);
	guard_socket = guard_kill = -1;
	waitpid(guard_pid, NULL, WNOHANG);
}
