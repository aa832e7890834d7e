/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The report's section on owners: the services of each. */
#include "report.h"

#include <string.h>

static const char query[] =
	"WITH owned AS (SELECT service.id, server, port, " REPORT_OWNER
	" FROM service LEFT JOIN banner ON banner.id = banner_id"
	" WHERE" REPORT_OWNED " AND" REPORT_TAKEN ")"
	" SELECT id, server, port, unit, container, owner_process,"
	" count(*) OVER (PARTITION BY unit, container, owner_process)"
	" AS services FROM owned ORDER BY services DESC, unit, container,"
	" owner_process, address_order(server), port, id";

enum column { SERVICE_ID, SERVER, PORT, UNIT, CONTAINER, PROCESS, SERVICES };

/* The owners so far. */
struct owners {
	FILE *page;
	unsigned int count;
	char last[OWNER_TEXT];
};

static void close_owner(const struct owners *owners)
{
	if (owners->count)
		fputs("</ul></noscript></li>\n", owners->page);
}

/* A link with a filter for exactly these services, for report.js. */
static void open_owner(struct owners *owners, const char *owner,
		       int64_t services)
{
	FILE *page = owners->page;

	if (!owners->count)
		fputs("<section id=owners aria-labelledby=owners-head>\n"
		      "<h2 id=owners-head>Owners</h2>\n"
		      "<p class=note>How many services each unit, container "
		      "or process has, without those that are gone.</p>\n"
		      "<ul class=owners>\n",
		      page);
	close_owner(owners);
	fprintf(page, "<li id=o%u><a href=#o%u data-owner=\"", owners->count,
		owners->count);
	put_plain(page, owner);
	fputs("\">", page);
	put_plain(page, owner);
	fputs("</a> <b>", page);
	put_count(page, services);
	/* Without JavaScript nothing filters: links to the services. */
	fputs("</b><noscript><ul>", page);
	owners->count++;
	strcpy(owners->last, owner);
}

static void put_service(struct owners *owners, sqlite3_stmt *row)
{
	char owner[OWNER_TEXT], endpoint[ENDPOINT_TEXT];
	FILE *page = owners->page;

	owner_to_text(row, UNIT, owner);
	if (!owners->count || strcmp(owners->last, owner))
		open_owner(owners, owner, sqlite3_column_int64(row, SERVICES));
	endpoint_to_text(column_text(row, SERVER),
			 sqlite3_column_int(row, PORT), endpoint);
	fprintf(page, "<li><a href=#s%lld>",
		(long long)sqlite3_column_int64(row, SERVICE_ID));
	put_plain(page, endpoint);
	fputs("</a></li>", page);
}

/* Without a known owner there is no such section. */
int report_owners(struct report *report)
{
	sqlite3_stmt *rows = report_prepare(report, query);
	struct owners owners = { .page = report->page };
	int code;

	if (!rows)
		return EXIT_FAILED;
	while ((code = sqlite3_step(rows)) == SQLITE_ROW &&
	       !ferror(report->page))
		put_service(&owners, rows);
	close_owner(&owners);
	if (owners.count)
		fputs("</ul></section>\n", report->page);
	return finish(&report->store, rows, code);
}
