/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * For `make coverage`, in front of each file: the core's functions as
 * functions. Of one that is inlined gcov counts the branches in each place
 * anew.
 */
#include <sys/cdefs.h>
#undef __always_inline
#define __always_inline inline
