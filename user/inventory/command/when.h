/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads times and spans as users write them. */
#ifndef BANNERPROBE_WHEN_H
#define BANNERPROBE_WHEN_H

#include <stdbool.h>
#include <stdint.h>

#define US_PER_DAY 86400000000LL

/*
 * RFC 3339, YYYY-MM-DD [HH:MM[:SS]] in local time, now, today, yesterday,
 * "2 days ago", "a day ago", "last week", 12h (so long before now); case does
 * not matter. Microseconds since 1970, `now` as well.
 */
bool when_parse(const char *text, int64_t now, int64_t *when);

/* 7d, 12h, 30m, 90s, 2w, "3 days". In microseconds. */
bool span_parse(const char *text, int64_t *span);

#endif
