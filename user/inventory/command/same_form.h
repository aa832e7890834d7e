/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Whether two inventories say the same of a service in other words. */
#ifndef BANNERPROBE_SAME_FORM_H
#define BANNERPROBE_SAME_FORM_H

#include "inventory/store.h"

/* Columns of a row that same_form() reads, in this order. */
#define SAME_FORM_COLUMNS                                                      \
	"stable, product, version, latest_raw, count, whole, refusal, port,"   \
	" banner.last_seen"

/*
 * Whether a service that nobody touched may have both forms: the latest bytes
 * of one have the other's form, or would be learned as a part of it. `was` and
 * `is`: rows with SAME_FORM_COLUMNS from column `at` on.
 */
bool same_form(sqlite3_stmt *was, sqlite3_stmt *is, int at);

#endif
