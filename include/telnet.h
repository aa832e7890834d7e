/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Telnet's negotiation of options (RFC 854, 855). Portable C without a helper
 * call, like segment.h.
 */
#ifndef BANNERPROBE_TELNET_H
#define BANNERPROBE_TELNET_H

#include "platform.h"

/* What negotiates in more bytes than these counts as speech. */
#define NEGOTIATION_MAX 256

enum telnet_byte {
	TELNET_SE = 240,   /* the end of a subnegotiation */
	TELNET_SB = 250,   /* a subnegotiation begins */
	TELNET_WILL = 251, /* WILL, WONT, DO and DONT: an option follows */
	TELNET_DONT = 254,
	TELNET_IAC = 255, /* a command follows */
};

/* What the next byte is. */
enum telnet_next {
	TELNET_OUTSIDE, /* outside of a command */
	TELNET_COMMAND,
	TELNET_OPTION,
	TELNET_INSIDE,	/* of a subnegotiation */
	TELNET_ESCAPED, /* inside of a subnegotiation, behind IAC */
	TELNET_SPEECH,	/* anything: there was text */
};

static __always_inline enum telnet_next telnet_command(__u8 byte)
{
	if (byte >= TELNET_WILL && byte <= TELNET_DONT)
		return TELNET_OPTION;
	if (byte == TELNET_SB)
		return TELNET_INSIDE;
	/* NOP to GA; IAC twice is a byte of text. */
	return byte > TELNET_SE && byte < TELNET_SB ? TELNET_OUTSIDE :
						      TELNET_SPEECH;
}

/* The state after one more byte. */
static __always_inline enum telnet_next telnet_step(enum telnet_next next,
						    __u8 byte)
{
	switch (next) {
	case TELNET_OUTSIDE:
		return byte == TELNET_IAC ? TELNET_COMMAND : TELNET_SPEECH;
	case TELNET_COMMAND:
		return telnet_command(byte);
	case TELNET_OPTION:
		return TELNET_OUTSIDE;
	case TELNET_INSIDE:
		return byte == TELNET_IAC ? TELNET_ESCAPED : TELNET_INSIDE;
	case TELNET_ESCAPED:
		if (byte == TELNET_SE)
			return TELNET_OUTSIDE;
		return byte == TELNET_IAC ? TELNET_INSIDE : TELNET_SPEECH;
	default:
		return TELNET_SPEECH;
	}
}

/* Whether bytes, at most NEGOTIATION_MAX, are whole commands and no text. */
static __always_inline bool telnet_negotiates(const __u8 *bytes, __u32 len)
{
	enum telnet_next next = TELNET_OUTSIDE;

	if (!len || len > NEGOTIATION_MAX)
		return false;
#ifdef __bpf__
#pragma clang loop unroll(disable)
#endif
	for (__u32 i = 0; i < NEGOTIATION_MAX; i++) {
		if (i >= len)
			break;
		next = telnet_step(next, bytes[i]);
		if (next == TELNET_SPEECH)
			break;
	}
	return next == TELNET_OUTSIDE;
}

#ifndef __bpf__

/*
 * The bytes of the commands at the beginning of a text; the last command may be
 * cut.
 */
static inline size_t telnet_commands(const __u8 *bytes, size_t len)
{
	enum telnet_next next = TELNET_OUTSIDE;
	size_t whole = 0;

	for (size_t i = 0; i < len && next != TELNET_SPEECH; i++) {
		next = telnet_step(next, bytes[i]);
		if (next == TELNET_OUTSIDE)
			whole = i + 1;
	}
	return next == TELNET_SPEECH ? whole : len;
}

/* Whether a text begins with the negotiation of an option. */
static inline bool telnet_begins(const __u8 *bytes, size_t len)
{
	return len >= 3 && bytes[0] == TELNET_IAC && bytes[1] >= TELNET_SB &&
	       bytes[1] <= TELNET_DONT;
}

#endif

#endif
