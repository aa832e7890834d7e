/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Identification from a command line, for tests and for authors of rules:
 *
 *   identify [-p PROBES]... [-r FOLDER] [-o RULES]... [-t] [FILE...]
 *     what each file's bytes are; without files, of each line "first|second
 *     PORT whole|cut HEX" of standard input. -t: what it took, too.
 *   identify -k KIND -r FOLDER
 *     what Recog's fingerprints of that kind assert of each line's HEX.
 *   identify -e -o RULES...
 *     the rules' examples as such lines, with what is to come out.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "identify/identify.h"
#include "identify/recog.h"
#include "identify/rulefile.h"

#define RULES_MAX 16

static const char *rules[RULES_MAX + 1], *probes[RULES_MAX + 1];
static int rules_count, probes_count;
static double spent;
static unsigned long asked;

static void tell(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("identify: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* --- writing ------------------------------------------------------------ */

static void print_string(const char *string)
{
	putchar('"');
	for (; *string; string++) {
		const unsigned char byte = (unsigned char)*string;

		if (byte == '"' || byte == '\\')
			printf("\\%c", byte);
		else if (byte < ' ' || byte > '~')
			printf("\\u%04x", byte);
		else
			putchar(byte);
	}
	putchar('"');
}

static void print_field(const char *name, const char *value, const char **comma)
{
	if (!value)
		return;
	printf("%s\"%s\":", *comma, name);
	print_string(value);
	*comma = ",";
}

static void print_cpes(char *const *cpes, const char *comma)
{
	if (!cpes || !*cpes)
		return;
	printf("%s\"cpe\":", comma);
	for (comma = "["; *cpes; cpes++, comma = ",") {
		fputs(comma, stdout);
		print_string(*cpes);
	}
	putchar(']');
}

static void print_identity(const struct identified *identity)
{
	const char *comma = "";

	putchar('{');
	if (identity) {
		print_field("service", identity->service, &comma);
		print_field("product", identity->product, &comma);
		print_field("version", identity->version, &comma);
		print_field("info", identity->info, &comma);
		print_field("hostname", identity->hostname, &comma);
		print_field("os", identity->os, &comma);
		print_field("devicetype", identity->devicetype, &comma);
		print_cpes(identity->cpe, comma);
	}
	puts("}");
}

/* --- reading ------------------------------------------------------------ */

static size_t from_hex(const char *hex, uint8_t *bytes)
{
	size_t len = 0;
	unsigned int byte;

	while (sscanf(hex, "%2x", &byte) == 1) {
		bytes[len++] = (uint8_t)byte;
		hex += 2;
	}
	return len;
}

static void ask(struct identifier *identifier, enum said said, int port,
		const uint8_t *bytes, size_t len, bool complete)
{
	const double start = now_us();
	const struct identified *identity = identify(
		identifier, said, (uint16_t)port, bytes, len, complete);

	spent += now_us() - start;
	asked++;
	print_identity(identity);
}

static void ask_lines(struct identifier *identifier)
{
	char *line = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		char said[8], end[8];
		int port, at;
		uint8_t *bytes;

		if (sscanf(line, "%7s %d %7s %n", said, &port, end, &at) < 3)
			exit(2);
		bytes = malloc(size);
		ask(identifier, *said == 's' ? SAID_SECOND : SAID_FIRST, port,
		    bytes, from_hex(line + at, bytes), *end == 'w');
		free(bytes);
	}
	free(line);
}

static int ask_file(struct identifier *identifier, const char *path)
{
	struct rule_source *source = NULL;
	int error = rule_source_read(&source, path);

	if (error) {
		tell("%s: %s", path, strerror(-error));
		return 1;
	}
	ask(identifier, SAID_FIRST, 0, (uint8_t *)source->bytes, source->len,
	    true);
	rule_source_free(source);
	return 0;
}

static int run(const struct identify_sources *sources, bool timed,
	       char *const *files)
{
	const double start = now_us();
	struct identifier *identifier = identify_open(sources, tell);
	const double opened = now_us();
	const struct identify_statistics *statistics;
	int result = 0;

	if (!identifier)
		return 1;
	if (!*files)
		ask_lines(identifier);
	for (; *files; files++)
		result |= ask_file(identifier, *files);
	statistics = identify_statistics(identifier);
	if (timed)
		fprintf(stderr,
			"open_us %.0f each_us %.2f rules %u refused %u limits "
			"%llu given_up %llu\n",
			opened - start, asked ? spent / (double)asked : 0,
			statistics->rules, statistics->refused,
			(unsigned long long)statistics->limits,
			(unsigned long long)statistics->given_up);
	identify_close(identifier);
	return result;
}

/* --- Recog -------------------------------------------------------------- */

static void print_assertions(const struct fingerprint *fingerprint,
			     const struct match *match)
{
	const char *comma = "";
	char value[ASSERTION_MAX];

	putchar('{');
	if (fingerprint) {
		printf("\"line\":%u", fingerprint->pattern.place.line);
		comma = ",";
	}
	for (int i = 0; fingerprint && i < fingerprint->count; i++) {
		const char *name = fingerprint->assertions[i].name;

		if (fingerprint_value(fingerprint, match, name, value))
			print_field(name, value, &comma);
	}
	puts("}");
}

static int run_recog(const char *folder, const char *kind)
{
	struct matcher matcher;
	struct recog recog;
	struct database *database;
	struct match match;
	char *line = NULL;
	size_t size = 0;

	if (matcher_open(&matcher, tell) ||
	    recog_open(&recog, folder, &matcher))
		return 1;
	database = recog_database(&recog, kind);
	while (database && getline(&line, &size, stdin) > 0) {
		uint8_t *bytes = malloc(size);
		const struct text text = { bytes, from_hex(line, bytes), true };
		const struct fingerprint *one =
			database_match(database, &matcher, &text, &match);

		print_assertions(one, &match);
		free(bytes);
	}
	free(line);
	recog_close(&recog);
	matcher_close(&matcher);
	return !database;
}

/* --- examples ----------------------------------------------------------- */

static void print_example(const struct example *example, void *context)
{
	const char *comma = "";
	(void)context;

	printf("%s:%u\t%u\t", example->place.file, example->place.line,
	       example->rule.line);
	for (size_t i = 0; i < example->text.len; i++)
		printf("%02x", example->text.bytes[i]);
	fputs("\t{", stdout);
	print_field("service", example->service, &comma);
	print_field("product", example->fields[FIELD_PRODUCT], &comma);
	print_field("version", example->fields[FIELD_VERSION], &comma);
	print_field("info", example->fields[FIELD_INFO], &comma);
	print_field("hostname", example->fields[FIELD_HOSTNAME], &comma);
	print_field("os", example->fields[FIELD_OS], &comma);
	print_field("devicetype", example->fields[FIELD_DEVICETYPE], &comma);
	print_cpes((char *const *)example->cpes, comma);
	puts("}");
}

static int load_examples(const char *path, void *context)
{
	struct ruleset *set = context;
	struct rule_source *source = NULL;
	int error = rule_source_read(&source, path);

	if (!error)
		error = rulefile_load(source, set, print_example, NULL);
	rule_source_free(source);
	return error;
}

static int run_examples(void)
{
	struct matcher matcher;
	struct ruleset set;
	int error = 0;

	if (matcher_open(&matcher, tell) || ruleset_open(&set, &matcher))
		return 1;
	for (int i = 0; !error && i < rules_count; i++)
		error = rule_source_each(rules[i], ".rules", load_examples,
					 &set);
	if (error)
		tell("%s", strerror(-error));
	error = error || matcher.statistics.refused;
	ruleset_close(&set);
	matcher_close(&matcher);
	return error;
}

int main(int argc, char **argv)
{
	struct identify_sources sources = { .rules = rules, .probes = probes };
	const char *kind = NULL;
	bool timed = false, examples = false;
	int option;

	while ((option = getopt(argc, argv, "p:r:o:k:te")) != -1) {
		switch (option) {
		case 'p':
			if (probes_count < RULES_MAX)
				probes[probes_count++] = optarg;
			break;
		case 'r':
			sources.recog = optarg;
			break;
		case 'o':
			if (rules_count < RULES_MAX)
				rules[rules_count++] = optarg;
			break;
		case 'k':
			kind = optarg;
			break;
		case 't':
			timed = true;
			break;
		case 'e':
			examples = true;
			break;
		default:
			return 2;
		}
	}
	if (examples)
		return run_examples();
	if (kind)
		return sources.recog ? run_recog(sources.recog, kind) : 2;
	return run(&sources, timed, argv + optind);
}
