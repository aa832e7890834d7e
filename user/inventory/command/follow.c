/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "follow.h"

#include "say.h"

#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* ms: some file systems report no writes, so the file is also polled. */
#define LOOK_MS 2000

static int open_stop(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &signals, NULL))
		return -1;
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* Watches the file's directory: SQLite writes to a file beside it first. */
static bool watch_directory(const struct follow *follow, const char *file)
{
	char *copy = strdup(file);
	bool watched = copy && inotify_add_watch(follow->watch, dirname(copy),
						 IN_MODIFY | IN_CREATE |
							 IN_MOVED_TO) >= 0;

	free(copy);
	return watched;
}

bool follow_open(struct follow *follow, const char *file)
{
	follow->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	follow->stop = open_stop();
	if (follow->watch >= 0 && follow->stop >= 0 &&
	    watch_directory(follow, file))
		return true;
	say("%s: cannot be followed: %s", file, strerror(errno));
	follow_close(follow);
	return false;
}

bool follow_wait(struct follow *follow)
{
	struct pollfd polled[] = {
		{ follow->watch, POLLIN, 0 },
		{ follow->stop, POLLIN, 0 },
		{ STDOUT_FILENO, 0, 0 }, /* the consumer closes it */
	};
	char events[4096];

	if (poll(polled, 3, LOOK_MS) < 0 && errno != EINTR)
		return false;
	while (read(follow->watch, events, sizeof(events)) > 0)
		;
	return !polled[1].revents &&
	       !(polled[2].revents & (POLLERR | POLLHUP | POLLNVAL));
}

void follow_close(struct follow *follow)
{
	if (follow->watch >= 0)
		close(follow->watch);
	if (follow->stop >= 0)
		close(follow->stop);
}
