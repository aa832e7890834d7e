/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The service that `show` and `forget` are asked for, as `list` names it. */
#ifndef BANNERPROBE_SELECTION_H
#define BANNERPROBE_SELECTION_H

#include "command.h"

#define SELECTION_ARGUMENTS "SERVER:PORT [in TUNNEL]"
#define NO_TUNNEL "none" /* the word for a service outside of tunnels */

struct selection {
	const char *sensor; /* NULL: any */
	const char *tunnel; /* NULL: any; "": none */
	char server[ADDRESS_TEXT];
	int port;
	char name[128]; /* as it was given, for messages; "": it was not */
	bool in;	/* the word was given: a tunnel follows */
};

/*
 * Takes a word of SELECTION_ARGUMENTS; one word may hold all three. Ends the
 * process on wrong usage.
 */
void selection_take(struct selection *selection, char *word);
/* After the last word. Ends the process where one is missing behind `in`. */
void selection_end(const struct selection *selection);

/* A condition for `service`, with the parameters 1 to 4. */
#define SELECTION_SQL                                                          \
	"server = ?1 AND port = ?2 AND (?3 IS NULL OR sensor = ?3)"            \
	" AND (?4 IS NULL OR tunnel = ?4)"
void selection_bind(const struct selection *selection, sqlite3_stmt *statement);

#endif
