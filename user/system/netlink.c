/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <sys/socket.h>

#define DUMP_SIZE 32768 /* bytes: the most that the kernel fills at once */
#define DUMPS_MAX 100	/* attempts, where changes interrupt the dump */

/*
 * Receive buffer for changes, in bytes: some ten thousand changes. The kernel
 * allocates memory only as they come.
 */
#define RECEIVE_BUFFER (16 << 20)

static struct mnl_socket *requests_socket;
static bool is_busy;  /* the answers to a request are being read */
static bool has_rest; /* answers to an aborted request are left to read */

static struct mnl_socket *open_socket(unsigned int groups, int flags)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, flags);
	int error;

	if (!socket || mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) >= 0)
		return socket;
	error = errno;
	mnl_socket_close(socket);
	errno = error;
	return NULL;
}

static struct mnl_socket *open_for_requests(void)
{
	struct mnl_socket *socket = open_socket(0, SOCK_CLOEXEC);
	int on = 1;

	/* From Linux 4.20 the kernel filters dumps, some of which are large. */
	if (socket)
		mnl_socket_setsockopt(socket, NETLINK_GET_STRICT_CHK, &on,
				      sizeof(on));
	return socket;
}

int netlink_reopen(void)
{
	netlink_close(requests_socket);
	requests_socket = open_for_requests();
	return requests_socket ? 0 : -errno;
}

struct mnl_socket *netlink_watch(unsigned int groups)
{
	struct mnl_socket *socket =
		open_socket(groups, SOCK_CLOEXEC | SOCK_NONBLOCK);
	const int buffer = RECEIVE_BUFFER;

	/*
	 * Without CAP_NET_ADMIN the size is limited (net.core.rmem_max). A
	 * smaller buffer only means that changes are missed, and everything is
	 * dumped again, more often.
	 */
	if (socket && setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET,
				 SO_RCVBUFFORCE, &buffer, sizeof(buffer)))
		setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUF,
			   &buffer, sizeof(buffer));
	return socket;
}

int netlink_fd(const struct mnl_socket *socket)
{
	return mnl_socket_get_fd(socket);
}

void netlink_close(struct mnl_socket *socket)
{
	if (socket)
		mnl_socket_close(socket);
}

int netlink_take(struct mnl_socket *socket, mnl_cb_t read, void *context)
{
	char buffer[DUMP_SIZE];
	ssize_t len;

	while ((len = mnl_socket_recvfrom(socket, buffer, sizeof(buffer))) > 0)
		mnl_cb_run(buffer, (size_t)len, 0, 0, read, context);
	return len < 0 && errno != EAGAIN ? -errno : 0;
}

/* --- requests ------------------------------------------------------------- */

/* The state of an exchange: what is still awaited, and the first error. */
struct exchange {
	int awaited; /* acknowledgements still to come */
	int error;   /* the first one, as negative errno */
	mnl_cb_t read;
	void *context;
};

static int on_answer(const struct nlmsghdr *header, void *context)
{
	const struct exchange *exchange = context;

	return exchange->read ? exchange->read(header, exchange->context) :
				MNL_CB_OK;
}

static int on_acknowledgement(const struct nlmsghdr *header, void *context)
{
	const struct nlmsgerr *answer = mnl_nlmsg_get_payload(header);
	struct exchange *exchange = context;

	if (!exchange->error)
		exchange->error = answer->error;
	return --exchange->awaited ? MNL_CB_OK : MNL_CB_STOP;
}

/* A dump reports a failure in its last message. */
static int on_done(const struct nlmsghdr *header, void *context)
{
	struct exchange *exchange = context;

	if (mnl_nlmsg_get_payload_len(header) >= sizeof(int) &&
	    !exchange->error)
		exchange->error = *(const int *)mnl_nlmsg_get_payload(header);
	return MNL_CB_STOP;
}

static int read_answers(struct mnl_socket *socket, struct exchange *exchange)
{
	mnl_cb_t control[] = {
		[NLMSG_ERROR] = on_acknowledgement, [NLMSG_DONE] = on_done
	};
	char buffer[DUMP_SIZE];
	int result = MNL_CB_OK;

	while (result == MNL_CB_OK) {
		ssize_t len =
			mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		result =
			len < 0 ?
				MNL_CB_ERROR :
				mnl_cb_run2(buffer, (size_t)len, 0, 0,
					    on_answer, exchange, control,
					    sizeof(control) / sizeof(*control));
	}
	return result == MNL_CB_ERROR ? -errno : exchange->error;
}

static int talk_by(struct mnl_socket *socket, const void *requests, size_t size,
		   struct exchange *exchange)
{
	if (mnl_socket_sendto(socket, requests, size) < 0)
		return -errno;
	return read_answers(socket, exchange);
}

/*
 * Sends requests while another one is being answered, by a socket of their own.
 */
static int talk_apart(const void *requests, size_t size,
		      struct exchange *exchange)
{
	struct mnl_socket *socket = open_for_requests();
	int error;

	if (!socket)
		return -errno;
	error = talk_by(socket, requests, size, exchange);
	mnl_socket_close(socket);
	return error;
}

/* Reads the rest of an aborted dump: the kernel sends more as it is read. */
static void drop_rest(void)
{
	char buffer[DUMP_SIZE];

	while (has_rest) {
		has_rest = recv(mnl_socket_get_fd(requests_socket), buffer,
				sizeof(buffer), MSG_DONTWAIT) >= 0 ||
			   errno == ENOBUFS;
	}
}

int netlink_talk(const void *requests, size_t size, int awaited, mnl_cb_t read,
		 void *context)
{
	struct exchange exchange = { awaited, 0, read, context };
	int error;

	if (is_busy)
		return talk_apart(requests, size, &exchange);
	if (!requests_socket && netlink_reopen())
		return -errno;
	drop_rest();
	is_busy = true;
	error = talk_by(requests_socket, requests, size, &exchange);
	is_busy = false;
	has_rest = error;
	return error;
}

int netlink_dump(struct nlmsghdr *request, mnl_cb_t read, void *context)
{
	int error = -EINTR;

	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	for (int i = 0; error == -EINTR && i < DUMPS_MAX; i++)
		error = netlink_talk(request, request->nlmsg_len, 1, read,
				     context);
	return error;
}
