/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The list of interfaces, those of them that are there by index, and the queue
 * of those that are to be attached to. */
#ifndef BANNERPROBE_INTERFACE_LIST_H
#define BANNERPROBE_INTERFACE_LIST_H

#include "interfaces.h"

/* One that is not there yet; NULL, with a message, without memory. */
struct interface *interfaces_add(struct interfaces *interfaces);
void interfaces_forget(struct interfaces *interfaces,
		       struct interface *interface);

/* It is found by its index from now on. False, with a message, likewise. */
bool interfaces_list_index(struct interfaces *interfaces,
			   struct interface *interface);

/* Those that were named come first. */
void interfaces_enqueue(struct interfaces *interfaces,
			struct interface *interface);
void interfaces_dequeue(struct interfaces *interfaces,
			struct interface *interface);

/* The next one to be attached to, or NULL. */
struct interface *interfaces_next(const struct interfaces *interfaces);

/* One that was asked for by this name and is not there, or NULL. */
struct interface *interfaces_find_waiting(const struct interfaces *interfaces,
					  const char *name);

#endif
