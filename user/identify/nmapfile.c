/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "nmapfile.h"

#include <errno.h>

static const struct {
	const char *name;
	enum field field;
} templates[] = {
	{ "p", FIELD_PRODUCT }, { "v", FIELD_VERSION },
	{ "i", FIELD_INFO },	{ "h", FIELD_HOSTNAME },
	{ "o", FIELD_OS },	{ "d", FIELD_DEVICETYPE },
};

struct loader {
	struct ruleset *first, *second;
	struct ruleset *current; /* NULL: in no probe, or in UDP's */
	struct place place;
	bool has_probe;
};

/* A piece such as m|text|flags: cut out in place. */
struct piece {
	char *name, *text, *flags;
};

static char *skip_spaces(char *at)
{
	while (isspace((uint8_t)*at))
		at++;
	return at;
}

/*
 * Takes a piece. The delimiter is any byte that the text does not contain. The
 * flags do not end with a NUL yet, because the next piece may begin right
 * behind them. NULL, or what is wrong.
 */
static const char *take_piece(char **at, struct piece *piece)
{
	char *delimiter, *end;

	piece->name = skip_spaces(*at);
	delimiter = piece->name;
	while (isalpha((uint8_t)*delimiter) || *delimiter == ':')
		delimiter++;
	if (!*delimiter || isspace((uint8_t)*delimiter))
		return "a part of it has no delimiter";
	piece->text = delimiter + 1;
	end = strchr(piece->text, *delimiter);
	if (!end)
		return "a part of it has no end";
	*delimiter = *end = '\0';
	piece->flags = end + 1;
	*at = piece->flags + strspn(piece->flags, "abcdefghijklmnopqrstuvwxyz"
						  "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	return NULL;
}

static const char *take_pattern(char **at, struct pattern *pattern)
{
	struct piece piece;
	const char *wrong = take_piece(at, &piece);

	if (wrong)
		return wrong;
	if (strcmp(piece.name, "m") != 0)
		return "its pattern does not begin with m";
	pattern->regex = piece.text;
	pattern->len = (uint32_t)strlen(piece.text);
	for (const char *flag = piece.flags; flag < *at; flag++) {
		if (*flag == 'i')
			pattern->options |= PCRE2_CASELESS;
		else if (*flag == 's')
			pattern->options |= PCRE2_DOTALL;
		else
			return "its pattern has a flag other than i and s";
	}
	return NULL;
}

/*
 * nmap puts "cpe:/" before the text. There is room: "cpe:" and a delimiter
 * are at this place of the file.
 */
static const char *take_cpe(const struct piece *piece, struct rule *rule)
{
	static const char prefix[] = "cpe:/";
	char *cpe = piece->text - strlen(prefix);

	if (rule->cpe_count == ANSWER_CPES)
		return "it has too many CPEs";
	memcpy(cpe, prefix, strlen(prefix));
	rule->cpes[rule->cpe_count++] = cpe;
	return NULL;
}

static const char *take_template(char **at, struct rule *rule)
{
	struct piece piece;
	const char *wrong = take_piece(at, &piece);

	if (wrong)
		return wrong;
	if (!strcmp(piece.name, "cpe:"))
		return take_cpe(&piece, rule);
	for (size_t i = 0; i < sizeof(templates) / sizeof(*templates); i++) {
		if (strcmp(piece.name, templates[i].name) != 0)
			continue;
		rule->templates[templates[i].field] = piece.text;
		return NULL;
	}
	return "it has an unknown field";
}

/*
 * Takes the rest of a line after "match " or "softmatch ". NULL, or the error.
 */
static const char *take_rule(char *at, struct rule *rule)
{
	static const char tunnel[] = "ssl/";
	const char *wrong;
	char *end;

	at = skip_spaces(at);
	end = strchr(at, ' ');
	if (!end)
		return "it has no pattern";
	*end = '\0';
	if (!strncmp(at, tunnel, strlen(tunnel)))
		at += strlen(tunnel);
	rule->service = at;
	at = end + 1;
	wrong = take_pattern(&at, &rule->pattern);
	while (!wrong && *(at = skip_spaces(at)))
		wrong = take_template(&at, rule);
	return wrong;
}

static int load_rule(struct loader *loader, char *at, bool is_soft)
{
	struct rule rule = { .pattern.place = loader->place,
			     .is_soft = is_soft };
	const char *wrong;

	if (!loader->current)
		return 0;
	wrong = take_rule(at, &rule);
	if (!wrong)
		return ruleset_add(loader->current, &rule);
	matcher_refuse(loader->current->matcher, &loader->place, wrong);
	return 0;
}

/* "TCP NULL q||": without bytes to send it is the NULL probe. */
static void begin_probe(struct loader *loader, char *at)
{
	char *bytes;

	loader->has_probe = true;
	loader->current = NULL;
	if (strncmp(at, "TCP ", 4) != 0)
		return;
	bytes = strchr(at + 4, ' ');
	if (!bytes || bytes[1] != 'q') {
		matcher_refuse(loader->first->matcher, &loader->place,
			       "its probe is unreadable");
		return;
	}
	loader->current = bytes[2] && bytes[2] == bytes[3] ? loader->first :
							     loader->second;
}

static int load_line(char *line, void *context)
{
	static const char probe[] = "Probe ", match[] = "match ",
			  softmatch[] = "softmatch ";
	struct loader *loader = context;

	loader->place.line++;
	if (!strncmp(line, probe, strlen(probe)))
		begin_probe(loader, line + strlen(probe));
	else if (!strncmp(line, match, strlen(match)))
		return load_rule(loader, line + strlen(match), false);
	else if (!strncmp(line, softmatch, strlen(softmatch)))
		return load_rule(loader, line + strlen(softmatch), true);
	return 0;
}

int nmapfile_load(struct rule_source *source, struct ruleset *first,
		  struct ruleset *second)
{
	struct loader loader = { .first = first,
				 .second = second,
				 .place.file = source->path };
	int error;

	error = rule_source_each_line(source, load_line, &loader);
	if (!error && !loader.has_probe)
		return -EINVAL;
	return error;
}
