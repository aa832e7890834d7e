/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Every option, in a row of one table. */
#ifndef BANNERPROBE_OPTION_TABLE_H
#define BANNERPROBE_OPTION_TABLE_H

#include "options.h"

#include <stddef.h>

/* Where --help shows an option. */
enum option_group {
	GROUP_SOURCES,
	GROUP_RECORDS,
	GROUP_SERVERS,
	GROUP_TUNNELS,
	GROUP_ATTACHING,
	GROUP_COUNTERS,
	GROUP_HELP,
	GROUP_MAX,
};

enum option_kind {
	KIND_FLAG,   /* sets the bool at `place` */
	KIND_NUMBER, /* sets the __u32 there, from `least` to `most` */
	KIND_CHOICE, /* sets the enum there to the index in `choices` */
	KIND_TEXT,   /* sets the const char * there; never empty */
	KIND_FILE,   /* likewise; a path does not begin with - */
	KIND_OTHER,  /* is left to `take` */
};

enum option_flag {
	OPTION_MANY = 1 << 0,		 /* may be given several times */
	OPTION_INTERFACES_ONLY = 1 << 1, /* cannot be given with -r */
	OPTION_CAPTURES_ONLY = 1 << 2,	 /* can be given with -r only */
	OPTION_VALUE_OPTIONAL = 1 << 3,	 /* --name, or --name=VALUE */
};

struct option_use;

struct option_row {
	const char *name; /* --name */
	char letter;	  /* -l; or 0 */
	enum option_group group;
	enum option_kind kind;
	unsigned int flags; /* enum option_flag */
	const char *value;  /* its name in --help; NULL: the option has none */
	const char *help;   /* a line break is a space */
	size_t place;	    /* offset in struct options */
	__u32 least, most;
	const char *const *choices; /* ended by NULL */
	const char *what;	    /* noun of the value, for messages */
	/* Called after the value is set as `kind` says; or NULL. */
	void (*take)(struct options *options, const struct option_use *use);
};

/* An option as given on the command line. */
struct option_use {
	const struct option_row *row;
	char spelling[32]; /* "-f", "--format" */
	const char *value; /* NULL: none */
};

#define OPTION_ROWS_MAX 64 /* more than there are */

extern const struct option_row option_table[];
extern const size_t option_rows;

/* The option's value as a path; or a usage error. */
const char *option_file(const struct option_use *use);

/* Takes the option's value, as its row's `kind` says; or a usage error. */
void option_take(struct options *options, const struct option_use *use);

#endif
