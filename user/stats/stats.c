/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "stats.h"

#include "system/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

const struct counter_text counter_texts[COUNTER_MAX] = {
#define COUNTER_TEXT(id, name, meaning) [COUNT_##id] = { name, meaning },
	COUNTERS(COUNTER_TEXT)
#undef COUNTER_TEXT
};

/* What is lost is told at the end, and in each line of --stats=SECONDS. */
static const struct {
	int value;
	const char *meaning;
} losses[] = {
	{ COUNT_LOST_RING, "banners lost: the ring buffer was full" },
	{ COUNT_LOST_PART,
	  "segments of greetings lost: the ring buffer was full" },
	{ COUNT_CROWDED_OUT,
	  "greetings logged before their end: too many at once" },
	{ COUNT_CROWDED_PART,
	  "segments of greetings left out: too many at once" },
	{ COUNT_EVICTED, "connections evicted before anything was decided: "
			 "more --max-flows would keep them" },
	{ COUNT_OVER_RATE,
	  "banners not logged: more in a second than --max-rate" },
	{ STATS_LOST_OUTPUT, "records lost: they could not be written" },
};

void stats_read(struct stats *now, __u64 packets,
		const __u64 counters[COUNTER_MAX], const struct output *output)
{
	memcpy(now->by, counters, COUNTER_MAX * sizeof(*counters));
	now->by[STATS_PACKETS] = packets;
	now->by[STATS_LOGGED] = output->logged;
	now->by[STATS_LEFT_OUT] = output->left_out;
	now->by[STATS_LOST_OUTPUT] = output->lost;
}

const struct counter_text *stats_text(int value)
{
	static const struct counter_text more[] = {
		{ "logged", "records written" },
		{ "left_out", "records that this format leaves out" },
		{ "lost_output", "records lost: could not be written" },
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

__u64 stats_lost(const struct stats *now)
{
	__u64 sum = 0;

	for (size_t i = 0; i < COUNT(losses); i++)
		sum += now->by[losses[i].value];
	return sum;
}

void stats_print_table(const struct stats *now)
{
	message_clear_status();
	for (int i = 0; i < STATS_MAX; i++)
		fprintf(stderr, "%-24s %12llu  %s\n", stats_text(i)->name,
			now->by[i], stats_text(i)->meaning);
	if (!stats_lost(now))
		message("nothing lost");
}

/* --- a line --------------------------------------------------------------- */

static bool is_loss(int value)
{
	for (size_t i = 0; i < COUNT(losses); i++) {
		if (losses[i].value == value)
			return true;
	}
	return false;
}

/* A value, and how much of it is new. */
static void write_value(FILE *line, const struct stats *now,
			const struct stats *before, int value)
{
	fprintf(line, "%s %llu", stats_text(value)->name, now->by[value]);
	if (value != COUNT_OPEN)
		fprintf(line, " (+%llu)", stats_growth(now, before, value));
}

/* The packets always: that there were none is told, too. */
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

	if (!stats_lost(now)) {
		fputs("nothing lost", line);
		return;
	}
	if (stats_lost(now) == stats_lost(before))
		separator = "nothing lost this time, before: ";
	for (size_t i = 0; i < COUNT(losses); i++) {
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
	fputs(": ", line);
	write_verdict(line, now, before);
	if (!fclose(line))
		message("%s", text);
	free(text);
}

void stats_print_losses(const struct stats *now)
{
	for (size_t i = 0; i < COUNT(losses); i++) {
		if (now->by[losses[i].value])
			message("%llu %s", now->by[losses[i].value],
				losses[i].meaning);
	}
}
