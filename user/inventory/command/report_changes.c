/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The report's part on new and changed services, by day. */
#include "report.h"
#include "inventory/inventory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OPEN_DAYS 7   /* days shown; earlier ones are folded */
#define OPEN_ROWS 60  /* rows shown of a day, likewise */
#define CHART_MOST 60 /* days in the chart; fewer if fewer are recorded */
#define CHART_LEAST 30

enum column {
	DAY,
	INITIAL,
	TS,
	KIND,
	NUMBER,
	SENSOR,
	SERVER,
	PORT,
	TUNNEL,
	SERVICE_ID,
	OLD,
	NEW = OLD + 6,
	OLD_OWNER = NEW + 6,
	NEW_OWNER,
};
/* The columns of each side. */
enum side { ID, STABLE, SERVICE, PRODUCT, VERSION_TEXT, INFO };

static const char query[] =
	"SELECT date(ts / 1000000, 'unixepoch', 'localtime') AS day,"
	" kind = 'new' AND ts < ?2 AS initial, ts, kind, number, sensor,"
	" server, port, tunnel, service.id,"
	" was.id, was.stable, was.service, was.product, was.version, was.info,"
	" became.id, became.stable, became.service, became.product,"
	" became.version, became.info, old_owner, new_owner FROM change"
	" JOIN service ON service.id = change.service_id"
	" LEFT JOIN banner ON banner.id = service.banner_id"
	" LEFT JOIN banner AS was ON was.id = old_banner"
	" LEFT JOIN banner AS became ON became.id = new_banner"
	" WHERE ts >= ?4 AND" REPORT_TAKEN
	" ORDER BY day DESC, initial, ts DESC, change.id DESC";

/* --- a change ---------------------------------------------------------- */

static const char *kind_class(const char *kind)
{
	static const char *const known[] = { "new", "returned" };

	for (int i = 0; i < 2; i++) {
		if (!strcmp(kind, known[i]))
			return known[i];
	}
	return "changed";
}

static void put_sides(FILE *page, sqlite3_stmt *row, const char *kind)
{
	char was[WHAT_TEXT], became[WHAT_TEXT];

	what_to_text(row, NEW + SERVICE, NEW + PRODUCT, NEW + VERSION_TEXT,
		     NEW + INFO, NEW + STABLE, became);
	if (sqlite3_column_type(row, NEW_OWNER) != SQLITE_NULL) {
		plain(was, sizeof(was), column_text(row, OLD_OWNER));
		plain(became, sizeof(became), column_text(row, NEW_OWNER));
		put_difference(page, was, became);
		return;
	}
	if (sqlite3_column_type(row, OLD + ID) == SQLITE_NULL ||
	    !strcmp(kind, "returned")) {
		put_form(page, became);
		return;
	}
	what_to_text(row, OLD + SERVICE, OLD + PRODUCT, OLD + VERSION_TEXT,
		     OLD + INFO, OLD + STABLE, was);
	/* If product and version are the same, the greetings are shown. */
	if (!strcmp(kind, "banner") || !strcmp(was, became)) {
		form_to_line(column_text(row, OLD + STABLE), was);
		form_to_line(column_text(row, NEW + STABLE), became);
	}
	put_difference(page, was, became);
}

static void put_change(struct report *report, sqlite3_stmt *row)
{
	FILE *page = report->page;
	const char *kind = column_text(row, KIND);
	const int64_t number = sqlite3_column_int64(row, NUMBER);
	char time[TIME_TEXT], endpoint[ENDPOINT_TEXT];

	time_to_text(sqlite3_column_int64(row, TS), time);
	endpoint_to_text(column_text(row, SERVER),
			 sqlite3_column_int(row, PORT), endpoint);
	fprintf(page, "<li><time>%.5s</time> <b class=\"tag %s\">",
		strlen(time) > 11 ? time + 11 : time, kind_class(kind));
	put_text(page, kind);
	fprintf(page, "</b> <a href=#s%lld>",
		(long long)sqlite3_column_int64(row, SERVICE_ID));
	put_plain(page, endpoint);
	fputs("</a> <span class=d>", page);
	put_sides(page, row, kind);
	if (number && strcmp(kind, "new")) {
		fputs(" <em>ever different: ", page);
		put_count(page, number);
		fputs(EVER_DIFFERENT_WORDS "</em>", page);
	} else if (number > 1) {
		fputs(" <em>and ", page);
		put_count(page, number - 1);
		fputs(" more of this server at once</em>", page);
	}
	if (report->sensors && *column_text(row, SENSOR)) {
		fputs(" <small>", page);
		put_text(page, column_text(row, SENSOR));
		fputs("</small>", page);
	}
	fputs("</span></li>\n", page);
}

/* --- a day ------------------------------------------------------------- */

static void put_date(FILE *page, const char *date)
{
	struct tm calendar = { 0 };
	char text[64];

	if (!strptime(date, "%Y-%m-%d", &calendar) ||
	    !strftime(text, sizeof(text), "%A, %-d %B %Y", &calendar)) {
		fputs("At no day of the calendar", page);
		return;
	}
	fprintf(page, "<time datetime=%s>%s</time>", date, text);
}

static void put_sum(FILE *page, const struct report_day *day)
{
	const char *between = "";

	if (day->fresh) {
		put_count(page, day->fresh);
		fputs(" new", page);
		between = ", ";
	}
	if (day->changed) {
		fputs(between, page);
		put_count(page, day->changed);
		fputs(" changed", page);
		between = ", ";
	}
	if (day->initial) {
		fputs(between, page);
		put_count(page, day->initial);
		fputs(" from the beginning", page);
	}
}

/* A list of changes, open or folded. */
struct shelf {
	FILE *page;
	size_t day; /* index in report->day; and its rows so far */
	int64_t rows;
	bool in_day, in_fold, initial;
};

/*
 * Folded lists are in <noscript>. A browser with JavaScript takes that as text,
 * which costs no elements before it is opened; any other browser shows it.
 */
static void open_fold(struct shelf *shelf)
{
	fputs("</summary><noscript><ol class=changes>\n", shelf->page);
	shelf->in_fold = true;
}

static void close_fold(struct shelf *shelf)
{
	if (shelf->in_fold)
		fputs("</ol></noscript></details>\n", shelf->page);
	shelf->in_fold = false;
}

static void close_day(struct shelf *shelf)
{
	if (!shelf->in_day)
		return;
	if (!shelf->in_fold)
		fputs("</ol>\n", shelf->page);
	close_fold(shelf);
	if (shelf->day < OPEN_DAYS)
		fputs("</section>\n", shelf->page);
	shelf->in_day = false;
}

static void open_day(struct shelf *shelf, const struct report *report)
{
	const struct report_day *day = &report->day[shelf->day];
	const bool open = shelf->day < OPEN_DAYS;

	if (shelf->day == OPEN_DAYS)
		fputs("<h3 class=earlier>Earlier</h3>\n", shelf->page);
	fputs(open ? "<section class=day><h3>" : "<details class=day><summary>",
	      shelf->page);
	put_date(shelf->page, day->date);
	fputs(" <small>", shelf->page);
	put_sum(shelf->page, day);
	fputs("</small>", shelf->page);
	if (open)
		fputs("</h3>\n<ol class=changes>", shelf->page);
	else
		open_fold(shelf);
	shelf->in_day = true;
	shelf->initial = false;
	shelf->rows = 0;
}

/*
 * Folds the rest of a day: after OPEN_ROWS rows, or before services without
 * news.
 */
static void fold_rest(struct shelf *shelf, const struct report_day *day,
		      bool initial)
{
	const int64_t news = day->fresh + day->changed;
	const bool begins = initial && !shelf->initial;

	if (shelf->day >= OPEN_DAYS || !shelf->in_day)
		return;
	if (!begins && (shelf->rows != OPEN_ROWS || initial))
		return;
	if (!shelf->in_fold)
		fputs("</ol>\n", shelf->page);
	close_fold(shelf);
	fputs("<details class=more><summary>", shelf->page);
	if (begins)
		put_counted(shelf->page, day->initial,
			    "service from the beginning",
			    "services from the beginning");
	else
		put_counted(shelf->page, news - shelf->rows, "more", "more");
	open_fold(shelf);
	shelf->initial = initial;
}

static int put_days(struct report *report)
{
	sqlite3_stmt *rows = report_prepare(report, query);
	struct shelf shelf = { .page = report->page };
	int code;

	if (!rows)
		return EXIT_FAILED;
	sqlite3_bind_int64(rows, 4, report->filter.since);
	while ((code = sqlite3_step(rows)) == SQLITE_ROW &&
	       !ferror(report->page)) {
		while (shelf.day < report->days &&
		       strcmp(report->day[shelf.day].date,
			      column_text(rows, DAY))) {
			close_day(&shelf);
			shelf.day++;
		}
		if (shelf.day >= report->days)
			break;
		if (!shelf.in_day)
			open_day(&shelf, report);
		fold_rest(&shelf, &report->day[shelf.day],
			  sqlite3_column_int(rows, INITIAL));
		put_change(report, rows);
		shelf.rows++;
	}
	close_day(&shelf);
	return finish(&report->store, rows, code);
}

/* --- the chart of days ------------------------------------------------- */

/* At most 40 units; a small count stays visible beside large ones. */
static double bar_height(int64_t count, int64_t most)
{
	const double height = 40 * sqrt((double)count / (double)most);

	return height < 2 ? 2 : height;
}

static void put_bar(FILE *page, const struct report_day *day, int64_t at,
		    int64_t most)
{
	const int64_t news = day->fresh + day->changed;
	const double height = bar_height(news, most);
	const double fresh = height * (double)day->fresh / (double)news;

	fprintf(page, "<g><title>%s: ", day->date);
	put_sum(page, &(struct report_day){ .fresh = day->fresh,
					    .changed = day->changed });
	fputs("</title>", page);
	if (day->changed)
		fprintf(page,
			"<rect class=changed x=%lld y=%.1f width=6 height=%.1f "
			"/>",
			(long long)at * 10 + 2, 42 - height, height - fresh);
	if (day->fresh)
		fprintf(page,
			"<rect class=new x=%lld y=%.1f width=6 height=%.1f />",
			(long long)at * 10 + 2, 42 - fresh, fresh);
	fputs("</g>\n", page);
}

static int64_t chart_days(const struct report *report)
{
	const int64_t days = report->day[0].number -
			     report->day[report->days - 1].number + 1;

	if (days > CHART_MOST)
		return CHART_MOST;
	return days < CHART_LEAST ? CHART_LEAST : days;
}

/* The highest count of the last days. */
static int64_t most_news(const struct report *report, int64_t days)
{
	int64_t most = 0;

	for (size_t i = 0; i < report->days; i++) {
		const struct report_day *day = &report->day[i];

		if (report->day[0].number - day->number < days &&
		    day->fresh + day->changed > most)
			most = day->fresh + day->changed;
	}
	return most;
}

static void put_chart(const struct report *report)
{
	const int64_t days = report->days ? chart_days(report) : 0;
	const int64_t most = most_news(report, days);
	FILE *page = report->page;

	if (!most)
		return;
	fprintf(page,
		"<figure class=chart><svg viewBox=\"0 0 %lld 44\" "
		"preserveAspectRatio=none role=img aria-label=\"New and "
		"changed services of each of %lld days\">\n"
		"<path class=base d=\"M0 43.5H%lld\" />",
		(long long)days * 10, (long long)days, (long long)days * 10);
	for (size_t i = 0; i < report->days; i++) {
		const struct report_day *day = &report->day[i];
		const int64_t at =
			days - 1 - (report->day[0].number - day->number);

		if (at >= 0 && at < days && day->fresh + day->changed)
			put_bar(page, day, at, most);
	}
	fprintf(page,
		"</svg><figcaption><span>%lld days to %s</span> <span>"
		"<b class=new></b> new <b class=changed></b> changed</span> "
		"<span>at most ",
		(long long)days, report->day[0].date);
	put_count(page, most);
	fputs(" a day; heights by square root</span></figcaption></figure>\n",
	      page);
}

static bool has_news(const struct report *report)
{
	for (size_t i = 0; i < report->days; i++) {
		if (report->day[i].fresh + report->day[i].changed)
			return true;
	}
	return false;
}

int report_changes(struct report *report)
{
	FILE *page = report->page;

	fputs("<section id=changes aria-labelledby=changes-head>\n"
	      "<h2 id=changes-head>What is new, and what changed</h2>\n",
	      page);
	put_chart(report);
	if (!has_news(report))
		fprintf(page, "<p class=empty>%s</p>\n",
			report->filter.since ? "Nothing changed since then." :
					       "Nothing has changed yet. A new "
					       "service or another version "
					       "will stand here.");
	if (put_days(report))
		return EXIT_FAILED;
	fputs("</section>\n", page);
	return EXIT_DONE;
}
