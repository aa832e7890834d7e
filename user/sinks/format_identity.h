/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A server's identity in lines of text and json. */
#ifndef BANNERPROBE_FORMAT_IDENTITY_H
#define BANNERPROBE_FORMAT_IDENTITY_H

#include "identify/identify.h"

/* The most bytes: eleven fields, of which each byte may be a backslash. */
#define IDENTITY_MAX_BYTES (11 * (4 * 255 + 16))

/* Both write at `to`, and return where the text ends. */
char *put_identity_json(char *to, const struct identified *identity);

/* " = OpenSSH 9.2p1": product and version, or else the service. */
char *put_identity(char *to, const struct identified *identity);

#endif
