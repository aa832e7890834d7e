/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "rule_options.h"

#include "usage.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Checked here, since two processes open the path later: one message only. */
static mode_t type_of(const struct option_use *use, const char *path)
{
	struct stat status;

	if (stat(path, &status))
		wrong_usage("%s %s: %s", use->spelling, path, strerror(errno));
	return status.st_mode;
}

void rules_take_probes(struct options *options, const struct option_use *use)
{
	const char *path = option_file(use);

	if (!S_ISREG(type_of(use, path)))
		wrong_usage("%s %s: is no file: name one like nmap's "
			    "nmap-service-probes",
			    use->spelling, path);
	if (options->probes_count == PROBES_MAX)
		wrong_usage("%s %s: more than %d files: join some of them",
			    use->spelling, path, PROBES_MAX);
	options->probes[options->probes_count++] = path;
}

void rules_take_recog(struct options *options, const struct option_use *use)
{
	const mode_t type = type_of(use, options->recog);

	if (!S_ISREG(type) && !S_ISDIR(type))
		wrong_usage("%s %s: is no file and no folder: name the one "
			    "that holds Recog's *.xml",
			    use->spelling, options->recog);
}

/* Why the log cannot show it; NULL: it can. */
static const char *no_place(const struct options *options)
{
	if (options->no_output)
		return "-o none writes no record";
	if (options->format == FORMAT_ZEEK)
		return "the format zeek has no place for it: -f text or -f "
		       "json "
		       "does";
	if (options->log == LOG_CHANGES)
		return "--log changes logs only what the keeper identifies";
	return NULL;
}

void rules_set_defaults(struct options *options)
{
	const char *reason;

	if (!options->inventory && (options->probes_count || options->recog))
		options->identify = true;
	reason = options->identify ? no_place(options) : NULL;
	if (!reason)
		return;
	options->identify = false;
	if (!options->inventory)
		usage_note("--identify: %s", reason);
}
