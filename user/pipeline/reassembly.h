/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reassembly (--gather): the kernel, or the capture reader, hands over each
 * segment of a greeting as an event with its offset; here they become one
 * event, when no more is expected. A greeting is what one side says at its
 * beginning: the server's, or the client's.
 */
#ifndef BANNERPROBE_REASSEMBLY_H
#define BANNERPROBE_REASSEMBLY_H

#include "event.h"

#include <stdbool.h>
#include <stddef.h>

/* How many are put together at once; of more the oldest is logged as it is. */
#define REASSEMBLY_MAX 4096

#define NS_PER_MS 1000000ULL

struct reassembly;

/*
 * `length`: bytes kept of each. `quiet`: ns after which one is taken for
 * complete if no more of it has come. `log` is called for each. NULL without
 * memory. Its size does not change: some (2 * length + 300) * REASSEMBLY_MAX
 * bytes, as far as they are used.
 */
struct reassembly *reassembly_new(__u32 length, __u64 quiet,
				  void (*log)(const struct event *record,
					      void *context),
				  void *context);
void reassembly_free(struct reassembly *greetings);

/*
 * A greeting is also complete where `is_end` says so of all that it says so far
 * from its beginning on.
 */
void reassembly_end_where(struct reassembly *greetings,
			  bool (*is_end)(const __u8 *bytes, size_t len));

/* One that `is_unfinished` is taken for complete after this `quiet` time. */
void reassembly_wait_longer(struct reassembly *greetings,
			    bool (*is_unfinished)(const __u8 *bytes,
						  size_t len),
			    __u64 quiet);

/* Whether a part of the record's greeting has come. */
bool reassembly_has(const struct reassembly *greetings,
		    const struct event *record);

/* Takes a record with a part of a greeting. */
void reassembly_add(struct reassembly *greetings, const struct event *record);

/* Logs those that have been quiet for so long. `now`: ns, as in the records. */
void reassembly_expire(struct reassembly *greetings, __u64 now);

/* When reassembly_expire() has something to do; 0: nothing to wait for. */
__u64 reassembly_deadline(const struct reassembly *greetings);

/* Logs those of an interface, as they are; of index 0, all. */
void reassembly_finish(struct reassembly *greetings, __u32 ifindex);

/* Sets what is counted here: what was cut for want of room. */
void reassembly_read_counters(const struct reassembly *greetings,
			      __u64 counters[COUNTER_MAX]);

#endif
