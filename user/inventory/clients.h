/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Clients that spoke first: a table of its own, made where it is asked for. A
 * row stands for a client and the port that it asked.
 */
#ifndef BANNERPROBE_CLIENTS_H
#define BANNERPROBE_CLIENTS_H

#include "observation.h"
#include "store.h"

struct clients;

/* NULL: a line of what is wrong stands in store->error. */
struct clients *clients_open(struct store *store);
void clients_close(struct clients *clients);

/* Counts one, with what it said. False: there is no room until the next write. */
bool clients_put(struct clients *clients, const struct observation *seen);

/* Whether there is something to write. */
bool clients_wait(const struct clients *clients);

/* Within a transaction: a code of SQLite. */
int clients_write(struct clients *clients);

/* The transaction is done. */
void clients_settle(struct clients *clients);

#endif
