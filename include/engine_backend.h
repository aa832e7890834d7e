/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a backend, the BPF programs or user space, provides for the engine:
 * prototypes of the functions through which all state is reached. The file that
 * includes engine.h defines struct backend and each of these functions.
 */
#ifndef BANNERPROBE_ENGINE_BACKEND_H
#define BANNERPROBE_ENGINE_BACKEND_H

#include "engine_settings.h"
#include "event.h"
#include "flow_table.h"
#include "own_addresses.h"
#include "platform.h"
#include "segment.h"
#include "server_filter.h"
#include "tracker.h"

struct backend;

static __always_inline const struct engine_settings *
backend_settings(const struct backend *backend);
static __always_inline const volatile __u64 *
backend_secrets(const struct backend *backend);
static __always_inline const volatile __u64 *
backend_filter_ports(const struct backend *backend);
static __always_inline struct prefilter
backend_prefilter(const struct backend *backend);

/* The connection_hash() of the packet's segment. */
static __always_inline __u64 backend_hash(const struct backend *backend,
					  const struct segment *segment,
					  struct connection_key key,
					  const volatile __u64 *secrets);

/* The packet's direction: enum direction. */
static __always_inline __u8 backend_direction(const struct backend *backend);

/* The place of a hash in the flow table; false: there is none. */
static __always_inline bool backend_find_place(const struct backend *backend,
					       __u64 hash,
					       struct table_place *place);
static __always_inline void backend_lock(struct bucket *bucket);
static __always_inline void backend_unlock(struct bucket *bucket);

/* A connection in the overflow LRU; NULL: it is not there. */
static __always_inline struct flow *
backend_overflow_find(const struct backend *backend, __u64 id);
/* The same, or a new entry, zeroed; NULL: there is no room. */
static __always_inline struct flow *
backend_overflow_add(const struct backend *backend, __u64 id);

/* The sets (enum address_set) that contain an address. */
static __always_inline __u32 backend_sets(const struct backend *backend,
					  const struct net *net);
/* Whether an address is this host's own. */
static __always_inline bool backend_is_own(const struct backend *backend,
					   const __u32 address[4], __u8 family);

/* COUNTER_ROOM counters of the packet's interface; NULL: there are none. */
static __always_inline __u64 *backend_counters(const struct backend *backend);

/* ns, on the clock of events. */
static __always_inline __u64 backend_now(const struct backend *backend);

/* Bytes of the packet that can be read. */
static __always_inline __u32 backend_len(const struct backend *backend);
/*
 * Copies `len` bytes, 1 to BANNER_MAX, from `offset` of the packet; false: not
 * all of them can be read.
 */
static __always_inline bool backend_read(const struct backend *backend,
					 __u32 offset, void *to, __u32 len);

/* Whether the interface has used up the events of this second. */
static __always_inline bool backend_is_over_rate(const struct backend *backend,
						 __u64 now);
/* The frame of the packet: for its link-layer addresses. */
static __always_inline const struct frame *
backend_frame(const struct backend *backend);
/* Fills in event->socket, where track_options.sockets asks for it. */
static __always_inline void
backend_describe_socket(const struct backend *backend, struct event *event);
/*
 * Notes the interface that the packet of an event passed, and its direction
 * there.
 */
static __always_inline void backend_note_place(const struct backend *backend,
					       struct event *event);

/*
 * Hands an event on, with event->kept bytes; false: it is lost. `room`: what
 * event->bytes has room for.
 */
static __always_inline bool backend_emit(const struct backend *backend,
					 struct event *event, __u32 room);

/* Counts the fates of events other than banners. */
static __always_inline void backend_count_fates(const struct backend *backend,
						const struct verdict *verdict);

/* Keeps an event with the data of a SYN, by its synack_time as a key. */
static __always_inline void backend_keep_data(const struct backend *backend,
					      const struct event *event);
/* The kept event; NULL: it is gone. The caller may change it. */
static __always_inline struct event *
backend_kept_data(const struct backend *backend, __u64 key);

/* --- counting ------------------------------------------------------------ */

static __always_inline void engine_count(const struct backend *backend,
					 enum counter counter)
{
	__u64 *counters;

	if (counter == COUNT_NOTHING)
		return;
	counters = backend_counters(backend);
	if (counters)
		count_in(counters, counter);
}

#endif
