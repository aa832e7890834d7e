/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Recog's XML files. */
#ifndef BANNERPROBE_IDENTIFY_RECOGFILE_H
#define BANNERPROBE_IDENTIFY_RECOGFILE_H

#include "fingerprint.h"
#include "rule_source.h"

/*
 * Reads a file into a database, which the caller adds to the others. The
 * source's path must stay valid as long. 0 or negative errno; -EINVAL, with a
 * message: it is no such file.
 */
int recogfile_load(const struct rule_source *source, struct matcher *matcher,
		   struct database **database);

#endif
