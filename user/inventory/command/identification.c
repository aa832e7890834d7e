/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "identification.h"

/*
 * The program builds without user/identify/, too, and then identifies nothing.
 */
#if __has_include("../../identify/identify.h")

#include "identify/identify.h"

#include "say.h"

#include <string.h>

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
	const struct identity *found = identify(
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

void identification_open(struct inventory_options *options)
{
	static const char *const rules[] = { IDENTIFY_RULES_LOCAL,
					     IDENTIFY_RULES_SHARED, NULL };
	const struct identify_sources sources = { .rules = rules };
	struct identifier *identifier = identify_open(&sources, say);

	if (!identifier)
		return;
	options->identify = ask;
	options->identify_context = identifier;
}

void identification_close(struct inventory_options *options)
{
	if (options->identify)
		identify_close(options->identify_context);
}

#else

void identification_open(struct inventory_options *options)
{
	options->identify = NULL;
}

void identification_close(struct inventory_options *options)
{
	(void)options;
}

#endif
