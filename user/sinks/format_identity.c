/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "format_identity.h"

#include "format_parts.h"
#include "put.h"

#include <string.h>

static char *put_string(char *to, const char *value)
{
	*to++ = '"';
	to = put_escaped_json(to, (const __u8 *)value, strlen(value));
	*to++ = '"';
	return to;
}

static char *put_field(char *to, const char *name, const char *value)
{
	if (!value)
		return to;
	*to++ = ',';
	to = put_string(to, name);
	*to++ = ':';
	return put_string(to, value);
}

static char *put_cpes(char *to, char *const *cpe)
{
	if (!cpe)
		return to;
	to = PUT(to, ",\"cpe\":[");
	for (int i = 0; cpe[i]; i++) {
		if (i)
			*to++ = ',';
		to = put_string(to, cpe[i]);
	}
	return PUT(to, "]");
}

char *put_identity_json(char *to, const struct identified *identity)
{
	to = put_field(to, "service", identity->service);
	to = put_field(to, "product", identity->product);
	to = put_field(to, "version", identity->version);
	to = put_field(to, "info", identity->info);
	to = put_field(to, "hostname", identity->hostname);
	to = put_field(to, "os", identity->os);
	to = put_field(to, "devicetype", identity->devicetype);
	return put_cpes(to, identity->cpe);
}

static char *put_word(char *to, const char *word)
{
	*to++ = ' ';
	return put_escaped(to, (const __u8 *)word, strlen(word));
}

char *put_identity(char *to, const struct identified *identity)
{
	to = PUT(to, " =");
	if (!identity->product)
		return put_word(to, identity->service);
	to = put_word(to, identity->product);
	return identity->version ? put_word(to, identity->version) : to;
}
