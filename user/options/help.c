/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "help.h"

#include "system/message.h"
#include "option_table.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 79       /* of a terminal of 80 columns */
#define HELP_COLUMN 30 /* where the text of an option begins */

static const char *const groups[GROUP_MAX] = {
	[GROUP_SOURCES] = "What is read:",
	[GROUP_RECORDS] = "What is written:",
	[GROUP_SERVERS] = "Which servers:",
	[GROUP_TUNNELS] = "What lies in tunnels:",
	[GROUP_ATTACHING] = "How interfaces are watched:",
	[GROUP_COUNTERS] = "Counters:",
	[GROUP_HELP] = "Help:",
};

static const char head[] =
	"Usage: bannerprobe [OPTION...] IFACE...   watch interfaces, until a "
	"signal\n"
	"       bannerprobe [OPTION...] -r FILE... read captures\n"
	"Log the banners of TCP servers that speak first: what each says "
	"before its\n"
	"client has said a word. IFACE is a name, or a pattern such as "
	"'veth*'.\n";

static const char tail[] = "\n"
			   "Exit codes:\n"
			   "  0  done\n"
			   "  1  failed at run time\n"
			   "  2  wrong usage\n"
			   "  3  could not load or attach\n"
			   "  4  ended as asked, but records were lost\n"
			   "\n"
			   "The manual, bannerprobe(8), has more.\n";

static void __attribute__((noreturn)) finish(void)
{
	errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		exit(EXIT_DONE);
	message("standard output: %s",
		errno ? strerror(errno) : "could not be written");
	exit(EXIT_FAILED);
}

/* Prints the words of a text in lines that begin at a column. */
static void print_words(const char *text, int column)
{
	while (*text) {
		const int len = (int)strcspn(text, " ");

		if (column + 1 + len > WIDTH)
			column = printf("\n%*s", HELP_COLUMN - 1, "") - 1;
		column += printf(" %.*s", len, text);
		text += len + strspn(text + len, " ");
	}
	putchar('\n');
}

static void print_row(const struct option_row *row)
{
	int column =
		row->letter ? printf("  -%c, ", row->letter) : printf("      ");

	column += printf("--%s", row->name);
	if (row->value)
		column += printf(row->flags & OPTION_VALUE_OPTIONAL ? "[=%s]" :
								      "=%s",
				 row->value);
	if (column >= HELP_COLUMN)
		column = printf("\n") - 1;
	column += printf("%*s", HELP_COLUMN - 1 - column, "");
	print_words(row->help, column);
}

void help_print(void)
{
	static char buffer[1 << 14];

	/* Written by one write(2), so that its error is known. */
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	fputs(head, stdout);
	for (int group = 0; group < GROUP_MAX; group++) {
		printf("\n%s\n", groups[group]);
		for (size_t i = 0; i < option_rows; i++) {
			if ((int)option_table[i].group == group)
				print_row(&option_table[i]);
		}
	}
	fputs(tail, stdout);
	finish();
}

void help_print_version(void)
{
	printf("bannerprobe %s (libbpf %u.%u)\n", VERSION,
	       libbpf_major_version(), libbpf_minor_version());
	finish();
}
