/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds the form of a greeting among a service's forms, and learns from it. */
#include "keeper.h"
#include "match.h"
#include "skeleton.h"

#include <stdlib.h>
#include <string.h>

/*
 * The most forms that are compared in detail: a hostile server may have any
 * number.
 */
#define COMPARED_MAX 8

static bool load_form(struct form *to, const struct known_form *form)
{
	if (!form_from_text(to, form->text->bytes, form->text->len))
		return false;
	to->whole = form->whole;
	to->refusal = form->refusal;
	return true;
}

static bool has_wild(const struct form *form)
{
	for (size_t i = 0; i < form->len; i++) {
		if (symbol_is_wild(form->symbol[i]))
			return true;
	}
	return false;
}

/* Replaces the form in memory. */
static bool set_form(struct inventory *inventory, struct known_form *known,
		     const struct form *form)
{
	const size_t len = form_to_text(form, inventory->text);

	if (!form_set_text(&inventory->services, known, inventory->text, len))
		return false;
	known->hash = form_hash(form);
	known->wild = has_wild(form);
	known->faint = form_is_faint(form);
	known->whole = form->whole;
	known->text_changed = true;
	return true;
}

/* --- forms that fit as they are ---------------------------------------- */

static bool fits(struct inventory *inventory, const struct known_form *known)
{
	const struct form *greeting = &inventory->greeting;

	if (greeting->whole && !known->whole)
		return false;
	if (!known->wild && greeting->whole)
		return false; /* its hash would differ */
	if (!load_form(&inventory->known, known))
		return false;
	return greeting->whole ? form_matches(&inventory->known, greeting) :
				 form_begins(&inventory->known, greeting);
}

static uint8_t find_fitting(struct inventory *inventory,
			    const struct service *service, uint64_t hash)
{
	for (uint8_t i = 0; i < service->form_count; i++) {
		if (service->forms[i].hash == hash &&
		    service->forms[i].whole == inventory->greeting.whole)
			return i;
	}
	if (service->last != NO_FORM &&
	    fits(inventory, &service->forms[service->last]))
		return service->last;
	for (uint8_t i = 0; i < service->form_count; i++) {
		if (i != service->last && fits(inventory, &service->forms[i]))
			return i;
	}
	return NO_FORM;
}

/* --- learning ---------------------------------------------------------- */

/* Whether product or version differ: then it is never the same form. */
static bool is_another(const struct form_identity *a,
		       const struct form_identity *b)
{
	if (a->product && b->product && strcmp(a->product, b->product))
		return true;
	return a->version && b->version && strcmp(a->version, b->version);
}

/* Whether a form is text: a binary greeting is never learned into such a form.
 */
static bool is_text(const struct form *form)
{
	for (size_t i = 0; i < form->len; i++) {
		const uint16_t symbol = form->symbol[i];

		if (symbol_is_wild(symbol) ?
			    wild_class(symbol_wild(symbol)) == CLASS_ANY :
			    !byte_in_class((uint8_t)symbol, CLASS_TEXT))
			return false;
	}
	return true;
}

#define LENGTH_BYTES 4 /* at most */

static bool begins_with_length(const struct form *form)
{
	return form->len && form->symbol[0] == SYMBOL_WILD + WILD_LENGTH;
}

/*
 * The bytes, from where there is one for each symbol: behind a length, which is
 * one symbol. NULL: there are others in number.
 */
static const uint8_t *one_for_each(const struct form *form,
				   const uint8_t *bytes, size_t len)
{
	const size_t more = len - form->len;

	if (!bytes || len < form->len)
		return NULL;
	return !more || (begins_with_length(form) && more < LENGTH_BYTES) ?
		       bytes + more :
		       NULL;
}

static bool learn_from(struct inventory *inventory, struct known_form *known,
		       enum learn_how how, const struct observation *seen,
		       const struct form_identity *identity)
{
	struct form_identity was = {};
	struct learn_side form = { .form = &inventory->known },
			  greeting = { .form = &inventory->greeting,
				       .version = identity->version,
				       .time = seen->time };
	enum learned learned = LEARNED_NOT;
	uint8_t *latest = NULL;

	if (!load_form(&inventory->known, known) ||
	    (inventory->greeting.binary && is_text(&inventory->known)))
		return false;
	inventory->known.binary = inventory->greeting.binary;
	if (inventory->options.identify)
		lookup_identity(inventory, known, &was);
	form.version = was.version;
	form.time = known->last_seen;
	if (inventory->greeting.binary || begins_with_length(&inventory->known))
		latest = lookup_latest(inventory, known, &form.latest_len);
	if (inventory->greeting.binary)
		form.latest = one_for_each(&inventory->known, latest,
					   form.latest_len);
	if (known->refusal == inventory->greeting.refusal &&
	    !is_another(&was, identity))
		learned = learn_form(&inventory->learn, how, &form, &greeting,
				     seen->bytes);
	form_identity_free(&was);
	free(latest);
	return learned == LEARNED_SAME ||
	       (learned == LEARNED_WIDER &&
		set_form(inventory, known, &inventory->learn.wider));
}

static enum learn_how how_for(const struct known_form *known)
{
	if (known->count == 1)
		return LEARN_PAIR;
	return known->count < LEARN_SETTLED_AT ? LEARN_GROW : LEARN_SETTLED;
}

static bool learn_from_any(struct inventory *inventory, struct service *service,
			   const struct observation *seen,
			   const struct form_identity *identity, uint8_t *found)
{
	int compared = 0;

	for (int i = service->form_count; i >= 0; i--) {
		/* The latest form is tried first. */
		const uint8_t at =
			i == service->form_count ? service->last : (uint8_t)i;
		struct known_form *known = &service->forms[at];

		if (at == NO_FORM || (i == service->last && compared))
			continue;
		if (compared++ == COMPARED_MAX)
			break;
		if (learn_from(inventory, known, how_for(known), seen,
			       identity)) {
			*found = at;
			return true;
		}
	}
	return false;
}

/*
 * The last two connections had two forms, and this one has a third: parts that
 * differ among all three become wild, and with these numbers that differ in
 * this one.
 */
static bool learn_third(struct inventory *inventory, struct service *service,
			const struct observation *seen,
			const struct form_identity *identity)
{
	struct known_form *last, *before;
	struct learn_side wider = { .form = &inventory->third },
			  other = { .form = &inventory->known };

	if (service->last == NO_FORM || service->before == NO_FORM ||
	    service->last == service->before || !service->last_once)
		return false;
	last = &service->forms[service->last];
	before = &service->forms[service->before];
	if (!load_form(&inventory->known, last) ||
	    last->refusal != inventory->greeting.refusal)
		return false;
	inventory->known.binary = inventory->greeting.binary;
	if (learn_form(&inventory->learn, LEARN_THIRD,
		       &(struct learn_side){ .form = &inventory->known },
		       &(struct learn_side){ .form = &inventory->greeting,
					     .version = identity->version },
		       seen->bytes) != LEARNED_WIDER)
		return false;
	if (!load_form(&inventory->third, before) ||
	    !learn_differed(&inventory->learn, &inventory->known,
			    &inventory->third))
		return false;
	inventory->third = inventory->learn.wider;
	if (!load_form(&inventory->known, before))
		return false;
	inventory->known.binary = inventory->third.binary;
	switch (learn_form(&inventory->learn, LEARN_GROW, &wider, &other,
			   seen->bytes)) {
	case LEARNED_SAME:
		return set_form(inventory, last, &inventory->third);
	case LEARNED_WIDER:
		return set_form(inventory, last, &inventory->learn.wider);
	case LEARNED_NOT:
		break;
	}
	return false;
}

/* --- the way through --------------------------------------------------- */

static bool any_whole(const struct service *service)
{
	for (int i = 0; i < service->form_count; i++) {
		if (service->forms[i].whole)
			return true;
	}
	return false;
}

static void learn(struct inventory *inventory, struct service *service,
		  const struct observation *seen,
		  const struct form_identity *identity,
		  struct recognised *found)
{
	const bool cut = !any_whole(service);

	found->learned = learn_from_any(inventory, service, seen, identity,
					&found->form);
	if (!found->learned &&
	    learn_third(inventory, service, seen, identity)) {
		found->form = service->last;
		found->learned = true;
	}
	found->finished =
		found->learned && cut && service->forms[found->form].whole;
}

void recognise(struct inventory *inventory, struct service *service,
	       const struct observation *seen, struct form_identity *identity,
	       struct recognised *found)
{
	const struct form *greeting = &inventory->greeting;
	const uint64_t hash = form_hash(greeting);

	*found = (struct recognised){ .form = find_fitting(inventory, service,
							   hash) };
	if (found->form != NO_FORM)
		return;
	if (!greeting->whole && any_whole(service)) {
		found->unfinished = true;
		return;
	}
	if (service->ever_different && service->form_count) {
		found->form = service->last;
		return;
	}
	/* The last step, because it costs more than all others. */
	identity_find(inventory, seen, identity);
	if (service->form_count)
		learn(inventory, service, seen, identity, found);
}

bool recognise_next_time(struct inventory *inventory, struct service *service,
			 uint8_t form, const struct observation *seen,
			 const struct form_identity *identity)
{
	struct known_form *known = &service->forms[form];
	const struct form *greeting = &inventory->greeting;

	known->refusal = greeting->refusal;
	/* What the service's form left out until now it still does. */
	if (service->last != NO_FORM && service->last != form &&
	    load_form(&inventory->known, &service->forms[service->last]) &&
	    inventory->known.refusal == greeting->refusal) {
		inventory->known.binary = greeting->binary;
		learn_inherit(
			&inventory->learn,
			&(struct learn_side){ .form = &inventory->known },
			&(struct learn_side){ .form = greeting,
					      .version = identity->version },
			seen->bytes);
		greeting = &inventory->learn.wider;
	}
	return set_form(inventory, known, greeting);
}
