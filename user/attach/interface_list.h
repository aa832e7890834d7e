/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The list of interfaces, an index of those that exist now, and the queue of
 * those that are to be attached.
 */
#ifndef BANNERPROBE_INTERFACE_LIST_H
#define BANNERPROBE_INTERFACE_LIST_H

#include "interfaces.h"

/* Adds an interface without an index; NULL, with a message, without memory. */
struct interface *interfaces_add(struct interfaces *interfaces);
void interfaces_forget(struct interfaces *interfaces,
		       struct interface *interface);

/*
 * Makes an interface findable by its index. False, with a message, without
 * memory.
 */
bool interfaces_list_index(struct interfaces *interfaces,
			   struct interface *interface);

/* Queues an interface. Those that the user named come before the others. */
void interfaces_enqueue(struct interfaces *interfaces,
			struct interface *interface);
void interfaces_dequeue(struct interfaces *interfaces,
			struct interface *interface);

/* The next interface to attach to, or NULL. */
struct interface *interfaces_next(const struct interfaces *interfaces);

/* An interface that the user named so and that does not exist now, or NULL. */
struct interface *interfaces_find_waiting(const struct interfaces *interfaces,
					  const char *name);

#endif
