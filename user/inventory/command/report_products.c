/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Products and versions: how many servers run which. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#define OPEN_PRODUCTS 12 /* products shown; further ones are folded */
#define OPEN_VERSIONS 8	 /* versions of a product, likewise */
#define BAR_WIDTH 100

/* Counts services that are not gone, by their forms that are no refusals. */
static const char query[] =
	"WITH seen AS (SELECT coalesce(product, '') AS product, CASE WHEN"
	" coalesce(product, '') <> '' THEN coalesce(version, '') ELSE"
	" coalesce(banner.service, '') END AS version, CASE WHEN"
	" coalesce(product, '') <> '' THEN coalesce(info, '') ELSE '' END"
	" AS info,"
	" sensor || ' ' || server AS host FROM service"
	" JOIN banner ON banner.id = banner_id"
	" WHERE service.last_seen >= ?3 AND NOT refusal AND" REPORT_TAKEN "),"
	" whole AS (SELECT product, count(*) AS services,"
	" count(DISTINCT host) AS servers FROM seen GROUP BY product)"
	" SELECT product, whole.servers, whole.services, version, info,"
	" count(DISTINCT host) AS some FROM seen JOIN whole"
	" USING (product) GROUP BY product, version, info"
	" ORDER BY product = '', whole.servers DESC, product, some DESC,"
	" version, info";

enum column { PRODUCT, SERVERS, SERVICES, VERSION_TEXT, INFO, SOME };

/* Products so far, and versions of the product. */
struct shelf {
	FILE *page;
	char *product;
	int products, versions;
	bool more; /* products, to be opened */
};

/* A link with a filter for exactly these services, for report.js. */
static void put_link(FILE *page, const char *product, const char *version,
		     const char *info)
{
	fputs("<a href=#services data-what=\"", page);
	put_text(page, product);
	putc(' ', page);
	put_text(page, version);
	putc(' ', page);
	put_text(page, info);
	fputs("\">", page);
}

static void put_bar(FILE *page, int64_t some, int64_t all)
{
	const double width =
		all > 0 ? BAR_WIDTH * (double)some / (double)all : 0;

	fprintf(page,
		"<svg viewBox=\"0 0 %d 6\" preserveAspectRatio=none "
		"aria-hidden=true><rect class=all width=%d height=6 />"
		"<rect width=%.1f height=6 /></svg>",
		BAR_WIDTH, BAR_WIDTH, width);
}

static void close_product(struct shelf *shelf)
{
	if (!shelf->product)
		return;
	fputs(shelf->versions > OPEN_VERSIONS ? "</ul></details></article>\n" :
						"</ul></article>\n",
	      shelf->page);
	free(shelf->product);
	shelf->product = NULL;
}

static bool open_product(struct shelf *shelf, sqlite3_stmt *row)
{
	FILE *page = shelf->page;
	const char *product = column_text(row, PRODUCT);

	close_product(shelf);
	shelf->product = strdup(product);
	if (!shelf->product) {
		say("out of memory");
		return false;
	}
	if (shelf->products++ == OPEN_PRODUCTS) {
		fputs("</div>\n<details class=more><summary>Further products"
		      "</summary>\n<div class=products>\n",
		      page);
		shelf->more = true;
	}
	shelf->versions = 0;
	fputs("<article><h3>", page);
	if (*product) {
		fputs("<a href=#services data-product=\"", page);
		put_text(page, product);
		fputs("\">", page);
		put_text(page, product);
		fputs("</a>", page);
	} else {
		fputs("No product known", page);
	}
	fputs(" <small>", page);
	put_counted(page, sqlite3_column_int64(row, SERVERS), "server",
		    "servers");
	if (sqlite3_column_int64(row, SERVICES) !=
	    sqlite3_column_int64(row, SERVERS)) {
		fputs(", ", page);
		put_counted(page, sqlite3_column_int64(row, SERVICES),
			    "service", "services");
	}
	fputs("</small></h3><ul>\n", page);
	return true;
}

/* The version, and further information that distinguishes it: a patch level. */
static void put_name(FILE *page, sqlite3_stmt *row)
{
	const char *product = column_text(row, PRODUCT),
		   *version = column_text(row, VERSION_TEXT),
		   *info = column_text(row, INFO);

	if (!*product) {
		put_text(page, *version ? version : "no service known");
		return;
	}
	put_link(page, product, version, info);
	put_text(page, *version || *info ? version : "no version");
	if (*info) {
		fputs(*version ? " <small>" : "<small>", page);
		put_text(page, info);
		fputs("</small>", page);
	}
	fputs("</a>", page);
}

static void put_version(struct shelf *shelf, sqlite3_stmt *row)
{
	FILE *page = shelf->page;

	if (shelf->versions++ == OPEN_VERSIONS)
		fputs("</ul><details class=more><summary>further"
		      "</summary><ul>\n",
		      page);
	fputs("<li><span>", page);
	put_name(page, row);
	fputs("</span>", page);
	put_bar(page, sqlite3_column_int64(row, SOME),
		sqlite3_column_int64(row, SERVERS));
	fputs("<b>", page);
	put_count(page, sqlite3_column_int64(row, SOME));
	fputs("</b></li>\n", page);
}

static int put_products(struct report *report)
{
	sqlite3_stmt *rows = report_prepare(report, query);
	struct shelf shelf = { .page = report->page };
	int code, result = EXIT_DONE;

	if (!rows)
		return EXIT_FAILED;
	while ((code = sqlite3_step(rows)) == SQLITE_ROW &&
	       !ferror(report->page)) {
		if ((!shelf.product ||
		     strcmp(shelf.product, column_text(rows, PRODUCT))) &&
		    !open_product(&shelf, rows)) {
			result = EXIT_FAILED;
			break;
		}
		put_version(&shelf, rows);
	}
	close_product(&shelf);
	if (!shelf.products)
		fputs("<p class=empty>Nothing was seen lately that says what "
		      "it is.</p>\n",
		      report->page);
	fputs(shelf.more ? "</div></details>\n" : "</div>\n", report->page);
	return finish(&report->store, rows, code) ? EXIT_FAILED : result;
}

int report_products(struct report *report)
{
	FILE *page = report->page;
	int result;

	fputs("<section id=products aria-labelledby=products-head>\n"
	      "<h2 id=products-head>Products and versions</h2>\n"
	      "<p class=note>How many servers run which; those that are gone "
	      "are not counted.</p>\n<div class=products>\n",
	      page);
	result = put_products(report);
	fputs("</section>\n", page);
	return result;
}
