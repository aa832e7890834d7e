/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "identification.h"

#include "command.h"
#include "identify/identify.h"
#include "identify/rule_places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CPES_MAX 1024

/* Joins names with spaces; those that do not fit are left out. */
static const char *join(char *const *cpe, char to[CPES_MAX])
{
	size_t len = 0;

	*to = 0;
	for (; cpe && *cpe; cpe++) {
		const size_t more = strlen(*cpe) + (len ? 1 : 0);

		if (len + more >= CPES_MAX)
			break;
		len += (size_t)snprintf(to + len, CPES_MAX - len, "%s%s",
					len ? " " : "", *cpe);
	}
	return len ? to : NULL;
}

static bool ask(void *context, const struct observation *seen,
		struct inventory_identity *to)
{
	static char cpes[CPES_MAX];
	const struct identified *found = identify(
		context,
		seen->event == OBSERVED_BANNER ? SAID_FIRST : SAID_SECOND,
		seen->server_port, seen->bytes, seen->len, seen->complete);

	if (!found)
		return false;
	*to = (struct inventory_identity){
		.service = found->service,
		.product = found->product,
		.version = found->version,
		.info = found->info,
		.os = found->os,
		.hostname = found->hostname,
		.devicetype = found->devicetype,
		.cpe = join(found->cpe, cpes),
		/* Without a product only the protocol's structure was found. */
		.by_rule = found->product != NULL,
	};
	return true;
}

/* A folder that this process may not search is reported when it is read. */
static void check_rules(const char *option, const char *path, bool or_folder)
{
	struct stat status;

	check_name(option, path);
	if (stat(path, &status)) {
		if (errno != EACCES)
			wrong_usage("%s %s: %s", option, path, strerror(errno));
	} else if (!S_ISREG(status.st_mode) &&
		   !(or_folder && S_ISDIR(status.st_mode))) {
		wrong_usage("%s %s: is no file%s", option, path,
			    or_folder ? " and no folder: name the one that "
					"holds Recog's *.xml" :
					": name one like nmap's "
					"nmap-service-probes");
	}
}

error_t rule_option(struct named_rules *rules, int key, char *argument)
{
	switch (key) {
	case 'b':
		if (rules->count == PROBES_MAX)
			wrong_usage("--probes %s: more than %d files: join "
				    "some of them",
				    argument, PROBES_MAX);
		check_rules("--probes", argument, false);
		rules->probes[rules->count++] = argument;
		return 0;
	case 'r':
		check_rules("--recog", argument, true);
		rules->recog = argument;
		return 0;
	case RULES_QUIETLY:
		rules->is_quiet = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void say_nothing(const char *format, ...)
{
	(void)format;
}

bool identification_open(struct inventory_options *options,
			 const struct named_rules *rules)
{
	const struct identify_sources sources = {
		.rules = rule_places(),
		.probes = rules->probes,
		.recog = rules->recog,
	};
	struct identifier *identifier =
		identify_open(&sources, rules->is_quiet ? say_nothing : say);

	if (!identifier)
		return !rules->count && !rules->recog;
	options->identify = ask;
	options->identify_context = identifier;
	return true;
}

void identification_close(struct inventory_options *options)
{
	if (options->identify)
		identify_close(options->identify_context);
}
