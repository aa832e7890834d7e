/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CHAINS 1024
#define ALLOCATOR_SHARE 8 /* bytes that malloc() adds to an allocation */

int services_open(struct services *services)
{
	*services = (struct services){ .chains = FIRST_CHAINS };
	services->chain = calloc(services->chains, sizeof(void *));
	services->memory = services->chains * sizeof(void *);
	if (!services->chain || texts_open(&services->texts)) {
		services_close(services);
		return -ENOMEM;
	}
	return 0;
}

size_t services_memory(const struct services *services)
{
	return services->memory + services->texts.memory;
}

/* --- finding ----------------------------------------------------------- */

static uint32_t hash_of(const struct service_key *key)
{
	uint64_t words[2], hash;

	memcpy(words, key->server.byte, sizeof(words));
	hash = (words[0] ^ (uint64_t)key->port << 48 ^ key->server.family) *
	       0x9e3779b97f4a7c15ULL;
	hash = (hash ^ hash >> 29 ^ words[1]) * 0xbf58476d1ce4e5b9ULL;
	hash ^= (uint64_t)(uintptr_t)key->sensor >> 4;
	hash = (hash ^ hash >> 32 ^ (uint64_t)(uintptr_t)key->tunnel) *
	       0x94d049bb133111ebULL;
	return (uint32_t)(hash >> 32);
}

static bool same_key(const struct service_key *a, const struct service_key *b)
{
	return a->port == b->port && a->server.family == b->server.family &&
	       a->sensor == b->sensor && a->tunnel == b->tunnel &&
	       !memcmp(a->server.byte, b->server.byte, sizeof(a->server.byte));
}

static struct service **chain_of(const struct services *services,
				 const struct service_key *key)
{
	return &services->chain[hash_of(key) & (services->chains - 1)];
}

struct service *service_find(const struct services *services,
			     const struct service_key *key)
{
	struct service *service = *chain_of(services, key);

	while (service && !same_key(&service->key, key))
		service = service->next;
	return service;
}

/* --- coming and going -------------------------------------------------- */

static void grow(struct services *services)
{
	const uint32_t chains = services->chains * 2, old = services->chains;
	struct service **chain = calloc(chains, sizeof(void *)), **was;

	if (!chain)
		return; /* without memory the chains just get longer */
	was = services->chain;
	services->chain = chain;
	services->chains = chains;
	services->memory += (chains - old) * sizeof(void *);
	for (uint32_t i = 0; i < old; i++) {
		struct service *service = was[i], *next;

		for (; service; service = next) {
			struct service **to = chain_of(services, &service->key);

			next = service->next;
			service->next = *to;
			*to = service;
		}
	}
	free(was);
}

struct service *service_add(struct services *services,
			    const struct service_key *key)
{
	struct service *service = calloc(1, sizeof(*service));
	struct service **chain = chain_of(services, key);

	if (!service)
		return NULL;
	service->key = *key;
	service->key.sensor->users++;
	service->key.tunnel->users++;
	service->forms = &service->one;
	service->form_room = 1;
	service->current = service->last = service->before = NO_FORM;
	service->used = true;
	service->next = *chain;
	*chain = service;
	services->memory += sizeof(*service) + ALLOCATOR_SHARE;
	if (++services->count > services->chains)
		grow(services);
	return service;
}

struct ownership *service_ownership(struct services *services,
				    struct service *service)
{
	if (service->ownership)
		return service->ownership;
	service->ownership = calloc(1, sizeof(*service->ownership));
	if (service->ownership)
		services->memory +=
			sizeof(*service->ownership) + ALLOCATOR_SHARE;
	return service->ownership;
}

static void free_ownership(struct services *services,
			   struct ownership *ownership)
{
	if (!ownership)
		return;
	text_put(&services->texts, ownership->owner);
	text_put(&services->texts, ownership->before);
	services->memory -= sizeof(*ownership) + ALLOCATOR_SHARE;
	free(ownership);
}

static void free_service(struct services *services, struct service *service)
{
	for (int i = 0; i < service->form_count; i++) {
		form_drop_fresh(services, &service->forms[i]);
		text_put(&services->texts, service->forms[i].text);
	}
	if (service->forms != &service->one) {
		services->memory -=
			service->form_room * sizeof(*service->forms);
		free(service->forms);
	}
	free_ownership(services, service->ownership);
	text_put(&services->texts, service->key.sensor);
	text_put(&services->texts, service->key.tunnel);
	services->memory -= sizeof(*service) + ALLOCATOR_SHARE;
	services->count--;
	free(service);
}

void service_remove(struct services *services, struct service *service)
{
	struct service **at = chain_of(services, &service->key);
	struct service **dirty = &services->dirty;

	while (*at != service)
		at = &(*at)->next;
	*at = service->next;
	if (service->dirty) {
		while (*dirty != service)
			dirty = &(*dirty)->next_dirty;
		*dirty = service->next_dirty;
	}
	free_service(services, service);
}

void service_set_dirty(struct services *services, struct service *service)
{
	if (service->dirty)
		return;
	service->dirty = true;
	service->next_dirty = services->dirty;
	services->dirty = service;
}

void services_close(struct services *services)
{
	for (uint32_t i = 0; services->chain && i < services->chains; i++) {
		struct service *service = services->chain[i], *next;

		for (; service; service = next) {
			next = service->next;
			free_service(services, service);
		}
	}
	free(services->chain);
	services->chain = NULL;
	texts_close(&services->texts);
}

static void shrink_chain(struct services *services, struct service **at,
			 bool all)
{
	while (*at) {
		struct service *service = *at;

		if (service->dirty || (service->used && !all)) {
			service->used = false;
			at = &service->next;
			continue;
		}
		*at = service->next;
		free_service(services, service);
	}
}

/* The clock algorithm: a recently used service gets a second chance. */
void services_shrink(struct services *services, size_t most)
{
	for (uint64_t n = 0; n < 2ULL * services->chains; n++) {
		if (services_memory(services) <= most)
			return;
		shrink_chain(services, &services->chain[services->hand], false);
		services->hand = (services->hand + 1) & (services->chains - 1);
	}
}

void services_forget(struct services *services)
{
	for (uint32_t i = 0; i < services->chains; i++)
		shrink_chain(services, &services->chain[i], true);
}

/* --- forms ------------------------------------------------------------- */

static bool make_room(struct services *services, struct service *service)
{
	const uint8_t room = service->form_room * 2;
	struct known_form *forms = calloc(room, sizeof(*forms));

	if (!forms)
		return false;
	memcpy(forms, service->forms, service->form_count * sizeof(*forms));
	if (service->forms != &service->one) {
		services->memory -= service->form_room * sizeof(*forms);
		free(service->forms);
	}
	services->memory += room * sizeof(*forms);
	service->forms = forms;
	service->form_room = room;
	return true;
}

uint8_t service_add_form(struct services *services, struct service *service)
{
	if (service->form_count == SERVICE_FORMS ||
	    (service->form_count == service->form_room &&
	     !make_room(services, service)))
		return NO_FORM;
	service->forms[service->form_count] = (struct known_form){};
	return service->form_count++;
}

static uint8_t index_without(uint8_t index, uint8_t gone)
{
	if (index == NO_FORM || index < gone)
		return index;
	return index == gone ? NO_FORM : index - 1;
}

void service_forget_form(struct services *services, struct service *service,
			 uint8_t at)
{
	struct known_form *form = &service->forms[at];

	form_drop_fresh(services, form);
	text_put(&services->texts, form->text);
	service->form_count--;
	memmove(form, form + 1, (service->form_count - at) * sizeof(*form));
	service->current = index_without(service->current, at);
	service->last = index_without(service->last, at);
	service->before = index_without(service->before, at);
	service->has_forgotten = true;
}

bool form_set_text(struct services *services, struct known_form *form,
		   const char *text, size_t len)
{
	struct text *new = text_get(&services->texts, text, len);

	if (!new)
		return false;
	text_put(&services->texts, form->text);
	form->text = new;
	return true;
}

struct fresh *form_fresh(struct services *services, struct known_form *form)
{
	if (form->fresh)
		return form->fresh;
	form->fresh = calloc(1, sizeof(*form->fresh));
	if (form->fresh)
		services->memory += sizeof(*form->fresh);
	return form->fresh;
}

bool fresh_set(struct services *services, uint8_t **to, uint16_t *to_len,
	       const uint8_t *bytes, size_t len)
{
	/* One byte more, so that malloc() of an empty text is not NULL. */
	uint8_t *copy = *to && *to_len == len ? *to : malloc(len + 1);

	if (!copy)
		return false;
	if (copy != *to) {
		services->memory -= *to ? *to_len : 0;
		services->memory += len;
		free(*to);
	}
	if (len)
		memcpy(copy, bytes, len);
	*to = copy;
	*to_len = (uint16_t)len;
	return true;
}

void form_identity_free(struct form_identity *identity)
{
	char *const fields[] = { identity->service,    identity->product,
				 identity->version,    identity->info,
				 identity->os,	       identity->hostname,
				 identity->devicetype, identity->cpe };

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		free(fields[i]);
	*identity = (struct form_identity){};
}

void form_drop_fresh(struct services *services, struct known_form *form)
{
	struct fresh *fresh = form->fresh;

	if (!fresh)
		return;
	services->memory -= sizeof(*fresh) +
			    (fresh->first ? fresh->first_len : 0) +
			    (fresh->latest ? fresh->latest_len : 0);
	form_identity_free(&fresh->identity);
	free(fresh->first);
	free(fresh->latest);
	free(fresh);
	form->fresh = NULL;
}
