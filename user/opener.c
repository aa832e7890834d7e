/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "opener.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME "bannerprobe-log" /* as ps shows it; 15 bytes at most */

/* A descriptor on its way. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static int open_new(const char *path, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);

	return fd < 0 ? -errno : fd;
}

static bool is_log(const struct opener *opener, const struct stat *file)
{
	struct stat log;

	return opener->log && !stat(opener->log, &log) &&
	       log.st_dev == file->st_dev && log.st_ino == file->st_ino;
}

/*
 * Not what is there for something else: the log, /dev/null, or the link
 * /dev/stdout, which leads nowhere here, would be gone. 0 or negative errno.
 */
static int may_replace_metrics(const struct opener *opener)
{
	struct stat file;

	if (stat(opener->metrics, &file))
		return lstat(opener->metrics, &file) && errno == ENOENT ?
			       0 :
			       -EEXIST;
	if (S_ISDIR(file.st_mode))
		return -EISDIR;
	return S_ISREG(file.st_mode) && !is_log(opener, &file) ? 0 : -EEXIST;
}

/*
 * Always a new file: what somebody has put there in a directory like /tmp may
 * lead elsewhere. Who reads it is another user, whatever the umask.
 */
static int open_metrics(const struct opener *opener, const char *beside)
{
	int fd = may_replace_metrics(opener);

	if (fd)
		return fd;
	unlink(beside);
	fd = open_new(beside, O_EXCL);
	if (fd >= 0)
		fchmod(fd, 0644);
	return fd;
}

static int serve_metrics(const struct opener *opener,
			 enum opener_request request)
{
	char beside[PATH_MAX];
	int error;

	/* Two that write to one place by mistake do not write to one file. */
	if (snprintf(beside, sizeof(beside), "%s.%d.new", opener->metrics,
		     (int)getpid()) >= (int)sizeof(beside))
		return -ENAMETOOLONG;
	if (request == OPENER_NEW_METRICS)
		return open_metrics(opener, beside);
	if (request == OPENER_SET_METRICS && !rename(beside, opener->metrics))
		return 0;
	error = -errno;
	unlink(beside);
	return request == OPENER_SET_METRICS ? error : 0;
}

static int serve_request(const struct opener *opener,
			 enum opener_request request)
{
	if (request == OPENER_LOG)
		return opener->log ? open_new(opener->log, O_APPEND) : -EINVAL;
	return opener->metrics ? serve_metrics(opener, request) : -EINVAL;
}

/* Whether what comes of it, if it could be done, is a descriptor. */
static bool opens(enum opener_request request)
{
	return request == OPENER_LOG || request == OPENER_NEW_METRICS;
}

/* Sends a result: negative errno, 0, or `has_fd` a descriptor, for the other.
 */
static void answer(int socket, int result, bool has_fd)
{
	int told = result < 0 ? result : 0;
	union control control = {};
	struct iovec data = { &told, sizeof(told) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	has_fd = has_fd && result >= 0;
	if (has_fd) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(result));
		memcpy(CMSG_DATA(&control.header), &result, sizeof(result));
	}
	sendmsg(socket, &message, MSG_NOSIGNAL);
	if (has_fd)
		close(result);
}

/* Until the loader is gone, however it went; signals are for the loader. */
static void serve(int socket, const struct opener *opener)
{
	sigset_t all;
	char request;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, NAME);
	while (recv(socket, &request, sizeof(request), 0) > 0)
		answer(socket,
		       serve_request(opener, (enum opener_request)request),
		       opens((enum opener_request)request));
	_exit(0);
}

int opener_start(struct opener *opener)
{
	int ends[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	signal(SIGCHLD, SIG_IGN); /* nobody waits for it */
	child = fork();
	if (!child) {
		/* All others are the loader's alone: its pipes end with it. */
		dup2(ends[1], STDIN_FILENO);
		close_range(STDIN_FILENO + 1, ~0U, 0);
		serve(STDIN_FILENO, opener);
	}
	close(ends[1]);
	if (child > 0) {
		opener->socket = ends[0];
		return 0;
	}
	close(ends[0]);
	return -errno;
}

void opener_stop(struct opener *opener)
{
	if (opener->socket >= 0)
		close(opener->socket);
	opener->socket = -1;
}

/* What the process answers: a descriptor, 0, or negative errno. */
static int read_answer(int socket, bool has_fd)
{
	int told, fd;
	union control control = {};
	struct iovec data = { &told, sizeof(told) };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != sizeof(told))
		return -EPIPE; /* it is gone */
	if (told || !has_fd)
		return told;
	if (message.msg_controllen < sizeof(control.bytes))
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

int opener_ask(const struct opener *opener, enum opener_request request)
{
	char byte = (char)request;

	if (opener->socket < 0)
		return serve_request(opener, request);
	if (send(opener->socket, &byte, sizeof(byte), MSG_NOSIGNAL) < 0)
		return -errno;
	return read_answer(opener->socket, opens(request));
}
