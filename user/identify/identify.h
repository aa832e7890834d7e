/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Identifies a server by what it says. Three sources are asked, and the first
 * answer counts: rule files that the user names (nmap's, Recog's), the
 * project's own rules, the protocol's structure. For a process without any
 * capability: regular expressions run on hostile bytes here.
 */
#ifndef BANNERPROBE_IDENTIFY_H
#define BANNERPROBE_IDENTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Printable ASCII only; NULL where it is not known. */
struct identified {
	char *service, *product, *version, *info, *hostname, *os, *devicetype;
	char **cpe; /* ends with NULL */
};

/* Prints one line. Must not keep its arguments. */
typedef void identify_message(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

struct identify_sources {
	/*
	 * The project's rules: files, and folders. The *.rules of a folder are
	 * read in the order of names. The list ends with NULL. The first rule
	 * that matches answers, so a user's own come first. Missing files are
	 * ignored. NULL: none.
	 */
	const char *const *rules;
	/*
	 * Files in the format of nmap-service-probes, asked in this order. The
	 * list ends with NULL. NULL: none.
	 */
	const char *const *probes;
	const char *recog; /* a folder of Recog's XML files, or NULL */
};

struct identify_statistics {
	uint64_t limits;      /* matches aborted at PCRE2's limits */
	uint64_t given_up;    /* banners aborted after too many of these */
	unsigned int rules;   /* in use, or not yet compiled */
	unsigned int refused; /* rules that cannot be used */
};

enum said {
	SAID_FIRST,  /* a banner: the server spoke first */
	SAID_SECOND, /* a response */
};

struct identifier;

/*
 * Reads the sources. If one cannot be read, `message` gets one line, and NULL
 * is returned with errno set. A rule that cannot be used is reported once by
 * its file and line; the other rules are used.
 */
struct identifier *identify_open(const struct identify_sources *sources,
				 identify_message *message);
void identify_close(struct identifier *identifier);

/*
 * Identifies a server. `complete`: false if the bytes were cut or more may
 * come; then $ does not match at their end. The result is valid until the next
 * call. NULL where no source knows the server.
 */
const struct identified *identify(struct identifier *identifier, enum said said,
				  uint16_t server_port, const uint8_t *bytes,
				  size_t len, bool complete);

/*
 * Looks an earlier call's answer up in the cache, without any matching. True:
 * `answer` is set.
 */
bool identify_remembers(struct identifier *identifier, enum said said,
			uint16_t server_port, const uint8_t *bytes, size_t len,
			bool complete, const struct identified **answer);

const struct identify_statistics *
identify_statistics(const struct identifier *identifier);

#endif
