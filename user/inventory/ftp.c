/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * FTP's data connections are no services. Each transfer has a port of its own,
 * on which the server may speak first.
 */
#include "keeper.h"
#include "structure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 4
#define FIRST_DATA_PORT 1024
#define ACTIVE_PORT 20

static uint32_t hash_server(const struct text *sensor,
			    const struct address *server)
{
	uint32_t hash = 0x811c9dc5 ^ sensor->hash;

	for (size_t i = 0; i < sizeof(server->byte); i++)
		hash = (hash ^ server->byte[i]) * 0x01000193;
	return hash ^ hash >> 15;
}

static bool is_of(const struct ftp_server *ftp, const struct text *sensor,
		  const struct address *server)
{
	return ftp->sensor == sensor && ftp->server.family == server->family &&
	       !memcmp(ftp->server.byte, server->byte, sizeof(server->byte));
}

static struct ftp_server *set_of(struct inventory *inventory,
				 const struct text *sensor,
				 const struct address *server)
{
	return inventory->ftp +
	       (hash_server(sensor, server) % (FTP_SERVERS / WAYS)) * WAYS;
}

/* A server's place; for a new server that of the least recent greeting. */
static struct ftp_server *place_of(struct inventory *inventory,
				   const struct text *sensor,
				   const struct address *server)
{
	struct ftp_server *set = set_of(inventory, sensor, server),
			  *oldest = set;

	for (int i = 0; i < WAYS; i++) {
		if (is_of(&set[i], sensor, server))
			return &set[i];
		if (set[i].greeted < oldest->greeted)
			oldest = &set[i];
	}
	return oldest;
}

static void set_greeted(struct inventory *inventory, struct text *sensor,
			const struct address *server, uint64_t time, bool dirty)
{
	struct ftp_server *ftp = place_of(inventory, sensor, server);

	if (!is_of(ftp, sensor, server)) {
		text_put(&inventory->services.texts, ftp->sensor);
		sensor->users++;
		*ftp = (struct ftp_server){ .sensor = sensor,
					    .server = *server };
	}
	/* The file's time is updated once a minute only. */
	if (time > ftp->greeted + 60 * US_PER_SECOND)
		ftp->dirty |= dirty;
	if (time > ftp->greeted)
		ftp->greeted = time;
}

bool ftp_greets(const char *service, const void *bytes, size_t len,
		uint16_t port)
{
	return service ? !strncmp(service, "ftp", 3) :
			 structure_is_ftp(bytes, len, port);
}

void ftp_greeted(struct inventory *inventory, const struct service_key *key,
		 uint64_t time)
{
	set_greeted(inventory, key->sensor, &key->server, time, true);
}

static bool greeted_lately(struct inventory *inventory,
			   const struct text *sensor,
			   const struct address *server, uint64_t time)
{
	const struct ftp_server *ftp = place_of(inventory, sensor, server);

	return is_of(ftp, sensor, server) && time < ftp->greeted + US_PER_DAY;
}

/*
 * A greeting that a rule identifies makes a service at its second occurrence.
 */
static bool came_before(struct inventory *inventory,
			const struct service_key *key)
{
	const uint64_t hash = (form_hash(&inventory->greeting) ^ key->port) *
				      0x9e3779b97f4a7c15ULL ^
			      hash_server(key->sensor, &key->server);
	uint64_t *candidate = &inventory->candidate[hash % CANDIDATES];
	const bool before = *candidate == hash;

	*candidate = before ? 0 : hash;
	return before;
}

/* The place of a service's first sighting; *hash: what its key has to be. */
static struct sighting *sighting_of(struct inventory *inventory,
				    const struct service_key *key,
				    uint64_t *hash)
{
	*hash = ((uint64_t)hash_server(key->sensor, &key->server) << 32 |
		 (key->tunnel->hash ^ key->port)) *
		0x9e3779b97f4a7c15ULL;
	return &inventory->sighting[*hash >> 32 & (CANDIDATES - 1)];
}

static void note_sighting(struct inventory *inventory,
			  const struct service_key *key, uint64_t time)
{
	uint64_t hash;
	struct sighting *sighting = sighting_of(inventory, key, &hash);

	if (sighting->key != hash || time < sighting->time)
		*sighting = (struct sighting){ hash, time };
}

uint64_t ftp_first_seen(struct inventory *inventory,
			const struct service_key *key,
			const struct observation *seen)
{
	uint64_t hash, time = seen->time;
	struct sighting *sighting = sighting_of(inventory, key, &hash);

	if (sighting->key != hash)
		return time;
	if (sighting->time < time)
		time = sighting->time;
	*sighting = (struct sighting){};
	return time;
}

static bool is_known(struct inventory *inventory,
		     const struct observation *seen, bool *by_rule)
{
	struct form_identity identity;
	bool known;

	structure_form(&inventory->greeting, seen);
	identity_find(inventory, seen, &identity);
	known = identity.service || inventory->greeting.known;
	*by_rule = identity.by_rule;
	form_identity_free(&identity);
	return known;
}

bool ftp_is_data(struct inventory *inventory, const struct service_key *key,
		 const struct observation *seen)
{
	bool by_rule;

	if (seen->client_port == ACTIVE_PORT &&
	    greeted_lately(inventory, key->sensor, &seen->client, seen->time))
		return true;
	if (key->port < FIRST_DATA_PORT ||
	    !greeted_lately(inventory, key->sensor, &key->server, seen->time))
		return false;
	if (seen->event == OBSERVED_OPEN)
		return true;
	if (!is_known(inventory, seen, &by_rule))
		return true;
	if (!by_rule || came_before(inventory, key))
		return false;
	note_sighting(inventory, key, seen->time);
	return true;
}

int ftp_load(struct inventory *inventory)
{
	sqlite3_stmt *rows =
		store_prepare(&inventory->store,
			      "SELECT sensor, server, greeted FROM ftp_server");
	int code;

	inventory->ftp = calloc(FTP_SERVERS, sizeof(*inventory->ftp));
	if (!rows || !inventory->ftp) {
		sqlite3_finalize(rows);
		return rows ? -ENOMEM : -EIO;
	}
	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		const char *sensor = (const char *)sqlite3_column_text(rows, 0);
		const char *server = (const char *)sqlite3_column_text(rows, 1);
		struct address address;
		struct text *text;

		if (!sensor || !server || !address_from_text(&address, server))
			continue;
		text = text_get(&inventory->services.texts, sensor,
				strlen(sensor));
		if (!text)
			break;
		set_greeted(inventory, text, &address,
			    (uint64_t)sqlite3_column_int64(rows, 2), false);
		text_put(&inventory->services.texts, text);
	}
	sqlite3_finalize(rows);
	return code == SQLITE_DONE ? 0 : store_fail(&inventory->store, code);
}

void ftp_close(struct inventory *inventory)
{
	for (int i = 0; inventory->ftp && i < FTP_SERVERS; i++)
		text_put(&inventory->services.texts, inventory->ftp[i].sensor);
	free(inventory->ftp);
	inventory->ftp = NULL;
}
