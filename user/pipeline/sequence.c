/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "sequence.h"

#include "system/clock.h"
#include "system/message.h"

/*
 * Packets of several queues may be out of order by this much. Files in the
 * wrong order differ by more.
 */
#define ORDER_SLACK_NS NS_PER_SECOND

void sequence_check(const struct sequence *previous, const char *path,
		    __u64 begin)
{
	__u64 early;

	if (!previous->path || !begin ||
	    begin + ORDER_SLACK_NS >= previous->end)
		return;
	early = (previous->end - begin) / 1000;
	message("%s: begins %llu.%06llu seconds before the end of %s: are the "
		"files in the order in which they were written?",
		path, early / 1000000, early % 1000000, previous->path);
}
