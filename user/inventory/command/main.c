/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* bannerprobe-inventory: the program and its table of commands. */
#include "command.h"
#include "fold.h"
#include "inventory/inventory_stream.h"
#include "selection.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const struct command commands[] = {
	{ "list", "[FILE]", "The services (the default).", command_list },
	{ "changes", "", "What changed.", command_changes },
	{ "show", SELECTION_ARGUMENTS, "A service's whole history.",
	  command_show },
	{ "report", "", "The inventory as a page of HTML.", command_report },
	{ "clients", "", "The clients that spoke first, if they are kept.",
	  command_clients },
	{ "import", "LOG...",
	  "Read bannerprobe's json logs, compressed by gzip or not; - is "
	  "standard input. What was read of a log before is not read again.",
	  command_import },
	{ "diff", "OLD",
	  "What came and went since an older inventory. Exits 0: nothing, 1: "
	  "something, 2: trouble.",
	  command_diff },
	{ "gone", "", "The services that were not seen for long.",
	  command_gone },
	{ "forget", "[" SELECTION_ARGUMENTS "]", "Take services out.",
	  command_forget },
	{ "check", "", "Is the file sound?", command_check },
	/* Started by bannerprobe. */
	{ KEEPER_COMMAND, NULL, NULL, command_keep },
};
#define COMMANDS (sizeof(commands) / sizeof(*commands))

#define HELP_WIDTH 79
#define HELP_INDENT 37 /* of what a command does */

static const struct command *find(const char *word)
{
	for (size_t i = 0; word && i < COMMANDS; i++) {
		if (!strcmp(commands[i].name, word))
			return &commands[i];
	}
	return NULL;
}

/* A word behind the file is a command, or an option of list. */
static void check_command(const char *word)
{
	char names[128] = "";

	if (!word || *word == '-' || find(word))
		return;
	for (size_t i = 0; i < COMMANDS && commands[i].doc; i++) {
		strcat(names, i ? ", " : "");
		strcat(names, commands[i].name);
	}
	wrong_usage("%s: no such command: %s; --help explains them",
		    shown(word), names);
}

/* A command and its words in columns, and what it does, folded below itself. */
static void print_command(const struct command *command)
{
	char line[512];
	const int len =
		snprintf(line, sizeof(line), "  %-8s %-25s %s", command->name,
			 command->arguments, command->doc);

	fold_line(line, (size_t)len, HELP_WIDTH, HELP_INDENT, fold_print, NULL);
}

static void print_help(void)
{
	puts("Usage: bannerprobe-inventory [FILE] [COMMAND [WORD...]]\n"
	     "What listens here, what it is, since when, and what changed.\n\n"
	     "FILE is " INVENTORY_DEFAULT_FILE
	     " if it is not given. The commands:\n");
	for (size_t i = 0; i < COMMANDS && commands[i].doc; i++)
		print_command(&commands[i]);
	puts("\nCOMMAND --help shows the options of a command; those of list "
	     "are understood\nwithout its name.\n\n"
	     "  -h, --help     print this and exit\n"
	     "  -V, --version  print the versions and exit\n\n"
	     "Exit codes: 0 done, 1 not found or failed, 2 wrong usage.");
}

static bool print_and_exit(const char *word)
{
	if (!strcmp(word, "-h") || !strcmp(word, "--help") ||
	    !strcmp(word, "help"))
		print_help();
	else if (!strcmp(word, "-V") || !strcmp(word, "--version"))
		printf("bannerprobe-inventory %s (SQLite %s)\n", VERSION,
		       sqlite3_libversion());
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	const char *file = INVENTORY_DEFAULT_FILE;
	const struct command *command;
	bool by_probe;
	char name[64];
	int at = 1;

	/*
	 * A consumer that closes its pipe is an error of writing, and so is a
	 * limit of file sizes.
	 */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* Other processes of a probe write there, too: whole lines. */
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
	/* A probe names its inventory as it likes: "list" is a file, too. */
	by_probe = argc > 2 && !strcmp(argv[2], KEEPER_COMMAND);
	if (argc > 1 && !by_probe && print_and_exit(argv[1]))
		return say_finish() ? EXIT_DONE : EXIT_FAILED;
	if (argc > 1 && *argv[1] != '-' && (!find(argv[1]) || by_probe))
		file = argv[at++];
	check_name("FILE", file);
	if (at == 2)
		check_command(argv[at]);
	command = find(argv[at]);
	if (command)
		at++;
	else
		command = &commands[0];
	/* The program's name in argp's usage and errors. */
	snprintf(name, sizeof(name), "bannerprobe-inventory%s%s",
		 command == &commands[0] ? "" : " ",
		 command == &commands[0] ? "" : command->name);
	argv[at - 1] = name;
	return command->run(command, file, argc - at + 1, argv + at - 1);
}
