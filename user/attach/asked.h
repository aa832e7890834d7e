/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which links the user asked for: by one of a link's names, or by a pattern. */
#ifndef BANNERPROBE_ASKED_H
#define BANNERPROBE_ASKED_H

#include "links.h"
#include "options/options.h"

bool asked_is_pattern(const char *asked);
bool asked_has_patterns(const struct options *options);

/* The name or, failing that, the pattern that asks for a link; or NULL. */
const char *asked_for(const struct options *options, const struct link *link);

/* Sets `found` for each name and pattern of the options that the link has. */
void asked_mark(const struct options *options, const struct link *link,
		bool *found);

/* False, with a message: not all names were found. */
bool asked_are_found(const struct options *options, const bool *found);

/* Prints the patterns that match no link. */
void asked_tell_unmatched(const struct options *options, const bool *found);

#endif
