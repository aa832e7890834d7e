/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Addresses as text, in the inventory's file and in the log. */
#ifndef BANNERPROBE_ADDRESS_H
#define BANNERPROBE_ADDRESS_H

#include "observation.h"

#define ADDRESS_TEXT 48

void address_to_text(const struct address *address, char text[ADDRESS_TEXT]);
bool address_from_text(struct address *address, const char *text);

#endif
