/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names of months and of weekdays in Russian. */
#ifndef BANNERPROBE_RUSSIAN_NAMES_H
#define BANNERPROBE_RUSSIAN_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* As month_named() and weekday_named(), in UTF-8, KOI8-R or Windows-1251. */
int russian_month(const uint8_t *bytes, size_t len, size_t *name_len);
int russian_weekday(const uint8_t *bytes, size_t len, size_t *name_len);

/* The length of " г. " or " в " (year, at) between two pieces of a date; or 0.
 */
size_t russian_joint(const uint8_t *bytes, size_t len);

#endif
