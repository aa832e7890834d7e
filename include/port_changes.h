/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How often sockets of this network namespace began or ceased to listen, as BPF
 * programs count it: in all, and by port. Some ports share a counter.
 */
#ifndef BANNERPROBE_PORT_CHANGES_H
#define BANNERPROBE_PORT_CHANGES_H

#define PORT_CHANGES_PORTS 4096
#define PORT_CHANGES_COUNTERS (1 + PORT_CHANGES_PORTS) /* the first: all */

/* The place of a port's counter. */
static inline __u32 port_changes_place(__u16 port)
{
	return 1 + port % PORT_CHANGES_PORTS;
}

#endif
