/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Networks: what one is taken for; and a file of them, one a line. */
#ifndef BANNERPROBE_NETFILE_H
#define BANNERPROBE_NETFILE_H

#include "option_table.h"

#define NET_TEXT_MAX 64 /* bytes of an address with a prefix, and a NUL */

/*
 * The network around an address that has bits beyond its prefix: 10.0.0.0/8 of
 * 10.0.0.1/8. False: it has none.
 */
bool net_around(char text[NET_TEXT_MAX], const char *net);

/*
 * Adds all networks of a file to a set; the option's value is @FILE, # begins a
 * comment. Or a usage error that names the line.
 */
void netfile_add(struct server_list *wanted, const struct option_use *use,
		 __u32 set);

#endif
