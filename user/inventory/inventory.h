/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The inventory: which services there are, what each says, since when, and
 * what changed. One thread, one SQLite file. For a process without any
 * capability.
 *
 *	inventory = inventory_open(path, &options, error);
 *	for each record: inventory_put(inventory, &observation);
 *	once a second: inventory_flush(inventory, now);
 *	inventory_close(inventory, now);
 *
 * inventory_put() writes nothing; it reads a service from the file when it is
 * met for the first time. inventory_flush() is one transaction, and may wait
 * for the disk. What could not be written waits in memory, within bounds, for
 * the next one.
 */
#ifndef BANNERPROBE_INVENTORY_H
#define BANNERPROBE_INVENTORY_H

#include "observation.h"

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
	X(CHANGE_RETURNED, "returned")

#define CHANGE_MEMBER(name, text) name,
enum change_kind { FOR_EACH_CHANGE(CHANGE_MEMBER) CHANGE_KINDS };

/* One form of a service, as a change tells of it; a text may be NULL. */
struct change_side {
	const uint8_t *bytes; /* NULL: there is none */
	size_t len;
	const char *stable, *service, *product, *version;
};

struct inventory_change {
	enum change_kind kind;
	uint64_t time; /* microseconds since 1970, of the record */
	const char *sensor, *tunnel; /* never NULL */
	struct address server;
	uint16_t server_port;
	struct change_side before, after;
	/*
	 * 0, or for CHANGE_NEW: so many services of this server at once, of
	 * which this is the first; for CHANGE_BANNER: the service said so many
	 * different things in a row, and no more is told of it.
	 */
	uint64_t number;
};

/* What is found out about a form; NULL where it is not known. */
struct inventory_identity {
	const char *service, *product, *version, *info, *os, *hostname,
		*devicetype;
	const char *cpe; /* several: with a space between */
	bool by_rule;	 /* not only by the protocol's structure */
};

struct inventory_options {
	uint64_t gone_us; /* 0: INVENTORY_GONE_DAYS */
	size_t memory;	  /* bytes at most; 0: INVENTORY_MEMORY */
	int busy_ms;	  /* how long another writer is waited for */
	bool create;	  /* a missing file is made */
	bool new_at_once; /* the first connection is enough on any port */
	bool clients;	  /* those that speak first are kept, too */
	/*
	 * Says what a greeting is; false: not known. Valid until the next
	 * call. NULL: nothing is identified.
	 */
	bool (*identify)(void *context, const struct observation *seen,
			 struct inventory_identity *identity);
	void *identify_context;
	/* Is called for each change as it happens; NULL: nobody. */
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

#define COUNT_MEMBER(name, text) uint64_t name;
struct inventory_counts {
	FOR_EACH_INVENTORY_COUNT(COUNT_MEMBER)
	uint64_t changes[CHANGE_KINDS];
};

struct inventory;

/* NULL: one line of what is wrong stands in `error`. */
struct inventory *inventory_open(const char *path,
				 const struct inventory_options *options,
				 char error[INVENTORY_ERROR]);

void inventory_put(struct inventory *inventory, const struct observation *seen);

/*
 * Writes what is new. `now` in microseconds since 1970, by the records' clock.
 * 0, or a negative errno and a line in inventory_error(); -EAGAIN: another
 * process writes, try again. Nothing is lost by that.
 */
int inventory_flush(struct inventory *inventory, uint64_t now);
const char *inventory_error(const struct inventory *inventory);

const struct inventory_counts *
inventory_counts(const struct inventory *inventory);
uint64_t inventory_services(struct inventory *inventory);
/* Connections and services that are not written yet. */
uint64_t inventory_waiting(const struct inventory *inventory);

/* Flushes and frees. What inventory_flush() returns; what then still waits is
 * counted in `lost` (if not NULL). */
int inventory_close(struct inventory *inventory, uint64_t now, uint64_t *lost,
		    char error[INVENTORY_ERROR]);

const char *change_kind_name(enum change_kind kind);

/* --- for the command --------------------------------------------------- */

/*
 * What was read of a log, kept in the same transaction as what it told. `head`
 * is a digest of its first `head_len` bytes.
 */
struct inventory_import {
	int64_t id; /* 0: not known yet */
	const char *sensor, *name;
	uint8_t head[32];
	size_t head_len;
	uint64_t read; /* bytes */
};

/* With the next flush. The import stays the caller's until then. */
void inventory_set_import(struct inventory *inventory,
			  struct inventory_import *import);
/*
 * The next import that is known, by its id; false: none. `sensor` and `name`
 * are not filled in.
 */
bool inventory_next_import(struct inventory *inventory, const char *sensor,
			   struct inventory_import *import);

#endif
