/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "stats.h"

#include "losses.h"
#include "system/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const struct counter_text counter_texts[COUNTER_MAX] = {
#define COUNTER_TEXT(id, name, meaning) [COUNT_##id] = { name, meaning },
	COUNTERS(COUNTER_TEXT)
#undef COUNTER_TEXT
};

void stats_read(struct stats *now, __u64 packets,
		const __u64 counters[COUNTER_MAX],
		const struct sink_counts *sinks)
{
	memcpy(now->by, counters, COUNTER_MAX * sizeof(*counters));
	now->by[STATS_PACKETS] = packets;
	now->by[STATS_LOGGED] = sinks->written;
	now->by[STATS_LEFT_OUT] = sinks->left_out;
	now->by[STATS_FTP_DATA] = sinks->ftp_data;
	now->by[STATS_LOST_OUTPUT] = sinks->lost;
	now->by[STATS_LOST_INVENTORY] = sinks->lost_inventory;
	now->by[STATS_LOST_CHANGES] = sinks->lost_changes;
	now->services = sinks->services;
	memcpy(now->changes, sinks->changes, sizeof(now->changes));
	now->events.kinds = 0;
}

void stats_read_events(struct stats *now, __u32 kinds,
		       const struct event_counts *counts)
{
	now->events.kinds = kinds;
	now->events.counts = *counts;
}

const struct counter_text *stats_text(int value)
{
	static const struct counter_text more[] = {
		{ "logged", "records written" },
		{ "left_out", "records that this format leaves out" },
		{ "ftp_data",
		  "FTP data connections that the inventory leaves out" },
		{ "lost_output", "records lost: could not be written" },
		{ "lost_inventory", "events lost for the inventory: not "
				    "written in time, or for a "
				    "reason that a message names" },
		{ "lost_changes",
		  "changes not logged: the log did not take them in time" },
	};
	static const struct counter_text packets = {
		"packets",
		"packets read, or passed by the interfaces that are watched"
	};

	if (value == STATS_PACKETS)
		return &packets;
	return value < COUNTER_MAX ? &counter_texts[value] :
				     &more[value - COUNTER_MAX];
}

__u64 stats_growth(const struct stats *now, const struct stats *before,
		   int value)
{
	if (value == COUNT_OPEN || now->by[value] < before->by[value])
		return 0;
	return now->by[value] - before->by[value];
}

void stats_print_table(const struct stats *now)
{
	message_clear_status();
	for (int i = 0; i < STATS_MAX; i++)
		fprintf(stderr, "%-24s %12llu  %s\n", stats_text(i)->name,
			now->by[i], stats_text(i)->meaning);
	event_stats_print(&now->events);
	if (!losses_sum(now))
		message("nothing lost");
}

/* --- a line --------------------------------------------------------------- */

/* Writes a value and its increase. */
static void write_value(FILE *line, const struct stats *now,
			const struct stats *before, int value)
{
	fprintf(line, "%s %llu", stats_text(value)->name, now->by[value]);
	if (value != COUNT_OPEN)
		fprintf(line, " (+%llu)", stats_growth(now, before, value));
}

/* The packets are always shown, even where there were none. */
static void write_changes(FILE *line, const struct stats *now,
			  const struct stats *before)
{
	write_value(line, now, before, STATS_PACKETS);
	for (int i = STATS_PACKETS + 1; i < STATS_MAX; i++) {
		const bool told = i == COUNT_OPEN ?
					  now->by[i] > 0 :
					  stats_growth(now, before, i) > 0;

		if (!told || is_loss(i))
			continue;
		fputs(", ", line);
		write_value(line, now, before, i);
	}
}

static void write_verdict(FILE *line, const struct stats *now,
			  const struct stats *before)
{
	const char *separator = "LOST: ";

	if (!losses_sum(now)) {
		fputs("nothing lost", line);
		return;
	}
	if (losses_sum(now) == losses_sum(before))
		separator = "nothing lost this time, before: ";
	for (size_t i = 0; i < losses_count; i++) {
		if (!now->by[losses[i].value])
			continue;
		fputs(separator, line);
		write_value(line, now, before, losses[i].value);
		separator = ", ";
	}
}

void stats_print_line(const struct stats *now, const struct stats *before)
{
	const time_t seconds = time(NULL);
	char when[32] = "", *text = NULL;
	struct tm local;
	size_t size;
	FILE *line = open_memstream(&text, &size);

	if (!line) {
		message("out of memory");
		return;
	}
	if (localtime_r(&seconds, &local))
		strftime(when, sizeof(when), "%F %T ", &local);
	fputs(when, line);
	write_changes(line, now, before);
	event_stats_write_changes(line, &now->events, &before->events);
	fputs(": ", line);
	write_verdict(line, now, before);
	if (!fclose(line))
		message("%s", text);
	free(text);
}
