// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The load of tests/bench_host.py: servers that speak first, and their clients.
 *
 *   load serve PORT THREADS
 *       greets each connection to any address with a banner of its own, and closes
 *   load connect ADDRESS SPAN PORT THREADS COUNT
 *       makes COUNT connections, to SPAN addresses in turn from ADDRESS on, hears
 *       each banner out, and prints what came of it as json
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 4096, MOST_THREADS = 256, LONGEST = 128 };
static const char BEGINNING[] = "SSH-2.0-OpenSSH_9.2p1 bench-";

static struct sockaddr_in to = { .sin_family = AF_INET };
static int listener;
static unsigned int span, count;
static atomic_uint next, failed;

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

static void *greet(void *unused)
{
	char banner[LONGEST];

	(void)unused;
	for (;;) {
		int client = accept(listener, NULL, NULL);
		int length;

		if (client < 0)
			die("accept");
		length = snprintf(banner, sizeof(banner), "%s%u\r\n", BEGINNING, next++);
		/* A client may be gone already: it counts its failures itself. */
		send(client, banner, length, MSG_NOSIGNAL);
		close(client);
	}
	return NULL;
}

/* Whether a server has said a whole line of the kind expected, and then closed. */
static int hear(int server)
{
	char said[LONGEST];
	size_t length = 0;
	ssize_t n;

	while ((n = recv(server, said + length, sizeof(said) - length, 0)) > 0)
		length += n;
	return n == 0 && length > sizeof(BEGINNING) && said[length - 1] == '\n' &&
	       memcmp(said, BEGINNING, sizeof(BEGINNING) - 1) == 0;
}

static void *listen_to_servers(void *unused)
{
	unsigned int i;

	(void)unused;
	while ((i = next++) < count) {
		struct sockaddr_in server = to;
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		if (fd < 0)
			die("socket");
		server.sin_addr.s_addr = htonl(ntohl(to.sin_addr.s_addr) + i % span);
		if (connect(fd, (struct sockaddr *)&server, sizeof(server)) || !hear(fd))
			failed++;
		close(fd);
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

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void serve(unsigned int port, unsigned int threads)
{
	const int on = 1;

	to.sin_port = htons(port);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&to, sizeof(to)) || listen(listener, BACKLOG))
		die("bind");
	run(greet, threads);
}

static void talk(unsigned int port, unsigned int threads)
{
	double start = now();

	to.sin_port = htons(port);
	run(listen_to_servers, threads);
	printf("{\"connections\": %u, \"failed\": %u, \"seconds\": %.6f}\n",
	       count, failed, now() - start);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "serve")) {
		serve(number(argv[2]), number(argv[3]));
	} else if (argc == 7 && !strcmp(argv[1], "connect") &&
		   inet_pton(AF_INET, argv[2], &to.sin_addr) == 1) {
		span = number(argv[3]);
		count = number(argv[6]);
		talk(number(argv[4]), number(argv[5]));
	} else {
		fputs("usage: load serve PORT THREADS\n"
		      "       load connect ADDRESS SPAN PORT THREADS COUNT\n", stderr);
		return 2;
	}
	return 0;
}
