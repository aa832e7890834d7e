/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Copies of packets that end where memory may not be read. A read beyond a
 * packet ends the fuzzer with ASan and without.
 */
#ifndef BANNERPROBE_TESTS_FUZZ_GUARDED_H
#define BANNERPROBE_TESTS_FUZZ_GUARDED_H

#include <linux/types.h>
#include <stddef.h>

#define GUARDED_PLACES 40
#define GUARDED_MAX (1U << 19) /* bytes of a copy */

/*
 * Copies to a place, 0 to GUARDED_PLACES - 1, which keeps the copy until the
 * next one is made there.
 */
__u8 *guarded_copy(unsigned int place, const void *data, size_t len);

#endif
