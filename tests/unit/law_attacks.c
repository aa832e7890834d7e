/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "law_attacks.h"

#include "attacks.h"
#include "law_judge.h"
#include "law_play.h"
#include "packet.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))
#define CISN 0x9d2c5680
#define SISN 0x1b873593

/* An honest conversation; the last packet is the banner. */
static const struct model_segment honest[] = {
	{ 0, TCP_SYN, WAY_UNKNOWN, CISN, 0, 0 },
	{ 1, TCP_SYN | TCP_ACK, WAY_UNKNOWN, SISN, CISN + 1, 0 },
	{ 0, TCP_ACK, WAY_UNKNOWN, CISN + 1, SISN + 1, 0 },
	{ 1, TCP_ACK | TCP_PSH, WAY_UNKNOWN, SISN + 1, CISN + 1, 20 },
};

static void attack_once(const struct conversation *setup,
			const struct attack *attack, int number)
{
	struct model_segment s = attack_segment(attack, number);

	s.way = setup->live ? WAY_IN : WAY_UNKNOWN;
	play_to_core(&s, number);
}

static void attack_again(const struct attack *attack, int number, __u32 ack)
{
	struct model_segment s = { .from = attack->from,
				   .flags = attack->flags,
				   .len = attack->len };

	s.seq = (__u32)number * 65535;
	s.ack = ack;
	play_to_core(&s, number);
}

/* Where the probe is: which end is on its host. */
static const struct conversation setups[] = {
	{ .need = MODEL_NEED_NONE },
	{ .need = MODEL_NEED_OWN, .live = true },
	{ .need = MODEL_NEED_OWN, .live = true, .own = { true, false } },
	{ .need = MODEL_NEED_OWN, .live = true, .own = { false, true } },
	{ .need = MODEL_NEED_HANDSHAKE, .live = true, .own = { true, false } },
	{ .need = MODEL_NEED_HANDSHAKE, .live = true, .own = { false, true } },
};

/* The attack comes all at once, before packet `when` or before each one. */
static bool withstands(const struct conversation *setup,
		       const struct attack *attack, int when)
{
	struct judge_counts counts;
	bool logged = false;

	play_begin(setup);
	for (int i = 0; i < COUNT(honest); i++) {
		struct model_segment s = honest[i];

		if (setup->live)
			s.way = setup->own[s.from] ? WAY_OUT : WAY_IN;
		for (int j = 0;
		     (when == i || when == COUNT(honest)) && j < attack->times;
		     j++)
			attack_once(setup, attack, j);
		logged = play_to_core(&s, i);
	}
	judge_end(&counts);
	return logged;
}

/* Prints when the attack does harm. */
static void tell_when(const struct conversation *setup,
		      const struct attack *attack)
{
	static const char *const times[] = { "the SYN", "the SYN-ACK",
					     "the ACK", "the banner", "each" };

	for (int when = 0; when < COUNT(times); when++)
		if (!withstands(setup, attack, when))
			printf("# a banner is hidden by %d %s before "
			       "%s%s%s%s\n",
			       attack->times, attack->name, times[when],
			       setup->own[0] ? "; the client is here" : "",
			       setup->own[1] ? "; the server is here" : "",
			       setup->need == MODEL_NEED_HANDSHAKE ?
				       "; --need handshake" :
				       "");
}

/*
 * Two sweeps. Forged server segments, by `ack` and from each quarter of the
 * server's numbers, try to raise what either side is known to have sent. Then
 * forged client segments would be valid.
 */
static bool withstands_two_sweeps(const struct conversation *setup)
{
	static const struct attack client = { "client data",	 ATTACK_COVER,
					      SWEEP_SEQ,	 0,
					      TCP_ACK | TCP_PSH, 1 };
	struct model_segment s = { .from = 1, .flags = TCP_ACK, .len = 1 };
	struct judge_counts counts;
	bool logged;

	play_begin(setup);
	for (int i = 0; i < 3; i++)
		play_to_core(&honest[i], i);
	for (__u32 quarter = 0; quarter < 4; quarter++) {
		for (__u32 i = 0; i < ATTACK_COVER; i++) {
			s.seq = SISN + 0x20000000 + (quarter << 30);
			s.ack = i * 65535;
			play_to_core(&s, (int)i);
		}
	}
	for (__u32 quarter = 0; quarter < 4; quarter++)
		for (int i = 0; i < ATTACK_COVER; i++)
			attack_again(&client, i, quarter << 30);
	logged = play_to_core(&honest[3], 3);
	judge_end(&counts);
	if (!logged)
		printf("# a banner is hidden by server data and then client "
		       "data, %d each from each quarter of the numbers\n",
		       ATTACK_COVER);
	return logged;
}

static bool withstands_all(const struct conversation *setup)
{
	bool all = true;

	for (int i = 0; i < attack_count; i++) {
		/* Which SYN was the client's cannot be known then (case 15). */
		if (setup->need == MODEL_NEED_HANDSHAKE &&
		    attacks[i].flags == TCP_SYN)
			continue;
		if (withstands(setup, &attacks[i], COUNT(honest)))
			continue;
		tell_when(setup, &attacks[i]);
		all = false;
	}
	return all;
}

bool withstands_attacks(void)
{
	bool all = withstands_two_sweeps(&setups[0]);

	for (int i = 0; i < COUNT(setups); i++)
		if (judge_can(setups[i].need, setups[i].live))
			all &= withstands_all(&setups[i]);
	return all;
}
