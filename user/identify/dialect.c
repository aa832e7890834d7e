/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "dialect.h"

/* nmap's names of services, which other tools use, too. */
static const char *const services[DIALECT_COUNT] = {
	[DIALECT_SSH] = "ssh",
	[DIALECT_SMTP] = "smtp",
	[DIALECT_LMTP] = "lmtp",
	[DIALECT_FTP] = "ftp",
	[DIALECT_POP3] = "pop3",
	[DIALECT_IMAP] = "imap",
	[DIALECT_NNTP] = "nntp",
	[DIALECT_MYSQL] = "mysql",
	[DIALECT_MYSQLX] = "mysqlx",
	[DIALECT_VNC] = "vnc",
	[DIALECT_IRC] = "irc",
	[DIALECT_TELNET] = "telnet",
	[DIALECT_HTTP] = "http",
	[DIALECT_RTSP] = "rtsp",
	[DIALECT_SIP] = "sip",
	[DIALECT_REDIS] = "redis",
	[DIALECT_RSYNC] = "rsync",
	[DIALECT_BGP] = "bgp",
	[DIALECT_SVN] = "svnserve",
	[DIALECT_MEMCACHED] = "memcached",
	[DIALECT_ASTERISK] = "asterisk",
	[DIALECT_AMQP] = "amqp",
	[DIALECT_POSTGRESQL] = "postgresql",
	[DIALECT_SMB] = "microsoft-ds",
	[DIALECT_TLS] = "ssl",
	[DIALECT_ZABBIX] = "zabbix",
	[DIALECT_RSH] = "shell",
};

/* The dialect of a port, which decides where no word does. */
static const struct {
	uint16_t port;
	enum dialect dialect;
} ports[] = {
	{ 21, DIALECT_FTP },	{ 2121, DIALECT_FTP },
	{ 25, DIALECT_SMTP },	{ 465, DIALECT_SMTP },
	{ 587, DIALECT_SMTP },	{ 2525, DIALECT_SMTP },
	{ 24, DIALECT_LMTP },	{ 110, DIALECT_POP3 },
	{ 995, DIALECT_POP3 },	{ 119, DIALECT_NNTP },
	{ 433, DIALECT_NNTP },	{ 563, DIALECT_NNTP },
	{ 23, DIALECT_TELNET }, { 2323, DIALECT_TELNET },
	{ 512, DIALECT_RSH },	{ 513, DIALECT_RSH },
	{ 514, DIALECT_RSH },	{ 6379, DIALECT_REDIS },
};

/* The words of a greeting that decide: "vsFTPd" ends as one does. */
static const struct {
	char word[16];
	bool is_end;
	enum dialect dialect;
} words[] = {
	{ "smtp", true, DIALECT_SMTP },
	{ "lmtp", true, DIALECT_LMTP },
	{ "postfix", false, DIALECT_SMTP },
	{ "exim", false, DIALECT_SMTP },
	{ "sendmail", false, DIALECT_SMTP },
	{ "qmail", false, DIALECT_SMTP },
	{ "ftp", true, DIALECT_FTP },
	{ "ftpd", true, DIALECT_FTP },
	{ "nntp", true, DIALECT_NNTP },
	{ "nnrp", false, DIALECT_NNTP },
	{ "news", false, DIALECT_NNTP },
	{ "internetnews", false, DIALECT_NNTP },
	{ "posting", false, DIALECT_NNTP },
};

/* Beginnings that only one protocol has. */
static const struct {
	char prefix[40];
	enum dialect dialect;
	bool is_refusal;
} beginnings[] = {
	{ "Exceeded MaxStartups", DIALECT_SSH, true },
	{ "Not allowed at this time", DIALECT_SSH, true },
	{ "* OK", DIALECT_IMAP, false },
	{ "* PREAUTH", DIALECT_IMAP, false },
	{ "* BYE", DIALECT_IMAP, true },
	{ "NOTICE AUTH :", DIALECT_IRC, false },
	{ "NOTICE * :", DIALECT_IRC, false },
	{ "ERROR :", DIALECT_IRC, true },
	{ "HTTP/1.1 408", DIALECT_HTTP, true },
	{ "HTTP/1.0 408", DIALECT_HTTP, true },
	{ "HTTP/1.", DIALECT_HTTP, false },
	{ "RTSP/1.", DIALECT_RTSP, false },
	{ "SIP/2.0 ", DIALECT_SIP, false },
	{ "@RSYNCD: ", DIALECT_RSYNC, false },
	{ "( success ( ", DIALECT_SVN, false },
	{ "VERSION ", DIALECT_MEMCACHED, false },
	{ "Asterisk Call Manager/", DIALECT_ASTERISK, false },
	{ "-ERR max number of clients reached", DIALECT_REDIS, true },
	{ "-ERR unknown command", DIALECT_REDIS, true },
	{ "+PONG\r\n", DIALECT_REDIS, false },
};

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

const char *dialect_service(enum dialect dialect)
{
	return services[dialect];
}

static bool set(struct spoken *spoken, enum dialect dialect, bool is_refusal,
		struct text body)
{
	*spoken = (struct spoken){ dialect, is_refusal, body };
	return true;
}

static bool read_beginning(const struct text *text, struct spoken *spoken)
{
	for (size_t i = 0; i < COUNT(beginnings); i++) {
		const char *prefix = beginnings[i].prefix;

		if (text_begins(text, prefix))
			return set(spoken, beginnings[i].dialect,
				   beginnings[i].is_refusal,
				   text_after(text, strlen(prefix)));
	}
	return false;
}

/* RFC 6143, 7.1.2: "RFB 003.003", no type of security, then the reason. */
static bool read_vnc(const struct text *text, struct spoken *spoken)
{
	static const uint8_t failed[4];
	static const char prefix[] = "RFB ";
	const size_t line = strlen(prefix) + strlen("003.003\n");

	return text_begins(text, prefix) &&
	       set(spoken, DIALECT_VNC,
		   text->len >= line + sizeof(failed) &&
			   !memcmp(text->bytes + line, failed, sizeof(failed)),
		   text_after(text, strlen(prefix)));
}

/* RFC 4253: other lines may come before the identification. */
static bool read_ssh(const struct text *text, struct spoken *spoken)
{
	struct text line = *text;

	while (!text_begins(&line, "SSH-")) {
		const uint8_t *end = memchr(line.bytes, '\n', line.len);

		if (!end)
			return false;
		line = text_after(&line, (size_t)(end + 1 - line.bytes));
	}
	return set(spoken, DIALECT_SSH, false, text_after(&line, 4));
}

static int dialect_of_port(uint16_t port)
{
	for (size_t i = 0; i < COUNT(ports); i++) {
		if (ports[i].port == port)
			return (int)ports[i].dialect;
	}
	return -1;
}

static bool word_is(const struct text *word, const char *wanted, bool is_end)
{
	const size_t len = strlen(wanted);
	struct text end;

	if (word->len < len || (word->len > len && !is_end))
		return false;
	end = text_after(word, word->len - len);
	return text_is(&end, wanted);
}

static int dialect_of_word(const struct text *word)
{
	for (size_t i = 0; i < COUNT(words); i++) {
		if (word_is(word, words[i].word, words[i].is_end))
			return (int)words[i].dialect;
	}
	return -1;
}

static bool is_of_name(uint8_t byte)
{
	return isalnum(byte) || is_one_of(byte, ".-_");
}

/*
 * A host's name is no evidence: ftp.example.com may send mail. A letter follows
 * a dot in it, unlike in wuftpd-2.6.1.
 */
static size_t skip_host_name(const struct text *body, size_t start)
{
	bool is_name = false;
	size_t end = start;

	for (; end < body->len && is_of_name(body->bytes[end]); end++)
		is_name |= end > start && body->bytes[end - 1] == '.' &&
			   isalpha(body->bytes[end]);
	return is_name ? end : start;
}

/* The dialect of the first word that decides, among the possible ones. */
static int dialect_of_words(const struct text *body, const uint32_t possible)
{
	size_t at = 0;

	while (at < body->len) {
		const size_t start = skip_host_name(body, at);
		struct text word;
		int dialect;

		at = start;
		while (at < body->len && isalnum(body->bytes[at]))
			at++;
		word = text_part(body, start, at);
		dialect = dialect_of_word(&word);
		if (dialect >= 0 && possible & 1U << dialect)
			return dialect;
		at += at == start;
	}
	return -1;
}

#define MAIL_OR_FILES                                                          \
	(1U << DIALECT_SMTP | 1U << DIALECT_LMTP | 1U << DIALECT_FTP)
#define NEWS (1U << DIALECT_NNTP)

/* The dialects that greet with this number; 0: none does. */
static uint32_t possible_by_code(int code)
{
	switch (code) {
	case 120:
	case 220:
		return MAIL_OR_FILES;
	case 200:
	case 201:
		return NEWS;
	default:
		return code >= 400 && code <= 599 ? MAIL_OR_FILES | NEWS : 0;
	}
}

/* The number of a reply: three digits, then a space, "-" or the line's end. */
static int read_code(const struct text *text)
{
	int code = 0;

	if (text->len < 4 || !is_one_of(text->bytes[3], " -\r\n"))
		return -1;
	for (int i = 0; i < 3; i++) {
		if (!isdigit(text->bytes[i]))
			return -1;
		code = code * 10 + text->bytes[i] - '0';
	}
	return code;
}

static bool read_coded(const struct text *text, uint16_t port,
		       struct spoken *spoken)
{
	const int code = read_code(text);
	const uint32_t possible = code < 0 ? 0 : possible_by_code(code);
	struct text body;
	int dialect;

	if (!possible)
		return false;
	body = text_after(text, 4);
	dialect = dialect_of_words(&body, possible);
	if (dialect < 0)
		dialect = dialect_of_port(port);
	if (dialect < 0 || !(possible & 1U << dialect))
		return false;
	/* 200 on FTP's port answers a command. */
	if (possible == NEWS && dialect_of_port(port) == DIALECT_FTP)
		return false;
	return set(spoken, (enum dialect)dialect, code >= 400, body);
}

/* "+" and "-": POP3 and Redis. Redis never speaks first. */
static bool read_plus_minus(const struct text *text, enum said said,
			    uint16_t port, struct spoken *spoken)
{
	const bool is_ok = text_begins(text, "+OK");
	const int expected = dialect_of_port(port);
	struct text body;

	if (!is_ok && !text_begins(text, "-ERR"))
		return false;
	body = text_after(text, is_ok ? 3 : 4);
	if (expected == DIALECT_REDIS)
		return set(spoken, DIALECT_REDIS, true, body);
	if (expected == DIALECT_POP3 || said == SAID_FIRST ||
	    text_find(&body, "POP") >= 0)
		return set(spoken, DIALECT_POP3, !is_ok, body);
	return false;
}

/* :irc.example.net NOTICE * :*** Looking up your hostname... */
static bool read_irc(const struct text *text, struct spoken *spoken)
{
	struct text body, origin;

	if (!text_begins(text, ":"))
		return false;
	body = text_after(text, 1);
	origin = text_until(&body, " \r\n");
	body = text_after(&body, origin.len);
	if (!origin.len ||
	    (!text_begins(&body, " NOTICE ") && !text_begins(&body, " 020 ") &&
	     !text_begins(&body, " 001 ")))
		return false;
	return set(spoken, DIALECT_IRC, false, origin);
}

/* -DENIED, -NOAUTH and so on: an error in capitals. */
static bool read_redis_error(const struct text *text, struct spoken *spoken)
{
	size_t end = 1;

	while (end < text->len && isupper(text->bytes[end]))
		end++;
	return end > 3 && end < text->len &&
	       is_one_of(text->bytes[end], " \r\n") &&
	       set(spoken, DIALECT_REDIS, true, text_after(text, end));
}

/* $3000, then the output of INFO: "redis_version:7.0.15" */
static bool read_redis(const struct text *text, struct spoken *spoken)
{
	const ptrdiff_t at = text_find(text, "redis_version:");

	if (text_begins(text, "-") && !text_begins(text, "-ERR"))
		return read_redis_error(text, spoken);
	if (!text_begins(text, "$") || at < 0)
		return false;
	return set(spoken, DIALECT_REDIS, false,
		   text_after(text, (size_t)at + strlen("redis_version:")));
}

/* Text that only the port explains, such as telnet's question for a name. */
static bool read_by_port(const struct text *text, uint16_t port,
			 struct spoken *spoken)
{
	switch (dialect_of_port(port)) {
	case DIALECT_TELNET:
		return (text_find(text, "login:") >= 0 ||
			text_find(text, "username:") >= 0 ||
			text_find(text, "password:") >= 0) &&
		       set(spoken, DIALECT_TELNET, false, *text);
	case DIALECT_RSH: /* 1: an error's text follows */
		return text->len > 1 && *text->bytes == 1 &&
		       set(spoken, DIALECT_RSH, false, *text);
	default:
		return false;
	}
}

bool dialect_read(const struct text *text, enum said said, uint16_t port,
		  struct spoken *spoken)
{
	return read_beginning(text, spoken) || read_vnc(text, spoken) ||
	       read_ssh(text, spoken) || read_coded(text, port, spoken) ||
	       read_plus_minus(text, said, port, spoken) ||
	       read_irc(text, spoken) || read_redis(text, spoken) ||
	       dialect_read_binary(text, spoken) ||
	       read_by_port(text, port, spoken);
}
