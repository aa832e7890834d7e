/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The hooks: XDP for received packets, tc for either direction, all on the
 * same maps. Each makes a frame of its context, lets the core say what it
 * means, and passes the packet on, whatever that is. Nearly all packets need
 * no more than a glance (prefilter.h); the others are parsed (segment.h), looked
 * up (pending.h) and judged (tracker.h).
 *
 * Only the packet and the UAPI context are touched: no CO-RE relocation is
 * needed, so kernels without BTF of their own do too.
 */
#include "../include/own_addresses.h"
#include "../include/flow_table.h"
#include "../include/platform.h"
#include "../include/event.h"
#include "../include/segment.h"
#include "../include/tracker.h"
#include "../include/server_filter.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

_Static_assert(HEADERS_MAX <= BANNER_MAX, "load_bytes() copies either");

#define TC_NEXT -1 /* TC_ACT_UNSPEC, and TCX_NEXT: other programs go on */

/* linux/bpf.h; not in BTF by a name */
#define BPF_NOEXIST 1
#define BPF_F_NO_PREALLOC (1 << 0)
#define BPF_F_MMAPABLE (1 << 10)

/* Set by the loader before the programs are loaded. */
const volatile __u32 banner_limit = 256; /* bytes kept, 1 to BANNER_MAX */
const volatile __u32 prefilter_mask = WORDS_PER_BUCKET - 1; /* words, less one */
const volatile __u32 words_shift = 2; /* words of a bucket, as a power of two */
const volatile __u64 hash_secrets[HASH_SECRETS] = {};
const volatile bool wants_times = false;     /* of SYN and SYN-ACK */
const volatile bool wants_rtt = false;	     /* of handshakes */
const volatile bool wants_greetings = false; /* whole, up to banner_limit */
const volatile __u32 filter_by = 0; /* enum filter_by; 0 costs nothing */
const volatile __u64 filter_ports[PORT_WORDS] = {};
const volatile __u32 need = NEED_NONE; /* enum need */
const volatile bool key_has_vlan = false; /* VLANs are part of the key */
const volatile __u32 max_rate = 0; /* records a second and slot; 0: no limit */
/* Linux 5.18: bpf_xdp_load_bytes, bpf_xdp_get_buff_len. */
const volatile bool xdp_has_load_bytes = false;

/* See prefilter.h. A global array: no lookup is as quick. */
__u64 prefilter_words[PREFILTER_WORDS_MAX];

/* See pending.h. Mappable, since then it begins with a cache line. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bucket);
} buckets SEC(".maps");

/* Of each bucket; it holds their lock. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bucket_entries);
} entries SEC(".maps");

/* The undecided that their bucket had no room for. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64); /* flow_identify() */
	__type(value, struct flow);
} flows SEC(".maps");

/* Nets, and enum address_mark: of each the marks of all around it, too. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct net);
	__type(value, __u32);
} nets SEC(".maps");

/* See own.h; the loader sets them. */
__u64 own_bits[OWN_WORDS] SEC(".data.own");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20); /* bytes: some 5,500 records */
} records SEC(".maps");

/* See slot_of(): the loader gives interfaces their slots. */
struct slots slots SEC(".data.slots");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, struct counted);
} counters SEC(".maps");

/* How many records a slot has had in a second. */
struct rate {
	struct bpf_spin_lock lock;
	__u32 records;
	__u64 second;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SLOTS);
	__type(key, __u32);
	__type(value, struct rate);
} rates SEC(".maps");

/* A CPU's segment, and room to put together a record, or to copy headers. */
struct scratch {
	struct sighting sighting;
	union {
		struct event record;
		__u8 bytes[sizeof(struct event) + BANNER_MAX];
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

static __always_inline struct counted *counted_of(const struct packet *packet)
{
	__u32 slot = slot_of(&slots, packet->ifindex);

	return bpf_map_lookup_elem(&counters, &slot);
}

static __always_inline void count(const struct packet *packet,
				  enum counter counter)
{
	struct counted *counted;

	if (counter == COUNT_NOTHING)
		return;
	counted = counted_of(packet);
	if (counted)
		count_in(counted->by, counter);
}

static __always_inline struct scratch *scratch_of_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratches, &zero);
}

/*
 * Bytes of the packet, with those that are not linear. Not in frame.wire_len
 * from the start: of XDP only a helper tells, and each call costs.
 */
static __always_inline __u32 wire_len(const struct packet *packet)
{
	if (packet->is_xdp && xdp_has_load_bytes)
		return bpf_xdp_get_buff_len(packet->ctx);
	return packet->frame.wire_len;
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

/* Whether a record is one too many in this second. */
static __always_inline bool is_over_rate(const struct packet *packet,
					 __u64 now)
{
	__u32 slot = slot_of(&slots, packet->ifindex);
	struct rate *rate = bpf_map_lookup_elem(&rates, &slot);
	const __u64 second = now / 1000000000;
	bool over;

	if (!rate)
		return false;
	bpf_spin_lock(&rate->lock);
	if (rate->second < second) { /* another CPU may be a second ahead */
		rate->second = second;
		rate->records = 0;
	}
	over = rate->records >= max_rate;
	rate->records += !over;
	bpf_spin_unlock(&rate->lock);
	return over;
}

static __always_inline void report_banner(const struct packet *packet,
					  struct scratch *scratch, __u64 now)
{
	const struct sighting *sighting = &scratch->sighting;
	const struct verdict *verdict = &sighting->verdict;
	__u32 offset = sighting->segment.payload_offset + verdict->skip;
	__u32 kept;
	__u64 size;

	now = now ? now : bpf_ktime_get_ns();
	/* Of a greeting whose beginning is refused no other part is logged. */
	if (max_rate && verdict->outcome == COUNT_BANNER &&
	    is_over_rate(packet, now)) {
		count(packet, COUNT_OVER_RATE);
		return;
	}
	describe_banner(&scratch->record, &sighting->flow, &sighting->segment,
			&packet->frame, verdict, now);
	scratch->record.connection = sighting->id;
	scratch->record.ifindex = packet->ifindex;
	scratch->record.direction = packet->direction;

	kept = bytes_to_keep(wire_len(packet), offset, scratch->record.len,
			     banner_limit - verdict->offset);
	if (kept && load_bytes(packet, offset, scratch->record.banner, kept))
		kept = 0;
	scratch->record.kept = kept;
	size = sizeof(struct event) + kept;
	OPAQUE(size); /* checked and used as one value, whatever was copied */
	if (size > sizeof(struct event) + BANNER_MAX)
		return;
	if (bpf_ringbuf_output(&records, &scratch->record, size, 0))
		count(packet, lost_counter(verdict));
}

/* Whether the server of a segment that opens, or is a banner, is wanted. */
static __always_inline bool server_matches(const struct segment *segment)
{
	struct server server;
	struct net net;
	__u32 *marks;

	if (!filter_by)
		return true;
	server = server_of_segment(segment);
	if (filter_by & FILTER_BY_PORT &&
	    !port_matches(filter_ports, server.port))
		return false;
	if (!(filter_by & FILTER_BY_ADDRESS))
		return true;
	net_of_address(&net, server.address, segment->family);
	marks = bpf_map_lookup_elem(&nets, &net);
	return address_matches(filter_by, marks ? *marks : 0);
}

static __always_inline void report(const struct packet *packet,
				   struct scratch *scratch, __u64 now)
{
	struct sighting *sighting = &scratch->sighting;
	struct verdict *verdict = &sighting->verdict;
	struct counted *counted;

	if (verdict_asks_for_server(verdict) &&
	    !server_matches(&sighting->segment))
		verdict_filter(verdict);
	if (verdict_is_counted(verdict)) {
		counted = counted_of(packet);
		if (counted)
			count_verdict(counted->by, verdict);
	}
	if (verdict_is_logged(verdict))
		report_banner(packet, scratch, now);
}

static __always_inline struct prefilter prefilter_of_maps(void)
{
	return (struct prefilter){ prefilter_words, hash_secrets, prefilter_mask };
}

/* False where there is none, which cannot be: the verifier asks for it. */
static __always_inline bool find_place(__u64 hash, struct table_place *place)
{
	__u32 index, first;

	place->prefilter = prefilter_of_maps();
	first = prefilter_index(&place->prefilter, hash);
	index = first >> words_shift;
	place->first_word = index << words_shift;
	place->word_mask = (1U << words_shift) - 1;
	place->bucket = bpf_map_lookup_elem(&buckets, &index);
	place->entries = bpf_map_lookup_elem(&entries, &index);
	return place->bucket && place->entries;
}

/*
 * Spills a connection. It has a place in the LRU map before it is gone from
 * its bucket, and both change under the lock.
 */
static __always_inline void spill(const struct table_place *place, int way,
				  __u64 id)
{
	struct flow *entry = bpf_map_lookup_elem(&flows, &id), none = {};

	if (!entry) { /* asked first: an update may evict, whatever it does */
		bpf_map_update_elem(&flows, &id, &none, BPF_NOEXIST);
		entry = bpf_map_lookup_elem(&flows, &id);
	}
	if (!entry)
		return;
	bpf_spin_lock(&place->bucket->lock);
	table_spill(place, way, id, entry);
	bpf_spin_unlock(&place->bucket->lock);
}

/*
 * Makes room for a connection that may begin, or stand beside another. What is
 * read unlocked here is asked again under the lock.
 */
static __always_inline void make_room(const struct table_place *place,
				      const struct sighting *sighting)
{
	int way;

	if (!table_is_crowded(place->bucket) ||
	    (sighting->segment.flags & TCP_ACK &&
	     table_find(place, sighting->hash, sighting->id) >= 0))
		return;
	way = table_victim(place->bucket, VICTIM_COMPLETE, 0) &
	      (BUCKET_WAYS - 1);
	spill(place, way, place->entries->ways[way].id);
}

enum search {
	FOUND,	 /* or begins here; the bucket is locked */
	NOWHERE, /* nothing waits for the segment */
	MOVED,	 /* perhaps, meanwhile: to be looked for again */
};

/*
 * Looks for a sighting's connection, outside its bucket, too, if need be.
 * `again`: the second time, when it cannot have moved since the first.
 */
static __always_inline enum search
search_once(const struct table_place *place, struct sighting *sighting,
	    struct flow **known, bool again)
{
	struct bucket *bucket = place->bucket;
	__u8 spills = *(volatile __u8 *)&bucket->spills;
	const __u16 mark = table_mark(place, sighting->hash);
	bool elsewhere = again || spilled_with(bucket, mark);
	bool is_here = false, unmoved;

	*known = NULL;
	if (elsewhere && !again)
		is_here = table_find(place, sighting->hash, sighting->id) >= 0;
	if (elsewhere && !is_here)
		*known = bpf_map_lookup_elem(&flows, &sighting->id);
	bpf_spin_lock(&bucket->lock);
	sighting->way = table_find(place, sighting->hash, sighting->id);
	unmoved = again || (!is_here && bucket->spills == spills);
	/* Read back, where the ways to it are all alike to the verifier. */
	if (*(volatile int *)&sighting->way >= 0 || *known ||
	    (unmoved && segment_opens(&sighting->segment)))
		return FOUND;
	bpf_spin_unlock(&bucket->lock);
	return unmoved ? NOWHERE : MOVED;
}

/*
 * Finds what is known of a sighting's connection outside its bucket (*known),
 * and locks the bucket. False, unlocked: nobody waits for the segment.
 *
 * A connection may be spilled after it was looked for in the LRU map and
 * before the lock is taken: then it would be found nowhere and begin again,
 * so it is looked for once more. By then it is in the LRU map, and does not
 * come back: twice is enough, however long this CPU was held up.
 */
static __always_inline bool find_and_lock(const struct table_place *place,
					  struct sighting *sighting,
					  struct flow **known)
{
	enum search result;

	if (segment_opens(&sighting->segment))
		make_room(place, sighting);
	result = search_once(place, sighting, known, false);
	if (result == MOVED)
		result = search_once(place, sighting, known, true);
	return result == FOUND;
}

/*
 * 1: nothing has changed, and the destination has to be looked up first.
 * Two CPUs that work on one connection take the same lock, so it is decided
 * once. (An entry of the LRU map may be evicted and become another's while it
 * is changed here: then the other's numbers are lost, and no banner comes of
 * numbers that do not fit.)
 */
static __always_inline int track_sighting(const struct packet *packet)
{
	struct scratch *scratch = scratch_of_cpu();
	struct sighting *sighting;
	struct table_place place;
	struct flow *known = NULL;
	const struct track_options options = {
		.times = wants_times,
		.rtt = wants_rtt,
		.gather = wants_greetings ? banner_limit : 0,
		.need = need,
	};
	__u64 now;

	if (!scratch)
		return 0;
	sighting = &scratch->sighting;
	now = segment_needs_time(&sighting->segment, &options) ?
		      bpf_ktime_get_ns() :
		      0;
	if (!find_place(sighting->hash, &place) ||
	    !find_and_lock(&place, sighting, &known))
		return 0;
	table_track(&place, known, sighting, now, &options);
	bpf_spin_unlock(&place.bucket->lock);
	if (sighting->verdict.asks)
		return 1;
	report(packet, scratch, now);
	return 0;
}

static __always_inline struct packet packet_of_xdp(struct xdp_md *ctx)
{
	return (struct packet){
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

/*
 * Whether a segment would begin a connection to a server that is not wanted.
 * Within one that is waited for it may tell that there is no server: that is
 * for the tracker.
 */
static __always_inline bool
segment_is_filtered(const struct segment *segment, __u64 hash,
		       const struct prefilter *prefilter)
{
	return filter_by && segment_opens(segment) &&
	       !prefilter_may_have(prefilter, hash) && !server_matches(segment);
}

/*
 * Whether to track what the parser made of the packet: then this CPU's sighting
 * is complete but for what comes of it.
 */
static __always_inline bool see(const struct packet *packet,
				enum parse_result result,
				struct sighting *sighting)
{
	const struct segment *segment = &sighting->segment;
	const struct prefilter prefilter = prefilter_of_maps();

	count(packet, parse_counter(result));
	if (result != PARSED)
		return false;
	sighting->hash = connection_hash(segment, key_has_vlan, hash_secrets);
	if (!segment_may_matter(segment, sighting->hash, &prefilter))
		return false;
	if (segment_is_filtered(segment, sighting->hash, &prefilter)) {
		count(packet, COUNT_PASSED_OVER);
		return false;
	}
	sighting->id = connection_id(segment, key_has_vlan, hash_secrets,
				     &sighting->sender);
	sighting->to_own = OWN_UNKNOWN;
	return sighting->sender >= 0;
}

/* --- own addresses ------------------------------------------------------- */

static __always_inline bool is_own(const __u32 address[4], __u8 family)
{
	const __u32 *marks;
	struct net net;

	if (!own_may_be(own_bits, address, hash_secrets))
		return false;
	net_of_address(&net, address, family);
	marks = bpf_map_lookup_elem(&nets, &net);
	return marks && *marks & MARK_LOCAL;
}

/*
 * Whether this host is said to have sent a segment that comes in: it is a copy
 * of one that left, or forged.
 */
static __always_inline bool is_not_seen_leaving(const struct packet *packet,
						const struct segment *segment)
{
	if (need == NEED_NONE || packet->direction != DIRECTION_IN ||
	    !is_own(segment->source, segment->family))
		return false;
	count(packet, COUNT_NOT_SEEN_LEAVING);
	return true;
}

/* Looks up the destination of this CPU's segment. */
__noinline int look_up_destination(void)
{
	struct scratch *scratch = scratch_of_cpu();
	struct sighting *sighting;

	if (!scratch)
		return 0;
	sighting = &scratch->sighting;
	sighting->to_own = is_own(sighting->segment.destination,
				  sighting->segment.family) ?
				   OWN_YES :
				   OWN_NO;
	return 0;
}

/*
 * Whether a segment is a SYN-ACK that no connection here waits for: most likely
 * its destination will have to be looked up.
 */
static __always_inline bool is_unexpected_synack(const struct sighting *sighting)
{
	const struct prefilter prefilter = prefilter_of_maps();

	return need != NEED_NONE && sighting->segment.flags & TCP_SYN &&
	       sighting->segment.flags & TCP_ACK &&
	       !prefilter_may_have(&prefilter, sighting->hash);
}

static __always_inline enum parse_result parse(const struct packet *packet,
					       const struct frame *frame,
					       struct segment *segment)
{
	segment_reset(segment);
	segment->vlan[0] = packet->vlan;
	segment->vlan_count = packet->vlan_count;
	if (packet->is_raw_ip)
		return parse_ip(frame, 0, segment);
	return parse_ethernet(frame, segment);
}

/* Parses a copy of the headers: they are not in the linear part. */
static __always_inline int watch_copy(const struct packet *packet)
{
	struct scratch *scratch = scratch_of_cpu();
	struct frame frame = { .wire_len = wire_len(packet) };
	enum parse_result result = PARSE_CUT;
	__u32 len = frame.wire_len;

	if (!scratch)
		return 0;
	if (len > HEADERS_MAX)
		len = HEADERS_MAX;
	OPAQUE(len); /* the verifier needs the check that follows */
	/* Before multi-buffer XDP nothing else is at hand, either. */
	if (len && len <= HEADERS_MAX &&
	    (!packet->is_xdp || xdp_has_load_bytes) &&
	    !load_bytes(packet, 0, scratch->bytes, len)) {
		frame.data = scratch->bytes;
		frame.end = frame.data + len;
		result = parse(packet, &frame, &scratch->sighting.segment);
	}
	return see(packet, result, &scratch->sighting);
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

/*
 * Whether the linear part is all that there is, or enough. Of XDP its length
 * was taken for the packet's: what contradicts that may lie in more buffers.
 */
static __always_inline bool linear_part_tells(const struct packet *packet,
					      enum parse_result result,
					      const struct segment *segment)
{
	const struct frame *frame = &packet->frame;
	bool is_doubtful = result == PARSE_CUT;

	if (packet->is_xdp)
		is_doubtful |= result == PARSE_MALFORMED ||
			       (result == PARSED && segment->to_end);
	return !is_doubtful || frame->end - frame->data >= wire_len(packet);
}

/* 1: this CPU's sighting is complete, and has to be tracked. */
static __always_inline int watch(const struct packet *packet)
{
	struct scratch *scratch = scratch_of_cpu();
	enum parse_result result;
	bool track;

	if (!scratch)
		return 0;
	result = parse(packet, &packet->frame, &scratch->sighting.segment);
	if (linear_part_tells(packet, result, &scratch->sighting.segment))
		track = see(packet, result, &scratch->sighting);
	else if (packet->is_xdp)
		track = watch_copy_of_xdp(packet->ctx);
	else
		track = watch_copy_of_skb(packet->ctx, packet->is_raw_ip);
	if (!track || is_not_seen_leaving(packet, &scratch->sighting.segment))
		return 0;
	if (is_unexpected_synack(&scratch->sighting))
		look_up_destination();
	return 1;
}

__noinline int watch_xdp(struct xdp_md *ctx)
{
	struct packet packet = packet_of_xdp(ctx);

	return watch(&packet);
}

__noinline int watch_skb(struct __sk_buff *skb, int direction, int is_raw_ip)
{
	struct packet packet = packet_of_skb(skb, direction, is_raw_ip);

	return watch(&packet);
}

/*
 * Whether a packet has to be parsed. The tags of a bucket tell false positives
 * of the prefilter, and cost a cache line more.
 */
static __always_inline bool has_to_be_watched(enum glance glance, __u64 hash)
{
	const struct bucket *bucket;
	__u32 index;

	if (glance != GLANCE_BIT)
		return glance;
	index = ((__u32)(hash >> 32) & prefilter_mask) >> words_shift;
	bucket = bpf_map_lookup_elem(&buckets, &index);
	return bucket &&
	       bucket_may_have(bucket, tag_of(hash, (1U << words_shift) - 1));
}

/* The loader adds BPF_F_XDP_HAS_FRAGS where the kernel knows it (5.18). */
SEC("xdp")
int bannerprobe_xdp(struct xdp_md *ctx)
{
	/* What is not in the linear part is looked for by watch_xdp(). */
	const struct frame frame = {
		.data = (const __u8 *)(long)ctx->data,
		.end = (const __u8 *)(long)ctx->data_end,
		.wire_len = ctx->data_end - ctx->data,
	};
	const struct prefilter prefilter = prefilter_of_maps();
	__u64 hash = 0;

	if (has_to_be_watched(prefilter_ethernet(&frame, &prefilter, &hash),
			      hash) &&
	    watch_xdp(ctx) && track_xdp(ctx)) {
		look_up_destination();
		track_xdp(ctx);
	}
	return XDP_PASS;
}

static __always_inline int prefilter_skb(struct __sk_buff *skb,
				      enum direction direction, bool is_raw_ip)
{
	const struct frame frame = {
		.data = (const __u8 *)(long)skb->data,
		.end = (const __u8 *)(long)skb->data_end,
		.wire_len = skb->len,
	};
	const struct prefilter prefilter = prefilter_of_maps();
	__u64 hash = 0;
	enum glance glance = GLANCE_LOOK;

	if (!key_has_vlan || !skb->vlan_present)
		glance = is_raw_ip ?
				 prefilter_ip(&frame, 0, &prefilter, &hash) :
				 prefilter_ethernet(&frame, &prefilter, &hash);
	if (has_to_be_watched(glance, hash)) {
		if (watch_skb(skb, direction, is_raw_ip) &&
		    track_skb(skb, direction)) {
			look_up_destination();
			track_skb(skb, direction);
		}
	}
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
