/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "diag.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REQUEST_SIZE 256
#define ANSWER_SIZE 32768 /* bytes: the most that the kernel fills at once */
#define DUMPS_MAX 5	  /* attempts, where changes interrupt the dump */

struct diag {
	struct mnl_socket *socket;
	uint32_t sequence;
	char answer[ANSWER_SIZE];
};

struct diag *diag_open(void)
{
	struct diag *diag = calloc(1, sizeof(*diag));
	int error;

	if (!diag)
		return NULL;
	diag->socket = mnl_socket_open2(NETLINK_SOCK_DIAG,
					SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (diag->socket &&
	    mnl_socket_bind(diag->socket, 0, MNL_SOCKET_AUTOPID) >= 0)
		return diag;
	error = errno;
	diag_close(diag);
	errno = error;
	return NULL;
}

void diag_close(struct diag *diag)
{
	if (diag && diag->socket)
		mnl_socket_close(diag->socket);
	free(diag);
}

int diag_fd(const struct diag *diag)
{
	return mnl_socket_get_fd(diag->socket);
}

/* --- messages --------------------------------------------------------------*/

static uint64_t read_u64(const struct nlattr *attribute)
{
	uint64_t value = 0;

	if (mnl_attr_get_payload_len(attribute) >= sizeof(value))
		memcpy(&value, mnl_attr_get_payload(attribute), sizeof(value));
	return value;
}

static bool read_socket(struct listener *listener,
			const struct inet_diag_msg *socket)
{
	if (socket->idiag_family != AF_INET && socket->idiag_family != AF_INET6)
		return false;
	*listener = (struct listener){
		.bound = { .port = ntohs(socket->id.idiag_sport),
			   .family = socket->idiag_family == AF_INET ? 4 : 6,
			   .ifindex = socket->id.idiag_if },
		.cookie = (uint64_t)socket->id.idiag_cookie[1] << 32 |
			  socket->id.idiag_cookie[0],
		.inode = socket->idiag_inode,
		.uid = socket->idiag_uid,
	};
	memcpy(listener->bound.address, socket->id.idiag_src,
	       listener->bound.family == 4 ? 4 : 16);
	return true;
}

static bool read_listener(struct listener *listener,
			  const struct nlmsghdr *header)
{
	const struct inet_diag_msg *socket = mnl_nlmsg_get_payload(header);
	const struct nlattr *attribute;

	if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    mnl_nlmsg_get_payload_len(header) < sizeof(*socket) ||
	    socket->idiag_state != TCP_LISTEN || !read_socket(listener, socket))
		return false;
	mnl_attr_for_each(attribute, header, sizeof(*socket))
	{
		switch (mnl_attr_get_type(attribute)) {
		case INET_DIAG_SKV6ONLY:
			if (mnl_attr_get_payload_len(attribute))
				listener->v6only = mnl_attr_get_u8(attribute);
			break;
		case INET_DIAG_CGROUP_ID:
			listener->cgroup = read_u64(attribute);
			break;
		}
	}
	return true;
}

static struct nlmsghdr *put_request(struct diag *diag, char *buffer,
				    unsigned char family)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *request =
		mnl_nlmsg_put_extra_header(header, sizeof(*request));

	header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	header->nlmsg_flags = NLM_F_REQUEST;
	header->nlmsg_seq = ++diag->sequence;
	request->sdiag_family = family;
	request->sdiag_protocol = IPPROTO_TCP;
	request->idiag_states = 1U << TCP_LISTEN;
	return header;
}

/* --- exchanges -------------------------------------------------------------*/

struct telling {
	diag_met *met;
	void *context;
};

static int on_answer(const struct nlmsghdr *header, void *context)
{
	const struct telling *telling = context;
	struct listener listener;

	if (read_listener(&listener, header))
		telling->met(&listener, telling->context);
	return MNL_CB_OK;
}

/*
 * Sends a request and reads its answers: of a dump all, else one. Answers that
 * are left of an aborted exchange have another sequence number.
 */
static int exchange(struct diag *diag, const struct nlmsghdr *request,
		    struct telling *telling)
{
	const bool is_dump = request->nlmsg_flags & NLM_F_DUMP;
	int result = MNL_CB_OK;

	if (mnl_socket_sendto(diag->socket, request, request->nlmsg_len) < 0)
		return -errno;
	while (result == MNL_CB_OK) {
		const struct nlmsghdr *answer = (const void *)diag->answer;
		ssize_t len = mnl_socket_recvfrom(diag->socket, diag->answer,
						  sizeof(diag->answer));

		if (len < 0)
			return -errno;
		if (len >= (ssize_t)sizeof(*answer) &&
		    answer->nlmsg_seq != diag->sequence)
			continue;
		result = mnl_cb_run(diag->answer, (size_t)len, diag->sequence,
				    0, on_answer, telling);
		if (!is_dump && result == MNL_CB_OK)
			return 0;
	}
	return result == MNL_CB_ERROR ? -errno : 0;
}

static int list_family(struct diag *diag, unsigned char family,
		       struct telling *telling)
{
	char buffer[REQUEST_SIZE];
	int error = -EINTR;

	/* -EINTR: the sockets changed during the dump. */
	for (int i = 0; error == -EINTR && i < DUMPS_MAX; i++) {
		struct nlmsghdr *request = put_request(diag, buffer, family);

		request->nlmsg_flags |= NLM_F_DUMP;
		error = exchange(diag, request, telling);
	}
	return error;
}

int diag_list(struct diag *diag, diag_met *met, void *context)
{
	struct telling telling = { met, context };
	int error = list_family(diag, AF_INET, &telling);

	if (error)
		return error;
	error = list_family(diag, AF_INET6, &telling);
	/* A kernel without IPv6 has no such sockets. */
	return error == -ENOENT || error == -EAFNOSUPPORT ? 0 : error;
}

static void on_one(const struct listener *listener, void *context)
{
	*(struct listener *)context = *listener;
}

int diag_ask(struct diag *diag, const struct endpoint *endpoint,
	     struct listener *listener)
{
	struct telling telling = { on_one, listener };
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *header = put_request(
		diag, buffer, endpoint->family == 4 ? AF_INET : AF_INET6);
	struct inet_diag_req_v2 *request = mnl_nlmsg_get_payload(header);
	int error;

	request->id.idiag_sport = htons(endpoint->port);
	request->id.idiag_if = endpoint->ifindex;
	memcpy(request->id.idiag_src, endpoint->address,
	       endpoint->family == 4 ? 4 : 16);
	request->id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	request->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	*listener = (struct listener){};
	error = exchange(diag, header, &telling);
	return error ? error : listener->bound.port ? 0 : -ENOENT;
}
