/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The report's section on owners: how many services each has. */
#include "report.h"

/* A process counts as an owner only if its unit and container are not known. */
static const char query[] =
	"SELECT coalesce(nullif(unit, ''), ''), coalesce(container, ''),"
	" iif(coalesce(unit, '') || coalesce(container, '') = '', process, ''),"
	" count(*) AS services FROM service"
	" LEFT JOIN banner ON banner.id = banner_id WHERE"
	" service.last_seen >= ?3 AND coalesce(unit, '') ||"
	" coalesce(container, '') || coalesce(process, '') <> '' "
	"AND" REPORT_TAKEN " GROUP BY 1, 2, 3 ORDER BY services DESC, 1, 2, 3";

enum column { UNIT, CONTAINER, PROCESS, SERVICES };

static void put_owner(FILE *page, sqlite3_stmt *row)
{
	char owner[OWNER_TEXT];

	owner_to_text(row, UNIT, owner);
	fputs("<li><span>", page);
	put_plain(page, owner);
	fputs("</span> <b>", page);
	put_count(page, sqlite3_column_int64(row, SERVICES));
	fputs("</b></li>\n", page);
}

/* Without a known owner there is no such section. */
int report_owners(struct report *report)
{
	sqlite3_stmt *rows = report_prepare(report, query);
	FILE *page = report->page;
	bool any = false;
	int code;

	if (!rows)
		return EXIT_FAILED;
	while ((code = sqlite3_step(rows)) == SQLITE_ROW && !ferror(page)) {
		if (!any)
			fputs("<section id=owners "
			      "aria-labelledby=owners-head>\n"
			      "<h2 id=owners-head>Owners</h2>\n"
			      "<p class=note>How many services each unit, "
			      "container or process has, without those that "
			      "are gone.</p>\n<div "
			      "class=products><article><ul>\n",
			      page);
		any = true;
		put_owner(page, rows);
	}
	if (any)
		fputs("</ul></article></div></section>\n", page);
	return finish(&report->store, rows, code);
}
