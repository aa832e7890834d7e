/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* HAProxy's PROXY protocol, versions 1 and 2 (proxy-protocol.txt). */
#ifndef BANNERPROBE_PROXY_HEADER_H
#define BANNERPROBE_PROXY_HEADER_H

#include "event.h"

/* Whether an event is a request that consists of a PROXY header only. */
bool is_proxy_header(const struct event *event);

#endif
