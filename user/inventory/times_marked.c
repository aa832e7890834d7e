/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads dates and times in Chinese, Japanese and Korean. */
#include "spelled.h"

#include <string.h>

enum mark {
	MARK_YEAR,
	MARK_MONTH,
	MARK_DAY,
	MARK_HOUR,
	MARK_MINUTE,
	MARK_SECOND
};

/*
 * The mark behind a number, in UTF-8, and in two bytes: in Shift JIS, EUC-JP,
 * EUC-KR, GBK and Big5.
 */
static const struct {
	char text[4];
	uint8_t mark;
} marks[] = {
	{ "\345\271\264", MARK_YEAR },	 { "\353\205\204", MARK_YEAR },
	{ "\346\234\210", MARK_MONTH },	 { "\354\233\224", MARK_MONTH },
	{ "\346\227\245", MARK_DAY },	 { "\354\235\274", MARK_DAY },
	{ "\346\231\202", MARK_HOUR },	 { "\346\227\266", MARK_HOUR },
	{ "\354\213\234", MARK_HOUR },	 { "\345\210\206", MARK_MINUTE },
	{ "\353\266\204", MARK_MINUTE }, { "\347\247\222", MARK_SECOND },
	{ "\354\264\210", MARK_SECOND }, { "\224\116", MARK_YEAR },
	{ "\307\257", MARK_YEAR },	 { "\304\352", MARK_YEAR },
	{ "\246\176", MARK_YEAR },	 { "\263\342", MARK_YEAR },
	{ "\214\216", MARK_MONTH },	 { "\267\356", MARK_MONTH },
	{ "\324\302", MARK_MONTH },	 { "\244\353", MARK_MONTH },
	{ "\277\371", MARK_MONTH },	 { "\223\372", MARK_DAY },
	{ "\306\374", MARK_DAY },	 { "\310\325", MARK_DAY },
	{ "\244\351", MARK_DAY },	 { "\300\317", MARK_DAY },
	{ "\216\236", MARK_HOUR },	 { "\273\376", MARK_HOUR },
	{ "\256\311", MARK_HOUR },	 { "\312\261", MARK_HOUR },
	{ "\275\303", MARK_HOUR },	 { "\225\252", MARK_MINUTE },
	{ "\312\254", MARK_MINUTE },	 { "\267\326", MARK_MINUTE },
	{ "\244\300", MARK_MINUTE },	 { "\272\320", MARK_MINUTE },
	{ "\225\142", MARK_SECOND },	 { "\311\303", MARK_SECOND },
	{ "\303\353", MARK_SECOND },	 { "\254\355", MARK_SECOND },
	{ "\303\312", MARK_SECOND },
};

/* 2026年9月21日 14時13分20秒 */
bool read_marked(struct spelled *s)
{
	const size_t count = sizeof(marks) / sizeof(*marks);
	uint64_t value;
	const size_t at = s->at + digits(s, s->at, &value);
	size_t i = 0, len = 0;

	if (at >= s->len || s->bytes[at] < 0x80)
		return false;
	for (; i < count; i++) {
		len = strlen(marks[i].text);
		if (at + len <= s->len &&
		    !memcmp(s->bytes + at, marks[i].text, len))
			break;
	}
	if (i == count)
		return false;
	if (marks[i].mark == MARK_YEAR && !s->year &&
	    in_range(value, 1970, 2100)) {
		s->year = (int)value;
	} else if (marks[i].mark == MARK_MONTH && !s->month &&
		   in_range(value, 1, 12)) {
		s->month = (int)value;
		s->named = true;
	} else if (marks[i].mark == MARK_DAY && !s->day &&
		   in_range(value, 1, 31)) {
		s->day = (int)value;
	} else if (marks[i].mark == MARK_HOUR && !s->clock && value < 25) {
		s->clock = true;
	} else if (marks[i].mark < MARK_MINUTE || !s->clock || value > 60) {
		return false;
	}
	s->at = at + len;
	return true;
}

/* The end of one of these characters, of three bytes each, at `at`; or `at`. */
static size_t character_end(const struct spelled *s, size_t at,
			    const char *characters)
{
	for (; *characters; characters += 3) {
		if (at + 3 <= s->len && !memcmp(s->bytes + at, characters, 3))
			return at + 3;
	}
	return at;
}

bool read_marked_weekday(struct spelled *s)
{
	static const char days[] =
		/* Japanese, Korean, Chinese */
		"\xe6\x97\xa5\xe6\x9c\x88\xe7\x81\xab\xe6\xb0\xb4\xe6\x9c\xa8"
		"\xe9\x87\x91\xe5\x9c\x9f"
		"\xec\x9d\xbc\xec\x9b\x94\xed\x99\x94\xec\x88\x98\xeb\xaa\xa9"
		"\xea\xb8\x88\xed\x86\xa0"
		"\xe4\xb8\x80\xe4\xba\x8c\xe4\xb8\x89\xe5\x9b\x9b\xe4\xba\x94"
		"\xe5\x85\xad\xe5\xa4\xa9";
	const bool bracket = is_at(s, s->at, '(');
	const size_t begin = s->at + bracket;
	size_t day = begin, end;

	if (!s->year || s->weekday)
		return false;
	/* Chinese: the word for a week is before the day. */
	day = character_end(s, day,
			    "\xe6\x98\x9f"
			    "\xe5\x91\xa8");
	day = character_end(s, day,
			    "\xe6\x9c\x9f"
			    "\xe9\x80\xb1");
	end = character_end(s, day, days);
	if (end == day)
		return false;
	/* Japanese and Korean: the words for a weekday are behind it. */
	day = end;
	end = character_end(s, end,
			    "\xe6\x9b\x9c"
			    "\xec\x9a\x94");
	end = character_end(s, end,
			    "\xe6\x97\xa5"
			    "\xec\x9d\xbc");
	if (bracket ? !is_at(s, end, ')') : end == day && begin + 3 == day)
		return false;
	s->weekday = 1;
	s->at = end + bracket;
	return true;
}
