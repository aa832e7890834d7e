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
	bool is_quiet;	   /* another process reports what is wrong in them */
};

#define RULES_QUIETLY 'Q' /* --quiet-rules, which bannerprobe passes */
#define RULE_OPTIONS                                                           \
	{ "probes",                                                            \
	  'b',                                                                 \
	  "FILE",                                                              \
	  0,                                                                   \
	  "identify by the rules of FILE, nmap's nmap-service-probes, first",  \
	  0 },                                                                 \
	{                                                                      \
		"recog", 'r', "FOLDER", 0,                                     \
			"identify by Recog's rules, too: the folder of its "   \
			"XML files",                                           \
			0                                                      \
	}

/* Takes an option of RULE_OPTIONS. ARGP_ERR_UNKNOWN: it is another option. */
error_t rule_option(struct named_rules *rules, int key, char *argument);

/*
 * Sets `identify` and its context. False, with a message: rules that the user
 * named cannot be used. Without usable rules of the project, nothing is
 * identified.
 */
bool identification_open(struct inventory_options *options,
			 const struct named_rules *rules);
void identification_close(struct inventory_options *options);

#endif
