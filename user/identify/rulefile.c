/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "rulefile.h"

#include "token.h"

static const struct {
	const char *key;
	enum field field;
} keys[] = {
	{ "product=", FIELD_PRODUCT }, { "version=", FIELD_VERSION },
	{ "info=", FIELD_INFO },       { "hostname=", FIELD_HOSTNAME },
	{ "os=", FIELD_OS },	       { "devicetype=", FIELD_DEVICETYPE },
};

static const char cpe_prefix[] = "cpe:/";

struct loader {
	struct ruleset *set;
	rulefile_example *example;
	void *context;
	struct place place;
	struct rule rule; /* the latest: examples belong to it */
	bool has_rule;
};

/* The fields after a pattern, or after an example's bytes. */
struct fields {
	const char **fields, **cpes;
	int cpe_count;
};

static const char *set_field(struct fields *fields, const struct token *token)
{
	if (!strncmp(token->bytes, cpe_prefix, strlen(cpe_prefix))) {
		if (fields->cpe_count == ANSWER_CPES)
			return "it has too many CPEs";
		fields->cpes[fields->cpe_count++] = token->bytes;
		return NULL;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		const size_t len = strlen(keys[i].key);

		if (strncmp(token->bytes, keys[i].key, len) != 0)
			continue;
		fields->fields[keys[i].field] = token->bytes + len;
		return NULL;
	}
	return "it has an unknown field";
}

/* Takes the fields of a line. NULL, or what is wrong. */
static const char *take_fields(char **at, struct fields *fields)
{
	const char *wrong = NULL;
	struct token token;
	int taken = 0;

	while (!wrong && (taken = token_take(at, &token)) > 0)
		wrong = set_field(fields, &token);
	return taken < 0 ? "its text in quotes is wrong" : wrong;
}

static const char *take_flags(const struct token *flags,
			      struct pattern *pattern)
{
	for (size_t i = 0; i < flags->len; i++) {
		if (flags->bytes[i] == 'i')
			pattern->options |= PCRE2_CASELESS;
		else if (flags->bytes[i] == 's')
			pattern->options |= PCRE2_DOTALL;
		else
			return "its pattern has a flag other than i and s";
	}
	return NULL;
}

/* "Server:" before the pattern. */
static int take_header(char **at, struct rule *rule)
{
	struct token header;

	if ((*at)[strspn(*at, " \t")] == '/')
		return 0;
	if (token_take(at, &header) != 1 || header.len < 2 ||
	    header.bytes[header.len - 1] != ':')
		return -1;
	header.bytes[header.len - 1] = '\0';
	rule->header = header.bytes;
	return 0;
}

static const char *take_rule(char *at, struct rule *rule)
{
	struct fields fields = { rule->templates, rule->cpes, 0 };
	struct token service, pattern, flags;
	const char *wrong;

	if (token_take(&at, &service) != 1 || take_header(&at, rule) ||
	    token_take_pattern(&at, &pattern, &flags))
		return "it needs a service and a /pattern/";
	rule->service = service.bytes;
	rule->pattern.regex = pattern.bytes;
	rule->pattern.len = (uint32_t)pattern.len;
	wrong = take_flags(&flags, &rule->pattern);
	if (!wrong)
		wrong = take_fields(&at, &fields);
	rule->cpe_count = fields.cpe_count;
	return wrong;
}

static int refuse(const struct loader *loader, const char *why)
{
	matcher_refuse(loader->set->matcher, &loader->place, why);
	return 0;
}

static int load_rule(struct loader *loader, char *line)
{
	const char *wrong;

	loader->rule = (struct rule){ .pattern.place = loader->place };
	wrong = take_rule(line, &loader->rule);
	loader->has_rule = !wrong;
	if (wrong)
		return refuse(loader, wrong);
	return ruleset_add(loader->set, &loader->rule);
}

/* An example need not repeat a product that the rule has as a constant. */
static void inherit_product(const struct loader *loader,
			    struct example *example)
{
	const char *product = loader->rule.templates[FIELD_PRODUCT];

	if (product && !example->fields[FIELD_PRODUCT] && !strchr(product, '$'))
		example->fields[FIELD_PRODUCT] = product;
}

static int load_example(const struct loader *loader, char *line)
{
	struct example example = { .place = loader->place,
				   .rule = loader->rule.pattern.place,
				   .service = loader->rule.service };
	struct fields fields = { example.fields, example.cpes, 0 };
	struct token text;
	const char *wrong;

	if (!loader->example || !loader->has_rule)
		return 0;
	if (token_take(&line, &text) != 1)
		return refuse(loader, "its example is wrong");
	example.text =
		(struct text){ (const uint8_t *)text.bytes, text.len, true };
	wrong = take_fields(&line, &fields);
	if (wrong)
		return refuse(loader, wrong);
	inherit_product(loader, &example);
	loader->example(&example, loader->context);
	return 0;
}

static bool is_empty(const char *line)
{
	return !line[strspn(line, " \t\r")];
}

static int load_line(char *line, void *context)
{
	struct loader *loader = context;

	loader->place.line++;
	if (*line == '#' || is_empty(line))
		return 0;
	if (*line == ' ' || *line == '\t')
		return load_example(loader, line);
	return load_rule(loader, line);
}

int rulefile_load(struct rule_source *source, struct ruleset *set,
		  rulefile_example *example, void *context)
{
	struct loader loader = { .set = set,
				 .example = example,
				 .context = context,
				 .place.file = source->path };

	return rule_source_each_line(source, load_line, &loader);
}
