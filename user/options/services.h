/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names of TCP services, as /etc/services has them. */
#ifndef BANNERPROBE_SERVICES_H
#define BANNERPROBE_SERVICES_H

/*
 * The port of a service by its name or another name of it; 0: the file has
 * none; negative errno: there is no file.
 */
int services_port(const char *name);

#endif
