/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int descriptors_fill(bool *no_stdout)
{
	*no_stdout = fcntl(STDOUT_FILENO, F_GETFD) < 0;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/* open() takes the lowest number, which is this one. */
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null",
			 fd == STDERR_FILENO ? O_WRONLY : O_RDONLY) < 0)
			return -errno;
	}
	return 0;
}

int descriptor_unblocked(int fd)
{
	struct stat status;
	char path[32];
	int new;

	/*
	 * Not for a regular file: opened again, it is written from its start.
	 */
	if (fstat(fd, &status) || !(S_ISFIFO(status.st_mode) || isatty(fd)))
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	new = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return new < 0 ? fd : new;
}

ssize_t descriptor_write(int fd, const void *bytes, size_t len)
{
	ssize_t sent = send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	return sent < 0 && errno == ENOTSOCK ? write(fd, bytes, len) : sent;
}

bool descriptor_is_gone(int fd)
{
	struct pollfd polled = { .fd = fd };

	return poll(&polled, 1, 0) > 0 && polled.revents & (POLLERR | POLLHUP);
}

/* A message that carries a descriptor. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int descriptor_send(int socket, const void *bytes, size_t len, int fd)
{
	union control control = {};
	struct iovec data = { (void *)bytes, len };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };

	if (fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int descriptor_receive(int socket, void *bytes, size_t len, int *fd, int flags)
{
	union control control = {};
	struct iovec data = { bytes, len };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	const ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags);

	*fd = -1;
	if (got < 0)
		return -errno;
	if (got != (ssize_t)len)
		return -EPIPE;
	if (message.msg_controllen >= sizeof(control.bytes))
		memcpy(fd, CMSG_DATA(&control.header), sizeof(*fd));
	return 0;
}
