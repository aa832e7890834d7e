/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Networks from a file: one a line, # begins a comment. */
#ifndef BANNERPROBE_NETFILE_H
#define BANNERPROBE_NETFILE_H

#include "engine/server_list.h"

/*
 * Adds all networks of the file to a set. False, with a message that names the
 * option and the line.
 */
bool netfile_add(struct server_list *wanted, const char *option,
		 const char *path, __u32 set);

#endif
