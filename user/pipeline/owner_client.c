/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "owner_client.h"

#include "owner/diag.h"
#include "owner/kernel_watch.h"
#include "owner_link.h"
#include "system/clock.h"
#include "system/hash_table.h"
#include "system/stopping.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NOWHERE 256 /* remembered interfaces that lead to no service */

struct known {
	struct owner_key key;
	__u64 asked; /* CLOCK_MONOTONIC, ns: valid for events before it */
	struct owner_answer answer;
	UT_hash_handle hh;
	bool failed; /* uthash had no memory to add it */
};

/* An interface that leads to no service of this host. */
struct nowhere {
	__u32 ifindex;
	__u64 until; /* CLOCK_MONOTONIC, ns */
};

struct owner_client {
	int socket;
	const uint64_t *counters; /* of the kernel, or NULL */
	struct diag *diag; /* without these; NULL: the process is asked */
	__u64 number;	   /* of the latest question */
	bool is_late;	   /* its answer is outstanding: nothing is asked */
	struct owner_key asked; /* the latest question */
	__u64 asked_at;		/* CLOCK_MONOTONIC, ns */
	struct known *known;	/* the first is the next to be forgotten */
	struct nowhere nowhere[NOWHERE]; /* by the index modulo NOWHERE */
	struct service_owner found;
};

struct owner_client *owner_client_open(int socket, int counters)
{
	struct owner_client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->socket = socket;
	if (counters >= 0) {
		client->counters = kernel_counters_map(counters);
		close(counters);
	}
	if (!client->counters)
		client->diag = diag_open();
	return client;
}

static void forget(struct owner_client *client, struct known *known)
{
	HASH_DEL(client->known, known);
	free(known);
}

void owner_client_close(struct owner_client *client)
{
	if (!client)
		return;
	while (client->known)
		forget(client, client->known);
	diag_close(client->diag);
	kernel_counters_unmap(client->counters);
	close(client->socket);
	free(client);
}

/* --- the question -------------------------------------------------------- */

/*
 * The question for an event. If the packet left this host by the server's
 * socket, the question is for that socket. If the packet passed between this
 * host and a namespace behind an interface, it is for the listener there. There
 * is no question for a packet that arrives for a server of this host, because
 * NAT may redirect it to another server. False: no owner can be known.
 */
static bool question_of(const struct event *event, struct owner_key *key)
{
	const bool from_server = event_origin(event->kind) == SERVER;
	const bool leaves = event->direction == DIRECTION_OUT;

	memset(key, 0, sizeof(*key));
	if (event->tunnel_count || event->direction == DIRECTION_NONE)
		return false;
	key->has_socket = from_server && leaves;
	if (key->has_socket && !event->socket.cookie)
		return false;
	if (!from_server && !leaves)
		return false;
	key->server.family = event->family;
	memcpy(key->server.address, event->server, event->family == 6 ? 16 : 4);
	key->server.port =
		key->has_socket ? event->socket.port : event->server_port;
	if (key->has_socket) {
		key->cgroup = event->socket.cgroup;
		key->uid = event->socket.uid;
	} else {
		key->ifindex = event->ifindex;
	}
	return true;
}

/* --- answers ------------------------------------------------------------- */

static struct known *recall(const struct owner_client *client,
			    const struct owner_key *key)
{
	struct known *known;

	HASH_FIND(hh, client->known, key, sizeof(*key), known);
	return known;
}

static struct known *remember(struct owner_client *client,
			      const struct owner_answer *answer)
{
	struct known *known = recall(client, &client->asked);

	if (!known) {
		if (HASH_COUNT(client->known) >= OWNER_CLIENT_MAX)
			forget(client, client->known);
		known = calloc(1, sizeof(*known));
		if (!known)
			return NULL;
		known->key = client->asked;
		HASH_ADD(hh, client->known, key, sizeof(known->key), known);
		if (known->failed) {
			free(known);
			return NULL;
		}
	}
	known->asked = client->asked_at;
	known->answer = *answer;
	return known;
}

static struct nowhere *nowhere_of(struct owner_client *client, __u32 ifindex)
{
	return &client->nowhere[ifindex % NOWHERE];
}

static void take(struct owner_client *client, const struct owner_answer *answer)
{
	const struct owner_key *asked = &client->asked;

	client->is_late = false;
	if (answer->leads_nowhere)
		*nowhere_of(client, asked->ifindex) =
			(struct nowhere){ asked->ifindex,
					  client->asked_at + NS_PER_SECOND };
	else
		remember(client, answer);
}

/* Takes the answer to the latest question. False: it has not arrived. */
static bool receive(struct owner_client *client)
{
	struct owner_answer answer;
	ssize_t len;

	while ((len = recv(client->socket, &answer, sizeof(answer),
			   MSG_DONTWAIT)) > 0) {
		if (len == sizeof(answer) && answer.number == client->number) {
			take(client, &answer);
			return true;
		}
	}
	return false;
}

/* Asks, and waits for the answer. False: none arrived in time. */
static bool ask(struct owner_client *client, const struct owner_key *key)
{
	struct owner_question question = { .key = *key,
					   .number = client->number + 1 };

	client->asked = *key;
	client->asked_at = monotonic_ns();
	if (send(client->socket, &question, sizeof(question),
		 MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return false;
	client->number++;
	client->is_late = true;
	return wait_ready(client->socket, POLLIN, WAIT_OWNER,
			  wait_end(WAIT_OWNER)) &&
	       receive(client);
}

/*
 * Whether the listener is still the same one, and so was it at the event's
 * time: no listener of its port has changed, or the kernel still chooses it. A
 * cookie is never used for another socket.
 */
static bool listens(const struct owner_client *client,
		    const struct known *known)
{
	const struct owner_again *again = &known->answer.again;
	struct endpoint server = known->key.server;
	struct listener listener;

	if (client->counters)
		return again->place && again->place < COUNTERS_ALL &&
		       kernel_count(client->counters, again->place) ==
			       again->counted;
	server.ifindex = again->ifindex;
	return client->diag && again->listener &&
	       !diag_ask(client->diag, &server, &listener) &&
	       listener.cookie == again->listener;
}

/* Whether the process would give the answer again. */
static bool holds(const struct owner_client *client, struct known *known)
{
	const struct owner_again *again = &known->answer.again;
	const __u64 now = monotonic_ns();

	if (now >= again->until || !listens(client, known))
		return false;
	known->asked = now;
	return true;
}

/* --- the owner of an event's server -------------------------------------- */

/*
 * Omits a process that began after the event: its number was used again.
 * Without a socket everything is omitted: the listener at the event's time may
 * have been another's.
 */
static const struct service_owner *tell(struct owner_client *client,
					const struct owner_answer *answer,
					const struct owner_key *key,
					const struct event *event)
{
	if (!answer->is_known)
		return NULL;
	if (answer->started <= event->time)
		return &answer->owner;
	if (!key->has_socket)
		return NULL;
	client->found = answer->owner;
	client->found.pid = 0;
	client->found.process[0] = '\0';
	return &client->found;
}

const struct service_owner *owner_client_find(struct owner_client *client,
					      const struct event *event)
{
	const struct nowhere *nowhere;
	struct known *known;
	struct owner_key key;

	if (!question_of(event, &key))
		return NULL;
	nowhere = nowhere_of(client, key.ifindex);
	if (key.ifindex && nowhere->ifindex == key.ifindex &&
	    event->time < nowhere->until)
		return NULL;
	if (client->is_late && !receive(client))
		return NULL;
	known = recall(client, &key);
	if (!known || (known->asked < event->time && !holds(client, known))) {
		if (!ask(client, &key))
			return NULL;
		known = recall(client, &key);
	}
	/* An older answer is left where it leads nowhere by now. */
	return known && known->asked >= event->time ?
		       tell(client, &known->answer, &key, event) :
		       NULL;
}
