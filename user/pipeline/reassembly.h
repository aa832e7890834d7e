/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reassembly (--gather). The engine emits each segment of a greeting as an
 * event with its offset. Here these become one event, when no more segments are
 * expected. A greeting is what one side, server or client, says at the
 * beginning of a connection.
 */
#ifndef BANNERPROBE_REASSEMBLY_H
#define BANNERPROBE_REASSEMBLY_H

#include "event.h"
#include "system/clock.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * How many greetings are reassembled at the same time. If there are more, the
 * oldest one is logged as it is.
 */
#define REASSEMBLY_MAX 4096

/* Which quiet time ends a greeting: the usual one, or that of unfinished ones.
 */
enum pace { PACE_USUAL, PACE_PATIENT, PACES };

/* For reassembly.c and reassembly_is_empty() alone. */
struct reassembly {
	struct greeting *lists[PACES]; /* uthash keeps each in the order of
					* addition */
	struct greeting *free;
	char *pool;
	size_t size; /* of each in the pool */
	__u32 used;  /* of the pool */
	__u32 length;
	__u64 quiet[PACES]; /* ns */
	__u64 crowded_out, crowded_parts;
	bool (*is_end)(const __u8 *bytes, size_t len);	      /* or NULL */
	bool (*is_unfinished)(const __u8 *bytes, size_t len); /* or NULL */
	void (*log)(const struct event *record, void *context);
	void *context;
};

/*
 * `length`: bytes kept of each greeting. `quiet`: ns without a new segment
 * after which a greeting counts as complete. `log` is called for each complete
 * greeting. NULL without memory. It reserves some (2 * length + 300) *
 * REASSEMBLY_MAX bytes, of which only the used part takes memory.
 */
struct reassembly *reassembly_new(__u32 length, __u64 quiet,
				  void (*log)(const struct event *record,
					      void *context),
				  void *context);
void reassembly_free(struct reassembly *greetings);

/*
 * Sets a function that recognises complete greetings: it is called with the
 * bytes from the beginning up to the first gap.
 */
void reassembly_end_where(struct reassembly *greetings,
			  bool (*is_end)(const __u8 *bytes, size_t len));

/* A greeting that `is_unfinished` ends after this quiet time instead, in ns. */
void reassembly_wait_longer(struct reassembly *greetings,
			    bool (*is_unfinished)(const __u8 *bytes,
						  size_t len),
			    __u64 quiet);

/* Whether an earlier part of the event's greeting has come. */
bool reassembly_has(const struct reassembly *greetings,
		    const struct event *record);

/* Takes an event that is a part of a greeting. */
void reassembly_add(struct reassembly *greetings, const struct event *record);

/* Whether no greeting waits for more of it. Inline: asked for each packet. */
static inline bool reassembly_is_empty(const struct reassembly *greetings)
{
	return !greetings->lists[PACE_USUAL] && !greetings->lists[PACE_PATIENT];
}

/* Logs greetings that have been quiet. `now`: ns, on the events' clock. */
void reassembly_expire(struct reassembly *greetings, __u64 now);

/* When reassembly_expire() has something to do next, ns; 0: never. */
__u64 reassembly_deadline(const struct reassembly *greetings);

/* Logs the unfinished greetings of an interface; index 0: of all. */
void reassembly_finish(struct reassembly *greetings, __u32 ifindex);

/* Sets the counters of greetings that were cut for lack of room. */
void reassembly_read_counters(const struct reassembly *greetings,
			      __u64 counters[COUNTER_MAX]);

#endif
