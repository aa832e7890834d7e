/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "follow.h"

#include "command.h"

#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* ms: some file systems report no writes, so the file is also polled. */
#define LOOK_MS 2000

/*
 * Nothing is written but lines, each as it comes: so the process can end
 * wherever it is, also where it waits for a consumer that takes none.
 */
static void end(int signal)
{
	(void)signal;
	_exit(0);
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
	if (follow->watch >= 0 && watch_directory(follow, file)) {
		catch_signals(end);
		return true;
	}
	say("%s: cannot be followed: %s", file, strerror(errno));
	follow_close(follow);
	return false;
}

bool follow_wait(struct follow *follow)
{
	struct pollfd polled[] = {
		{ follow->watch, POLLIN, 0 },
		{ STDOUT_FILENO, 0, 0 }, /* the consumer closes it */
	};
	char events[4096];

	if (poll(polled, 2, LOOK_MS) < 0 && errno != EINTR)
		return false;
	while (read(follow->watch, events, sizeof(events)) > 0)
		;
	return !(polled[1].revents & (POLLERR | POLLHUP | POLLNVAL));
}

void follow_close(struct follow *follow)
{
	if (follow->watch >= 0)
		close(follow->watch);
}
