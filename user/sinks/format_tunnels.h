/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The tunnels around an event's packet, as text; there is one at least. */
#ifndef BANNERPROBE_FORMAT_TUNNELS_H
#define BANNERPROBE_FORMAT_TUNNELS_H

#include "event.h"

/* Each writes at `to`, and returns the end of the text. */
char *put_tunnels_json(char *to, const struct event *event);
char *put_tunnels(char *to, const struct event *event);

#endif
