/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Greetings that come in several segments, put together (--gather): the kernel,
 * or the capture reader, hands over each segment as a record that says where it
 * belongs; here one record comes of them all, when no more is to be expected.
 */
#ifndef BANNERPROBE_GREETINGS_H
#define BANNERPROBE_GREETINGS_H

#include "record.h"

/* How many are put together at once; of more the oldest is logged as it is. */
#define GREETINGS_MAX 4096

#define NS_PER_MS 1000000ULL

struct greetings;

/*
 * `length`: bytes kept of each. `quiet`: ns after which one is taken for
 * complete if no more of it has come. `log` is called for each. NULL without
 * memory. Its size does not change: some (2 * length + 300) * GREETINGS_MAX
 * bytes, as far as they are used.
 */
struct greetings *greetings_new(__u32 length, __u64 quiet,
				void (*log)(const struct record *record,
					    void *context),
				void *context);
void greetings_free(struct greetings *greetings);

/* Takes a record with a part of a greeting. */
void greetings_add(struct greetings *greetings, const struct record *record);

/* Logs those that have been quiet for so long. `now`: ns, as in the records. */
void greetings_expire(struct greetings *greetings, __u64 now);

/* When greetings_expire() has something to do; 0: nothing to wait for. */
__u64 greetings_deadline(const struct greetings *greetings);

/* Logs those of an interface, as they are; of index 0, all. */
void greetings_finish(struct greetings *greetings, __u32 ifindex);

/* Sets what is counted here: what was cut for want of room. */
void greetings_read_counters(const struct greetings *greetings,
			     __u64 counters[COUNTER_MAX]);

#endif
