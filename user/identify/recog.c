/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "recog.h"

#include <errno.h>
#include <stdlib.h>

#include "recogfile.h"
#include "words.h"

/* The dialect of each kind of fingerprints. */
static const struct {
	enum dialect dialect;
	const char *kind, *refusals;
} kinds[] = {
	{ DIALECT_SSH, "ssh.banner", NULL },
	{ DIALECT_SMTP, "smtp.banner", NULL },
	{ DIALECT_LMTP, "smtp.banner", NULL },
	{ DIALECT_FTP, "ftp.banner", NULL },
	{ DIALECT_POP3, "pop3.banner", NULL },
	{ DIALECT_IMAP, "imap4.banner", NULL },
	{ DIALECT_NNTP, "nntp.banner", NULL },
	{ DIALECT_MYSQL, "mysql.banners", "mysql.error" },
	{ DIALECT_TELNET, "telnet", NULL },
	{ DIALECT_RSH, "rsh", "rsh" },
	{ DIALECT_HTTP, "http_header.server", NULL },
};

/* The names under which Recog asserts a product, and its version. */
static const struct {
	const char *product, *version;
} products[] = {
	{ "service.product", "service.version" },
	{ "service.family", "service.version" },
	{ "hw.product", "hw.version" },
	{ "os.product", "os.version" },
	{ "hw.family", "hw.version" },
	{ "service.vendor", "service.version" },
	{ "hw.vendor", "hw.version" },
};

/* The first value that is asserted counts. */
static const struct {
	enum field field;
	const char *name;
} others[] = {
	{ FIELD_HOSTNAME, "host.name" },
	{ FIELD_OS, "os.product" },
	{ FIELD_OS, "os.family" },
	{ FIELD_DEVICETYPE, "hw.device" },
	{ FIELD_DEVICETYPE, "os.device" },
	{ FIELD_INFO, "openssh.comment" },
	{ FIELD_INFO, "service.edition" },
	{ FIELD_INFO, "service.component.product" },
};

static const char *const cpes[] = { "service.cpe23", "hw.cpe23", "os.cpe23" };

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static int load(const char *path, void *context)
{
	struct recog *recog = context;
	struct database *database;
	int error = rule_source_read(&recog->sources, path);

	if (error) {
		recog->matcher->message("%s: %s", path, strerror(-error));
		return error;
	}
	error = recogfile_load(recog->sources, recog->matcher, &database);
	/* A file that is not Recog's is reported, the others are used. */
	if (error) {
		recog->some_are_wrong = true;
		return error == -EINVAL ? 0 : error;
	}
	database->next = recog->databases;
	recog->databases = database;
	return 0;
}

int recog_open(struct recog *recog, const char *path, struct matcher *matcher)
{
	int error;

	*recog = (struct recog){ .matcher = matcher };
	error = rule_source_each(path, ".xml", load, recog);
	if (error) {
		if (!recog->sources)
			matcher->message("%s: %s", path, strerror(-error));
		return error;
	}
	if (recog->databases)
		return 0;
	if (!recog->some_are_wrong)
		matcher->message("%s: no file of Recog's fingerprints is "
				 "there; name the folder that holds its *.xml",
				 path);
	return -EINVAL;
}

void recog_close(struct recog *recog)
{
	database_free(recog->databases);
	rule_source_free(recog->sources);
}

struct database *recog_database(const struct recog *recog, const char *kind)
{
	struct database *one = recog->databases;

	while (one && strcmp(one->kind, kind) != 0)
		one = one->next;
	return one;
}

static struct database *database_for(const struct recog *recog,
				     const struct spoken *spoken)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		const char *kind =
			spoken->is_refusal ? kinds[i].refusals : kinds[i].kind;

		if (kinds[i].dialect == spoken->dialect && kind)
			return recog_database(recog, kind);
	}
	return NULL;
}

static void set_product(const struct fingerprint *fingerprint,
			const struct match *match, struct answer *answer)
{
	char value[ASSERTION_MAX];

	for (size_t i = 0; i < COUNT(products); i++) {
		if (!fingerprint_value(fingerprint, match, products[i].product,
				       value))
			continue;
		answer_set_string(answer, FIELD_PRODUCT, value);
		if (fingerprint_value(fingerprint, match, products[i].version,
				      value))
			answer_set_string(answer, FIELD_VERSION, value);
		return;
	}
}

static void set_others(const struct fingerprint *fingerprint,
		       const struct match *match, struct answer *answer)
{
	bool is_set[FIELD_COUNT] = {};
	char value[ASSERTION_MAX];

	for (size_t i = 0; i < COUNT(others); i++) {
		const enum field field = others[i].field;

		if (is_set[field] || !fingerprint_value(fingerprint, match,
							others[i].name, value))
			continue;
		is_set[field] = true;
		answer_set_string(answer, field, value);
	}
	for (size_t i = 0; i < COUNT(cpes); i++) {
		if (fingerprint_value(fingerprint, match, cpes[i], value))
			answer_add_cpe(answer, value);
	}
}

bool recog_answer(const struct recog *recog, const struct text *text,
		  const struct spoken *spoken, struct answer *answer)
{
	struct database *database = database_for(recog, spoken);
	const struct fingerprint *fingerprint;
	struct match match;
	struct words words;

	if (!database || words_take(text, spoken, &words))
		return false;
	fingerprint =
		database_match(database, recog->matcher, &words.text, &match);
	/* Some fingerprints assert nothing: "FTP server ready". */
	if (fingerprint && fingerprint->count) {
		set_product(fingerprint, &match, answer);
		set_others(fingerprint, &match, answer);
		answer_set_string(answer, FIELD_SERVICE,
				  dialect_service(spoken->dialect));
	}
	words_free(&words);
	return answer->identity.service;
}
