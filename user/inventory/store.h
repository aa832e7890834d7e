/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The inventory's file: a SQLite database. */
#ifndef BANNERPROBE_STORE_H
#define BANNERPROBE_STORE_H

#include "inventory.h"
#include "observation.h"

#include <sqlite3.h>

/* "BnPr": marks an inventory. */
#define STORE_APPLICATION 0x426e5072
#define STORE_VERSION 2

enum store_use {
	STORE_READ,   /* and nothing else */
	STORE_WRITE,  /* a file that is there */
	STORE_CREATE, /* or a new one */
};

struct store {
	sqlite3 *db;
	char *path;
	char error[INVENTORY_ERROR]; /* the last one, a line */
};

/* 0, or a negative errno and store->error. */
int store_open(struct store *store, const char *path, enum store_use use,
	       int busy_ms);
void store_close(struct store *store);

/* Keeps a line of what SQLite says; returns its negative errno. */
int store_fail(struct store *store, int code);
int store_execute(struct store *store, const char *sql);
/* NULL: store->error says why. */
sqlite3_stmt *store_prepare(struct store *store, const char *sql);

/* An address as it stands in the file, and back. */
#define ADDRESS_TEXT 48
void address_to_text(const struct address *address, char text[ADDRESS_TEXT]);
bool address_from_text(struct address *address, const char *text);

#endif
