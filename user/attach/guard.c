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
	KEPT_COUNT,
};

static int guard_socket = -1; /* the attacher's socket to the guard */
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
static int keep_only(int socket, int attacher)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* Moves both away from the numbers that they will get. */
	const int high_socket = fcntl(socket, F_DUPFD, KEPT_COUNT);
	const int high_attacher = fcntl(attacher, F_DUPFD, KEPT_COUNT);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(high_socket, KEPT_SOCKET) < 0 ||
	    dup2(high_attacher, KEPT_ATTACHER) < 0)
		return -errno;
	return syscall(SYS_close_range, KEPT_COUNT, ~0U, 0) ? -errno : 0;
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
guard(int socket, int attacher, const struct identity *identity)
{
	prctl(PR_SET_NAME, GUARD_NAME);
	if (keep_only(socket, attacher) || clsact_open() || netlink_reopen() ||
	    privileges_drop(identity, ROLE_ATTACH) ||
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
static int start(int ends[2], int attacher, const struct identity *identity)
{
	const pid_t child = process_fork();
	char byte;

	guard_pid = child;
	if (!child)
		guard(ends[1], attacher, identity);
	if (child < 0)
		return -errno;
	close(ends[1]);
	ends[1] = -1;
	if (!wait_ready(ends[0], POLLIN, WAIT_START, wait_end(WAIT_START)))
		return -ETIMEDOUT;
	return read(ends[0], &byte, sizeof(byte)) == 1 ? 0 : -EPERM;
}

static int start_beside(const struct identity *identity)
{
	const int attacher = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int ends[2], error;

	if (attacher < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		error = -errno;
		close(attacher);
		return error;
	}
	error = start(ends, attacher, identity);
	close(attacher);
	if (ends[1] >= 0)
		close(ends[1]);
	if (error)
		close(ends[0]);
	else
		guard_socket = ends[0];
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

void guard_stop(void)
{
	if (guard_socket < 0)
		return;
	/* The guard's end of the socket closes when the guard ends. */
	if (tell(WORD_DONE))
		wait_ready(guard_socket, POLLIN, WAIT_GUARD,
			   wait_end(WAIT_GUARD));
	close(guard_socket);
	guard_socket = -1;
	waitpid(guard_pid, NULL, WNOHANG);
}
