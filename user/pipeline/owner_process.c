/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "owner_process.h"

#include "owner/owner.h"
#include "owner_link.h"
#include "system/descriptors.h"
#include "system/message.h"
#include "system/netlink.h"
#include "system/stopping.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TICK_SECONDS 1

/* --- answers ------------------------------------------------------------- */

/* Omits a name that is too long: a cut one might be another owner's. */
static void copy(char *to, size_t size, const char *from)
{
	if (from && strlen(from) < size)
		strcpy(to, from);
}

#define COPY(to, from, field)                                                  \
	copy((to)->field, sizeof((to)->field), (from)->field)

static void fill(struct owner_answer *answer, const struct owner *owner)
{
	struct service_owner *to = &answer->owner;

	COPY(to, owner, unit);
	COPY(to, owner, container);
	COPY(to, owner, pod);
	COPY(to, owner, pod_name);
	COPY(to, owner, cgroup);
	COPY(to, owner, process);
	to->uid = owner->uid;
	to->pid = owner->pid;
	answer->started = owner->started;
	answer->again = owner->again;
}

static bool find(struct owners *owners, const struct owner_key *key,
		 struct owner *owner)
{
	const struct owner_socket socket = { .cgroup = key->cgroup,
					     .uid = key->uid,
					     .server = key->server };

	if (key->server.family != 4 && key->server.family != 6)
		return false;
	if (key->has_socket)
		return owner_of_socket(owners, &socket, owner);
	return key->ifindex &&
	       owner_of_listener(owners, key->ifindex, &key->server, owner);
}

static void answer(struct owners *owners, int socket,
		   const struct owner_question *question)
{
	struct owner_answer told = { .number = question->number };
	struct owner owner;

	told.is_known = find(owners, &question->key, &owner);
	if (told.is_known)
		fill(&told, &owner);
	else if (!question->key.has_socket)
		told.leads_nowhere =
			!owner_leads_to_services(owners, question->key.ifindex);
	send(socket, &told, sizeof(told), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Cleans up once a second. */
static void tick(struct owners *owners, time_t *last)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (now.tv_sec != *last)
		owner_tick(owners);
	*last = now.tv_sec;
}

/* Answers until the reader has ended; a receive waits TICK_SECONDS at most. */
static void serve(struct owners *owners, int socket)
{
	struct owner_question question;
	time_t last = 0;
	ssize_t len;

	do {
		len = recv(socket, &question, sizeof(question), 0);
		if (len == sizeof(question))
			answer(owners, socket, &question);
		tick(owners, &last);
	} while (len);
}

/* --- the process --------------------------------------------------------- */

/*
 * Reports what cannot be found, and why. `with_pods`: also why pods have no
 * names, which matters on a node of Kubernetes only.
 */
static void tell_reasons(const struct owners *owners, bool with_pods)
{
	for (int part = 0; part < OWNER_PARTS; part++) {
		const char *reason =
			owner_reason(owners, (enum owner_part)part);

		if (reason && (part != OWNER_POD_NAMES || with_pods))
			message("--owner: %s", reason);
	}
}

/* has_begun(), in the attacher, waits for this. 0 or negative errno. */
static int tell_begun(int socket, int counters)
{
	const int error = descriptor_send(socket, "", 1, counters);

	if (counters >= 0)
		close(counters);
	return error;
}

static void __attribute__((noreturn))
find_owners(int socket, int life, const struct options *options,
	    const struct identity *identity)
{
	const int kept[] = { socket, life, STDERR_FILENO };
	const struct timeval wait = { .tv_sec = TICK_SECONDS };
	const bool may_fail = options->unconfined;
	struct owners *owners;
	bool no_stdout;

	process_keep_only(kept, sizeof(kept) / sizeof(*kept));
	if (descriptors_fill(&no_stdout) || netlink_reopen() ||
	    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)))
		_exit(1);
	message_open();
	owners = owner_open(0);
	if (!owners)
		_exit(1);
	tell_reasons(owners, options->verbose);
	owner_look_around(owners);
	if ((privileges_drop(identity, ROLE_OWNER) && !may_fail) ||
	    !privileges_confine_or_tell(ROLE_OWNER, may_fail))
		_exit(1);
	if (!tell_begun(socket, owner_take_counters(owners)))
		serve(owners, socket);
	_exit(0);
}

/* --- the attacher -------------------------------------------------------- */

/* 0 or negative errno. */
static int start(struct owner_process *owner, const struct options *options,
		 const struct identity *identity)
{
	int ends[2], result;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	result = process_start(&owner->process, OWNER_NAME);
	if (!result)
		find_owners(ends[1], owner->process.life, options, identity);
	close(ends[1]);
	owner->asks = ends[0];
	return result < 0 ? result : 0;
}

static bool has_begun(struct owner_process *owner)
{
	char byte;

	return wait_ready(owner->asks, POLLIN, WAIT_START,
			  wait_end(WAIT_START)) &&
	       !descriptor_receive(owner->asks, &byte, sizeof(byte),
				   &owner->counters, MSG_DONTWAIT);
}

bool owner_process_start(struct owner_process *owner,
			 const struct options *options,
			 const struct identity *identity)
{
	int error;

	if (!options->track.sockets)
		return true;
	error = start(owner, options, identity);
	if (!error && has_begun(owner))
		return true;
	message("--owner: starting the process that finds owners: %s",
		error ? strerror(-error) : "it has ended or does not answer");
	return false;
}

void owner_process_hand_over(struct owner_process *owner)
{
	if (owner->asks >= 0)
		close(owner->asks);
	if (owner->counters >= 0)
		close(owner->counters);
	owner->asks = owner->counters = -1;
}

enum exit_code owner_process_end(struct owner_process *owner)
{
	const int *status = &owner->process.status;

	owner_process_hand_over(owner);
	if (!owner->process.pid || !process_end(&owner->process) || !*status)
		return EXIT_DONE;
	message("the process that finds owners has ended early (%s %d)",
		WIFSIGNALED(*status) ? "signal" : "exit",
		WIFSIGNALED(*status) ? WTERMSIG(*status) :
				       WEXITSTATUS(*status));
	return EXIT_FAILED;
}
