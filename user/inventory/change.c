/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Changes: stored for the file, and reported at once. */
#include "change_stream.h"
#include "keeper.h"

#include <stdlib.h>
#include <string.h>

/* If a server has more new services within a minute, they are one change. */
#define BURST_MOST 50
/* So many of them are reported at once, the others after the minute. */
#define TOLD_AT_ONCE 5

const char *change_kind_name(enum change_kind kind)
{
	return change_kind_names[kind];
}

enum change_kind change_between(const struct form_identity *before,
				const struct form_identity *after)
{
	const bool versions = before->version && after->version &&
			      strcmp(before->version, after->version);

	if (before->product && after->product) {
		if (strcmp(before->product, after->product))
			return CHANGE_PRODUCT;
		return versions || !before->version != !after->version ?
			       CHANGE_VERSION :
			       CHANGE_BANNER;
	}
	if (versions && before->service && after->service &&
	    !strcmp(before->service, after->service))
		return CHANGE_VERSION;
	return CHANGE_BANNER;
}

/* --- reporting --------------------------------------------------------- */

struct side_memory {
	struct form_identity identity;
	uint8_t *bytes;
};

static void fill_side(struct inventory *inventory,
		      const struct service *service, uint8_t at,
		      struct change_side *side, struct side_memory *memory)
{
	const struct known_form *form;

	if (at == NO_FORM)
		return;
	form = &service->forms[at];
	lookup_identity(inventory, form, &memory->identity);
	memory->bytes = lookup_latest(inventory, form, &side->len);
	side->bytes = memory->bytes;
	side->stable = form->text->bytes;
	side->service = memory->identity.service;
	side->product = memory->identity.product;
	side->version = memory->identity.version;
}

static void tell(struct inventory *inventory, const struct service *service,
		 enum change_kind kind, uint64_t time, uint8_t before,
		 uint8_t after, uint64_t number)
{
	struct side_memory memory[2] = {};
	char owners[2][OWNER_NAME];
	struct inventory_change change = {
		.kind = kind,
		.time = time,
		.sensor = service->key.sensor->bytes,
		.tunnel = service->key.tunnel->bytes,
		.server = service->key.server,
		.server_port = service->key.port,
		.number = number,
	};

	if (!inventory->options.changed)
		return;
	fill_side(inventory, service, before, &change.before, &memory[0]);
	fill_side(inventory, service, after, &change.after, &memory[1]);
	if (kind == CHANGE_OWNER) {
		owner_name(service->ownership->before, owners[0]);
		owner_name(service->ownership->owner, owners[1]);
		change.before.owner = owners[0];
		change.after.owner = owners[1];
	}
	inventory->options.changed(inventory->options.changed_context, &change);
	for (int i = 0; i < 2; i++) {
		form_identity_free(&memory[i].identity);
		free(memory[i].bytes);
	}
}

/* --- keeping ----------------------------------------------------------- */

static bool make_room(struct inventory *inventory)
{
	const size_t room =
		inventory->change_room ? inventory->change_room * 2 : 64;
	struct pending_change *changes;

	if (inventory->change_count < inventory->change_room)
		return true;
	if (inventory->change_count >= PENDING_CHANGES_MAX)
		return false;
	changes = realloc(inventory->changes, room * sizeof(*changes));
	if (!changes)
		return false;
	inventory->changes = changes;
	inventory->change_room = room;
	return true;
}

/* Stores a change until it is written. NULL: no memory for it. */
static struct pending_change *keep(struct inventory *inventory,
				   struct service *service,
				   enum change_kind kind, uint64_t time,
				   uint8_t before, uint8_t after,
				   uint64_t number)
{
	struct pending_change *change;

	inventory->counts.changes[kind]++;
	if (!make_room(inventory)) {
		inventory_lose(inventory,
			       inventory->change_count < PENDING_CHANGES_MAX ?
				       UNKEPT_MEMORY :
				       UNKEPT_CHANGES,
			       1);
		return NULL;
	}
	service_set_dirty(&inventory->services, service);
	change = &inventory->changes[inventory->change_count++];
	*change = (struct pending_change){ .kind = kind,
					   .time = time,
					   .number = number,
					   .service = service,
					   .before = before,
					   .after = after };
	return change;
}

void change_add(struct inventory *inventory, struct service *service,
		enum change_kind kind, uint64_t time, uint8_t before,
		uint8_t after, uint64_t number)
{
	keep(inventory, service, kind, time, before, after, number);
	tell(inventory, service, kind, time, before, after, number);
}

static bool refers_to(const struct pending_change *change,
		      const struct service *service, uint8_t at)
{
	return change->service == service &&
	       (change->before == at || change->after == at);
}

bool change_forget_form(struct inventory *inventory,
			const struct service *service, uint8_t at)
{
	for (size_t i = 0; i < inventory->change_count; i++) {
		if (refers_to(&inventory->changes[i], service, at))
			return false;
	}
	for (size_t i = 0; i < inventory->change_count; i++) {
		struct pending_change *change = &inventory->changes[i];

		if (change->service != service)
			continue;
		change->before -=
			change->before != NO_FORM && change->before > at;
		change->after -= change->after != NO_FORM && change->after > at;
	}
	return true;
}

void change_add_owner(struct inventory *inventory, struct service *service,
		      uint64_t time)
{
	struct pending_change *change =
		keep(inventory, service, CHANGE_OWNER, time, service->current,
		     service->current, 0);

	if (change) {
		change->old_owner = service->ownership->before;
		change->new_owner = service->ownership->owner;
		change->old_owner->users++;
		change->new_owner->users++;
	}
	tell(inventory, service, CHANGE_OWNER, time, service->current,
	     service->current, 0);
}

void change_put_owners(struct inventory *inventory,
		       const struct pending_change *change)
{
	text_put(&inventory->services.texts, change->old_owner);
	text_put(&inventory->services.texts, change->new_owner);
}

/* How many pending changes are searched, the latest first. */
#define LOOKED_BACK 64

void change_set_form(struct inventory *inventory, const struct service *service,
		     uint8_t form)
{
	for (size_t i = 0; i < LOOKED_BACK && i < inventory->change_count;
	     i++) {
		struct pending_change *change =
			&inventory->changes[inventory->change_count - 1 - i];

		if (change->service == service && change->kind == CHANGE_NEW &&
		    change->after == NO_FORM)
			change->after = form;
	}
}

/* --- new services, and too many of them -------------------------------- */

static struct burst *burst_of(struct inventory *inventory,
			      const struct service_key *key)
{
	uint32_t hash = 0x811c9dc5;

	for (size_t i = 0; i < sizeof(key->server.byte); i++)
		hash = (hash ^ key->server.byte[i]) * 0x01000193;
	return &inventory->bursts[(hash ^ hash >> 16) & (BURSTS - 1)];
}

static void release(struct inventory *inventory, struct burst *burst)
{
	text_put(&inventory->services.texts, burst->sensor);
	for (uint32_t i = 0; i < burst->held_count; i++) {
		text_put(&inventory->services.texts, burst->held[i].sensor);
		text_put(&inventory->services.texts, burst->held[i].tunnel);
	}
	free(burst->held);
	free(burst->held_time);
	*burst = (struct burst){};
}

/* The minute is over: reports the new services that were held back. */
static void settle(struct inventory *inventory, struct burst *burst)
{
	const bool many = burst->count > BURST_MOST;

	for (uint32_t i = 0; i < burst->held_count; i++) {
		int error;
		const struct service *service =
			lookup_service(inventory, &burst->held[i], &error);

		if (!service)
			continue;
		tell(inventory, service, CHANGE_NEW, burst->held_time[i],
		     NO_FORM, service->current, many ? burst->count : 0);
		if (many)
			break;
	}
	release(inventory, burst);
}

static bool is_burst_of(const struct burst *burst,
			const struct service_key *key, uint64_t time)
{
	return burst->sensor && burst->sensor == key->sensor &&
	       burst->server.family == key->server.family &&
	       !memcmp(burst->server.byte, key->server.byte,
		       sizeof(key->server.byte)) &&
	       time < burst->since + BURST_US;
}

static bool hold(struct burst *burst, struct service *service, uint64_t time)
{
	if (burst->count > BURST_MOST)
		return true; /* reported as a number */
	if (!burst->held) {
		burst->held = calloc(BURST_MOST, sizeof(*burst->held));
		burst->held_time =
			calloc(BURST_MOST, sizeof(*burst->held_time));
	}
	if (!burst->held || !burst->held_time ||
	    burst->held_count == BURST_MOST)
		return false;
	burst->held[burst->held_count] = service->key;
	service->key.sensor->users++;
	service->key.tunnel->users++;
	burst->held_time[burst->held_count++] = time;
	return true;
}

void change_add_new(struct inventory *inventory, struct service *service,
		    uint64_t time)
{
	struct burst *burst = burst_of(inventory, &service->key);

	if (!is_burst_of(burst, &service->key, time)) {
		if (burst->sensor)
			settle(inventory, burst);
		*burst = (struct burst){ .sensor = service->key.sensor,
					 .server = service->key.server,
					 .since = time };
		burst->sensor->users++;
		/* New services that an earlier process wrote count, too. */
		burst->count = lookup_new(inventory, &service->key, time,
					  &burst->since);
	}
	burst->count++;
	burst->dirty |= burst->count > BURST_MOST;
	/* At the first one too many, all rows become one at the next write. */
	if (burst->count <= BURST_MOST + 1)
		keep(inventory, service, CHANGE_NEW, time, NO_FORM,
		     service->current, 0);
	if (burst->count <= TOLD_AT_ONCE || !hold(burst, service, time))
		tell(inventory, service, CHANGE_NEW, time, NO_FORM,
		     service->current, 0);
}

void bursts_settle(struct inventory *inventory, uint64_t now)
{
	for (int i = 0; i < BURSTS; i++) {
		struct burst *burst = &inventory->bursts[i];

		if (burst->sensor && !burst->dirty &&
		    now >= burst->since + BURST_US)
			settle(inventory, burst);
	}
}

void bursts_close(struct inventory *inventory)
{
	for (int i = 0; inventory->bursts && i < BURSTS; i++) {
		if (inventory->bursts[i].sensor)
			settle(inventory, &inventory->bursts[i]);
	}
	free(inventory->bursts);
	inventory->bursts = NULL;
}
