/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The command line.
 *
 * To add an option: a field in struct options, and a row in option_table.c;
 * option_table.h describes the members of a row. Most rows need no code: flags,
 * numbers, words of a list and texts are taken as the row says. Any other kind
 * of value has a function of its own. --help, abbreviations, suggestions, notes
 * about repeated options, and errors for options that cannot be given with -r
 * come from the row. Then the manual, README.md and the completion.
 */
#ifndef BANNERPROBE_OPTIONS_H
#define BANNERPROBE_OPTIONS_H

#include "tracker.h"
#include "engine/server_list.h"

#include <linux/types.h>
#include <stdbool.h>

#define PROBES_MAX 8
/*
 * An environment variable for operators and tests: "clsact" attaches as before
 * Linux 6.6, on later kernels, too.
 */
#define TC_ENVIRONMENT "BANNERPROBE_TC"
#define TC_CLSACT "clsact"
#define DEFAULT_FLOWS 32768 /* their table fits into a cache of 2 MiB */

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
	HOOK_XDP, /* native or, if that fails, generic */
	HOOK_XDP_NATIVE,
	HOOK_XDP_GENERIC,
	HOOK_TC,
};

/* --log: all records, or those of changes. */
enum log_content { LOG_ALL, LOG_CHANGES };

enum stats_format { STATS_TEXT, STATS_JSON };

#define JOBS_MAX 64

struct options {
	enum format format;
	const char *output; /* the log; NULL: standard output */
	bool no_output;	    /* no log is written */
	enum log_content log;
	__u32 log_rate; /* with an inventory: --max-rate, for the log only.
			 * Records a second and interface; 0: no limit */
	__u32 length;	/* bytes of a banner kept, 1 to BANNER_MAX */
	enum hook hook;
	__u32 max_flows; /* connections in the table */
	bool check;
	bool stats;
	__u32 stats_seconds; /* 0: only at the end */
	enum stats_format stats_format;
	struct track_options track; /* for the tracker */
	__u32 events;	 /* that --events names: EVENT_BIT(); 0: not given. The
			  * tracker is asked for more with an inventory */
	__u32 gather_ms; /* quiet time that ends a greeting; 0: not gathered */
	__u32 unfinished_ms; /* quiet time if the greeting ends within a line or
			      * with a line NNN-; 0: gather_ms */
	bool gather_ssh;     /* reassemble SSH identifications only */
	struct server_list wanted; /* servers, and peers of tunnels */
	bool decap_given;	   /* --decap was given: no default */
	const char *inventory;	   /* file; NULL: none */
	const char *gone;	/* --gone, for the keeper; NULL: its default */
	bool new_at_once;	/* for the keeper */
	bool inventory_clients; /* keep clients that speak first */
	const char *metrics;	/* file for Prometheus; NULL: none */
	const char *user; /* to change to once attached; NULL: the default */
	bool identify;	  /* name servers in the log */
	const char *probes[PROBES_MAX + 1]; /* nmap's files; ends with NULL */
	__u32 probes_count;
	const char *recog; /* folder of Recog's files; NULL: none */
	bool unconfined;   /* go on if confining fails */
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
 * Fills `options`, which is constant afterwards. Ends the process on -h, -V
 * and, with exit code 2, wrong usage.
 */
void options_parse(struct options *options, int argc, char **argv);
void options_free(struct options *options);

#endif
