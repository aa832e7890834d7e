/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "play.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void append(char text[TEXT_MAX], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void append(char text[TEXT_MAX], const char *format, ...)
{
	size_t len = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + len, TEXT_MAX - len, format, arguments);
	va_end(arguments);
}

void text_add_record(char text[TEXT_MAX], const struct event *record)
{
	append(text, "%s%.*s/%u/%s%s%s%sd", *text ? " " : "", (int)record->kept,
	       record->bytes, record->len, record->seen & SEEN_SYN ? "S" : "",
	       record->seen & SEEN_SYNACK ? "h" : "",
	       record->seen & SEEN_ACK ? "A" : "",
	       record->seen & SEEN_CLIENT_FIN ? "F" : "");
}

void text_set_counters(char text[TEXT_MAX], const __u64 counters[COUNTER_MAX])
{
	static const char *const names[] = {
#define COUNTER_NAME(id, name, meaning) [COUNT_##id] = name,
		COUNTERS(COUNTER_NAME)
#undef COUNTER_NAME
	};

	*text = 0;
	for (int i = COUNT_NOTHING + 1; i < COUNTER_MAX; i++) {
		__u64 usual = i == COUNT_CONNECTIONS ? 1 : 0;

		if (counters[i] == usual)
			continue;
		append(text, "%s%s", *text ? " " : "", names[i]);
		if (counters[i] != 1)
			append(text, "=%llu", counters[i]);
	}
}

static __u64 hash_of(const struct engine *native, enum parse_result parsed,
		     const struct segment *segment)
{
	return parsed == PARSED ?
		       connection_hash(segment, native->settings.track.key,
				       native->hash_secrets) :
		       0;
}

/* Whether a packet may change anything, as the parser has it. */
static bool may_change(const struct engine *native, enum parse_result parsed,
		       const struct segment *segment)
{
	if (parsed != PARSED)
		return parse_counter(parsed) != COUNT_NOTHING;
	return segment_may_matter(segment, hash_of(native, parsed, segment),
				  &native->prefilter);
}

enum parse_result play_packet(struct engine *native, const __u8 *data,
			      size_t len, size_t wire_len, bool raw_ip,
			      __u64 now, struct segment *segment)
{
	const struct frame frame = { .data = data,
				     .end = data + len,
				     .wire_len = (__u32)wire_len };
	enum parse_result parsed;
	__u64 hash = 0;

	*segment = (struct segment){};
	segment_reset(segment);
	parsed = raw_ip ? parse_ip(&frame, 0, segment) :
			  parse_ethernet(&frame, segment);
	if (native->settings.track.decap.kinds)
		parsed = walk_tunnels(&frame, segment, parsed,
				      &native->settings.track.decap);
	if ((raw_ip ? prefilter_ip(&frame, 0, &native->prefilter,
				   &native->settings.track.decap, &hash) :
		      prefilter_ethernet(&frame, &native->prefilter,
					 &native->settings.track.decap,
					 &hash)) &&
	    (!native->settings.track.decap.kinds ||
	     prefilter_tunnel(&frame, raw_ip, &native->prefilter,
			      &native->settings.track.decap,
			      native->settings.track.key.tunnels)))
		engine_packet(native, parsed, &frame, segment,
			      hash_of(native, parsed, segment), now);
	else if (may_change(native, parsed, segment))
		abort(); /* the prefilter has ignored a packet that counts */
	return parsed;
}
