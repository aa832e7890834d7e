/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where the project's rules and the user's own are. */
#ifndef BANNERPROBE_IDENTIFY_RULE_PLACES_H
#define BANNERPROBE_IDENTIFY_RULE_PLACES_H

#define RULES_OF_USER "/etc/bannerprobe/rules.d"

/*
 * Folders for struct identify_sources, the user's first. The project's are
 * those that were installed with this program, wherever that was, or that lie
 * in the source that it was built in; else the package's.
 */
const char *const *rule_places(void);

#endif
