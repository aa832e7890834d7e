/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "event_stats.h"

/* By enum event_fate; FATE_NONE has no name. */
static const struct {
	const char *name, *meaning;
} fates[FATE_MAX] = {
#define EVENT_FATE_TEXT(id, name, meaning) [FATE_##id] = { name, meaning },
	EVENT_FATES(EVENT_FATE_TEXT)
#undef EVENT_FATE_TEXT
};

bool event_stats_tell(const struct event_stats *stats, int kind)
{
	return kind != EVENT_BANNER && stats->kinds & EVENT_BIT(kind);
}

const char *event_fate_name(int fate)
{
	return fates[fate].name;
}

static void write_kind(FILE *file, const struct event_stats *stats, int kind)
{
	const char *separator = "";

	fprintf(file, "\"%s\":{", event_kind_names[kind]);
	for (int fate = FATE_NONE + 1; fate < FATE_MAX; fate++) {
		fprintf(file, "%s\"%s\":%llu", separator, fates[fate].name,
			stats->counts.by[kind][fate]);
		separator = ",";
	}
	fputc('}', file);
}

void event_stats_write_json(FILE *file, const struct event_stats *stats)
{
	const char *separator = "";

	if (!(stats->kinds & ~EVENTS_BANNER))
		return;
	fputs(",\"events\":{", file);
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		if (!event_stats_tell(stats, kind))
			continue;
		fputs(separator, file);
		write_kind(file, stats, kind);
		separator = ",";
	}
	fputc('}', file);
}

void event_stats_write_changes(FILE *line, const struct event_stats *now,
			       const struct event_stats *before)
{
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		const __u64 logged = now->counts.by[kind][FATE_LOGGED];
		const __u64 past = before->counts.by[kind][FATE_LOGGED];

		if (event_stats_tell(now, kind) && logged > past)
			fprintf(line, ", %s_logged %llu (+%llu)",
				event_kind_names[kind], logged, logged - past);
	}
}

void event_stats_print(const struct event_stats *stats)
{
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		for (int fate = FATE_NONE + 1;
		     event_stats_tell(stats, kind) && fate < FATE_MAX; fate++) {
			char name[64];

			snprintf(name, sizeof(name), "%s_%s",
				 event_kind_names[kind], fates[fate].name);
			fprintf(stderr, "%-24s %12llu  %s: %s\n", name,
				stats->counts.by[kind][fate],
				event_kind_names[kind], fates[fate].meaning);
		}
	}
}
