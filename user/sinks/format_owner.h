/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Whose a service is, in lines of text and json; nothing where it is NULL. */
#ifndef BANNERPROBE_FORMAT_OWNER_H
#define BANNERPROBE_FORMAT_OWNER_H

#include "service_owner.h"

/* " [ssh.service]", " [docker:3f2a91c0b7de nginx]" */
char *put_owner(char *to, const struct service_owner *owner);

/* ,"unit":"ssh.service" and what else is known. */
char *put_owner_json(char *to, const struct service_owner *owner);

#endif
