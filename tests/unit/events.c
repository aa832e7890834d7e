/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "events.h"

#include <stdarg.h>

const char *const event_names[MODEL_KINDS] = {
	[MODEL_BANNER] = "banner",     [MODEL_REQUEST] = "request",
	[MODEL_RESPONSE] = "response", [MODEL_REPLY] = "reply",
	[MODEL_OPEN] = "open",
};

bool event_add(struct event_list *list, const struct event_seen *event)
{
	if (list->count == MODEL_LOGGED)
		return false;
	list->seen[list->count++] = *event;
	return true;
}

void events_of_model(struct event_list *list, const struct model *model)
{
	list->count = 0;
	for (int i = 0; i < model->logged_count; i++)
		event_add(list, &model->logged[i]);
}

/* --- text */

static void append(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void append(char *text, size_t size, const char *format, ...)
{
	size_t len = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + len, size - len, format, arguments);
	va_end(arguments);
}

static void append_event(char *text, size_t size, const struct event_seen *e)
{
	append(text, size, "%s%s", *text ? ", " : "", event_names[e->kind]);
	if (e->kind != MODEL_OPEN)
		append(text, size, " %u+%u", e->offset, e->len);
	if (e->source != e->packet)
		append(text, size, " of %d", e->source);
	append(text, size, " @%d%s", e->packet, e->crossed ? " crossed" : "");
}

void events_text(char *text, size_t size, const struct event_list *list)
{
	*text = 0;
	for (int i = 0; i < list->count; i++)
		append_event(text, size, &list->seen[i]);
}

/* --- comparison */

/* The `number`-th event of this kind, or NULL. */
static const struct event_seen *find(const struct event_seen *events, int count,
				     int kind, int number)
{
	for (int i = 0; i < count; i++)
		if (events[i].kind == kind && !number--)
			return &events[i];
	return NULL;
}

static const char *differs_by(const struct event_seen *must,
			      const struct event_seen *seen)
{
	if (must->packet != seen->packet)
		return "is at another packet";
	if (must->source != seen->source || must->offset != seen->offset)
		return "has other bytes";
	if (must->len != seen->len)
		return "has another length";
	if (must->crossed != seen->crossed)
		return seen->crossed ? "is crossed, but must not be" :
				       "is not crossed, but must be";
	return NULL;
}

/* The first difference of one kind; false: none. */
static bool compare_kind(struct event_difference *found,
			 const struct model *model,
			 const struct event_list *seen, int kind)
{
	for (int number = 0;; number++) {
		const struct event_seen *must =
			find(model->logged, model->logged_count, kind, number);
		const struct event_seen *got =
			find(seen->seen, seen->count, kind, number);
		const char *how = NULL;

		if (!must && !got)
			return false;
		if (!must)
			how = "too many";
		else if (!got)
			how = "is missed";
		else
			how = differs_by(must, got);
		if (!how)
			continue;
		found->packet = must ? must->packet : got->packet;
		snprintf(found->text, sizeof(found->text), "event: %s %s %s",
			 must && got ? "the" : "a", event_names[kind], how);
		return true;
	}
}

struct event_difference events_compare(const struct model *model,
				       const struct event_list *seen)
{
	struct event_difference first = { .packet = -1 };

	if (model->unclear)
		return first;
	for (int kind = 0; kind < MODEL_KINDS; kind++) {
		struct event_difference found = { .packet = -1 };

		if (model->kind_unclear[kind] ||
		    !(model->asked & MODEL_BIT(kind)) ||
		    !compare_kind(&found, model, seen, kind))
			continue;
		if (!*first.text || found.packet < first.packet)
			first = found;
	}
	return first;
}

/* --- reasons */

/*
 * Whether each connection from number `at` on can be given one of the reasons
 * that it allows, so that `left` of each reason is used up.
 */
static bool share_out(const unsigned int *allowed, int count, int at,
		      int left[REASON_MAX])
{
	if (at == count)
		return true;
	for (int reason = 1; reason < REASON_MAX; reason++) {
		bool all;

		if (!(allowed[at] & MODEL_BIT(reason)) || !left[reason])
			continue;
		left[reason]--;
		all = share_out(allowed, count, at + 1, left);
		left[reason]++;
		if (all)
			return true;
	}
	return false;
}

static void append_allowed(char *text, size_t size, unsigned int allowed)
{
	const char *mark = "";

	for (int reason = 1; reason < REASON_MAX; reason++) {
		if (!(allowed & MODEL_BIT(reason)))
			continue;
		append(text, size, "%s%s", mark, reason_names[reason]);
		mark = " or ";
	}
}

const char *events_reason_meaning(enum model_kind kind, enum reason reason)
{
	static const char *const meanings[MODEL_KINDS][REASON_MAX] = {
#define MEANING(kind, reason, text) [MODEL_##kind][REASON_##reason] = text,
		EVENT_REASONS(MEANING)
#undef MEANING
	};

	return meanings[kind][reason];
}

static bool has_none(const struct model *model, int kind)
{
	for (int i = 0; i < model->reason_count[kind]; i++)
		if (model->reasons[kind][i] != MODEL_BIT(REASON_LOGGED))
			return true;
	return model->kind_unclear[kind];
}

void events_none_text(char *text, size_t size, const struct model *model)
{
	*text = 0;
	for (int kind = MODEL_REQUEST; kind < MODEL_KINDS; kind++) {
		if (!has_none(model, kind))
			continue;
		append(text, size, "%s%s: ", *text ? "; " : "",
		       event_names[kind]);
		if (model->kind_unclear[kind]) {
			append(text, size, "either");
			continue;
		}
		for (int i = 0; i < model->reason_count[kind]; i++) {
			append(text, size, "%s", i ? ", " : "");
			append_allowed(text, size, model->reasons[kind][i]);
		}
	}
}

static bool reasons_fit(const struct model *model,
			const int counted[REASON_MAX], int kind)
{
	int left[REASON_MAX], sum = 0;

	memcpy(left, counted, sizeof(left));
	for (int reason = 0; reason < REASON_MAX; reason++)
		sum += left[reason];
	return sum == model->reason_count[kind] &&
	       share_out(model->reasons[kind], model->reason_count[kind], 0,
			 left);
}

struct event_difference
events_compare_reasons(const struct model *model,
		       const int counted[MODEL_KINDS][REASON_MAX])
{
	struct event_difference found = { .packet = -1 };
	size_t size = sizeof(found.text);

	for (int kind = MODEL_REQUEST; kind < MODEL_KINDS; kind++) {
		if (model->unclear || model->kind_unclear[kind] ||
		    !(model->asked & MODEL_BIT(kind)) ||
		    reasons_fit(model, counted[kind], kind))
			continue;
		snprintf(found.text, size, "reasons: %s: ", event_names[kind]);
		for (int i = 0; i < model->reason_count[kind]; i++) {
			append(found.text, size, "%s", i ? ", " : "");
			append_allowed(found.text, size,
				       model->reasons[kind][i]);
		}
		return found;
	}
	return found;
}

/* --- as a table */

static void list_at(char *text, size_t size, const struct event_list *list,
		    int packet)
{
	*text = 0;
	for (int i = 0; i < list->count; i++)
		if (list->seen[i].packet == packet)
			append_event(text, size, &list->seen[i]);
}

static void show_packet(FILE *file, const struct conversation *c, int at,
			const struct event_list *must,
			const struct event_list *seen)
{
	char model_text[512], seen_text[512];

	list_at(model_text, sizeof(model_text), must, at);
	list_at(seen_text, sizeof(seen_text), seen, at);
	fprintf(file, "  %c ", strcmp(model_text, seen_text) ? '!' : ' ');
	conversation_show_packet(file, c, at);
	if (*model_text)
		fprintf(file, "  model: %s", model_text);
	if (*seen_text)
		fprintf(file, "  seen: %s", seen_text);
	fputc('\n', file);
}

void events_show(FILE *file, const struct conversation *c,
		 const struct model *model, const struct event_list *seen)
{
	struct event_list must;
	char text[512];

	events_of_model(&must, model);
	for (int i = 0; i < c->count; i++)
		show_packet(file, c, i, &must, seen);
	for (int kind = MODEL_REQUEST; kind < MODEL_KINDS; kind++) {
		fprintf(file, "    %s:", event_names[kind]);
		for (int i = 0; i < model->reason_count[kind]; i++) {
			*text = 0;
			append_allowed(text, sizeof(text),
				       model->reasons[kind][i]);
			fprintf(file, "%s %s", i ? "," : "", text);
		}
		if (model->kind_unclear[kind])
			fprintf(file, "; unclear: %s",
				model->kind_unclear[kind]);
		fputc('\n', file);
	}
	if (model->unclear)
		fprintf(file, "    unclear: %s\n", model->unclear);
}

/* --- a player against the model */

void events_play_model(struct model *model, const struct conversation *c,
		       unsigned int kinds)
{
	model_open(model, c->need, c->own[0], c->own[1], c->live);
	model_ask(model, kinds);
	for (int i = 0; i < c->count; i++)
		model_packet(model, &c->packets[i].segment);
	model_finish(model);
}

static struct model judge_model;

struct event_difference events_judge(const struct conversation *c,
				     event_player *player)
{
	int counted[MODEL_KINDS][REASON_MAX] = {};
	struct event_list list = { .count = 0 };
	struct event_difference found;

	events_play_model(&judge_model, c, MODEL_ALL_KINDS);
	player(c, &list, counted);
	found = events_compare(&judge_model, &list);
	if (!*found.text)
		found = events_compare_reasons(&judge_model, counted);
	return found;
}

/* False: no packet can be left out. */
static bool shrink_once(struct conversation *c, event_player *player,
			const char *text)
{
	static struct conversation smaller;

	for (int i = c->count - 1; i >= 0; i--) {
		smaller = *c;
		smaller.count--;
		memmove(smaller.packets + i, smaller.packets + i + 1,
			(size_t)(smaller.count - i) * sizeof(*smaller.packets));
		if (strcmp(events_judge(&smaller, player).text, text))
			continue;
		*c = smaller;
		return true;
	}
	return false;
}

void events_show_difference(FILE *file, const struct conversation *c,
			    event_player *player,
			    const struct event_difference *difference)
{
	static struct conversation smallest;
	int counted[MODEL_KINDS][REASON_MAX] = {};
	struct event_list list = { .count = 0 };

	smallest = *c;
	while (shrink_once(&smallest, player, difference->text))
		;
	fprintf(file, "# %s; seed %llu, ingredients %u\n", difference->text,
		c->seed, c->ingredients);
	events_play_model(&judge_model, &smallest, MODEL_ALL_KINDS);
	player(&smallest, &list, counted);
	events_show(file, &smallest, &judge_model, &list);
	for (int kind = MODEL_REQUEST; kind < MODEL_KINDS; kind++) {
		fprintf(file, "    seen, %s:", event_names[kind]);
		for (int reason = 1; reason < REASON_MAX; reason++)
			if (counted[kind][reason])
				fprintf(file, " %s %d;", reason_names[reason],
					counted[kind][reason]);
		fputc('\n', file);
	}
}
