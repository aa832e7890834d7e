/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The model of requests, responses, replies and open ports against a table of
 * cases, and against what the ends of random conversations did. Usage:
 *   law_events_test [CONVERSATIONS [SEED]]
 */
#include <stdlib.h>
#include <time.h>

#include "events.h"
#include "law_events_attacks.h"
#include "law_events_cases.h"
#include "law_events_core.h"
#include "law_events_kinds.h"
#include "law_events_truth.h"
#include "seed.h"

static struct model model;
static struct conversation conversation;

static int failed;

static void tell(bool ok, const char *what)
{
	static int number;

	printf("%s %d - %s\n", ok ? "ok" : "not ok", ++number, what);
	failed += !ok;
}

static bool case_fails(const struct event_case *event_case)
{
	const struct law_case law_case = {
		.need = event_case->need,
		.own = event_case->own,
		.packets = event_case->packets,
	};
	char events[512], none[512];
	struct event_list list;

	law_case_make(&conversation, &law_case);
	events_play_model(&model, &conversation, MODEL_ALL_KINDS);
	events_of_model(&list, &model);
	events_text(events, sizeof(events), &list);
	events_none_text(none, sizeof(none), &model);
	if (!strcmp(events, event_case->events) &&
	    !strcmp(none, event_case->none) && !model.unclear)
		return false;
	printf("# %s: %s\n#   \"%s\"; \"%s\"\n# must be\n#   \"%s\"; \"%s\"\n",
	       event_case->name, event_case->packets, events, none,
	       event_case->events, event_case->none);
	events_show(stdout, &conversation, &model, &list);
	return true;
}

static bool all_cases_hold(void)
{
	int wrong = 0;

	for (int i = 0; i < event_case_count; i++)
		wrong += case_fails(&event_cases[i]);
	return !wrong;
}

/* --- random connections, by what their ends did */

struct tally {
	unsigned long long tried, unclear, kinds[MODEL_KINDS], crossed;
	unsigned long long kind_unclear[MODEL_KINDS];
};

static void count_events(struct tally *tally)
{
	tally->tried++;
	tally->unclear += !!model.unclear;
	for (int kind = 0; kind < MODEL_KINDS; kind++)
		tally->kind_unclear[kind] += !!model.kind_unclear[kind];
	for (int i = 0; i < model.logged_count; i++) {
		tally->kinds[model.logged[i].kind]++;
		tally->crossed += model.logged[i].crossed;
	}
}

/* Of how many one may be unclear, at all or for one kind. */
#define UNCLEAR_SHARE 8

static bool mostly_clear(const struct tally *tally)
{
	unsigned long long allowed = tally->tried / UNCLEAR_SHARE + 10;

	for (int kind = 0; kind < MODEL_KINDS; kind++)
		if (tally->kind_unclear[kind] > allowed)
			return false;
	return tally->unclear <= allowed;
}

static void report(const struct tally *tally)
{
	printf("# %llu conversations, unclear %llu; crossed %llu;",
	       tally->tried, tally->unclear, tally->crossed);
	for (int kind = 0; kind < MODEL_KINDS; kind++)
		printf(" %s %llu (unclear %llu)%s", event_names[kind],
		       tally->kinds[kind], tally->kind_unclear[kind],
		       kind == MODEL_OPEN ? "\n" : ",");
}

static void show(const char *why)
{
	struct event_list list;

	events_of_model(&list, &model);
	printf("# %s; seed %llu, ingredients %u; client%s%s, server%s%s\n", why,
	       conversation.seed, conversation.ingredients,
	       conversation.truth[0].spoke ? " spoke" : " silent",
	       conversation.truth[0].heard ? ", having received" : "",
	       conversation.truth[1].spoke ? " spoke" : " silent",
	       conversation.truth[1].heard ? ", having received" : "");
	events_show(stdout, &conversation, &model, &list);
}

/* Whether the table of reasons has all that the model gives. */
static bool reasons_are_listed(void)
{
	for (int kind = MODEL_REQUEST; kind < MODEL_KINDS; kind++)
		for (int i = 0; i < model.reason_count[kind]; i++)
			for (int reason = 1; reason < REASON_MAX; reason++)
				if (model.reasons[kind][i] &
					    MODEL_BIT(reason) &&
				    reason != REASON_LOGGED &&
				    !events_reason_meaning(kind, reason))
					return false;
	return true;
}

/* Each connection that was counted has one reason of each kind, or its event.
 */
static bool books_balance(void)
{
	for (int kind = MODEL_REQUEST; kind < MODEL_KINDS; kind++)
		if (model.reason_count[kind] != model.begun)
			return false;
	return true;
}

static bool true_of_all(unsigned int ingredients, __u64 number, __u64 seed,
			truth_judge *find_wrong)
{
	unsigned long long wrong = 0;
	struct tally tally = {};

	for (__u64 i = 0; i < number; i++) {
		const char *why;

		conversation_make(&conversation, seed_of(seed, i), ingredients);
		events_play_model(&model, &conversation, MODEL_ALL_KINDS);
		count_events(&tally);
		if (model.unclear)
			continue;
		why = find_wrong(&model, &conversation);
		if (!why && !reasons_are_listed())
			why = "a reason that is not in the table";
		if (!why && !books_balance())
			why = "reasons and connections do not balance";
		if (!why)
			continue;
		if (!wrong++ || wrong < 6)
			show(why);
	}
	report(&tally);
	if (wrong)
		printf("# %llu are wrong\n", wrong);
	return !wrong && mostly_clear(&tally);
}

/* --- forgeries by an attacker that sees no packet */

/* The events of the honest packets alone, at the places of all packets. */
static void play_honest(struct event_list *list)
{
	static struct conversation honest;
	int place[CONVERSATION_MAX];

	honest = conversation;
	honest.count = 0;
	for (int i = 0; i < conversation.count; i++) {
		if (conversation.packets[i].origin == ORIGIN_FORGED)
			continue;
		place[honest.count] = i;
		honest.packets[honest.count++] = conversation.packets[i];
	}
	events_play_model(&model, &honest, MODEL_ALL_KINDS);
	events_of_model(list, &model);
	for (int i = 0; i < list->count; i++) {
		list->seen[i].packet = place[list->seen[i].packet];
		list->seen[i].source = place[list->seen[i].source];
	}
}

static bool forgeries_change_nothing(unsigned int ingredients, __u64 number,
				     __u64 seed)
{
	struct tally tally = {};

	for (__u64 i = 0; i < number; i++) {
		struct event_difference found;
		struct event_list list;

		conversation_make(&conversation, seed_of(seed, i),
				  ingredients | INGREDIENT_BLIND);
		play_honest(&list);
		/* Where the SYN was missed, a forged one may be it. */
		if (model.unclear || !handshake_in_order(&conversation))
			continue;
		events_play_model(&model, &conversation, MODEL_ALL_KINDS);
		count_events(&tally);
		found = events_compare(&model, &list);
		if (!*found.text)
			continue;
		printf("# %s; seed %llu\n", found.text, conversation.seed);
		events_show(stdout, &conversation, &model, &list);
		return false;
	}
	report(&tally);
	return mostly_clear(&tally);
}

/* --- some kinds only */

/* The events of the kinds asked for do not depend on the other kinds. */
static bool kinds_are_independent(__u64 number, __u64 seed)
{
	struct tally tally = {};

	for (__u64 i = 0; i < number; i++) {
		unsigned int kinds = 1 + (unsigned int)i % MODEL_ALL_KINDS;
		struct event_difference found;
		struct event_list list;

		conversation_make(&conversation, seed_of(seed, i),
				  INGREDIENT_BEGINNINGS | INGREDIENT_LOSS |
					  INGREDIENT_DISTURBED);
		events_play_model(&model, &conversation, MODEL_ALL_KINDS);
		if (model.unclear)
			continue;
		events_of_model(&list, &model);
		events_play_model(&model, &conversation, kinds);
		count_events(&tally);
		found = events_compare(&model, &list);
		if (!*found.text)
			continue;
		printf("# %s; kinds %#x, seed %llu\n", found.text, kinds,
		       conversation.seed);
		events_show(stdout, &conversation, &model, &list);
		return false;
	}
	report(&tally);
	return mostly_clear(&tally);
}

/* --- the comparison itself: players with mistakes */

static void play_right(const struct conversation *c, struct event_list *list,
		       int counted[MODEL_KINDS][REASON_MAX])
{
	static struct model player;

	events_play_model(&player, c, MODEL_ALL_KINDS);
	events_of_model(list, &player);
	for (int kind = 0; kind < MODEL_KINDS; kind++) {
		for (int i = 0; i < player.reason_count[kind]; i++) {
			int reason = 1;

			while (!(player.reasons[kind][i] & MODEL_BIT(reason)))
				reason++;
			counted[kind][reason]++;
		}
	}
}

static int fault; /* which mistake the next player makes */

static void play_wrong(const struct conversation *c, struct event_list *list,
		       int counted[MODEL_KINDS][REASON_MAX])
{
	struct event_seen *last;

	play_right(c, list, counted);
	if (!list->count)
		return;
	last = &list->seen[list->count - 1];
	switch (fault) {
	case 0:
		list->count--;
		break;
	case 1:
		event_add(list, last);
		break;
	case 2:
		last->crossed = !last->crossed;
		break;
	case 3:
		last->len++;
		break;
	case 4:
		last->offset++;
		break;
	case 5:
		last->packet++;
		break;
	default:
		counted[MODEL_REPLY][REASON_CLIENT_FIRST]--;
		counted[MODEL_REPLY][REASON_RESET]++;
	}
}

static bool differences_are_found(void)
{
	static const char *const expected[] = {
		"event: a response is missed",
		"event: a response too many",
		"event: the response is crossed, but must not be",
		"event: the response has another length",
		"event: the response has other bytes",
		"event: the response is at another packet",
		"reasons: reply: client first",
	};
	const struct law_case law_case = {
		.need = MODEL_NEED_NONE,
		.own = "",
		.packets = ">S0 <SA0/1 >A1/1 >A1/1:5 <A1/6:4 >A6/5",
	};
	bool all;

	law_case_make(&conversation, &law_case);
	all = !*events_judge(&conversation, play_right).text;
	for (fault = 0; fault < (int)(sizeof(expected) / sizeof(*expected));
	     fault++) {
		struct event_difference found =
			events_judge(&conversation, play_wrong);

		if (!strcmp(found.text, expected[fault]))
			continue;
		printf("# \"%s\", but must be \"%s\"\n", found.text,
		       expected[fault]);
		events_show_difference(stdout, &conversation, play_wrong,
				       &found);
		all = false;
	}
	return all;
}

/* --- the core against the model --- */

#define SHOWN_MAX 3 /* differences */

/*
 * `reasons`: also why events were not logged. Where packets are missed or
 * forged the core remembers less than the model, and may give another reason;
 * but each connection has one.
 */
static bool core_agrees(const struct conversation *c, bool reasons)
{
	struct event_difference found = events_judge(c, core_play);

	if (!reasons && !strncmp(found.text, "reasons", strlen("reasons")))
		*found.text = 0;
	if (*found.text)
		events_show_difference(stdout, c, core_play, &found);
	else if (!core_balances())
		printf("# the core's books do not balance; seed %llu\n",
		       c->seed);
	return !*found.text && core_balances();
}

static bool core_holds_cases(void)
{
	int wrong = 0;

	for (int i = 0; i < event_case_count && wrong < SHOWN_MAX; i++) {
		const struct law_case law_case = {
			.need = event_cases[i].need,
			.own = event_cases[i].own,
			.packets = event_cases[i].packets,
		};

		law_case_make(&conversation, &law_case);
		if (!core_agrees(&conversation, false)) {
			printf("# in the case: %s\n", event_cases[i].name);
			wrong++;
		}
	}
	return !wrong;
}

static bool core_agrees_on(unsigned int ingredients, __u64 number, __u64 seed)
{
	int wrong = 0;

	for (__u64 i = 0; i < number && wrong < SHOWN_MAX; i++) {
		conversation_make(&conversation, seed_of(seed, i), ingredients);
		wrong += !core_agrees(&conversation,
				      ingredients == INGREDIENT_BEGINNINGS);
	}
	return !wrong;
}

/*
 * Forgeries by an attacker that sees every packet: whole handshakes in either
 * direction, with the right numbers. Beside a connection the core remembers two
 * SYNs of each end, and the model remembers all. So they may differ if several
 * SYNs are forged at once: in at most one conversation of a thousand, and a few
 * more, because few conversations are a small sample.
 */
static bool core_mostly_agrees_on(unsigned int ingredients, __u64 number,
				  __u64 seed)
{
	__u64 wrong = 0;

	for (__u64 i = 0; i < number; i++) {
		conversation_make(&conversation, seed_of(seed, i), ingredients);
		wrong += *events_judge(&conversation, core_play).text == 'e';
		if (!core_balances())
			return false;
	}
	printf("# %llu of %llu differ in an event\n", wrong, number);
	return wrong <= number / 1000 + 3;
}

static void judge_core(__u64 part, __u64 seed)
{
	const unsigned int loss = INGREDIENT_BEGINNINGS | INGREDIENT_LOSS;

	tell(core_holds_cases(),
	     "the core decides the cases as the model does");
	tell(core_agrees_on(INGREDIENT_BEGINNINGS, part, seed),
	     "it agrees on whole conversations");
	tell(core_agrees_on(loss | INGREDIENT_DISTURBED, part, seed),
	     "on disturbed ones");
	tell(core_agrees_on(loss | INGREDIENT_BLIND, part, seed),
	     "with forgeries by an attacker that sees no packet");
	tell(core_agrees_on(loss | INGREDIENT_DISTURBED | INGREDIENT_BLIND,
			    part, seed),
	     "and where packets are missed, too");
	tell(core_mostly_agrees_on(INGREDIENT_DISTURBED | INGREDIENT_FORGED,
				   part, seed),
	     "mostly, with forgeries by one that sees all");
	tell(core_mostly_agrees_on(INGREDIENT_LIVE | INGREDIENT_DISTURBED |
					   INGREDIENT_FORGED,
				   part, seed),
	     "and live");
	tell(core_kinds_are_independent(loss, part, seed, 0),
	     "nor does its choice of kinds change the others");
	/*
	 * A connection of which all is decided is not followed, so a RST may
	 * end it that a followed one does not take for its own; and copies of
	 * the handshake that come after it begin another.
	 */
	tell(core_kinds_are_independent(loss | INGREDIENT_DISTURBED, part, seed,
					part / 5000 + 2),
	     "and seldom where packets are missed, late or repeated");
}

int main(int argc, char **argv)
{
	__u64 number = argc > 1 ? strtoull(argv[1], NULL, 0) : 300000;
	__u64 seed = seed_from(argc > 2 ? argv[2] : NULL);
	__u64 part = number / 9;
	const unsigned int whole = INGREDIENT_BEGINNINGS;
	const unsigned int loss = whole | INGREDIENT_LOSS;

	if (!core_open())
		return 1;
	printf("1..%d\n# %d cases; %llu conversations, seed %llu\n", 21,
	       event_case_count, number, seed);
	tell(all_cases_hold(), "the model decides the cases as written");
	tell(differences_are_found(), "a player that is wrong is found out");
	tell(events_withstand_attacks(),
	     "attacks neither hide nor make events");
	tell(true_of_all(whole, part, seed, truth_find_any),
	     "nothing is missed or wrong where nothing is lost");
	tell(true_of_all(whole | INGREDIENT_DISTURBED, part, seed,
			 truth_find_wrong),
	     "nothing is wrong where packets are missed, late or repeated");
	tell(true_of_all(loss, part, seed, truth_find_wrong),
	     "nothing is wrong where packets are lost and sent again");
	tell(true_of_all(loss | INGREDIENT_DISTURBED, part, seed,
			 truth_find_wrong),
	     "nothing is wrong where both happens");
	tell(true_of_all(INGREDIENT_DISTURBED | INGREDIENT_FORGED, part, seed,
			 truth_find_contradiction),
	     "no connection has two events that exclude each other");
	tell(true_of_all(INGREDIENT_LIVE | INGREDIENT_DISTURBED |
				 INGREDIENT_FORGED,
			 part, seed, truth_find_contradiction),
	     "nor has any that is seen live");
	tell(forgeries_change_nothing(loss, part, seed),
	     "blind forgeries neither hide nor make an event");
	tell(forgeries_change_nothing(loss | INGREDIENT_DISTURBED, part, seed),
	     "nor do they where packets are missed");
	tell(kinds_are_independent(part, seed),
	     "what is not asked for does not change what is");
	judge_core(part, seed);
	core_close();
	return failed > 0;
}
