/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "clients.h"

#include <stdlib.h>
#include <string.h>

#define PLACES 32768	  /* a power of 2; unused pages take no memory */
#define PLACES_USED 24576 /* more than the records of a transaction */
#define SAID_MAX 512	  /* bytes kept of a request */
#define TUNNEL_MAX 64

static const char table[] =
	"CREATE TABLE IF NOT EXISTS client ("
	" sensor TEXT NOT NULL,"
	" client TEXT NOT NULL,"
	" tunnel TEXT NOT NULL,"
	" port INTEGER NOT NULL,"
	" first_seen INTEGER NOT NULL,"
	" last_seen INTEGER NOT NULL,"
	" connections INTEGER NOT NULL,"
	" first_raw BLOB NOT NULL,"
	" latest_raw BLOB NOT NULL,"
	" PRIMARY KEY (sensor, client, tunnel, port)) STRICT";

static const char add[] =
	"INSERT INTO client VALUES ('', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)"
	" ON CONFLICT DO UPDATE SET"
	" first_seen = min(first_seen, excluded.first_seen),"
	" last_seen = max(last_seen, excluded.last_seen),"
	" connections = connections + excluded.connections,"
	" latest_raw = excluded.latest_raw";

struct client {
	struct address address;
	uint16_t port; /* the server's */
	char tunnel[TUNNEL_MAX];
	uint64_t first_seen, last_seen; /* us since 1970 */
	uint64_t connections;		/* 0: a free place */
	size_t len;
	uint8_t said[SAID_MAX]; /* the latest request */
};

struct clients {
	sqlite3_stmt *add;
	size_t used;
	struct client places[PLACES];
};

struct clients *clients_open(struct store *store)
{
	struct clients *clients = calloc(1, sizeof(*clients));

	if (clients && !store_execute(store, table))
		clients->add = store_prepare(store, add);
	if (clients && clients->add)
		return clients;
	free(clients);
	return NULL;
}

void clients_close(struct clients *clients)
{
	if (clients)
		sqlite3_finalize(clients->add);
	free(clients);
}

static bool is_of(const struct client *client, const struct observation *seen)
{
	return client->port == seen->server_port &&
	       client->address.family == seen->client.family &&
	       !memcmp(client->address.byte, seen->client.byte,
		       sizeof(seen->client.byte)) &&
	       !strcmp(client->tunnel, seen->tunnel);
}

static size_t hash_of(const struct observation *seen)
{
	uint32_t hash = 0x811c9dc5 ^ seen->server_port;

	for (size_t i = 0; i < sizeof(seen->client.byte); i++)
		hash = (hash ^ seen->client.byte[i]) * 0x01000193;
	for (const char *at = seen->tunnel; *at; at++)
		hash = (hash ^ (uint8_t)*at) * 0x01000193;
	return hash ^ hash >> 16;
}

/* The client's place, or a free one. */
static struct client *place_of(struct clients *clients,
			       const struct observation *seen)
{
	size_t at = hash_of(seen);

	for (;; at++) {
		struct client *client = &clients->places[at & (PLACES - 1)];

		if (!client->connections || is_of(client, seen))
			return client;
	}
}

bool clients_put(struct clients *clients, const struct observation *seen)
{
	struct client *client = place_of(clients, seen);

	if (strlen(seen->tunnel) >= TUNNEL_MAX ||
	    (!client->connections && clients->used == PLACES_USED))
		return false;
	if (!client->connections) {
		clients->used++;
		client->address = seen->client;
		client->port = seen->server_port;
		strcpy(client->tunnel, seen->tunnel);
		client->first_seen = client->last_seen = seen->time;
	}
	client->connections++;
	if (seen->time < client->first_seen)
		client->first_seen = seen->time;
	if (seen->time > client->last_seen)
		client->last_seen = seen->time;
	client->len = seen->len < SAID_MAX ? seen->len : SAID_MAX;
	memcpy(client->said, seen->bytes, client->len);
	return true;
}

bool clients_wait(const struct clients *clients)
{
	return clients && clients->used;
}

static int write_one(sqlite3_stmt *row, const struct client *client)
{
	char address[ADDRESS_TEXT];
	int code;

	address_to_text(&client->address, address);
	sqlite3_bind_text(row, 1, address, -1, SQLITE_STATIC);
	sqlite3_bind_text(row, 2, client->tunnel, -1, SQLITE_STATIC);
	sqlite3_bind_int(row, 3, client->port);
	sqlite3_bind_int64(row, 4, (sqlite3_int64)client->first_seen);
	sqlite3_bind_int64(row, 5, (sqlite3_int64)client->last_seen);
	sqlite3_bind_int64(row, 6, (sqlite3_int64)client->connections);
	sqlite3_bind_blob(row, 7, client->len ? client->said : (void *)"",
			  (int)client->len, SQLITE_STATIC);
	code = sqlite3_step(row);
	sqlite3_reset(row);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

int clients_write(struct clients *clients)
{
	int code = SQLITE_OK;

	if (!clients_wait(clients))
		return code;
	for (int i = 0; i < PLACES && code == SQLITE_OK; i++) {
		if (clients->places[i].connections)
			code = write_one(clients->add, &clients->places[i]);
	}
	sqlite3_clear_bindings(clients->add);
	return code;
}

void clients_settle(struct clients *clients)
{
	if (!clients_wait(clients))
		return;
	for (int i = 0; i < PLACES; i++) {
		if (clients->places[i].connections)
			clients->places[i] = (struct client){};
	}
	clients->used = 0;
}
