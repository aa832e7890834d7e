/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Clients that spoke first (--inventory-clients): a table of their own, created
 * on demand. Each row is a client and the server's port that it connected to.
 */
#ifndef BANNERPROBE_CLIENTS_H
#define BANNERPROBE_CLIENTS_H

#include "observation.h"
#include "store.h"

struct clients;

/* NULL: store->error describes the failure in a line. */
struct clients *clients_open(struct store *store);
void clients_close(struct clients *clients);

/* Counts a client's connection. False: no room until clients_settle(). */
bool clients_put(struct clients *clients, const struct observation *seen);

/* Whether there are clients to be written. */
bool clients_wait(const struct clients *clients);

/* Writes all clients, within a transaction. Returns a code of SQLite. */
int clients_write(struct clients *clients);

/* Forgets all clients, once the transaction is committed. */
void clients_settle(struct clients *clients);

#endif
