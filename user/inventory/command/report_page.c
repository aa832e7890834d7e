/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The page around the report: its head, its figures, its glossary. */
#include "report.h"
#include "when.h"

#include <report_assets.h>

#include <nettle/base64.h>
#include <nettle/sha2.h>
#include <string.h>
#include <time.h>

/* 'sha256-...' for the content security policy: only these assets are run. */
static void put_digest(FILE *page, const unsigned char *asset, size_t len)
{
	char text[BASE64_ENCODE_RAW_LENGTH(SHA256_DIGEST_SIZE) + 1] = "";
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, len, asset);
	sha256_digest(&context, sizeof(digest), digest);
	base64_encode_raw(text, sizeof(digest), digest);
	fprintf(page, "'sha256-%s'", text);
}

static void put_policy(FILE *page)
{
	fputs("<meta http-equiv=Content-Security-Policy content=\""
	      "default-src 'none'; style-src ",
	      page);
	put_digest(page, report_css, sizeof(report_css));
	fputs("; script-src ", page);
	put_digest(page, report_js, sizeof(report_js));
	fputs("; base-uri 'none'; form-action 'none'\">\n", page);
}

/* CET, UTC+01:00 */
static void put_zone(FILE *page, int64_t us)
{
	const time_t second = (time_t)(us / 1000000);
	struct tm calendar;
	char name[64], offset[16];

	if (!localtime_r(&second, &calendar) ||
	    !strftime(name, sizeof(name), "%Z", &calendar) ||
	    strftime(offset, sizeof(offset), "%z", &calendar) != 5)
		return;
	put_plain(page, name);
	if (strcmp(name, "UTC"))
		fprintf(page, ", UTC%.3s:%s", offset, offset + 3);
}

static void put_minute(FILE *page, int64_t us)
{
	char text[TIME_TEXT];

	time_to_text(us, text);
	text[16] = 0;
	fputs(text, page);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* Shows the filter of the command line, which leaves services out. */
static void put_filter(const struct report *report)
{
	FILE *page = report->page;

	if (!report->filter.nets && !report->filter.ports &&
	    !report->filter.product && !report->filter.sensor &&
	    !report->filter.owner)
		return;
	fputs("<p class=warning>A part of the inventory:", page);
	if (report->filter.product) {
		fputs(" product <b>", page);
		put_text(page, report->filter.product);
		fputs("</b>", page);
	}
	if (report->filter.owner) {
		fputs(" owner <b>", page);
		put_text(page, report->filter.owner);
		fputs("</b>", page);
	}
	if (report->filter.sensor) {
		fputs(" sensor <b>", page);
		put_text(page, report->filter.sensor);
		fputs("</b>", page);
	}
	fprintf(page, "%s%s.</p>\n",
		report->filter.nets ? " some nets only" : "",
		report->filter.ports ? " some ports only" : "");
}

static void put_title(const struct report *report)
{
	FILE *page = report->page;
	const int64_t silent = (report->made - report->end) / US_PER_DAY;

	fputs("<h1>What listens here</h1>\n<p class=about>", page);
	put_text(page, base_name(report->file));
	fputs(", as of <time>", page);
	put_minute(page, report->made);
	fputs("</time> (", page);
	put_zone(page, report->made);
	fputs("). ", page);
	if (!report->total.services) {
		fputs("Nothing is recorded.</p>\n", page);
		return;
	}
	fputs("Recorded from <time>", page);
	put_minute(page, report->begin);
	fputs("</time> to <time>", page);
	put_minute(page, report->end);
	fputs("</time>.</p>\n", page);
	if (silent) {
		fputs("<p class=warning>The newest record is ", page);
		put_counted(page, silent, "day", "days");
		fputs(" old. What is new, changed or gone is counted from "
		      "it.</p>\n",
		      page);
	}
}

static void put_total(FILE *page, const char *name, int64_t count,
		      const char *class)
{
	fprintf(page, "<div class=%s><dt>%s</dt><dd>", count ? class : "none",
		name);
	put_count(page, count);
	fputs("</dd></div>\n", page);
}

static void put_totals(const struct report *report)
{
	FILE *page = report->page;

	fputs("<dl class=totals>\n", page);
	put_total(page, "services", report->total.services, "all");
	put_total(page, "servers", report->total.servers, "all");
	put_total(page, "products", report->total.products, "all");
	put_total(page, "new", report->total.fresh, "new");
	put_total(page, "changed", report->total.changed, "changed");
	put_total(page, "gone", report->total.gone, "gone");
	fputs("</dl>\n", page);
}

void report_head(struct report *report)
{
	FILE *page = report->page;

	fputs("<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n",
	      page);
	put_policy(page);
	fputs("<meta name=viewport content=\"width=device-width, "
	      "initial-scale=1\">\n"
	      "<meta name=color-scheme content=\"light dark\">\n"
	      "<meta name=referrer content=no-referrer>\n"
	      "<meta name=generator content=\"bannerprobe " VERSION "\">\n"
	      "<title>What listens here: ",
	      page);
	put_text(page, base_name(report->file));
	fputs("</title>\n<style>", page);
	fwrite(report_css, 1, sizeof(report_css), page);
	fputs("</style>\n</head>\n<body>\n"
	      "<a class=skip href=#services>To the services</a>\n"
	      "<header class=top>\n<nav aria-label=Sections><a href=#changes>"
	      "Changes</a> <a href=#products>Products</a> ",
	      page);
	if (report->total.owned)
		fputs("<a href=#owners>Owners</a> ", page);
	fputs("<a href=#services>Services</a> <a href=#words>Words</a></nav>\n",
	      page);
	put_title(report);
	put_filter(report);
	put_totals(report);
	fputs("</header>\n<main>\n", page);
}

/* --- what the words mean ----------------------------------------------- */

static const struct {
	const char *word, *class, *meaning;
} words[] = {
	{ "new", "new",
	  "A service that was never seen before: a server, a port, and what "
	  "it says. What was seen on the first day of the inventory was there "
	  "from "
	  "the beginning, and is not marked." },
	{ "version", "changed",
	  "The same product says another version, or another patch level." },
	{ "product", "changed", "Another product answers on this port." },
	{ "banner", "changed",
	  "The service says something else, and neither product nor version "
	  "explains it: a host name, an extension, a text." },
	{ "returned", "returned", "The service was gone, and was seen again." },
	{ "owner", "changed",
	  "Another unit, container or process of the host answers." },
	{ "gone", "gone",
	  "No connection to it was seen for long: seven days, unless "
	  "<code>--gone</code> says otherwise. It may be switched off, or "
	  "nobody may have asked for it." },
	{ "once", "once",
	  "Seen in a single connection. It may be a passing thing, such as a "
	  "port that was opened for a transfer." },
	{ "refuses", "refuses",
	  "All that is known of the service is that it refuses: an error "
	  "instead of a greeting. A refusal is never taken for a product." },
	{ "ever different", "different",
	  "Eight times in a row the service said something that it had never "
	  "said before. That is one change, and none follows." },
	{ "forms", "forms",
	  "A service may say several things in turn, for example behind a "
	  "load balancer. Each is a form; one that comes back is no change." },
};

static void put_words(FILE *page)
{
	fputs("<section id=words aria-labelledby=words-head>\n"
	      "<h2 id=words-head>What the words mean</h2>\n<dl class=words>\n",
	      page);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		fprintf(page,
			"<div><dt><b class=\"tag %s\">%s</b></dt>"
			"<dd>%s</dd></div>\n",
			words[i].class, words[i].word, words[i].meaning);
	fputs("<div><dt><mark>wild</mark></dt><dd>A part that differs from "
	      "connection to connection though nobody touched the server: a "
	      "date, a salt, an identifier, a counter. It is named, and left "
	      "out where two banners are compared.</dd></div>\n"
	      "<div><dt><i>\\x0d\\x0a</i></dt><dd>Bytes that are no printable "
	      "ASCII, in hexadecimal; a backslash is "
	      "doubled.</dd></div>\n</dl>\n</section>\n",
	      page);
}

void report_tail(struct report *report)
{
	FILE *page = report->page;

	put_words(page);
	fputs("</main>\n<footer><p>Made by bannerprobe-inventory " VERSION
	      ". Only services to which something connected are known: what "
	      "is idle is not seen.</p></footer>\n<script>",
	      page);
	fwrite(report_js, 1, sizeof(report_js), page);
	fputs("</script>\n</body>\n</html>\n", page);
}
