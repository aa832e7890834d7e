/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fuzzes identification: an input is a byte that chooses, the length of a
 * source (two bytes), the source (the project's rules, nmap's or Recog's), and
 * the bytes of a server. Fields must be printable. Patterns that the prefilter
 * leaves out must not match.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "guarded.h"
#include "memory_file.h"
#include "identify/identify.h"
#include "identify/nmapfile.h"
#include "identify/rulefile.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADER 3

enum { KIND_RULES, KIND_NMAP, KIND_RECOG, KIND_INSTALLED, KINDS };
#define IS_CUT 4
#define IS_SECOND 8

static struct identifier *installed;

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void tell(const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const rules[] = { "packaging/rules", NULL };
	const struct identify_sources sources = { .rules = rules };

	(void)argc;
	(void)argv;
	installed = identify_open(&sources, tell);
	require(installed);
	return 0;
}

static void require_printable(const char *field)
{
	if (!field)
		return;
	require(*field);
	for (; *field; field++)
		require(*field >= ' ' && *field <= '~');
}

static void check(const struct identified *one)
{
	if (!one)
		return;
	require(one->service);
	require_printable(one->service);
	require_printable(one->product);
	require_printable(one->version);
	require_printable(one->info);
	require_printable(one->hostname);
	require_printable(one->os);
	require_printable(one->devicetype);
	for (char **cpe = one->cpe; cpe && *cpe; cpe++)
		require_printable(*cpe);
}

static void ask(struct identifier *identifier, uint8_t choice,
		const struct text *said)
{
	const enum said who = choice & IS_SECOND ? SAID_SECOND : SAID_FIRST;
	const uint16_t port = said->len ? said->bytes[said->len - 1] : 0;

	for (int i = 0; i < 2; i++)
		check(identify(identifier, who, port, said->bytes, said->len,
			       said->complete));
}

static void ask_opened(int kind, uint8_t choice, const struct text *said)
{
	const char *const files[] = { MEMORY_FILE, NULL };
	const struct identify_sources sources = {
		.rules = kind == KIND_RULES ? files : NULL,
		.probes = kind == KIND_NMAP ? files : NULL,
		.recog = kind == KIND_RECOG ? MEMORY_FILE : NULL,
	};
	struct identifier *identifier = identify_open(&sources, tell);

	if (identifier)
		ask(identifier, choice, said);
	identify_close(identifier);
}

static void ignore(const struct example *example, void *context)
{
	(void)example;
	(void)context;
}

/* Each rule that matches must be among what the prefilter found. */
static void check_prefilter(struct ruleset *set, const struct text *said)
{
	struct match match;

	require(!ruleset_build(set));
	require(!prefilter_scan(set->prefilter, said));
	for (unsigned int i = 0; i < set->count; i++) {
		set->matcher->limits = 0;
		if (pattern_match(set->matcher, &set->rules[i].pattern, said,
				  &match))
			require(prefilter_next(set->prefilter, i) == (int)i);
	}
}

static void try_rules(int kind, const struct text *said)
{
	struct rule_source *source = NULL;
	struct matcher matcher;
	struct ruleset set;

	require(!matcher_open(&matcher, tell));
	require(!ruleset_open(&set, &matcher));
	require(!rule_source_read(&source, MEMORY_FILE));
	if (kind == KIND_NMAP)
		nmapfile_load(source, &set, &set);
	else
		require(!rulefile_load(source, &set, ignore, NULL));
	check_prefilter(&set, said);
	ruleset_close(&set);
	matcher_close(&matcher);
	rule_source_free(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text source, said;
	size_t len;
	int kind;

	if (size < HEADER)
		return 0;
	kind = data[0] % KINDS;
	len = data[1] | (size_t)data[2] << 8;
	len = len < size - HEADER ? len : size - HEADER;
	source = (struct text){ data + HEADER, len, true };
	size -= HEADER + len;
	said = (struct text){ guarded_copy(0, data + HEADER + len, size), size,
			      !(data[0] & IS_CUT) };
	if (kind == KIND_INSTALLED) {
		ask(installed, data[0], &said);
		return 0;
	}
	memory_file_set(&(struct memory_file){ .bytes = source.bytes,
					       .size = source.len,
					       .piece = source.len + 1 });
	ask_opened(kind, data[0], &said);
	if (kind != KIND_RECOG)
		try_rules(kind, &said);
	return 0;
}
