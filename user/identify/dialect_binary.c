/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "dialect.h"
#include "telnet.h"

#define MYSQL_HEADER 4
#define MYSQL_HANDSHAKE 10
#define MYSQL_ERROR 0xff
#define MYSQL_ERROR_HEADER 3
#define BGP_MARKER 16
#define BGP_OPEN 1
#define BGP_NOTIFICATION 3

static bool set(struct spoken *spoken, enum dialect dialect, bool is_refusal,
		struct text body)
{
	*spoken = (struct spoken){ dialect, is_refusal, body };
	return true;
}

static uint32_t little_endian(const uint8_t *bytes, int count)
{
	uint32_t value = 0;

	while (count--)
		value = value << 8 | bytes[count];
	return value;
}

static uint32_t big_endian(const uint8_t *bytes, int count)
{
	uint32_t value = 0;

	for (int i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* Whether they are all printable, or bytes of a text in another language. */
static bool is_text(const struct text *text)
{
	for (size_t i = 0; i < text->len; i++) {
		if (text->bytes[i] < ' ' && !isspace(text->bytes[i]))
			return false;
	}
	return text->len;
}

/* "5.5.5-10.11.6-MariaDB" and a NUL, then thread and salt. */
static bool read_mysql_handshake(const struct text *packet,
				 struct spoken *spoken)
{
	const struct text body = text_after(packet, 1);
	const uint8_t *end = memchr(body.bytes, '\0', body.len);
	struct text version;

	if (!end && packet->complete)
		return false;
	version = text_part(&body, 0,
			    end ? (size_t)(end - body.bytes) : body.len);
	if (!is_text(&version) || !isdigit(*version.bytes))
		return false;
	return set(spoken, DIALECT_MYSQL, false, version);
}

/* A number, from MySQL 4.1 on the SQL state, and a text. */
static bool read_mysql_error(const struct text *packet, struct spoken *spoken)
{
	struct text body = text_after(packet, MYSQL_ERROR_HEADER);
	const uint32_t number = little_endian(packet->bytes + 1, 2);

	if (number < 1000 || number > 4999)
		return false;
	if (body.len > 6 && *body.bytes == '#')
		body = text_after(&body, 6);
	return is_text(&body) && set(spoken, DIALECT_MYSQL, true, body);
}

static bool read_mysql(const struct text *text, struct spoken *spoken)
{
	struct text packet;
	uint32_t len;

	if (text->len < MYSQL_HEADER + MYSQL_ERROR_HEADER + 1 || text->bytes[3])
		return false;
	len = little_endian(text->bytes, 3);
	packet = text_after(text, MYSQL_HEADER);
	if (len < packet.len || len > UINT16_MAX ||
	    (len > packet.len && packet.complete))
		return false;
	if (*packet.bytes == MYSQL_HANDSHAKE)
		return read_mysql_handshake(&packet, spoken);
	return *packet.bytes == MYSQL_ERROR &&
	       read_mysql_error(&packet, spoken);
}

/* The X protocol's first notice: capabilities are asked for next. */
static bool read_mysqlx(const struct text *text, struct spoken *spoken)
{
	return text->len >= 9 && little_endian(text->bytes, 4) == 5 &&
	       !memcmp(text->bytes + 4, "\x0b\x08\x05\x1a\0", 5) &&
	       set(spoken, DIALECT_MYSQLX, false, *text);
}

static bool read_bgp(const struct text *text, struct spoken *spoken)
{
	if (text->len < BGP_MARKER + 3)
		return false;
	for (int i = 0; i < BGP_MARKER; i++) {
		if (text->bytes[i] != 0xff)
			return false;
	}
	if (text->bytes[18] != BGP_OPEN && text->bytes[18] != BGP_NOTIFICATION)
		return false;
	return set(spoken, DIALECT_BGP, text->bytes[18] == BGP_NOTIFICATION,
		   text_after(text, BGP_MARKER + 3));
}

static bool read_telnet(const struct text *text, struct spoken *spoken)
{
	return telnet_begins(text->bytes, text->len) &&
	       set(spoken, DIALECT_TELNET, false, *text);
}

/* A handshake's or an alert's record, of SSL 3.0 to TLS 1.3. */
static bool read_tls(const struct text *text, struct spoken *spoken)
{
	return text->len >= 7 &&
	       (text->bytes[0] == 0x15 || text->bytes[0] == 0x16) &&
	       text->bytes[1] == 3 && text->bytes[2] <= 4 &&
	       (text->bytes[0] == 0x16 ?
			text->bytes[5] == 2 :
			text->bytes[5] == 1 || text->bytes[5] == 2) &&
	       set(spoken, DIALECT_TLS, false, *text);
}

static bool read_smb(const struct text *text, struct spoken *spoken)
{
	return text->len >= 8 && !text->bytes[0] &&
	       (!memcmp(text->bytes + 4, "\xffSMB", 4) ||
		!memcmp(text->bytes + 4, "\xfeSMB", 4)) &&
	       set(spoken, DIALECT_SMB, false, *text);
}

/* An error, or the question for a password. */
static bool read_postgresql(const struct text *text, struct spoken *spoken)
{
	const bool is_error = text_begins(text, "E");
	uint32_t len;

	if (text->len < 9 || (!is_error && !text_begins(text, "R")))
		return false;
	len = big_endian(text->bytes + 1, 4);
	if (is_error ?
		    memcmp(text->bytes + 5, "SERROR", 4) &&
			    memcmp(text->bytes + 5, "SFATAL", 4) :
		    len < 8 || len > 64 || big_endian(text->bytes + 5, 4) > 12)
		return false;
	return set(spoken, DIALECT_POSTGRESQL, is_error, *text);
}

static bool read_amqp(const struct text *text, struct spoken *spoken)
{
	static const uint8_t start[] = { 0, 10, 0, 10 };

	if (text_begins(text, "AMQP") && text->len >= 8 && text->bytes[4] <= 3)
		return set(spoken, DIALECT_AMQP, false, text_after(text, 4));
	return text->len >= 11 && !memcmp(text->bytes, "\1\0\0", 3) &&
	       !memcmp(text->bytes + 7, start, sizeof(start)) &&
	       set(spoken, DIALECT_AMQP, false, text_after(text, 11));
}

static bool read_zabbix(const struct text *text, struct spoken *spoken)
{
	return text_begins(text, "ZBXD\1") &&
	       set(spoken, DIALECT_ZABBIX, false, *text);
}

bool dialect_read_binary(const struct text *text, struct spoken *spoken)
{
	return read_mysql(text, spoken) || read_mysqlx(text, spoken) ||
	       read_bgp(text, spoken) || read_telnet(text, spoken) ||
	       read_tls(text, spoken) || read_smb(text, spoken) ||
	       read_postgresql(text, spoken) || read_amqp(text, spoken) ||
	       read_zabbix(text, spoken);
}
