/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The inventory's file: a SQLite database. */
#ifndef BANNERPROBE_STORE_H
#define BANNERPROBE_STORE_H

#include "address.h"
#include "inventory.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <sys/types.h>

/* "BnPr", the application_id of an inventory. */
#define STORE_APPLICATION 0x426e5072
#define STORE_VERSION 2

enum store_use {
	STORE_READ,   /* read only */
	STORE_WRITE,  /* write an existing file */
	STORE_CREATE, /* likewise, or create it */
	STORE_TRY,    /* only look whether it could be created or written */
};

struct store {
	sqlite3 *db;
	char *path;
	/* The file that was opened; later the path may lead to another one. */
	dev_t device;
	ino_t inode;
	/* For store_wait_until(). */
	const volatile sig_atomic_t *stopped;
	int busy_ms;
	bool is_still; /* it is read as one that nothing writes to */
	char error[INVENTORY_ERROR]; /* the last one, in one line */
};

/* What the path leads to by now. */
enum store_place {
	STORE_SAME,
	STORE_REMOVED,	/* nothing */
	STORE_REPLACED, /* another file */
};

enum store_place store_look(const struct store *store);

/* 0, or a negative errno with store->error. */
int store_open(struct store *store, const char *path, enum store_use use,
	       int busy_ms);
void store_close(struct store *store);

/* Another process that writes is waited for only until *stopped is not 0. */
void store_wait_until(struct store *store, int busy_ms,
		      const volatile sig_atomic_t *stopped);

/* Sets store->error to SQLite's message. Returns a negative errno. */
int store_fail(struct store *store, int code);
int store_execute(struct store *store, const char *sql);
/* NULL: store->error has the reason. */
sqlite3_stmt *store_prepare(struct store *store, const char *sql);

#endif
