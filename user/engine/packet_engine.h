/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The engine for packets in memory. The BPF programs are the same engine for
 * packets on a hook.
 */
#ifndef BANNERPROBE_PACKET_ENGINE_H
#define BANNERPROBE_PACKET_ENGINE_H

#include "counters.h"
#include "engine_settings.h"
#include "flow_table.h"
#include "event.h"

struct overflow;
struct server_list;

struct engine {
	struct bucket *buckets;
	__u32 bucket_count;
	__u32 words_per_bucket; /* of the prefilter: a power of two */
	__u32 bucket_shift;	/* its logarithm: from a word to its bucket */
	struct prefilter
		prefilter; /* for prefilter_ethernet() and prefilter_ip() */
	__u64 hash_secrets[HASH_SECRETS];
	struct overflow *overflow;
	const struct server_list *servers; /* NULL: every server */
	struct engine_settings settings;
	enum direction direction; /* of the following packets */
	/* Whether an address is this host's own; NULL: none is. */
	bool (*is_own)(const __u32 address[4], __u8 family);
	__u64 counters[COUNTER_ROOM];
	struct event *event; /* with room for BANNER_MAX bytes */
	struct event_counts event_counts;
	__u8 *syn_data;		       /* events of SYNs that carry data */
	__u64 syn_keys[SYN_DATA_ROOM]; /* syn_data_key() of each */
	unsigned int syn_data_next, syn_data_used; /* places of these */
	void (*log)(const struct event *event, void *context);
	/*
	 * Whether a part after an event's first one is wanted, by connection,
	 * synack_time and kind of the event. NULL: each is.
	 */
	bool (*wants_part)(const struct event *event, void *context);
	/*
	 * Whether the packet's bytes, from which an event is to be made, are
	 * its own. NULL: they always are.
	 */
	bool (*has_bytes)(void *context);
	/* Notes where the packet comes from. NULL: nothing is noted. */
	void (*note_place)(struct event *event, void *context);
	void *context;
};

/* A secret for this run: see hash.h. */
void hash_randomize(__u64 secrets[HASH_SECRETS]);

/* `log` is called for each event. False without memory. */
bool engine_open(struct engine *engine, __u32 max_flows, __u32 length,
		 void (*log)(const struct event *event, void *context),
		 void *context);
void engine_close(struct engine *engine);

/* The index of a connection's bucket. */
static inline __u32 engine_bucket_of(const struct engine *engine, __u64 hash)
{
	return prefilter_index(&engine->prefilter, hash) >>
	       engine->bucket_shift;
}

/*
 * Takes one packet that passed the prefilter: the parser's result, and the
 * frame with its bytes. `now`: the packet's time, ns since 1970. `hash`: the
 * connection_hash() of what is PARSED.
 */
void engine_packet(struct engine *engine, enum parse_result parsed,
		   const struct frame *frame, const struct segment *segment,
		   __u64 hash, __u64 now);

/* The counters so far, with the computed ones: open and evicted. */
void engine_read_counters(const struct engine *engine,
			  __u64 counters[COUNTER_MAX]);

/* The fates of events other than banners, likewise. */
void engine_read_events(const struct engine *engine,
			struct event_counts *counts);

/*
 * Ends all connections: counts the outcomes of the undecided ones, and forgets
 * all. The counters stay.
 */
void engine_finish(struct engine *engine);

#endif
