/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The median of a benchmark's rounds. */
#ifndef BANNERPROBE_TESTS_MEDIAN_H
#define BANNERPROBE_TESTS_MEDIAN_H

#include <stdlib.h>

static inline int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The median of `count` values, which are sorted by this. */
static inline double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare_doubles);
	return values[count / 2];
}

#endif
