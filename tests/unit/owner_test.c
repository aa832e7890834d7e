/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The owners of services, by tables: listening sockets that a connection may
 * belong to, processes that have a socket open, and the names of pods.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "owner/listeners.h"
#include "owner/processes.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* --- listeners -------------------------------------------------------------*/

static struct endpoint endpoint(const char *address, uint16_t port,
				uint32_t ifindex)
{
	struct endpoint made = { .port = port, .ifindex = ifindex };

	made.family = strchr(address, ':') ? 6 : 4;
	assert_int_equal(inet_pton(made.family == 6 ? AF_INET6 : AF_INET,
				   address, made.address),
			 1);
	return made;
}

struct bound {
	const char *address;
	uint16_t port;
	uint32_t ifindex;
	bool v6only;
	uint64_t cgroup;
	uint32_t uid;
};

#define BOUND_MAX 5

static const struct listener_case {
	const char *name;
	struct bound bound[BOUND_MAX];
	const char *address;
	uint32_t ifindex;
	uint64_t cgroup;
	/* Of those that were found, a bit each; and whether they agree. */
	unsigned int found;
	bool agree;
} listener_cases[] = {
	{ "none", { { 0 } }, "192.0.2.1", 0, 0, 0, false },
	{ "another port",
	  { { "0.0.0.0", 81, 0, false, 1, 0 } },
	  "192.0.2.1",
	  0,
	  0,
	  0,
	  false },
	{ "wildcard",
	  { { "0.0.0.0", 80, 0, false, 1, 0 } },
	  "192.0.2.1",
	  0,
	  0,
	  1,
	  true },
	{ "exact before wildcard",
	  { { "0.0.0.0", 80, 0, false, 1, 0 },
	    { "192.0.2.1", 80, 0, false, 2, 0 } },
	  "192.0.2.1",
	  0,
	  0,
	  2,
	  true },
	{ "another address",
	  { { "192.0.2.2", 80, 0, false, 1, 0 } },
	  "192.0.2.1",
	  0,
	  0,
	  0,
	  false },
	{ "IPv6 wildcard serves IPv4",
	  { { "::", 80, 0, false, 1, 0 } },
	  "192.0.2.1",
	  0,
	  0,
	  1,
	  true },
	{ "not with IPV6_V6ONLY",
	  { { "::", 80, 0, true, 1, 0 } },
	  "192.0.2.1",
	  0,
	  0,
	  0,
	  false },
	{ "IPv4 socket before IPv6 socket",
	  { { "::", 80, 0, false, 1, 0 }, { "0.0.0.0", 80, 0, false, 2, 0 } },
	  "192.0.2.1",
	  0,
	  0,
	  2,
	  true },
	{ "IPv6 by the IPv6 socket",
	  { { "::", 80, 0, true, 1, 0 }, { "0.0.0.0", 80, 0, false, 2, 0 } },
	  "2001:db8::1",
	  0,
	  0,
	  1,
	  true },
	{ "no IPv6 by an IPv4 socket",
	  { { "0.0.0.0", 80, 0, false, 2, 0 } },
	  "2001:db8::1",
	  0,
	  0,
	  0,
	  false },
	{ "IPv4-mapped",
	  { { "::ffff:192.0.2.1", 80, 0, false, 1, 0 },
	    { "0.0.0.0", 80, 0, false, 2, 0 } },
	  "192.0.2.1",
	  0,
	  0,
	  1,
	  true },
	{ "another, mapped",
	  { { "::ffff:192.0.2.2", 80, 0, false, 1, 0 } },
	  "192.0.2.1",
	  0,
	  0,
	  0,
	  false },
	{ "SO_REUSEPORT of one owner",
	  { { "0.0.0.0", 80, 0, false, 1, 33 },
	    { "0.0.0.0", 80, 0, false, 1, 33 } },
	  "192.0.2.1",
	  0,
	  0,
	  3,
	  true },
	{ "SO_REUSEPORT of two cgroups",
	  { { "0.0.0.0", 80, 0, false, 1, 33 },
	    { "0.0.0.0", 80, 0, false, 2, 33 } },
	  "192.0.2.1",
	  0,
	  0,
	  3,
	  false },
	{ "SO_REUSEPORT of two users",
	  { { "0.0.0.0", 80, 0, false, 1, 33 },
	    { "0.0.0.0", 80, 0, false, 1, 34 } },
	  "192.0.2.1",
	  0,
	  0,
	  3,
	  false },
	{ "SO_REUSEPORT, where the cgroup is known",
	  { { "0.0.0.0", 80, 0, false, 1, 33 },
	    { "0.0.0.0", 80, 0, false, 2, 33 } },
	  "192.0.2.1",
	  0,
	  2,
	  2,
	  true },
	{ "no socket of that cgroup",
	  { { "0.0.0.0", 80, 0, false, 1, 33 } },
	  "192.0.2.1",
	  0,
	  2,
	  0,
	  false },
	{ "bound to its interface",
	  { { "0.0.0.0", 80, 0, false, 1, 0 },
	    { "0.0.0.0", 80, 7, false, 2, 0 } },
	  "192.0.2.1",
	  7,
	  0,
	  2,
	  true },
	/* It might be a VRF that interface 8 is in. */
	{ "bound to another",
	  { { "0.0.0.0", 80, 0, false, 1, 0 },
	    { "0.0.0.0", 80, 7, false, 2, 0 } },
	  "192.0.2.1",
	  8,
	  0,
	  3,
	  false },
	{ "bound, and the interface is not known",
	  { { "0.0.0.0", 80, 7, false, 2, 0 } },
	  "192.0.2.1",
	  0,
	  0,
	  1,
	  true },
	{ "two, each bound to its own",
	  { { "0.0.0.0", 80, 7, false, 1, 0 },
	    { "0.0.0.0", 80, 8, false, 2, 0 } },
	  "192.0.2.1",
	  8,
	  0,
	  2,
	  true },
	{ "two, bound to others",
	  { { "0.0.0.0", 80, 7, false, 1, 0 },
	    { "0.0.0.0", 80, 8, false, 2, 0 } },
	  "192.0.2.1",
	  9,
	  0,
	  3,
	  false },
	{ "an exact one that is bound elsewhere, before a wildcard",
	  { { "0.0.0.0", 80, 0, false, 1, 0 },
	    { "192.0.2.1", 80, 7, false, 2, 0 } },
	  "192.0.2.1",
	  8,
	  0,
	  3,
	  false },
	{ "a wildcard that is bound elsewhere, behind an exact one",
	  { { "0.0.0.0", 80, 7, false, 1, 0 },
	    { "192.0.2.1", 80, 0, false, 2, 0 } },
	  "192.0.2.1",
	  8,
	  0,
	  2,
	  true },
};

static void fill(struct listeners *listeners, const struct listener_case *one)
{
	listeners_begin(listeners);
	for (uint32_t i = 0; i < BOUND_MAX && one->bound[i].address; i++) {
		const struct bound *bound = &one->bound[i];
		struct listener listener = {
			.bound = endpoint(bound->address, bound->port,
					  bound->ifindex),
			.v6only = bound->v6only,
			.cgroup = bound->cgroup,
			.uid = bound->uid,
			.inode = i,
			.cookie = i + 1,
		};

		listeners_add(listeners, &listener);
		listeners_add(listeners, &listener);
	}
	listeners_end(listeners);
}

static void test_listeners(void **state)
{
	struct listeners listeners = {};

	(void)state;
	for (size_t i = 0; i < COUNT(listener_cases); i++) {
		const struct listener_case *one = &listener_cases[i];
		struct endpoint to = endpoint(one->address, 80, one->ifindex);
		struct group group;
		unsigned int found = 0;

		fill(&listeners, one);
		assert_int_equal(
			listeners_find(&listeners, &to, one->cgroup, &group),
			one->found != 0);
		for (size_t member = 0; member < group.count; member++)
			found |= 1U << group.member[member]->inode;
		if (found != one->found ||
		    (found && group.agrees != one->agree))
			fail_msg("%s: found %#x, agrees %d", one->name, found,
				 group.agrees);
	}
	listeners_free(&listeners);
}

static void test_many_listeners(void **state)
{
	struct listeners listeners = {};
	struct endpoint to = endpoint("192.0.2.1", 65535, 0);
	struct listener listener = { .bound = endpoint("0.0.0.0", 65535, 0) };
	struct group group;

	(void)state;
	listeners_begin(&listeners);
	for (uint32_t i = 0; i < LISTENERS_MAX; i++) {
		listener.inode = i;
		listener.cookie = i;
		listeners_add(&listeners, &listener);
	}
	assert_false(listeners.is_partial);
	listener.inode = LISTENERS_MAX;
	listeners_add(&listeners, &listener);
	assert_true(listeners.is_partial);
	listeners_end(&listeners);
	assert_int_equal(listeners.count, LISTENERS_MAX);
	assert_true(listeners_find(&listeners, &to, 0, &group));
	assert_int_equal(group.count, LISTENERS_MAX);
	assert_true(listeners_have(&listeners, 65535, 5));
	assert_false(listeners_have(&listeners, 65535, LISTENERS_MAX));
	assert_false(listeners_have(&listeners, 65534, 5));
	listeners_begin(&listeners);
	listeners_end(&listeners);
	assert_false(listeners_find(&listeners, &to, 0, &group));
	listeners_free(&listeners);
}

/* --- processes -------------------------------------------------------------*/

#define HOLDERS_MAX 5

static const struct process_case {
	const char *name;
	struct {
		uint32_t pid, parent;
		const char *comm;
		uint64_t cgroup;
	} holders[HOLDERS_MAX];
	uint32_t pid;
	const char *comm;
	uint64_t cgroup;
	bool is_manager;
} process_cases[] = {
	{ "one", { { 10, 2, "sshd", 5 } }, 10, "sshd", 5, false },
	{ "one, twice",
	  { { 10, 2, "sshd", 5 }, { 10, 2, "sshd", 5 } },
	  10,
	  "sshd",
	  5,
	  false },
	{ "a server and its workers",
	  { { 10, 2, "nginx", 5 },
	    { 11, 10, "nginx", 5 },
	    { 12, 10, "nginx", 5 } },
	  10,
	  "nginx",
	  5,
	  false },
	{ "a worker with a lower number",
	  { { 7, 10, "nginx", 5 }, { 10, 2, "nginx", 5 } },
	  10,
	  "nginx",
	  5,
	  false },
	{ "a worker of a worker",
	  { { 10, 2, "a", 5 }, { 11, 10, "a", 5 }, { 12, 11, "a", 5 } },
	  10,
	  "a",
	  5,
	  false },
	{ "workers, and the server went",
	  { { 11, 2, "nginx", 5 }, { 12, 2, "nginx", 5 } },
	  0,
	  "nginx",
	  5,
	  false },
	{ "passed to another",
	  { { 10, 2, "a", 5 }, { 20, 2, "b", 6 } },
	  0,
	  "",
	  0,
	  false },
	{ "inherited by another program",
	  { { 10, 2, "a", 5 }, { 20, 10, "b", 5 } },
	  0,
	  "",
	  5,
	  false },
	{ "activated by systemd",
	  { { 1, 0, "systemd", 1 }, { 20, 1, "sshd", 5 } },
	  20,
	  "sshd",
	  5,
	  false },
	{ "activated, with workers",
	  { { 1, 0, "systemd", 1 }, { 20, 1, "a", 5 }, { 21, 20, "a", 5 } },
	  20,
	  "a",
	  5,
	  false },
	{ "not activated yet",
	  { { 1, 0, "systemd", 1 } },
	  1,
	  "systemd",
	  1,
	  true },
};

static size_t hold(struct held_socket *list, const struct process_case *one)
{
	size_t count = 0;

	for (; count < HOLDERS_MAX && one->holders[count].pid; count++) {
		list[count] = (struct held_socket){
			.inode = 100,
			.port = 80,
			.pid = one->holders[count].pid,
			.parent = one->holders[count].parent,
			.task_cgroup = one->holders[count].cgroup,
		};
		strcpy(list[count].comm, one->holders[count].comm);
	}
	/* Other sockets; an inode number may be reused. */
	list[count++] = (struct held_socket){ .inode = 100, .port = 81 };
	list[count++] = (struct held_socket){ .inode = 99, .port = 80 };
	list[count++] = (struct held_socket){ .inode = 101, .port = 80 };
	processes_sort(list, count);
	return count;
}

static void test_processes(void **state)
{
	struct held_socket list[HOLDERS_MAX + 3];

	(void)state;
	for (size_t i = 0; i < COUNT(process_cases); i++) {
		const struct process_case *one = &process_cases[i];
		size_t count = hold(list, one);
		struct process process;

		assert_true(processes_find_in(list, count, 80, 100, &process));
		if (process.pid != one->pid ||
		    strcmp(process.comm, one->comm) ||
		    process.cgroup != one->cgroup ||
		    process.is_manager != one->is_manager)
			fail_msg("%s: pid %u, comm \"%s\", cgroup %u, "
				 "manager %d",
				 one->name, process.pid, process.comm,
				 (unsigned int)process.cgroup,
				 process.is_manager);
		assert_false(processes_find_in(list, count, 80, 102, &process));
	}
}

/* The kernel ends a comm with a NUL, but the code must not rely on that. */
static void test_endless_comm(void **state)
{
	struct held_socket held = { .inode = 1, .port = 80, .pid = 5 };
	struct process process;

	(void)state;
	memset(held.comm, 'x', sizeof(held.comm));
	assert_true(processes_find_in(&held, 1, 80, 1, &process));
	assert_int_equal(strlen(process.comm), HELD_COMM - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_many_listeners),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_endless_comm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
