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

/*
 * In Polish, Czech, Turkish, Romanian, Finnish, Hungarian and the languages of
 * Scandinavia. Some are words in English, so they need a day beside them.
 */
static const struct name rare_months[] = {
	{ "stycznia", 1 },     { "lutego", 2 },	    { "marca", 3 },
	{ "kwietnia", 4 },     { "maja", 5 },	    { "czerwca", 6 },
	{ "lipca", 7 },	       { "sierpnia", 8 },   { "wrzeSnia", 9 },
	{ "paZdziernik", 10 }, { "listopada", 11 }, { "grudnia", 12 },
	{ "ledna", 1 },	       { "Unora", 2 },	    { "bREzna", 3 },
	{ "dubna", 4 },	       { "kvEtna", 5 },	    { "Cervna", 6 },
	{ "Cen", 6 },	       { "Cervence", 7 },   { "Cec", 7 },
	{ "srpna", 8 },	       { "zARI", 9 },	    { "RIjna", 10 },
	{ "listopadu", 11 },   { "prosince", 12 },  { "ocak", 1 },
	{ "Subat", 2 },	       { "nisan", 4 },	    { "haziran", 6 },
	{ "temmuz", 7 },       { "aGustos", 8 },    { "eylUl", 9 },
	{ "ekim", 10 },	       { "kasIm", 11 },	    { "aralIk", 12 },
	{ "maj", 5 },	       { "marts", 3 },	    { "desember", 12 },
	{ "ianuarie", 1 },     { "iunie", 6 },	    { "iulie", 7 },
	{ "noiembrie", 11 },   { "tammikuuta", 1 }, { "helmikuuta", 2 },
	{ "maaliskuuta", 3 },  { "huhtikuuta", 4 }, { "toukokuuta", 5 },
	{ "kesAkuuta", 6 },    { "heinAkuuta", 7 }, { "elokuuta", 8 },
	{ "syyskuuta", 9 },    { "lokakuuta", 10 }, { "marraskuuta", 11 },
	{ "joulukuuta", 12 },  { "januAr", 1 },	    { "februAr", 2 },
	{ "mArcius", 3 },      { "Aprilis", 4 },    { "mAjus", 5 },
	{ "jUnius", 6 },       { "jUlius", 7 },	    { "augusztus", 8 },
	{ "szeptember", 9 },   { "oktOber", 10 },
};
static const struct name rare_weekdays[] = {
	{ "niedziela", 1 }, { "poniedziaLe", 2 }, { "pn", 2 },
	{ "wtorek", 3 },    { "wt", 3 },	  { "Sroda", 4 },
	{ "Sr", 4 },	    { "czwartek", 5 },	  { "piAtek", 6 },
	{ "pt", 6 },	    { "sobota", 7 },	  { "po", 2 },
	{ "Ut", 3 },	    { "st", 4 },	  { "Ct", 5 },
	{ "pA", 6 },	    { "ne", 1 },	  { "mAndag", 2 },
	{ "mandag", 2 },    { "tisdag", 3 },	  { "tirsdag", 3 },
	{ "onsdag", 4 },    { "torsdag", 5 },	  { "fredag", 6 },
	{ "lOrdag", 7 },    { "sOndag", 1 },	  { "pazar", 1 },
	{ "pts", 2 },	    { "pzt", 2 },	  { "salI", 3 },
	{ "CarSamba", 4 },  { "perSembe", 5 },	  { "cuma", 6 },
	{ "cts", 7 },	    { "cmt", 7 },	  { "su", 1 },
	{ "ti", 3 },	    { "ke", 4 },	  { "to", 5 },
	{ "pe", 6 },	    { "la", 7 },	  { "joi", 5 },
	{ "vin", 6 },	    { "sAm", 7 },	  { "dum", 1 },
	{ "mie", 4 },
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
	uint32_t of[32];
};
static struct second_letters of_months, of_weekdays, of_rare_months,
	of_rare_weekdays, of_first; /* of_first: of what a date begins with */
#define ACCENT (1U << 31)
#define NUMBER 31 /* of a letter in the alphabet: these bits of it */

static void note(struct second_letters *seconds, const struct name *names,
		 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *text = names[i].text;
		uint32_t *of = &seconds->of[text[0] & NUMBER];

		*of |= 1U << (text[1] & NUMBER);
		*of |= text[1] & 0x20 ? 0 : ACCENT;
	}
}

/* Before main(), so that no call has to ask whether it was done. */
__attribute__((constructor)) static void note_all(void)
{
	note(&of_months, months, COUNT(months));
	note(&of_weekdays, weekdays, COUNT(weekdays));
	note(&of_rare_months, rare_months, COUNT(rare_months));
	note(&of_rare_weekdays, rare_weekdays, COUNT(rare_weekdays));
	note(&of_first, months, COUNT(months));
	note(&of_first, weekdays, COUNT(weekdays));
	note(&of_first, rare_weekdays, COUNT(rare_weekdays));
	/* No date is looked for at "Ut": many other words begin so. */
	of_first.of['u' & NUMBER] = 0;
}

/* False: no name begins with these two bytes, of which the first is ASCII. */
static bool may_begin(const struct second_letters *seconds,
		      const uint8_t *bytes, size_t len)
{
	if (len < 2 || !is_letter(bytes[0]) || !is_letter(bytes[1]))
		return false;
	return seconds->of[bytes[0] & NUMBER] &
	       (bytes[1] >= 0x80 ? ACCENT : 1U << (bytes[1] & NUMBER));
}

bool may_begin_time(const uint8_t *bytes, size_t len)
{
	if (bytes[0] >= 0x80 || (bytes[0] >= '0' && bytes[0] <= '9'))
		return true;
	return may_begin(&of_first, bytes, len);
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

#define NAME_CHARACTERS 11

static struct word read_word(const uint8_t *bytes, size_t len)
{
	struct word word = { .bytes = bytes };

	while (word.len < len && is_letter(bytes[word.len]) &&
	       word.characters < NAME_CHARACTERS) {
		word.len += character(bytes + word.len, len - word.len);
		word.characters++;
	}
	return word;
}

static int named(const struct name *names, size_t count, const uint8_t *bytes,
		 size_t len, size_t *name_len)
{
	const struct word word = read_word(bytes, len);

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
	if (!may_begin(&of_months, bytes, len))
		return 0;
	return named(months, COUNT(months), bytes, len, name_len);
}

int weekday_named(const uint8_t *bytes, size_t len, size_t *name_len)
{
	if (len && bytes[0] >= 0x80)
		return russian_weekday(bytes, len, name_len);
	if (!may_begin(&of_weekdays, bytes, len))
		return 0;
	return named(weekdays, COUNT(weekdays), bytes, len, name_len);
}

/* A time of day, behind a weekday within a date: 21 Eyl 2026 Pts 14:13 */
static bool has_clock(const uint8_t *bytes, size_t len)
{
	size_t at = 1;

	while (at < len && bytes[at] >= '0' && bytes[at] <= '9')
		at++;
	return at > 1 && at < len && bytes[0] == ' ' && bytes[at] == ':';
}

/*
 * The first letter of these names may have an accent. behind(): whether what
 * follows is right; few words of other texts have that.
 */
static int rare_named(const struct name *names, size_t count,
		      const struct second_letters *seconds,
		      const uint8_t *bytes, size_t len,
		      bool (*behind)(const uint8_t *bytes, size_t len),
		      size_t *name_len)
{
	struct word word;

	if (!len || (bytes[0] < 0x80 && !may_begin(seconds, bytes, len)))
		return 0;
	word = read_word(bytes, len);
	if (word.characters < 2 || !behind(bytes + word.len, len - word.len))
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (!is_name(&word, names[i].text))
			continue;
		*name_len = word.len;
		return names[i].number;
	}
	return 0;
}

/* A year or a time of day: 21 wrz 2026, man 21 maj 14:13 */
static bool has_number(const uint8_t *bytes, size_t len)
{
	const size_t at = len && bytes[0] == '.';

	return at + 1 < len && bytes[at] == ' ' && bytes[at + 1] >= '0' &&
	       bytes[at + 1] <= '9';
}

int rare_month_named(const uint8_t *bytes, size_t len, size_t *name_len)
{
	return rare_named(rare_months, COUNT(rare_months), &of_rare_months,
			  bytes, len, has_number, name_len);
}

int rare_weekday_named(const uint8_t *bytes, size_t len, bool in_date,
		       size_t *name_len)
{
	return rare_named(rare_weekdays, COUNT(rare_weekdays),
			  &of_rare_weekdays, bytes, len,
			  in_date ? has_clock : has_day, name_len);
}
