/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Days of dates, and whether a date is near to a day. */
#ifndef BANNERPROBE_CALENDAR_H
#define BANNERPROBE_CALENDAR_H

#include <stdbool.h>

#define NEAR_DAYS 2 /* allows for time zones, and for an inexact clock */

/* Days since 1970 of a date of the Gregorian calendar. */
long calendar_days(int year, int month, int day);

/*
 * Whether a date is within NEAR_DAYS of `today`, in days since 1970. Year 0: of
 * any year. A day may lie beyond its month's end, and is counted on.
 */
bool is_near_date(int year, int month, int day, long today);

#endif
