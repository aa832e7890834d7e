// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The load of tests/system/rig.py: servers that speak first, their clients, and
 * a flood.
 *
 *   load serve PORT THREADS
 *       greets each connection to any address with a banner of its own, and
 *       closes
 *   load connect ADDRESS SPAN PORT THREADS COUNT [SECONDS]
 *       makes COUNT connections, or as many as SECONDS allow, to SPAN addresses
 *       in turn from ADDRESS on, hears each banner out, and prints what came of
 *       it as json
 *   load reset PORT PAIRS COUNT
 *       PAIRS servers and as many clients, each on a CPU of its own as far as
 *       there are any: each client makes COUNT connections over loopback, one
 *       after the other, hears the banner and resets; printed likewise
 *   load flood IFACE ADDRESS PORT SECONDS
 *       sends SYNs to one port as fast as the interface takes them, each of
 *       another client, and prints likewise; failed: those that the kernel
 *       dropped
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 4096, MOST_THREADS = 256, LONGEST = 128 };
static const char BEGINNING[] = "SSH-2.0-OpenSSH_9.2p1 bench-";

static struct sockaddr_in to = { .sin_family = AF_INET };
static int listener;
static unsigned int span, count;
static double end; /* on now()'s clock; 0: none */
static atomic_uint next, made, failed;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* A count from the command line: at least 1. */
static unsigned int number(const char *text)
{
	long n = atol(text);

	if (n < 1 || n > 1000000000) {
		fprintf(stderr, "load: not a count: %s\n", text);
		exit(2);
	}
	return n;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void *greet(void *unused)
{
	char banner[LONGEST];

	(void)unused;
	for (;;) {
		int client = accept(listener, NULL, NULL);
		int length;

		if (client < 0)
			die("accept");
		length = snprintf(banner, sizeof(banner), "%s%u\r\n", BEGINNING,
				  next++);
		/*
		 * The client may be gone already; it counts its own failures.
		 */
		send(client, banner, length, MSG_NOSIGNAL);
		close(client);
	}
	return NULL;
}

/*
 * Whether a server has said a whole line of the kind expected, and then closed.
 */
static int hear(int server)
{
	char said[LONGEST];
	size_t length = 0;
	ssize_t n;

	while ((n = recv(server, said + length, sizeof(said) - length, 0)) > 0)
		length += n;
	return n == 0 && length > sizeof(BEGINNING) &&
	       said[length - 1] == '\n' &&
	       memcmp(said, BEGINNING, sizeof(BEGINNING) - 1) == 0;
}

static void *listen_to_servers(void *unused)
{
	unsigned int i;

	(void)unused;
	while ((i = next++) < count && (!end || now() < end)) {
		struct sockaddr_in server = to;
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0)
			die("socket");
		server.sin_addr.s_addr =
			htonl(ntohl(to.sin_addr.s_addr) + i % span);
		if (connect(fd, (struct sockaddr *)&server, sizeof(server)) ||
		    !hear(fd))
			failed++;
		close(fd);
		made++;
	}
	return NULL;
}

static void run(void *(*work)(void *), unsigned int threads)
{
	pthread_t ids[MOST_THREADS];
	unsigned int i;

	if (threads > MOST_THREADS)
		threads = MOST_THREADS;
	for (i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, work, NULL))
			die("pthread_create");
	for (i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
}

static void serve(unsigned int port, unsigned int threads)
{
	const int on = 1;

	to.sin_port = htons(port);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&to, sizeof(to)) ||
	    listen(listener, BACKLOG))
		die("bind");
	run(greet, threads);
}

static void print_result(double start)
{
	printf("{\"connections\": %u, \"failed\": %u, \"seconds\": %.6f}\n",
	       made, failed, now() - start);
}

static void talk(unsigned int port, unsigned int threads)
{
	double start = now();

	to.sin_port = htons(port);
	run(listen_to_servers, threads);
	print_result(start);
}

/* --- resets --------------------------------------------------------------- */

/* What the processes of all pairs share. */
struct shared {
	pthread_barrier_t start;
	atomic_uint failed;
};

/* The n-th of the CPUs that may be used, and round again. */
static void pin(unsigned int n)
{
	cpu_set_t allowed, one;
	int cpu = -1;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		die("sched_getaffinity");
	n %= CPU_COUNT(&allowed);
	for (unsigned int found = 0; found <= n;
	     found += CPU_ISSET(cpu, &allowed) ? 1 : 0)
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		die("sched_setaffinity");
}

/* A client is gone before its server closes, which sends no more packets. */
static void greet_and_wait(unsigned int first)
{
	char banner[LONGEST];
	int client, last = -1;

	for (unsigned int n = first;; n++) {
		int length = snprintf(banner, sizeof(banner), "%s%u\r\n",
				      BEGINNING, n);

		client = accept(listener, NULL, NULL);
		if (client < 0)
			die("accept");
		send(client, banner, length, MSG_NOSIGNAL);
		if (last >= 0)
			close(last);
		last = client;
	}
}

/* Whether a whole banner came in one piece, as it was sent. */
static int hear_and_reset(void)
{
	const struct linger reset = { .l_onoff = 1 };
	char said[LONGEST];
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ssize_t length;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)))
		die("socket");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	length = recv(fd, said, sizeof(said), 0);
	close(fd);
	return length > (ssize_t)sizeof(BEGINNING) && said[length - 1] == '\n';
}

static pid_t child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static pid_t start_server(unsigned int port, unsigned int pair)
{
	const int on = 1;
	pid_t pid;

	to.sin_port = htons(port + pair);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&to, sizeof(to)) ||
	    listen(listener, BACKLOG))
		die("bind");
	pid = child();
	if (!pid) {
		pin(2 * pair);
		greet_and_wait(pair * count);
	}
	close(listener);
	return pid;
}

static pid_t start_client(unsigned int port, unsigned int pair,
			  struct shared *shared)
{
	pid_t pid = child();

	if (pid)
		return pid;
	pin(2 * pair + 1);
	to.sin_port = htons(port + pair);
	pthread_barrier_wait(&shared->start);
	for (unsigned int i = 0; i < count; i++)
		shared->failed += !hear_and_reset();
	_exit(0);
}

static void reset(unsigned int port, unsigned int pairs)
{
	struct shared *shared =
		mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t servers[MOST_THREADS], clients[MOST_THREADS];
	pthread_barrierattr_t attributes;
	double start;
	int status;

	if (shared == MAP_FAILED || pairs > MOST_THREADS)
		die("too many pairs");
	pthread_barrierattr_init(&attributes);
	pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shared->start, &attributes, pairs + 1);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (unsigned int i = 0; i < pairs; i++)
		servers[i] = start_server(port, i);
	for (unsigned int i = 0; i < pairs; i++)
		clients[i] = start_client(port, i, shared);
	pthread_barrier_wait(&shared->start);
	start = now();
	for (unsigned int i = 0; i < pairs; i++) {
		if (waitpid(clients[i], &status, 0) < 0 || status)
			shared->failed++;
	}
	made = pairs * count;
	failed = shared->failed;
	print_result(start);
	for (unsigned int i = 0; i < pairs; i++)
		kill(servers[i], SIGKILL);
}

/* --- a flood -------------------------------------------------------------- */

struct syn {
	struct ether_header ethernet;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

/*
 * The client of a number: 10.128.0.0 to 10.255.255.255, and a port. Checksums
 * stay 0.
 */
static void name_client(struct syn *syn, unsigned int n)
{
	syn->ip.saddr = htonl(0x0a800000 + n % (1 << 23));
	syn->tcp.source = htons(1024 + n / (1 << 23));
	syn->tcp.seq = htonl(n * 2654435761u);
}

/*
 * The Ethernet address is another host's: the kernel drops each packet behind
 * the hooks.
 */
static void flood(const char *interface, unsigned int port,
		  unsigned int seconds)
{
	struct syn syn = {
		.ethernet = { .ether_shost = { 2, 0, 0, 0, 0, 1 },
			      .ether_dhost = { 2, 0, 0, 0, 0, 2 },
			      .ether_type = htons(ETHERTYPE_IP) },
		.ip = { .version = 4,
			.ihl = 5,
			.ttl = 64,
			.protocol = IPPROTO_TCP,
			.tot_len = htons(sizeof(syn.ip) + sizeof(syn.tcp)),
			.daddr = to.sin_addr.s_addr },
		.tcp = { .doff = 5,
			 .syn = 1,
			 .window = htons(1024),
			 .dest = htons(port) },
	};
	struct sockaddr_ll link = { .sll_family = AF_PACKET,
				    .sll_ifindex = if_nametoindex(interface) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	double start = now();

	if (fd < 0 || !link.sll_ifindex ||
	    bind(fd, (struct sockaddr *)&link, sizeof(link)))
		die(interface);
	end = start + seconds;
	while (now() < end) {
		name_client(&syn, next++);
		if (send(fd, &syn, sizeof(syn), 0) == sizeof(syn))
			made++;
		else if (errno == ENOBUFS)
			failed++;
		else
			die("send");
	}
	print_result(start);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "serve")) {
		serve(number(argv[2]), number(argv[3]));
	} else if ((argc == 7 || argc == 8) && !strcmp(argv[1], "connect") &&
		   inet_pton(AF_INET, argv[2], &to.sin_addr) == 1) {
		span = number(argv[3]);
		count = number(argv[6]);
		end = argc == 8 ? now() + number(argv[7]) : 0;
		talk(number(argv[4]), number(argv[5]));
	} else if (argc == 5 && !strcmp(argv[1], "reset")) {
		count = number(argv[4]);
		reset(number(argv[2]), number(argv[3]));
	} else if (argc == 6 && !strcmp(argv[1], "flood") &&
		   inet_pton(AF_INET, argv[3], &to.sin_addr) == 1) {
		flood(argv[2], number(argv[4]), number(argv[5]));
	} else {
		fputs("usage: load serve PORT THREADS\n"
		      "       load connect ADDRESS SPAN PORT THREADS COUNT "
		      "[SECONDS]\n"
		      "       load reset PORT PAIRS COUNT\n"
		      "       load flood IFACE ADDRESS PORT SECONDS\n",
		      stderr);
		return 2;
	}
	return 0;
}
