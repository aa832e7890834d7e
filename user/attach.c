/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "attach.h"

#include "message.h"
#include "netlink.h"
#include "xdp_features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bannerprobe.skel.h"

/* Linux 6.6; libbpf before 1.3 does not name them, but passes them on. */
#define TCX_INGRESS 46
#define TCX_EGRESS 47
#define TCX_FIRST (1U << 3) /* BPF_F_BEFORE, before all others */

/*
 * For operators and tests: "clsact" takes the way that kernels before 6.6
 * have, on those after it too.
 */
#define TC_ENVIRONMENT "BANNERPROBE_TC"

/*
 * Drivers on which native XDP neither resets the link when it is attached
 * nor switches off the offloads that traffic lives on. Anything else is left
 * to tc: it costs a little more per packet, and harms nothing. (veth keeps a
 * third of its throughput under native XDP; ixgbe and igb reset the link.)
 */
static const char *const xdp_friendly_drivers[] = { "mlx5_core", "ice" };

/* Asked for by name: that one or none. */
static bool is_strict(const struct interface *interface)
{
	return interface->asked == HOOK_XDP_NATIVE ||
	       interface->asked == HOOK_XDP_GENERIC;
}

/* An ioctl on a network device: 0 or negative errno. */
static int device_ioctl(unsigned long number, struct ifreq *request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0)
		return -errno;
	error = ioctl(fd, number, request) ? -errno : 0;
	close(fd);
	return error;
}

static bool driver_is_xdp_friendly(const struct interface *interface)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request = { .ifr_data = (char *)&info };

	memcpy(request.ifr_name, interface->name, IFNAMSIZ);
	if (device_ioctl(SIOCETHTOOL, &request))
		return false;
	for (size_t i = 0;
	     i < sizeof(xdp_friendly_drivers) / sizeof(*xdp_friendly_drivers);
	     i++) {
		if (!strcmp(info.driver, xdp_friendly_drivers[i]))
			return true;
	}
	return false;
}

/* Which way to try first; false where what is asked for cannot be. */
static bool choose_way(struct interface *interface)
{
	interface->first = interface->asked;
	if (interface->asked == HOOK_AUTO)
		interface->first =
			driver_is_xdp_friendly(interface) ? HOOK_XDP : HOOK_TC;
	if (interface->first == HOOK_TC || !interface->raw_ip)
		return true;
	if (is_strict(interface)) {
		message("%s: not an Ethernet device, which XDP would need: use "
			"--hook tc",
			interface->name);
		return false;
	}
	message("%s: not an Ethernet device: tc instead of XDP",
		interface->name);
	interface->first = HOOK_TC;
	return true;
}

/* Fills in the index and the kind of link layer. */
static int look_up(struct interface *interface, const char *name)
{
	struct ifreq request = {};
	int error;

	if (strlen(name) >= IFNAMSIZ)
		return -ENODEV;
	strcpy(interface->name, name);
	strcpy(request.ifr_name, name);
	error = device_ioctl(SIOCGIFINDEX, &request);
	if (error)
		return error;
	interface->index = (unsigned int)request.ifr_ifindex;
	error = device_ioctl(SIOCGIFHWADDR, &request);
	interface->raw_ip = request.ifr_hwaddr.sa_family != ARPHRD_ETHER &&
			    request.ifr_hwaddr.sa_family != ARPHRD_LOOPBACK;
	return error;
}

int interface_find(struct interface *interface, const char *name,
		   enum hook hook)
{
	int error;

	*interface = (struct interface){ .asked = hook };
	error = look_up(interface, name);
	if (error) {
		message("%s: %s (`ip link` lists the interfaces)", name,
			error == -ENODEV ? "no such interface" :
					   strerror(-error));
		return error;
	}
	return choose_way(interface) ? 0 : -EOPNOTSUPP;
}

int interface_find_again(struct interface *interface)
{
	struct interface found = {};

	if (look_up(&found, interface->name))
		return -ENODEV;
	if (found.index == interface->index)
		return -EALREADY;
	interface->index = found.index;
	if (found.raw_ip == interface->raw_ip)
		return 0;
	/* The programs for the other kind may not be loaded. */
	message("%s: came back as another kind of device", interface->name);
	return -EOPNOTSUPP;
}

const char *interface_name_now(unsigned int index, char name[IFNAMSIZ])
{
	struct ifreq request = { .ifr_ifindex = (int)index };

	if (device_ioctl(SIOCGIFNAME, &request))
		return NULL;
	return strcpy(name, request.ifr_name);
}

bool interface_wants_xdp(const struct interface *interface)
{
	return interface->first != HOOK_TC;
}

static int attach_link(struct attachment *attachment, int program,
		       unsigned int index, int type, __u32 flags,
		       const char *name)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = flags);
	int fd = bpf_link_create(program, (int)index,
				 (enum bpf_attach_type)type, &options);

	if (fd < 0)
		return fd;
	*attachment = (struct attachment){ .way = ATTACHED_LINK,
					   .name = name,
					   .link_fd = fd };
	return 0;
}

static int attach_clsact(struct interface *interface,
			 struct attachment *attachment, int program,
			 bool ingress)
{
	int error = clsact_attach(&attachment->filter, interface->index,
				  ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS,
				  program);

	if (error)
		return error;
	attachment->way = ATTACHED_CLSACT;
	attachment->name = "clsact";
	return 0;
}

static int attach_tc(struct interface *interface, struct attachment *attachment,
		     const struct bpf_program *program, bool ingress)
{
	const char *forced = getenv(TC_ENVIRONMENT);
	int fd = bpf_program__fd(program), error = -EINVAL;

	if (!forced || strcmp(forced, "clsact"))
		error = attach_link(attachment, fd, interface->index,
				    ingress ? TCX_INGRESS : TCX_EGRESS,
				    TCX_FIRST, "tcx");
	if (error == -EINVAL) /* no tcx here */
		error = attach_clsact(interface, attachment, fd, ingress);
	if (error)
		message("%s: tc %s: %s", interface->name,
			ingress ? "ingress" : "egress", strerror(-error));
	return error;
}

/* Why a device or a driver does not take the XDP program, and what helps. */
static const char *xdp_advice(int error)
{
	switch (-error) {
	case EBUSY:
	case EEXIST:
		return "another XDP program is attached, to it or to its "
		       "bridge or bond";
	case EOPNOTSUPP:
		return "the driver has no XDP of this kind";
	case ERANGE:
	case EINVAL:
		return "the driver refuses it: a large MTU, LRO or too few "
		       "queues are common reasons";
	case ENOMEM:
		return "no memory for its queues";
	default:
		return strerror(-error);
	}
}

/*
 * Whether native XDP could be attached, without attaching it; as an error it
 * is what attaching would come to.
 */
static int try_native_xdp(struct interface *interface)
{
	bool known;
	const int error = xdp_features_try_native(interface->index, &known);

	if (!error)
		interface->in.name =
			known ? "native XDP" :
				"native XDP (if its driver has that: no kernel "
				"before Linux 6.3 tells)";
	return error;
}

static int attach_xdp(struct interface *interface, struct bannerprobe_bpf *bpf,
		      __u32 mode)
{
	if (interface->trial && mode == XDP_FLAGS_DRV_MODE)
		return try_native_xdp(interface);
	return attach_link(
		&interface->in, bpf_program__fd(bpf->progs.bannerprobe_xdp),
		interface->index, BPF_XDP, mode,
		mode == XDP_FLAGS_DRV_MODE ? "native XDP" : "generic XDP");
}

/* Attaches by XDP as asked for; says why where that cannot be. */
static int attach_receive_xdp(struct interface *interface,
			      struct bannerprobe_bpf *bpf)
{
	const bool generic = interface->first == HOOK_XDP_GENERIC;
	int error =
		attach_xdp(interface, bpf,
			   generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);

	if (error && error != -EBUSY && error != -EEXIST &&
	    interface->asked == HOOK_XDP) {
		message("%s: native XDP: %s: trying generic", interface->name,
			xdp_advice(error));
		error = attach_xdp(interface, bpf, XDP_FLAGS_SKB_MODE);
	}
	if (error)
		message("%s: XDP: %s: %s", interface->name, xdp_advice(error),
			is_strict(interface) ? "use --hook tc" : "tc instead");
	return error;
}

static int attach_receive(struct interface *interface,
			  struct bannerprobe_bpf *bpf)
{
	if (interface_wants_xdp(interface)) {
		int error = attach_receive_xdp(interface, bpf);

		if (!error || is_strict(interface))
			return error;
	}
	return attach_tc(interface, &interface->in,
			 interface->raw_ip ? bpf->progs.bannerprobe_rxi :
					     bpf->progs.bannerprobe_rx,
			 true);
}

int interface_count_packets(const struct interface *interface,
			    struct packet_counts *packets)
{
	int error = netlink_count_packets(interface->index, packets);

	if (error)
		return error;
	/* A driver may begin at 0 again when its link goes down. */
	if (packets->received >= interface->before.received)
		packets->received -= interface->before.received;
	if (packets->sent >= interface->before.sent)
		packets->sent -= interface->before.sent;
	return 0;
}

int interface_attach(struct interface *interface, struct bannerprobe_bpf *bpf)
{
	int error = attach_receive(interface, bpf);

	if (!error)
		error = attach_tc(interface, &interface->out,
				  interface->raw_ip ?
					  bpf->progs.bannerprobe_txi :
					  bpf->progs.bannerprobe_tx,
				  false);
	if (error)
		return error;
	netlink_count_packets(interface->index, &interface->before);
	return 0;
}

void interface_tell(const struct interface *interface)
{
	message("%s: %s: receive %s, transmit %s", interface->name,
		interface->trial ? "would attach" : "attached",
		interface->in.name, interface->out.name);
}

static void detach(const struct interface *interface,
		   struct attachment *attachment)
{
	if (attachment->way == ATTACHED_LINK)
		close(attachment->link_fd);
	else if (attachment->way == ATTACHED_CLSACT)
		clsact_detach(&attachment->filter, interface->index);
	attachment->way = DETACHED;
}

void interface_detach(struct interface *interface)
{
	detach(interface, &interface->in);
	detach(interface, &interface->out);
}
