/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Community ID, version 1: the identifier of a connection that Zeek, Suricata
 * and Arkime use, too (github.com/corelight/community-id-spec).
 */
#ifndef BANNERPROBE_COMMUNITY_ID_H
#define BANNERPROBE_COMMUNITY_ID_H

#include "event.h"

#include <stdint.h>

#define COMMUNITY_ID_LENGTH 30 /* characters */

/* The SHA-1 digest of a connection, as five numbers. */
struct community_digest {
	uint32_t words[5];
};

/*
 * Of an event's connection, seed 0. The processor needs a while for it, and
 * does other work meanwhile if the digest is not asked for at once.
 */
void community_digest(struct community_digest *digest,
		      const struct event *event);

/* Writes the ID: COMMUNITY_ID_LENGTH characters, to be used like put.h. */
char *put_community_id(char *to, const struct community_digest *digest);

#endif
