/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "protocol.h"

#include <stdio.h>

/*
 * Whether a word is whole. At the end of an incomplete text it may go on: part
 * of a version would be another version.
 */
static bool is_whole(const struct text *word)
{
	return word->len && word->complete;
}

static void set_whole(struct answer *answer, enum field field,
		      const struct text *word)
{
	if (is_whole(word))
		answer_set_text(answer, field, word);
}

/* The offset of a version: after _, -, / or a space, with or without a v. */
static size_t find_version(const struct text *text)
{
	for (size_t i = 0; i + 1 < text->len; i++) {
		size_t at = i + 1;

		if (!is_one_of(text->bytes[i], "_-/ "))
			continue;
		if (text->bytes[at] == 'v' && at + 1 < text->len)
			at++;
		if (isdigit(text->bytes[at]))
			return at;
	}
	return text->len;
}

static size_t end_of_product(const struct text *text, size_t version)
{
	size_t end = version;

	if (version < text->len && end && text->bytes[end - 1] == 'v')
		end--;
	return end && version < text->len ? end - 1 : end;
}

/* "OpenSSH_9.2p1": what is before the number, and the number. */
static void set_product(struct answer *answer, const struct text *text)
{
	const bool is_nameless = text->len && isdigit(*text->bytes);
	const size_t version = is_nameless ? 0 : find_version(text);
	const struct text name =
		text_part(text, 0, end_of_product(text, version));
	const struct text number = text_after(text, version);

	if (!is_nameless)
		set_whole(answer, FIELD_PRODUCT, &name);
	set_whole(answer, FIELD_VERSION, &number);
}

static bool is_distribution(const struct text *comment)
{
	static const char *const names[] = { "Debian",	 "Ubuntu", "Raspbian",
					     "FreeBSD",	 "NetBSD", "OpenBSD",
					     "Maemo",	 "Devuan", "Alpine",
					     "DragonFly" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (text_begins(comment, names[i]))
			return true;
	}
	return false;
}

/* "2.0-OpenSSH_9.2p1 Debian-2+deb12u3": RFC 4253, section 4.2 */
static void answer_ssh(const struct text *body, struct answer *answer)
{
	const struct text line = text_until(body, "\r\n");
	const struct text protocol = text_until(&line, "-");
	struct text software, number, comment;

	if (protocol.len == line.len || !is_whole(&line))
		return;
	comment = text_after(&line, protocol.len + 1);
	software = text_until(&comment, " ");
	comment = text_after(&comment, software.len);
	set_product(answer, &software);
	if (!comment.len || !is_whole(&comment))
		return;
	comment = text_after(&comment, 1);
	if (!is_distribution(&comment)) {
		answer_set_text(answer, FIELD_INFO, &comment);
		return;
	}
	/* Release and patch level are one version, up to the line's end. */
	number = text_after(&software, find_version(&software));
	if (number.len)
		answer_set(
			answer, FIELD_VERSION, number.bytes,
			(size_t)(comment.bytes + comment.len - number.bytes));
}

static void answer_mysql(const struct text *body, struct answer *answer)
{
	static const char masked[] = "5.5.5-";
	const bool is_mariadb = text_find(body, "MariaDB") >= 0;
	struct text version = *body;

	/* MariaDB's prefix for clients that accept no number above 5. */
	if (is_mariadb && text_begins(body, masked))
		version = text_after(body, strlen(masked));
	if (!is_whole(&version))
		return;
	answer_set_string(answer, FIELD_PRODUCT,
			  is_mariadb ? "MariaDB" : "MySQL");
	answer_set_text(answer, FIELD_VERSION, &version);
}

/* RFC 5321: after the number comes the server's name. */
static void answer_smtp(const struct text *body, struct answer *answer)
{
	const struct text name = text_until(body, " \r\n");

	if (!is_whole(&name) || !memchr(name.bytes, '.', name.len))
		return;
	for (size_t i = 0; i < name.len; i++) {
		if (!isalnum(name.bytes[i]) && !is_one_of(name.bytes[i], "-._"))
			return;
	}
	answer_set_text(answer, FIELD_HOSTNAME, &name);
}

bool structure_header(const struct text *text, const char *name,
		      struct text *value)
{
	struct text rest = *text;
	const size_t len = strlen(name);

	while (true) {
		const uint8_t *end = memchr(rest.bytes, '\n', rest.len);

		if (!end)
			return false;
		rest = text_after(&rest, (size_t)(end + 1 - rest.bytes));
		/* An empty line ends the headers. */
		if (!rest.len || *rest.bytes == '\r' || *rest.bytes == '\n')
			return false;
		if (rest.len > len + 1 && rest.bytes[len] == ':' &&
		    !strncasecmp((const char *)rest.bytes, name, len))
			break;
	}
	*value = text_after(&rest, len + 1);
	while (value->len && *value->bytes == ' ')
		*value = text_after(value, 1);
	*value = text_until(value, "\r\n");
	return is_whole(value);
}

/* "nginx/1.22.1", "Apache/2.4.57 (Debian)" */
static void answer_http(const struct text *body, struct answer *answer)
{
	struct text server, product, comment;

	if (!structure_header(body, "Server", &server) &&
	    !structure_header(body, "User-Agent", &server))
		return;
	product = text_until(&server, " (");
	comment = text_after(&server, product.len);
	if (memchr(product.bytes, '/', product.len)) {
		set_product(answer, &product);
	} else {
		product = text_until(&server, "(/");
		comment = text_after(&server, product.len);
		answer_set_text(answer, FIELD_PRODUCT, &product);
	}
	while (comment.len && is_one_of(*comment.bytes, " ("))
		comment = text_after(&comment, 1);
	comment = text_until(&comment, ")");
	answer_set_text(answer, FIELD_INFO, &comment);
}

/* The number is the protocol's version, not the product's. */
static void answer_protocol(const struct text *body, struct answer *answer)
{
	const struct text number = text_until(body, " \r\n");
	char info[48];

	if (!is_whole(&number) || number.len > 16)
		return;
	snprintf(info, sizeof(info), "protocol %.*s", (int)number.len,
		 (const char *)number.bytes);
	answer_set_string(answer, FIELD_INFO, info);
}

/* "003.008" is 3.8. */
static void answer_vnc(const struct text *body, struct answer *answer)
{
	char number[8];
	size_t len = 0;

	if (body->len < 7)
		return;
	for (size_t i = 0; i < 7; i++) {
		const char byte = (char)body->bytes[i];
		const bool is_first = !len || number[len - 1] == '.';

		if (byte == '0' && is_first && i != 2 && i != 6)
			continue;
		number[len++] = byte;
	}
	answer_protocol(&(struct text){ (uint8_t *)number, len, true }, answer);
}

static void answer_number(const struct text *body, struct answer *answer)
{
	const struct text number = text_until(body, " \r\n");

	if (number.len && isdigit(*number.bytes))
		set_whole(answer, FIELD_VERSION, &number);
}

static void answer_host_name(const struct text *body, struct answer *answer)
{
	if (memchr(body->bytes, '.', body->len))
		set_whole(answer, FIELD_HOSTNAME, body);
}

static const struct {
	void (*fill)(const struct text *, struct answer *);
	const char *product; /* the only product that speaks it, or NULL */
} readers[DIALECT_COUNT] = {
	[DIALECT_SSH] = { answer_ssh, NULL },
	[DIALECT_SMTP] = { answer_smtp, NULL },
	[DIALECT_LMTP] = { answer_smtp, NULL },
	[DIALECT_MYSQL] = { answer_mysql, NULL },
	[DIALECT_HTTP] = { answer_http, NULL },
	[DIALECT_RTSP] = { answer_http, NULL },
	[DIALECT_SIP] = { answer_http, NULL },
	[DIALECT_VNC] = { answer_vnc, NULL },
	[DIALECT_RSYNC] = { answer_protocol, NULL },
	[DIALECT_IRC] = { answer_host_name, NULL },
	[DIALECT_MEMCACHED] = { answer_number, NULL },
	[DIALECT_ASTERISK] = { answer_number, "Asterisk Call Manager" },
};

void structure_answer(const struct spoken *spoken, struct answer *answer)
{
	answer_set_string(answer, FIELD_SERVICE,
			  dialect_service(spoken->dialect));
	if (spoken->is_refusal)
		return;
	if (readers[spoken->dialect].product)
		answer_set_string(answer, FIELD_PRODUCT,
				  readers[spoken->dialect].product);
	if (readers[spoken->dialect].fill)
		readers[spoken->dialect].fill(&spoken->body, answer);
}
