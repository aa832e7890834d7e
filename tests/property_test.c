/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Conversations whose packets are lost, repeated, reordered and joined by
 * forged ones, at random: property_test [VARIANTS [SEED]]. Whatever happens, a
 * banner is what the server said first and is logged once, none comes of a
 * conversation that the client began, and each connection comes to one end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "play.h"

#define STEPS 32
#define LENGTH 256
#define KINDS 4

enum kind {
	SERVER_FIRST,
	CLIENT_FIRST,
	SILENT,
	HALF_CLOSED, /* the client closes its side, and the server speaks */
};

/* What a server says is this, from its first byte on: any piece is known. */
static char stream[512];

struct talk {
	struct step steps[STEPS];
	char payloads[STEPS][64];
	int count;
	struct isns isns;
	bool ipv6;
};

static __u64 seed, random_state;
static unsigned int logged;
static bool wrong;

/* xorshift64*: the same on every machine. */
static __u32 random_below(__u32 limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (__u32)((random_state * 0x2545f4914f6cdd1dULL) >> 33) % limit;
}

static void on_record(const struct record *record, void *context)
{
	(void)context;
	logged++;
	if (!record->kept || record->kept > record->len ||
	    memcmp(record->banner, stream, record->kept))
		wrong = true;
}

static void add(struct talk *talk, bool from_server, __u8 flags, __s32 seq,
		__s32 ack, const char *payload, size_t len)
{
	char *copy = talk->payloads[talk->count];

	if (talk->count == STEPS)
		return;
	memcpy(copy, payload, len);
	copy[len] = 0;
	talk->steps[talk->count++] = (struct step){ true, from_server, flags,
						    seq, ack, copy };
}

static __s32 server_speaks(struct talk *talk, __s32 at, __s32 ack)
{
	__u32 segments = 1 + random_below(3);

	while (segments--) {
		__u32 len = 1 + random_below(40);

		add(talk, true, TCP_ACK | TCP_PSH, 1 + at, ack, stream + at, len);
		at += (__s32)len;
		if (random_below(2))
			add(talk, false, TCP_ACK, 1, 1 + at, "", 0);
	}
	return at;
}

static void make_talk(struct talk *talk, enum kind kind)
{
	__s32 said = 0, asked = 0;

	talk->count = 0;
	talk->isns = (struct isns){ random_below(1U << 31) * 2U,
				    random_below(1U << 31) * 2U };
	talk->ipv6 = random_below(2);
	add(talk, false, TCP_SYN, 0, 0, "", 0);
	add(talk, true, TCP_SYN | TCP_ACK, 0, 1, "", 0);
	add(talk, false, TCP_ACK, 1, 1, "", 0);
	if (kind == CLIENT_FIRST) {
		asked = 6;
		add(talk, false, TCP_ACK | TCP_PSH, 1, 1, "QUESTION", 6);
	} else if (kind == HALF_CLOSED) {
		asked = 1;
		add(talk, false, TCP_FIN | TCP_ACK, 1, 1, "", 0);
	}
	if (kind != SILENT)
		said = server_speaks(talk, 0, 1 + asked);
	if (kind == SERVER_FIRST) {
		add(talk, false, TCP_ACK | TCP_PSH, 1, 1 + said, "HELO", 4);
		asked = 4;
		said = server_speaks(talk, said, 1 + asked);
	}
	if (random_below(4)) {
		add(talk, true, TCP_FIN | TCP_ACK, 1 + said, 1 + asked, "", 0);
		if (kind != HALF_CLOSED)
			add(talk, false, TCP_FIN | TCP_ACK, 1 + asked, 2 + said,
			    "", 0);
	} else if (random_below(2)) {
		add(talk, random_below(2), TCP_RST | TCP_ACK,
		    1 + said, 1 + asked, "", 0);
	}
}

static void swap(struct step *a, struct step *b)
{
	struct step step = *a;

	*a = *b;
	*b = step;
}

static void disturb(struct talk *talk)
{
	struct step kept[STEPS];
	__u32 worst = random_below(40); /* percent */
	int count = 0;

	for (int i = 0; i < talk->count; i++) {
		int next = i + 1 + (int)random_below(3);

		if (random_below(100) < worst && next < talk->count)
			swap(&talk->steps[i], &talk->steps[next]);
	}
	for (int i = 0; i < talk->count && count < STEPS; i++) {
		if (random_below(100) < worst)
			continue;
		kept[count++] = talk->steps[i];
		if (random_below(100) < worst && count < STEPS)
			kept[count++] = talk->steps[i];
		if (random_below(100) < worst && count < STEPS)
			kept[count++] = talk->steps[random_below((__u32)i + 1)];
	}
	memcpy(talk->steps, kept, sizeof(kept));
	talk->count = count;
}

/*
 * Of one who does not see the numbers. Not a SYN, no data in a SYN-ACK, and none
 * at all where the SYN may be missing: they are a connection's of their own,
 * whoever has sent them.
 */
static void forge(struct talk *talk, bool whole)
{
	static const __u8 flags[] = { TCP_RST, TCP_RST | TCP_ACK,
				      TCP_ACK | TCP_PSH, TCP_FIN | TCP_ACK,
				      TCP_SYN | TCP_ACK };
	int count = 1 + (int)random_below(6);

	while (count-- && talk->count && talk->count < STEPS) {
		int at = 1 + (int)random_below((__u32)talk->count);
		struct step forged = {
			true, random_below(2), flags[random_below(whole ? 5 : 4)],
			(__s32)(0x40000000U + random_below(0x40000000)),
			(__s32)(0x40000000U + random_below(0x40000000)), "forged"
		};

		if (forged.flags & TCP_SYN)
			forged.payload = "";
		memmove(&talk->steps[at + 1], &talk->steps[at],
			(size_t)(talk->count - at) * sizeof(forged));
		talk->steps[at] = forged;
		talk->count++;
	}
}

static void play(struct native *native, const struct talk *talk)
{
	struct test_packet packet;
	struct segment segment;
	struct bytes bytes;

	logged = 0;
	wrong = false;
	memset(native->counters, 0, sizeof(native->counters));
	for (int i = 0; i < talk->count; i++) {
		step_packet(&packet, &talk->steps[i], talk->isns, 40000,
			    talk->ipv6);
		packet_build(&bytes, &packet);
		play_packet(native, bytes.data, bytes.len, bytes.len, false,
			    1000 + (__u64)i, &segment);
	}
	native_finish(native);
}

/* NULL where all is as it must be. */
static const char *judge(const struct native *native, enum kind kind, bool whole)
{
	__u64 ends = 0;

	for (int i = COUNT_FIRST_OUTCOME; i <= COUNT_LAST_OUTCOME; i++)
		ends += native->counters[i];
	if (ends != native->counters[COUNT_CONNECTIONS] ||
	    native->counters[COUNT_EVICTED] || native->counters[COUNT_OPEN])
		return "a connection came to no end, or to two";
	if (native->counters[COUNT_BANNER] != logged)
		return "a banner was counted and not logged, or not counted";
	if (wrong)
		return "what was logged is not what the server said first";
	if (logged > 1)
		return "a banner was logged twice";
	if (logged && (kind == CLIENT_FIRST || kind == SILENT))
		return "a banner of a server that did not speak first";
	if (whole && !logged && (kind == SERVER_FIRST || kind == HALF_CLOSED))
		return "a banner was lost";
	return NULL;
}

static void show(const struct talk *talk)
{
	for (int i = 0; i < talk->count; i++) {
		const struct step *step = &talk->steps[i];

		printf("#  %s flags %02x seq %d ack %d \"%s\"\n",
		       step->from_server ? "server" : "client", step->flags,
		       step->seq, step->ack, step->payload);
	}
}

int main(int argc, char **argv)
{
	__u64 variants = argc > 1 ? strtoull(argv[1], NULL, 0) : 200000;
	struct native native;
	struct talk talk;

	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (__u64)time(NULL);
	printf("1..1\n# %llu variants, seed %llu\n", variants, seed);
	for (size_t i = 0; i < sizeof(stream); i++)
		stream[i] = (char)('!' + i * 7 % 94);
	if (!native_open(&native, 64, LENGTH, on_record, NULL))
		return 1;
	for (__u64 i = 0; i < variants; i++) {
		enum kind kind = i % KINDS;
		bool whole = i / KINDS % 2;
		const char *fault;

		random_state = (seed + i) * 0x9e3779b97f4a7c15ULL | 1;
		make_talk(&talk, kind);
		if (!whole)
			disturb(&talk);
		forge(&talk, whole);
		play(&native, &talk);
		fault = judge(&native, kind, whole);
		if (fault) {
			show(&talk);
			printf("not ok 1 - %s: variant %llu, seed %llu\n",
			       fault, i, seed);
			native_close(&native);
			return 1;
		}
	}
	native_close(&native);
	printf("ok 1 - disturbed conversations\n");
	return 0;
}
