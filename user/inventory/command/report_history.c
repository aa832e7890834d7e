/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "report_history.h"
#include "inventory/inventory.h"

#include <stdlib.h>
#include <string.h>

#define FORMS_MAX 64	/* of a service in the report: the newest ones */
#define CHANGES_MAX 256 /* of a service: the oldest ones */
#define TICKS_MAX 24	/* changes marked in the small picture */
#define SPAN_WIDTH 200	/* of the pictures, in SVG units */
#define LANE_WIDTH 1000

struct form {
	int64_t id, first_seen, last_seen;
};

struct report_history {
	struct report *report;
	sqlite3_stmt *forms, *changes, *form;
	struct report_subject subject;
	struct form kept[FORMS_MAX];
	int64_t tick[TICKS_MAX];
	int64_t count; /* forms, including those not shown */
	int64_t news;  /* changes but for "new" */
	size_t ticks;
};

static const char forms_query[] =
	"SELECT id, first_seen, last_seen FROM banner WHERE service_id = ?1"
	" ORDER BY first_seen, id";

static const char form_query[] =
	"SELECT first_seen, last_seen, count, whole, refusal, stable,"
	" first_raw, latest_raw, service, product, version, info FROM banner"
	" WHERE id = ?1";

static const char change_query[] =
	"SELECT ts, kind, number, was.id, was.stable, was.service,"
	" was.product, was.version, was.info, became.id, became.stable,"
	" became.service, became.product, became.version, became.info,"
	" new_owner FROM change LEFT JOIN banner AS was ON was.id = old_banner"
	" LEFT JOIN banner AS became ON became.id = new_banner"
	" WHERE change.service_id = ?1 ORDER BY ts, change.id";

struct report_history *report_history_open(struct report *report)
{
	struct report_history *history = calloc(1, sizeof(*history));

	if (!history) {
		say("out of memory");
		return NULL;
	}
	history->report = report;
	history->forms = prepare(&report->store, forms_query);
	history->form = prepare(&report->store, form_query);
	history->changes = prepare(&report->store, change_query);
	if (history->forms && history->form && history->changes)
		return history;
	report_history_close(history);
	return NULL;
}

void report_history_close(struct report_history *history)
{
	if (!history)
		return;
	sqlite3_finalize(history->forms);
	sqlite3_finalize(history->form);
	sqlite3_finalize(history->changes);
	free(history);
}

/* Called after the last row of a statement that is used again. */
static int rewind_rows(struct report_history *history, sqlite3_stmt *rows,
		       int code)
{
	sqlite3_reset(rows);
	if (code == SQLITE_DONE || code == SQLITE_ROW)
		return EXIT_DONE;
	store_fail(&history->report->store, code);
	say("%s", history->report->store.error);
	return EXIT_FAILED;
}

int report_history_read(struct report_history *history,
			const struct report_subject *subject)
{
	int code;

	history->subject = *subject;
	history->count = history->news = 0;
	history->ticks = 0;
	sqlite3_bind_int64(history->forms, 1, subject->id);
	while ((code = sqlite3_step(history->forms)) == SQLITE_ROW)
		history->kept[history->count++ % FORMS_MAX] = (struct form){
			.id = sqlite3_column_int64(history->forms, 0),
			.first_seen = sqlite3_column_int64(history->forms, 1),
			.last_seen = sqlite3_column_int64(history->forms, 2),
		};
	if (rewind_rows(history, history->forms, code))
		return EXIT_FAILED;
	sqlite3_bind_int64(history->changes, 1, subject->id);
	while ((code = sqlite3_step(history->changes)) == SQLITE_ROW) {
		if (!strcmp(column_text(history->changes, 1), "new"))
			continue;
		history->news++;
		if (history->ticks < TICKS_MAX)
			history->tick[history->ticks++] =
				sqlite3_column_int64(history->changes, 0);
	}
	return rewind_rows(history, history->changes, code);
}

/* --- pictures ---------------------------------------------------------- */

/* The place of a time between two others, 0 to `width`. */
static int place(int64_t us, int64_t begin, int64_t end, int width)
{
	if (us <= begin || end <= begin)
		return 0;
	if (us >= end)
		return width;
	return (int)((double)(us - begin) / (double)(end - begin) * width);
}

/* A bar of at least `least` units, so that short times are visible. */
static void put_bar(FILE *page, int from, int to, int least, int width,
		    int height)
{
	if (to - from < least)
		to = from + least;
	if (to > width) {
		from -= to - width;
		to = width;
	}
	fprintf(page, "<rect x=%d width=%d height=%d />", from, to - from,
		height);
}

void report_history_span(const struct report_history *history, FILE *page)
{
	const struct report *report = history->report;
	const struct report_subject *subject = &history->subject;

	fprintf(page,
		"<svg class=h viewBox=\"0 0 %d 9\" preserveAspectRatio=none "
		"aria-hidden=true>",
		SPAN_WIDTH);
	put_bar(page,
		place(subject->first_seen, report->begin, report->end,
		      SPAN_WIDTH),
		place(subject->last_seen, report->begin, report->end,
		      SPAN_WIDTH),
		3, SPAN_WIDTH, 9);
	if (history->ticks)
		fputs("<path d=\"", page);
	for (size_t i = 0; i < history->ticks; i++)
		fprintf(page, "M%d 0v9",
			place(history->tick[i], report->begin, report->end,
			      SPAN_WIDTH));
	fputs(history->ticks ? "\" /></svg>" : "</svg>", page);
}

/* The number of the oldest form that is shown. */
static int64_t first_form(const struct report_history *history)
{
	return history->count > FORMS_MAX ? history->count - FORMS_MAX : 0;
}

static const struct form *form_at(const struct report_history *history,
				  int64_t number)
{
	return &history->kept[number % FORMS_MAX];
}

/* A line for each form: from its first to its last occurrence. */
static void put_lanes(const struct report_history *history, FILE *page)
{
	const int64_t begin = history->subject.first_seen,
		      end = history->report->end;
	char from[TIME_TEXT], to[TIME_TEXT];

	if (history->count < 2)
		return;
	fputs("<div class=lanes>", page);
	for (int64_t i = first_form(history); i < history->count; i++) {
		const struct form *form = form_at(history, i);

		fprintf(page,
			"<div><span>form %lld</span><svg viewBox=\"0 0 %d 10\" "
			"preserveAspectRatio=none aria-hidden=true%s>",
			(long long)i + 1, LANE_WIDTH,
			form->id == history->subject.current ?
				" class=current" :
				"");
		put_bar(page, place(form->first_seen, begin, end, LANE_WIDTH),
			place(form->last_seen, begin, end, LANE_WIDTH), 5,
			LANE_WIDTH, 10);
		fputs("</svg></div>", page);
	}
	time_to_text(begin, from);
	time_to_text(end, to);
	fprintf(page,
		"<div class=scale><span></span><span>%.16s</span>"
		"<span>%.16s</span></div></div>",
		from, to);
}

/* --- events ------------------------------------------------------------ */

/* Columns of change_query, and of each side from its first. */
enum { TS, KIND, NUMBER, OLD, NEW = OLD + 6, NEW_OWNER = NEW + 6 };
enum side { ID, STABLE, SERVICE, PRODUCT, VERSION_TEXT, INFO };

static void put_event(FILE *page, int64_t us, const char *class,
		      const char *text)
{
	char time[TIME_TEXT];

	time_to_text(us, time);
	fprintf(page, "<li class=%s><time>%s</time> <b>", class, time);
	put_text(page, text);
	fputs("</b>", page);
}

static void put_form_number(const struct report_history *history, FILE *page,
			    const char *before, int64_t id)
{
	for (int64_t i = first_form(history); i < history->count; i++) {
		if (form_at(history, i)->id == id)
			fprintf(page, "%sform %lld", before, (long long)i + 1);
	}
}

static void put_change(const struct report_history *history, FILE *page)
{
	sqlite3_stmt *row = history->changes;
	const char *kind = column_text(row, KIND);
	const int64_t number = sqlite3_column_int64(row, NUMBER);
	const bool fresh = !strcmp(kind, "new");
	char what[WHAT_TEXT];

	put_event(page, sqlite3_column_int64(row, TS),
		  fresh ? "new" : "changed", kind);
	what_to_text(row, NEW + SERVICE, NEW + PRODUCT, NEW + VERSION_TEXT,
		     NEW + INFO, NEW + STABLE, what);
	if (sqlite3_column_type(row, NEW_OWNER) != SQLITE_NULL)
		plain(what, sizeof(what), column_text(row, NEW_OWNER));
	fputs(" <span>", page);
	put_form(page, what);
	fputs("</span> <small>", page);
	if (sqlite3_column_type(row, OLD + ID) != SQLITE_NULL)
		put_form_number(history, page, "",
				sqlite3_column_int64(row, OLD + ID));
	put_form_number(history, page,
			sqlite3_column_type(row, OLD + ID) == SQLITE_NULL ?
				"" :
				" &rarr; ",
			sqlite3_column_int64(row, NEW + ID));
	if (number && !fresh)
		fprintf(page, ", ever different: %lld" EVER_DIFFERENT_WORDS,
			(long long)number);
	fputs("</small></li>\n", page);
}

static int put_events(struct report_history *history, FILE *page)
{
	const struct report_subject *subject = &history->subject;
	int64_t left = CHANGES_MAX;
	int code;

	fputs("<ol class=events>\n", page);
	put_event(page, subject->first_seen, "first", "first seen");
	fputs("</li>\n", page);
	sqlite3_bind_int64(history->changes, 1, subject->id);
	while ((code = sqlite3_step(history->changes)) == SQLITE_ROW) {
		/* The line before says already that the service is new. */
		if (!strcmp(column_text(history->changes, KIND), "new") &&
		    sqlite3_column_int64(history->changes, TS) ==
			    subject->first_seen)
			continue;
		if (!left--) {
			fputs("<li class=more><b>and more changes: see "
			      "<code>bannerprobe-inventory show</code>"
			      "</b></li>\n",
			      page);
			break;
		}
		put_change(history, page);
	}
	put_event(page, subject->last_seen, subject->gone ? "gone" : "last",
		  subject->gone ? "last seen, gone since" : "last seen");
	fputs("</li>\n</ol>", page);
	return rewind_rows(history, history->changes, code);
}

/* --- forms ------------------------------------------------------------- */

enum form_column {
	FORM_FIRST,
	FORM_LAST,
	FORM_COUNT,
	FORM_WHOLE,
	FORM_REFUSAL,
	FORM_STABLE,
	FORM_FIRST_RAW,
	FORM_LATEST_RAW,
	FORM_SERVICE,
	FORM_PRODUCT,
	FORM_VERSION,
	FORM_INFO,
};

/* The bytes that were said, if they differ from the form. */
static void put_raw(FILE *page, const char *name, sqlite3_stmt *row, int column)
{
	fprintf(page, "<dt>%s</dt><dd><pre>", name);
	put_bytes(page, sqlite3_column_blob(row, column),
		  (size_t)sqlite3_column_bytes(row, column));
	fputs("</pre></dd>", page);
}

static bool same_bytes(sqlite3_stmt *row)
{
	const int len = sqlite3_column_bytes(row, FORM_FIRST_RAW);

	return len == sqlite3_column_bytes(row, FORM_LATEST_RAW) &&
	       (!len || !memcmp(sqlite3_column_blob(row, FORM_FIRST_RAW),
				sqlite3_column_blob(row, FORM_LATEST_RAW),
				(size_t)len));
}

static void put_said(FILE *page, sqlite3_stmt *row)
{
	const bool wild = strstr(column_text(row, FORM_STABLE), "\\{") != NULL;

	fputs("<dl class=said>", page);
	if (wild) {
		fputs("<dt>form</dt><dd><pre>", page);
		put_form_lines(page, column_text(row, FORM_STABLE));
		fputs("</pre></dd>", page);
	}
	if (same_bytes(row)) {
		put_raw(page, "said", row, FORM_LATEST_RAW);
	} else {
		put_raw(page, "at first", row, FORM_FIRST_RAW);
		put_raw(page, "lately", row, FORM_LATEST_RAW);
	}
	fputs("</dl>", page);
}

static void put_form_head(const struct report_history *history, FILE *page,
			  int64_t number)
{
	sqlite3_stmt *row = history->form;
	const struct form *form = form_at(history, number);
	char first[TIME_TEXT], last[TIME_TEXT], what[WHAT_TEXT];

	what_to_text(row, FORM_SERVICE, FORM_PRODUCT, FORM_VERSION, FORM_INFO,
		     FORM_STABLE, what);
	time_to_text(form->first_seen, first);
	time_to_text(form->last_seen, last);
	fputs("<p>", page);
	if (history->count > 1)
		fprintf(page, "<b>form %lld</b> ", (long long)number + 1);
	if (*column_text(row, FORM_PRODUCT)) {
		put_plain(page, what);
		putc(' ', page);
	}
	if (history->count > 1 && form->id == history->subject.current)
		fputs("<b class=\"tag current\">current</b> ", page);
	if (sqlite3_column_int(row, FORM_REFUSAL))
		fputs("<b class=\"tag refuses\">refusal</b> ", page);
	if (!sqlite3_column_int(row, FORM_WHOLE))
		fputs("<b class=\"tag once\">unfinished</b> ", page);
	fprintf(page, "<small>%.16s to %.16s, ", first, last);
	put_counted(page, sqlite3_column_int64(row, FORM_COUNT), "time",
		    "times");
	fputs("</small></p>", page);
}

static int put_forms(struct report_history *history, FILE *page)
{
	int code = SQLITE_DONE, result = EXIT_DONE;

	if (first_form(history))
		fprintf(page,
			"<p class=empty>Of %lld forms the last %d are "
			"shown.</p>",
			(long long)history->count, FORMS_MAX);
	for (int64_t i = first_form(history); !result && i < history->count;
	     i++) {
		sqlite3_bind_int64(history->form, 1, form_at(history, i)->id);
		code = sqlite3_step(history->form);
		if (code == SQLITE_ROW) {
			fputs("<div class=form>", page);
			put_form_head(history, page, i);
			put_said(page, history->form);
			fputs("</div>\n", page);
		}
		result = rewind_rows(history, history->form, code);
	}
	return result;
}

int report_history_write(struct report_history *history, FILE *page)
{
	put_lanes(history, page);
	if (put_events(history, page))
		return EXIT_FAILED;
	return put_forms(history, page);
}
