/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "xdp_features.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <stdint.h>
#include <sys/socket.h>

/* Linux 6.3: linux/netdev.h, which older headers lack. */
#define NETDEV_FAMILY "netdev"
#define NETDEV_DEV_GET 1
#define NETDEV_DEV_IFINDEX 1
#define NETDEV_DEV_XDP_FEATURES 3
#define NETDEV_XDP_BASIC (1U << 0) /* XDP_PASS and XDP_DROP */

#define ANSWER_SIZE 8192

/* An attribute to be found in an answer, and its value. */
struct server_list_attribute {
	uint16_t type;
	uint16_t size; /* 2 or 8 bytes */
	bool found;
	uint64_t value;
};

static int read_attribute(const struct nlmsghdr *header, void *context)
{
	struct server_list_attribute *wanted = context;
	const struct nlattr *attribute;

	mnl_attr_for_each(attribute, header, sizeof(struct genlmsghdr))
	{
		if (mnl_attr_get_type(attribute) != wanted->type ||
		    mnl_attr_get_payload_len(attribute) < wanted->size)
			continue;
		wanted->value = wanted->size == sizeof(uint16_t) ?
					mnl_attr_get_u16(attribute) :
					mnl_attr_get_u64(attribute);
		wanted->found = true;
	}
	return MNL_CB_OK;
}

static struct nlmsghdr *put_request(char *buffer, uint16_t family,
				    uint8_t command)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *generic;

	header->nlmsg_type = family;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	generic = mnl_nlmsg_put_extra_header(header, sizeof(*generic));
	generic->cmd = command;
	generic->version = 1;
	return header;
}

/*
 * Sends a request, and copies an attribute of the answer; false: it has none.
 */
static bool ask(struct mnl_socket *socket, const struct nlmsghdr *request,
		struct server_list_attribute *wanted)
{
	char answer[ANSWER_SIZE];
	int result = MNL_CB_OK;

	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return false;
	while (result ==
	       MNL_CB_OK) { /* until the acknowledgement, or an error */
		ssize_t len =
			mnl_socket_recvfrom(socket, answer, sizeof(answer));

		result = len < 0 ? MNL_CB_ERROR :
				   mnl_cb_run(answer, (size_t)len, 0,
					      mnl_socket_get_portid(socket),
					      read_attribute, wanted);
	}
	return result != MNL_CB_ERROR && wanted->found;
}

static bool ask_family(struct mnl_socket *socket, uint16_t *family)
{
	struct server_list_attribute id = { CTRL_ATTR_FAMILY_ID,
					    sizeof(uint16_t), false, 0 };
	char buffer[256];
	struct nlmsghdr *request =
		put_request(buffer, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);

	mnl_attr_put_strz(request, CTRL_ATTR_FAMILY_NAME, NETDEV_FAMILY);
	if (!ask(socket, request, &id))
		return false;
	*family = (uint16_t)id.value;
	return true;
}

/* The XDP features of a device; false where the kernel does not report them. */
static bool ask_features(struct mnl_socket *socket, unsigned int index,
			 uint64_t *features)
{
	struct server_list_attribute told = { NETDEV_DEV_XDP_FEATURES,
					      sizeof(uint64_t), false, 0 };
	struct nlmsghdr *request;
	char buffer[256];
	uint16_t family;

	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    !ask_family(socket, &family))
		return false;
	request = put_request(buffer, family, NETDEV_DEV_GET);
	mnl_attr_put_u32(request, NETDEV_DEV_IFINDEX, index);
	if (!ask(socket, request, &told))
		return false;
	*features = told.value;
	return true;
}

int xdp_features_try_native(unsigned int index, bool *known)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, attached);
	struct mnl_socket *socket =
		mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	uint64_t features = 0;

	*known = socket && ask_features(socket, index, &features);
	if (socket)
		mnl_socket_close(socket);
	if (*known && !(features & NETDEV_XDP_BASIC))
		return -EOPNOTSUPP;
	if (!bpf_xdp_query((int)index, 0, &attached) && attached.attach_mode)
		return -EBUSY;
	return 0;
}
