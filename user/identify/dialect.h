/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds the protocol of bytes, by their structure alone. */
#ifndef BANNERPROBE_IDENTIFY_DIALECT_H
#define BANNERPROBE_IDENTIFY_DIALECT_H

#include "identify.h"
#include "text.h"

enum dialect {
	DIALECT_SSH,
	DIALECT_SMTP,
	DIALECT_LMTP,
	DIALECT_FTP,
	DIALECT_POP3,
	DIALECT_IMAP,
	DIALECT_NNTP,
	DIALECT_MYSQL,
	DIALECT_MYSQLX,
	DIALECT_VNC,
	DIALECT_IRC,
	DIALECT_TELNET,
	DIALECT_HTTP,
	DIALECT_RTSP,
	DIALECT_SIP,
	DIALECT_REDIS,
	DIALECT_RSYNC,
	DIALECT_BGP,
	DIALECT_SVN,
	DIALECT_MEMCACHED,
	DIALECT_ASTERISK,
	DIALECT_AMQP,
	DIALECT_POSTGRESQL,
	DIALECT_SMB,
	DIALECT_TLS,
	DIALECT_ZABBIX,
	DIALECT_RSH,
	DIALECT_COUNT
};

struct spoken {
	enum dialect dialect;
	bool is_refusal;  /* it shows nothing about the server's product */
	struct text body; /* the bytes after the protocol's first words */
};

/* The name of a dialect, as in `service`. */
const char *dialect_service(enum dialect dialect);

/* Fills in `spoken`. False: the protocol is not known. */
bool dialect_read(const struct text *text, enum said said, uint16_t port,
		  struct spoken *spoken);

/* The same for binary protocols. */
bool dialect_read_binary(const struct text *text, struct spoken *spoken);

#endif
