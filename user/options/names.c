/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "names.h"

#include "option_table.h"
#include "usage.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- interfaces ----------------------------------------------------------- */

/*
 * Excludes names with a colon: the kernel takes lo:1 for lo, as a name of an
 * alias address.
 */
static bool is_interface(const char *name)
{
	return !strchr(name, ':') && if_nametoindex(name);
}

static bool is_there(const char *path)
{
	struct stat status;

	return !stat(path, &status);
}

static bool is_socket(const char *path)
{
	struct stat status;

	return !stat(path, &status) && S_ISSOCK(status.st_mode);
}

static bool is_option(const char *name)
{
	for (size_t i = 0; i < option_rows; i++) {
		if (!strcmp(name, option_table[i].name))
			return true;
	}
	return false;
}

/* `ip link` prints a name as veth0@if5, or eth0: with a colon. */
static void check_decoration(const char *name)
{
	char plain[IF_NAMESIZE];
	const size_t len = strcspn(name, "@:,");

	if (*name == '=' && is_interface(name + 1)) /* -i=eth0 */
		wrong_usage("%s: no such interface: did you mean %s?", name,
			    name + 1);
	if (!name[len] || len >= sizeof(plain))
		return;
	memcpy(plain, name, len);
	plain[len] = '\0';
	if (!is_interface(plain))
		return;
	if (name[len] == ',')
		wrong_usage("%s: no such interface: spaces stand between the "
			    "names of several",
			    name);
	wrong_usage("%s: no such interface: did you mean %s?", name, plain);
}

/* Names that no interface, and no pattern, can have. */
static void check_impossible(const char *name)
{
	if (usage_is_filter_word(name) && strpbrk(name, " =&"))
		wrong_usage("%s: no interface, and there are no filter "
			    "expressions: --port and --net choose servers",
			    name);
	if (strchr(name, '/'))
		wrong_usage("%s: no such interface, and no such file: -r "
			    "FILE reads a capture",
			    name);
	if (strpbrk(name, " \t\n"))
		wrong_usage("%s: no such interface: name several as separate "
			    "words, without quotes around all",
			    name);
}

static void check_interface(const char *name)
{
	if (is_interface(name))
		return;
	if (is_there(name))
		wrong_usage("%s: a file, and no interface: -r %s reads a "
			    "capture",
			    name, name);
	check_impossible(name);
	if (strpbrk(name, "*?["))
		return;
	if (!strcmp(name, "any"))
		wrong_usage("any: no such interface: --all watches all");
	if (!strcmp(name, "-"))
		wrong_usage("-: no interface: -r - reads a capture from "
			    "standard input");
	if (usage_is_filter_word(name))
		wrong_usage("%s: no such interface, and there are no filter "
			    "expressions: --port and --net choose servers",
			    name);
	if (is_option(name))
		wrong_usage("%s: no such interface: did you mean --%s?", name,
			    name);
	check_decoration(name);
}

/* --- captures ------------------------------------------------------------- */

static bool are_same_file(const char *path, const char *other)
{
	struct stat one, two;

	return other && !stat(path, &one) && !stat(other, &two) &&
	       S_ISREG(one.st_mode) && one.st_dev == two.st_dev &&
	       one.st_ino == two.st_ino;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The directory of a path, opened. Negative if it is missing. */
static int open_directory_of(const char *path)
{
	char *copy = strdup(path);
	const int fd = copy ? open(dirname(copy), O_PATH | O_CLOEXEC) : -1;

	free(copy);
	return fd;
}

/* Whether two paths name one file, which may be missing yet. */
static bool are_same_place(const char *path, const char *other)
{
	struct stat one, two;
	bool same;
	int fds[2];

	if (!path || !other)
		return false;
	if (!strcmp(path, other) || are_same_file(path, other))
		return true;
	if (strcmp(name_of(path), name_of(other)))
		return false;
	fds[0] = open_directory_of(path);
	fds[1] = open_directory_of(other);
	same = !fstat(fds[0], &one) && !fstat(fds[1], &two) &&
	       one.st_dev == two.st_dev && one.st_ino == two.st_ino;
	close(fds[0]);
	close(fds[1]);
	return same;
}

#define MAGIC_MAX 15 /* bytes of the longest one */

/*
 * What a file holds that text must not be written into; NULL: nothing such.
 * Only a regular file is opened: opening a device can have an effect on it.
 */
static const char *valuable(const char *path)
{
	static const struct {
		const char *magic, *what;
	} contents[] = {
		{ "\xa1\xb2\xc3\xd4", "a capture" },
		{ "\xd4\xc3\xb2\xa1", "a capture" },
		{ "\xa1\xb2\x3c\x4d", "a capture" },
		{ "\x4d\x3c\xb2\xa1", "a capture" },
		{ "\x0a\x0d\x0d\x0a", "a capture" },
		{ "\x1f\x8b", "a compressed file" },
		{ "\x28\xb5\x2f\xfd", "a compressed file" },
		{ "SQLite format 3", "an inventory or another database" },
	};
	char bytes[MAGIC_MAX + 1] = "";
	struct stat status;
	int fd;

	if (stat(path, &status) || !S_ISREG(status.st_mode))
		return NULL;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (read(fd, bytes, MAGIC_MAX) < 0)
		*bytes = '\0';
	close(fd);
	for (size_t i = 0; i < sizeof(contents) / sizeof(*contents); i++) {
		if (!strncmp(bytes, contents[i].magic,
			     strlen(contents[i].magic)))
			return contents[i].what;
	}
	return NULL;
}

static void check_content(const char *option, const char *path)
{
	const char *what = path ? valuable(path) : NULL;

	if (path && is_socket(path))
		wrong_usage("%s %s: a socket cannot be opened: name a file",
			    option, path);
	if (what)
		wrong_usage("%s %s: %s, which would be damaged: name another "
			    "file",
			    option, path, what);
}

#define FIRST_BYTES 256

/*
 * Whether a text begins as metrics do, which are replaced: a comment of that
 * format, or a name, perhaps labels, and a number.
 */
static bool are_metrics(const char *text)
{
	const char *end = text + strspn(text, "abcdefghijklmnopqrstuvwxyz"
					      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789_:");

	if (!strncmp(text, "# HELP ", 7) || !strncmp(text, "# TYPE ", 7))
		return true;
	if (end > text && *end == '{') {
		end += strcspn(end, "}\n");
		end += *end == '}'; /* else the text has no end of them */
	}
	return end > text && *end == ' ' && end[1] &&
	       strchr("-0123456789", end[1]);
}

static void check_metrics(const char *path)
{
	char text[FIRST_BYTES] = "";
	struct stat status;
	int fd;

	if (!path || stat(path, &status) || !S_ISREG(status.st_mode) ||
	    !status.st_size)
		return;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (read(fd, text, sizeof(text) - 1) > 0 && !are_metrics(text))
		wrong_usage("--metrics %s: a file that holds no metrics, and "
			    "would be replaced: name another file",
			    path);
	close(fd);
}

/* What is written needs a file for each: a log would damage an inventory. */
static void check_written(const struct options *options)
{
	if (are_same_place(options->output, options->metrics))
		wrong_usage("--metrics %s: the file of -o: name another one",
			    options->metrics);
	if (are_same_place(options->output, options->inventory))
		wrong_usage("--inventory %s: the file of -o: name another one",
			    options->inventory);
	if (are_same_place(options->metrics, options->inventory))
		wrong_usage("--inventory %s: the file of --metrics: name "
			    "another one",
			    options->inventory);
	check_content("-o", options->output);
	check_content("--metrics", options->metrics);
	check_metrics(options->metrics);
}

static void check_standard_input(const struct options *options)
{
	int count = 0;

	for (int i = 0; i < options->count; i++)
		count += !strcmp(options->names[i], "-");
	if (count > 1)
		wrong_usage("-r -: standard input can be read once, and is "
			    "named %d times",
			    count);
	if (count && isatty(STDIN_FILENO))
		wrong_usage("-r -: standard input is a terminal: pipe a "
			    "capture into it, or name a file");
}

static void check_capture(const struct options *options, const char *name)
{
	if (is_socket(name))
		wrong_usage("-r %s: a socket cannot be opened: name a capture",
			    name);
	if (!is_there(name) && errno == ENOENT && is_interface(name))
		wrong_usage("-r %s: an interface, and no file: without -r it "
			    "is watched",
			    name);
	if (!is_there(name) && usage_is_filter_word(name))
		wrong_usage("%s: no such file, and there are no filter "
			    "expressions: --port and --net choose servers",
			    name);
	if (are_same_file(name, options->output))
		wrong_usage("-o %s: the capture that -r reads: records would "
			    "be written into it; name another file",
			    options->output);
}

void names_check(const struct options *options)
{
	for (int i = 0; i < options->count; i++) {
		const char *name = options->names[i];

		if (!*name)
			wrong_usage("'': an empty name: name an interface, or "
				    "a capture with -r");
		if (!options->read)
			check_interface(name);
		else if (strcmp(name, "-"))
			check_capture(options, name);
	}
	if (options->read)
		check_standard_input(options);
	check_written(options);
}
