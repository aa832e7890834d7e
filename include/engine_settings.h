/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the engine is set to do; constant during a run. */
#ifndef BANNERPROBE_ENGINE_SETTINGS_H
#define BANNERPROBE_ENGINE_SETTINGS_H

#include "platform.h"
#include "verdict.h"

struct engine_settings {
	struct track_options track;
	__u32 filter_by; /* enum filter_by; 0: all servers */
	__u32 limit;	 /* bytes of an event kept, 1 to BANNER_MAX */
};

#endif
