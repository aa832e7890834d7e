/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "time_names.h"

#include "russian_names.h"

#include <stdbool.h>

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/*
 * In English, German, French, Spanish, Italian, Portuguese and Dutch. A capital
 * letter may have an accent, in UTF-8 or Latin-1. Sunday is 1.
 */
struct name {
	char text[12];
	uint8_t number;
};

static const struct name months[] = {
	{ "january", 1 },    { "januar", 1 },	  { "jAnner", 1 },
	{ "janvier", 1 },    { "enero", 1 },	  { "gennaio", 1 },
	{ "janeiro", 1 },    { "januari", 1 },	  { "february", 2 },
	{ "februar", 2 },    { "fEvrier", 2 },	  { "febrero", 2 },
	{ "febbraio", 2 },   { "fevereiro", 2 },  { "februari", 2 },
	{ "march", 3 },	     { "mArz", 3 },	  { "mars", 3 },
	{ "marzo", 3 },	     { "marCo", 3 },	  { "maart", 3 },
	{ "mrt", 3 },	     { "april", 4 },	  { "avril", 4 },
	{ "abril", 4 },	     { "aprile", 4 },	  { "may", 5 },
	{ "mai", 5 },	     { "mayo", 5 },	  { "maggio", 5 },
	{ "maio", 5 },	     { "mei", 5 },	  { "june", 6 },
	{ "juni", 6 },	     { "juin", 6 },	  { "junio", 6 },
	{ "giugno", 6 },     { "junho", 6 },	  { "july", 7 },
	{ "juli", 7 },	     { "juillet", 7 },	  { "julio", 7 },
	{ "luglio", 7 },     { "julho", 7 },	  { "august", 8 },
	{ "aoUt", 8 },	     { "agosto", 8 },	  { "augustus", 8 },
	{ "september", 9 },  { "septembre", 9 },  { "septiembre", 9 },
	{ "settembre", 9 },  { "setembro", 9 },	  { "october", 10 },
	{ "oktober", 10 },   { "octobre", 10 },	  { "octubre", 10 },
	{ "ottobre", 10 },   { "outubro", 10 },	  { "november", 11 },
	{ "novembre", 11 },  { "noviembre", 11 }, { "novembro", 11 },
	{ "december", 12 },  { "dezember", 12 },  { "dEcembre", 12 },
	{ "diciembre", 12 }, { "dicembre", 12 },  { "dezembro", 12 },
};
static const struct name weekdays[] = {
	{ "sunday", 1 },    { "sonntag", 1 },	{ "so", 1 },
	{ "dimanche", 1 },  { "domingo", 1 },	{ "domenica", 1 },
	{ "zondag", 1 },    { "zo", 1 },	{ "monday", 2 },
	{ "montag", 2 },    { "mo", 2 },	{ "lundi", 2 },
	{ "lunes", 2 },	    { "lunedi", 2 },	{ "segunda", 2 },
	{ "maandag", 2 },   { "ma", 2 },	{ "tuesday", 3 },
	{ "dienstag", 3 },  { "di", 3 },	{ "mardi", 3 },
	{ "martes", 3 },    { "martedi", 3 },	{ "terCa", 3 },
	{ "dinsdag", 3 },   { "wednesday", 4 }, { "mittwoch", 4 },
	{ "mi", 4 },	    { "mercredi", 4 },	{ "miErcoles", 4 },
	{ "mercoledi", 4 }, { "quarta", 4 },	{ "woensdag", 4 },
	{ "wo", 4 },	    { "thursday", 5 },	{ "donnerstag", 5 },
	{ "do", 5 },	    { "jeudi", 5 },	{ "jueves", 5 },
	{ "giovedi", 5 },   { "quinta", 5 },	{ "donderdag", 5 },
	{ "friday", 6 },    { "freitag", 6 },	{ "fr", 6 },
	{ "vendredi", 6 },  { "viernes", 6 },	{ "venerdi", 6 },
	{ "sexta", 6 },	    { "vrijdag", 6 },	{ "vr", 6 },
	{ "saturday", 7 },  { "samstag", 7 },	{ "sonnabend", 7 },
	{ "sa", 7 },	    { "samedi", 7 },	{ "sAbado", 7 },
	{ "sabato", 7 },    { "zaterdag", 7 },	{ "za", 7 },
};

static bool is_letter(uint8_t byte)
{
	return byte >= 0x80 || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

/* The bytes of the character at the beginning. */
static size_t character(const uint8_t *bytes, size_t len)
{
	size_t n = 1;

	while (bytes[0] >= 0xc2 && n < len && n < 4 && bytes[n] >= 0x80 &&
	       bytes[n] < 0xc0)
		n++;
	return n;
}

/* A word, and how many characters it has. */
struct word {
	const uint8_t *bytes;
	size_t len, characters;
};

static bool is_same(uint8_t byte, uint8_t wanted)
{
	const bool is_accented = !(wanted & 0x20) && byte >= 0x80;

	return is_accented || (byte | 0x20) == (wanted | 0x20);
}

/* Whether the word is the name, or its first three or four characters. */
static bool is_name(const struct word *word, const char *name)
{
	size_t at = 0, same = 0;

	for (; at < word->len && *name; name++, same++) {
		const size_t n = character(word->bytes + at, word->len - at);

		if (!is_same(word->bytes[at], (uint8_t)*name))
			return false;
		at += n;
	}
	return at == word->len && (!*name || same == 3 || same == 4);
}

/* A name of two characters is a word, too, unless a day follows: Mo 21. Sep */
static bool has_day(const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (at < len &&
	       (bytes[at] == '.' || bytes[at] == ',' || bytes[at] == ' '))
		at++;
	if (!at || at == len || bytes[at] < '0' || bytes[at] > '9')
		return false;
	while (at < len && bytes[at] >= '0' && bytes[at] <= '9')
		at++;
	return at == len || bytes[at] != ':';
}

/*
 * For each first letter the second ones that names have, a bit each: with an
 * accent the last one. Nearly all words are refused by these.
 */
struct second_letters {
	uint32_t of[26];
	bool is_known;
};
static struct second_letters of_months, of_weekdays;
#define ACCENT (1U << 31)

static void note_second_letters(struct second_letters *seconds,
				const struct name *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *text = names[i].text;
		uint32_t *of = &seconds->of[text[0] - 'a'];

		*of |= 1U << ((text[1] | 0x20) - 'a');
		*of |= text[1] & 0x20 ? 0 : ACCENT;
	}
	seconds->is_known = true;
}

/* False: no name begins with these two bytes, of which the first is ASCII. */
static bool may_begin(const struct second_letters *seconds,
		      const uint8_t *bytes, size_t len)
{
	if (len < 2 || !is_letter(bytes[0]) || !is_letter(bytes[1]))
		return false;
	return seconds->of[(bytes[0] | 0x20) - 'a'] &
	       (bytes[1] >= 0x80 ? ACCENT : 1U << ((bytes[1] | 0x20) - 'a'));
}

static int find(const struct name *names, size_t count, const struct word *word)
{
	const char first = (char)(word->bytes[0] | 0x20);

	for (size_t i = 0; i < count; i++) {
		if (names[i].text[0] == first && is_name(word, names[i].text))
			return names[i].number;
	}
	return 0;
}

static int named(const struct name *names, size_t count, const uint8_t *bytes,
		 size_t len, size_t *name_len)
{
	struct word word = { .bytes = bytes };

	while (word.len < len && is_letter(bytes[word.len]) &&
	       word.characters < 11) {
		word.len += character(bytes + word.len, len - word.len);
		word.characters++;
	}
	*name_len = word.len;
	if (word.characters < 2 || (word.characters == 2 &&
				    !has_day(bytes + word.len, len - word.len)))
		return 0;
	return find(names, count, &word);
}

int month_named(const uint8_t *bytes, size_t len, size_t *name_len)
{
	if (len && bytes[0] >= 0x80)
		return russian_month(bytes, len, name_len);
	if (!of_months.is_known)
		note_second_letters(&of_months, months, COUNT(months));
	if (!may_begin(&of_months, bytes, len))
		return 0;
	return named(months, COUNT(months), bytes, len, name_len);
}

int weekday_named(const uint8_t *bytes, size_t len, size_t *name_len)
{
	if (len && bytes[0] >= 0x80)
		return russian_weekday(bytes, len, name_len);
	if (!of_weekdays.is_known)
		note_second_letters(&of_weekdays, weekdays, COUNT(weekdays));
	if (!may_begin(&of_weekdays, bytes, len))
		return 0;
	return named(weekdays, COUNT(weekdays), bytes, len, name_len);
}
