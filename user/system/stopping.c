/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "stopping.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define ENDLESS LLONG_MAX

/*
 * Limits of waits, in milliseconds. `usual`: of one wait, while the program
 * runs. `since_stop`: from the moment when this process noticed the stop. Waits
 * that come later in a stop have greater limits, so that no earlier wait uses
 * up the two seconds that a stop may take. The reader may notice the stop only
 * when it gets its last job, so all its waits must be over within WAIT_LAST.
 */
static const struct {
	long long usual, since_stop;
} limits[] = {
	[WAIT_READER] = { ENDLESS, 600 }, [WAIT_OWNER] = { 70, 300 },
	[WAIT_LOCK] = { 500, 800 },	  [WAIT_HELPER] = { 2000, 700 },
	[WAIT_START] = { 30000, 1000 },	  [WAIT_GUARD] = { 1000, 1400 },
	[WAIT_MESSAGES] = { 500, 800 },	  [WAIT_RECORDS] = { ENDLESS, 700 },
	[WAIT_LAST] = { 900, ENDLESS },	  [WAIT_KEEPER] = { ENDLESS, 1600 },
	[WAIT_KILLED] = { 100, ENDLESS },
};

static int stop_fd = -1;
static int passed_to = -1;
static long long stopped_at; /* 0: not asked for */

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int stopping_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	stop_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return stop_fd < 0 ? -errno : stop_fd;
}

void stopping_pass_on(int eventfd)
{
	passed_to = eventfd;
}

void stopping_follow(int eventfd)
{
	stop_fd = eventfd;
}

void stop_now(void)
{
	static const unsigned long long one = 1;

	if (stopped_at)
		return;
	stopped_at = now_ms();
	/* The only write to this eventfd, so it does not block. */
	if (passed_to >= 0 && write(passed_to, &one, sizeof(one)) < 0)
		passed_to = -1;
}

bool stopping(void)
{
	/* The signal is not read, so that every other wait sees it, too. */
	struct pollfd signalled = { .fd = stop_fd, .events = POLLIN };

	if (!stopped_at && stop_fd >= 0 && poll(&signalled, 1, 0) > 0)
		stop_now();
	return stopped_at;
}

long long wait_end(enum wait wait)
{
	return limits[wait].usual == ENDLESS ? ENDLESS :
					       now_ms() + limits[wait].usual;
}

int wait_left(enum wait wait, long long end)
{
	const long long since_stop = limits[wait].since_stop;
	long long left;

	if (stopped_at && since_stop != ENDLESS &&
	    end > stopped_at + since_stop)
		end = stopped_at + since_stop;
	if (end == ENDLESS)
		return -1;
	left = end - now_ms();
	return left > 0 ? (int)left : 0;
}

bool wait_ready(int fd, short events, enum wait wait, long long end)
{
	struct pollfd polled[] = {
		{ .fd = fd, .events = events },
		{ .fd = stop_fd, .events = POLLIN },
	};
	int ready;

	do {
		if (stopping())
			polled[1].fd = -1;
		ready = poll(polled, 2, wait_left(wait, end));
	} while ((ready < 0 && errno == EINTR) ||
		 (ready > 0 && !polled[0].revents));
	return ready > 0;
}
