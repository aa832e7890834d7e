/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The inventory: the list of services, what each says, since when, and what
 * changed. One thread, one SQLite file. For a process without any capability.
 *
 *	inventory = inventory_open(path, &options, error);
 *	for each record: inventory_put(inventory, &observation);
 *	once a second: inventory_flush(inventory, now);
 *	inventory_close(inventory, now);
 *
 * inventory_put() writes nothing. It reads a service from the file when the
 * service is first met. inventory_flush() is one transaction, and may wait for
 * the disk. If it fails, the changes stay in memory, within bounds, for the
 * next one.
 */
#ifndef BANNERPROBE_INVENTORY_H
#define BANNERPROBE_INVENTORY_H

#include "observation.h"

#include <signal.h>

#define INVENTORY_DEFAULT_FILE "/var/lib/bannerprobe/inventory.db"
#define INVENTORY_GONE_DAYS 7
#define INVENTORY_MEMORY (184UL << 20)
#define INVENTORY_ERROR 512 /* longest line of an error, with its NUL */

/* X(name, text) */
#define FOR_EACH_CHANGE(X)                                                     \
	X(CHANGE_NEW, "new")                                                   \
	X(CHANGE_BANNER, "banner")                                             \
	X(CHANGE_VERSION, "version")                                           \
	X(CHANGE_PRODUCT, "product")                                           \
	X(CHANGE_RETURNED, "returned")                                         \
	X(CHANGE_OWNER, "owner")

#define CHANGE_MEMBER(name, text) name,
enum change_kind { FOR_EACH_CHANGE(CHANGE_MEMBER) CHANGE_KINDS };

/* Behind "ever different: 8". */
#define EVER_DIFFERENT_WORDS " in a row; no further one is reported"

/* One form of a service in a change; texts may be NULL. */
struct change_side {
	const uint8_t *bytes; /* NULL: there is none */
	size_t len;
	const char *stable, *service, *product, *version;
	const char *owner; /* for CHANGE_OWNER: "docker:3f2a91c0b7de nginx" */
};

struct inventory_change {
	enum change_kind kind;
	uint64_t time; /* microseconds since 1970, of the record */
	const char *sensor, *tunnel; /* never NULL */
	struct address server;
	uint16_t server_port;
	struct change_side before, after;
	/*
	 * 0, or a number. For CHANGE_NEW: how many new services this server has
	 * at once; this is the first of them. Otherwise: how many different
	 * forms the service said in a row; no more are reported.
	 */
	uint64_t number;
};

/* The identification of a form. Texts are NULL where they are not known. */
struct inventory_identity {
	const char *service, *product, *version, *info, *os, *hostname,
		*devicetype;
	const char *cpe; /* several are separated by spaces */
	bool by_rule;	 /* by a rule, not by the protocol's structure only */
};

struct inventory_options {
	uint64_t gone_us; /* 0: INVENTORY_GONE_DAYS */
	size_t memory;	  /* bytes at most; 0: INVENTORY_MEMORY */
	int busy_ms;	  /* how long to wait for another process that writes */
	const volatile sig_atomic_t *stopped; /* or so long as it is 0; NULL */
	bool create;			      /* create a missing file */
	bool new_at_once; /* the first connection is enough on any port */
	bool clients;	  /* keep clients that speak first, too */
	bool is_live;	  /* records come as they happen: see is_latest() */
	/*
	 * Identifies a greeting; false: not known. The result is valid until
	 * the next call. NULL: nothing is identified.
	 */
	bool (*identify)(void *context, const struct observation *seen,
			 struct inventory_identity *identity);
	void *identify_context;
	/* Called for each change as it happens; or NULL. */
	void (*changed)(void *context, const struct inventory_change *change);
	void *changed_context;
};

/* X(name, text) */
#define FOR_EACH_INVENTORY_COUNT(X)                                            \
	X(records, "records taken")                                            \
	X(services, "services that are new")                                   \
	X(forms, "forms that are new")                                         \
	X(ftp_data, "FTP data connections left out")                           \
	X(unfinished, "unfinished greetings without a form of their own")      \
	X(lost, "records that could not be kept")                              \
	X(write_errors, "transactions that failed and are tried again")

/* X(name, text): why records or changes could not be kept. */
#define FOR_EACH_UNKEPT(X)                                                     \
	X(UNKEPT_FULL, "records of more new services than memory has room "    \
		       "for until they are written")                           \
	X(UNKEPT_CLIENTS, "requests of more clients than there is room for "   \
			  "until they are written")                            \
	X(UNKEPT_CHANGES, "changes, of which too many wait to be written")     \
	X(UNKEPT_UNREAD, "records whose service could not be read")            \
	X(UNKEPT_DELETED, "records whose service was deleted meanwhile")       \
	X(UNKEPT_MEMORY, "records and changes for which there was no memory")

#define UNKEPT_MEMBER(name, text) name,
enum unkept { FOR_EACH_UNKEPT(UNKEPT_MEMBER) UNKEPT_REASONS };

#define COUNT_MEMBER(name, text) uint64_t name;
struct inventory_counts {
	FOR_EACH_INVENTORY_COUNT(COUNT_MEMBER)
	uint64_t unkept[UNKEPT_REASONS]; /* `lost` is their sum */
	uint64_t changes[CHANGE_KINDS];
};

struct inventory;

/*
 * Looks whether inventory_open() would find another file in its place. False:
 * `error` has the reason, in one line.
 */
bool inventory_try(const char *path, char error[INVENTORY_ERROR]);

/* NULL: `error` has the reason, in one line. */
struct inventory *inventory_open(const char *path,
				 const struct inventory_options *options,
				 char error[INVENTORY_ERROR]);

void inventory_put(struct inventory *inventory, const struct observation *seen);

/*
 * Writes all changes. `now`: microseconds since 1970, by the records' clock. 0,
 * or a negative errno with a line in inventory_error(); -EAGAIN: another
 * process is writing, try again. A failure loses nothing.
 */
int inventory_flush(struct inventory *inventory, uint64_t now);
/*
 * Whether the path leads to another file by now, or to none: what is written
 * goes to the file that was opened.
 */
bool inventory_is_elsewhere(const struct inventory *inventory);

/*
 * Whether another process has written to the file: then flush before the next
 * record, which may be of a service that the other process deleted. It costs
 * some microseconds.
 */
bool inventory_is_touched(struct inventory *inventory);
const char *inventory_error(const struct inventory *inventory);

const char *unkept_text(enum unkept why);

const struct inventory_counts *
inventory_counts(const struct inventory *inventory);
uint64_t inventory_services(struct inventory *inventory);
/*
 * Changes in the file since it was opened. They are fewer than those that were
 * told where several became one.
 */
uint64_t inventory_changes(struct inventory *inventory);
/* Connections and services that are not written yet. */
uint64_t inventory_waiting(const struct inventory *inventory);

/*
 * Flushes and frees. Returns as inventory_flush() does. *lost, unless `lost` is
 * NULL: the number of connections that could not be written.
 */
int inventory_close(struct inventory *inventory, uint64_t now, uint64_t *lost,
		    char error[INVENTORY_ERROR]);

const char *change_kind_name(enum change_kind kind);

/* --- for the command --------------------------------------------------- */

/*
 * How far a log was imported. This is written in the same transaction as the
 * log's records. `head` is a digest of the log's first `head_len` bytes.
 */
struct inventory_import {
	int64_t id; /* 0: not known yet */
	const char *sensor, *name;
	uint8_t head[32];
	size_t head_len;
	uint64_t read; /* bytes */
};

/* Written by the next flush; the import must stay valid until then. */
void inventory_set_import(struct inventory *inventory,
			  struct inventory_import *import);
/*
 * The next known import, in the order of ids; false: there is none. `sensor`
 * and `name` are not filled in.
 */
bool inventory_next_import(struct inventory *inventory, const char *sensor,
			   struct inventory_import *import);

#endif
