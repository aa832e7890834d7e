/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Prints the owner of a port, for a test and for a person. Reads questions from
 * standard input, one a line, and answers each with a line of JSON:
 *
 *	listener IFINDEX ADDRESS PORT
 *	socket CGROUP UID ADDRESS PORT
 *	reasons
 *	tick
 *	around			looks around, as before the first question
 *	drop UID		gives up all privileges but CAP_BPF and
 *				CAP_NET_ADMIN
 *	bench N QUESTION...	what N answers took of the processor, in
 *				nanoseconds each
 *	count N QUESTION...	what N answers asked of the kernel, in which
 *				time the clock stands still: how often for a
 *				list, and for one socket or cgroup
 *	ports N IFINDEX ADDRESS	the same for the listeners of ports 1 to N
 *
 * Its argument is what to do without, a number: enum owner_flags.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <cap-ng.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "owner/owner.h"

static const char *const parts[OWNER_PARTS] = {
	[OWNER_CGROUPS] = "cgroups",	 [OWNER_LISTENERS] = "listeners",
	[OWNER_PROCESSES] = "processes", [OWNER_NAMESPACES] = "namespaces",
	[OWNER_POD_NAMES] = "pod_names",
};

/* As JSON; bytes beyond ASCII as Latin-1, so that none is lost. */
static void print_text(const char *name, const char *text)
{
	if (!text) {
		printf("\"%s\": null, ", name);
		return;
	}
	printf("\"%s\": \"", name);
	for (const char *c = text; *c; c++) {
		if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\')
			printf("\\u%04x", (unsigned char)*c);
		else
			putchar(*c);
	}
	printf("\", ");
}

static void print_owner(bool known, const struct owner *owner)
{
	printf("{\"known\": %s, ", known ? "true" : "false");
	print_text("unit", owner->unit);
	print_text("container", owner->container);
	print_text("pod", owner->pod);
	print_text("pod_name", owner->pod_name);
	print_text("cgroup", owner->cgroup);
	print_text("process", owner->process);
	printf("\"claimed\": %s, \"pid\": %" PRIu32 ", \"uid\": %" PRId32 "}\n",
	       owner->claimed ? "true" : "false", owner->pid,
	       (int32_t)owner->uid);
}

static bool read_endpoint(struct endpoint *endpoint, const char *address,
			  unsigned int port)
{
	*endpoint = (struct endpoint){ .port = (uint16_t)port };
	endpoint->family = strchr(address, ':') ? 6 : 4;
	return inet_pton(endpoint->family == 6 ? AF_INET6 : AF_INET, address,
			 endpoint->address) == 1;
}

static bool ask(struct owners *owners, const char *question,
		struct owner *owner)
{
	struct owner_socket socket = {};
	struct endpoint endpoint;
	char address[64];
	unsigned int ifindex, port;

	*owner = (struct owner){ .uid = OWNER_UID_UNKNOWN };
	if (sscanf(question, "listener %u %63s %u", &ifindex, address, &port) ==
		    3 &&
	    read_endpoint(&endpoint, address, port))
		return owner_of_listener(owners, ifindex, &endpoint, owner);
	if (sscanf(question, "socket %" SCNu64 " %" SCNu32 " %63s %u",
		   &socket.cgroup, &socket.uid, address, &port) == 4 &&
	    read_endpoint(&socket.server, address, port))
		return owner_of_socket(owners, &socket, owner);
	fprintf(stderr, "owner: not understood: %s", question);
	exit(2);
}

/* Of the processor: the machine may have other work. */
static double cpu_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Refreshes are part of it, as they come. */
static void bench(struct owners *owners, const char *line)
{
	unsigned int count = 0, known = 0;
	struct owner owner;
	double begun;
	int used = 0;

	if (sscanf(line, "bench %u %n", &count, &used) != 1 || !count)
		exit(2);
	ask(owners, line + used, &owner);
	begun = cpu_ns();
	for (unsigned int i = 0; i < count; i++)
		known += ask(owners, line + used, &owner);
	printf("{\"known\": %u, \"ns\": %.0f}\n", known,
	       (cpu_ns() - begun) / count);
}

/* --- what an answer asks ---------------------------------------------------
 */

static unsigned int lists, single;
static const struct timespec *stopped; /* or NULL: the clock goes on */

/* What the linker calls the replaced functions, and those in their place. */
int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, ...);
int __real_openat(int folder, const char *path, int flags, mode_t mode);
int __wrap_openat(int folder, const char *path, int flags, ...);
int __real_open_by_handle_at(int mount, struct file_handle *file, int flags);
int __wrap_open_by_handle_at(int mount, struct file_handle *file, int flags);
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
int __real_bpf_iter_create(int link);
int __wrap_bpf_iter_create(int link);
ssize_t __real_mnl_socket_sendto(const struct mnl_socket *socket,
				 const void *request, size_t len);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *socket,
				 const void *request, size_t len);

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
	if (clock != CLOCK_MONOTONIC || !stopped)
		return __real_clock_gettime(clock, time);
	*time = *stopped;
	return 0;
}

/* No file is made here. */
int __wrap_open(const char *path, int flags, ...)
{
	lists++;
	return __real_open(path, flags, 0);
}

int __wrap_openat(int folder, const char *path, int flags, ...)
{
	lists++;
	return __real_openat(folder, path, flags, 0);
}

int __wrap_open_by_handle_at(int mount, struct file_handle *file, int flags)
{
	single++;
	return __real_open_by_handle_at(mount, file, flags);
}

DIR *__wrap_opendir(const char *path)
{
	lists++;
	return __real_opendir(path);
}

int __wrap_bpf_iter_create(int link)
{
	lists++;
	return __real_bpf_iter_create(link);
}

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *socket,
				 const void *request, size_t len)
{
	const struct nlmsghdr *header = request;

	if (header->nlmsg_flags & NLM_F_DUMP)
		lists++;
	else
		single++;
	return __real_mnl_socket_sendto(socket, request, len);
}

static void begin_counting(void)
{
	static struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	stopped = &now;
	lists = single = 0;
}

static void end_counting(unsigned int known)
{
	stopped = NULL;
	printf("{\"known\": %u, \"lists\": %u, \"single\": %u}\n", known, lists,
	       single);
}

static void count(struct owners *owners, const char *line)
{
	unsigned int times = 0, known = 0;
	struct owner owner;
	int used = 0;

	if (sscanf(line, "count %u %n", &times, &used) != 1 || !times)
		exit(2);
	begin_counting();
	for (unsigned int i = 0; i < times; i++)
		known += ask(owners, line + used, &owner);
	end_counting(known);
}

static void count_ports(struct owners *owners, const char *line)
{
	unsigned int last, ifindex, known = 0;
	struct endpoint endpoint;
	struct owner owner;
	char address[64];

	if (sscanf(line, "ports %u %u %63s", &last, &ifindex, address) != 3 ||
	    last > UINT16_MAX)
		exit(2);
	begin_counting();
	for (unsigned int port = 1; port <= last; port++)
		known += read_endpoint(&endpoint, address, port) &&
			 owner_of_listener(owners, ifindex, &endpoint, &owner);
	end_counting(known);
}

static void print_reasons(const struct owners *owners)
{
	putchar('{');
	for (int i = 0; i < OWNER_PARTS; i++)
		print_text(parts[i], owner_reason(owners, (enum owner_part)i));
	printf("\"end\": null}\n");
}

static void drop(const char *line)
{
	const int user = atoi(line);

	capng_clear(CAPNG_SELECT_BOTH);
	capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_BPF,
		      CAP_NET_ADMIN, -1);
	if (capng_change_id(user, user,
			    CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING)) {
		fprintf(stderr, "owner: privileges cannot be dropped\n");
		exit(1);
	}
	printf("{}\n");
}

int main(int argc, char **argv)
{
	struct owners *owners =
		owner_open(argc > 1 ? (unsigned int)atoi(argv[1]) : 0);
	struct owner owner;
	char line[256];

	if (!owners)
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "reasons", 7)) {
			print_reasons(owners);
		} else if (!strncmp(line, "tick", 4)) {
			owner_tick(owners);
			printf("{}\n");
		} else if (!strncmp(line, "around", 6)) {
			owner_look_around(owners);
			printf("{}\n");
		} else if (!strncmp(line, "drop ", 5)) {
			drop(line + 5);
		} else if (!strncmp(line, "bench ", 6)) {
			bench(owners, line);
		} else if (!strncmp(line, "count ", 6)) {
			count(owners, line);
		} else if (!strncmp(line, "ports ", 6)) {
			count_ports(owners, line);
		} else {
			bool known = ask(owners, line, &owner);

			print_owner(known, &owner);
		}
		fflush(stdout);
	}
	owner_close(owners);
	return 0;
}
