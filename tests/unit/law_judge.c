/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "law_judge.h"

#include "play.h"

#define LENGTH 256 /* bytes of a banner kept */

static const struct {
	enum counter counter;
	enum reason reason;
} counted_as[] = {
	{ COUNT_BANNER, REASON_BANNER },
	{ COUNT_CLIENT_FIRST, REASON_CLIENT_FIRST },
	{ COUNT_CLIENT_FIRST_SYN, REASON_CLIENT_FIRST },
	{ COUNT_CLIENT_FIRST_BY_ACK, REASON_CLIENT_FIRST_BY_ACK },
	{ COUNT_CLIENT_FIRST_BY_SEQ, REASON_CLIENT_FIRST_BY_SEQ },
	{ COUNT_SERVER_DATA_UNSEEN, REASON_SERVER_DATA_UNSEEN },
	{ COUNT_SYNACK_UNSEEN, REASON_SYNACK_UNSEEN },
	{ COUNT_NO_DATA, REASON_NO_DATA },
	{ COUNT_RESET, REASON_RESET },
	{ COUNT_NO_SERVER, REASON_NO_SERVER },
	{ COUNT_CUT_OFF, REASON_CUT_OFF },
	{ COUNT_SYN_UNSEEN, REASON_SYN_UNSEEN },
	{ COUNT_HANDSHAKE_UNSEEN, REASON_HANDSHAKE_UNSEEN },
	{ COUNT_OPEN, REASON_OPEN },
	{ COUNT_UNSOLICITED, REASON_UNSOLICITED },
	{ COUNT_NOT_SEEN_LEAVING, REASON_NOT_SEEN_LEAVING },
	{ COUNT_STALE_SYNACK, REASON_STALE_SYNACK },
	{ COUNT_INVALID_RST, REASON_INVALID_RST },
	{ COUNT_OUT_OF_WINDOW, REASON_OUT_OF_WINDOW },
	{ COUNT_INVALID_CLIENT_SEGMENT, REASON_INVALID_CLIENT_SEGMENT },
	{ COUNT_INVALID_SERVER_SEGMENT, REASON_INVALID_SERVER_SEGMENT },
	{ COUNT_INVALID_FLAGS, REASON_INVALID_FLAGS },
};

static struct engine native;
static bool is_live, own[2];
static struct judged last;
static __u8 kept[LENGTH];

static void on_record(const struct event *record, void *context)
{
	(void)context;
	memcpy(kept, record->bytes, record->kept);
	last = (struct judged){ true, record->len, kept, record->kept };
}

bool judge_open(void)
{
	return engine_open(&native, 64, LENGTH, on_record, NULL);
}

void judge_close(void)
{
	engine_close(&native);
}

bool judge_can(enum model_need need, bool live)
{
	(void)need;
	(void)live;
	return true;
}

/* The addresses are those of packet.c, which differ in the last byte. */
static bool is_own(const __u32 address[4], __u8 family)
{
	__u8 end = ((const __u8 *)address)[family == 4 ? 3 : 15];

	return own[end == 10];
}

void judge_begin(enum model_need need, bool own0, bool own1, bool live)
{
	static const enum need needs[] = {
		[MODEL_NEED_NONE] = NEED_NONE,
		[MODEL_NEED_OWN] = NEED_OWN,
		[MODEL_NEED_SYN] = NEED_SYN,
		[MODEL_NEED_HANDSHAKE] = NEED_HANDSHAKE,
	};

	own[0] = own0;
	own[1] = own1;
	is_live = live;
	native.settings.track.need = needs[need];
	native.is_own = is_own;
	memset(native.counters, 0, sizeof(native.counters));
}

struct judged judge_packet(const __u8 *data, size_t len, enum way way,
			   __u64 now)
{
	static const enum direction directions[] = {
		[WAY_UNKNOWN] = DIRECTION_NONE,
		[WAY_IN] = DIRECTION_IN,
		[WAY_OUT] = DIRECTION_OUT,
	};
	struct segment segment;

	last.banner = false;
	native.direction = directions[way];
	play_packet(&native, data, len, len, false, now, &segment);
	return last;
}

void judge_end(struct judge_counts *counts)
{
	__u64 counters[COUNTER_MAX] = {};

	if (is_live)
		engine_read_counters(&native, counters);
	engine_finish(&native);
	if (!is_live)
		memcpy(counters, native.counters, sizeof(counters));
	memset(counts, 0, sizeof(*counts));
	counts->begun = (int)counters[COUNT_CONNECTIONS];
	for (size_t i = 0; i < sizeof(counted_as) / sizeof(*counted_as); i++)
		counts->by[counted_as[i].reason] +=
			(int)counters[counted_as[i].counter];
}

bool judge_counts_each_syn(void)
{
	return false;
}

enum reason judge_known_as(enum reason reason)
{
	return reason;
}
