/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A server for containers without anything else, and for systemd and inetd:
 *
 *	greeter PORT		listens
 *	greeter listener	standard input is a socket that listens
 *	greeter connection	standard input is a client
 *
 * It says its host's name to each client and waits until that one goes.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void stop(int number)
{
	_exit(number != SIGTERM);
}

static int listener(const char *port)
{
	struct sockaddr_in6 all = { .sin6_family = AF_INET6,
				    .sin6_port = htons((in_port_t)atoi(port)),
				    .sin6_addr = IN6ADDR_ANY_INIT };
	const int yes = 1, fd = socket(AF_INET6, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&all, sizeof(all)) || listen(fd, 16)) {
		perror(port);
		exit(1);
	}
	return fd;
}

static void greet(int client)
{
	char host[64] = "", said[128], byte;

	gethostname(host, sizeof(host) - 1);
	snprintf(said, sizeof(said), "220 %s ready\r\n", host);
	if (write(client, said, strlen(said)) > 0)
		while (read(client, &byte, 1) > 0)
			;
	close(client);
}

int main(int argc, char **argv)
{
	int fd = 0, client;

	if (argc != 2)
		return 2;
	/* As the first process of a container it would not end without. */
	signal(SIGTERM, stop);
	signal(SIGPIPE, SIG_IGN);
	if (!strcmp(argv[1], "connection")) {
		greet(0);
		return 0;
	}
	if (strcmp(argv[1], "listener"))
		fd = listener(argv[1]);
	while ((client = accept(fd, NULL, NULL)) >= 0)
		greet(client);
	return 1;
}
