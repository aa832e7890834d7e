/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the parts of an inventory share; nobody else's. */
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

/* A change that is not yet in the file. Its service is dirty, so it stays. */
struct pending_change {
	enum change_kind kind;
	uint64_t time, number;
	struct service *service;
	uint8_t before, after; /* forms, or NO_FORM */
};

#define PENDING_CHANGES_MAX 200000

/* Servers that greeted as FTP. */
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
	struct service_key *held; /* services that are not reported yet */
	uint64_t *held_time;
	uint32_t held_count;
	bool dirty; /* their rows are to become one */
};

/* Connections of which a record came, to count none twice. */
#define CONNECTIONS 4096
#define CANDIDATES 1024

enum statement {
	STATEMENT_FIND_SERVICE,
	STATEMENT_FIND_FORMS,
	STATEMENT_FORM,
	STATEMENT_ADD_SERVICE,
	STATEMENT_UPDATE_SERVICE,
	STATEMENT_ADD_FORM,
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

	struct clients *clients; /* NULL: they are not kept */
	struct ftp_server *ftp; /* FTP_SERVERS of them */
	struct burst *bursts;	/* BURSTS of them */
	uint64_t connection[CONNECTIONS];
	uint64_t candidate[CANDIDATES];
	bool opens; /* records of open ports come, too */
	bool full;  /* memory, until something is written */

	uint64_t latest;      /* time of the latest record */
	int64_t data_version; /* changes when another process wrote */
	struct inventory_import *import;
	char error[INVENTORY_ERROR];

	/* Working memory. */
	struct learn learn;
	struct form greeting, known, third;
	char text[FORM_TEXT_MAX];
};

/* --- judge.c: what a greeting means for a service ---------------------- */

/* Takes a greeting of a service that is known or new. */
void judge_greeting(struct inventory *inventory, struct service *service,
		    const struct observation *seen, bool is_new);

/* --- recognise.c: which form ------------------------------------------- */

struct recognised {
	uint8_t form;	 /* NO_FORM: none that is known */
	bool unfinished; /* and it shall not have one */
	bool learned;	 /* what the form leaves out has grown */
	bool finished;	 /* the form was cut until now */
};

/*
 * inventory->greeting is the greeting's form by structure. `identity` is filled
 * in where the greeting is of no form as it is known.
 */
struct recognised recognise(struct inventory *inventory,
			    struct service *service,
			    const struct observation *seen,
			    struct form_identity *identity);
/* Gives a new form the text of inventory->greeting. */
bool recognise_next_time(struct inventory *inventory, struct service *service,
			 uint8_t form, const struct observation *seen,
			 const struct form_identity *identity);

/* --- change.c ---------------------------------------------------------- */

void change_add(struct inventory *inventory, struct service *service,
		enum change_kind kind, uint64_t time, uint8_t before,
		uint8_t after, uint64_t number);
/* A service that was new without a form has its first one. */
void change_set_form(struct inventory *inventory, const struct service *service,
		     uint8_t form);
/* `new`, unless there are too many of this server. */
void change_add_new(struct inventory *inventory, struct service *service,
		    uint64_t time);
/* Tells what was held back. */
void bursts_settle(struct inventory *inventory, uint64_t now);
void bursts_close(struct inventory *inventory);
/* banner, version or product. */
enum change_kind change_between(const struct form_identity *before,
				const struct form_identity *after);

/* --- ftp.c ------------------------------------------------------------- */

void ftp_greeted(struct inventory *inventory, const struct service_key *key,
		 uint64_t time);
/* Is this a data connection, that makes no service? */
bool ftp_is_data(struct inventory *inventory, const struct service_key *key,
		 const struct observation *seen);
int ftp_load(struct inventory *inventory);
void ftp_close(struct inventory *inventory);

/* --- lookup.c: what is read from the file ------------------------------ */

/* NULL: it is not known; or reading failed, then *error is set. */
struct service *lookup_service(struct inventory *inventory,
			       const struct service_key *key, int *error);
/* Of a form in memory or in the file; freed by form_identity_free(). */
void lookup_identity(struct inventory *inventory, const struct known_form *form,
		     struct form_identity *identity);
/* What it said at last; malloc()ed, NULL where it cannot be read. */
uint8_t *lookup_latest(struct inventory *inventory,
		       const struct known_form *form, size_t *len);
/* New services of this server within the minute: how many, since when. */
uint32_t lookup_new(struct inventory *inventory, const struct service_key *key,
		    uint64_t time, uint64_t *since);
int lookup_prepare(struct inventory *inventory);

/* --- write.c ----------------------------------------------------------- */

int write_all(struct inventory *inventory);
/* Differs from what it was once another process has written. */
int64_t write_version(struct inventory *inventory);

/* --- identity.c -------------------------------------------------------- */

/* Asks the identification. */
void identity_find(const struct inventory *inventory,
		   const struct observation *seen,
		   struct form_identity *identity);

#endif
