/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "identify.h"

#include <errno.h>
#include <stdlib.h>

#include "cache.h"
#include "nmapfile.h"
#include "recog.h"
#include "rulefile.h"
#include "protocol.h"

struct identifier {
	struct matcher matcher;
	struct rule_source *sources;
	struct ruleset nmap_first, nmap_second, own;
	struct recog recog;
	struct cache cache;
};

static int fail(const struct identifier *identifier, const char *path,
		int error)
{
	/* Devices, pipes: rule_source_read() refuses them. */
	identifier->matcher.message("%s: %s", path,
				    error == -EINVAL ? "it is no file" :
						       strerror(-error));
	return error;
}

static int load_own(const char *path, void *context)
{
	struct identifier *identifier = context;
	int error = rule_source_read(&identifier->sources, path);

	if (error == -ENOENT)
		return 0;
	if (!error)
		error = rulefile_load(identifier->sources, &identifier->own,
				      NULL, NULL);
	return error ? fail(identifier, path, error) : 0;
}

static int load_all_own(struct identifier *identifier, const char *const *paths)
{
	int error = 0;

	for (; !error && paths && *paths; paths++) {
		error = rule_source_each(*paths, ".rules", load_own,
					 identifier);
		if (error == -ENOENT)
			error = 0;
	}
	return error;
}

static int load_nmap(struct identifier *identifier, const char *path)
{
	int error = rule_source_read(&identifier->sources, path);

	if (error)
		return fail(identifier, path, error);
	error = nmapfile_load(identifier->sources, &identifier->nmap_first,
			      &identifier->nmap_second);
	if (error != -EINVAL)
		return error ? fail(identifier, path, error) : 0;
	identifier->matcher.message("%s: it is no nmap-service-probes file; "
				    "Debian's package nmap-common has one",
				    path);
	return error;
}

static int load_all_nmap(struct identifier *identifier,
			 const char *const *paths)
{
	int error = 0;

	for (; !error && paths && *paths; paths++)
		error = load_nmap(identifier, *paths);
	return error;
}

static int open_sets(struct identifier *identifier)
{
	struct matcher *matcher = &identifier->matcher;
	int error = ruleset_open(&identifier->nmap_first, matcher);

	if (!error)
		error = ruleset_open(&identifier->nmap_second, matcher);
	identifier->nmap_first.is_strict = true;
	identifier->nmap_second.is_strict = true;
	/*
	 * After a soft match nmap sends its other probes. Which of them the
	 * client's request resembles is not known here.
	 */
	identifier->nmap_second.prefers_firm = true;
	return error ? error : ruleset_open(&identifier->own, matcher);
}

static int build_sets(struct identifier *identifier)
{
	int error = ruleset_build(&identifier->nmap_first);

	if (!error)
		error = ruleset_build(&identifier->nmap_second);
	return error ? error : ruleset_build(&identifier->own);
}

static int load(struct identifier *identifier,
		const struct identify_sources *sources)
{
	int error = open_sets(identifier);

	if (!error)
		error = load_all_nmap(identifier, sources->probes);
	if (!error && sources->recog)
		error = recog_open(&identifier->recog, sources->recog,
				   &identifier->matcher);
	if (!error)
		error = load_all_own(identifier, sources->rules);
	return error ? error : build_sets(identifier);
}

struct identifier *identify_open(const struct identify_sources *sources,
				 identify_message *message)
{
	struct identifier *identifier = calloc(1, sizeof(*identifier));
	int error = -ENOMEM;

	if (identifier)
		error = matcher_open(&identifier->matcher, message);
	if (!error)
		error = load(identifier, sources);
	if (!error)
		return identifier;
	identify_close(identifier);
	errno = -error;
	return NULL;
}

void identify_close(struct identifier *identifier)
{
	if (!identifier)
		return;
	cache_clear(&identifier->cache);
	ruleset_close(&identifier->nmap_first);
	ruleset_close(&identifier->nmap_second);
	ruleset_close(&identifier->own);
	recog_close(&identifier->recog);
	rule_source_free(identifier->sources);
	matcher_close(&identifier->matcher);
	free(identifier);
}

/* nmap's fallback: a response is tried as a banner, too, if nothing fits. */
static bool ask_nmap(struct identifier *identifier, enum said said,
		     const struct text *text, struct answer *answer)
{
	return (said == SAID_SECOND &&
		ruleset_answer(&identifier->nmap_second, text, answer)) ||
	       ruleset_answer(&identifier->nmap_first, text, answer);
}

static void ask_all(struct identifier *identifier, enum said said,
		    uint16_t port, const struct text *text,
		    struct answer *answer)
{
	struct spoken spoken;
	bool is_known;

	identifier->matcher.limits = 0;
	if (ask_nmap(identifier, said, text, answer))
		return;
	is_known = dialect_read(text, said, port, &spoken);
	if (is_known && recog_answer(&identifier->recog, text, &spoken, answer))
		return;
	/* A refusal does not come from the product itself. */
	if (!(is_known && spoken.is_refusal) &&
	    ruleset_answer(&identifier->own, text, answer))
		return;
	if (is_known)
		structure_answer(&spoken, answer);
}

/* IMAP, IRC, and what begins with a code. Other texts have such lines, too. */
static bool begins_with_a_code(const struct text *line)
{
	return text_begins(line, "* ") || text_begins(line, ":") ||
	       (line->len > 3 && isdigit(line->bytes[0]) &&
		isdigit(line->bytes[1]) && isdigit(line->bytes[2]) &&
		is_one_of(line->bytes[3], " -"));
}

/*
 * Whether the last line goes on, in a protocol that ends each line: the product
 * of "SSH-2.0-Op" is not Op. A prompt, such as telnet's, has no line's end. A
 * line "220-..." with its end is no cut one, though others follow.
 */
static bool is_line_cut(const uint8_t *bytes, size_t len)
{
	static const char *const beginnings[] = { "SSH-", "+OK", "-ERR", "RFB ",
						  "@RSYNCD:" };
	const uint8_t *end = len ? memrchr(bytes, '\n', len) : NULL;
	const size_t at = end ? (size_t)(end + 1 - bytes) : 0;
	const struct text whole = { bytes, len, true };
	const struct text last = { bytes + at, len - at, true };

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++) {
		if (text_begins(&last, beginnings[i]))
			return true;
	}
	return begins_with_a_code(&last) && begins_with_a_code(&whole);
}

static struct text text_of(const uint8_t *bytes, size_t len, bool complete)
{
	return (struct text){ bytes, len,
			      complete && !is_line_cut(bytes, len) };
}

const struct identified *identify(struct identifier *identifier, enum said said,
				  uint16_t server_port, const uint8_t *bytes,
				  size_t len, bool complete)
{
	const struct text text = text_of(bytes, len, complete);
	const struct question question = { text, said, server_port };
	struct answer *answer;

	if (!len)
		return NULL;
	answer = cache_find(&identifier->cache, &question);
	if (answer)
		return answer_identity(answer);
	answer = cache_add(&identifier->cache, &question);
	ask_all(identifier, said, server_port, &text, answer);
	return answer_identity(answer);
}

bool identify_remembers(struct identifier *identifier, enum said said,
			uint16_t server_port, const uint8_t *bytes, size_t len,
			bool complete, const struct identified **answer)
{
	const struct question question = { text_of(bytes, len, complete), said,
					   server_port };
	struct answer *found =
		len ? cache_find(&identifier->cache, &question) : NULL;

	if (found)
		*answer = answer_identity(found);
	return found;
}

const struct identify_statistics *
identify_statistics(const struct identifier *identifier)
{
	return &identifier->matcher.statistics;
}
