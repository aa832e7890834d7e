/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Networks from a file: one a line, # begins a comment. */
#ifndef BANNERPROBE_NETFILE_H
#define BANNERPROBE_NETFILE_H

#include "option_table.h"

/*
 * Adds all networks of a file to a set; the option's value is @FILE. Or a usage
 * error that names the line.
 */
void netfile_add(struct server_list *wanted, const struct option_use *use,
		 __u32 set);

#endif
