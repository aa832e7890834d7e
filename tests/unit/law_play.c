/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "law_play.h"

#include "law_judge.h"
#include "packet.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

struct model model;

/* --- both of them on one conversation */

static __u8 payload_byte(int at, __u32 offset)
{
	return (__u8)('!' + ((__u32)at * 31 + offset * 7 + offset / 94) % 94);
}

static void build(struct bytes *bytes, const struct model_segment *s, int at)
{
	static char payload[PACKET_MAX];
	struct test_packet packet = {
		.from_server = s->from,
		.client_port = 40001,
		.server_port = 25,
		.flags = s->flags,
		.seq = s->seq,
		.ack = s->ack,
		.payload = payload,
		.payload_len = s->len,
	};

	for (__u32 i = 0; i < s->len; i++)
		payload[i] = (char)payload_byte(at, i);
	packet_build(bytes, &packet);
}

/*
 * Whether a banner can be allowed at all, whatever was remembered: by a
 * SYN-ACK before it or its own, and by its acknowledgement (rules 1 and 3).
 */
static bool banner_allowed(const struct conversation *c, int at)
{
	const struct model_segment *s = &c->packets[at].segment;
	__u32 seq = s->seq + !!(s->flags & TCP_SYN);

	for (int i = 0; i <= at; i++) {
		const struct model_segment *synack = &c->packets[i].segment;
		__u32 acked = s->ack - synack->ack;

		if (synack->from == s->from &&
		    (synack->flags & (TCP_SYN | TCP_ACK)) ==
			    (TCP_SYN | TCP_ACK) &&
		    synack->seq + 1 - seq < s->len && acked <= 1)
			return true;
	}
	return false;
}

static void compare_events(struct difference *found, int at,
			   const struct model_event *event,
			   const struct judged *judged)
{
	if (event->banner != judged->banner) {
		snprintf(found->text, sizeof(found->text),
			 event->banner ? "event: a banner is missed" :
					 "event: a banner too many");
	} else if (event->banner) {
		if (judged->len != event->len)
			snprintf(found->text, sizeof(found->text),
				 "event: the banner has another length");
		for (__u32 i = 0; i < judged->kept; i++)
			if (judged->bytes[i] !=
			    payload_byte(at, event->skip + i))
				snprintf(found->text, sizeof(found->text),
					 "event: the banner has other bytes");
	}
	if (*found->text)
		found->at = at;
}

/* The outcomes, with the other ones of some alternatives: a bit for each. */
static void choose(int outcomes[REASON_MAX], unsigned int others)
{
	memset(outcomes, 0, REASON_MAX * sizeof(*outcomes));
	for (int i = REASON_FIRST_OUTCOME; i <= REASON_LAST_OUTCOME; i++)
		outcomes[judge_known_as(i)] += model.outcomes[i];
	for (int i = 0; i < model.alternative_count; i++) {
		if (!(others >> i & 1))
			continue;
		outcomes[judge_known_as(model.alternatives[i].outcome)]--;
		outcomes[judge_known_as(model.alternatives[i].also)]++;
	}
}

static bool outcomes_fit(const int outcomes[REASON_MAX],
			 const struct judge_counts *counts)
{
	for (int i = REASON_FIRST_OUTCOME; i <= REASON_LAST_OUTCOME; i++)
		if (outcomes[i] != counts->by[i])
			return false;
	return true;
}

/* Allows for so many that were counted though they only stood beside one. */
static void exchange_more(int outcomes[REASON_MAX],
			  const struct judge_counts *counts, int more)
{
	static const enum reason endings[] = { REASON_SYNACK_UNSEEN,
					       REASON_RESET, REASON_NO_DATA };

	for (int i = 0; i < COUNT(endings); i++)
		for (; more && outcomes[endings[i]] < counts->by[endings[i]];
		     more--)
			outcomes[endings[i]]++;
}

static void compare_counts(struct difference *found,
			   const struct judge_counts *counts)
{
	const char *expected = NULL, *got = NULL;
	int outcomes[REASON_MAX];
	int more = counts->begun - model.begun; /* SYNs beside */

	if (more < 0 ||
	    more > (judge_counts_each_syn() ? model.beside : model.refused))
		more = 0;
	for (int others = 1 << model.alternative_count; others--;) {
		choose(outcomes, (unsigned int)others);
		exchange_more(outcomes, counts, more);
		if (outcomes_fit(outcomes, counts))
			break;
	}
	for (int i = REASON_FIRST_OUTCOME; i <= REASON_LAST_OUTCOME; i++) {
		if (outcomes[i] > counts->by[i])
			expected = reason_names[i];
		if (outcomes[i] < counts->by[i])
			got = reason_names[i];
	}
	if (expected || got)
		snprintf(found->text, sizeof(found->text),
			 "outcome: %s, but counted %s",
			 expected ? expected : "none", got ? got : "none");
	else if (model.begun + more != counts->begun)
		snprintf(found->text, sizeof(found->text), "connections: %s",
			 model.begun + more > counts->begun ? "too few" :
							      "too many");
}

static void compare_ignored(struct difference *found,
			    const struct judge_counts *counts)
{
	for (int i = REASON_FIRST_IGNORED; i <= REASON_LAST_IGNORED; i++) {
		const struct range *range = &model.ignored[i];

		if (*found->text || judge_known_as(i) == REASON_NONE)
			continue;
		if (counts->by[i] < range->least)
			snprintf(found->text, sizeof(found->text),
				 "ignored: %s too few", reason_names[i]);
		if (counts->by[i] > range->most)
			snprintf(found->text, sizeof(found->text),
				 "ignored: %s too many", reason_names[i]);
	}
}

static const char *counts_text(const struct judge_counts *counts)
{
	static char text[1024];
	size_t at = 0;

	at += (size_t)snprintf(text, sizeof(text), "    model: %d begun;",
			       model.begun);
	for (int i = 1; i < REASON_MAX; i++) {
		const struct range *range = &model.ignored[i];

		if (model.outcomes[i])
			at += (size_t)snprintf(text + at, sizeof(text) - at,
					       " %s %d;", reason_names[i],
					       model.outcomes[i]);
		if (range->most)
			at += (size_t)snprintf(text + at, sizeof(text) - at,
					       " %s %d to %d;", reason_names[i],
					       range->least, range->most);
	}
	at += (size_t)snprintf(text + at, sizeof(text) - at,
			       "\n    core: %d begun;", counts->begun);
	for (int i = 1; i < REASON_MAX; i++)
		if (counts->by[i])
			at += (size_t)snprintf(text + at, sizeof(text) - at,
					       " %s %d;", reason_names[i],
					       counts->by[i]);
	return text;
}

static void show_event(FILE *file, const struct conversation *c, int at,
		       const struct model_event *event,
		       const struct judged *judged)
{
	fprintf(file, "    ");
	conversation_show_packet(file, c, at);
	if (event->banner)
		fprintf(file, "  model: banner of %u after %u", event->len,
			event->skip);
	if (judged->banner)
		fprintf(file, "  core: banner of %u", judged->len);
	fputc('\n', file);
}

void play_begin(const struct conversation *c)
{
	model_open(&model, c->need, c->own[0], c->own[1], c->live);
	judge_begin(c->need, c->own[0], c->own[1], c->live);
}

static struct judged judge_segment(const struct model_segment *s, int at)
{
	struct bytes bytes;

	build(&bytes, s, at);
	return judge_packet(bytes.data, bytes.len, s->way,
			    (__u64)(at + 1) * 1000000);
}

bool play_to_core(const struct model_segment *s, int at)
{
	return judge_segment(s, at).banner;
}

struct difference play(const struct conversation *c, FILE *file)
{
	struct difference found = { .at = -1 };
	struct judge_counts counts;
	bool never = false;

	play_begin(c);
	for (int i = 0; i < c->count; i++) {
		const struct model_segment *s = &c->packets[i].segment;
		struct model_event event = model_packet(&model, s);
		struct judged judged = judge_segment(s, i);

		if (!*found.text)
			compare_events(&found, i, &event, &judged);
		if (judged.banner && !banner_allowed(c, i))
			never = true;
		if (file)
			show_event(file, c, i, &event, &judged);
	}
	model_finish(&model);
	judge_end(&counts);
	if (!*found.text)
		compare_counts(&found, &counts);
	if (!*found.text)
		compare_ignored(&found, &counts);
	if (model.unclear)
		*found.text = 0;
	if (never)
		snprintf(found.text, sizeof(found.text),
			 "event: a banner that nothing allows");
	if (file)
		fprintf(file, "%s\n", counts_text(&counts));
	return found;
}

/* --- shrinking a difference */

/* Leaves out packets that are not needed for the same difference. */
void shrink(struct conversation *c, const char *text)
{
	static struct conversation smaller;
	bool changed = true;

	while (changed) {
		changed = false;
		for (int i = c->count - 1; i >= 0; i--) {
			smaller = *c;
			smaller.count--;
			memmove(smaller.packets + i, smaller.packets + i + 1,
				(size_t)(smaller.count - i) *
					sizeof(*smaller.packets));
			if (strcmp(play(&smaller, NULL).text, text))
				continue;
			*c = smaller;
			changed = true;
		}
	}
}

void show(FILE *file, const struct conversation *c)
{
	static const char *const needs[] = { "none", "own", "syn",
					     "handshake" };

	fprintf(file, "  seed %llu, ingredients %u", c->seed, c->ingredients);
	if (c->live)
		fprintf(file, ", --need %s, own:%s%s", needs[c->need],
			c->own[0] ? " 0" : "", c->own[1] ? " 1" : "");
	fputc('\n', file);
	play(c, file);
}
