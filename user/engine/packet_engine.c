/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "packet_engine.h"

#include "engine.h"
#include "overflow.h"
#include "server_list.h"
#include "system/cache_line.h"

#define HUGE_PAGE (1UL << 21)
#define KEPT_SIZE (sizeof(struct event) + SYN_DATA_ROOM_MAX)

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

void hash_randomize(__u64 secrets[HASH_SECRETS])
{
	const ssize_t size = HASH_SECRETS * sizeof(*secrets);

	if (getrandom(secrets, (size_t)size, 0) != size)
		abort(); /* cannot happen after boot, for so few bytes */
	for (int i = 0; i < HASH_SECRETS; i++)
		secrets[i] |= 1;
}

/*
 * Zeroed memory that begins at a cache line, so that each way of a bucket is
 * one. A large table consists of huge pages where the kernel has some: most of
 * its lines are reached without a walk through page tables. NULL: out of
 * memory.
 */
static void *lines_new(size_t count, size_t size)
{
	const bool is_large = count * size >= HUGE_PAGE;
	const size_t unit = is_large ? HUGE_PAGE : CACHE_LINE;
	/* aligned_alloc() takes whole units; buckets are not a power of two. */
	void *lines =
		aligned_alloc(unit, (count * size + unit - 1) & ~(unit - 1));

	if (lines && is_large)
		madvise(lines, count * size, MADV_HUGEPAGE);
	return lines ? memset(lines, 0, count * size) : NULL;
}

bool engine_open(struct engine *engine, __u32 max_flows, __u32 length,
		 void (*log)(const struct event *event, void *context),
		 void *context)
{
	const __u32 buckets = table_buckets(max_flows);
	const __u32 words = table_words(buckets);

	*engine = (struct engine){
		.buckets = lines_new(buckets, sizeof(struct bucket)),
		.bucket_count = buckets,
		.words_per_bucket = words / buckets,
		.bucket_shift = (__u32)__builtin_ctz(words / buckets),
		.prefilter = { .words = calloc(words, sizeof(__u64)),
			       .secrets = engine->hash_secrets,
			       .mask = words - 1 },
		.overflow = overflow_new(table_overflow(max_flows)),
		.event = calloc(1, sizeof(struct event) + EVENT_ROOM),
		.syn_data = malloc(SYN_DATA_ROOM * KEPT_SIZE),
		.settings.limit = length,
		.log = log,
		.context = context,
	};
	hash_randomize(engine->hash_secrets);
	return engine->buckets && engine->prefilter.words && engine->overflow &&
	       engine->event && engine->syn_data;
}

void engine_close(struct engine *engine)
{
	overflow_free(engine->overflow);
	free(engine->prefilter.words);
	free(engine->buckets);
	free(engine->syn_data);
	free(engine->event);
}

/* --- the engine's backend in user space ----------------------------------- */

/* A packet in memory, and the engine that tracks it. */
struct backend {
	struct engine *engine;
	const struct frame *frame;
	__u64 hash;
	__u64 now;
};

static __always_inline const struct engine_settings *
backend_settings(const struct backend *backend)
{
	return &backend->engine->settings;
}

static __always_inline const volatile __u64 *
backend_secrets(const struct backend *backend)
{
	return backend->engine->hash_secrets;
}

static __always_inline const volatile __u64 *
backend_filter_ports(const struct backend *backend)
{
	return backend->engine->servers->ports;
}

static __always_inline struct prefilter
backend_prefilter(const struct backend *backend)
{
	return backend->engine->prefilter;
}

static __always_inline __u64 backend_hash(const struct backend *backend,
					  const struct segment *segment,
					  struct connection_key key,
					  const volatile __u64 *secrets)
{
	(void)segment;
	(void)key;
	(void)secrets;
	return backend->hash;
}

static __always_inline __u8 backend_direction(const struct backend *backend)
{
	return (__u8)backend->engine->direction;
}

static __always_inline bool backend_find_place(const struct backend *backend,
					       __u64 hash,
					       struct table_place *place)
{
	struct engine *engine = backend->engine;
	const __u32 words = engine->words_per_bucket;
	const __u32 index = engine_bucket_of(engine, hash);

	*place = (struct table_place){ .bucket = &engine->buckets[index],
				       .prefilter = engine->prefilter,
				       .first_word = index * words,
				       .word_mask = words - 1,
				       .tag = tag_of(hash, words - 1) };
	return true;
}

/* No lock is needed: one thread uses the table. */
static __always_inline void backend_lock(struct bucket *bucket)
{
	(void)bucket;
}

static __always_inline void backend_unlock(struct bucket *bucket)
{
	(void)bucket;
}

static __always_inline struct flow *
backend_overflow_find(const struct backend *backend, __u64 id)
{
	return overflow_find(backend->engine->overflow, id);
}

static __always_inline struct flow *
backend_overflow_add(const struct backend *backend, __u64 id)
{
	struct overflow *overflow = backend->engine->overflow;
	const struct flow none = {};

	if (!overflow_find(overflow, id))
		overflow_put(overflow, id, &none);
	return overflow_find(overflow, id);
}

static __always_inline __u32 backend_sets(const struct backend *backend,
					  const struct net *net)
{
	return nets_around(&backend->engine->servers->nets, net);
}

static __always_inline bool backend_is_own(const struct backend *backend,
					   const __u32 address[4], __u8 family)
{
	return backend->engine->is_own &&
	       backend->engine->is_own(address, family);
}

static __always_inline __u64 *backend_counters(const struct backend *backend)
{
	return backend->engine->counters;
}

static __always_inline __u64 backend_now(const struct backend *backend)
{
	return backend->now;
}

static __always_inline __u32 backend_len(const struct backend *backend)
{
	return (__u32)(backend->frame->end - backend->frame->data);
}

static __always_inline bool backend_read(const struct backend *backend,
					 __u32 offset, void *to, __u32 len)
{
	if ((__u64)offset + len > backend_len(backend))
		return false;
	memcpy(to, backend->frame->data + offset, len);
	return true;
}

/* A capture has no rate limit. */
static __always_inline bool backend_is_over_rate(const struct backend *backend,
						 __u64 now)
{
	(void)backend;
	(void)now;
	return false;
}

static __always_inline const struct frame *
backend_frame(const struct backend *backend)
{
	return backend->frame;
}

/* No socket of this host sent a packet of a capture. */
static __always_inline void
backend_describe_socket(const struct backend *backend, struct event *event)
{
	(void)backend;
	event->socket = (struct event_socket){};
}

static __always_inline void backend_note_place(const struct backend *backend,
					       struct event *event)
{
	const struct engine *engine = backend->engine;

	if (engine->note_place)
		engine->note_place(event, engine->context);
}

static __always_inline bool backend_emit(const struct backend *backend,
					 struct event *event, __u32 room)
{
	(void)room;
	backend->engine->log(event, backend->engine->context);
	return true;
}

static __always_inline void backend_count_fates(const struct backend *backend,
						const struct verdict *verdict)
{
	count_fates(&backend->engine->event_counts, verdict->fates);
	count_fates(&backend->engine->event_counts, verdict->ended_fates);
}

static struct event *kept_at(const struct engine *engine, unsigned int place)
{
	return (struct event *)(engine->syn_data + place * KEPT_SIZE);
}

static __always_inline struct event *
backend_kept_data(const struct backend *backend, __u64 key)
{
	const struct engine *engine = backend->engine;

	for (unsigned int i = 0; i < engine->syn_data_used; i++)
		if (engine->syn_keys[i] == key)
			return kept_at(engine, i);
	return NULL;
}

/* Keeps the data in place of what has the same key, else of the oldest. */
static __always_inline void backend_keep_data(const struct backend *backend,
					      const struct event *event)
{
	struct engine *engine = backend->engine;
	struct event *to = backend_kept_data(backend, event->synack_time);
	unsigned int place;

	if (!to) {
		place = engine->syn_data_next++ % SYN_DATA_ROOM;
		if (engine->syn_data_used <= place)
			engine->syn_data_used = place + 1;
		engine->syn_keys[place] = event->synack_time;
		to = kept_at(engine, place);
	}
	memcpy(to, event, event_size(event));
}

/* --- packets -------------------------------------------------------------- */

/* Copies a segment with the tunnels in use: mostly none. */
static void copy_segment(struct segment *to, const struct segment *from)
{
	memcpy(to, from, offsetof(struct segment, tunnels));
	for (int i = 0; i < from->tunnel_count; i++)
		to->tunnels[i] = from->tunnels[i];
}

/*
 * Whether a segment is nothing but a part of an event, and nobody wants the
 * part: then it need not be made up.
 */
static bool is_unwanted_part(const struct engine *engine,
			     const struct segment_context *context)
{
	const struct verdict *verdict = &context->verdict;
	struct event *event = engine->event;

	if (!engine->wants_part || verdict->part <= PART_FIRST ||
	    verdict->outcome || verdict->logs || verdict->ends_other ||
	    verdict->keeps_data || verdict->syn_len || verdict->fates ||
	    verdict->ended_fates)
		return false;
	event->connection = context->id;
	event->synack_time = context->tracked->synack_time;
	event->kind = event_of(verdict->sender, true);
	return !engine->wants_part(event, engine->context);
}

/* Whether the bytes of an event that is to be made are at hand. */
static bool has_bytes(const struct engine *engine)
{
	return !engine->has_bytes || engine->has_bytes(engine->context);
}

/* Counts a segment without such bytes: the capture ends before it. */
static void count_cut_off(const struct backend *backend,
			  struct verdict *verdict)
{
	if (verdict->outcome == COUNT_BANNER)
		verdict->outcome = COUNT_CUT_OFF;
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		if (verdict->logs & EVENT_BIT(kind))
			verdict->fates ^= fate_of(kind, FATE_LOGGED) ^
					  fate_of(kind, FATE_CUT_OFF);
	}
	engine_count_verdict(backend, verdict);
	if (verdict->fates | verdict->ended_fates)
		backend_count_fates(backend, verdict);
}

void engine_packet(struct engine *engine, enum parse_result parsed,
		   const struct frame *frame, const struct segment *segment,
		   __u64 hash, __u64 now)
{
	const struct backend backend = { engine, frame, hash, now };
	struct segment_context context;
	enum tracked tracked;

	context.tracked = &context.flow;
	engine->settings.filter_by = engine->servers ? engine->servers->by : 0;
	if (parsed == PARSED)
		copy_segment(&context.segment, segment);
	if (!engine_see(&backend, parsed, &context) ||
	    engine_is_not_seen_leaving(&backend, &context.segment))
		return;
	if (engine_may_negotiate(&backend, &context.segment))
		engine_note_negotiation(&backend, &context.segment,
					engine->event->bytes);
	tracked = engine_track(&backend, &context);
	if (tracked == LOOK_UP_OWN) {
		engine_look_up_destination(&backend, &context);
		tracked = engine_track(&backend, &context);
	}
	if (tracked != REPORT)
		return;
	if (is_unwanted_part(engine, &context)) {
		engine_count_verdict(&backend, &context.verdict);
	} else if (!has_bytes(engine)) {
		count_cut_off(&backend, &context.verdict);
	} else {
		if (context.tracked != &context.flow)
			context.flow = *context.tracked;
		engine_report(&backend, &context, engine->event);
	}
}

static void each_flow(const struct engine *engine,
		      void (*each)(const struct flow *flow, void *context),
		      void *context)
{
	for (__u32 i = 0; i < engine->bucket_count; i++) {
		for (int way = 0; way < BUCKET_WAYS; way++) {
			if (entry_is_flow(&engine->buckets[i].ways[way]))
				each(&engine->buckets[i].ways[way].flow,
				     context);
		}
	}
	overflow_each(engine->overflow, each, context);
}

static void count_open(const struct flow *flow, void *context)
{
	*(__u64 *)context += flow_is_pending(flow);
}

struct open_events {
	struct event_counts *counts;
	const struct track_options *options;
};

static void count_open_events(const struct flow *flow, void *context)
{
	const struct open_events *open = context;

	event_counts_add_open(open->counts, flow, open->options);
}

void engine_read_counters(const struct engine *engine,
			  __u64 counters[COUNTER_MAX])
{
	memcpy(counters, engine->counters, COUNTER_MAX * sizeof(*counters));
	each_flow(engine, count_open, &counters[COUNT_OPEN]);
	count_evicted(counters);
}

void engine_read_events(const struct engine *engine,
			struct event_counts *counts)
{
	struct open_events open = { counts, &engine->settings.track };

	*counts = engine->event_counts;
	each_flow(engine, count_open_events, &open);
	count_evicted_events(counts, engine->counters[COUNT_CONNECTIONS],
			     engine->settings.track.events);
}

static void count_unfinished(const struct flow *flow, void *context)
{
	struct engine *engine = context;
	const struct track_options *options = &engine->settings.track;

	if (flow_is_pending(flow))
		count_in(engine->counters, cut_outcome(flow));
	if (wants_more_events(options))
		count_fates(&engine->event_counts,
			    unfinished_fates(flow, options, FATE_CUT_OFF));
}

void engine_finish(struct engine *engine)
{
	each_flow(engine, count_unfinished, engine);
	memset(engine->buckets, 0,
	       engine->bucket_count * sizeof(*engine->buckets));
	memset(engine->prefilter.words, 0,
	       (engine->prefilter.mask + 1ULL) *
		       sizeof(*engine->prefilter.words));
	overflow_clear(engine->overflow);
	engine->syn_data_next = engine->syn_data_used = 0;
	count_evicted(engine->counters);
}
