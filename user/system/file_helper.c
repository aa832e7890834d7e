/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "file_helper.h"

#include "message.h"
#include "privileges.h"
#include "stopping.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME "bannerprobe-log" /* as ps shows it; 15 bytes at most */

struct request {
	unsigned int serial;
	enum file_request what;
};

struct answer {
	unsigned int serial;
	int result; /* negative errno, or 0: then there may be a descriptor */
};

/* A descriptor on its way. */
union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int))];
};

/* Whether what comes of it, if it could be done, is a descriptor. */
static bool opens(enum file_request what)
{
	return what == FILE_LOG || what == FILE_NEW_METRICS;
}

/* --- the process --------------------------------------------------------- */

/* `fd` -1: none goes along. */
static void send_answer(int socket, struct answer answer, int fd)
{
	union control control = {};
	struct iovec data = { &answer, sizeof(answer) };
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
}

static void serve(int socket, struct files *files,
		  const struct request *request)
{
	const int result = files_serve(files, request->what);
	const bool has_fd = result >= 0 && opens(request->what);
	const struct answer answer = { request->serial,
				       result < 0 ? result : 0 };

	send_answer(socket, answer, has_fd ? result : -1);
	if (has_fd)
		close(result);
}

/*
 * When the other end of the pipe is closed the kernel kills this process,
 * whatever it waits for: PR_SET_PDEATHSIG does not, since a parent that has
 * become another user may not send it a signal.
 */
static int live_with(int pipe)
{
	return fcntl(pipe, F_SETSIG, SIGKILL) ||
			       fcntl(pipe, F_SETOWN, getpid()) ||
			       fcntl(pipe, F_SETFL, O_ASYNC) ?
		       -errno :
		       0;
}

/* All descriptors but these: pipes that others read end with the program. */
static void close_others(const int *kept, size_t count)
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
			close_range(from, next - 1, 0);
		if (next == ~0U)
			return;
		from = next + 1;
	}
}

static int confine(int life)
{
	int error = live_with(life);

	if (!error)
		error = privileges_keep(ROLE_FILES);
	return error ? error : privileges_confine(ROLE_FILES);
}

/* Until the program is gone, however it went; signals are for that one. */
static void run(struct files *files, int socket, int life, bool unconfined)
{
	const int kept[] = { socket, life, files->log.dir, files->metrics.dir };
	struct request request;
	struct answer ready = {};
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, NAME);
	close_others(kept, sizeof(kept) / sizeof(*kept));
	ready.result = confine(life);
	send_answer(socket, ready, -1);
	if (ready.result && !unconfined)
		_exit(1);
	files_clear_stale(files);
	while (recv(socket, &request, sizeof(request), 0) == sizeof(request))
		serve(socket, files, &request);
	files_serve(files, FILE_DROP_METRICS);
	_exit(0);
}

/* --- those that ask it -----------------------------------------------------
 */

/* Waits for an answer; its descriptor is in *fd, or -1. 0 or negative errno. */
static int receive(int socket, struct answer *answer, int *fd, int flags)
{
	union control control = {};
	struct iovec data = { answer, sizeof(*answer) };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	const ssize_t len = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags);

	*fd = -1;
	if (len < 0)
		return -errno;
	if (len != sizeof(*answer))
		return -EPIPE; /* it is gone */
	if (message.msg_controllen >= sizeof(control.bytes))
		memcpy(fd, CMSG_DATA(&control.header), sizeof(*fd));
	return 0;
}

bool file_helper_is_busy(struct file_helper *helper)
{
	struct answer answer;
	int fd;

	/* What was given up is answered at last: nobody wants it now. */

	while (helper->busy &&
	       !receive(helper->socket, &answer, &fd, MSG_DONTWAIT)) {
		if (fd >= 0)
			close(fd);
		helper->busy = answer.serial != helper->serial;
	}
	return helper->busy;
}

/* The answer to the last request, in time. */
static int await(struct file_helper *helper, enum wait wait,
		 struct answer *answer, int *fd)
{
	int error;

	helper->busy = true;
	if (!wait_ready(helper->socket, POLLIN, wait, wait_end(wait)))
		return -ETIMEDOUT;
	error = receive(helper->socket, answer, fd, 0);
	helper->busy = false;
	return error;
}

int file_helper_ask(struct file_helper *helper, enum file_request what)
{
	struct request request = { helper->serial + 1, what };
	struct answer answer;
	int fd, error;

	if (helper->socket < 0)
		return files_serve(&helper->files, what);
	if (file_helper_is_busy(helper))
		return -ETIMEDOUT;
	if (send(helper->socket, &request, sizeof(request),
		 MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -errno;
	helper->serial = request.serial;
	error = await(helper, WAIT_HELPER, &answer, &fd);
	if (error)
		return error;
	if (opens(what) && !answer.result)
		return fd < 0 ? -EPROTO : fd;
	return answer.result;
}

/* The process has said what came of confining itself. */
static int await_start(struct file_helper *helper, bool unconfined)
{
	struct answer ready;
	int fd, error = await(helper, WAIT_START, &ready, &fd);

	if (!error && !unconfined)
		error = ready.result;
	if (error)
		message("confining the process for files: %s: --unconfined "
			"goes on without",
			strerror(-error));
	return error;
}

/* The ends of what joins the two processes: here 0, there 1. */
static int open_ends(int socket[2], int life[2])
{
	int error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socket))
		return -errno;
	if (!pipe2(life, O_CLOEXEC))
		return 0;
	error = -errno;
	close(socket[0]);
	close(socket[1]);
	return error;
}

int file_helper_start(struct file_helper *helper, bool unconfined)
{
	int socket[2] = { -1, -1 }, life[2] = { -1, -1 };
	int error = open_ends(socket, life);
	pid_t child;

	if (error) {
		message("starting a process for files: %s", strerror(-error));
		return error;
	}
	signal(SIGCHLD, SIG_IGN); /* nobody waits for it */
	child = fork();
	if (!child)
		run(&helper->files, socket[1], life[0], unconfined);
	error = -errno;
	close(socket[1]);
	close(life[0]);
	helper->socket = socket[0];
	helper->life = life[1];
	if (child > 0)
		return await_start(helper, unconfined);
	message("starting a process for files: %s", strerror(-error));
	return error;
}

/* With time to remove what it would leave; then it is killed. */
void file_helper_stop(struct file_helper *helper)
{
	if (helper->socket >= 0) {
		shutdown(helper->socket, SHUT_WR);
		wait_ready(helper->socket, POLLRDHUP, WAIT_HELPER,
			   wait_end(WAIT_HELPER));
		close(helper->socket);
	}
	if (helper->life >= 0)
		close(helper->life);
	helper->socket = helper->life = -1;
	files_close(&helper->files);
}
