/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Identifies a server by Recog's fingerprints. */
#ifndef BANNERPROBE_IDENTIFY_RECOG_H
#define BANNERPROBE_IDENTIFY_RECOG_H

#include "answer.h"
#include "dialect.h"
#include "fingerprint.h"
#include "rule_source.h"

struct recog {
	struct rule_source *sources;
	struct database *databases;
	struct matcher *matcher;
	bool some_are_wrong; /* a message says so */
};

/* Reads a folder's *.xml, or one file. 0 or negative errno, with a message. */
int recog_open(struct recog *recog, const char *path, struct matcher *matcher);
void recog_close(struct recog *recog);

/* The fingerprints of a kind, or NULL. */
struct database *recog_database(const struct recog *recog, const char *kind);

/* Sets an empty answer. False: no fingerprint knows the server. */
bool recog_answer(const struct recog *recog, const struct text *text,
		  const struct spoken *spoken, struct answer *answer);

#endif
