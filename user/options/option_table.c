/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "option_table.h"

#include "help.h"
#include "decap_options.h"
#include "flow_table.h"
#include "event.h"
#include "server_options.h"
#include "rule_options.h"
#include "usage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_GATHER_MS 1000
#define DAY_SECONDS 86400

static const char *const formats[] = {
#define FORMAT_NAME(constant, name) name,
	FORMATS(FORMAT_NAME)
#undef FORMAT_NAME
		NULL
};
static const char *const hooks[] = { "auto",	    "xdp", "xdp-native",
				     "xdp-generic", "tc",  NULL };
static const char *const stats_formats[] = { "text", "json", NULL };
static const char *const needs[] = { "own", "syn", "handshake", "none", NULL };
static const char *const logs[] = { "all", "changes", NULL };
static const char *const keys[] = { "vlan", NULL };
static const char *const decap_keys[] = { "yes", "no", NULL };

/* --- values by their kind ------------------------------------------------- */

static void *place_of(struct options *options, const struct option_row *row)
{
	return (char *)options + row->place;
}

/* The words of a list, with commas between them. */
static void join(char *text, size_t size, const char *const *list)
{
	size_t len = 0;

	for (int i = 0; list[i] && len < size; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%s",
					!i	    ? "" :
					list[i + 1] ? ", " :
						      " or ",
					list[i]);
}

/* A value as a message shows it: an empty one could not be seen. */
static const char *shown(const struct option_use *use)
{
	return *use->value ? use->value : "''";
}

/* The place of the value in the list of choices, or a usage error. */
static unsigned int choose(const struct option_use *use)
{
	const struct option_row *row = use->row;
	const char *nearest;
	char all[128];

	for (unsigned int i = 0; row->choices[i]; i++) {
		if (!strcmp(use->value, row->choices[i]))
			return i;
	}
	join(all, sizeof(all), row->choices);
	nearest = usage_nearest(use->value, row->choices);
	if (nearest)
		wrong_usage("%s %s: %s is %s: did you mean %s?", use->spelling,
			    shown(use), row->what, all, nearest);
	/* tshark's -f is a filter. */
	if (row->letter == 'f' && usage_is_filter_word(use->value))
		wrong_usage("%s %s: %s is %s; servers are chosen by --port and "
			    "--net",
			    use->spelling, use->value, row->what, all);
	wrong_usage("%s %s: %s is %s", use->spelling, shown(use), row->what,
		    all);
}

static __u32 number(const struct option_use *use)
{
	const struct option_row *row = use->row;
	const char *text = use->value;
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || value < row->least ||
	    value > row->most)
		wrong_usage("%s %s: %s is a number from %u to %u",
			    use->spelling, shown(use), row->what, row->least,
			    row->most);
	return (__u32)value;
}

static const char *text(const struct option_use *use)
{
	if (!*use->value)
		wrong_usage("%s '': an empty name: give %s %s", use->spelling,
			    use->spelling, use->row->value);
	return use->value;
}

/*
 * A file name. If it looks like an option, the name was forgotten. The = in
 * "-o=FILE" is no part of the name.
 */
const char *option_file(const struct option_use *use)
{
	const char *name = text(use);

	if (name[0] == '-' && name[1])
		wrong_usage("%s %s: a FILE is missing, or is its name to begin "
			    "with -? Then ./%s names it",
			    use->spelling, name, name);
	if (name[0] == '=')
		wrong_usage("%s %s: did you mean %s %s? ./%s names a file that "
			    "begins with =",
			    use->spelling, name, use->spelling, name + 1, name);
	return name;
}

void option_take(struct options *options, const struct option_use *use)
{
	void *place = place_of(options, use->row);

	switch (use->row->kind) {
	case KIND_FLAG:
		*(bool *)place = true;
		break;
	case KIND_NUMBER:
		if (use->value)
			*(__u32 *)place = number(use);
		break;
	case KIND_CHOICE:
		*(unsigned int *)place = choose(use);
		break;
	case KIND_TEXT:
		*(const char **)place = text(use);
		break;
	case KIND_FILE:
		*(const char **)place = option_file(use);
		break;
	case KIND_OTHER:
		break;
	}
	if (use->row->take)
		use->row->take(options, use);
}

/* --- options that have more to do ----------------------------------------- */

static void take_interface(struct options *options,
			   const struct option_use *use)
{
	options->names[options->count++] = text(use);
}

static void take_read(struct options *options, const struct option_use *use)
{
	options->read = true;
	options->names[options->count++] = option_file(use);
}

static void take_all(struct options *options, const struct option_use *use)
{
	(void)use;
	options->names[options->count++] = "*";
}

/* "-" is standard output, not a file of that name. */
static void take_output(struct options *options, const struct option_use *use)
{
	(void)use;
	options->no_output = !strcmp(options->output, "none");
	if (options->no_output || !strcmp(options->output, "-"))
		options->output = NULL;
}

static void take_stats(struct options *options, const struct option_use *use)
{
	options->stats = true;
	if (!use->value)
		options->stats_seconds = 0;
}

static void take_gather(struct options *options, const struct option_use *use)
{
	if (!use->value)
		options->gather_ms = DEFAULT_GATHER_MS;
}

/* The event kind that a word of --events names, EVENT_BIT(); 0: none. */
static __u32 event_by_name(const char *word, size_t len)
{
	if (len == 3 && !strncmp(word, "all", len))
		return EVENTS_ALL;
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		if (strlen(event_kind_names[kind]) == len &&
		    !strncmp(word, event_kind_names[kind], len))
			return EVENT_BIT(kind);
	}
	return 0;
}

static void __attribute__((noreturn))
refuse_event(const struct option_use *use, const char *word, size_t len)
{
	const char *choices[EVENT_KINDS + 2] = { [EVENT_KINDS] = "all" };
	char suggestion[SUGGESTION_MAX];

	for (int kind = 0; kind < EVENT_KINDS; kind++)
		choices[kind] = event_kind_names[kind];
	wrong_usage("%s %s: the events are banner, request, response, reply, "
		    "open or all, with commas between them%s",
		    use->spelling, shown(use),
		    usage_suggest(suggestion, word, len, choices));
}

static void take_events(struct options *options, const struct option_use *use)
{
	const char *word = use->value;

	options->events = 0;
	for (;;) {
		const size_t len = strcspn(word, ",");
		const __u32 event = event_by_name(word, len);

		if (!event)
			refuse_event(use, word, len);
		options->events |= event;
		if (!word[len])
			return;
		word += len + 1;
	}
}

/* The metrics' file is renamed into place, so it cannot be standard output. */
static void take_metrics(struct options *options, const struct option_use *use)
{
	if (!strcmp(options->metrics, "-"))
		wrong_usage("%s -: the metrics need a FILE: it is renamed into "
			    "place",
			    use->spelling);
}

/* SQLite writes files beside the inventory, so it cannot be standard output. */
static void take_inventory(struct options *options,
			   const struct option_use *use)
{
	if (!strcmp(options->inventory, "-"))
		wrong_usage("%s -: the inventory needs a FILE", use->spelling);
}

static void take_local(struct options *options, const struct option_use *use)
{
	(void)use;
	options->wanted.by |= FILTER_LOCAL;
}

static void take_remote(struct options *options, const struct option_use *use)
{
	(void)use;
	options->wanted.by |= FILTER_REMOTE;
}

static void take_key(struct options *options, const struct option_use *use)
{
	choose(use);
	options->track.key.vlan = true;
}

static void take_decap_key(struct options *options,
			   const struct option_use *use)
{
	options->track.key.tunnels = !choose(use);
}

static void take_version(struct options *options, const struct option_use *use)
{
	(void)options;
	(void)use;
	help_print_version();
}

static void take_help(struct options *options, const struct option_use *use)
{
	(void)options;
	(void)use;
	help_print();
}

/* --- the table ------------------------------------------------------------ */

#define AT(field) .place = offsetof(struct options, field)

/* clang-format off */
const struct option_row option_table[] = {
	{ "interface", 'i', GROUP_SOURCES, KIND_OTHER,
	  OPTION_MANY | OPTION_INTERFACES_ONLY, "IFACE",
	  "watch this interface: the same as IFACE alone",
	  .take = take_interface },
	{ "all", 0, GROUP_SOURCES, KIND_FLAG, OPTION_INTERFACES_ONLY, NULL,
	  "all interfaces, and those that come, as by the name '*'",
	  AT(all), .take = take_all },
	{ "read", 'r', GROUP_SOURCES, KIND_OTHER, OPTION_MANY, "FILE",
	  "read captures: pcap, pcapng, by gzip or zstd, directories of them; "
	  "- is standard input",
	  .take = take_read },
	{ "sequence", 0, GROUP_SOURCES, KIND_FLAG, OPTION_CAPTURES_ONLY, NULL,
	  "the captures are one, rotated: a connection goes on in the next",
	  AT(sequence) },
	{ "jobs", 'j', GROUP_SOURCES, KIND_NUMBER, OPTION_CAPTURES_ONLY, "N",
	  "read N captures at the same time, at most 64; the log does not "
	  "change",
	  AT(jobs), 1, JOBS_MAX, .what = "the number of processes" },

	{ "format", 'f', GROUP_RECORDS, KIND_CHOICE, 0, "FORMAT",
	  FORMATS_HELP,
	  AT(format), .choices = formats, .what = "the format" },
	{ "output", 'o', GROUP_RECORDS, KIND_FILE, 0, "FILE",
	  "append to FILE; reopened on SIGHUP; - is standard output (default), "
	  "none: no log",
	  AT(output), .take = take_output },
	{ "length", 'l', GROUP_RECORDS, KIND_NUMBER, 0, "N",
	  "bytes of a banner kept, 1 to 4096 (default 256)",
	  AT(length), 1, BANNER_MAX, .what = "the length kept of a banner" },
	{ "inventory", 0, GROUP_RECORDS, KIND_FILE, 0, "FILE",
	  "keep in FILE which services there are, what each says, and what "
	  "changed: bannerprobe-inventory shows it; greetings are gathered, "
	  "2048 bytes kept",
	  AT(inventory), .take = take_inventory },
	{ "gone", 0, GROUP_RECORDS, KIND_TEXT, 0, "SPAN",
	  "with --inventory: a service that was not seen for so long has "
	  "returned: 7d (default), 12h",
	  AT(gone) },
	{ "new-at-once", 0, GROUP_RECORDS, KIND_FLAG, 0, NULL,
	  "with --inventory: a service is new with its first connection, also "
	  "on a port above 32767 where nothing identifies it",
	  AT(new_at_once) },
	{ "inventory-clients", 0, GROUP_RECORDS, KIND_FLAG, 0, NULL,
	  "with --inventory: keep the clients that speak first, too, and what "
	  "they say",
	  AT(inventory_clients) },
	{ "log", 0, GROUP_RECORDS, KIND_CHOICE, 0, "WHAT",
	  "with --inventory, what is logged: all (default) or changes",
	  AT(log), .choices = logs, .what = "what is logged" },
	{ "max-rate", 0, GROUP_RECORDS, KIND_NUMBER, OPTION_INTERFACES_ONLY,
	  "N",
	  "records logged a second and interface; those beyond are counted",
	  AT(track.max_rate), 1, 1000000000,
	  .what = "the rate of records in a second" },
	{ "gather", 0, GROUP_RECORDS, KIND_NUMBER, OPTION_VALUE_OPTIONAL,
	  "MILLISECONDS",
	  "whole greetings, from all segments that they come in, until the "
	  "client speaks or nothing has come for so long (default 1000)",
	  AT(gather_ms), 1, 60000, .what = "the quiet time in milliseconds",
	  .take = take_gather },
	{ "events", 0, GROUP_RECORDS, KIND_OTHER, 0, "LIST",
	  "what is logged of a connection's beginning: banner (default), "
	  "request, response, reply, open, or all",
	  .take = take_events },
	{ "identify", 0, GROUP_RECORDS, KIND_FLAG, 0, NULL,
	  "name in each record what the server is: service, product, version",
	  AT(identify) },
	{ "probes", 0, GROUP_RECORDS, KIND_OTHER, OPTION_MANY, "FILE",
	  "identify by the rules of FILE, nmap's nmap-service-probes, first",
	  .take = rules_take_probes },
	{ "recog", 0, GROUP_RECORDS, KIND_FILE, 0, "FOLDER",
	  "identify by Recog's rules, too: the folder of its XML files",
	  AT(recog), .take = rules_take_recog },

	{ "owner", 0, GROUP_RECORDS, KIND_FLAG, OPTION_INTERFACES_ONLY, NULL,
	  "name in each record what a service of this host belongs to: unit, "
	  "container, user, process",
	  AT(track.sockets) },

	{ "port", 0, GROUP_SERVERS, KIND_OTHER, OPTION_MANY, "PORTS",
	  "servers on these ports only: 22,smtp,8000-8100",
	  .take = server_take_ports },
	{ "net", 0, GROUP_SERVERS, KIND_OTHER, OPTION_MANY, "CIDR",
	  "servers in this net only, or in another --net; @FILE: in those of a "
	  "file, one a line",
	  .take = server_take_net },
	{ "not-net", 0, GROUP_SERVERS, KIND_OTHER, OPTION_MANY, "CIDR",
	  "no servers in this net, or in those of @FILE",
	  .take = server_take_not_net },
	{ "local", 0, GROUP_SERVERS, KIND_OTHER, OPTION_INTERFACES_ONLY, NULL,
	  "servers with an address of this host only",
	  .take = take_local },
	{ "remote", 0, GROUP_SERVERS, KIND_OTHER, OPTION_INTERFACES_ONLY, NULL,
	  "no servers with an address of this host",
	  .take = take_remote },

	{ "need", 0, GROUP_SERVERS, KIND_CHOICE, 0, "NEED",
	  "what must have been seen of a connection: own (default: of this "
	  "host's own segments, that they left it), syn, handshake, or none",
	  AT(track.need), .choices = needs, .what = "what is needed" },
	{ "key", 0, GROUP_SERVERS, KIND_OTHER, 0, "vlan",
	  "the same addresses on two VLANs are two connections",
	  .choices = keys, .what = "the key", .take = take_key },

	{ "decap", 0, GROUP_TUNNELS, KIND_OTHER, OPTION_VALUE_OPTIONAL, "LIST",
	  "what is opened: vxlan[:PORT...], geneve[:PORT...], gre, erspan, "
	  "ipip, mpls, pppoe, all (default of captures, and without LIST) or "
	  "none (default of interfaces)",
	  .take = decap_take },
	{ "decap-key", 0, GROUP_TUNNELS, KIND_OTHER, 0, "yes|no",
	  "whether the same addresses under two identifiers (VNI, GRE key, "
	  "ERSPAN session) are two connections (default yes)",
	  .choices = decap_keys, .what = "whether identifiers count",
	  .take = take_decap_key },
	{ "decap-from", 0, GROUP_TUNNELS, KIND_OTHER, OPTION_MANY, "CIDR",
	  "open only what comes from this net, or another --decap-from, or "
	  "from those of @FILE",
	  .take = server_take_decap_from },

	{ "hook", 0, GROUP_ATTACHING, KIND_CHOICE, OPTION_INTERFACES_ONLY,
	  "HOOK",
	  "how to attach to what is received: auto (default: what harms the "
	  "device's traffic least), xdp, xdp-native, xdp-generic or tc",
	  AT(hook), .choices = hooks, .what = "the hook" },
	{ "max-flows", 0, GROUP_ATTACHING, KIND_NUMBER, 0, "N",
	  "connections in the table, at most 4194304 (default 32768)",
	  AT(max_flows), 1, FLOWS_MAX, .what = "the size of the table" },
	{ "check", 0, GROUP_ATTACHING, KIND_FLAG, OPTION_INTERFACES_ONLY, NULL,
	  "try a start, leave nothing, and say what would be attached where",
	  AT(check) },
	{ "user", 0, GROUP_ATTACHING, KIND_TEXT, OPTION_INTERFACES_ONLY, "NAME",
	  "the user to become once all is loaded (default nobody, when started "
	  "as root)",
	  AT(user) },
	{ "unconfined", 0, GROUP_ATTACHING, KIND_FLAG, 0, NULL,
	  "go on where privileges cannot be given up or system calls not be "
	  "restricted; else that is an error",
	  AT(unconfined) },

	{ "stats", 0, GROUP_COUNTERS, KIND_NUMBER, OPTION_VALUE_OPTIONAL,
	  "SECONDS",
	  "counters on standard error: all at the end and on SIGUSR1, and a "
	  "line every SECONDS",
	  AT(stats_seconds), 1, DAY_SECONDS, .what = "the interval in seconds",
	  .take = take_stats },
	{ "stats-format", 0, GROUP_COUNTERS, KIND_CHOICE, 0, "FORMAT",
	  "text (default), or json: one object each time",
	  AT(stats_format), .choices = stats_formats,
	  .what = "the format of counters" },
	{ "metrics", 0, GROUP_COUNTERS, KIND_FILE, OPTION_INTERFACES_ONLY,
	  "FILE", "counters for Prometheus, written every ten seconds",
	  AT(metrics), .take = take_metrics },

	{ "verbose", 'v', GROUP_HELP, KIND_FLAG, 0, NULL,
	  "show libbpf's and the verifier's messages",
	  AT(verbose) },
	{ "version", 'V', GROUP_HELP, KIND_OTHER, 0, NULL,
	  "print the versions and exit", .take = take_version },
	{ "help", 'h', GROUP_HELP, KIND_OTHER, 0, NULL, "print this and exit",
	  .take = take_help },
};
/* clang-format on */

const size_t option_rows = sizeof(option_table) / sizeof(*option_table);
_Static_assert(sizeof(option_table) / sizeof(*option_table) <= OPTION_ROWS_MAX,
	       "each row has its place");
