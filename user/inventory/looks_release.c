/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What may belong to a version: years, numbers of patches, a product's release.
 */
#include "looks_pieces.h"

#define FIRST_YEAR 1970
#define LAST_YEAR 2069

static bool is_number(const struct form *form, size_t at, size_t end,
		      unsigned int least, unsigned int most)
{
	const size_t n = count_digits(form, at, end);

	return n && n == end - at && n <= 4 && octet(form, at, n) >= least &&
	       octet(form, at, n) <= most;
}

static bool is_year(const struct form *form, size_t at, size_t end)
{
	return end == at + 4 && is_number(form, at, end, FIRST_YEAR, LAST_YEAR);
}

static bool is_part_of_date(const struct form *form, size_t at, size_t end)
{
	return end - at <= 2 ? is_number(form, at, end, 1, 31) :
			       is_year(form, at, end);
}

/*
 * The end of 2014, 1993-2023, 2017-11-22 or 11/26/2016: no more than three
 * numbers, among them a year. `at`: there is no such date.
 */
static size_t years_end(const struct form *form, size_t at)
{
	const uint8_t before = at ? literal(form->symbol[at - 1]) : ' ';
	size_t from = at, end;
	bool year = false;

	if (before && strchr("/-._", before))
		return at;
	for (int parts = 0; parts < 3; parts++, from = end + 1) {
		end = from + count_digits(form, from, form->len);
		if (end == from || !is_part_of_date(form, from, end))
			return at;
		year |= is_year(form, from, end);
		if (end + 1 >= form->len || !literal(form->symbol[end]) ||
		    !strchr("/-", literal(form->symbol[end])) ||
		    !symbol_is_digit(form->symbol[end + 1]))
			break;
	}
	if (!year || (end < form->len && symbol_is_word(form->symbol[end])) ||
	    (end + 1 < form->len && literal(form->symbol[end]) == '.' &&
	     symbol_is_word(form->symbol[end + 1])))
		return at;
	return end;
}

/* Whether these characters, and before them a version, are before `at`. */
static bool is_behind_version(const struct form *form, const uint8_t *version,
			      size_t at, const char *between)
{
	const size_t n = strlen(between);

	return at > n && version[at - n - 1] >= LOOKS_DECIMAL &&
	       has_text(form, at - n, at, between);
}

#define BUILD_MAX 4
#define PATCH_LETTERS 3

/* 9.0.1FP10 HF197, 4.96 #2, 5.5(16), 2.6.1(PHNE_38578), 6.11 (151030) */
static bool is_patch(const struct form *form, const uint8_t *version, size_t at,
		     size_t end)
{
	const size_t n = count_digits(form, at, end);
	size_t letters = 0;

	while (at + letters < end &&
	       symbol_is_letter(form->symbol[at + letters]))
		letters++;
	if (is_behind_version(form, version, at, " "))
		return letters && letters <= PATCH_LETTERS &&
		       letters < end - at &&
		       count_digits(form, at + letters, end) ==
			       end - at - letters;
	if (is_behind_version(form, version, at, " #"))
		return n == end - at && n <= BUILD_MAX;
	/* 1.8.1(002.5*kWh) is a code of a meter, and its value. */
	if (is_behind_version(form, version, at, "("))
		return has_digit(form, at, end) &&
		       (n < end - at || n <= BUILD_MAX) &&
		       !looks_unit_follows(form, end);
	return is_behind_version(form, version, at, " (") && n == 6 &&
	       n == end - at && is_number(form, at + 2, at + 4, 1, 12) &&
	       is_number(form, at + 4, at + 6, 1, 31);
}

/* OTP/24: a product's name, with a capital, and its release. */
static bool is_product(const struct form *form, size_t at, size_t end)
{
	size_t name = at ? at - 1 : 0;

	if (!is_number(form, at, end, 0, 9999) ||
	    literal(form->symbol[name]) != '/')
		return false;
	while (name && symbol_is_letter(form->symbol[name - 1]))
		name--;
	return name + 2 < at && literal(form->symbol[name]) < 'a';
}

void looks_mark_releases(const struct form *form, uint8_t version[FORM_MAX])
{
	size_t end;

	for (size_t at = 0; at < form->len; at = end + (end == at)) {
		const size_t years = years_end(form, at);

		for (end = at;
		     end < form->len && is_version_char(form->symbol[end]);)
			end++;
		if (end == at || version[at])
			continue;
		if (years > at)
			memset(version + at, LOOKS_RELEASE, years - at);
		else if (is_patch(form, version, at, end) ||
			 is_product(form, at, end))
			memset(version + at, LOOKS_RELEASE, end - at);
		end = years > end ? years : end;
	}
}
