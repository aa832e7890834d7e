/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "options.h"

#include "message.h"
#include "pending.h"
#include "record.h"

#include <argp.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_LENGTH 256
#define DEFAULT_GATHER_MS 1000

enum long_option {
	OPTION_HOOK = 256,
	OPTION_MAX_FLOWS,
	OPTION_CHECK,
	OPTION_STATS,
	OPTION_USER,
	OPTION_ALL,
	OPTION_METRICS,
	OPTION_PORT,
	OPTION_NET,
	OPTION_NOT_NET,
	OPTION_LOCAL,
	OPTION_REMOTE,
	OPTION_GATHER,
	OPTION_NEED,
	OPTION_KEY,
	OPTION_MAX_RATE,
	OPTION_SEQUENCE,
};

static const struct argp_option option_table[] = {
	{ "format", 'f', "FORMAT", 0, "text (default), json or zeek", 0 },
	{ "output", 'o', "FILE", 0, "append to FILE; reopened on SIGHUP", 0 },
	{ "length", 'l', "N", 0,
	  "bytes of a banner kept, 1 to 4096 (default 256)", 0 },
	{ "gather", OPTION_GATHER, "MILLISECONDS", OPTION_ARG_OPTIONAL,
	  "whole greetings, from all segments that they come in, until the "
	  "client speaks or nothing has come for so long (default 1000)",
	  0 },
	{ "read", 'r', "FILE", 0,
	  "read captures: pcap, pcapng, by gzip or zstd, directories of them; "
	  "- is standard input",
	  0 },
	{ "sequence", OPTION_SEQUENCE, NULL, 0,
	  "the captures are one, rotated: a connection goes on in the next",
	  0 },
	{ "hook", OPTION_HOOK, "HOOK", 0,
	  "how to attach to what is received: auto (default: what harms the "
	  "device's traffic least), xdp, xdp-native, xdp-generic or tc",
	  0 },
	{ "port", OPTION_PORT, "PORTS", 0,
	  "servers on these ports only: 22,25,8000-8100", 0 },
	{ "net", OPTION_NET, "CIDR", 0,
	  "servers in this net only, or in another --net", 0 },
	{ "not-net", OPTION_NOT_NET, "CIDR", 0, "no servers in this net", 0 },
	{ "local", OPTION_LOCAL, NULL, 0,
	  "servers with an address of this host only", 0 },
	{ "remote", OPTION_REMOTE, NULL, 0, "no servers with one", 0 },
	{ "need", OPTION_NEED, "NEED", 0,
	  "what must have been seen of a connection: own (default: of this "
	  "host's own segments, that they left it), syn, handshake, or none",
	  0 },
	{ "key", OPTION_KEY, "vlan", 0,
	  "the same addresses on two VLANs are two connections", 0 },
	{ "max-rate", OPTION_MAX_RATE, "N", 0,
	  "records a second and interface; those beyond are counted", 0 },
	{ "all", OPTION_ALL, NULL, 0,
	  "all interfaces, and those that come, as by the name '*'", 0 },
	{ "max-flows", OPTION_MAX_FLOWS, "N", 0,
	  "connections in the table, at most 4194304 (default 32768)", 0 },
	{ "check", OPTION_CHECK, NULL, 0,
	  "load and verify the programs, say what would be attached where, "
	  "attach nothing",
	  0 },
	{ "stats", OPTION_STATS, "SECONDS", OPTION_ARG_OPTIONAL,
	  "counters on standard error at the end (and every SECONDS)", 0 },
	{ "metrics", OPTION_METRICS, "FILE", 0,
	  "counters for Prometheus, written every ten seconds", 0 },
	{ "user", OPTION_USER, "NAME", 0,
	  "who to be once attached (default nobody, when started as root)", 0 },
	{ "verbose", 'v', NULL, 0, "show libbpf's and the verifier's messages",
	  0 },
	{ "version", 'V', NULL, 0, "print the versions and exit", -1 },
	{ "help", 'h', NULL, 0, "print this and exit", -1 },
	{},
};

static const char arguments_doc[] = "IFACE...\n-r FILE...";
static const char doc[] = "Log the banners of TCP servers that speak first: "
			  "what each says before "
			  "its client has said a word."
			  "\vExit codes: 0 done, 1 failed at run time, 2 wrong "
			  "usage, 3 could not "
			  "load or attach.";

/* One line, whatever argp would say more. */
#define wrong_usage(...)                                                       \
	do {                                                                   \
		message(__VA_ARGS__);                                          \
		exit(EXIT_USAGE);                                              \
	} while (0)

/* The place of `word` in a NULL-ended list, or a usage error. */
static int choice(const char *what, const char *word, const char *const *list)
{
	for (int i = 0; list[i]; i++) {
		if (!strcmp(word, list[i]))
			return i;
	}
	wrong_usage("%s: unknown %s", word, what);
}

static __u32 number(const char *what, const char *word, __u32 least, __u32 most)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(word, &end, 10);
	if (errno || *word < '0' || *word > '9' || *end || value < least ||
	    value > most)
		wrong_usage("%s: %s must be a number from %u to %u", word, what,
			    least, most);
	return (__u32)value;
}

static void add_name(struct options *options, const char *name)
{
	options->names[options->count++] = name;
}

static void print_version(void)
{
	printf("bannerprobe %s (libbpf %u.%u)\n", VERSION,
	       libbpf_major_version(), libbpf_minor_version());
}

static void check_usage(const struct options *options)
{
	const __u32 here = options->wanted.by & (WANTED_LOCAL | WANTED_REMOTE);
	const struct {
		bool given;
		const char *option;
	} for_interfaces[] = {
		{ options->check, "--check" },
		{ options->hook != HOOK_AUTO, "--hook" },
		{ here & WANTED_LOCAL, "--local" },
		{ here & WANTED_REMOTE, "--remote" },
		{ options->all, "--all" },
		{ options->metrics, "--metrics" },
		{ options->user, "--user" },
		{ options->track.max_rate, "--max-rate" },
	};

	if (options->sequence && !options->read)
		wrong_usage("--sequence is for captures: -r FILE...");
	if (!options->count)
		wrong_usage("no interface and no capture given: --help "
			    "shows how");
	if (here == (WANTED_LOCAL | WANTED_REMOTE))
		wrong_usage("--local and --remote: there is no such server");
	for (size_t i = 0; i < sizeof(for_interfaces) / sizeof(*for_interfaces);
	     i++) {
		if (options->read && for_interfaces[i].given)
			wrong_usage("%s is for interfaces, not for captures",
				    for_interfaces[i].option);
	}
}

/* Which servers are wanted. */
static error_t parse_wanted(int key, const char *argument,
			    struct argp_state *state)
{
	struct wanted *wanted = &((struct options *)state->input)->wanted;

	switch (key) {
	case OPTION_PORT:
		if (!wanted_add_ports(wanted, argument))
			wrong_usage("%s: no list of ports like 22,8000-8100",
				    argument);
		break;
	case OPTION_NET:
	case OPTION_NOT_NET:
		if (!wanted_add_net(wanted, argument,
				    key == OPTION_NET ? MARK_NET :
							MARK_NOT_NET))
			wrong_usage("%s: no net like 192.0.2.0/24 or "
				    "2001:db8::/32",
				    argument);
		break;
	case OPTION_LOCAL:
		wanted->by |= WANTED_LOCAL;
		break;
	case OPTION_REMOTE:
		wanted->by |= WANTED_REMOTE;
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	static const char *const formats[] = { "text", "json", "zeek", NULL };
	static const char *const hooks[] = { "auto",	    "xdp", "xdp-native",
					     "xdp-generic", "tc",  NULL };
	static const char *const needs[] = { "own", "syn", "handshake", "none",
					     NULL };
	static const char *const keys[] = { "vlan", NULL };
	struct options *options = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->err_stream = NULL; /* what is wrong, getopt has said */
		break;
	case 'f':
		options->format = choice("format", argument, formats);
		break;
	case 'o':
		options->output = argument;
		break;
	case 'l':
		options->length = number("the length", argument, 1, BANNER_MAX);
		break;
	case 'r':
		options->read = true;
		add_name(options, argument);
		break;
	case OPTION_SEQUENCE:
		options->sequence = true;
		break;
	case OPTION_HOOK:
		options->hook = choice("hook", argument, hooks);
		break;
	case OPTION_MAX_FLOWS:
		options->max_flows = number("the size of the table", argument,
					    1, PENDING_MAX);
		break;
	case OPTION_CHECK:
		options->check = true;
		break;
	case OPTION_STATS:
		options->stats = true;
		if (argument)
			options->stats_seconds =
				number("the interval", argument, 1, 86400);
		break;
	case OPTION_GATHER:
		options->gather_ms = argument ? number("the quiet time",
						       argument, 1, 60000) :
						DEFAULT_GATHER_MS;
		break;
	case OPTION_NEED:
		options->track.need = choice("need", argument, needs);
		break;
	case OPTION_KEY:
		choice("key", argument, keys);
		options->track.key_vlan = true;
		break;
	case OPTION_MAX_RATE:
		options->track.max_rate =
			number("the rate", argument, 1, 1000000000);
		break;
	case OPTION_ALL:
		options->all = true;
		add_name(options, "*");
		break;
	case OPTION_METRICS:
		if (!*argument)
			wrong_usage("--metrics: no file is named");
		options->metrics = argument;
		break;
	case OPTION_USER:
		options->user = argument;
		break;
	case 'v':
		options->verbose = true;
		break;
	case 'V':
		print_version();
		exit(EXIT_DONE);
	case 'h':
		argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
		break;
	case ARGP_KEY_ARG:
		add_name(options, argument);
		break;
	case ARGP_KEY_END:
		check_usage(options);
		break;
	default:
		return parse_wanted(key, argument, state);
	}
	return 0;
}

void options_parse(struct options *options, int argc, char **argv)
{
	static const struct argp parser = {
		option_table, parse_option, arguments_doc, doc, NULL, NULL, NULL
	};

	*options = (struct options){ .length = DEFAULT_LENGTH,
				     .max_flows = DEFAULT_FLOWS };
	options->names = calloc(argc, sizeof(*options->names));
	if (!options->names) {
		message("out of memory");
		exit(EXIT_FAILED);
	}
	if (argp_parse(&parser, argc, argv, ARGP_NO_HELP, NULL, options))
		exit(EXIT_USAGE);
	/* A line of text tells none; a greeting is known by its SYN-ACK's. */
	options->track.times =
		options->format != FORMAT_TEXT || options->gather_ms;
	options->track.rtt = options->format == FORMAT_JSON;
	options->track.gather = options->gather_ms ? options->length : 0;
}

void options_free(struct options *options)
{
	wanted_free(&options->wanted);
	free(options->names);
	options->names = NULL;
}
