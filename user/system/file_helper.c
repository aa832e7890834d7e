/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "file_helper.h"

#include "descriptors.h"
#include "message.h"
#include "privileges.h"
#include "stopping.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
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

/* Whether a successful request returns a descriptor. */
static bool opens(enum file_request what)
{
	return what == FILE_LOG || what == FILE_NEW_METRICS;
}

/* --- the process --------------------------------------------------------- */

static void serve(int socket, struct files *files,
		  const struct request *request)
{
	const int result = files_serve(files, request->what);
	const bool has_fd = result >= 0 && opens(request->what);
	const struct answer answer = { request->serial,
				       result < 0 ? result : 0 };

	descriptor_send(socket, &answer, sizeof(answer), has_fd ? result : -1);
	if (has_fd)
		close(result);
}

static int confine(void)
{
	const int error = privileges_keep(ROLE_FILES);

	return error ? error : privileges_confine(ROLE_FILES);
}

/*
 * Serves until the program has ended, however that happened. Signals are
 * ignored here: they are the program's to handle.
 */
static void __attribute__((noreturn))
run(struct files *files, int socket, int life, bool unconfined)
{
	const int kept[] = { socket, life, files->log.dir, files->metrics.dir };
	struct request request;
	struct answer ready = {};

	process_keep_only(kept, sizeof(kept) / sizeof(*kept));
	ready.result = confine();
	descriptor_send(socket, &ready, sizeof(ready), -1);
	if (ready.result && !unconfined)
		_exit(1);
	files_clear_stale(files);
	while (recv(socket, &request, sizeof(request), 0) == sizeof(request))
		serve(socket, files, &request);
	files_serve(files, FILE_DROP_METRICS);
	_exit(0);
}

/* --- the processes that ask it -------------------------------------------- */

bool file_helper_is_busy(struct file_helper *helper)
{
	struct answer answer;
	int fd;

	/*
	 * The late answer to a request that was given up is dropped.
	 */

	while (helper->busy &&
	       !descriptor_receive(helper->socket, &answer, sizeof(answer), &fd,
				   MSG_DONTWAIT)) {
		if (fd >= 0)
			close(fd);
		helper->busy = answer.serial != helper->serial;
	}
	return helper->busy;
}

/* Waits for the answer to the last request. */
static int await(struct file_helper *helper, enum wait wait,
		 struct answer *answer, int *fd)
{
	int error;

	helper->busy = true;
	if (!wait_ready(helper->socket, POLLIN, wait, wait_end(wait)))
		return -ETIMEDOUT;
	error = descriptor_receive(helper->socket, answer, sizeof(*answer), fd,
				   0);
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

/* Reads whether the file helper could confine itself. */
static int await_start(struct file_helper *helper, bool unconfined)
{
	struct answer ready;
	int fd, error = await(helper, WAIT_START, &ready, &fd);

	if (!error && !unconfined)
		error = ready.result;
	if (error)
		message("confining bannerprobe-log: %s: --unconfined "
			"goes on without",
			strerror(-error));
	return error;
}

int file_helper_start(struct file_helper *helper, bool unconfined)
{
	int ends[2], result;

	result = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) ?
			 -errno :
			 process_start(&helper->process, NAME);
	if (!result)
		run(&helper->files, ends[1], helper->process.life, unconfined);
	if (result < 0) {
		message("starting bannerprobe-log, which opens files: %s",
			strerror(-result));
		return result;
	}
	close(ends[1]);
	helper->socket = ends[0];
	return await_start(helper, unconfined);
}

void file_helper_leave(struct file_helper *helper)
{
	if (helper->socket < 0)
		return;
	shutdown(helper->socket, SHUT_WR);
	wait_ready(helper->socket, POLLRDHUP, WAIT_HELPER,
		   wait_end(WAIT_HELPER));
	close(helper->socket);
	helper->socket = -1;
}

void file_helper_hand_over(struct file_helper *helper)
{
	if (helper->socket >= 0)
		close(helper->socket);
	helper->socket = -1;
	files_close(&helper->files);
}

void file_helper_take_over(struct file_helper *helper)
{
	process_forget(&helper->process);
	if (helper->socket >= 0)
		files_close(
			&helper->files); /* the reader asks the helper now */
}

void file_helper_stop(struct file_helper *helper)
{
	file_helper_leave(helper);
	process_wait(&helper->process, WAIT_HELPER, wait_end(WAIT_HELPER));
	process_end(&helper->process);
	files_close(&helper->files);
}
