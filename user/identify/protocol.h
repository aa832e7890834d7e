/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Identifies a server by the fields of its protocol. */
#ifndef BANNERPROBE_PROTOCOL_H
#define BANNERPROBE_PROTOCOL_H

#include "answer.h"
#include "dialect.h"

void structure_answer(const struct spoken *spoken, struct answer *answer);

/* The value of a header of HTTP, RTSP or SIP. False: there is none. */
bool structure_header(const struct text *text, const char *name,
		      struct text *value);

#endif
