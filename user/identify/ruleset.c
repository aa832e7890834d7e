/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "ruleset.h"

#include <errno.h>
#include <stdlib.h>

#include "protocol.h"
#include "template.h"

/* nmap's limits in bytes, with the NUL. A longer field is left out. */
static const size_t sizes[FIELD_COUNT] = {
	[FIELD_PRODUCT] = 80,  [FIELD_VERSION] = 80, [FIELD_INFO] = 256,
	[FIELD_HOSTNAME] = 80, [FIELD_OS] = 32,	     [FIELD_DEVICETYPE] = 32,
};
#define CPE_SIZE 80

/*
 * The kinds of CPE: application, operating system, hardware. The last counts.
 */
static const char cpe_parts[] = "aho";

/*
 * So many patterns of a set are compiled at the start, so that errors are
 * reported then. The others of a longer set are compiled when they are needed.
 */
#define COMPILED_AT_ONCE 500

int ruleset_open(struct ruleset *set, struct matcher *matcher)
{
	*set = (struct ruleset){ .matcher = matcher,
				 .prefilter = prefilter_new() };
	return set->prefilter ? 0 : -ENOMEM;
}

void ruleset_close(struct ruleset *set)
{
	for (unsigned int i = 0; i < set->count; i++)
		pattern_free(&set->rules[i].pattern);
	free(set->rules);
	prefilter_free(set->prefilter);
}

static int make_room(struct ruleset *set)
{
	const unsigned int room = set->room ? set->room * 2 : 256;
	struct rule *rules;

	if (set->count < set->room)
		return 0;
	rules = realloc(set->rules, room * sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	set->rules = rules;
	set->room = room;
	return 0;
}

int ruleset_add(struct ruleset *set, const struct rule *rule)
{
	int result = make_room(set);

	if (result)
		return result;
	result = prefilter_add(set->prefilter, rule->pattern.regex,
			       rule->pattern.len);
	if (result < 0)
		return result;
	set->rules[set->count] = *rule;
	set->matcher->statistics.rules++;
	/* Compiled now also if prefilter_add() failed: it may be no pattern. */
	if (result || set->count < COMPILED_AT_ONCE)
		pattern_compile(set->matcher, &set->rules[set->count].pattern);
	set->count++;
	return 0;
}

int ruleset_build(struct ruleset *set)
{
	return prefilter_build(set->prefilter);
}

static void fill_cpes(const struct ruleset *set, const struct rule *rule,
		      const struct match *match, struct answer *answer)
{
	char found[sizeof(cpe_parts)][CPE_SIZE] = {};
	char cpe[CPE_SIZE];

	for (int i = 0; i < rule->cpe_count; i++) {
		const char kind = rule->cpes[i][strlen("cpe:/")];
		const char *part = kind ? strchr(cpe_parts, kind) : NULL;

		if (!part)
			continue;
		if (template_expand(rule->cpes[i], match, true, cpe,
				    sizeof(cpe)))
			memcpy(found[part - cpe_parts], cpe, sizeof(cpe));
		else if (set->is_strict)
			*found[part - cpe_parts] = '\0';
	}
	for (size_t i = 0; i < sizeof(cpe_parts) - 1; i++) {
		if (*found[i])
			answer_add_cpe(answer, found[i]);
	}
}

static void fill(const struct ruleset *set, const struct rule *rule,
		 const struct match *match, struct answer *answer)
{
	char value[TEMPLATE_MAX];

	answer_set_string(answer, FIELD_SERVICE, rule->service);
	for (int i = 0; i < FIELD_COUNT; i++) {
		if (rule->templates[i] &&
		    template_expand(rule->templates[i], match, false, value,
				    sizes[i]))
			answer_set_string(answer, (enum field)i, value);
	}
	fill_cpes(set, rule, match, answer);
}

/* "HTTP/1.1 200 OK": a text with headers, of the rule's own protocol. */
static bool has_headers(const struct rule *rule, const struct text *text)
{
	const size_t len = strlen(rule->service);

	return text->len > len && text->bytes[len] == '/' &&
	       !strncasecmp((const char *)text->bytes, rule->service, len);
}

static bool rule_match(struct ruleset *set, struct rule *rule,
		       const struct text *text, struct match *match)
{
	struct text value;

	if (!rule->header)
		return pattern_match(set->matcher, &rule->pattern, text, match);
	return has_headers(rule, text) &&
	       structure_header(text, rule->header, &value) &&
	       pattern_match(set->matcher, &rule->pattern, &value, match);
}

bool ruleset_answer(struct ruleset *set, const struct text *text,
		    struct answer *answer)
{
	bool is_answered = false;
	struct match match;

	if (prefilter_scan(set->prefilter, text))
		return false;
	for (int i = prefilter_next(set->prefilter, 0); i >= 0;
	     i = prefilter_next(set->prefilter, (unsigned int)i + 1)) {
		struct rule *rule = &set->rules[i];

		if ((rule->is_soft && is_answered) ||
		    !rule_match(set, rule, text, &match))
			continue;
		if (set->is_strict)
			match.cut = SIZE_MAX;
		answer_clear(answer);
		fill(set, rule, &match, answer);
		is_answered = true;
		if (!rule->is_soft || !set->prefers_firm)
			break;
	}
	return is_answered;
}
