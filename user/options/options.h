/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The command line.
 *
 * To add an option: a field in struct options, and a row in option_table.c,
 * where option_table.h says what a row tells. Most rows need no code: a flag, a
 * number, a word of a list and a text are taken by what the row says of them;
 * any other has a function of its own. --help, abbreviations, the nearest name,
 * what is given twice, and what does not go with -r come from the row.
 * Then the manual, README.md and the completion.
 */
#ifndef BANNERPROBE_OPTIONS_H
#define BANNERPROBE_OPTIONS_H

#include "tracker.h"
#include "engine/server_list.h"

#include <linux/types.h>
#include <stdbool.h>

#define DEFAULT_FLOWS 32768 /* their table stays in a cache of 2 MiB */

enum exit_code {
	EXIT_DONE = 0,
	EXIT_FAILED = 1, /* at run time */
	EXIT_USAGE = 2,
	EXIT_ATTACH = 3, /* could not load, attach or confine itself */
	EXIT_LOST = 4,	 /* ended as asked, but records were lost */
};

/* The formats of the log: constant, name. format.c writes them. */
#define FORMATS(X)                                                             \
	X(FORMAT_TEXT, "text")                                                 \
	X(FORMAT_JSON, "json")                                                 \
	X(FORMAT_ZEEK, "zeek")
#define FORMATS_HELP "text (default), json or zeek"

enum format {
#define FORMAT_ENUM(constant, name) constant,
	FORMATS(FORMAT_ENUM)
#undef FORMAT_ENUM
};

/* How the receive side is attached. */
enum hook {
	HOOK_AUTO,
	HOOK_XDP, /* native, else generic */
	HOOK_XDP_NATIVE,
	HOOK_XDP_GENERIC,
	HOOK_TC,
};

enum stats_format { STATS_TEXT, STATS_JSON };

#define JOBS_MAX 64

struct options {
	enum format format;
	const char *output; /* the log; NULL: standard output */
	bool no_output;	    /* no log is written */
	__u32 length;	    /* bytes of a banner kept, 1 to BANNER_MAX */
	enum hook hook;
	__u32 max_flows; /* connections in the table */
	bool check;
	bool stats;
	__u32 stats_seconds; /* 0: only at the end */
	enum stats_format stats_format;
	struct track_options track; /* of the tracker */
	__u32 events;	 /* that --events names: EVENT_BIT(); 0: not given. The
			  * tracker is asked for more with an inventory */
	__u32 gather_ms; /* quiet time that ends a greeting; 0: not gathered */
	bool gather_ssh; /* only what may be an SSH identification is */
	struct server_list wanted; /* servers, and peers of tunnels */
	bool decap_given;	   /* track.decap is not by default */
	const char *inventory;	   /* file; NULL: none */
	const char *gone;	   /* a span, as the keeper takes it; or NULL */
	const char *metrics;	   /* file for Prometheus; NULL: none */
	const char *user; /* to become once attached; NULL: the default */
	bool unconfined;  /* go on where confining fails */
	bool verbose;
	bool all;	    /* interfaces */
	__u32 jobs;	    /* processes that read captures; 0: not given */
	bool sequence;	    /* captures are one that was rotated */
	bool read;	    /* names are capture files, not interfaces */
	const char **names; /* or patterns; count of them, in memory of this
			     * struct */
	int count;
};

/*
 * Fills `options`, which nothing changes afterwards; ends the process on -h, -V
 * and wrong usage (2).
 */
void options_parse(struct options *options, int argc, char **argv);
void options_free(struct options *options);

#endif
