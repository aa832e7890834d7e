/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "russian_names.h"

#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof(*(table)))
#define NAME_MAX_LETTERS 11

/*
 * A letter, small or capital, is noted as KOI8-R has it without the upper three
 * of its bits, in the column of A: mostly the Latin letter that sounds like it.
 */
struct name {
	char text[NAME_MAX_LETTERS + 1];
	uint8_t number;
};

static const struct name months[] = {
	{ "QNWARX", 1 },   { "QNWARQ", 1 },   { "FEWRALX", 2 },
	{ "FEWRALQ", 2 },  { "MART", 3 },     { "MARTA", 3 },
	{ "APRELX", 4 },   { "APRELQ", 4 },   { "MAJ", 5 },
	{ "MAQ", 5 },	   { "I@NX", 6 },     { "I@NQ", 6 },
	{ "I@LX", 7 },	   { "I@LQ", 7 },     { "AWGUST", 8 },
	{ "AWGUSTA", 8 },  { "SENTQBRX", 9 }, { "SENTQBRQ", 9 },
	{ "OKTQBRX", 10 }, { "OKTQBRQ", 10 }, { "NOQBRX", 11 },
	{ "NOQBRQ", 11 },  { "DEKABRX", 12 }, { "DEKABRQ", 12 },
};
static const struct name weekdays[] = {
	{ "WOSKRESENXE", 1 }, { "WS", 1 }, { "PONEDELXNIK", 2 }, { "PN", 2 },
	{ "WTORNIK", 3 },     { "WT", 3 }, { "SREDA", 4 },	 { "SR", 4 },
	{ "^ETWERG", 5 },     { "^T", 5 }, { "PQTNICA", 6 },	 { "PT", 6 },
	{ "SUBBOTA", 7 },     { "SB", 7 },
};

/* The letters in the order of the alphabet, noted in that way. */
static const char alphabet[] = "ABWGDEVZIJKLMNOPRSTUFHC^[]_YX\\@Q";

enum encoding { UTF_8, KOI8_R, WINDOWS_1251, ENCODINGS };

/* The letter at the beginning, and its length; 0: there is none. */
static char letter_of(enum encoding encoding, const uint8_t *bytes, size_t len,
		      size_t *letter_len)
{
	unsigned int code;

	*letter_len = 1;
	if (encoding != UTF_8 && (!len || bytes[0] < 0xc0))
		return 0;
	if (encoding == KOI8_R)
		return (char)('@' | (bytes[0] & 0x1f));
	if (encoding == WINDOWS_1251)
		return alphabet[bytes[0] & 0x1f];
	*letter_len = 2;
	if (len < 2 || (bytes[0] != 0xd0 && bytes[0] != 0xd1) ||
	    (bytes[1] & 0xc0) != 0x80)
		return 0;
	code = (bytes[0] & 0x1fU) << 6 | (bytes[1] & 0x3fU);
	return code >= 0x410 && code < 0x450 ? alphabet[(code - 0x410) & 0x1f] :
					       0;
}

/* Reads a word. Returns its length in bytes; 0: there is none so short. */
static size_t read_word(enum encoding encoding, const uint8_t *bytes,
			size_t len, char word[NAME_MAX_LETTERS + 1])
{
	size_t at = 0, letters = 0, letter_len;

	while (letters < NAME_MAX_LETTERS &&
	       (word[letters] = letter_of(encoding, bytes + at, len - at,
					  &letter_len))) {
		at += letter_len;
		letters++;
	}
	word[letters] = '\0';
	return at == len || bytes[at] < 0x80 ? at : 0;
}

/* The whole name, or its first three or four letters. */
static int find(const struct name *names, size_t count, const char *word)
{
	const size_t letters = strlen(word);

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(names[i].text, word) ||
		    ((letters == 3 || letters == 4) &&
		     !strncmp(names[i].text, word, letters)))
			return names[i].number;
	}
	return 0;
}

static int named(const struct name *names, size_t count, const uint8_t *bytes,
		 size_t len, size_t *name_len)
{
	char word[NAME_MAX_LETTERS + 1];
	int found = 0;

	for (int encoding = 0; !found && encoding < ENCODINGS; encoding++) {
		*name_len =
			read_word((enum encoding)encoding, bytes, len, word);
		if (*name_len)
			found = find(names, count, word);
	}
	return found;
}

int russian_month(const uint8_t *bytes, size_t len, size_t *name_len)
{
	return named(months, COUNT(months), bytes, len, name_len);
}

int russian_weekday(const uint8_t *bytes, size_t len, size_t *name_len)
{
	return named(weekdays, COUNT(weekdays), bytes, len, name_len);
}

size_t russian_joint(const uint8_t *bytes, size_t len)
{
	char letter = 0;
	size_t at = 1;

	if (len < 2 || bytes[0] != ' ' || bytes[1] < 0x80)
		return 0;
	for (int encoding = 0; encoding < ENCODINGS; encoding++) {
		letter = letter_of((enum encoding)encoding, bytes + 1, len - 1,
				   &at);
		at++;
		if ((letter == 'G' || letter == 'W') && at < len &&
		    bytes[at] < 0x80)
			break;
		letter = 0;
	}
	if (letter == 'G' && bytes[at] == '.')
		at++;
	if (letter == 'G' && at < len && bytes[at] == ',')
		at++;
	return letter && at < len && bytes[at] == ' ' ? at + 1 : 0;
}
