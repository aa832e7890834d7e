/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* An identity that is being built, with its own memory. */
#ifndef BANNERPROBE_IDENTIFY_ANSWER_H
#define BANNERPROBE_IDENTIFY_ANSWER_H

#include "identify.h"
#include "text.h"

enum field {
	FIELD_SERVICE,
	FIELD_PRODUCT,
	FIELD_VERSION,
	FIELD_INFO,
	FIELD_HOSTNAME,
	FIELD_OS,
	FIELD_DEVICETYPE,
	FIELD_COUNT
};

#define ANSWER_CPES 4
#define ANSWER_FIELD_MAX 255

struct answer {
	struct identified identity;
	char *cpe[ANSWER_CPES + 1];
};

/* Empties an answer. It must be all zeros, or have been used before. */
void answer_clear(struct answer *answer);

/*
 * Sets a field. Unprintable bytes become dots, a value that is too long is cut,
 * and an empty one becomes NULL.
 */
void answer_set(struct answer *answer, enum field field, const void *bytes,
		size_t len);
void answer_set_string(struct answer *answer, enum field field,
		       const char *string);
/* The same, without the spaces around the text. */
void answer_set_text(struct answer *answer, enum field field,
		     const struct text *text);

void answer_add_cpe(struct answer *answer, const char *cpe);

/* The identity, once all fields are set. NULL without a service. */
const struct identified *answer_identity(struct answer *answer);

#endif
