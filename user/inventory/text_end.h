/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Whether a text protocol's greeting goes on, by its last line: the probe then
 * waits for more, and the inventory prefers a form that is whole. identify.c
 * asks another question: whether the words of the last line may be cut, in a
 * protocol where a line without its end is no prompt.
 */
#ifndef BANNERPROBE_TEXT_END_H
#define BANNERPROBE_TEXT_END_H

#include "telnet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool text_end_is_digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

/*
 * True for text that ends within a line, or with a line that another one
 * follows ("220-"), and for telnet's options without a text behind them.
 */
static inline bool text_end_is_open(const uint8_t *bytes, size_t len)
{
	const uint8_t *before;
	size_t line;

	if (telnet_commands(bytes, len) == len || bytes[len - 1] != '\n')
		return true;
	before = memrchr(bytes, '\n', len - 1);
	line = before ? (size_t)(before - bytes) + 1 : 0;
	return len - line > 3 && text_end_is_digit(bytes[line]) &&
	       text_end_is_digit(bytes[line + 1]) &&
	       text_end_is_digit(bytes[line + 2]) && bytes[line + 3] == '-';
}

#endif
