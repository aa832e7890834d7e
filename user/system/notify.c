/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "notify.h"

#include "message.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define USEC_PER_SECOND 1000000ULL

static int notify_fd = -1;

/* Connects to the socket of this name; "@" begins an abstract name. */
static int open_socket(const char *name)
{
	const struct timeval patience = { .tv_usec = 200000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	int fd;

	if ((*name != '/' && *name != '@') || len > sizeof(address.sun_path)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(address.sun_path, name, len);
	if (*name == '@')
		*address.sun_path = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/*
	 * A service manager that hangs must not keep this process from
	 * stopping.
	 */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	len += offsetof(struct sockaddr_un, sun_path);
	if (connect(fd, (struct sockaddr *)&address, (socklen_t)len)) {
		close(fd);
		return -1;
	}
	return fd;
}

void notify_open(void)
{
	const char *name = getenv("NOTIFY_SOCKET");

	if (!name)
		return;
	notify_fd = open_socket(name);
	if (notify_fd < 0)
		message("NOTIFY_SOCKET: %s: %s", name, strerror(errno));
}

void notify_close(void)
{
	if (notify_fd >= 0)
		close(notify_fd);
	notify_fd = -1;
}

/* Errors are ignored: the run does not depend on the service manager. */
static void notify(const char *state)
{
	if (notify_fd >= 0 &&
	    send(notify_fd, state, strlen(state), MSG_NOSIGNAL) < 0)
		message("NOTIFY_SOCKET: %s", strerror(errno));
}

/* The watchdog may be meant for another process: then $WATCHDOG_PID says so. */
static bool is_watched(void)
{
	const char *pid = getenv("WATCHDOG_PID");

	return notify_fd >= 0 &&
	       (!pid || strtol(pid, NULL, 10) == (long)getpid());
}

unsigned int notify_watchdog_seconds(void)
{
	const char *text = is_watched() ? getenv("WATCHDOG_USEC") : NULL;
	const unsigned long long limit = text ? strtoull(text, NULL, 10) : 0;
	const unsigned long long half = limit / (2 * USEC_PER_SECOND);

	if (!limit)
		return 0;
	return half < 1 ? 1 : half > INT_MAX ? INT_MAX : (unsigned int)half;
}

void notify_alive(void)
{
	notify("WATCHDOG=1");
}

void notify_ready(void)
{
	notify("READY=1");
}

void notify_stopping(void)
{
	notify("STOPPING=1");
}
