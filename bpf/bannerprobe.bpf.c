/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The hooks: XDP for received packets, tc for either direction, all on the same
 * maps. Each hook makes a frame of its context, hands it to the engine, and
 * passes the packet on in any case. Nearly all packets are done at the
 * prefilter; the others are parsed and tracked (engine.h).
 *
 * Only the packet and the UAPI context are touched. So no CO-RE relocation is
 * needed, and a kernel without BTF of its own is enough.
 */
#include "../include/tunnels.h"
#include "backend.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#define TC_NEXT -1 /* TC_ACT_UNSPEC and TCX_NEXT: other programs run next */

static __always_inline int report_packet(struct backend *backend)
{
	struct scratch *scratch = scratch_of_cpu();

	if (scratch)
		engine_report(backend, &scratch->context, &scratch->record);
	return 0;
}

/*
 * Global functions: the verifier checks each once by itself, instead of after
 * every path through the parser that leads to it. None has an unused parameter:
 * clang 16 and later do not set the register of an unused argument, and the
 * verifier refuses such a call.
 */

/* Tracks the segment that engine_see() left in this CPU's scratch memory. */
__noinline int track_seen(void)
{
	struct backend backend = {};
	struct scratch *scratch = scratch_of_cpu();

	if (!scratch)
		return TRACKED;
	backend.ifindex = scratch->ifindex; /* for its counters */
	return engine_track(&backend, &scratch->context);
}

__noinline int report_xdp(struct xdp_md *ctx)
{
	struct backend backend = backend_of_xdp(ctx);

	return report_packet(&backend);
}

__noinline int report_skb(struct __sk_buff *skb, int direction)
{
	struct backend backend = backend_of_skb(skb, direction, false);

	return report_packet(&backend);
}

static __always_inline void note_negotiation(const struct backend *backend)
{
	struct scratch *scratch = scratch_of_cpu();

	if (scratch)
		engine_note_negotiation(backend, &scratch->context.segment,
					scratch->bytes);
}

__noinline int note_negotiation_xdp(struct xdp_md *ctx)
{
	struct backend backend = backend_of_xdp(ctx);

	note_negotiation(&backend);
	return 0;
}

__noinline int note_negotiation_skb(struct __sk_buff *skb)
{
	struct backend backend = backend_of_skb(skb, DIRECTION_NONE, false);

	note_negotiation(&backend);
	return 0;
}

/* Looks up the destination of this CPU's segment. */
__noinline int look_up_destination(void)
{
	const struct backend none = {};
	struct scratch *scratch = scratch_of_cpu();

	if (scratch)
		engine_look_up_destination(&none, &scratch->context);
	return 0;
}

static __always_inline enum parse_result parse(const struct backend *backend,
					       const struct frame *frame,
					       enum walk walk,
					       struct scratch *scratch)
{
	struct segment *segment = &scratch->context.segment;

	segment_reset(segment);
	segment->vlan[0] = backend->vlan;
	segment->vlan_count = backend->vlan_count;
	scratch->parsed = (__u8)(backend->is_raw_ip ?
					 walk_ip(frame, 0, walk, segment) :
					 walk_ethernet(frame, walk, segment));
	READ_AGAIN(); /* see walk_ethertype() */
	return (enum parse_result)scratch->parsed;
}

/*
 * Opens tunnels, one layer a call, so that the verifier checks the reading of a
 * layer once and not for each path that leads there. The segment in the scratch
 * memory holds the position of the walk.
 */
__noinline int open_tunnel_of_xdp(struct xdp_md *ctx, int result)
{
	struct backend backend = backend_of_xdp(ctx);
	struct scratch *scratch = scratch_of_cpu();

	return scratch ? open_tunnel(&backend.frame, &scratch->context.segment,
				     result, WALK_WHOLE,
				     &settings_of_loader()->track.decap) :
			 PARSE_CUT;
}

__noinline int open_tunnel_of_skb(struct __sk_buff *skb, int result)
{
	struct backend backend = backend_of_skb(skb, DIRECTION_NONE, false);
	struct scratch *scratch = scratch_of_cpu();

	return scratch ? open_tunnel(&backend.frame, &scratch->context.segment,
				     result, WALK_WHOLE,
				     &settings_of_loader()->track.decap) :
			 PARSE_CUT;
}

/* The same for a copy of `len` bytes. */
__noinline int open_tunnel_of_copy(int len, int wire_len, int result)
{
	struct scratch *scratch = scratch_of_cpu();
	struct frame frame = { .wire_len = wire_len };
	__u64 size = (__u32)len;

	OPAQUE(size); /* the checked value is the used one */
	if (!scratch || size > HEADERS_MAX)
		return PARSE_CUT;
	frame.data = scratch->bytes;
	frame.end = frame.data + size;
	return open_tunnel(&frame, &scratch->context.segment, result,
			   WALK_WHOLE, &settings_of_loader()->track.decap);
}

/* Opens all tunnels, in the packet or in a copy of `len` bytes; 0: no copy. */
static __always_inline enum parse_result
open_tunnels(const struct backend *backend, enum parse_result result,
	     struct segment *segment, __u32 len)
{
	const __u32 wire_len = len ? backend_len(backend) : 0;
	__u8 layers = 0;

	if (!settings_of_loader()->track.decap.kinds)
		return result;
#pragma clang loop unroll(disable)
	for (int i = 0; i <= TUNNELS_MAX; i++) {
		if (!tunnel_may_follow(result))
			break;
		if (len)
			result = open_tunnel_of_copy(len, wire_len, result);
		else if (backend->is_xdp)
			result = open_tunnel_of_xdp(backend->ctx, result);
		else
			result = open_tunnel_of_skb(backend->ctx, result);
		if (segment->tunnel_count == layers)
			break; /* not opened */
		layers = segment->tunnel_count;
	}
	return result;
}

/*
 * Parses a copy of the headers, because they are not in the linear part. 1:
 * this CPU's context is complete, and has to be tracked.
 */
static __always_inline int watch_copy(const struct backend *backend)
{
	struct scratch *scratch = scratch_of_cpu();
	struct frame frame = { .wire_len = backend_len(backend) };
	enum parse_result result = PARSE_CUT;
	__u32 len = frame.wire_len;

	if (!scratch)
		return 0;
	if (len > HEADERS_MAX)
		len = HEADERS_MAX;
	OPAQUE(len); /* the verifier needs the check that follows */
	/* Before multi-buffer XDP the linear part is the whole packet. */
	if (len && len <= HEADERS_MAX &&
	    (!backend->is_xdp || xdp_has_load_bytes) &&
	    backend_read(backend, 0, scratch->bytes, len)) {
		frame.data = scratch->bytes;
		frame.end = frame.data + len;
		result = parse(backend, &frame, WALK_WHOLE, scratch);
		result = open_tunnels(backend, result,
				      &scratch->context.segment, len);
	}
	return engine_see(backend, result, &scratch->context);
}

__noinline int watch_copy_of_xdp(struct xdp_md *ctx)
{
	struct backend backend = backend_of_xdp(ctx);

	return watch_copy(&backend);
}

__noinline int watch_copy_of_skb(struct __sk_buff *skb, int is_raw_ip)
{
	struct backend backend = backend_of_skb(skb, DIRECTION_NONE, is_raw_ip);

	return watch_copy(&backend);
}

/*
 * Whether the parser's result for the linear part holds for the whole packet.
 * For XDP the length of the linear part was taken as the packet's, so headers
 * that contradict it may continue in other buffers.
 */
static __always_inline bool linear_part_tells(const struct backend *backend,
					      enum parse_result result,
					      const struct segment *segment)
{
	const struct frame *frame = &backend->frame;
	bool is_doubtful = result == PARSE_CUT;

	if (backend->is_xdp)
		is_doubtful |= result == PARSE_MALFORMED ||
			       (result == PARSED && segment->to_end);
	return !is_doubtful || frame->end - frame->data >= backend_len(backend);
}

/* The prefilter behind one tunnel: see prefilter_tunnel(). */
static __always_inline int prefilter_inside(const struct backend *backend)
{
	const struct prefilter prefilter = backend_prefilter(backend);
	const struct track_options *track = &backend_settings(backend)->track;

	return prefilter_tunnel(&backend->frame, backend->is_raw_ip, &prefilter,
				&track->decap, track->key.tunnels);
}

/*
 * Parses the linear part, with all that it may hold. False: the linear part
 * does not tell. The packet's pointers are read again: so the verifier forgets
 * which bytes were checked before, and follows this walk once.
 */
static __always_inline bool parse_linear_part(const struct backend *backend,
					      struct scratch *scratch,
					      enum parse_result *result)
{
	struct segment *segment = &scratch->context.segment;
	struct backend again = *backend;

	READ_AGAIN();
	again.frame = backend->is_xdp ? frame_of_xdp(backend->ctx) :
					frame_of_skb(backend->ctx);
	*result = parse(&again, &again.frame, WALK_WHOLE, scratch);
	*result = open_tunnels(&again, *result, segment, 0);
	return linear_part_tells(&again, *result, segment);
}

/* True: this CPU's context is complete, and has to be tracked. */
static __always_inline bool see(const struct backend *backend,
				struct scratch *scratch)
{
	enum parse_result result;
	bool track;

	scratch->ifindex = backend->ifindex;
	/* Nearly all packets are plain: for these the walk is half as long. */
	result = parse(backend, &backend->frame, WALK_SHORT, scratch);
	if (result == PARSED || parse_linear_part(backend, scratch, &result))
		track = engine_see(backend, result, &scratch->context);
	else if (backend->is_xdp)
		track = watch_copy_of_xdp(backend->ctx);
	else
		track = watch_copy_of_skb(backend->ctx, backend->is_raw_ip);
	if (!track ||
	    engine_is_not_seen_leaving(backend, &scratch->context.segment))
		return false;
	if (engine_may_negotiate(backend, &scratch->context.segment)) {
		if (backend->is_xdp)
			note_negotiation_xdp(backend->ctx);
		else
			note_negotiation_skb(backend->ctx);
	}
	if (engine_is_unexpected_synack(backend, &scratch->context))
		look_up_destination();
	return true;
}

/* True: the segment's verdict has to be reported. */
static __always_inline bool watch(const struct backend *backend,
				  struct scratch *scratch)
{
	int tracked;

	if (!see(backend, scratch))
		return false;
	tracked = track_seen();
	if (tracked == LOOK_UP_OWN) {
		look_up_destination();
		tracked = track_seen();
	}
	return tracked == REPORT;
}

/*
 * Each hook has a program that holds the prefilter only. It goes on to one of
 * these two with a packet that has to be watched. So the verifier checks the
 * watching once for XDP and once for all hooks of tc, which is most of the time
 * that a start takes. (The kernel keeps 15 characters of a name.)
 *
 * The loader adds BPF_F_XDP_HAS_FRAGS to all programs for XDP where the kernel
 * has it (5.18).
 */
SEC("xdp")
int bannerprobe_wx(struct xdp_md *ctx)
{
	const struct backend backend = backend_of_xdp(ctx);
	struct scratch *scratch = scratch_of_cpu();

	if (scratch && watch(&backend, scratch))
		report_xdp(ctx);
	return XDP_PASS;
}

SEC("tc")
int bannerprobe_wt(struct __sk_buff *skb)
{
	struct scratch *scratch = scratch_of_cpu();
	struct backend backend;
	int direction;

	if (!scratch)
		return TC_NEXT;
	direction = scratch->direction;
	backend = backend_of_skb(skb, direction, scratch->is_raw_ip);
	if (watch(&backend, scratch))
		report_skb(skb, direction);
	return TC_NEXT;
}

/*
 * Whether a packet has to be parsed. The tags of a bucket detect false
 * positives of the prefilter, at the cost of another cache line.
 */
static __always_inline bool has_to_be_watched(enum prefilter_result result,
					      __u64 hash)
{
	const struct bucket *bucket;
	__u32 index, shift;

	if (result != PREFILTER_HIT)
		return result;
	shift = words_shift;
	index = ((__u32)(hash >> 32) & prefilter_mask) >> shift;
	bucket = bpf_map_lookup_elem(&buckets, &index);
	return bucket &&
	       bucket_may_have(bucket, tag_of(hash, (1U << shift) - 1));
}

/*
 * The hooks call nothing but the program that they go on to: before Linux 6.0 a
 * program for arm64 that has functions of its own cannot go on to another one.
 */
SEC("xdp")
int bannerprobe_xdp(struct xdp_md *ctx)
{
	/* bannerprobe_wx looks at headers that are not in the linear part. */
	const struct backend backend = backend_of_xdp(ctx);
	const struct prefilter prefilter = backend_prefilter(&backend);
	const struct decap *decap = &backend_settings(&backend)->track.decap;
	enum prefilter_result result;
	__u64 hash = 0;

	result = prefilter_ethernet(&backend.frame, &prefilter, decap, &hash);
	if (has_to_be_watched(result, hash) &&
	    (!decap->kinds || prefilter_inside(&backend)))
		bpf_tail_call(ctx, &watch_xdp, 0);
	return XDP_PASS;
}

/* Goes on to bannerprobe_wt; does not return, unless that is missing. */
static __always_inline void watch_skb(struct __sk_buff *skb,
				      enum direction direction, bool is_raw_ip)
{
	struct scratch *scratch = scratch_of_cpu();

	if (!scratch)
		return;
	scratch->direction = direction;
	scratch->is_raw_ip = is_raw_ip;
	bpf_tail_call(skb, &watch_tc, 0);
}

static __always_inline int
prefilter_skb(struct __sk_buff *skb, enum direction direction, bool is_raw_ip)
{
	const struct backend backend =
		backend_of_skb(skb, direction, is_raw_ip);
	const struct frame *frame = &backend.frame;
	const struct prefilter prefilter = backend_prefilter(&backend);
	const struct track_options *track = &backend_settings(&backend)->track;
	const struct decap *decap = &track->decap;
	enum prefilter_result result = PREFILTER_PARSE;
	__u64 hash = 0;

	if (!track->key.vlan || !skb->vlan_present)
		result = is_raw_ip ? prefilter_ip(frame, 0, &prefilter, decap,
						  &hash) :
				     prefilter_ethernet(frame, &prefilter,
							decap, &hash);
	if (has_to_be_watched(result, hash) &&
	    (!decap->kinds || track->key.vlan || prefilter_inside(&backend)))
		watch_skb(skb, direction, is_raw_ip);
	return TC_NEXT;
}

SEC("tc")
int bannerprobe_rx(struct __sk_buff *skb)
{
	return prefilter_skb(skb, DIRECTION_IN, false);
}

SEC("tc")
int bannerprobe_tx(struct __sk_buff *skb)
{
	return prefilter_skb(skb, DIRECTION_OUT, false);
}

/* The same for devices without a link-layer header (tun, WireGuard, PPP). */
SEC("tc")
int bannerprobe_rxi(struct __sk_buff *skb)
{
	return prefilter_skb(skb, DIRECTION_IN, true);
}

SEC("tc")
int bannerprobe_txi(struct __sk_buff *skb)
{
	return prefilter_skb(skb, DIRECTION_OUT, true);
}
