/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The core against a model of the definition: random conversations, disturbed
 * and forged, packet by packet. Usage:
 *   law_test [CONVERSATIONS [SEED]]         fails at the first difference
 *   law_test CONVERSATIONS SEED survey      counts all kinds of difference
 *   law_test 1 SEED INGREDIENTS             shows one conversation
 */
#include <stdlib.h>
#include <time.h>

#include "law_judge.h"
#include "law_attacks.h"
#include "law_cases.h"
#include "law_play.h"
#include "seed.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))
#define KINDS_MAX 512

static struct conversation conversation;

/* --- many conversations */

static const struct {
	const char *name;
	unsigned int ingredients;
} mixtures[] = {
	{ "undisturbed", 0 },
	{ "disturbed", INGREDIENT_DISTURBED },
	{ "forged", INGREDIENT_FORGED },
	{ "disturbed and forged", INGREDIENT_DISTURBED | INGREDIENT_FORGED },
	{ "live", INGREDIENT_LIVE },
	{ "live, disturbed and forged",
	  INGREDIENT_LIVE | INGREDIENT_DISTURBED | INGREDIENT_FORGED },
	{ "simulated ends", INGREDIENT_BEGINNINGS | INGREDIENT_LOSS },
	{ "simulated ends, live, disturbed and forged",
	  INGREDIENT_BEGINNINGS | INGREDIENT_LOSS | INGREDIENT_LIVE |
		  INGREDIENT_DISTURBED | INGREDIENT_FORGED },
};

/* Unclear conversations by reason; or differences by kind. */
struct tally {
	struct {
		char text[96];
		unsigned long long count;
	} kinds[KINDS_MAX];
	int count;
};

/* How often it has been counted before. */
static unsigned long long add(struct tally *tally, const char *text)
{
	int i;

	for (i = 0; i < tally->count; i++)
		if (!strcmp(tally->kinds[i].text, text))
			return tally->kinds[i].count++;
	if (tally->count == KINDS_MAX)
		return 1;
	snprintf(tally->kinds[i].text, sizeof(tally->kinds[i].text), "%s",
		 text);
	tally->kinds[tally->count++].count = 1;
	return 0;
}

static void report(const struct tally *tally, const char *title,
		   unsigned long long tried)
{
	for (int i = 0; i < tally->count; i++)
		printf("# %s: %llu of %llu: %s\n", title, tally->kinds[i].count,
		       tried, tally->kinds[i].text);
}

static unsigned long long total(const struct tally *tally)
{
	unsigned long long sum = 0;

	for (int i = 0; i < tally->count; i++)
		sum += tally->kinds[i].count;
	return sum;
}

/* Reports how often each outcome and reason occurred. */
static void report_outcomes(const unsigned long long seen[REASON_MAX])
{
	printf("# by the model:");
	for (int i = 1; i < REASON_MAX; i++)
		if (seen[i])
			printf(" %s %llu;", reason_names[i], seen[i]);
	putchar('\n');
}

static void note_outcomes(unsigned long long seen[REASON_MAX])
{
	for (int i = 1; i < REASON_MAX; i++)
		seen[i] += (unsigned int)(model.outcomes[i] +
					  model.ignored[i].least);
}

/*
 * True: the core and the model agree on all of them, and the model was sure
 * of nearly all.
 */
static bool compare(unsigned int ingredients, __u64 number, __u64 seed,
		    bool survey)
{
	static struct tally unclear, different;
	unsigned long long tried = 0, seen[REASON_MAX] = {};
	/* Of how many one may be unclear. */
	const unsigned int share = ingredients & INGREDIENT_FORGED    ? 7 :
				   ingredients & INGREDIENT_DISTURBED ? 15 :
									20;

	unclear.count = different.count = 0;
	for (__u64 i = 0; i < number; i++) {
		struct difference found;

		conversation_make(&conversation, seed_of(seed, i), ingredients);
		if (!judge_can(conversation.need, conversation.live))
			continue;
		tried++;
		found = play(&conversation, NULL);
		if (model.unclear)
			add(&unclear, model.unclear);
		else
			note_outcomes(seen);
		if (!*found.text || add(&different, found.text))
			continue;
		shrink(&conversation, found.text);
		fprintf(stdout, "# %s\n", found.text);
		show(stdout, &conversation);
		if (!survey)
			break;
	}
	report(&unclear, "unclear", tried);
	if (survey)
		report(&different, "different", tried);
	report_outcomes(seen);
	printf("# %llu conversations judged\n", tried);
	return !different.count && total(&unclear) <= tried / share + 10;
}

/* --- the cases of the definition */

static void append_name(char text[256], const char *mark, int i)
{
	size_t len = strlen(text);

	snprintf(text + len, 256 - len, "%s%s", mark, reason_names[i]);
}

/* The model's result, as the table of cases writes it. */
static const char *outcome_text(void)
{
	static char text[256];
	const char *mark = "";

	*text = 0;
	for (int i = REASON_FIRST_OUTCOME; i <= REASON_LAST_OUTCOME; i++) {
		for (int j = 0; j < model.outcomes[i]; j++) {
			append_name(text, mark, i);
			mark = ", ";
		}
	}
	mark = " / ";
	for (int i = REASON_FIRST_IGNORED; i <= REASON_LAST_IGNORED; i++) {
		if (!model.ignored[i].least)
			continue;
		append_name(text, mark, i);
		mark = ", ";
	}
	return text;
}

static bool model_fails(const struct law_case *law_case)
{
	int banner_at = -1;

	law_case_make(&conversation, law_case);
	model_open(&model, conversation.need, conversation.own[0],
		   conversation.own[1], conversation.live);
	for (int i = 0; i < conversation.count; i++)
		if (model_packet(&model, &conversation.packets[i].segment)
			    .banner)
			banner_at = i;
	model_finish(&model);
	if (banner_at == law_case->banner_at && !model.unclear &&
	    !strcmp(outcome_text(), law_case->expected))
		return false;
	printf("# case %s: %s: banner at %d: \"%s\", but must be %d: "
	       "\"%s\"%s%s\n",
	       law_case->name, law_case->packets, banner_at, outcome_text(),
	       law_case->banner_at, law_case->expected,
	       model.unclear ? "; unclear: " : "",
	       model.unclear ? model.unclear : "");
	return true;
}

static bool core_fails(const struct law_case *law_case)
{
	struct difference found;

	law_case_make(&conversation, law_case);
	if (!judge_can(conversation.need, conversation.live))
		return false;
	found = play(&conversation, NULL);
	if (!*found.text)
		return false;
	printf("# case %s: %s\n", law_case->name, found.text);
	play(&conversation, stdout);
	return true;
}

static bool all_cases_hold(bool (*fails)(const struct law_case *law_case))
{
	int failed = 0;

	for (int i = 0; i < law_case_count; i++)
		failed += fails(&law_cases[i]);
	return !failed;
}

static int failed;

static void tell(bool ok, const char *what, const char *name)
{
	static int number;

	printf("%s %d - %s%s\n", ok ? "ok" : "not ok", ++number, what, name);
	failed += !ok;
}

static int show_one(__u64 seed, unsigned int ingredients)
{
	struct difference found;

	conversation_make(&conversation, seed, ingredients);
	show(stdout, &conversation);
	found = play(&conversation, NULL);
	printf("# %s\n", *found.text   ? found.text :
			 model.unclear ? model.unclear :
					 "no difference");
	return !!*found.text;
}

int main(int argc, char **argv)
{
	__u64 number = argc > 1 ? strtoull(argv[1], NULL, 0) : 300000;
	__u64 seed = seed_from(argc > 2 ? argv[2] : NULL);
	bool survey = argc > 3 && !strcmp(argv[3], "survey");

	if (!judge_open())
		return 1;
	if (argc > 3 && !survey)
		return show_one(seed, (unsigned int)strtoul(argv[3], NULL, 0));
	printf("1..%d\n# %llu conversations, seed %llu\n", COUNT(mixtures) + 3,
	       number, seed);
	tell(all_cases_hold(model_fails),
	     "the model decides the cases as written", "");
	tell(all_cases_hold(core_fails), "the core agrees in each case", "");
	tell(withstands_attacks(), "attacks hide no banner", "");
	for (int i = 0; i < COUNT(mixtures); i++)
		tell(compare(mixtures[i].ingredients,
			     number / (__u64)COUNT(mixtures), seed, survey),
		     "the core and the model agree: ", mixtures[i].name);
	judge_close();
	return failed > 0;
}
