/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "calendar.h"

#include <stdlib.h>

long calendar_days(int year, int month, int day)
{
	const long y = year - (month <= 2);
	const long era = y / 400, of_era = y - era * 400;
	const long of_year =
		(153L * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 +
	       of_year - 719468;
}

bool is_near_date(int year, int month, int day, long today)
{
	if (month < 1 || month > 12)
		return false;
	if (year)
		return labs(calendar_days(year, month, day) - today) <=
		       NEAR_DAYS;
	for (int y = 1970 + (int)(today / 366) - 1;
	     y <= 1971 + (int)(today / 365); y++) {
		if (labs(calendar_days(y, month, day) - today) <= NEAR_DAYS)
			return true;
	}
	return false;
}
