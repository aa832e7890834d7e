/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * uthash. Where there is no memory to add an entry, it sets the entry's
 * `failed` and does not end the process.
 */
#ifndef BANNERPROBE_HASH_TABLE_H
#define BANNERPROBE_HASH_TABLE_H

#include <stdbool.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->failed = true)
#include <uthash.h>

/*
 * Entries in a hash bucket before the number of buckets is doubled: each entry
 * is a cache miss.
 */
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 6

#endif
