/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "rule_options.h"

#include "usage.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Checked here, since two processes open the path later: one message only. */
static void check_existence(const struct option_use *use, const char *path)
{
	if (access(path, F_OK))
		wrong_usage("%s %s: %s", use->spelling, path, strerror(errno));
}

void rules_take_probes(struct options *options, const struct option_use *use)
{
	const char *path = option_file(use);

	check_existence(use, path);
	if (options->probes_count == PROBES_MAX)
		wrong_usage("%s %s: more than %d files: join some of them",
			    use->spelling, path, PROBES_MAX);
	options->probes[options->probes_count++] = path;
}

void rules_take_recog(struct options *options, const struct option_use *use)
{
	check_existence(use, options->recog);
}

void rules_set_defaults(struct options *options)
{
	if (!options->inventory && (options->probes_count || options->recog))
		options->identify = true;
	if (!options->identify ||
	    (options->format != FORMAT_ZEEK && !options->no_output))
		return;
	options->identify = false;
	if (!options->inventory)
		usage_note("--identify: %s: -f text or -f json does",
			   options->no_output ?
				   "-o none writes no record" :
				   "the format zeek has no place for it");
}
