/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "attach.h"

#include "system/message.h"
#include "xdp_features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "engine_settings.h"
#include "bannerprobe.skel.h"

/* From Linux 6.6. libbpf before 1.3 has no names for them, but accepts them. */
#define TCX_INGRESS 46
#define TCX_EGRESS 47
#define TCX_FIRST (1U << 3) /* BPF_F_BEFORE, before all others */

/*
 * At each attach and detach by tcx the kernel waits for an RCU grace period, 10
 * to 17 ms, and holds the RTNL lock meanwhile (synchronize_rcu() in
 * tcx_link_attach() and tcx_link_release()). Neither threads nor the end of the
 * process shorten that. So tcx is used for no more links than take about a
 * second; later interfaces use clsact.
 */
#define TCX_LINKS_MAX 64

/* How many file descriptors BPF links leave for everything else. */
#define RESERVED_DESCRIPTORS 24

static int tcx_links; /* how many this process holds */

/* The user named the XDP mode: no other hook is tried in its place. */
static bool is_strict(const struct interface *interface)
{
	return interface->asked == HOOK_XDP_NATIVE ||
	       interface->asked == HOOK_XDP_GENERIC;
}

/*
 * Chooses the hook to try first; false where the hook that the user asked for
 * is impossible.
 */
static bool choose_way(struct interface *interface)
{
	/*
	 * Native XDP disturbs the traffic of some devices: attaching resets the
	 * link or its rings, or switches offloads off. Which devices it leaves
	 * alone is not known.
	 */
	interface->first =
		interface->asked == HOOK_AUTO ? HOOK_TC : interface->asked;
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

static bool is_raw_ip(const struct link *link)
{
	return link->type != ARPHRD_ETHER && link->type != ARPHRD_LOOPBACK;
}

int interface_meet(struct interface *interface, const struct link *link,
		   enum hook hook)
{
	interface->index = link->index;
	interface->asked = hook;
	interface->raw_ip = is_raw_ip(link);
	interface->loopback = link->type == ARPHRD_LOOPBACK;
	interface_rename(interface, link);
	return choose_way(interface) ? 0 : -EOPNOTSUPP;
}

int interface_meet_again(struct interface *interface, const struct link *link)
{
	interface->index = link->index;
	interface_rename(interface, link);
	if (interface->raw_ip == is_raw_ip(link))
		return 0;
	/* The programs for the other kind of device may not be loaded. */
	message("%s: came back as another kind of device", interface->name);
	return -EOPNOTSUPP;
}

void interface_rename(struct interface *interface, const struct link *link)
{
	snprintf(interface->name, sizeof(interface->name), "%s", link->name);
}

bool interface_wants_xdp(const struct interface *interface)
{
	return interface->first != HOOK_TC;
}

bool interface_is_short_of(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -ENOMEM ||
	       error == -ENOBUFS || error == -ENOSPC;
}

/* --- attaching ------------------------------------------------------------ */

/* The limit of open file descriptors. */
static rlim_t descriptors_max = RLIM_INFINITY;

void attach_prepare(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	descriptors_max = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	if (!setrlimit(RLIMIT_NOFILE, &limit))
		descriptors_max = limit.rlim_cur;
}

/*
 * A new descriptor gets the lowest free number, so its number shows how many
 * are open.
 */
static bool is_reserved(int fd)
{
	return descriptors_max != RLIM_INFINITY &&
	       (rlim_t)fd + RESERVED_DESCRIPTORS >= descriptors_max;
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
	if (is_reserved(fd)) {
		close(fd);
		return -EMFILE;
	}
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

static int attach_tcx(struct interface *interface,
		      struct attachment *attachment, int program, int type)
{
	int error = attach_link(attachment, program, interface->index, type,
				TCX_FIRST, "tcx");

	if (!error) {
		attachment->way = ATTACHED_TCX;
		tcx_links++;
	}
	return error;
}

static bool is_clsact_forced(void)
{
	const char *forced = getenv(TC_ENVIRONMENT);

	return forced && !strcmp(forced, TC_CLSACT);
}

/* tcx programs of others run before clsact, and may let nothing pass to it. */
static bool others_use_tcx(unsigned int index, int type)
{
	__u32 count = 0;

	return !bpf_prog_query((int)index, (enum bpf_attach_type)type, 0, NULL,
			       NULL, &count) &&
	       count;
}

bool attach_may_need_clsact(int interfaces)
{
	__u32 count = 0;
	/*
	 * An interface index that cannot exist: the error depends on the
	 * kernel's version only.
	 */
	const int error =
		bpf_prog_query(INT_MAX, TCX_INGRESS, 0, NULL, NULL, &count);

	return is_clsact_forced() || error == -EINVAL ||
	       2 * interfaces > TCX_LINKS_MAX;
}

/*
 * A filter of another kind has priority 1, so this program's comes after it,
 * and gets no packet that it accepts, drops or redirects. tcx comes before all
 * filters.
 */
static void come_first(struct interface *interface,
		       struct attachment *attachment, int program, bool ingress)
{
	struct attachment tcx;

	if (!is_clsact_forced() &&
	    !attach_tcx(interface, &tcx, program,
			ingress ? TCX_INGRESS : TCX_EGRESS)) {
		clsact_detach(&attachment->filter, interface->index);
		*attachment = tcx;
		return;
	}
	message("%s: tc %s: another program's filter has priority 1: packets "
		"that it accepts, drops or redirects are not seen",
		interface->name, ingress ? "ingress" : "egress");
}

static int attach_tc(struct interface *interface, struct attachment *attachment,
		     const struct bpf_program *program, bool ingress)
{
	const int type = ingress ? TCX_INGRESS : TCX_EGRESS;
	int fd = bpf_program__fd(program), error = -EINVAL;

	if (!is_clsact_forced() && (tcx_links < TCX_LINKS_MAX ||
				    others_use_tcx(interface->index, type)))
		error = attach_tcx(interface, attachment, fd, type);
	if (error == -EINVAL) { /* no tcx here */
		error = attach_clsact(interface, attachment, fd, ingress);
		if (!error && attachment->filter.priority > 1)
			come_first(interface, attachment, fd, ingress);
	}
	if (error && error != -ENODEV && !interface_is_short_of(error))
		message("%s: tc %s: %s", interface->name,
			ingress ? "ingress" : "egress", strerror(-error));
	return error;
}

/* Explains why a device or a driver refuses the XDP program, and what helps. */
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
	default:
		return strerror(-error);
	}
}

/*
 * Whether native XDP could be attached, without attaching it; the error that
 * attaching would return.
 */
static int try_native_xdp(struct interface *interface)
{
	bool known;
	const int error = xdp_features_try_native(interface->index, &known);

	if (!error)
		interface->in.name =
			known ? "native XDP" :
				"native XDP (if its driver has that: no kernel "
				"before Linux 6.3 reports it)";
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

/* Attaches XDP as the user asked for, or prints why it failed. */
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
	if (error && error != -ENODEV && !interface_is_short_of(error))
		message("%s: XDP: %s: %s", interface->name, xdp_advice(error),
			is_strict(interface) ? "use --hook tc" : "tc instead");
	return error;
}

/*
 * The loopback device receives each packet that it transmitted
 * (drivers/net/loopback.c), so a hook on the receive side would see no other
 * packet. A hook that --hook names is attached nevertheless.
 */
static bool receives_its_own(const struct interface *interface)
{
	return interface->loopback && interface->asked == HOOK_AUTO;
}

static int attach_receive(struct interface *interface,
			  struct bannerprobe_bpf *bpf)
{
	if (receives_its_own(interface)) {
		interface->in.name = "not needed";
		return 0;
	}
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

/*
 * The growth of a device's counter. A driver may restart it at 0 when the link
 * goes down; the sum of the growth never falls.
 */
static __u64 grown(__u64 *last, __u64 now)
{
	const __u64 before = *last;

	*last = now;
	return now >= before ? now - before : now;
}

void interface_saw_packets(struct interface *interface,
			   const struct packet_counts *counts)
{
	interface->packets.received +=
		grown(&interface->device.received, counts->received);
	interface->packets.sent += grown(&interface->device.sent, counts->sent);
}

static void begin_counting(unsigned int index,
			   const struct packet_counts *counts, void *context)
{
	(void)index;
	((struct interface *)context)->device = *counts;
}

int interface_attach(struct interface *interface, struct bannerprobe_bpf *bpf)
{
	const bool has_in = interface->in.way != DETACHED,
		   has_out = interface->out.way != DETACHED;
	int error = has_in ? 0 : attach_receive(interface, bpf);

	if (!error && !has_out)
		error = attach_tc(interface, &interface->out,
				  interface->raw_ip ?
					  bpf->progs.bannerprobe_txi :
					  bpf->progs.bannerprobe_tx,
				  false);
	if (!error && !has_in && !has_out)
		links_count_packets(interface->index, begin_counting,
				    interface);
	return error;
}

void interface_tell(const struct interface *interface)
{
	message("%s: %s: receive %s, transmit %s", interface->name,
		interface->trial ? "would attach" : "attached",
		interface->in.name, interface->out.name);
}

static bool lost_filter(const struct interface *interface,
			const struct attachment *attachment)
{
	return attachment->way == ATTACHED_CLSACT &&
	       !clsact_is_attached(&attachment->filter, interface->index);
}

bool interface_lost_filter(const struct interface *interface)
{
	return lost_filter(interface, &interface->in) ||
	       lost_filter(interface, &interface->out);
}

static void detach(const struct interface *interface,
		   struct attachment *attachment)
{
	if (attachment->way == ATTACHED_TCX)
		tcx_links--;
	if (attachment->way == ATTACHED_LINK || attachment->way == ATTACHED_TCX)
		close(attachment->link_fd);
	else if (attachment->way == ATTACHED_CLSACT)
		clsact_detach(&attachment->filter, interface->index);
	attachment->way = DETACHED;
}

void interface_drop_lost(struct interface *interface)
{
	if (lost_filter(interface, &interface->in))
		detach(interface, &interface->in);
	if (lost_filter(interface, &interface->out))
		detach(interface, &interface->out);
}

void interfaces_detach_some(struct interface *const *list, int count)
{
	struct clsact_pair pairs[CLSACT_PAIRS_MAX];
	int pair_count = 0;

	for (int i = 0; i < count; i++) {
		struct attachment *in = &list[i]->in, *out = &list[i]->out;

		if (in->way != ATTACHED_CLSACT || out->way != ATTACHED_CLSACT) {
			detach(list[i], in);
			detach(list[i], out);
			continue;
		}
		pairs[pair_count++] =
			(struct clsact_pair){ list[i]->index, &in->filter,
					      &out->filter };
		in->way = out->way = DETACHED;
	}
	if (pair_count)
		clsact_detach_pairs(pairs, pair_count);
}

void interface_detach(struct interface *interface)
{
	interfaces_detach_some(&interface, 1);
}
