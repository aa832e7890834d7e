/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Judges a greeting: it is counted, and may be a new form and a change. */
#include "keeper.h"
#include "structure.h"

#include <string.h>

static uint64_t hash_bytes(const struct observation *seen)
{
	uint64_t hash = 0xcbf29ce484222325ULL ^ seen->len ^
			(uint64_t)seen->complete << 32;
	size_t i = 0;

	for (; i + 8 <= seen->len; i += 8) {
		uint64_t word;

		memcpy(&word, seen->bytes + i, 8);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 32;
	}
	for (; i < seen->len; i++)
		hash = (hash ^ seen->bytes[i]) * 0x100000001b3ULL;
	return hash ^ hash >> 29;
}

static uint8_t find_same_bytes(const struct service *service, uint64_t hash)
{
	if (service->last != NO_FORM &&
	    service->forms[service->last].raw_hash == hash)
		return service->last;
	for (uint8_t i = 0; i < service->form_count; i++) {
		if (service->forms[i].raw_hash == hash)
			return i;
	}
	return NO_FORM;
}

/* --- counting ---------------------------------------------------------- */

static size_t kept(const struct observation *seen)
{
	return seen->len < FORM_MAX ? seen->len : FORM_MAX;
}

static void keep_latest(struct inventory *inventory, struct known_form *form,
			const struct observation *seen, uint64_t hash)
{
	struct fresh *fresh;

	if (form->raw_hash == hash)
		return;
	form->raw_hash = hash;
	/* Short of memory, the latest bytes are not stored. That is no loss:
	 * the form and the bytes before are kept. */
	if (services_memory(&inventory->services) > inventory->options.memory)
		return;
	fresh = form_fresh(&inventory->services, form);
	if (fresh)
		fresh_set(&inventory->services, &fresh->latest,
			  &fresh->latest_len, seen->bytes, kept(seen));
}

/* Follows the order in which a service says its forms. */
static void follow(struct service *service, uint8_t form)
{
	if (service->last == form) {
		service->last_once = false;
		return;
	}
	service->before = service->last;
	service->last = form;
	service->last_once = true;
}

static void count_form(struct inventory *inventory, struct service *service,
		       uint8_t at, const struct observation *seen,
		       uint64_t hash)
{
	struct known_form *form = &service->forms[at];

	if (form->count < UINT32_MAX)
		form->count++;
	form->unwritten++;
	/* Logs may be imported in any order. */
	if (seen->time >= form->last_seen) {
		form->last_seen = seen->time;
		keep_latest(inventory, form, seen, hash);
	}
	follow(service, at);
}

/* --- changes ----------------------------------------------------------- */

/* A refusal becomes the current form only if there is no other form. */
static bool becomes_current(const struct inventory *inventory,
			    const struct service *service, uint8_t at,
			    const struct observation *seen)
{
	if (service->current == NO_FORM)
		return true;
	if (service->forms[at].refusal &&
	    !service->forms[service->current].refusal)
		return false;
	return is_latest(inventory, service, seen) ||
	       service->forms[service->current].refusal;
}

static void tell_change(struct inventory *inventory, struct service *service,
			uint8_t at, const struct observation *seen,
			const struct form_identity *identity)
{
	struct form_identity before;
	enum change_kind kind = CHANGE_BANNER;

	if (service->current == NO_FORM || !service->told)
		return;
	if (!service->forms[at].refusal) {
		lookup_identity(inventory, &service->forms[service->current],
				&before);
		kind = change_between(&before, identity);
		form_identity_free(&before);
	}
	change_add(inventory, service, kind, seen->time, service->current, at,
		   !service->ever_different	     ? 0 :
		   service->streak == EVER_DIFFERENT ? EVER_DIFFERENT :
						       service->form_count);
}

static void known_form_came(struct inventory *inventory,
			    struct service *service, uint8_t at,
			    const struct observation *seen)
{
	const struct known_form *form = &service->forms[at];
	struct form_identity identity;

	if (at == service->current)
		return;
	if (form->last_seen + inventory->options.gone_us < seen->time &&
	    !service->ever_different) {
		lookup_identity(inventory, form, &identity);
		tell_change(inventory, service, at, seen, &identity);
		form_identity_free(&identity);
	}
	if (becomes_current(inventory, service, at, seen))
		service->current = at;
}

/* --- new forms --------------------------------------------------------- */

/* Sets a form's identity, and takes over its texts. */
static void set_identity(struct inventory *inventory, struct known_form *form,
			 struct form_identity *identity)
{
	struct fresh *fresh = form_fresh(&inventory->services, form);

	if (!fresh)
		return;
	form_identity_free(&fresh->identity);
	fresh->identity = *identity;
	fresh->identified = true;
	*identity = (struct form_identity){};
}

static bool keep_first(struct inventory *inventory, struct known_form *form,
		       const struct observation *seen,
		       struct form_identity *identity)
{
	struct fresh *fresh = form_fresh(&inventory->services, form);

	if (!fresh || !fresh_set(&inventory->services, &fresh->first,
				 &fresh->first_len, seen->bytes, kept(seen)))
		return false;
	fresh->first_seen = seen->time;
	set_identity(inventory, form, identity);
	return true;
}

/* Whether the file has all of a form, and the service has not said it of late.
 */
static bool can_be_forgotten(const struct inventory *inventory,
			     const struct service *service, uint8_t at,
			     uint64_t now)
{
	const struct known_form *form = &service->forms[at];

	return form->id && !form->tentative && !form->unwritten &&
	       !form->text_changed && !form->fresh && at != service->current &&
	       at != service->last && at != service->before &&
	       form->last_seen + inventory->options.gone_us < now;
}

/*
 * Before the last form that there is room for: a service with an upgrade now
 * and then is not ever different, however long it runs. The file keeps all.
 */
static void forget_oldest(struct inventory *inventory, struct service *service,
			  uint64_t now)
{
	uint8_t oldest = NO_FORM;

	for (uint8_t i = 0; i < service->form_count; i++) {
		if (can_be_forgotten(inventory, service, i, now) &&
		    (oldest == NO_FORM ||
		     service->forms[i].last_seen <
			     service->forms[oldest].last_seen))
			oldest = i;
	}
	if (oldest != NO_FORM && change_forget_form(inventory, service, oldest))
		service_forget_form(&inventory->services, service, oldest);
}

static void new_form_came(struct inventory *inventory, struct service *service,
			  const struct observation *seen, uint64_t hash,
			  struct form_identity *identity)
{
	struct form_identity told = *identity; /* its texts go on to the form */
	uint8_t at;

	if (service->form_count == SERVICE_FORMS - 1)
		forget_oldest(inventory, service, seen->time);
	at = service_add_form(&inventory->services, service);
	if (at == NO_FORM ||
	    !recognise_next_time(inventory, service, at, seen, identity) ||
	    !keep_first(inventory, &service->forms[at], seen, identity)) {
		service->form_count -= at != NO_FORM;
		inventory_lose(inventory, UNKEPT_MEMORY, 1);
		return;
	}
	inventory->counts.forms++;
	service->forms[at].last_seen = seen->time;
	if (service->streak < EVER_DIFFERENT)
		service->streak++;
	if (service->streak == EVER_DIFFERENT ||
	    service->form_count == SERVICE_FORMS)
		service->ever_different = true;
	tell_change(inventory, service, at, seen, &told);
	if (service->form_count == 1)
		change_set_form(inventory, service, at);
	if (becomes_current(inventory, service, at, seen))
		service->current = at;
	count_form(inventory, service, at, seen, hash);
}

/*
 * So many greetings after the first may have a faint form by chance. A form
 * that the fourth in a row has as well is the service's.
 */
#define CHANCE 2

/*
 * A form that is nearly all wild may have been made of two random greetings, or
 * fit a third one, by chance: that ends no streak. Those two count in it as two
 * forms.
 */
static void form_fits(struct service *service, uint8_t at)
{
	const struct known_form *form = &service->forms[at];

	if (!form->faint || (form->count > CHANCE && at == service->last))
		service->streak = 0;
	else if (form->count == 1 && service->streak < EVER_DIFFERENT - 1)
		service->streak++;
}

/* --- the way through --------------------------------------------------- */

/* Takes a greeting with bytes that are new to the service. */
static void take(struct inventory *inventory, struct service *service,
		 const struct observation *seen, uint64_t hash)
{
	struct form_identity identity = {};
	struct recognised found = {};

	structure_form(&inventory->greeting, seen);
	recognise(inventory, service, seen, &identity, &found);
	if (!found.unfinished && (found.form == NO_FORM || found.finished))
		service->ftp |= ftp_greets(identity.service, seen->bytes,
					   kept(seen), service->key.port);
	if (found.unfinished) {
		inventory->counts.unfinished++;
	} else if (found.form == NO_FORM) {
		new_form_came(inventory, service, seen, hash, &identity);
	} else {
		if (found.finished)
			set_identity(inventory, &service->forms[found.form],
				     &identity);
		form_fits(service, found.form);
		known_form_came(inventory, service, found.form, seen);
		count_form(inventory, service, found.form, seen, hash);
	}
	form_identity_free(&identity);
}

static bool is_identified(struct inventory *inventory,
			  const struct service *service)
{
	struct form_identity identity;
	bool known;

	if (service->current == NO_FORM)
		return false;
	lookup_identity(inventory, &service->forms[service->current],
			&identity);
	known = identity.service != NULL;
	form_identity_free(&identity);
	return known;
}

/*
 * From here on ports are given to clients: a service there must be met twice.
 */
#define EPHEMERAL 32768

static void tell_new(struct inventory *inventory, struct service *service,
		     const struct observation *seen)
{
	if (service->told)
		return;
	if (!inventory->options.new_at_once && service->key.port >= EPHEMERAL &&
	    service->connections < 2 && !is_identified(inventory, service))
		return;
	service->told = true;
	change_add_new(inventory, service, seen->time);
}

void judge_greeting(struct inventory *inventory, struct service *service,
		    const struct observation *seen, bool is_new)
{
	uint64_t hash;
	uint8_t same;

	if (!is_new && service->told && seen->time > service->last_seen &&
	    seen->time - service->last_seen > inventory->options.gone_us)
		change_add(inventory, service, CHANGE_RETURNED, seen->time,
			   service->current, service->current, 0);
	if (seen->event != OBSERVED_OPEN && seen->len) {
		hash = hash_bytes(seen);
		same = find_same_bytes(service, hash);
		if (same == NO_FORM) {
			take(inventory, service, seen, hash);
		} else {
			service->streak = 0;
			known_form_came(inventory, service, same, seen);
			count_form(inventory, service, same, seen, hash);
		}
		if (service->ftp)
			ftp_greeted(inventory, &service->key, seen->time);
	}
	tell_new(inventory, service, seen);
}
