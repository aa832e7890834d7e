/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The engine's backend in the kernel: a packet on a hook, and the maps. */
#ifndef BANNERPROBE_BACKEND_H
#define BANNERPROBE_BACKEND_H

#include "../include/engine.h"
#include "maps.h"

/* A packet on a hook. All members but ctx are constants after inlining. */
struct backend {
	void *ctx;
	bool is_xdp;
	bool is_raw_ip;	 /* no Ethernet header */
	__u8 direction;	 /* enum direction */
	__u8 vlan_count; /* VLAN tags that hardware or kernel have stripped: 0
			  * or 1 */
	__u16 vlan;
	__u32 ifindex;
	struct frame frame;
};

static __always_inline struct frame frame_of_xdp(const struct xdp_md *ctx)
{
	return (struct frame){
		.data = (const __u8 *)(long)ctx->data,
		.end = (const __u8 *)(long)ctx->data_end,
		.wire_len = ctx->data_end - ctx->data,
	};
}

static __always_inline struct frame frame_of_skb(const struct __sk_buff *skb)
{
	return (struct frame){
		.data = (const __u8 *)(long)skb->data,
		.end = (const __u8 *)(long)skb->data_end,
		.wire_len = skb->len,
	};
}

static __always_inline struct backend backend_of_xdp(struct xdp_md *ctx)
{
	return (struct backend){
		.ctx = ctx,
		.is_xdp = true,
		.direction = DIRECTION_IN,
		.ifindex = ctx->ingress_ifindex,
		.frame = frame_of_xdp(ctx),
	};
}

static __always_inline struct backend
backend_of_skb(struct __sk_buff *skb, enum direction direction, bool is_raw_ip)
{
	return (struct backend){
		.ctx = skb,
		.direction = direction,
		.is_raw_ip = is_raw_ip,
		.vlan_count = !!skb->vlan_present,
		.vlan = skb->vlan_tci & VLAN_ID_MASK,
		.ifindex = skb->ifindex,
		.frame = frame_of_skb(skb),
	};
}

static __always_inline struct scratch *scratch_of_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratches, &zero);
}

static __always_inline const struct engine_settings *
backend_settings(const struct backend *backend)
{
	return settings_of_loader();
}

static __always_inline const volatile __u64 *
backend_secrets(const struct backend *backend)
{
	return hash_secrets;
}

static __always_inline const volatile __u64 *
backend_filter_ports(const struct backend *backend)
{
	return filter_ports;
}

static __always_inline struct prefilter
backend_prefilter(const struct backend *backend)
{
	return (struct prefilter){ prefilter_words, hash_secrets,
				   prefilter_mask };
}

static __always_inline __u64 backend_hash(const struct backend *backend,
					  const struct segment *segment,
					  struct connection_key key,
					  const volatile __u64 *secrets)
{
	(void)backend;
	return connection_hash(segment, key, secrets);
}

static __always_inline __u8 backend_direction(const struct backend *backend)
{
	return backend->direction;
}

/*
 * A lookup in this array cannot fail, but the verifier needs the check.
 */
static __always_inline bool backend_find_place(const struct backend *backend,
					       __u64 hash,
					       struct table_place *place)
{
	const __u32 shift = words_shift;
	__u32 index, first;

	place->prefilter = backend_prefilter(backend);
	first = prefilter_index(&place->prefilter, hash);
	index = first >> shift;
	place->word_mask = (1U << shift) - 1;
	place->first_word = first & ~place->word_mask;
	place->tag = tag_of(hash, place->word_mask);
	place->bucket = bpf_map_lookup_elem(&buckets, &index);
	return place->bucket;
}

static __always_inline void backend_lock(struct bucket *bucket)
{
	bpf_spin_lock(&bucket->lock);
}

static __always_inline void backend_unlock(struct bucket *bucket)
{
	bpf_spin_unlock(&bucket->lock);
}

static __always_inline struct flow *
backend_overflow_find(const struct backend *backend, __u64 id)
{
	return bpf_map_lookup_elem(&overflow, &id);
}

/*
 * Looked up first, because an update may evict another connection in any case.
 */
static __always_inline struct flow *
backend_overflow_add(const struct backend *backend, __u64 id)
{
	struct flow *entry = bpf_map_lookup_elem(&overflow, &id), none = {};

	if (entry)
		return entry;
	bpf_map_update_elem(&overflow, &id, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&overflow, &id);
}

static __always_inline __u32 backend_sets(const struct backend *backend,
					  const struct net *net)
{
	const __u32 *sets = bpf_map_lookup_elem(&nets, net);

	return sets ? *sets : 0;
}

static __always_inline bool backend_is_own(const struct backend *backend,
					   const __u32 address[4], __u8 family)
{
	struct net net;

	if (!own_may_be(own_bits, address, hash_secrets))
		return false;
	net_of_address(&net, address, family);
	return backend_sets(backend, &net) & SET_LOCAL;
}

static __always_inline __u64 *backend_counters(const struct backend *backend)
{
	const __u64 slot = array_key(slot_of(&slots, backend->ifindex));
	struct counted *counted = bpf_map_lookup_elem(&counters, &slot);

	return counted ? counted->by : NULL;
}

static __always_inline __u64 backend_now(const struct backend *backend)
{
	return bpf_ktime_get_ns();
}

/*
 * Length of the packet in bytes, with its non-linear part. For XDP
 * frame.wire_len is the linear part only: the whole length needs a helper call,
 * which costs time.
 */
static __always_inline __u32 backend_len(const struct backend *backend)
{
	if (backend->is_xdp && xdp_has_load_bytes)
		return bpf_xdp_get_buff_len(backend->ctx);
	return backend->frame.wire_len;
}

/*
 * Copies `len` bytes (1 to BANNER_MAX) at `offset` of the packet, linear or
 * not. Negative on failure.
 */
static __always_inline long load_bytes(const struct backend *backend,
				       __u32 offset, void *to, __u32 len)
{
	const struct frame *frame = &backend->frame;
	__u64 size = len - 1, done = 0;

	/*
	 * A mask of 64 bits: before Linux 6.8 the verifier learns no lower
	 * bound from a comparison with 0.
	 */
	OPAQUE(size);
	size = (size & (BANNER_MAX - 1)) + 1;

	if (!backend->is_xdp)
		return bpf_skb_load_bytes(backend->ctx, offset, to, size);
	if (xdp_has_load_bytes)
		return bpf_xdp_load_bytes(backend->ctx, offset, to, size);

	/* Before multi-buffer XDP all of the packet is linear, in one page. */
	if (offset > 0xffff - BANNER_MAX - 1)
		return -1;
		/*
		 * First words, then bytes: the verifier of Linux 5.10 follows
		 * no more than 8192 jumps.
		 */
#pragma clang loop unroll(disable)
	for (; done < BANNER_MAX; done += 8) {
		const __u8 *word = frame->data + offset + done;

		if (done + 8 > size || word + 8 > frame->end)
			break;
		__builtin_memcpy((__u8 *)to + done, word, 8);
	}
#pragma clang loop unroll(disable)
	for (int i = 0; i < 8; i++) {
		__u64 at = done + i;
		const __u8 *byte;

		OPAQUE(at); /* the checked value is the used one */
		if (at >= size || at >= BANNER_MAX)
			return 0;
		byte = frame->data + offset + at;
		if (byte + 1 > frame->end)
			return -1;
		((__u8 *)to)[at] = *byte;
	}
	return 0;
}

static __always_inline bool backend_read(const struct backend *backend,
					 __u32 offset, void *to, __u32 len)
{
	return !load_bytes(backend, offset, to, len);
}

/* Whether a record exceeds the rate of this second. */
static __always_inline bool backend_is_over_rate(const struct backend *backend,
						 __u64 now)
{
	const __u64 slot = array_key(slot_of(&slots, backend->ifindex));
	struct rate *rate = bpf_map_lookup_elem(&rates, &slot);
	const __u64 second = now / 1000000000;
	bool over;

	if (!rate)
		return false;
	bpf_spin_lock(&rate->lock);
	if (rate->second < second) { /* another CPU's clock may be a second
				      * ahead */
		rate->second = second;
		rate->records = 0;
	}
	over = rate->records >= backend_settings(backend)->track.max_rate;
	rate->records += !over;
	bpf_spin_unlock(&rate->lock);
	return over;
}

static __always_inline const struct frame *
backend_frame(const struct backend *backend)
{
	return &backend->frame;
}

/*
 * Describes the socket that sent the packet. The kernel detaches a packet from
 * its socket where the packet enters another network namespace. Only TCP
 * sockets count: a raw socket, or a program that implements a tunnel, may send
 * another program's segment. A function of its own, so that without --owner no
 * register is saved for it.
 */
static __noinline void describe_socket(struct __sk_buff *skb,
				       struct event_socket *to)
{
	struct bpf_sock *sk = skb->sk;

	to->cookie = 0;
	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk || sk->protocol != PROTO_TCP)
		return;
	to->port = (__u16)sk->src_port;
	to->uid = bpf_get_socket_uid(skb);
	to->cgroup = skb_has_cgroup ? bpf_skb_cgroup_id(skb) : 0;
	to->cookie = bpf_get_socket_cookie(skb);
}

static __always_inline void
backend_describe_socket(const struct backend *backend, struct event *event)
{
	if (!backend->is_xdp && backend_settings(backend)->track.sockets)
		describe_socket(backend->ctx, &event->socket);
}

/*
 * The ring buffer of this CPU. The verifier removes the comparisons for ring
 * buffers that are not used. If they were in a map of maps, each start would
 * wait for a grace period of RCU for each of them: some 10 ms.
 */
static __always_inline void *ring_of_cpu(void)
{
	switch (bpf_get_smp_processor_id() & ring_mask) {
	case 1:
		return &records_1;
	case 2:
		return &records_2;
	case 3:
		return &records_3;
	case 4:
		return &records_4;
	case 5:
		return &records_5;
	case 6:
		return &records_6;
	case 7:
		return &records_7;
	default:
		return &records_0;
	}
}

static __always_inline void backend_note_place(const struct backend *backend,
					       struct event *event)
{
	event->ifindex = backend->ifindex;
	event->direction = backend->direction;
}

static __always_inline bool backend_emit(const struct backend *backend,
					 struct event *event, __u32 room)
{
	__u64 size = backend_settings(backend)->track.decap.kinds ?
			     event_size(event) :
			     sizeof(*event) + event->kept;

	OPAQUE(size); /* checked and used as one value, whatever was copied */
	if (size > sizeof(*event) + room)
		return true;
	return !bpf_ringbuf_output(ring_of_cpu(), event, size, 0);
}

static __always_inline void backend_count_fates(const struct backend *backend,
						const struct verdict *verdict)
{
	__u32 zero = 0;
	struct event_counts *counts = bpf_map_lookup_elem(&event_counts, &zero);

	if (!counts)
		return;
	count_fates(counts, verdict->fates);
	count_fates(counts, verdict->ended_fates);
}

static __always_inline void backend_keep_data(const struct backend *backend,
					      const struct event *event)
{
	bpf_map_update_elem(&syn_data, &event->synack_time, event, 0);
}

static __always_inline struct event *
backend_kept_data(const struct backend *backend, __u64 key)
{
	return bpf_map_lookup_elem(&syn_data, &key);
}

#endif
