/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The report's table of services: a row each, and the service's history. */
#include "report.h"
#include "report_history.h"

#include <string.h>

/*
 * Rows that a browser lays out together when they are visible; as in report.js.
 */
#define ROWS_PER_CHUNK 50

enum column {
	FRESH,
	CHANGED,
	GONE,
	ONCE,
	REFUSING,
	DIFFERENT,
	FORMS,
	SERVICE_ID,
	SENSOR,
	SERVER,
	PORT,
	TUNNEL,
	FIRST_SEEN,
	LAST_SEEN,
	CONNECTIONS,
	BANNER_ID,
	UNIT,
	CONTAINER,
	OWNER_PROCESS,
	PROCESS,
	SERVICE,
	PRODUCT,
	VERSION_TEXT,
	INFO,
	STABLE,
	OS,
	HOSTNAME,
	DEVICETYPE,
	CPE,
};

static const char query[] =
	"SELECT" REPORT_FLAGS ", service.id, sensor, server, port, tunnel,"
	" service.first_seen, service.last_seen, connections, "
	"banner_id," REPORT_OWNER
	", process, banner.service, product, version, info, stable,"
	" os, hostname, devicetype, cpe FROM service"
	" LEFT JOIN banner ON banner.id = banner_id WHERE" REPORT_TAKEN
	" ORDER BY address_order(server), port, sensor, tunnel, service.id";

/* --- marks ------------------------------------------------------------- */

static const struct {
	enum column column;
	char flag; /* in data-k, for report.js */
	const char *class, *text;
} marks[] = {
	{ FRESH, 'n', "new", "new" },
	{ CHANGED, 'c', "changed", "changed" },
	{ GONE, 'g', "gone", "gone" },
	{ ONCE, 'o', "once", "once" },
	{ REFUSING, 'r', "refuses", "refuses" },
	{ DIFFERENT, 'd', "different", "ever different" },
};
#define MARKS (sizeof(marks) / sizeof(*marks))

static void put_marks(FILE *page, sqlite3_stmt *row)
{
	const int64_t forms = sqlite3_column_int64(row, FORMS);

	for (size_t i = 0; i < MARKS; i++) {
		if (sqlite3_column_int(row, (int)marks[i].column))
			fprintf(page, "<b class=\"tag %s\">%s</b> ",
				marks[i].class, marks[i].text);
	}
	if (forms > 1 && !sqlite3_column_int(row, DIFFERENT))
		fprintf(page, "<b class=\"tag forms\">%lld forms</b>",
			(long long)forms);
}

/* Keys for report.js to sort and filter by, besides the row's text. */
static void put_keys(FILE *page, sqlite3_stmt *row)
{
	fprintf(page, " data-k=\"%lld %lld %lld ",
		(long long)sqlite3_column_int64(row, FIRST_SEEN),
		(long long)sqlite3_column_int64(row, LAST_SEEN),
		(long long)sqlite3_column_int64(row, CONNECTIONS));
	for (size_t i = 0; i < MARKS; i++) {
		if (sqlite3_column_int(row, (int)marks[i].column))
			putc(marks[i].flag, page);
	}
	if (sqlite3_column_int64(row, FORMS) > 1)
		putc('f', page);
	putc('"', page);
}

/* --- a row ------------------------------------------------------------- */

/* What report.js groups by; of a container, the process, too. */
static void put_owner(FILE *page, sqlite3_stmt *row)
{
	char owner[OWNER_TEXT];

	owner_to_text(row, UNIT, owner);
	if (*owner) {
		fputs(" <small class=o>", page);
		put_plain(page, owner);
		fputs("</small>", page);
	}
	if (*column_text(row, CONTAINER) && *column_text(row, PROCESS)) {
		fputs(" <small>", page);
		put_plain(page, column_text(row, PROCESS));
		fputs("</small>", page);
	}
}

static void put_where(const struct report *report, sqlite3_stmt *row)
{
	FILE *page = report->page;
	char endpoint[ENDPOINT_TEXT];

	endpoint_to_text(column_text(row, SERVER),
			 sqlite3_column_int(row, PORT), endpoint);
	fputs("<span class=a><span class=e>", page);
	put_plain(page, endpoint);
	fputs("</span><span class=t>", page);
	put_marks(page, row);
	if (report->sensors && *column_text(row, SENSOR)) {
		fputs(" <small>", page);
		put_text(page, column_text(row, SENSOR));
		fputs("</small>", page);
	}
	put_owner(page, row);
	if (*column_text(row, TUNNEL)) {
		fputs(" <small>in ", page);
		put_text(page, column_text(row, TUNNEL));
		fputs("</small>", page);
	}
	fputs("</span></span>", page);
}

static void put_what(FILE *page, sqlite3_stmt *row)
{
	const char *product = column_text(row, PRODUCT),
		   *version = column_text(row, VERSION_TEXT),
		   *info = column_text(row, INFO),
		   *service = column_text(row, SERVICE);
	char form[WHAT_TEXT];

	fputs("<span class=w><span class=p>", page);
	if (*product) {
		fputs("<b>", page);
		put_text(page, product);
		fputs("</b>", page);
	} else if (*service) {
		put_text(page, service);
	} else {
		fputs("<em>not identified</em>", page);
	}
	if (*product && *version) {
		fputs(" <span class=v>", page);
		put_text(page, version);
		fputs("</span>", page);
	}
	if (*product && *info) {
		fputs(" <small>", page);
		put_text(page, info);
		fputs("</small>", page);
	}
	form_to_line(column_text(row, STABLE), form);
	fputs("</span><code>", page);
	put_form(page, form);
	fputs("</code></span>", page);
}

static void put_times(FILE *page, sqlite3_stmt *row)
{
	char since[TIME_TEXT], seen[TIME_TEXT];

	time_to_text(sqlite3_column_int64(row, FIRST_SEEN), since);
	time_to_text(sqlite3_column_int64(row, LAST_SEEN), seen);
	fprintf(page,
		"<span class=s>%.10s</span><span class=l>%.16s</span>"
		"<span class=n>",
		since, seen);
	put_count(page, sqlite3_column_int64(row, CONNECTIONS));
	fputs("</span>", page);
}

static void put_identity(FILE *page, sqlite3_stmt *row)
{
	static const struct {
		const char *name;
		enum column column;
	} fields[] = {
		{ "service", SERVICE }, { "host name", HOSTNAME },
		{ "system", OS },	{ "device", DEVICETYPE },
		{ "unit", UNIT },	{ "container", CONTAINER },
		{ "process", PROCESS }, { "CPE", CPE },
	};

	fputs("<dl class=identity>", page);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		const char *text = column_text(row, (int)fields[i].column);

		if (!*text)
			continue;
		fprintf(page, "<div><dt>%s</dt><dd>", fields[i].name);
		if (fields[i].column >= UNIT && fields[i].column <= PROCESS)
			put_plain(page, text); /* escaped in the file */
		else
			put_text(page, text);
		fputs("</dd></div>", page);
	}
	fputs("</dl>", page);
}

static int put_row(struct report *report, struct report_history *history,
		   sqlite3_stmt *row)
{
	FILE *page = report->page;
	const struct report_subject subject = {
		.id = sqlite3_column_int64(row, SERVICE_ID),
		.current = sqlite3_column_int64(row, BANNER_ID),
		.first_seen = sqlite3_column_int64(row, FIRST_SEEN),
		.last_seen = sqlite3_column_int64(row, LAST_SEEN),
		.gone = sqlite3_column_int(row, GONE),
	};

	if (report_history_read(history, &subject))
		return EXIT_FAILED;
	fprintf(page, "<li id=s%lld", (long long)subject.id);
	put_keys(page, row);
	fputs("><details><summary>", page);
	put_where(report, row);
	put_what(page, row);
	report_history_span(history, page);
	put_times(page, row);
	fputs("</summary><div class=history>", page);
	put_identity(page, row);
	if (report_history_write(history, page))
		return EXIT_FAILED;
	fputs("</div></details></li>\n", page);
	return EXIT_DONE;
}

/* --- all of them ------------------------------------------------------- */

static void put_choice(FILE *page, const char *flag, const char *text,
		       int64_t count)
{
	if (!count)
		return;
	fprintf(page,
		"<button type=button data-is=\"%s\" aria-pressed=%s>%s <span>",
		flag, *flag ? "false" : "true", text);
	put_count(page, count);
	fputs("</span></button>\n", page);
}

/* The filter's controls. Without JavaScript they stay hidden. */
static void put_tools(const struct report *report)
{
	FILE *page = report->page;

	fputs("<div class=tools hidden>\n<div class=find>"
	      "<label for=find>Filter</label>"
	      "<input id=find type=search autocomplete=off spellcheck=false "
	      "placeholder=\"openssh 9.2 -debian port:22 is:new\" "
	      "aria-describedby=keys>"
	      "<output id=found for=find role=status></output></div>\n"
	      "<div class=choices role=group aria-label=\"Show only\">\n",
	      page);
	put_choice(page, "", "All", report->total.services);
	put_choice(page, "new", "New", report->total.fresh);
	put_choice(page, "changed", "Changed", report->total.changed);
	put_choice(page, "gone", "Gone", report->total.gone);
	put_choice(page, "once", "Once", report->total.once);
	put_choice(page, "refuses", "Refuses", report->total.refusing);
	put_choice(page, "different", "Ever different",
		   report->total.different);
	put_choice(page, "forms", "Several forms", report->total.pool);
	fputs("</div>\n</div>\n", page);
}

static void put_sort(FILE *page, const char *key, const char *text)
{
	fprintf(page, "<button type=button disabled data-sort=%s>%s</button>",
		key, text);
}

static void put_heads(const struct report *report)
{
	FILE *page = report->page;
	static const struct {
		const char *class, *key, *text;
	} heads[] = {
		{ "a", "server", "Server" },  { "w", "what", "What it is" },
		{ "h", NULL, "History" },     { "s", "since", "Since" },
		{ "l", "seen", "Last seen" }, { "n", "times", "Times" },
	};

	fputs("<div class=heads role=group aria-label=\"Sort by\">", page);
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		fprintf(page, "<span class=%s>", heads[i].class);
		if (heads[i].key)
			put_sort(page, heads[i].key, heads[i].text);
		else
			fputs(heads[i].text, page);
		/* It stands below the server. */
		if (!i && report->total.owned)
			put_sort(page, "owner", "Owner");
		fputs("</span>", page);
	}
	fputs("</div>\n", page);
}

static int put_rows(struct report *report)
{
	sqlite3_stmt *rows = report_prepare(report, query);
	struct report_history *history = report_history_open(report);
	int code = SQLITE_DONE, result = EXIT_FAILED;
	int64_t count = 0;

	if (!rows || !history)
		goto out;
	result = EXIT_DONE;
	while (!result && (code = sqlite3_step(rows)) == SQLITE_ROW &&
	       !ferror(report->page)) {
		if (!(count++ % ROWS_PER_CHUNK))
			fprintf(report->page, "%s<ol class=chunk>\n",
				count > 1 ? "</ol>\n" : "");
		result = put_row(report, history, rows);
	}
	if (count)
		fputs("</ol>\n", report->page);
out:
	report_history_close(history);
	return rows && finish(&report->store, rows, code) ? EXIT_FAILED :
							    result;
}

int report_services(struct report *report)
{
	FILE *page = report->page;
	int result = EXIT_DONE;

	fputs("<section id=services aria-labelledby=services-head>\n"
	      "<h2 id=services-head>All services</h2>\n",
	      page);
	if (report->total.services) {
		fputs("<div class=bar>\n", page);
		put_tools(report);
		put_heads(report);
		/*
		 * Text to a browser with JavaScript, of which report.js makes
		 * the elements that are seen; elements to any other.
		 */
		fputs("</div>\n<div id=list><noscript>\n", page);
		result = put_rows(report);
		fputs("</noscript></div>\n<p class=empty id=none hidden>No "
		      "service "
		      "matches. <button type=button id=clear>Show all"
		      "</button></p>\n"
		      "<p class=keys id=keys hidden><kbd>/</kbd> to the "
		      "filter, "
		      "<kbd>Esc</kbd> empties it, <kbd>&uarr;</kbd> "
		      "<kbd>&darr;</kbd> from service to service, "
		      "<kbd>Enter</kbd> opens its history. Words must all "
		      "match; <code>-word</code> must not.</p>\n",
		      page);
	} else {
		fputs("<p class=empty>No services. They appear as soon as a "
		      "server is seen to speak.</p>\n",
		      page);
	}
	fputs("</section>\n", page);
	return result;
}
