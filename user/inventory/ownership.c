/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The owner of a service, and its changes. */
#include "keeper.h"

#include <stdio.h>
#include <string.h>

#define PARTS 3 /* unit, container, process */
#define SEPARATOR '\n'

/* An owner's three parts. join() makes one text of them, which is interned. */
struct owner_parts {
	char text[PARTS][OWNER_PART];
};

/*
 * Takes a part. One that is too long or not printable is not known: this
 * program writes no such part, since the log's escapes are printable.
 */
static void take_part(char part[OWNER_PART], const char *text)
{
	const size_t len = text ? strnlen(text, OWNER_PART) : 0;

	*part = '\0';
	if (len == OWNER_PART)
		return;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < 0x20 || text[i] > 0x7e)
			return;
	}
	memcpy(part, text ? text : "", len);
	part[len] = '\0';
}

static struct text *join(struct inventory *inventory,
			 const struct owner_parts *parts)
{
	char joined[PARTS * OWNER_PART];
	const int len =
		snprintf(joined, sizeof(joined), "%s%c%s%c%s", parts->text[0],
			 SEPARATOR, parts->text[1], SEPARATOR, parts->text[2]);

	return text_get(&inventory->services.texts, joined, (size_t)len);
}

static void split(const struct text *joined, struct owner_parts *parts)
{
	const char *at = joined ? joined->bytes : "";

	memset(parts, 0, sizeof(*parts));
	for (int i = 0; i < PARTS; i++) {
		const size_t len = strcspn(at, (const char[]){ SEPARATOR, 0 });

		if (len < OWNER_PART)
			memcpy(parts->text[i], at, len);
		at += len + (at[len] != '\0');
	}
}

void owner_bind(sqlite3_stmt *statement, int at, const struct text *owner)
{
	struct owner_parts parts;

	split(owner, &parts);
	for (int i = 0; i < PARTS; i++) {
		if (*parts.text[i])
			sqlite3_bind_text(statement, at + i, parts.text[i], -1,
					  SQLITE_TRANSIENT);
	}
}

void owner_name(const struct text *owner, char name[OWNER_NAME])
{
	struct owner_parts parts;
	size_t len = 0;

	split(owner, &parts);
	*name = '\0';
	for (int i = 0; i < PARTS; i++) {
		if (*parts.text[i])
			len += (size_t)snprintf(name + len, OWNER_NAME - len,
						"%s%s", len ? " " : "",
						parts.text[i]);
	}
}

void owner_load(struct inventory *inventory, struct service *service,
		sqlite3_stmt *row, int column)
{
	struct owner_parts parts;
	bool is_known = false;

	for (int i = 0; i < PARTS; i++) {
		take_part(parts.text[i],
			  (const char *)sqlite3_column_text(row, column + i));
		is_known |= *parts.text[i];
	}
	if (is_known && service_ownership(&inventory->services, service))
		service->ownership->owner = join(inventory, &parts);
}

/* Whether unit and container are known; one of them may be empty even then. */
static bool has_place(const struct owner_parts *parts)
{
	return *parts->text[0] || *parts->text[1];
}

static bool same_place(const struct owner_parts *a, const struct owner_parts *b)
{
	return !strcmp(a->text[0], b->text[0]) &&
	       !strcmp(a->text[1], b->text[1]);
}

/* Whether both may be the same owner: a part that is not known fits any other.
 */
static bool agree(const struct owner_parts *a, const struct owner_parts *b)
{
	if (has_place(a) && has_place(b) && !same_place(a, b))
		return false;
	return !*a->text[2] || !*b->text[2] || !strcmp(a->text[2], b->text[2]);
}

/* Fills in the parts that are not known from the owner before. */
static void merge(struct owner_parts *parts, const struct owner_parts *before)
{
	if (!has_place(parts))
		memcpy(parts->text, before->text, 2 * OWNER_PART);
	if (!*parts->text[2])
		memcpy(parts->text[2], before->text[2], OWNER_PART);
}

/* Sets the owner, whose reference becomes the ownership's. */
static void set(struct inventory *inventory, struct ownership *ownership,
		struct text *owner, uint64_t left)
{
	text_put(&inventory->services.texts, ownership->before);
	ownership->before = ownership->owner;
	ownership->left = left;
	ownership->owner = owner;
	ownership->is_new = true;
}

/*
 * Whether a service returns to its previous owner soon. Processes that share a
 * port with SO_REUSEPORT alternate, which is reported as one change.
 */
static bool takes_turns(const struct inventory *inventory,
			const struct ownership *ownership,
			const struct text *owner, uint64_t time)
{
	return owner == ownership->before &&
	       time < ownership->left + inventory->options.gone_us;
}

/* Reads a record's owner. False: it has none. */
static bool read_parts(struct owner_parts *parts,
		       const struct observation *seen)
{
	take_part(parts->text[0], seen->unit);
	take_part(parts->text[1], seen->container);
	take_part(parts->text[2], seen->process);
	return has_place(parts) || *parts->text[2];
}

void owner_came(struct inventory *inventory, struct service *service,
		const struct observation *seen)
{
	struct owner_parts parts, before;
	struct ownership *ownership;
	struct text *owner;
	bool is_change;

	/* An older record changes no owner. */
	if (!read_parts(&parts, seen) || !is_latest(inventory, service, seen))
		return;
	ownership = service_ownership(&inventory->services, service);
	if (!ownership)
		return;
	split(ownership->owner, &before);
	is_change = !agree(&parts, &before);
	if (!is_change)
		merge(&parts, &before);
	owner = join(inventory, &parts);
	if (!owner || owner == ownership->owner) {
		text_put(&inventory->services.texts, owner);
		return;
	}
	is_change &= service->told &&
		     !takes_turns(inventory, ownership, owner, seen->time);
	set(inventory, ownership, owner, service->last_seen);
	if (is_change)
		change_add_owner(inventory, service, seen->time);
}
