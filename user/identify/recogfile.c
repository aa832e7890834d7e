/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "recogfile.h"

#include "expat_api.h"

#include <errno.h>
#include <stdlib.h>

#define GROUPS_MAX 50

struct loader {
	XML_Parser parser;
	struct matcher *matcher;
	struct database *database;
	struct fingerprint *fingerprint; /* of the open element, or NULL */
	struct place place;
	const char *wrong;
	int error;
};

static void stop(struct loader *loader, int error, const char *wrong)
{
	loader->error = error;
	loader->wrong = wrong;
	XML_StopParser(loader->parser, XML_FALSE);
}

static const char *attribute(const char **attributes, const char *name)
{
	for (; *attributes; attributes += 2) {
		if (!strcmp(attributes[0], name))
			return attributes[1];
	}
	return NULL;
}

static void begin_file(struct loader *loader, const char **attributes)
{
	const char *kind = attribute(attributes, "matches");
	const char *service = attribute(attributes, "protocol");

	if (loader->database->kind) {
		stop(loader, -EINVAL, "fingerprints within fingerprints");
		return;
	}
	service = service ? service : "";
	loader->database->kind = strdup(kind ? kind : service);
	loader->database->service = strdup(service);
	if (!loader->database->kind || !loader->database->service)
		stop(loader, -ENOMEM, NULL);
}

/*
 * Recog's patterns are Ruby's. "Multiline" in Ruby lets the dot match a
 * newline; in other languages it changes ^ and $. Both are set.
 */
static uint32_t options_of(const char *flags)
{
	uint32_t options = 0;

	if (!flags)
		return 0;
	if (strstr(flags, "REG_ICASE"))
		options |= PCRE2_CASELESS;
	if (strstr(flags, "REG_DOT_NEWLINE"))
		options |= PCRE2_DOTALL;
	if (strstr(flags, "REG_MULTILINE"))
		options |= PCRE2_DOTALL | PCRE2_MULTILINE;
	return options;
}

/*
 * Replaces (.+)* by (.+)?, which matches the same. (.+)* tries all ways to cut
 * a text into pieces, so it would reach the limits and match nothing.
 */
static void untangle(char *regex)
{
	static const char *const tangles[] = { "(.+)*", "(.*)*", "(.*)+" };

	for (size_t i = 0; i < sizeof(tangles) / sizeof(*tangles); i++) {
		char *at = strstr(regex, tangles[i]);

		if (at && (at == regex || at[-1] != '\\'))
			at[strlen(tangles[i]) - 1] = '?';
	}
}

static void begin_fingerprint(struct loader *loader, const char **attributes)
{
	const char *pattern = attribute(attributes, "pattern");
	struct fingerprint *one;
	char *regex;

	if (!loader->database->kind || loader->fingerprint || !pattern) {
		stop(loader, -EINVAL, "it is no file of fingerprints");
		return;
	}
	one = database_next(loader->database);
	regex = one ? strdup(pattern) : NULL;
	if (!regex) {
		stop(loader, -ENOMEM, NULL);
		return;
	}
	untangle(regex);
	one->pattern = (struct pattern){
		.regex = regex,
		.len = (uint32_t)strlen(regex),
		.options = options_of(attribute(attributes, "flags")),
		.place = { loader->place.file,
			   (unsigned int)XML_GetCurrentLineNumber(
				   loader->parser) },
	};
	loader->error = database_take(loader->database, loader->matcher);
	if (loader->error)
		stop(loader, loader->error, NULL);
	else
		loader->fingerprint = one;
}

static void take_param(struct loader *loader, const char **attributes)
{
	const char *name = attribute(attributes, "name");
	const char *value = attribute(attributes, "value");
	const char *position = attribute(attributes, "pos");
	const long group = position ? strtol(position, NULL, 10) : 0;

	if (!loader->fingerprint || !name || group < 0 || group >= GROUPS_MAX)
		return;
	loader->error = fingerprint_assert(loader->fingerprint, name,
					   value ? value : "", (uint32_t)group);
	if (loader->error)
		stop(loader, loader->error, NULL);
}

static void begin(void *context, const char *name, const char **attributes)
{
	struct loader *loader = context;

	if (!strcmp(name, "fingerprints"))
		begin_file(loader, attributes);
	else if (!strcmp(name, "fingerprint"))
		begin_fingerprint(loader, attributes);
	else if (!strcmp(name, "param"))
		take_param(loader, attributes);
}

static void end(void *context, const char *name)
{
	struct loader *loader = context;

	if (!strcmp(name, "fingerprint"))
		loader->fingerprint = NULL;
}

/* A document type can define entities, and Recog's files have none. */
static void refuse_doctype(void *context, const char *name, const char *system,
			   const char *public, int has_subset)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_subset;
	stop(context, -EINVAL, "it has a document type, which is not read");
}

static int parse(struct loader *loader, const struct rule_source *source)
{
	XML_SetUserData(loader->parser, loader);
	XML_SetElementHandler(loader->parser, begin, end);
	XML_SetStartDoctypeDeclHandler(loader->parser, refuse_doctype);
	if (XML_Parse(loader->parser, source->bytes, (int)source->len, true) ==
		    XML_STATUS_ERROR &&
	    !loader->error) {
		loader->error = -EINVAL;
		loader->wrong =
			XML_ErrorString(XML_GetErrorCode(loader->parser));
	}
	if (!loader->error && !loader->database->kind) {
		loader->error = -EINVAL;
		loader->wrong = "it is no file of fingerprints";
	}
	if (loader->error == -EINVAL)
		loader->matcher->message(
			"%s:%lu: %s", source->path,
			(unsigned long)XML_GetCurrentLineNumber(loader->parser),
			loader->wrong);
	return loader->error;
}

int recogfile_load(const struct rule_source *source, struct matcher *matcher,
		   struct database **database)
{
	struct loader loader = { .parser = XML_ParserCreate("UTF-8"),
				 .matcher = matcher,
				 .database = database_new(),
				 .place.file = source->path };
	int error = -ENOMEM;

	if (loader.parser && loader.database)
		error = parse(&loader, source);
	if (!error)
		error = prefilter_build(loader.database->prefilter);
	if (loader.parser)
		XML_ParserFree(loader.parser);
	if (error)
		database_free(loader.database);
	else
		*database = loader.database;
	return error;
}
