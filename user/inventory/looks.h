/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a piece of a form looks like: a version, a word, or a random token. */
#ifndef BANNERPROBE_LOOKS_H
#define BANNERPROBE_LOOKS_H

#include "form.h"

/*
 * How much a word looks like a version. LOOKS_RELEASE: it may belong to one, as
 * a year and a patch's number do, and is not wild because two connections
 * differ. LOOKS_DECIMAL: it is a number with a fraction, as in "load: 40.5",
 * and may be a measured value as well.
 */
enum looks_version { LOOKS_OTHER, LOOKS_RELEASE, LOOKS_DECIMAL, LOOKS_VERSION };

/* Sets version[i], an enum looks_version, for each symbol. */
void looks_mark_versions(const struct form *form, uint8_t version[FORM_MAX]);

/*
 * Letters only, four or more, in an order that languages have; or a protocol's
 * name.
 */
bool looks_like_word(const struct form *form, size_t from, size_t to);

/* A piece without letters other than a to f. */
bool looks_like_hex(const struct form *form, size_t from, size_t to);

/* Whether a unit follows a number that ends at `at`, perhaps behind a space. */
bool looks_unit_follows(const struct form *form, size_t at);

/* The end of a date or a time; `at` where there is none. */
size_t looks_date_end(const struct form *form, size_t at);
/* The date's day since 1970. False: there is none with a year. */
bool looks_date_day(const struct form *form, size_t at, long *day);

bool symbol_is_digit(uint16_t symbol);
bool symbol_is_letter(uint16_t symbol);
bool symbol_is_word(uint16_t symbol); /* a letter or a digit */
bool symbol_is_space(uint16_t symbol);

#endif
