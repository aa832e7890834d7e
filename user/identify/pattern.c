/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pattern.h"

#include <errno.h>

#define MATCH_LIMIT 50000
#define DEPTH_LIMIT 1000
#define HEAP_LIMIT_KIB 10240
#define GROUPS 50

/*
 * A banner at which this many patterns reach a limit was made to be expensive.
 * No more patterns are tried: thousands of them would cost as much each.
 */
#define LIMITS_OF_A_BANNER 16

/* A wrong file must not cause a message for each of its lines. */
#define REFUSALS_TOLD 100

int matcher_open(struct matcher *matcher, identify_message *message)
{
	*matcher = (struct matcher){ .message = message };
	matcher->data = pcre2_match_data_create(GROUPS, NULL);
	matcher->context = pcre2_match_context_create(NULL);
	if (!matcher->data || !matcher->context) {
		matcher_close(matcher);
		return -ENOMEM;
	}
	pcre2_set_match_limit(matcher->context, MATCH_LIMIT);
	pcre2_set_depth_limit(matcher->context, DEPTH_LIMIT);
	pcre2_set_heap_limit(matcher->context, HEAP_LIMIT_KIB);
	return 0;
}

void matcher_close(struct matcher *matcher)
{
	pcre2_match_data_free(matcher->data);
	pcre2_match_context_free(matcher->context);
}

void matcher_refuse(struct matcher *matcher, const struct place *place,
		    const char *why)
{
	const unsigned int refused = ++matcher->statistics.refused;

	if (refused <= REFUSALS_TOLD)
		matcher->message("%s:%u: %s; the rule is left out", place->file,
				 place->line, why);
	if (refused == REFUSALS_TOLD)
		matcher->message(
			"%s: further rules that are left out are counted only",
			place->file);
}

bool matcher_is_tired(const struct matcher *matcher)
{
	return matcher->limits >= LIMITS_OF_A_BANNER;
}

static void refuse(struct matcher *matcher, struct pattern *pattern, int error)
{
	PCRE2_UCHAR why[128] = "its pattern does not compile";

	pattern->refused = true;
	if (matcher->statistics.rules)
		matcher->statistics.rules--;
	pcre2_get_error_message(error, why, sizeof(why));
	matcher_refuse(matcher, &pattern->place, (const char *)why);
}

bool pattern_compile(struct matcher *matcher, struct pattern *pattern)
{
	PCRE2_SIZE where;
	int error;

	if (pattern->code || pattern->refused)
		return pattern->code;
	pattern->code = pcre2_compile((PCRE2_SPTR)pattern->regex, pattern->len,
				      pattern->options | PCRE2_NEVER_UTF,
				      &error, &where, NULL);
	if (!pattern->code)
		refuse(matcher, pattern, error);
	return pattern->code;
}

void pattern_free(struct pattern *pattern)
{
	pcre2_code_free(pattern->code);
}

static void count_limit(struct matcher *matcher)
{
	matcher->statistics.limits++;
	matcher->limits++;
	if (matcher->limits == LIMITS_OF_A_BANNER)
		matcher->statistics.given_up++;
}

static bool is_limit(int error)
{
	return error == PCRE2_ERROR_MATCHLIMIT ||
	       error == PCRE2_ERROR_DEPTHLIMIT ||
	       error == PCRE2_ERROR_HEAPLIMIT;
}

bool pattern_match(struct matcher *matcher, struct pattern *pattern,
		   const struct text *text, struct match *match)
{
	const uint32_t options = text->complete ? 0 : PCRE2_NOTEOL;
	int groups;

	if (matcher_is_tired(matcher) || !pattern_compile(matcher, pattern))
		return false;
	groups = pcre2_match(pattern->code, text->bytes, text->len, 0, options,
			     matcher->data, matcher->context);
	if (groups < 0) {
		if (is_limit(groups))
			count_limit(matcher);
		return false;
	}
	match->subject = text->bytes;
	match->cut = text->complete ? SIZE_MAX : text->len;
	match->offsets = pcre2_get_ovector_pointer(matcher->data);
	match->groups = groups ? (uint32_t)groups : GROUPS;
	return true;
}

bool match_group(const struct match *match, uint32_t group, struct text *bytes)
{
	PCRE2_SIZE start, end;

	if (group >= match->groups)
		return false;
	start = match->offsets[group * 2];
	end = match->offsets[group * 2 + 1];
	/* \K in a lookahead can set an end before its start. */
	if (start == PCRE2_UNSET || end == PCRE2_UNSET || end < start ||
	    end == match->cut)
		return false;
	*bytes = (struct text){ match->subject + start, end - start, true };
	return true;
}
