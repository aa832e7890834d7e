/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Services and their forms in memory. */
#ifndef BANNERPROBE_SERVICE_H
#define BANNERPROBE_SERVICE_H

#include "intern.h"
#include "observation.h"

/* Of one service in memory; one that says so many in a few days is "ever
 * different". */
#define SERVICE_FORMS 64
#define NO_FORM 0xff

/* The key of a service. */
struct service_key {
	struct address server;
	uint16_t port;
	struct text *sensor, *tunnel;
};

/* The identification of a form; each NULL where it is not known. */
struct form_identity {
	char *service, *product, *version, *info, *os, *hostname, *devicetype,
		*cpe;
	bool by_rule;
};

/* Bytes that are not yet in the file. */
struct fresh {
	uint8_t *first; /* of a new form: its first bytes */
	uint8_t *latest;
	uint16_t first_len, latest_len;
	uint64_t first_seen;
	struct form_identity identity;
	bool identified;
};

struct known_form {
	int64_t id; /* 0: not yet in the file */
	uint64_t last_seen;
	uint64_t raw_hash; /* of the latest bytes */
	uint64_t hash;	   /* of the form's symbols */
	struct text *text; /* as in the column `stable` */
	struct fresh *fresh;
	uint32_t count;	    /* of all connections, saturating */
	uint32_t unwritten; /* connections not yet in the file */
	bool whole, refusal, wild, text_changed;
	bool faint;	/* nearly all wild: random bytes fit now and then */
	bool tentative; /* its id is from a transaction that is not committed */
};

/* The owner of a service; the texts are those of join() in ownership.c. */
struct ownership {
	struct text *owner;
	struct text *before; /* the previous owner, or NULL */
	uint64_t left; /* us since 1970: the previous owner's last record */
	bool is_new;   /* not yet written to the file */
};

struct service {
	struct service *next; /* in its chain */
	struct service *next_dirty;
	struct service_key key;
	int64_t id; /* 0: not yet in the file */
	uint64_t first_seen, last_seen;
	uint32_t connections, unwritten; /* all, saturating; not yet written */
	struct known_form *forms;	 /* `one`, or allocated memory */
	struct known_form one;
	uint8_t form_count, form_room;
	uint8_t current;      /* NO_FORM: none; refusals do not become it */
	uint8_t last, before; /* the last two forms said */
	bool last_once;	      /* `last` was said in one connection so far */
	uint8_t streak;	      /* forms in a row that were seen once */
	bool dirty, tentative;
	bool told; /* the new service has been reported */
	bool ever_different;
	bool has_forgotten; /* the file may have more forms of it */
	bool ftp;	    /* its greeting is FTP's */
	bool used;	    /* used since services_shrink() last passed it */
	struct ownership *ownership; /* NULL: no owner is known */
};

struct services {
	struct service **chain;
	uint32_t chains, count;
	uint32_t hand; /* where services_shrink() continues */
	struct service *dirty;
	struct texts texts;
	size_t memory; /* bytes, without the texts */
};

int services_open(struct services *services);
void services_close(struct services *services);
size_t services_memory(const struct services *services);

/* NULL: the service is not in memory. */
struct service *service_find(const struct services *services,
			     const struct service_key *key);
/* NULL: out of memory. */
struct service *service_add(struct services *services,
			    const struct service_key *key);
/* Returns the ownership, adding one if it is missing. NULL: out of memory. */
struct ownership *service_ownership(struct services *services,
				    struct service *service);
void service_remove(struct services *services, struct service *service);
void service_set_dirty(struct services *services, struct service *service);

/* Adds a form. Its index, or NO_FORM: no memory, or too many forms. */
uint8_t service_add_form(struct services *services, struct service *service);
/* Drops a form that the file has; the forms behind it move up. */
void service_forget_form(struct services *services, struct service *service,
			 uint8_t at);
/* False: out of memory. */
bool form_set_text(struct services *services, struct known_form *form,
		   const char *text, size_t len);
/* NULL: out of memory. */
struct fresh *form_fresh(struct services *services, struct known_form *form);
void form_drop_fresh(struct services *services, struct known_form *form);
/* Stores a copy; false: out of memory. */
bool fresh_set(struct services *services, uint8_t **to, uint16_t *to_len,
	       const uint8_t *bytes, size_t len);
void form_identity_free(struct form_identity *identity);

/* Drops unused services that the file has, until `most` bytes are in use. */
void services_shrink(struct services *services, size_t most);
/* Drops all services that the file has. */
void services_forget(struct services *services);

#endif
