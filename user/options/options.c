/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "options.h"

#include "decap_options.h"
#include "names.h"
#include "option_table.h"
#include "rule_options.h"
#include "usage.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define SSH_GATHER_MS 1000 /* quiet time that ends an identification */
#define DEFAULT_LENGTH 256
#define INVENTORY_LENGTH 2048
#define INVENTORY_GATHER_MS 1000
#define INVENTORY_UNFINISHED_MS 30000
#define FIRST_NAME 256 /* getopt's value of the first --name; no letter's */
#define OPERAND 1      /* getopt's value of a word that is no option */

/* The state of reading the command line. */
struct parser {
	struct options *options;
	char **words;
	bool given[OPTION_ROWS_MAX];
	const char *values[OPTION_ROWS_MAX]; /* the latest of each option */
	/*
	 * The previous word, if it is an option with an optional value and has
	 * none; else NULL.
	 */
	const struct option_row *without_value;
	/* The table in the form that getopt reads. */
	char letters[2 * OPTION_ROWS_MAX + 3];
	struct option names[OPTION_ROWS_MAX + 1];
};

/* --- the table, as getopt reads it ---------------------------------------- */

static int value_of(const struct option_row *row)
{
	if (!row->value)
		return no_argument;
	return row->flags & OPTION_VALUE_OPTIONAL ? optional_argument :
						    required_argument;
}

/*
 * Describes the table for getopt. "-": words come in their order; ":": getopt
 * returns a missing value as ':', and prints nothing.
 */
static void describe_table(struct parser *parser)
{
	char *letter = stpcpy(parser->letters, "-:");

	for (size_t i = 0; i < option_rows; i++) {
		const struct option_row *row = &option_table[i];

		parser->names[i] = (struct option){ row->name, value_of(row),
						    NULL, FIRST_NAME + (int)i };
		if (!row->letter)
			continue;
		*letter++ = row->letter;
		if (row->value)
			*letter++ = ':';
	}
}

static const struct option_row *find_row(int value)
{
	size_t i = 0;

	if (value >= FIRST_NAME)
		return &option_table[value - FIRST_NAME];
	while (i + 1 < option_rows && option_table[i].letter != value)
		i++;
	return &option_table[i];
}

static struct option_use use_of(int value, const char *argument)
{
	struct option_use use = { .row = find_row(value), .value = argument };

	if (value < FIRST_NAME)
		snprintf(use.spelling, sizeof(use.spelling), "-%c", value);
	else
		snprintf(use.spelling, sizeof(use.spelling), "--%s",
			 use.row->name);
	return use;
}

/* --- one word after another ----------------------------------------------- */

static bool is_same_value(const char *one, const char *other)
{
	return one == other || (one && other && !strcmp(one, other));
}

/*
 * The last of several values counts, so that an option can be appended to a
 * command that has it already. A note says so where it makes a difference.
 */
static void note_repetition(struct parser *parser, const struct option_use *use)
{
	const size_t row = (size_t)(use->row - option_table);

	if (parser->given[row] && !(use->row->flags & OPTION_MANY) &&
	    !is_same_value(parser->values[row], use->value))
		usage_note("%s is given more than once: %s counts, the last",
			   use->spelling,
			   use->value ? use->value : "without a value");
	parser->given[row] = true;
	parser->values[row] = use->value;
}

/* "-stats", which getopt takes for -s and more. */
static void check_single_dash(const char *word)
{
	for (size_t i = 0; word[0] == '-' && i < option_rows; i++) {
		if (!strcmp(word + 1, option_table[i].name))
			wrong_usage("%s: did you mean -%s?", word, word);
	}
}

/* The word of a letter may have others, and not be read to its end. */
static void check_word_of_letter(const struct parser *parser)
{
	check_single_dash(parser->words[optind - 1]);
	if (parser->words[optind])
		check_single_dash(parser->words[optind]);
}

static void take_option(struct parser *parser, int value, const char *argument)
{
	const struct option_use use = use_of(value, argument);
	const char *word = parser->words[optind - 1];

	if (value < FIRST_NAME && argument == word + 2)
		check_single_dash(word); /* "-output", read as -o utput */
	if (value < FIRST_NAME && !argument)
		check_word_of_letter(parser); /* "-hook", read as -h ... */
	option_take(parser->options, &use);
	note_repetition(parser, &use);
	parser->without_value =
		use.row->flags & OPTION_VALUE_OPTIONAL && !argument ? use.row :
								      NULL;
}

/* Whether a word can be a value of an option that takes one behind a "=". */
static bool is_value(const struct option_row *row, const char *word)
{
	if (row->take == decap_take)
		return decap_is_list(word);
	return *word && !word[strspn(word, "0123456789")];
}

/* Handles a name. In "--stats 5 eth0" the 5 is a value that lacks its "=". */
static void take_name(struct parser *parser, const char *word)
{
	struct options *options = parser->options;

	if (parser->without_value && is_value(parser->without_value, word))
		wrong_usage("--%s %s: did you mean --%s=%s? (-i %s watches an "
			    "interface of that name)",
			    parser->without_value->name, word,
			    parser->without_value->name, word, word);
	parser->without_value = NULL;
	options->names[options->count++] = word;
}

static void __attribute__((noreturn))
refuse_unknown(const struct parser *parser)
{
	const char letter[] = { '-', (char)optopt, '\0' };

	if (optopt >= FIRST_NAME)
		wrong_usage("--%s: takes no value: leave out what is behind "
			    "the =",
			    find_row(optopt)->name);
	if (!optopt)
		usage_unknown_option(parser->words[optind - 1]);
	check_word_of_letter(parser);
	usage_unknown_option(letter);
}

static void __attribute__((noreturn)) refuse_missing(void)
{
	const struct option_use use = use_of(optopt, NULL);

	wrong_usage("%s: a value is missing: %s %s", use.spelling, use.spelling,
		    use.row->value);
}

static void parse_words(struct parser *parser, int argc)
{
	int value;

	while ((value = getopt_long(argc, parser->words, parser->letters,
				    parser->names, NULL)) >= 0) {
		if (value == OPERAND)
			take_name(parser, optarg);
		else if (value == '?')
			refuse_unknown(parser);
		else if (value == ':')
			refuse_missing();
		else
			take_option(parser, value, optarg);
	}
	while (parser->words[optind]) /* behind -- */
		parser->options->names[parser->options->count++] =
			parser->words[optind++];
}

/* --- the whole ------------------------------------------------------------ */

static void check_together(const struct parser *parser)
{
	const bool read = parser->options->read;
	const unsigned int wrong =
		read ? OPTION_INTERFACES_ONLY : OPTION_CAPTURES_ONLY;

	for (size_t i = 0; i < option_rows; i++) {
		const struct option_row *row = &option_table[i];
		const char letter[] = { '-', row->letter, ',', ' ', '\0' };

		if (!parser->given[i] || !(row->flags & wrong))
			continue;
		if (read)
			wrong_usage("%s--%s is for interfaces, not for "
				    "captures: leave out this or -r",
				    row->letter ? letter : "", row->name);
		wrong_usage("%s--%s is for captures: -r FILE reads one",
			    row->letter ? letter : "", row->name);
	}
}

/* Options that change how an inventory is kept need --inventory. */
static void check_inventory(const struct parser *parser)
{
	static const char *const names[] = { "gone", "new-at-once",
					     "inventory-clients", "log" };
	const struct options *options = parser->options;

	for (size_t i = 0; i < option_rows && !options->inventory; i++) {
		for (size_t j = 0; j < sizeof(names) / sizeof(*names); j++) {
			if (parser->given[i] &&
			    !strcmp(option_table[i].name, names[j]))
				wrong_usage("--%s: there is no inventory: "
					    "--inventory FILE keeps one",
					    names[j]);
		}
	}
	if (options->log == LOG_CHANGES && options->format == FORMAT_ZEEK)
		wrong_usage("--log changes: the format zeek has no record of a "
			    "change: -f json or -f text");
}

static void check_usage(const struct parser *parser)
{
	const struct options *options = parser->options;
	const __u32 here = options->wanted.by & (FILTER_LOCAL | FILTER_REMOTE);

	if (!options->count)
		wrong_usage("no interface and no capture is named: IFACE, "
			    "--all or -r FILE; --help shows how");
	check_together(parser);
	names_check(options);
	if (here == (FILTER_LOCAL | FILTER_REMOTE))
		wrong_usage("--local and --remote: there is no such server: "
			    "leave out one of them");
	if (options->jobs > 1 && options->sequence)
		wrong_usage("-j %u: the captures of --sequence are read one "
			    "after the other: leave out one of them",
			    options->jobs);
	if (!options->track.decap.kinds &&
	    (options->track.decap.by_peer || !options->track.key.tunnels))
		wrong_usage("%s: no tunnel is opened: --decap says which are "
			    "to be",
			    options->track.decap.by_peer ? "--decap-from" :
							   "--decap-key no");
	check_inventory(parser);
}

/* Sets what other options imply: an inventory needs whole greetings. */
static void fill_in(struct options *options)
{
	options->track.events = options->events;
	if (!options->length)
		options->length =
			options->inventory ? INVENTORY_LENGTH : DEFAULT_LENGTH;
	if (!options->inventory)
		return;
	/* A request shows whether a PROXY header comes before the response. */
	options->track.events |= EVENTS_BANNER | EVENT_BIT(EVENT_RESPONSE) |
				 EVENT_BIT(EVENT_REQUEST);
	/* --max-rate limits the log only: the inventory takes every event. */
	options->log_rate = options->track.max_rate;
	options->track.max_rate = 0;
	if (options->gather_ms)
		return;
	options->gather_ms = INVENTORY_GATHER_MS;
	options->unfinished_ms = INVENTORY_UNFINISHED_MS;
}

/*
 * What the log has no place for; and that client bytes hold passwords: a user
 * that asks for them has to know.
 */
static void note_what_follows(const struct options *options)
{
	const __u32 said_by_clients =
		EVENT_BIT(EVENT_REQUEST) | EVENT_BIT(EVENT_REPLY);
	const char *tc = getenv(TC_ENVIRONMENT);

	if (!options->read && tc && *tc && strcmp(tc, TC_CLSACT) != 0)
		usage_note(TC_ENVIRONMENT "=%s: it changes nothing: " TC_CLSACT
					  " is the one value that does",
			   tc);
	if (options->inventory_clients)
		usage_note("--inventory-clients: what clients say first can "
			   "hold passwords: protect the inventory");
	if (options->track.sockets && options->format == FORMAT_ZEEK &&
	    !options->inventory)
		usage_note("--owner: the format zeek has no place for it: -f "
			   "text or -f json does");
	if (options->read && options->stats_format != STATS_TEXT &&
	    !options->stats)
		usage_note("--stats-format: --stats writes the counters; "
			   "without it only SIGUSR1 asks for them");
	if (options->events & said_by_clients && !options->no_output)
		usage_note("--events: what clients say first can hold "
			   "passwords: protect the log");
}

void options_parse(struct options *options, int argc, char **argv)
{
	struct parser parser = { .options = options, .words = argv };

	*options = (struct options){ .max_flows = DEFAULT_FLOWS,
				     .track.key.tunnels = true };
	options->names = calloc((size_t)argc + 1, sizeof(*options->names));
	if (!options->names) {
		message("out of memory");
		exit(EXIT_FAILED);
	}
	describe_table(&parser);
	opterr = 0; /* this program prints its own messages */
	parse_words(&parser, argc);
	decap_set_defaults(options);
	check_usage(&parser);
	note_what_follows(options);
	rules_set_defaults(options);
	usage_print_notes();
	fill_in(options);
	/* Programs that read this log reject an SSH identification that is cut.
	 */
	if (options->format == FORMAT_ZEEK && !options->gather_ms) {
		options->gather_ms = SSH_GATHER_MS;
		options->gather_ssh = true;
	}
	/*
	 * Text lines show no times; reassembly keys greetings by the SYN-ACK's.
	 */
	options->track.times =
		options->format != FORMAT_TEXT || options->gather_ms;
	options->track.rtt = options->format == FORMAT_JSON;
	options->track.gather = options->gather_ms ? options->length : 0;
}

void options_free(struct options *options)
{
	server_list_free(&options->wanted);
	free(options->names);
	options->names = NULL;
}
