/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "format_owner.h"

#include "put.h"

#include <string.h>

static char *put_field(char *to, const char *name, const char *text,
		       size_t size)
{
	const size_t len = strnlen(text, size);

	if (!len)
		return to;
	to = PUT(to, ",\"");
	to = put_text_of(to, name);
	to = PUT(to, "\":\"");
	to = put_escaped_json(to, (const __u8 *)text, len);
	return PUT(to, "\"");
}

#define PUT_FIELD(to, owner, field)                                            \
	put_field(to, #field, (owner)->field, sizeof((owner)->field))

char *put_owner_json(char *to, const struct service_owner *owner)
{
	to = PUT_FIELD(to, owner, unit);
	to = PUT_FIELD(to, owner, container);
	to = PUT_FIELD(to, owner, pod);
	to = PUT_FIELD(to, owner, pod_name);
	to = PUT_FIELD(to, owner, cgroup);
	if (owner->uid != OWNED_BY_NO_ONE_KNOWN) {
		to = PUT(to, ",\"uid\":");
		to = put_number(to, owner->uid);
	}
	if (owner->pid) {
		to = PUT(to, ",\"pid\":");
		to = put_number(to, owner->pid);
	}
	return PUT_FIELD(to, owner, process);
}

static char *put_name(char *to, const char *name)
{
	return put_escaped(to, (const __u8 *)name, strlen(name));
}

/* Escapes spaces and brackets, too: the name could imitate another field. */
static char *put_bare_process(char *to, const struct service_owner *owner)
{
	for (size_t i = 0; i < sizeof(owner->process) && owner->process[i];
	     i++) {
		const __u8 byte = (__u8)owner->process[i];

		if (byte == ' ' || byte == '[' || byte == ']')
			to = put_hex(to, byte);
		else
			to = put_escaped(to, &byte, 1);
	}
	return to;
}

/*
 * Unit, then container. The process is added only to a container, or without a
 * unit: the name of another unit implies it.
 */
char *put_owner(char *to, const struct service_owner *owner)
{
	char *const begin = to;

	to = put_name(to, owner->unit);
	if (*owner->container) {
		if (to != begin)
			*to++ = ' ';
		to = put_name(to, owner->container);
	}
	if (*owner->process && (*owner->container || !*owner->unit)) {
		if (to != begin)
			*to++ = ' ';
		to = put_bare_process(to, owner);
	}
	if (to == begin)
		return to;
	memmove(begin + 2, begin, (size_t)(to - begin));
	begin[0] = ' ';
	begin[1] = '[';
	to += 2;
	return PUT(to, "]");
}
