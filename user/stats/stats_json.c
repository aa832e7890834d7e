/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "stats_json.h"

#include "losses.h"
#include "system/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void stats_write_json_string(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\\\\\\\", file);
		else if (*text == '"')
			fputs("\\\"", file);
		else if (*text >= ' ' && *text <= '~')
			fputc(*text, file);
		else
			fprintf(file, "\\\\x%02x", (unsigned char)*text);
	}
	fputc('"', file);
}

static void write_totals(FILE *file, const struct stats *now)
{
	for (int i = 0; i < STATS_MAX; i++)
		fprintf(file, ",\"%s\":%llu", stats_text(i)->name, now->by[i]);
	fprintf(file, ",\"lost\":%llu", losses_sum(now));
}

/* The increases since the last line; values without one are left out. */
static void write_growth(FILE *file, const struct stats *now,
			 const struct stats *before)
{
	const char *separator = "";

	fputs(",\"new\":{", file);
	for (int i = 0; i < STATS_MAX; i++) {
		const __u64 growth = stats_growth(now, before, i);

		if (!growth)
			continue;
		fprintf(file, "%s\"%s\":%llu", separator, stats_text(i)->name,
			growth);
		separator = ",";
	}
	fputc('}', file);
}

void stats_print_json(const struct stats *now, const struct stats *before,
		      const char *why, stats_writer *write_interfaces,
		      const void *interfaces)
{
	struct timespec time;
	char *text = NULL;
	size_t size;
	FILE *line = open_memstream(&text, &size);

	if (!line) {
		message("out of memory");
		return;
	}
	clock_gettime(CLOCK_REALTIME, &time);
	fprintf(line, "{\"ts\":%lld.%06ld,\"why\":\"%s\"",
		(long long)time.tv_sec, time.tv_nsec / 1000, why);
	write_totals(line, now);
	write_growth(line, now, before);
	event_stats_write_json(line, &now->events);
	if (write_interfaces)
		write_interfaces(line, interfaces);
	fputs("}\n", line);
	if (!fclose(line)) {
		message_clear_status();
		fwrite(text, 1, size, stderr);
	}
	free(text);
}
