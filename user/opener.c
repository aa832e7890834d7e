/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "opener.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME "bannerprobe-log" /* as ps shows it; 15 bytes at most */

/* What is sent back: an errno, with the descriptor beside it if that is 0. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int opener_open_here(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : fd;
}

static void answer(int socket, int fd)
{
	int error = fd < 0 ? -fd : 0;
	union control control = {};
	struct iovec data = { &error, sizeof(error) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	sendmsg(socket, &message, MSG_NOSIGNAL);
	if (fd >= 0)
		close(fd);
}

/* Until the loader is gone, however it went; signals are for the loader. */
static void serve(int socket, const char *path)
{
	sigset_t all;
	char request;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, NAME);
	while (recv(socket, &request, sizeof(request), 0) > 0)
		answer(socket, opener_open_here(path));
	_exit(0);
}

int opener_start(const char *path)
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
		serve(STDIN_FILENO, path);
	}
	close(ends[1]);
	if (child > 0)
		return ends[0];
	close(ends[0]);
	return -errno;
}

int opener_open(int opener)
{
	char request = 0;
	int error, fd;
	union control control = {};
	struct iovec data = { &error, sizeof(error) };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };

	if (send(opener, &request, sizeof(request), MSG_NOSIGNAL) < 0)
		return -errno;
	if (recvmsg(opener, &message, MSG_CMSG_CLOEXEC) != sizeof(error))
		return -EPIPE; /* it is gone */
	if (error)
		return -error;
	if (message.msg_controllen < sizeof(control.bytes))
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}
