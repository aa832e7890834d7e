// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A long wire between two interfaces: each frame that one receives the other
 * sends a while later. What tc's netem does on kernels that have it.
 *
 *   wire IFACE IFACE MILLISECONDS
 *
 * Says "ready" once it carries frames, and ends by a signal.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* With the header of offloads before it: what veth has left undone stays so. */
enum {
	FRAME_MAX = 66000,
	SOCKET_BYTES = 64 << 20,
	MS = 1000000,
	AT_ONCE = 256
};

struct frame {
	STAILQ_ENTRY(frame) next;
	long long due; /* ns */
	size_t size;
	char bytes[];
};

struct side {
	int fd;
	STAILQ_HEAD(, frame) waiting; /* to be sent here, the oldest first */
};

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void open_side(struct side *side, const char *name)
{
	struct sockaddr_ll link = { .sll_family = AF_PACKET,
				    .sll_protocol = htons(ETH_P_ALL),
				    .sll_ifindex = (int)if_nametoindex(name) };
	const int on = 1, size = SOCKET_BYTES;

	STAILQ_INIT(&side->waiting);
	side->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
	if (side->fd < 0 || !link.sll_ifindex ||
	    setsockopt(side->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on,
		       sizeof(on)) ||
	    setsockopt(side->fd, SOL_PACKET, PACKET_VNET_HDR, &on,
		       sizeof(on)) ||
	    setsockopt(side->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) ||
	    bind(side->fd, (struct sockaddr *)&link, sizeof(link)))
		die(name);
}

/* What one side has received, for the other; a flood must not keep it here. */
static void take(struct side *from, struct side *to, long long delay)
{
	static char bytes[FRAME_MAX];
	struct frame *frame;
	ssize_t n;

	for (int i = 0; i < AT_ONCE; i++) {
		n = recv(from->fd, bytes, sizeof(bytes), 0);
		if (n <= 0)
			return;
		frame = malloc(sizeof(*frame) + (size_t)n);
		if (!frame)
			die("malloc");
		frame->due = now() + delay;
		frame->size = (size_t)n;
		memcpy(frame->bytes, bytes, (size_t)n);
		STAILQ_INSERT_TAIL(&to->waiting, frame, next);
	}
}

/* Sends what is due; milliseconds until there is more, or `wait`. */
static int give(struct side *side, int wait)
{
	struct frame *frame;

	while ((frame = STAILQ_FIRST(&side->waiting))) {
		long long left = frame->due - now();

		if (left > 0) {
			int ms = (int)((left + MS - 1) / MS);

			return wait < 0 || ms < wait ? ms : wait;
		}
		/* A frame that cannot be sent is lost, as on any wire. */
		send(side->fd, frame->bytes, frame->size, 0);
		STAILQ_REMOVE_HEAD(&side->waiting, next);
		free(frame);
	}
	return wait;
}

int main(int argc, char **argv)
{
	struct side near, far;
	long long delay;

	if (argc != 4) {
		fputs("usage: wire IFACE IFACE MILLISECONDS\n", stderr);
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	delay = atoll(argv[3]) * MS;
	open_side(&near, argv[1]);
	open_side(&far, argv[2]);
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pollfd polled[] = { { near.fd, POLLIN, 0 },
					   { far.fd, POLLIN, 0 } };

		if (poll(polled, 2, give(&near, give(&far, -1))) < 0 &&
		    errno != EINTR)
			die("poll");
		take(&near, &far, delay);
		take(&far, &near, delay);
	}
}
