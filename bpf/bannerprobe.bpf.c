/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The hooks: XDP for received packets, tc for either direction, all on the
 * same maps. Each makes a frame of its context, lets the core (segment.h,
 * tracker.h) say what it means, and passes the packet on, whatever that is.
 *
 * Only the packet and the UAPI context are touched: no CO-RE relocation is
 * needed, so kernels without BTF of their own do too.
 */
#include "../include/platform.h"
#include "../include/record.h"
#include "../include/segment.h"
#include "../include/tracker.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

_Static_assert(HEADERS_MAX <= BANNER_MAX, "load_bytes() copies either");

#define TC_NEXT -1 /* TC_ACT_UNSPEC, and TCX_NEXT: other programs go on */

#define BPF_NOEXIST 1 /* linux/bpf.h: create only; not in BTF by a name */
#define EEXIST 17

#define LOCKS 1024 /* a power of two; two CPUs seldom want the same one */

/* Set by the loader before the programs are loaded. */
const volatile __u32 banner_limit = 256; /* bytes kept, 1 to BANNER_MAX */
/* Linux 5.18: bpf_xdp_load_bytes, bpf_xdp_get_buff_len. */
const volatile bool xdp_has_load_bytes = false;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct flow_key);
	__type(value, struct flow);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20); /* bytes: some 8,000 records */
} records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTER_MAX);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct lock {
	struct bpf_spin_lock lock;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LOCKS);
	__type(key, __u32);
	__type(value, struct lock);
} locks SEC(".maps");

/* Where a record is put together, or headers that are not at hand. */
struct scratch {
	struct segment segment; /* see forget_segment() */
	union {
		struct record record;
		__u8 bytes[sizeof(struct record) + BANNER_MAX];
	};
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

/* What a hook hands to the core. Constants after inlining, but for ctx. */
struct packet {
	void *ctx;
	bool is_xdp;
	bool is_raw_ip; /* no Ethernet header */
	__u8 direction; /* enum direction */
	__u8 vlan_count; /* tags that hardware or kernel have stripped: 0, 1 */
	__u16 vlan;
	__u32 ifindex;
	struct frame frame;
};

static __always_inline void count(__u32 counter)
{
	__u64 *value;

	if (counter == COUNT_NOTHING)
		return;
	value = bpf_map_lookup_elem(&counters, &counter);
	if (value)
		(*value)++;
}

static __always_inline struct scratch *scratch_of_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratches, &zero);
}

/*
 * Copies `len` bytes (1 to BANNER_MAX) at `offset` of the packet, linear or
 * not. Negative on failure.
 */
static __always_inline long load_bytes(const struct packet *packet,
				       __u32 offset, void *to, __u32 len)
{
	const struct frame *frame = &packet->frame;
	__u64 size = len - 1, done = 0;

	/*
	 * A mask, and 64 bits wide: before Linux 6.8 the verifier learns no
	 * lower bound from a comparison with 0.
	 */
	OPAQUE(size);
	size = (size & (BANNER_MAX - 1)) + 1;

	if (!packet->is_xdp)
		return bpf_skb_load_bytes(packet->ctx, offset, to, size);
	if (xdp_has_load_bytes)
		return bpf_xdp_load_bytes(packet->ctx, offset, to, size);

	/* Before multi-buffer XDP all of the packet is linear, in one page. */
	if (offset > 0xffff - BANNER_MAX - 1)
		return -1;
	/* In words, then bytes: Linux 5.10 follows no more than 8192 jumps. */
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

		OPAQUE(at); /* checked and used as one value */
		if (at >= size || at >= BANNER_MAX)
			return 0;
		byte = frame->data + offset + at;
		if (byte + 1 > frame->end)
			return -1;
		((__u8 *)to)[at] = *byte;
	}
	return 0;
}

/* How many bytes of the banner are at hand and wanted. */
static __always_inline __u32 bytes_to_keep(const struct packet *packet,
					   __u32 offset, __u32 len)
{
	__u32 wire_len = packet->frame.wire_len;
	__u32 kept = offset < wire_len ? wire_len - offset : 0;

	if (kept > len)
		kept = len;
	if (kept > banner_limit)
		kept = banner_limit;
	return kept;
}

/* The banner begins `skip` bytes into the payload. */
static __always_inline void report_banner(const struct packet *packet,
					  const struct segment *segment,
					  const struct flow *flow, __u32 skip,
					  __u64 now)
{
	struct scratch *scratch = scratch_of_cpu();
	__u32 offset = segment->payload_offset + skip;
	__u32 kept;

	if (!scratch)
		return;
	describe_banner(&scratch->record, flow, segment, skip, now);
	scratch->record.ifindex = packet->ifindex;
	scratch->record.direction = packet->direction;

	kept = bytes_to_keep(packet, offset, scratch->record.len);
	OPAQUE(kept); /* or the compiler drops the check that the verifier needs */
	if (kept > BANNER_MAX)
		kept = BANNER_MAX;
	if (kept && load_bytes(packet, offset, scratch->record.banner, kept))
		kept = 0;
	scratch->record.kept = kept;
	if (bpf_ringbuf_output(&records, &scratch->record,
			       sizeof(struct record) + kept, 0))
		count(COUNT_LOST_RING);
}

static __always_inline void report(const struct packet *packet,
				   const struct segment *segment,
				   const struct flow *flow,
				   const struct verdict *verdict, __u64 now)
{
	count(verdict->began);
	count(verdict->ended);
	count(verdict->outcome);
	count(verdict->ignored);
	if (verdict->outcome == COUNT_BANNER)
		report_banner(packet, segment, flow, verdict->skip, now);
}

/* Two CPUs that work on one connection take the same lock. */
static __always_inline struct lock *lock_of(const struct flow_key *key)
{
	__u32 hash = key->address[0][0] ^ key->address[0][3] ^
		     key->address[1][0] * 3 ^ key->address[1][3] * 5 ^
		     (((__u32)key->port[0] << 16) + key->port[1]);
	__u32 index = (hash * 0x9e3779b1) >> 16 & (LOCKS - 1);

	return bpf_map_lookup_elem(&locks, &index);
}

/*
 * Makes the state of a connection that begins with this segment, and reports
 * what that says already. Returns false where another CPU was faster.
 */
static __always_inline bool begin_flow(const struct packet *packet,
				       const struct segment *segment,
				       const struct flow_key *key, int sender,
				       __u64 now)
{
	struct flow flow = {};
	struct verdict verdict = track(&flow, segment, sender, now);
	long error = bpf_map_update_elem(&flows, key, &flow, BPF_NOEXIST);

	if (error == -EEXIST)
		return false;
	if (error)
		count(COUNT_LOST_TABLE);
	else
		report(packet, segment, &flow, &verdict, now);
	return true;
}

/*
 * The same segment in memory of which the verifier knows nothing: it need not
 * follow each way through the parser through all of the tracker, too.
 */
static __always_inline const struct segment *
forget_segment(const struct segment *segment)
{
	struct scratch *scratch = scratch_of_cpu();

	if (!scratch)
		return NULL;
	scratch->segment = *segment;
	return &scratch->segment;
}

/*
 * A connection that is evicted and replaced by another while this works on it
 * is changed under the wrong lock, which is harmless: the numbers of the two
 * do not fit each other, so no banner comes of it.
 */
static __always_inline void track_flow(const struct packet *packet,
				       const struct segment *segment)
{
	struct flow_key key;
	int sender = flow_key_of(segment, &key);
	struct verdict verdict;
	struct flow *flow, snapshot;
	struct lock *lock;
	__u64 now;

	if (sender < 0)
		return;
	flow = bpf_map_lookup_elem(&flows, &key);
	if (!flow && !segment_opens(segment))
		return;
	if (flow && flow->seen & FLOW_DECIDED &&
	    !(segment->flags & (TCP_SYN | TCP_FIN | TCP_RST)))
		return; /* most of all traffic */

	segment = forget_segment(segment);
	if (!segment)
		return;
	now = bpf_ktime_get_ns();
	if (!flow) {
		if (begin_flow(packet, segment, &key, sender, now))
			return;
		flow = bpf_map_lookup_elem(&flows, &key);
	}
	lock = lock_of(&key);
	if (!flow || !lock)
		return;
	bpf_spin_lock(&lock->lock);
	verdict = track(flow, segment, sender, now);
	snapshot = *flow;
	bpf_spin_unlock(&lock->lock);
	report(packet, segment, &snapshot, &verdict, now);
}

static __always_inline enum parse_result parse(const struct packet *packet,
					       const struct frame *frame,
					       struct segment *segment)
{
	segment->vlan[0] = packet->vlan;
	segment->vlan[1] = 0;
	segment->vlan_count = packet->vlan_count;
	if (packet->is_raw_ip)
		return parse_ip(frame, 0, segment);
	return parse_ethernet(frame, segment);
}

/* Parses a copy of the headers: they are not in the linear part. */
static __always_inline enum parse_result parse_copy(const struct packet *packet,
						    struct segment *segment)
{
	struct scratch *scratch = scratch_of_cpu();
	struct frame frame = { .wire_len = packet->frame.wire_len };
	__u32 len = frame.wire_len;

	if (!scratch || (packet->is_xdp && !xdp_has_load_bytes))
		return PARSE_CUT;
	if (len > HEADERS_MAX)
		len = HEADERS_MAX;
	OPAQUE(len); /* as above */
	if (!len || len > HEADERS_MAX || load_bytes(packet, 0, scratch->bytes, len))
		return PARSE_CUT;
	frame.data = scratch->bytes;
	frame.end = frame.data + len;
	return parse(packet, &frame, segment);
}

static __always_inline void watch(const struct packet *packet)
{
	const struct frame *frame = &packet->frame;
	struct segment segment;
	enum parse_result result = parse(packet, frame, &segment);

	if (result == PARSE_CUT && frame->end - frame->data < frame->wire_len)
		result = parse_copy(packet, &segment);

	switch (result) {
	case PARSED:
		track_flow(packet, &segment);
		break;
	case PARSE_FRAGMENT:
		count(COUNT_FRAGMENTS);
		break;
	case PARSE_MALFORMED:
		count(COUNT_MALFORMED);
		break;
	case PARSE_CUT:
		count(COUNT_CUT);
		break;
	case PARSE_NOT_TCP:
		break;
	}
}

/* The loader adds BPF_F_XDP_HAS_FRAGS where the kernel knows it (5.18). */
SEC("xdp")
int bannerprobe_xdp(struct xdp_md *ctx)
{
	struct packet packet = {
		.ctx = ctx,
		.is_xdp = true,
		.direction = DIRECTION_IN,
		.ifindex = ctx->ingress_ifindex,
		.frame = {
			.data = (const __u8 *)(long)ctx->data,
			.end = (const __u8 *)(long)ctx->data_end,
			.wire_len = ctx->data_end - ctx->data,
		},
	};

	if (xdp_has_load_bytes)
		packet.frame.wire_len = bpf_xdp_get_buff_len(ctx);
	watch(&packet);
	return XDP_PASS;
}

static __always_inline int watch_skb(struct __sk_buff *skb,
				     enum direction direction, bool is_raw_ip)
{
	struct packet packet = {
		.ctx = skb,
		.direction = direction,
		.is_raw_ip = is_raw_ip,
		.vlan_count = !!skb->vlan_present,
		.vlan = skb->vlan_tci & VLAN_ID_MASK,
		.ifindex = skb->ifindex,
		.frame = {
			.data = (const __u8 *)(long)skb->data,
			.end = (const __u8 *)(long)skb->data_end,
			.wire_len = skb->len,
		},
	};

	watch(&packet);
	return TC_NEXT;
}

SEC("tc")
int bannerprobe_rx(struct __sk_buff *skb)
{
	return watch_skb(skb, DIRECTION_IN, false);
}

SEC("tc")
int bannerprobe_tx(struct __sk_buff *skb)
{
	return watch_skb(skb, DIRECTION_OUT, false);
}

/* The same for devices without a link-layer header (tun, WireGuard, PPP). */
SEC("tc")
int bannerprobe_rxi(struct __sk_buff *skb)
{
	return watch_skb(skb, DIRECTION_IN, true);
}

SEC("tc")
int bannerprobe_txi(struct __sk_buff *skb)
{
	return watch_skb(skb, DIRECTION_OUT, true);
}
