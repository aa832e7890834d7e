/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "asked.h"

#include "system/message.h"

#include <fnmatch.h>
#include <string.h>

bool asked_is_pattern(const char *asked)
{
	return strpbrk(asked, "*?[");
}

bool asked_has_patterns(const struct options *options)
{
	for (int i = 0; i < options->count; i++) {
		if (asked_is_pattern(options->names[i]))
			return true;
	}
	return false;
}

static bool is_name(const char *name, const void *asked)
{
	return !strcmp(name, asked);
}

static bool matches(const char *name, const void *pattern)
{
	return !fnmatch(pattern, name, 0);
}

const char *asked_for(const struct options *options, const struct link *link)
{
	const char *pattern = NULL;

	for (int i = 0; i < options->count; i++) {
		const char *asked = options->names[i];

		if (!asked_is_pattern(asked)) {
			if (link_has_name(link, is_name, asked))
				return asked;
		} else if (!pattern && link_has_name(link, matches, asked)) {
			pattern = asked;
		}
	}
	return pattern;
}

void asked_mark(const struct options *options, const struct link *link,
		bool *found)
{
	for (int i = 0; i < options->count; i++) {
		const char *asked = options->names[i];

		found[i] |= link_has_name(
			link, asked_is_pattern(asked) ? matches : is_name,
			asked);
	}
}

bool asked_are_found(const struct options *options, const bool *found)
{
	for (int i = 0; i < options->count; i++) {
		if (asked_is_pattern(options->names[i]) || found[i])
			continue;
		message("%s: no such interface (`ip link` lists the "
			"interfaces)",
			options->names[i]);
		return false;
	}
	return true;
}

void asked_tell_unmatched(const struct options *options, const bool *found)
{
	for (int i = 0; i < options->count; i++) {
		if (!found[i])
			message("%s: no interface matches yet: waiting for one",
				options->names[i]);
	}
}
