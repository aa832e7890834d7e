/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "services.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"

/* The port in "25/tcp"; 0 for another protocol, or without a port. */
static int tcp_port(const char *text)
{
	char *end;
	unsigned long port;

	if (!text || *text < '0' || *text > '9')
		return 0;
	port = strtoul(text, &end, 10);
	return port <= 65535 && !strcmp(end, "/tcp") ? (int)port : 0;
}

/* A line is: name, port/protocol, aliases, and a comment after #. */
static int port_in_line(char *line, const char *name)
{
	char *rest;
	bool found;
	int port;
	const char *word;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, BLANKS, &rest);
	if (!word)
		return 0;
	found = !strcmp(word, name);
	port = tcp_port(strtok_r(NULL, BLANKS, &rest));
	while (!found && port && (word = strtok_r(NULL, BLANKS, &rest)))
		found = !strcmp(word, name);
	return found ? port : 0;
}

/*
 * Reads the file itself, because the static program must not load the libraries
 * of the name services.
 */
int services_port(const char *name)
{
	FILE *services = fopen("/etc/services", "re");
	char *line = NULL;
	size_t size = 0;
	int port = 0;

	if (!services)
		return -errno;
	while (!port && getline(&line, &size, services) >= 0)
		port = port_in_line(line, name);
	free(line);
	fclose(services);
	return port;
}
