/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a server is, as text; nothing where that is NULL. */
#ifndef BANNERPROBE_FORMAT_IDENTITY_H
#define BANNERPROBE_FORMAT_IDENTITY_H

#include "identify/identify.h"

/* The most bytes that come of it: of eleven fields, each byte may be a \. */
#define IDENTITY_MAX_BYTES (11 * (4 * 255 + 16))

/* Each writes at `to`, and returns where it ended. */
char *put_identity_json(char *to, const struct identified *identity);

/* " = OpenSSH 9.2p1": product and version, or else the service. */
char *put_identity(char *to, const struct identified *identity);

#endif
