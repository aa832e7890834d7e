/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Identifies greetings by the project's own rules. */
#ifndef BANNERPROBE_IDENTIFICATION_H
#define BANNERPROBE_IDENTIFICATION_H

#include "inventory/inventory.h"

#include <argp.h>

#define PROBES_MAX 8

/* The rules that a user names, beside the project's own. */
struct named_rules {
	const char *probes[PROBES_MAX + 1]; /* ends with NULL */
	int count;
	const char *recog; /* or NULL */
	bool is_quiet;	   /* another process says what is wrong with them */
};

#define RULES_QUIETLY 'Q' /* of --quiet-rules, which bannerprobe gives */
#define RULE_OPTIONS                                                           \
	{ "probes",                                                            \
	  'b',                                                                 \
	  "FILE",                                                              \
	  0,                                                                   \
	  "identify by these rules first: nmap's, nmap-service-probes",        \
	  0 },                                                                 \
	{                                                                      \
		"recog", 'r', "FOLDER", 0,                                     \
			"identify by these, too: Recog's, a folder of its "    \
			"XML files",                                           \
			0                                                      \
	}

/* ARGP_ERR_UNKNOWN: it is no option of these. */
error_t rule_option(struct named_rules *rules, int key, char *argument);

/*
 * Sets both fields of the options. False, with a message: rules that a user
 * named cannot be used. Where the project's own cannot, nothing is identified.
 */
bool identification_open(struct inventory_options *options,
			 const struct named_rules *rules);
void identification_close(struct inventory_options *options);

#endif
