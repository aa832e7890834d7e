/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "fingerprint.h"

#include <errno.h>
#include <stdlib.h>

struct database *database_new(void)
{
	struct database *database = calloc(1, sizeof(*database));

	if (!database)
		return NULL;
	database->prefilter = prefilter_new();
	if (!database->prefilter) {
		free(database);
		return NULL;
	}
	return database;
}

static void free_fingerprint(struct fingerprint *fingerprint)
{
	for (int i = 0; i < fingerprint->count; i++) {
		free(fingerprint->assertions[i].name);
		free(fingerprint->assertions[i].value);
	}
	free(fingerprint->assertions);
	free((char *)fingerprint->pattern.regex);
	pattern_free(&fingerprint->pattern);
}

void database_free(struct database *databases)
{
	while (databases) {
		struct database *next = databases->next;

		for (unsigned int i = 0; i < databases->count; i++)
			free_fingerprint(&databases->fingerprints[i]);
		free(databases->fingerprints);
		prefilter_free(databases->prefilter);
		free(databases->kind);
		free(databases->service);
		free(databases);
		databases = next;
	}
}

struct fingerprint *database_next(struct database *database)
{
	const size_t count = database->count;
	struct fingerprint *all = database->fingerprints;

	/* The room is the next power of two, so it is full at each of them. */
	if (!(count & (count - 1))) {
		all = reallocarray(all, count ? count * 2 : 1, sizeof(*all));
		if (!all)
			return NULL;
		database->fingerprints = all;
	}
	all[count] = (struct fingerprint){};
	return &all[count];
}

int database_take(struct database *database, struct matcher *matcher)
{
	struct pattern *pattern =
		&database->fingerprints[database->count].pattern;
	const int result = prefilter_add(database->prefilter, pattern->regex,
					 pattern->len);

	if (result < 0)
		return result;
	database->count++;
	matcher->statistics.rules++;
	pattern_compile(matcher, pattern);
	return 0;
}

int fingerprint_assert(struct fingerprint *fingerprint, const char *name,
		       const char *value, uint32_t group)
{
	struct assertion *all =
		reallocarray(fingerprint->assertions,
			     (size_t)fingerprint->count + 1, sizeof(*all));
	struct assertion *one;

	if (!all)
		return -ENOMEM;
	fingerprint->assertions = all;
	one = &all[fingerprint->count];
	*one = (struct assertion){ strdup(name), strdup(value), group };
	fingerprint->count++;
	return one->name && one->value ? 0 : -ENOMEM;
}

const struct fingerprint *database_match(struct database *database,
					 struct matcher *matcher,
					 const struct text *text,
					 struct match *match)
{
	if (prefilter_scan(database->prefilter, text))
		return NULL;
	for (int i = prefilter_next(database->prefilter, 0); i >= 0;
	     i = prefilter_next(database->prefilter, (unsigned int)i + 1)) {
		struct fingerprint *one = &database->fingerprints[i];

		if (pattern_match(matcher, &one->pattern, text, match))
			return one;
	}
	return NULL;
}

static const struct assertion *find(const struct fingerprint *fingerprint,
				    const char *name)
{
	for (int i = 0; i < fingerprint->count; i++) {
		if (!strcmp(fingerprint->assertions[i].name, name))
			return &fingerprint->assertions[i];
	}
	return NULL;
}

static size_t append(char *out, size_t at, const void *bytes, size_t len)
{
	if (len > ASSERTION_MAX - 1 - at)
		len = ASSERTION_MAX - 1 - at;
	memcpy(out + at, bytes, len);
	return at + len;
}

/* The value of an assertion before braces are filled in: a group, or a text. */
static bool plain_value(const struct assertion *assertion,
			const struct match *match, struct text *value)
{
	if (assertion->group)
		return match_group(match, assertion->group, value) &&
		       value->len;
	*value = (struct text){ (const uint8_t *)assertion->value,
				strlen(assertion->value), true };
	return true;
}

static bool ends_with(const char *name, const char *end)
{
	return strlen(name) >= strlen(end) &&
	       !strcmp(name + strlen(name) - strlen(end), end);
}

/* The value of {name}; in a CPE an unknown version is "-". */
static bool inner_value(const struct fingerprint *fingerprint,
			const struct match *match, const char *outer,
			const char *name, struct text *value)
{
	const struct assertion *inner = find(fingerprint, name);

	if (inner && plain_value(inner, match, value))
		return true;
	*value = (struct text){ (const uint8_t *)"-", 1, true };
	return ends_with(outer, ".cpe23") && ends_with(name, ".version");
}

/* Replaces each {name} by its value. */
static bool fill_in(const struct fingerprint *fingerprint,
		    const struct match *match,
		    const struct assertion *assertion, char *out)
{
	const char *at = assertion->value;
	char name[64];
	struct text value;
	size_t len = 0;

	while (*at) {
		const size_t plain = strcspn(at, "{"),
			     inner = strcspn(at + plain, "}");

		len = append(out, len, at, plain);
		at += plain;
		if (!*at || !at[inner])
			break;
		if (inner - 1 >= sizeof(name))
			return false;
		memcpy(name, at + 1, inner - 1);
		name[inner - 1] = '\0';
		if (!inner_value(fingerprint, match, assertion->name, name,
				 &value))
			return false;
		len = append(out, len, value.bytes, value.len);
		at += inner + 1;
	}
	out[len] = '\0';
	return true;
}

bool fingerprint_value(const struct fingerprint *fingerprint,
		       const struct match *match, const char *name, char *out)
{
	const struct assertion *assertion = find(fingerprint, name);
	struct text value;

	if (!assertion || !plain_value(assertion, match, &value))
		return false;
	if (!assertion->group)
		return fill_in(fingerprint, match, assertion, out);
	out[append(out, 0, value.bytes, value.len)] = '\0';
	return true;
}
