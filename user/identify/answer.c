/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "answer.h"

#include <stdlib.h>

static char **field_of(struct answer *answer, enum field field)
{
	struct identified *identity = &answer->identity;
	char **const fields[FIELD_COUNT] = {
		[FIELD_SERVICE] = &identity->service,
		[FIELD_PRODUCT] = &identity->product,
		[FIELD_VERSION] = &identity->version,
		[FIELD_INFO] = &identity->info,
		[FIELD_HOSTNAME] = &identity->hostname,
		[FIELD_OS] = &identity->os,
		[FIELD_DEVICETYPE] = &identity->devicetype,
	};

	return fields[field];
}

void answer_clear(struct answer *answer)
{
	for (int i = 0; i < FIELD_COUNT; i++)
		free(*field_of(answer, (enum field)i));
	for (int i = 0; i < ANSWER_CPES; i++)
		free(answer->cpe[i]);
	memset(answer, 0, sizeof(*answer));
}

static bool is_printable(uint8_t byte)
{
	return byte >= ' ' && byte <= '~';
}

static char *printable_copy(const uint8_t *bytes, size_t len)
{
	char *copy = NULL;

	if (len > ANSWER_FIELD_MAX)
		len = ANSWER_FIELD_MAX;
	if (len)
		copy = malloc(len + 1);
	if (!copy)
		return NULL;
	for (size_t i = 0; i < len; i++)
		copy[i] = is_printable(bytes[i]) ? (char)bytes[i] : '.';
	copy[len] = '\0';
	return copy;
}

void answer_set(struct answer *answer, enum field field, const void *bytes,
		size_t len)
{
	char **place = field_of(answer, field);

	free(*place);
	*place = printable_copy(bytes, len);
}

void answer_set_string(struct answer *answer, enum field field,
		       const char *string)
{
	answer_set(answer, field, string, strlen(string));
}

void answer_set_text(struct answer *answer, enum field field,
		     const struct text *text)
{
	const uint8_t *bytes = text->bytes;
	size_t len = text->len;

	while (len && isspace(*bytes)) {
		bytes++;
		len--;
	}
	while (len && isspace(bytes[len - 1]))
		len--;
	answer_set(answer, field, bytes, len);
}

void answer_add_cpe(struct answer *answer, const char *cpe)
{
	for (int i = 0; i < ANSWER_CPES; i++) {
		if (answer->cpe[i])
			continue;
		answer->cpe[i] =
			printable_copy((const uint8_t *)cpe, strlen(cpe));
		return;
	}
}

const struct identified *answer_identity(struct answer *answer)
{
	if (!answer->identity.service)
		return NULL;
	answer->identity.cpe = answer->cpe[0] ? answer->cpe : NULL;
	return &answer->identity;
}
