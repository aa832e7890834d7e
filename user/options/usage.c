/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "usage.h"

#include "option_table.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define WORD_MAX 32 /* bytes of the longest word that is compared */
#define NOTES_MAX 16

/* --- notes ---------------------------------------------------------------- */

static char *notes[NOTES_MAX];
static size_t note_count;

void usage_note(const char *format, ...)
{
	va_list arguments;

	if (note_count == NOTES_MAX)
		return;
	va_start(arguments, format);
	if (vasprintf(&notes[note_count], format, arguments) >= 0)
		note_count++;
	va_end(arguments);
}

void usage_print_notes(void)
{
	for (size_t i = 0; i < note_count; i++) {
		message("%s", notes[i]);
		free(notes[i]);
	}
	note_count = 0;
}

/* --- suggestions ---------------------------------------------------------- */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * The edit distance of two words: letters inserted, deleted, changed, or
 * swapped with the next one.
 */
static size_t distance(const char *a, const char *b)
{
	const size_t a_len = strlen(a), b_len = strlen(b);
	size_t rows[WORD_MAX + 1][WORD_MAX + 1];

	if (a_len > WORD_MAX || b_len > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		rows[i][0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			const bool equal = same(a[i - 1], b[j - 1]);

			rows[i][j] = least(
				rows[i - 1][j - 1] + !equal,
				least(rows[i - 1][j], rows[i][j - 1]) + 1);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]))
				rows[i][j] = least(rows[i][j],
						   rows[i - 2][j - 2] + 1);
		}
	}
	return rows[a_len][b_len];
}

/* The nearest word: one wrong letter in a short word, a third in a long one. */
const char *usage_nearest(const char *word, const char *const *list)
{
	const size_t tolerated = strlen(word) < 6 ? 1 : strlen(word) / 3;
	const char *nearest = NULL;
	size_t shortest = tolerated + 1;

	for (; *list; list++) {
		const size_t now = distance(word, *list);

		if (now < shortest) {
			shortest = now;
			nearest = *list;
		}
	}
	return nearest;
}

const char *usage_suggest(char text[SUGGESTION_MAX], const char *word,
			  size_t len, const char *const *choices)
{
	char whole[WORD_MAX + 2];
	const char *nearest;

	snprintf(whole, sizeof(whole), "%.*s", (int)len, word);
	nearest = usage_nearest(whole, choices);
	/* A right word may be wrong beside others. */
	if (nearest && strcmp(nearest, whole) != 0)
		snprintf(text, SUGGESTION_MAX, ": did you mean %s?", nearest);
	else
		*text = '\0';
	return text;
}

bool usage_is_filter_word(const char *word)
{
	static const char *const words[] = {
		"and", "dst",  "ether", "greater", "host", "icmp",	"ip",
		"ip6", "less", "net",	"not",	   "port", "portrange", "proto",
		"src", "tcp",  "udp",	"vlan",	   NULL,
	};
	const size_t len = strcspn(word, " [");

	for (size_t i = 0; words[i]; i++) {
		if (strlen(words[i]) == len && !strncmp(word, words[i], len))
			return true;
	}
	return false;
}

/* --- unknown options ------------------------------------------------------ */

/* Options of tcpdump, tshark, Zeek, Suricata and p0f, and what to use here. */
static const struct {
	const char *word, *advice;
} foreign[] = {
	{ "-A", "each record has its banner, escaped" },
	{ "-b", "rename the file of -o and send SIGHUP to begin another" },
	{ "-B", "no buffer has to be set: only banners are copied" },
	{ "-c", "records are not counted out (`| head -n N` does), and there "
		"is no configuration file" },
	{ "-C", "rename the file of -o and send SIGHUP to begin another" },
	{ "-D", "`ip link` lists the interfaces; it stays in the foreground" },
	{ "-e", "-f json has the link-layer addresses" },
	{ "-F", "servers are chosen by --port and --net" },
	{ "-G", "rename the file of -o and send SIGHUP to begin another" },
	{ "-n", "addresses and ports are always numbers: leave it out" },
	{ "-p", "promiscuous mode is never switched on: leave it out" },
	{ "-q", "leave it out: messages go to standard error, 2>/dev/null "
		"drops them" },
	{ "-s", "-l N is how many bytes of a banner are kept" },
	{ "-S", "there are no rules or signatures" },
	{ "-t", "each record has its time" },
	{ "-T", "-f chooses the format, --check tries a start" },
	{ "-u", "--user NAME is the user to become once all is loaded" },
	{ "-U", "each record is written at once: leave it out" },
	{ "-w", "-o FILE appends to a file, which holds records, no packets" },
	{ "-W", "rename the file of -o and send SIGHUP to begin another" },
	{ "-x", "each record has its banner, escaped" },
	{ "-X", "each record has its banner, escaped" },
	{ "-y", "the link type comes from the device or the capture" },
	{ "-Y", "servers are chosen by --port and --net" },
	{ "-Z", "--user NAME is the user to become once all is loaded" },
	{ "--af-packet", "-i IFACE watches an interface" },
	{ "--config", "there is no configuration file" },
	{ "--count", "records are not counted out: `| head -n N` does" },
	{ "--daemon", "it stays in the foreground: systemd runs it, see "
		      "bannerprobe(8)" },
	{ "--debug", "-v shows libbpf's and the verifier's messages" },
	{ "--device", "-i IFACE watches an interface" },
	{ "--dry-run", "--check tries a start and leaves nothing" },
	{ "--file", "-r FILE reads a capture, -o FILE is written to" },
	{ "--filter", "servers are chosen by --port and --net" },
	{ "--host", "--net takes a single address, too" },
	{ "--immediate-mode", "each record is written at once: leave it out" },
	{ "--input", "-r FILE reads a capture, -i IFACE watches an interface" },
	{ "--json", "-f json chooses the format" },
	{ "--list-interfaces", "`ip link` lists the interfaces" },
	{ "--no-promiscuous-mode", "promiscuous mode is never switched on: "
				   "leave it out" },
	{ "--pcap", "-r FILE reads a capture, -i IFACE watches an interface" },
	{ "--pcap-file", "-r FILE reads a capture" },
	{ "--pidfile", "it stays in the foreground: systemd runs it, see "
		       "bannerprobe(8)" },
	{ "--quiet", "leave it out: messages go to standard error" },
	{ "--relinquish-privileges",
	  "--user NAME is the user to become once all is loaded" },
	{ "--snaplen", "-l N is how many bytes of a banner are kept" },
	{ "--snapshot-length", "-l N is how many bytes of a banner are kept" },
	{ "--test", "--check tries a start and leaves nothing" },
	{ "--text", "-f text chooses the format" },
	{ "--usage", "--help shows all options" },
	{ "--write", "-o FILE appends to a file, which holds records" },
	{ "--zeek", "-f zeek chooses the format" },
};

static const char *foreign_advice(const char *word)
{
	for (size_t i = 0; i < COUNT(foreign); i++) {
		if (!strcmp(word, foreign[i].word))
			return foreign[i].advice;
	}
	return NULL;
}

/* Lists the option names that begin with a word, with "or" between them. */
static size_t list_beginnings(const char *word, char *text, size_t size)
{
	size_t len = 0, count = 0;

	*text = '\0';
	for (size_t i = 0; i < option_rows && len < size; i++) {
		if (strncmp(option_table[i].name, word, strlen(word)))
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s--%s",
					count++ ? " or " : "",
					option_table[i].name);
	}
	return count;
}

static const char *nearest_option(const char *word)
{
	const char *names[OPTION_ROWS_MAX + 1] = {};

	for (size_t i = 0; i < option_rows; i++)
		names[i] = option_table[i].name;
	for (size_t i = 0; i < option_rows; i++) {
		const size_t len = strlen(names[i]);

		if (!strncmp(word, names[i], len) && word[len] == '-')
			return names[i]; /* --output-file */
	}
	return usage_nearest(word, names);
}

static void __attribute__((noreturn)) unknown_name(const char *name)
{
	const char *nearest = nearest_option(name);
	char all[128];

	if (*name && list_beginnings(name, all, sizeof(all)) > 1)
		wrong_usage("--%s: is it %s? --help shows all options", name,
			    all);
	if (nearest)
		wrong_usage("--%s: no such option: did you mean --%s? --help "
			    "shows all",
			    name, nearest);
	wrong_usage("--%s: no such option: --help shows all", name);
}

void usage_unknown_option(const char *word)
{
	char name[128];
	const char *advice;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	advice = foreign_advice(name);
	if (advice)
		wrong_usage("%s: no such option: %s", name, advice);
	if (!strncmp(name, "--", 2))
		unknown_name(name + 2);
	wrong_usage("%s: no such option: --help shows all", name);
}
