/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The cases of requests, responses, replies and open ports as small
 * conversations, each with the expected result. They test the model.
 */
#ifndef BANNERPROBE_TESTS_LAW_EVENTS_CASES_H
#define BANNERPROBE_TESTS_LAW_EVENTS_CASES_H

#include "law_cases.h"

/*
 * `packets`: as in struct law_case. `events`: all of them in their order, each
 * as "KIND SKIPPED+LENGTH @PACKET", then " crossed" where it is; the packet
 * with the bytes stands before the "@" where it is another one ("of 0").
 * `none`: of each kind that was not logged, which reasons are allowed, or
 * "either" where the event may be logged or not.
 */
struct event_case {
	const char *name;
	enum model_need need;
	const char *own;
	const char *packets;
	const char *events;
	const char *none;
};

extern const struct event_case event_cases[];
extern const int event_case_count;

#endif
