/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The events of one connection of the model: which side spoke first, and what
 * each said. model.c finds the connection that a segment belongs to.
 */
#ifndef BANNERPROBE_TESTS_MODEL_EVENTS_H
#define BANNERPROBE_TESTS_MODEL_EVENTS_H

#include "model.h"

/* How far `number` lies beyond `other`; negative: before it. */
static inline __s32 beyond(__u32 number, __u32 other)
{
	return (__s32)(number - other);
}

/* 1 where the side has sent its FIN and no data, which takes a number, too. */
static inline __s32 bare_fin(const struct model_connection *c,
			     enum model_role role)
{
	return c->fin[role] && c->fin_at[role] == c->isn[role] + 1;
}

/* Rule 3, for either side: `ack` shows that nothing of it was received. */
static inline bool shows_nothing_of(const struct model_connection *c,
				    enum model_role role, __u32 ack)
{
	__s32 acked = beyond(ack, c->isn[role] + 1);

	return acked == 0 || (acked == 1 && bare_fin(c, role));
}

/* Whether an event of this kind may still come. */
bool kind_waits(const struct model_connection *c, enum model_kind kind);

/* The definition leaves a choice, but for these kinds only. */
void kinds_unclear(struct model *model, unsigned int kinds, const char *why);

/* A SYN with data; `len`: more of it than was seen before. */
void events_syn_data(struct model *model, struct model_connection *c,
		     __u32 len);

/* A SYN-ACK that counts, before its own payload. */
void events_synack(struct model *model, struct model_connection *c, __u32 ack);

/* A client segment before the SYN-ACK that turns out to be valid. */
void events_early(struct model *model, struct model_connection *c,
		  const struct early_segment *early);

/*
 * A valid segment of a connection that is counted, after its numbers were
 * noted; `bare`: bare_fin() of its side before. The payload of a SYN-ACK is
 * such a segment of the server.
 */
void events_segment(struct model *model, struct model_connection *c,
		    enum model_role role, const struct model_segment *s,
		    __s32 bare);

/* The model has found a banner: events_segment() is not for that segment. */
void events_banner(struct model *model, struct model_connection *c,
		   const struct model_event *banner);

/* No more will be seen of the connection; `open`: the reason where it waits. */
void events_end(struct model *model, const struct model_connection *c,
		enum reason open);

#endif
