/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Internal to the inventory: the state that its parts share. */
#ifndef BANNERPROBE_KEEPER_H
#define BANNERPROBE_KEEPER_H

#include "clients.h"
#include "form.h"
#include "inventory.h"
#include "learn.h"
#include "service.h"
#include "store.h"

#define US_PER_SECOND 1000000ULL
#define US_PER_DAY (86400 * US_PER_SECOND)

/*
 * A change that is not yet in the file. Its service is dirty, and so stays in
 * memory.
 */
struct pending_change {
	enum change_kind kind;
	uint64_t time, number;
	struct service *service;
	uint8_t before, after;		    /* forms, or NO_FORM */
	struct text *old_owner, *new_owner; /* of CHANGE_OWNER only; or NULL */
};

#define PENDING_CHANGES_MAX 200000

/* Servers that sent a greeting of FTP. */
#define FTP_SERVERS 4096
struct ftp_server {
	struct text *sensor; /* NULL: free */
	struct address server;
	uint64_t greeted;
	bool dirty;
};

/* New services of one server within a minute. */
#define BURSTS 1024
#define BURST_US (60 * US_PER_SECOND)
struct burst {
	struct text *sensor; /* NULL: free */
	struct address server;
	uint64_t since; /* the first one */
	uint32_t count;
	struct service_key *held; /* new services that are not reported yet */
	uint64_t *held_time;
	uint32_t held_count;
	bool dirty; /* their rows have to become one */
};

/* Connections that had a record, so that none is counted twice. */
#define CONNECTIONS 4096
#define CANDIDATES 1024
/* When a service that had to be met twice was first met. */
struct sighting {
	uint64_t key; /* a hash of the service's key */
	uint64_t time;
};

enum statement {
	STATEMENT_FIND_SERVICE,
	STATEMENT_FIND_FORMS,
	STATEMENT_FORM,
	STATEMENT_ADD_SERVICE,
	STATEMENT_UPDATE_SERVICE,
	STATEMENT_SET_OWNER,
	STATEMENT_ADD_FORM,
	STATEMENT_SET_NEW,
	STATEMENT_UPDATE_FORM,
	STATEMENT_UPDATE_LATEST,
	STATEMENT_UPDATE_STABLE,
	STATEMENT_UPDATE_IDENTITY,
	STATEMENT_FIND_STABLE,
	STATEMENT_ADD_CHANGE,
	STATEMENT_JOIN_DIFFERENT,
	STATEMENT_FIRST_NEW,
	STATEMENT_COUNT_NEW,
	STATEMENT_NUMBER_NEW,
	STATEMENT_JOIN_NEW,
	STATEMENT_SET_FTP,
	STATEMENT_CLEAN_FTP,
	STATEMENT_ADD_IMPORT,
	STATEMENT_UPDATE_IMPORT,
	STATEMENT_NEXT_IMPORT,
	STATEMENT_VERSION,
	STATEMENT_COUNT,
	STATEMENT_LAST_CHANGE,
	STATEMENT_COUNT_CHANGES,
	STATEMENTS,
};

struct inventory {
	struct inventory_options options;
	struct store store;
	sqlite3_stmt *statement[STATEMENTS];
	struct services services;
	struct text *none; /* the empty text */
	struct inventory_counts counts;

	struct pending_change *changes;
	size_t change_count, change_room;

	struct clients *clients; /* NULL: clients are not kept */
	struct ftp_server *ftp;	 /* FTP_SERVERS of them */
	struct burst *bursts;	 /* BURSTS of them */
	uint64_t connection[CONNECTIONS];
	uint64_t candidate[CANDIDATES];
	struct sighting sighting[CANDIDATES];
	bool opens; /* records of open ports have come, too */
	bool full;  /* memory is, until something is written */

	uint64_t latest;      /* time of the latest record */
	int64_t data_version; /* changes when another process wrote */
	int64_t last_change;  /* the id of the latest one at the beginning */
	struct inventory_import *import;
	char error[INVENTORY_ERROR];

	/* Working memory. */
	struct learn learn;
	struct form greeting, known, third;
	char text[FORM_TEXT_MAX];
};

/* So many forms in a row that were each seen once: "ever different". */
#define EVER_DIFFERENT 8

/* --- judge.c: what a greeting means for a service ---------------------- */

/*
 * Whether a record tells what its service is now, and not what it was: imported
 * ones may be older than those read before. Live, a few come late, by less than
 * that; one that is much older was seen after a clock had been set back.
 */
#define COMES_LATE_US (3600ULL * 1000000)

static inline bool is_latest(const struct inventory *inventory,
			     const struct service *service,
			     const struct observation *seen)
{
	return seen->time >= service->last_seen ||
	       (inventory->options.is_live &&
		service->last_seen - seen->time > COMES_LATE_US);
}

/* Takes a greeting of a service that is known or new. */
void judge_greeting(struct inventory *inventory, struct service *service,
		    const struct observation *seen, bool is_new);

/* --- recognise.c: which form ------------------------------------------- */

struct recognised {
	uint8_t form;	 /* NO_FORM: no known form */
	bool unfinished; /* it is cut, and must not become a form */
	bool learned;	 /* the form's wild parts have grown */
	bool finished;	 /* the form was cut before, and is whole now */
};

/* Counts records or changes that cannot be kept. */
void inventory_lose(struct inventory *inventory, enum unkept why,
		    uint64_t count);

/*
 * inventory->greeting: the greeting's form by structure. `identity` is filled
 * in if no known form matches as it is.
 */
void recognise(struct inventory *inventory, struct service *service,
	       const struct observation *seen, struct form_identity *identity,
	       struct recognised *found);
/* Gives a new form the text of inventory->greeting. */
bool recognise_next_time(struct inventory *inventory, struct service *service,
			 uint8_t form, const struct observation *seen,
			 const struct form_identity *identity);

/* --- change.c ---------------------------------------------------------- */

void change_add(struct inventory *inventory, struct service *service,
		enum change_kind kind, uint64_t time, uint8_t before,
		uint8_t after, uint64_t number);
/* A service that was reported as new without a form has its first one. */
void change_set_form(struct inventory *inventory, const struct service *service,
		     uint8_t form);
/* Adds a change of the service's owner. */
/* A form is about to be forgotten: the forms behind it move up. False: a change
 * that is not yet written refers to it. */
bool change_forget_form(struct inventory *inventory,
			const struct service *service, uint8_t at);
void change_add_owner(struct inventory *inventory, struct service *service,
		      uint64_t time);
/* Releases the owners of a change that is written. */
void change_put_owners(struct inventory *inventory,
		       const struct pending_change *change);
/* Adds a change `new`, unless the server has too many. */
void change_add_new(struct inventory *inventory, struct service *service,
		    uint64_t time);
/* Reports the new services that were held back. */
void bursts_settle(struct inventory *inventory, uint64_t now);
void bursts_close(struct inventory *inventory);
/* The kind of a change: banner, version or product. */
enum change_kind change_between(const struct form_identity *before,
				const struct form_identity *after);

/* --- ownership.c: a service's owner ------------------------------------ */

#define OWNER_PART 256			/* bytes of each part, with its NUL */
#define OWNER_NAME (3 * OWNER_PART + 3) /* "docker:3f2a91c0b7de nginx" */

/* Takes the owner from a record, before the service's times are updated. */
void owner_came(struct inventory *inventory, struct service *service,
		const struct observation *seen);
/* Reads three columns: unit, container and process. */
void owner_load(struct inventory *inventory, struct service *service,
		sqlite3_stmt *row, int column);
/* Binds unit, container and process to three parameters from `at` on. */
void owner_bind(sqlite3_stmt *statement, int at, const struct text *owner);
void owner_name(const struct text *owner, char name[OWNER_NAME]);

/* --- ftp.c ------------------------------------------------------------- */

/*
 * Whether a greeting is FTP's: as it was identified or, if it was not, by its
 * own words. A host's name, as in "220 ftp.example.com ESMTP", is none of them.
 */
bool ftp_greets(const char *service, const void *bytes, size_t len,
		uint16_t port);
void ftp_greeted(struct inventory *inventory, const struct service_key *key,
		 uint64_t time);
/* Whether this is a data connection, which makes no service. */
bool ftp_is_data(struct inventory *inventory, const struct service_key *key,
		 const struct observation *seen);
/* When a new service was first met: before `seen`, if that is known. */
uint64_t ftp_first_seen(struct inventory *inventory,
			const struct service_key *key,
			const struct observation *seen);
int ftp_load(struct inventory *inventory);
void ftp_close(struct inventory *inventory);

/* --- lookup.c: what is read from the file ------------------------------ */

/* NULL: not known, or, with *error set, reading failed. */
struct service *lookup_service(struct inventory *inventory,
			       const struct service_key *key, int *error);
/* The identity of a form, from memory or file; see form_identity_free(). */
void lookup_identity(struct inventory *inventory, const struct known_form *form,
		     struct form_identity *identity);
/* The latest bytes of a form, from malloc(); NULL: they cannot be read. */
uint8_t *lookup_latest(struct inventory *inventory,
		       const struct known_form *form, size_t *len);
/* How many new services this server had within the minute, and since when. */
uint32_t lookup_new(struct inventory *inventory, const struct service_key *key,
		    uint64_t time, uint64_t *since);
int lookup_prepare(struct inventory *inventory);

/* --- write.c ----------------------------------------------------------- */

int write_all(struct inventory *inventory);
/* A number that changes when another process has written. */
int64_t write_version(struct inventory *inventory);

/* --- identity.c -------------------------------------------------------- */

/* Identifies a greeting. */
void identity_find(const struct inventory *inventory,
		   const struct observation *seen,
		   struct form_identity *identity);

#endif
