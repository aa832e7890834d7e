/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The names of months and weekdays, in the languages that servers speak. */
#ifndef BANNERPROBE_TIME_NAMES_H
#define BANNERPROBE_TIME_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MONTH_MARCH 3
#define WEEKDAY_TUESDAY 3

/* False: no date or time begins so: with no digit, and with no name. */
bool may_begin_time(const uint8_t *bytes, size_t len);

/*
 * The number, from 1, of the month or weekday (1 is Sunday) that the bytes
 * begin with, and how long its name is. 0: they begin with none, and *name_len
 * may be unchanged.
 */
int month_named(const uint8_t *bytes, size_t len, size_t *name_len);
int weekday_named(const uint8_t *bytes, size_t len, size_t *name_len);

/*
 * The same in further languages. A month's name needs a day before it, and a
 * weekday's a day behind it. in_date: it is within a date, and needs a time of
 * day behind it.
 */
int rare_month_named(const uint8_t *bytes, size_t len, size_t *name_len);
int rare_weekday_named(const uint8_t *bytes, size_t len, bool in_date,
		       size_t *name_len);

#endif
