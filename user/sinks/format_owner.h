/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A service's owner in lines of text and json. */
#ifndef BANNERPROBE_FORMAT_OWNER_H
#define BANNERPROBE_FORMAT_OWNER_H

#include "service_owner.h"

/* " [ssh.service]", " [docker:3f2a91c0b7de nginx]" */
char *put_owner(char *to, const struct service_owner *owner);

/* ,"unit":"ssh.service" and each other field that is known. */
char *put_owner_json(char *to, const struct service_owner *owner);

#endif
