/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A command's words, checked before argp reads them: getopt's messages would
 * name neither the command nor what helps.
 */
#include "command.h"

#include <string.h>

struct words {
	const struct command *command;
	const struct argp_option *options;
	char *const *next; /* the words behind the one that is checked */
};

static bool is_last(const struct argp_option *option)
{
	return !option->name && !option->key && !option->doc;
}

static void __attribute__((noreturn))
refuse(const struct words *words, const char *option)
{
	const char *name = words->command->name;

	wrong_usage("%s: no such option of %s: bannerprobe-inventory %s --help "
		    "shows all",
		    option, name, name);
}

/* An option that takes a value, and does not have it in its own word. */
static void take_next(struct words *words, const struct argp_option *option,
		      const char *spelling)
{
	if (!*words->next)
		wrong_usage("%s: a value is missing: %s %s", spelling, spelling,
			    option->arg);
	words->next++;
}

/* Finds an option by its name, or by a beginning that no other one has. */
static const struct argp_option *by_name(const struct words *words,
					 const char *spelling)
{
	const char *name = spelling + strlen("--");
	const struct argp_option *found = NULL;

	for (const struct argp_option *o = words->options; !is_last(o); o++) {
		if (!o->name || strncmp(o->name, name, strlen(name)))
			continue;
		if (!strcmp(o->name, name))
			return o;
		if (found)
			wrong_usage("%s: is it --%s or --%s?", spelling,
				    found->name, o->name);
		found = o;
	}
	if (!found)
		refuse(words, spelling);
	return found;
}

static void check_name_of_option(struct words *words, const char *word)
{
	const size_t len = strcspn(word, "=");
	char *spelling = strndup(word, len);
	const struct argp_option *option;

	if (!spelling)
		wrong_usage("out of memory");
	option = by_name(words, spelling);
	if (!option->arg && word[len])
		wrong_usage("%s: takes no value: leave out what is behind the "
			    "=",
			    spelling);
	if (option->arg && !word[len])
		take_next(words, option, spelling);
	free(spelling);
}

static void check_letters(struct words *words, const char *letters)
{
	for (; *letters; letters++) {
		const char spelling[] = { '-', *letters, '\0' };
		const struct argp_option *option = words->options;

		while (!is_last(option) && option->key != *letters)
			option++;
		if (is_last(option))
			refuse(words, spelling);
		if (!option->arg)
			continue;
		if (!letters[1])
			take_next(words, option, spelling);
		return;
	}
}

void parse_words(const struct command *command,
		 const struct argp_option *options, argp_parser_t parser,
		 void *input, int argc, char **argv)
{
	const struct argp argp = { options,	 parser, command->arguments,
				   command->doc, NULL,	 NULL,
				   NULL };
	struct words words = { command, options, argv + 1 };

	while (*words.next && strcmp(*words.next, "--") != 0) {
		const char *word = *words.next++;

		if (!strncmp(word, "--", 2))
			check_name_of_option(&words, word);
		else if (word[0] == '-')
			check_letters(&words, word + 1);
	}
	if (argp_parse(&argp, argc, argv, ARGP_NO_HELP, NULL, input))
		exit(EXIT_USAGE);
}
