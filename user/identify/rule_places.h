/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where the project's rules and the user's own are. */
#ifndef BANNERPROBE_IDENTIFY_RULE_PLACES_H
#define BANNERPROBE_IDENTIFY_RULE_PLACES_H

#define RULES_OF_USER "/etc/bannerprobe/rules.d"

/*
 * Folders for struct identify_sources: the user's rules, then the project's.
 * The project's folder is found from the program's path: in the prefix that the
 * program is installed in, or in the source tree that it was built in. Without
 * either it is the package's folder.
 */
const char *const *rule_places(void);

#endif
