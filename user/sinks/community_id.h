/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Community ID, version 1: the identifier of a connection that Zeek, Suricata
 * and Arkime use, too (github.com/corelight/community-id-spec).
 */
#ifndef BANNERPROBE_COMMUNITY_ID_H
#define BANNERPROBE_COMMUNITY_ID_H

#include "event.h"

#define COMMUNITY_ID_LENGTH 30 /* characters */

/* Writes the ID of an event's connection, seed 0, without a terminating NUL. */
void community_id(char text[COMMUNITY_ID_LENGTH], const struct event *record);

#endif
