/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Conversations with packets that are lost, repeated, reordered, and joined by
 * forged ones, at random: property_test [VARIANTS [SEED]]. Half of them are
 * generated, half come from captures. In any case a banner is what the server
 * said first, and is logged once; a conversation that the client began has
 * none; and each connection has one outcome. In every other variant greetings
 * are reassembled. Then a greeting has no byte that was said after the client
 * had spoken, and if no packet is missing, it has all bytes before that.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pipeline/reassembly.h"
#include "capture/link_layer.h"
#include "capture/packet_reader.h"
#include "play.h"
#include "seed.h"

#define STEPS 32
#define LENGTH 256
#define KINDS 4
#define REAL_MAX 4096 /* conversations that are taken from captures */

enum kind {
	SERVER_FIRST,
	CLIENT_FIRST,
	SILENT,
	HALF_CLOSED, /* the client closes its side, and the server speaks */
};

/* Servers say this from its first byte on, so any piece can be recognised. */
#define STREAM_SIZE 65536
static char stream[STREAM_SIZE];

struct talk {
	struct step steps[STEPS];
	char payloads[STEPS][64]; /* of those that are generated */
	int count;
	__u32 greeting; /* bytes said before the client speaks; 0: not known */
	__u32 segments; /* that they come in */
	struct isns isns;
	bool ipv6;
	bool may;  /* a banner may come of it, if packets are missing or not */
	bool must; /* if none is missing, one must */
};

/*
 * A conversation of a capture: its segments as they were, but what is said is
 * taken from `stream`.
 */
struct real {
	struct talk talk;
	struct segment syn;
	bool answered; /* the server's ISN is known */
	bool ended;    /* more than steps can describe */
};
static struct real *real;
static int real_count;

static __u64 seed, random_state;
static unsigned int logged;
static bool wrong;
static __u32 logged_len, logged_segments;
static struct reassembly *greetings;

/* xorshift64*: the same on every machine. */
static __u32 random_below(__u32 limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (__u32)((random_state * 0x2545f4914f6cdd1dULL) >> 33) % limit;
}

static void on_logged(const struct event *record, void *context)
{
	(void)context;
	logged++;
	logged_len = record->len;
	logged_segments = record->segments;
	if (!record->kept || record->kept > record->len ||
	    memcmp(record->bytes, stream, record->kept))
		wrong = true;
}

static void on_record(const struct event *record, void *context)
{
	if (record->part)
		reassembly_add(greetings, record);
	else
		on_logged(record, context);
}

static void add(struct talk *talk, bool from_server, __u8 flags, __s32 seq,
		__s32 ack, const char *payload, size_t len)
{
	char *copy = talk->payloads[talk->count];

	if (talk->count == STEPS)
		return;
	memcpy(copy, payload, len);
	copy[len] = 0;
	talk->steps[talk->count++] =
		(struct step){ true, from_server, flags, seq,
			       ack,  copy,	  len,	 DIRECTION_NONE };
}

static __s32 server_speaks(struct talk *talk, __s32 at, __s32 ack)
{
	__u32 segments = 1 + random_below(3);

	while (segments--) {
		__u32 len = 1 + random_below(40);

		add(talk, true, TCP_ACK | TCP_PSH, 1 + at, ack, stream + at,
		    len);
		at += (__s32)len;
		if (random_below(2))
			add(talk, false, TCP_ACK, 1, 1 + at, "", 0);
	}
	return at;
}

/* The first that the server says. */
static __s32 greet(struct talk *talk, __s32 ack)
{
	const int before = talk->count;
	__s32 said = server_speaks(talk, 0, ack);

	talk->greeting = (__u32)said;
	talk->segments = 0;
	for (int i = before; i < talk->count; i++)
		talk->segments += talk->steps[i].from_server;
	return said;
}

static void make_talk(struct talk *talk, enum kind kind)
{
	__s32 said = 0, asked = 0;

	talk->count = 0;
	talk->greeting = 0;
	talk->may = talk->must = kind == SERVER_FIRST || kind == HALF_CLOSED;
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
		said = greet(talk, 1 + asked);
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
		add(talk, random_below(2), TCP_RST | TCP_ACK, 1 + said,
		    1 + asked, "", 0);
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

/* The place after the true SYN-ACK, or the end. */
static int place_of_pending(const struct talk *talk)
{
	int i = 0;

	while (i < talk->count &&
	       (talk->steps[i].seq || !(talk->steps[i].flags & TCP_SYN &&
					talk->steps[i].flags & TCP_ACK)))
		i++;
	return i < talk->count ? i + 1 : i;
}

/*
 * Forgeries of an attacker that does not see the numbers. Without data in a
 * SYN-ACK, and without data where the SYN may be missing: such segments are a
 * connection of their own, whatever host has sent them. And without SYNs before
 * the SYN-ACK: which of two SYNs is true cannot be known.
 */
static void forge(struct talk *talk, bool whole)
{
	static const __u8 flags[] = { TCP_RST,		 TCP_RST | TCP_ACK,
				      TCP_ACK | TCP_PSH, TCP_FIN | TCP_ACK,
				      TCP_SYN | TCP_ACK, TCP_SYN };
	int count = 1 + (int)random_below(6);

	while (count-- && talk->count && talk->count < STEPS) {
		const __u8 kind = flags[random_below(whole ? 6 : 4)];
		const int least = kind == TCP_SYN ? place_of_pending(talk) : 1;
		int at = least +
			 (int)random_below((__u32)(talk->count + 1 - least));
		struct step forged = {
			true,
			random_below(2),
			kind,
			(__s32)(0x40000000U + random_below(0x40000000)),
			(__s32)(0x40000000U + random_below(0x40000000)),
			"forged",
			6,
			DIRECTION_NONE
		};

		if (kind & TCP_SYN) {
			forged.payload = "";
			forged.len = 0;
		}
		memmove(&talk->steps[at + 1], &talk->steps[at],
			(size_t)(talk->count - at) * sizeof(forged));
		talk->steps[at] = forged;
		talk->count++;
	}
}

static void play(struct engine *native, const struct talk *talk)
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
	engine_finish(native);
	reassembly_finish(greetings, 0);
}

/* --- conversations of captures ----------------------------------------- */

static bool is_from(const struct segment *segment, const struct segment *other)
{
	return !memcmp(segment->source, other->source, 16) &&
	       !memcmp(segment->destination, other->destination, 16) &&
	       segment->source_port == other->source_port &&
	       segment->destination_port == other->destination_port;
}

static bool is_answer(const struct segment *segment,
		      const struct segment *other)
{
	return !memcmp(segment->source, other->destination, 16) &&
	       !memcmp(segment->destination, other->source, 16) &&
	       segment->source_port == other->destination_port &&
	       segment->destination_port == other->source_port;
}

/* The latest conversation that a segment is of; NULL: none. */
static struct real *find_real(const struct segment *segment, bool *from_server)
{
	for (int i = real_count - 1; i >= 0; i--) {
		*from_server = is_answer(segment, &real[i].syn);
		if (*from_server || is_from(segment, &real[i].syn))
			return &real[i];
	}
	return NULL;
}

static struct real *begin_real(const struct segment *syn)
{
	if (!real || real_count == REAL_MAX)
		return NULL;
	real[real_count].syn = *syn;
	real[real_count].talk.isns.client = syn->seq;
	real[real_count].talk.ipv6 = syn->family == 6;
	return &real[real_count++];
}

/*
 * The segment as a step; false if a step cannot describe it, or if it accepts
 * data of the SYN: without the SYN that cannot be known.
 */
static bool make_step(const struct talk *talk, const struct segment *segment,
		      bool from_server, struct step *step)
{
	const __u32 own = from_server ? talk->isns.server : talk->isns.client;
	const __u32 other = from_server ? talk->isns.client : talk->isns.server;
	const bool is_syn = segment->flags & TCP_SYN;
	const __s32 at = (__s32)(segment->seq - own - 1 + is_syn);

	*step = (struct step){ true,
			       from_server,
			       segment->flags,
			       (__s32)(segment->seq - own),
			       0,
			       "",
			       0,
			       DIRECTION_NONE };
	if (segment->flags & TCP_ACK)
		step->ack = (__s32)(segment->ack - other);
	if (is_syn && from_server && step->ack > 1)
		return false;
	step->len = segment->payload_len;
	if (!step->len)
		return true;
	step->payload = stream + at;
	return at >= 0 && step->len < PACKET_MAX / 2 &&
	       (size_t)at + step->len < STREAM_SIZE;
}

static void add_real(const struct segment *segment)
{
	const __u8 kind = segment->flags & (TCP_SYN | TCP_ACK);
	bool from_server = false;
	struct real *of = find_real(segment, &from_server);
	struct talk *talk;

	if (kind == TCP_SYN &&
	    (!of || (!from_server && segment->seq != of->talk.isns.client)))
		of = begin_real(segment);
	if (!of)
		return;
	talk = &of->talk;
	if (kind == (TCP_SYN | TCP_ACK) && from_server && !of->answered) {
		talk->isns.server = segment->seq;
		of->answered = true;
	}
	of->ended |= talk->count == STEPS ||
		     (!of->answered && kind != TCP_SYN) ||
		     !make_step(talk, segment, from_server,
				&talk->steps[talk->count]);
	talk->count += !of->ended;
}

static void add_captured(const struct captured_packet *packet)
{
	const struct frame frame = { .data = packet->bytes,
				     .end = packet->bytes + packet->len,
				     .wire_len = packet->wire_len };
	struct segment segment = {};

	if (packet->interface->link_type == LINK_ETHERNET &&
	    parse_ethernet(&frame, &segment) == PARSED)
		add_real(&segment);
}

static bool read_capture(const char *path)
{
	struct packet_reader reader = {};
	struct captured_packet packet;

	if (source_open(&reader.source, path, true, NULL, NULL) ||
	    packet_reader_begin(&reader) != READ_DONE) {
		printf("Bail out! %s: %s\n", path, reader.problem);
		return false;
	}
	while (packet_reader_next(&reader, &packet) == READ_DONE)
		add_captured(&packet);
	packet_reader_close(&reader);
	return true;
}

/* Whether the server says something before it knows of client data. */
static bool may_be_banner(const struct talk *talk)
{
	bool may = false;

	for (int i = 0; i < talk->count; i++) {
		const struct step *step = &talk->steps[i];
		const __s32 from = step->seq + !!(step->flags & TCP_SYN);

		may |= step->from_server && step->len && from == 1 &&
		       (step->ack == 1 || step->ack == 2);
	}
	return may;
}

/*
 * Sets whether real conversations may, and if all is seen must, have a banner.
 */
static void play_real(struct engine *native)
{
	for (int i = 0; i < real_count; i++) {
		play(native, &real[i].talk);
		real[i].talk.may = may_be_banner(&real[i].talk);
		real[i].talk.must = logged;
	}
}

/* NULL where all is as it must be. */
static const char *judge(const struct engine *native, const struct talk *talk,
			 bool whole)
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
	if (logged && talk->greeting && logged_len > talk->greeting)
		return "a greeting has more than was said before the client "
		       "spoke";
	if (whole && logged && talk->greeting &&
	    native->settings.track.gather &&
	    (logged_len < talk->greeting || logged_segments != talk->segments))
		return "a greeting was not gathered whole";
	if (logged > 1)
		return "a banner was logged twice";
	if (logged && !talk->may)
		return "a banner of a server that did not speak first";
	if (whole && !logged && talk->must)
		return "a banner was lost";
	return NULL;
}

static void show(const struct talk *talk)
{
	for (int i = 0; i < talk->count; i++) {
		const struct step *step = &talk->steps[i];

		printf("#  %s flags %02x seq %d ack %d \"%.*s\"\n",
		       step->from_server ? "server" : "client", step->flags,
		       step->seq, step->ack,
		       (int)(step->len < 40 ? step->len : 40), step->payload);
	}
}

/* Plays a disturbed conversation. NULL, or what is wrong with its result. */
static const char *try_variant(struct engine *native, __u64 i,
			       struct talk *talk)
{
	const bool whole = i / 2 % 2;

	native->settings.track.gather = i / 4 % 2 ? LENGTH : 0;
	random_state = (seed + i) * 0x9e3779b97f4a7c15ULL | 1;
	if (real_count && i % 2)
		*talk = real[random_below((__u32)real_count)].talk;
	else
		make_talk(talk, random_below(KINDS));
	if (!whole)
		disturb(talk);
	forge(talk, whole);
	play(native, talk);
	return judge(native, talk, whole);
}

static bool read_captures(struct engine *native)
{
	bool all = true;
	glob_t paths;

	real = calloc(REAL_MAX, sizeof(*real));
	if (!real || glob("tests/captures/*.pcap", 0, NULL, &paths))
		return false;
	glob("../shared/captures/*.pcap*", GLOB_APPEND, NULL, &paths);
	for (size_t i = 0; i < paths.gl_pathc; i++)
		all &= read_capture(paths.gl_pathv[i]);
	globfree(&paths);
	play_real(native);
	return all;
}

int main(int argc, char **argv)
{
	__u64 variants = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000;
	const char *fault = NULL;
	struct engine native;
	struct talk talk;

	seed = seed_from(argc > 2 ? argv[2] : NULL);
	for (size_t i = 0; i < sizeof(stream); i++)
		stream[i] = (char)('!' + (i * 7 + i / 94) % 94);
	greetings = reassembly_new(LENGTH, 1000 * NS_PER_MS, on_logged, NULL);
	if (!greetings || !engine_open(&native, 64, LENGTH, on_record, NULL) ||
	    !read_captures(&native))
		return 1;
	printf("1..1\n# %llu variants, seed %llu, %d real conversations\n",
	       variants, seed, real_count);
	for (__u64 i = 0; i < variants && !fault; i++) {
		fault = try_variant(&native, i, &talk);
		if (fault) {
			show(&talk);
			printf("not ok 1 - %s: variant %llu, seed %llu\n",
			       fault, i, seed);
		}
	}
	engine_close(&native);
	reassembly_free(greetings);
	free(real);
	if (!fault)
		printf("ok 1 - disturbed conversations\n");
	return !!fault;
}
