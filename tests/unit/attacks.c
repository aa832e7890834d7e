/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "attacks.h"

#include "packet.h"

const struct attack attacks[] = {
	{ "client segments without data", ATTACK_COVER, SWEEP_SEQ, 0, TCP_ACK,
	  0 },
	{ "client data", ATTACK_COVER, SWEEP_SEQ, 0, TCP_ACK | TCP_PSH, 1 },
	{ "client segments without flags", ATTACK_COVER, SWEEP_SEQ, 0, 0, 0 },
	{ "client data without flags", ATTACK_COVER, SWEEP_SEQ, 0, 0, 1 },
	{ "client FINs", ATTACK_COVER, SWEEP_SEQ, 0, TCP_FIN | TCP_ACK, 0 },
	{ "client FINs without ACK", ATTACK_COVER, SWEEP_SEQ, 0, TCP_FIN, 0 },
	{ "client data by ack", ATTACK_COVER, SWEEP_ACK, 0, TCP_ACK | TCP_PSH,
	  1 },
	{ "client data by both", ATTACK_COVER, SWEEP_BOTH, 0, TCP_ACK | TCP_PSH,
	  1 },
	{ "server data", ATTACK_COVER, SWEEP_SEQ, 1, TCP_ACK | TCP_PSH, 1 },
	{ "server data by ack", ATTACK_COVER, SWEEP_ACK, 1, TCP_ACK | TCP_PSH,
	  1 },
	{ "server data by both", ATTACK_COVER, SWEEP_BOTH, 1, TCP_ACK | TCP_PSH,
	  1 },
	{ "server FINs", ATTACK_COVER, SWEEP_SEQ, 1, TCP_FIN | TCP_ACK, 0 },
	{ "server FINs without ACK", ATTACK_COVER, SWEEP_SEQ, 1, TCP_FIN, 0 },
	{ "server FINs by ack", ATTACK_COVER, SWEEP_ACK, 1, TCP_FIN | TCP_ACK,
	  0 },
	{ "server RSTs", ATTACK_COVER, SWEEP_SEQ, 1, TCP_RST, 0 },
	{ "server RSTs with ACK", ATTACK_COVER, SWEEP_BOTH, 1,
	  TCP_RST | TCP_ACK, 0 },
	{ "client RSTs", ATTACK_COVER, SWEEP_SEQ, 0, TCP_RST, 0 },
	{ "client RSTs with ACK", ATTACK_COVER, SWEEP_BOTH, 0,
	  TCP_RST | TCP_ACK, 0 },
	{ "SYNs of the client", 1000, SWEEP_SEQ, 0, TCP_SYN, 0 },
	{ "SYNs of the client with data", 1000, SWEEP_SEQ, 0, TCP_SYN, 5 },
	{ "SYNs of the server", 1000, SWEEP_SEQ, 1, TCP_SYN, 0 },
	{ "SYN-ACKs of the server", 1000, SWEEP_BOTH, 1, TCP_SYN | TCP_ACK, 0 },
	{ "SYN-ACKs of the client", 1000, SWEEP_BOTH, 0, TCP_SYN | TCP_ACK, 0 },
};

const int attack_count = sizeof(attacks) / sizeof(*attacks);

struct model_segment attack_segment(const struct attack *attack, int number)
{
	struct model_segment s = { .from = attack->from,
				   .flags = attack->flags,
				   .len = attack->len };
	__u32 step = (__u32)number * 65535;

	/* What is not swept is a guess. */
	s.seq = attack->sweep == SWEEP_ACK ? 0x12345678 : step;
	if (attack->flags & TCP_ACK)
		s.ack = attack->sweep == SWEEP_SEQ ? 0x76543210 : ~step;
	return s;
}
