/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The only place at which an inventory has a greeting identified. */
#include "keeper.h"

#include <string.h>

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

void identity_find(const struct inventory *inventory,
		   const struct observation *seen,
		   struct form_identity *identity)
{
	struct inventory_identity found = {};

	*identity = (struct form_identity){};
	if (!inventory->options.identify || !seen->len ||
	    !inventory->options.identify(inventory->options.identify_context,
					 seen, &found))
		return;
	*identity = (struct form_identity){
		.service = copy(found.service),
		.product = copy(found.product),
		.version = copy(found.version),
		.info = copy(found.info),
		.os = copy(found.os),
		.hostname = copy(found.hostname),
		.devicetype = copy(found.devicetype),
		.cpe = copy(found.cpe),
		.by_rule = found.by_rule,
	};
}
