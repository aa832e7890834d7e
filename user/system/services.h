/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names of TCP services, from /etc/services. */
#ifndef BANNERPROBE_SERVICES_H
#define BANNERPROBE_SERVICES_H

/*
 * The port of a service, by its name or an alias; 0: the file has no such
 * service; negative errno: the file cannot be read.
 */
int services_port(const char *name);

#endif
