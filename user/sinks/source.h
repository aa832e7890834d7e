/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where an event was seen. */
#ifndef BANNERPROBE_SOURCE_H
#define BANNERPROBE_SOURCE_H

#include <linux/types.h>

#define CAPTURE_IFACE_MAX 255 /* bytes */

struct identified;
struct service_owner;

struct source {
	const char *name;   /* of the interface or the file */
	__u64 clock_offset; /* ns: added to the event's times gives time since
			       1970 */
	const char *capture_iface; /* the interface's name in a capture: up to
				      CAPTURE_IFACE_MAX bytes, which may be any;
				      or NULL */
	const struct identified *identity; /* what the server is; or NULL */
	const struct service_owner *owner; /* of the service; NULL: not known */
	__u32 events; /* kinds that the user asked for: EVENT_BIT(), or 0 */
};

#endif
