/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The file nmap-service-probes of nmap. */
#ifndef BANNERPROBE_IDENTIFY_NMAPFILE_H
#define BANNERPROBE_IDENTIFY_NMAPFILE_H

#include "ruleset.h"
#include "rule_source.h"

/*
 * Adds the rules of the NULL probe to `first` and those of the other TCP probes
 * to `second`, in their order. The source is changed, and must stay valid as
 * long as the rules. 0 or negative errno; -EINVAL: it is no such file.
 */
int nmapfile_load(struct rule_source *source, struct ruleset *first,
		  struct ruleset *second);

#endif
