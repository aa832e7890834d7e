/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The hooks: XDP for received packets, tc for either direction, all on the
 * same maps. Each makes a frame of its context, lets the core (segment.h,
 * tracker.h) say what it means, and passes the packet on, whatever that is.
 *
 * Only the packet and the UAPI context are touched: no CO-RE relocation is
 * needed, so kernels without BTF of their own do too.
 */
#include "../include/pending.h"
#include "../include/platform.h"
#include "../include/record.h"
#include "../include/segment.h"
#include "../include/tracker.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

_Static_assert(HEADERS_MAX <= BANNER_MAX, "load_bytes() copies either");

#define TC_NEXT -1 /* TC_ACT_UNSPEC, and TCX_NEXT: other programs go on */

#define BPF_NOEXIST 1 /* linux/bpf.h; not in BTF by a name */

/* Set by the loader before the programs are loaded. */
const volatile __u32 banner_limit = 256; /* bytes kept, 1 to BANNER_MAX */
const volatile __u32 bucket_count = 1; /* a power of two: entries of pending */
const volatile __u64 hash_secrets[HASH_SECRETS] = {};
/* Linux 5.18: bpf_xdp_load_bytes, bpf_xdp_get_buff_len. */
const volatile bool xdp_has_load_bytes = false;

/* The undecided: see pending.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pending_bucket);
} pending SEC(".maps");

/* The decided, and the undecided that pending had no room for. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64); /* flow_identify() */
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

/* Where a record is put together, or headers that are not at hand. */
struct scratch {
	struct sighting sighting;
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
	bool is_raw_ip;	 /* no Ethernet header */
	__u8 direction;	 /* enum direction */
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
		/* In words, then bytes: Linux 5.10 follows no more than 8192
		 * jumps. */
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

static __always_inline void report_banner(const struct packet *packet,
					  struct scratch *scratch, __u64 now)
{
	const struct sighting *sighting = &scratch->sighting;
	__u32 skip = sighting->verdict.skip;
	__u32 offset = sighting->segment.payload_offset + skip;
	__u32 kept;

	describe_banner(&scratch->record, &sighting->flow, &sighting->segment,
			skip, now);
	scratch->record.ifindex = packet->ifindex;
	scratch->record.direction = packet->direction;

	kept = bytes_to_keep(packet, offset, scratch->record.len);
	OPAQUE(kept); /* or the compiler drops a check that the verifier needs
		       */
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
				   struct scratch *scratch, __u64 now)
{
	const struct verdict *verdict = &scratch->sighting.verdict;

	count(verdict->began);
	count(verdict->ended);
	count(verdict->outcome);
	count(verdict->ignored);
	if (verdict->outcome == COUNT_BANNER)
		report_banner(packet, scratch, now);
}

static __always_inline struct pending_bucket *bucket_of(__u64 id)
{
	__u32 index = pending_index(id, bucket_count);

	return bpf_map_lookup_elem(&pending, &index);
}

/*
 * Whether a segment may change anything. If so it is noted as this CPU's
 * sighting. Nearly all traffic ends here.
 */
static __always_inline bool is_interesting(const struct segment *segment)
{
	int sender;
	__u64 id = flow_identify(segment, hash_secrets, &sender);
	struct pending_bucket *bucket = bucket_of(id);
	struct scratch *scratch;

	if (!bucket || sender < 0)
		return false;
	if (!(segment->flags & (TCP_SYN | TCP_FIN | TCP_RST)) &&
	    !pending_has_tag(bucket, id) && !bucket->spill_time)
		return false;
	scratch = scratch_of_cpu();
	if (!scratch)
		return false;
	scratch->sighting.segment = *segment;
	scratch->sighting.id = id;
	scratch->sighting.sender = sender;
	return true;
}

/*
 * Moves a connection from its bucket to the LRU map. It has a place there
 * before it is gone here, and both change under the lock.
 */
static __always_inline void depart(struct pending_bucket *bucket, __u64 id,
				   __u64 now)
{
	struct flow *entry = bpf_map_lookup_elem(&flows, &id), none = {};

	if (!entry) {
		bpf_map_update_elem(&flows, &id, &none, BPF_NOEXIST);
		entry = bpf_map_lookup_elem(&flows, &id);
	}
	if (!entry)
		return;
	bpf_spin_lock(&bucket->lock);
	pending_depart(bucket, id, entry, now);
	bpf_spin_unlock(&bucket->lock);
}

/*
 * Makes room for a connection that begins, where only one whose handshake is
 * complete could give way.
 */
static __always_inline void make_room(struct pending_bucket *bucket, __u64 now)
{
	int way = pending_victim(bucket) & (PENDING_WAYS - 1);
	const struct pending_way *victim = &bucket->ways[way];

	/* Read unlocked: whether it is still so is asked again. */
	if (pending_must_spill(victim))
		depart(bucket, victim->id, now);
}

enum search {
	FOUND,	 /* or begins here; the bucket is locked */
	NOWHERE, /* nobody waits for the segment */
	MOVED,	 /* perhaps, meanwhile: to be looked for again */
};

/* Looks for a sighting's connection, outside its bucket unless `is_here`. */
static __always_inline enum search search_once(struct pending_bucket *bucket,
					       const struct sighting *sighting,
					       struct flow **known,
					       bool is_here, __u64 now)
{
	__u32 departures = *(volatile __u32 *)&bucket->departures;
	bool unmoved;

	*known = NULL;
	if (!is_here)
		*known = bpf_map_lookup_elem(&flows, &sighting->id);
	bpf_spin_lock(&bucket->lock);
	unmoved = !is_here && bucket->departures == departures;
	if (pending_find(bucket, sighting->id) >= 0 ||
	    (unmoved && (*known || segment_opens(&sighting->segment))))
		return FOUND;
	pending_give_up(bucket, now);
	bpf_spin_unlock(&bucket->lock);
	return unmoved ? NOWHERE : MOVED;
}

/*
 * Finds what is known of a sighting's connection outside its bucket (*known),
 * and locks the bucket. False, unlocked: nobody waits for the segment.
 *
 * The tag may be another's, and a connection may leave the bucket after it
 * was looked for elsewhere and before the lock is taken: then it would be
 * found nowhere and begin again, so it is looked for once more. (No loop:
 * before Linux 6.3 the verifier refuses one that is entered by falling
 * through.)
 */
static __always_inline bool find_and_lock(struct pending_bucket *bucket,
					  const struct sighting *sighting,
					  struct flow **known, __u64 now)
{
	const struct segment *segment = &sighting->segment;
	bool is_here = pending_has_tag(bucket, sighting->id);
	enum search result;

	if (!is_here && !(segment->flags & (TCP_SYN | TCP_FIN | TCP_RST)) &&
	    !bucket->spill_time)
		return false;
	if (!is_here && segment_opens(segment))
		make_room(bucket, now);
	result = search_once(bucket, sighting, known, is_here, now);
	if (result == MOVED)
		result = search_once(bucket, sighting, known, false, now);
	if (result == MOVED)
		result = search_once(bucket, sighting, known, false, now);
	return result == FOUND;
}

/*
 * Two CPUs that work on one connection take the same lock, so it is decided
 * once. (An entry of the LRU map may be evicted and become another's while it
 * is changed here: then the other's numbers are lost, and no banner comes of
 * numbers that do not fit.)
 */
static __always_inline int track_sighting(const struct packet *packet)
{
	const __u64 now = bpf_ktime_get_ns();
	struct scratch *scratch = scratch_of_cpu();
	struct pending_bucket *bucket;
	struct sighting *sighting;
	struct flow *known = NULL;

	if (!scratch)
		return 0;
	sighting = &scratch->sighting;
	bucket = bucket_of(sighting->id);
	if (!bucket || !find_and_lock(bucket, sighting, &known, now))
		return 0;
	pending_track(bucket, known, sighting, now);
	bpf_spin_unlock(&bucket->lock);
	if (pending_must_retire(sighting, known))
		depart(bucket, sighting->id, now);
	report(packet, scratch, now);
	return 0;
}

static __always_inline struct packet packet_of_xdp(struct xdp_md *ctx)
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
	return packet;
}

static __always_inline struct packet
packet_of_skb(struct __sk_buff *skb, enum direction direction, bool is_raw_ip)
{
	return (struct packet){
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
}

/*
 * Global functions: the verifier checks each once by itself, instead of after
 * every way through the parser that leads to it.
 */
__noinline int track_xdp(struct xdp_md *ctx)
{
	struct packet packet = packet_of_xdp(ctx);

	return track_sighting(&packet);
}

__noinline int track_skb(struct __sk_buff *skb, int direction)
{
	struct packet packet = packet_of_skb(skb, direction, false);

	return track_sighting(&packet);
}

/* Whether to track what the parser made of the packet. */
static __always_inline bool see(enum parse_result result,
				const struct segment *segment)
{
	switch (result) {
	case PARSED:
		return is_interesting(segment);
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
	return false;
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
static __always_inline int watch_copy(const struct packet *packet)
{
	struct scratch *scratch = scratch_of_cpu();
	struct frame frame = { .wire_len = packet->frame.wire_len };
	enum parse_result result = PARSE_CUT;
	__u32 len = frame.wire_len;

	if (!scratch)
		return 0;
	if (len > HEADERS_MAX)
		len = HEADERS_MAX;
	OPAQUE(len); /* or the compiler drops a check that the verifier needs */
	/* Before multi-buffer XDP nothing else is at hand, either. */
	if (len && len <= HEADERS_MAX &&
	    (!packet->is_xdp || xdp_has_load_bytes) &&
	    !load_bytes(packet, 0, scratch->bytes, len)) {
		frame.data = scratch->bytes;
		frame.end = frame.data + len;
		result = parse(packet, &frame, &scratch->sighting.segment);
	}
	return see(result, &scratch->sighting.segment);
}

__noinline int watch_copy_of_xdp(struct xdp_md *ctx)
{
	struct packet packet = packet_of_xdp(ctx);

	return watch_copy(&packet);
}

__noinline int watch_copy_of_skb(struct __sk_buff *skb, int is_raw_ip)
{
	struct packet packet = packet_of_skb(skb, DIRECTION_NONE, is_raw_ip);

	return watch_copy(&packet);
}

static __always_inline void watch(const struct packet *packet)
{
	const struct frame *frame = &packet->frame;
	struct segment segment;
	enum parse_result result = parse(packet, frame, &segment);
	bool track;

	if (result != PARSE_CUT || frame->end - frame->data >= frame->wire_len)
		track = see(result, &segment);
	else if (packet->is_xdp)
		track = watch_copy_of_xdp(packet->ctx);
	else
		track = watch_copy_of_skb(packet->ctx, packet->is_raw_ip);
	if (!track)
		return;
	if (packet->is_xdp)
		track_xdp(packet->ctx);
	else
		track_skb(packet->ctx, packet->direction);
}

/* The loader adds BPF_F_XDP_HAS_FRAGS where the kernel knows it (5.18). */
SEC("xdp")
int bannerprobe_xdp(struct xdp_md *ctx)
{
	struct packet packet = packet_of_xdp(ctx);

	watch(&packet);
	return XDP_PASS;
}

static __always_inline int watch_skb(struct __sk_buff *skb,
				     enum direction direction, bool is_raw_ip)
{
	struct packet packet = packet_of_skb(skb, direction, is_raw_ip);

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
