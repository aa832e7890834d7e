/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* An inventory as one HTML file that needs neither network nor JavaScript. */
#ifndef BANNERPROBE_REPORT_H
#define BANNERPROBE_REPORT_H

#include "command.h"
#include "report_html.h"

/* YYYY-MM-DD */
#define DAY_TEXT 11

/* The changes of a day of local time. */
struct report_day {
	char date[DAY_TEXT]; /* "": a time that no calendar has */
	int64_t number;	     /* of the day, to compute differences */
	int64_t fresh, changed;
	int64_t initial; /* services that the inventory began with */
};

struct report {
	struct store store;
	struct filter filter;
	const char *file, *output; /* the inventory; NULL: standard output */
	bool output_given;
	FILE *page;
	int64_t gone_span;
	/* Microseconds since 1970. */
	int64_t made;
	int64_t begin, end; /* of all records; end is not behind `made` */
	int64_t fresh;	    /* new and changed: since this time */
	int64_t settled;    /* first seen before: there initially */
	int64_t gone;	    /* last seen before this: gone */
	bool sensors;	    /* more than one, or one with a name */
	struct {
		int64_t services, servers, products;
		int64_t fresh, changed, gone, once, refusing, different, pool;
		int64_t owned; /* with a known owner, and not gone */
	} total;
	struct report_day *day; /* the newest first */
	size_t days;
};

/*
 * Each writes a part of the page. EXIT_DONE, or EXIT_FAILED with a message.
 * Write errors are found later, by ferror().
 */
int report_changes(struct report *report);
int report_products(struct report *report);
int report_owners(struct report *report);
int report_services(struct report *report);

void report_head(struct report *report);
void report_tail(struct report *report);

/*
 * Whether a service is taken by the filter; the query joins its current form:
 * taken(service.sensor, server, port, banner.service, product, stable,
 * service.unit, container, process).
 */
#define REPORT_TAKEN                                                           \
	" taken(service.sensor, service.server, service.port, banner.service," \
	" banner.product, banner.stable, service.unit, service.container,"     \
	" service.process)"

/* A service's flags, as columns; ?1 fresh, ?2 settled, ?3 gone. */
#define REPORT_FLAGS                                                           \
	" service.first_seen >= ?1 AND service.first_seen >= ?2 AS is_fresh,"  \
	" EXISTS (SELECT 1 FROM change WHERE change.service_id = service.id"   \
	" AND kind <> 'new' AND ts >= ?1) AS is_changed,"                      \
	" service.last_seen < ?3 AS is_gone,"                                  \
	" connections = 1 AS is_once,"                                         \
	" coalesce(refusal, 0) <> 0 AS is_refusing,"                           \
	" ever_different <> 0 AS is_different,"                                \
	" (SELECT count(*) FROM banner AS form"                                \
	" WHERE form.service_id = service.id) AS forms"

/*
 * The owner of a service, as columns for owner_to_text(): a process counts as
 * an owner only if neither unit nor container is known.
 */
#define REPORT_OWNER                                                           \
	" coalesce(service.unit, '') AS unit,"                                 \
	" coalesce(service.container, '') AS container,"                       \
	" iif(coalesce(service.unit, '') || coalesce(service.container, '')"   \
	" = '', coalesce(service.process, ''), '') AS owner_process"

/* Whether it has one, and is not gone; ?3 as above. */
#define REPORT_OWNED                                                           \
	" (service.last_seen >= ?3 AND coalesce(service.unit, '') ||"          \
	" coalesce(service.container, '') ||"                                  \
	" coalesce(service.process, '') <> '')"

/* Prepared, with ?1 to ?3 as above; NULL, and a message. */
sqlite3_stmt *report_prepare(struct report *report, const char *sql);

#endif
