/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "law_cases.h"

#include <stdlib.h>

#include "packet.h"

#define OPENED ">S0 <SA0/1 >A1/1 "
#define OPENED_OUT "o>S0 i<SA0/1 o>A1/1 "
#define NONE MODEL_NEED_NONE, ""

const struct law_case law_cases[] = {
	{ "1", NONE, OPENED "<A1/1:4", 3, "banner" },
	{ "2", NONE, "<SA0/1 >A1/1 <A1/1:4", 2, "banner" },
	{ "3", NONE, ">S0 <SA0/1 <A1/1:4", 2, "banner" },
	{ "4", NONE, ">S0 >A1/1 <A1/1:4", -1, "synack unseen" },
	{ "4 client data before a late SYN-ACK", NONE,
	  ">S0 >A1/1:5 <SA0/1 <A1/1:4", -1, "client first" },
	{ "4 forged client data before the SYN-ACK", NONE,
	  ">S0 >A1/900000:5 >P1:5 <SA0/1 <A1/1:4", 4, "banner" },
	{ "4 client data outside the window before the SYN-ACK", NONE,
	  ">S0 >A900000/1:5 <SA0/1 <A1/1:4", 3, "banner" },
	{ "5", NONE, OPENED ">A1/1:5 <A1/6:4", -1, "client first" },
	{ "5 crossed", NONE, OPENED ">A1/1:5 <A1/1:4", -1, "client first" },
	{ "6", NONE, OPENED "<A1/6:4", -1, "client first (by ack)" },
	{ "6b", NONE, OPENED ">A6/1 <A1/1:4", -1, "client first (by seq)" },
	{ "6b after its FIN", NONE, OPENED ">FA1/1 >A2/1 <A1/2:4", 5,
	  "banner" },
	{ "6b beyond its FIN", NONE, OPENED ">FA1/1 >A3/1 <A1/2:4", -1,
	  "client first (by seq)" },
	{ "6b outside the window", NONE, OPENED ">A65537/1 <A1/1:4", 4,
	  "banner" },
	{ "7", NONE, ">S0:3 <SA0/4 >A4/1 <A1/4:4", -1, "client first" },
	{ "8", NONE, ">S0:3 <SA0/1 >A1/1 <A1/1:4", -1, "client first" },
	{ "9", NONE, ">S0 <SA0/1:4 >A1/5", 1, "banner" },
	{ "9 after client data", NONE, ">S0 >A1/1:2 <SA0/1:4", -1,
	  "client first" },
	{ "10", NONE, OPENED "<A5/1:4 <A1/1:4", 4, "banner" },
	{ "10 it does not come", NONE, OPENED "<A5/1:4", -1,
	  "server data unseen" },
	{ "11", NONE, OPENED ">A1/5 <A1/1:4", 4, "banner" },
	{ "11 it does not come", NONE, OPENED ">A1/5", -1,
	  "server data unseen" },
	{ "11 then client data", NONE, OPENED ">A1/5 >A1/5:3 <A1/1:4", -1,
	  "server data unseen" },
	{ "12", NONE, OPENED "<A1/1:4 <A1/1:4", 3, "banner" },
	{ "13", NONE,
	  ">S0 >S0 <SA0/1 >S0 <SA0/1 >A1/1 <SA0/1 <A1/1:4 >S0 "
	  "<SA0/1 <A1/1:4",
	  7, "banner" },
	{ "13 after a RST", NONE, OPENED "<A1/1:4 >R1 <SA0/1 <A1/1:4", 3,
	  "banner" },
	{ "14 a SYN beside hides nothing", NONE,
	  ">S0 >S900000 <SA0/1 >S900000 >A1/1 >S900000 <A1/1:4", 6, "banner" },
	{ "14 a SYN of the server's end hides nothing", NONE,
	  "<S900000 >S0 <SA0/1 >A1/1 <A1/1:4", 4, "banner, synack unseen" },
	{ "14 answered, but no segment has its numbers", NONE,
	  OPENED ">S900000 <SA900000/900001 <A1/1:4", 5, "banner" },
	{ "14 the client's ack", NONE,
	  OPENED ">S900000 <SA900000/900001 >A900001/900001 <A1/1:4 "
		 "<A900001/900001:6",
	  7, "banner, no data" },
	{ "14 the server's data", NONE,
	  OPENED ">S900000 <SA900000/900001 <A900001/900001:6 <A1/1:4", 5,
	  "banner, no data" },
	{ "14 client first beside", NONE,
	  OPENED ">S900000 <SA900000/900001 >A900001/900001:5 <A1/1:4", -1,
	  "client first, no data" },
	{ "14 acknowledged client data beside forgets nothing", NONE,
	  OPENED ">S900000 <SA900000/900001 <A900001/900009:6 <A1/1:4", 6,
	  "banner" },
	{ "14 after both FINs", NONE,
	  OPENED "<FA1/1:4 >FA1/6 <A6/2 >S900000 <SA900000/900001", 3,
	  "banner, cut off" },
	{ "14 the same number after both FINs", NONE,
	  OPENED ">A1/1:4 <FA1/5 >FA5/2 >S0 <SA900000/1 <A900001/1:4", 8,
	  "banner, client first" },
	{ "14 the same number after a RST", NONE,
	  OPENED "<R1 >S0 <SA900000/1 <A900001/1:4", 6, "banner, reset" },
	{ "15", NONE, ">S0 <SA900000/900001 <SA0/1 <A1/1:4", 3,
	  "banner / stale synack" },
	{ "15 none remembered, answered", NONE,
	  "<SA0/1 >A1/1 <SA900000/900001 <A1/1:4", 3, "banner / stale synack" },
	{ "15 none remembered, reset", NONE,
	  "<SA0/1 >A1/1 >R1 <SA900000/900001 <A900001/900001:4", 4,
	  "banner, reset" },
	{ "15 forged before the SYN", NONE,
	  "<SA900000/900001 >S0 <SA900000/900001 <SA800000/800001 <SA0/1 "
	  ">A1/1 <A1/1:4",
	  6, "banner, no data / stale synack" },
	{ "15b", NONE, ">S0 <SA0/1 <SA900000/1 >A1/900001 <A900001/1:4", 4,
	  "banner" },
	{ "15b acknowledged", NONE, OPENED "<SA900000/1 <A900001/1:4 <A1/1:4",
	  5, "banner / stale synack" },
	{ "16", NONE, OPENED ">A0/1:1 >A0/1 <A1/1:4", 5, "banner" },
	{ "17", NONE, OPENED "<A0/1:1 <A1/1:4", 4, "banner" },
	{ "18", NONE, OPENED "<A0/1:5", 3, "banner" },
	{ "19", NONE, OPENED ">FA1/1 <A1/2:4", 4, "banner" },
	{ "19 its FIN was missed", NONE, OPENED "<A1/2:4", -1,
	  "client first (by ack)" },
	{ "20", NONE, OPENED "<FA1/1:4", 3, "banner" },
	{ "21 of the client", NONE, OPENED ">R1 <A1/1:4", -1, "reset" },
	{ "21 of the server", NONE, OPENED "<RA1/1 <A1/1:4", -1, "reset" },
	{ "21 what the other side acknowledged", NONE,
	  OPENED "<A5/1:4 >A1/5 <A9/1:4 <R5 <A1/1:4", -1,
	  "server data unseen" },
	{ "21 refused", NONE, ">S0 <RA0/1", -1, "reset" },
	{ "22", NONE, OPENED "<R2 <R0 >R2 >R0 <A1/1:4", 7,
	  "banner / invalid RST" },
	{ "22 an ack is no proof", NONE, OPENED "<RA77777/1 <A1/1:4", 4,
	  "banner / invalid RST" },
	{ "22 before the SYN-ACK", NONE, ">S0 <RA0/2 <R1 <SA0/1 <A1/1:4", 4,
	  "banner / invalid RST" },
	{ "23", NONE, OPENED ">A65537/1:5 >A900000/1:5 <A1/1:4", 5,
	  "banner / out of window" },
	{ "23b without ACK", NONE, OPENED ">P1:5 >F1 <A1/1:4", 5,
	  "banner / invalid client segment" },
	{ "23b ack too little", NONE, OPENED ">A1/0:5 >FA1/0 <A1/1:4", 5,
	  "banner / invalid client segment" },
	{ "23b ack too much", NONE, OPENED ">A1/65537:5 >A6/65537 <A1/1:4", 5,
	  "banner / invalid client segment" },
	{ "23b the most that is earned", NONE, OPENED ">A1/65536:5", -1,
	  "server data unseen" },
	{ "23c", NONE, OPENED "<A1401/1:1400 >A1/68336:5", -1,
	  "server data unseen" },
	{ "24 simultaneous open", NONE, ">S0 <S0 >SA0/1 <SA0/1 >A1/1 <A1/1:4",
	  -1, "no server" },
	{ "24 split handshake", NONE, ">S0 <S0 >SA0/1 <A1/1 <A1/1:4", -1,
	  "no server" },
	{ "24b without ACK", NONE, OPENED "<P1:4 <A1/1:4", 4,
	  "banner / invalid server segment" },
	{ "24b ack too little", NONE, OPENED "<A1/0:4 <A1/1:4", 4,
	  "banner / invalid server segment" },
	{ "24b ack too much", NONE, OPENED "<A1/65537:4 <A1/1:4", 4,
	  "banner / invalid server segment" },
	{ "24b the most that is earned", NONE, OPENED "<A1/65536:4 <A1/1:4", -1,
	  "client first (by ack)" },
	{ "26 cut off", NONE, OPENED, -1, "cut off" },
	{ "26 client FIN", NONE, OPENED ">FA1/1", -1, "cut off" },
	{ "26 closed", NONE, OPENED ">FA1/1 <FA1/2", -1, "no data" },
	{ "seed1", NONE, OPENED ">A1/1:4 <A1/5:4", -1, "client first" },
	{ "4 early client data beside a SYN of the server's end", NONE,
	  "<S900000 >S0 >A1/1:5 <SA0/1 <A1/1:4", -1,
	  "client first, synack unseen" },
	{ "4 early client data beside a SYN of the client's end", NONE,
	  ">S900000 >S0 >A1/1:5 <SA0/1 <A1/1:4", -1,
	  "client first, synack unseen" },
	{ "4 early client data that begins at cisn", NONE,
	  ">S0 >A0/1:2 <SA0/1 <A1/1:4", -1, "client first" },
	{ "7 a SYN with a byte is answered by what acknowledges that", NONE,
	  ">S0:1 >S60000 <SA0/60001 <A1/60001:4", 3, "banner, synack unseen" },
	{ "15 of the other end, answered", NONE,
	  OPENED ">SA900000/900001:4 <A1/1:4", 4, "banner / stale synack" },
	{ "15 of the other end, decided", NONE,
	  OPENED ">A1/1:3 >SA900000/900001:4", -1, "client first" },
	{ "15 of the other end, beside a new connection", NONE,
	  "<SA0/1:4 >S900000 <SA900000/900001 >SA500000/500001 "
	  "<A900001/900001:6",
	  4, "banner, banner" },
	{ "15 a banner is an answer", NONE,
	  "<SA0/1 <A1/1:4 <SA900000/900001 <SA0/1 <A1/1:4", 1, "banner" },
	{ "21 the SYN-ACK comes after its RST", NONE, ">S0 <RA0/1 <SA0/1:4", -1,
	  "reset" },
	{ "15 another SYN-ACK after a RST, no SYN seen", NONE,
	  "<SA0/1 >R1 <SA900000/1 <A900001/1:4", 3, "banner, reset" },
	{ "4 early client data beside, at the window's end", NONE,
	  ">S900000 >S0 >A65536/1:40 <SA0/1 <A1/1:4", -1,
	  "client first, synack unseen" },
	{ "15 a SYN with data has its answer before one not seen", NONE,
	  "<SA900000/23 >S0:22 <SA0/23:8", -1, "cut off" },
	{ "23c a SYN-ACK's data is sent", NONE, ">S0 >A1/65537:4 <SA0/1:40", -1,
	  "client first" },
	{ "14 client data that straddles is a proof", NONE,
	  OPENED ">S900000 <SA900000/900001 >A899999/900001:22 <A1/1:4", -1,
	  "client first, no data" },
	{ "22 an ack is no proof beside a connection", NONE,
	  OPENED ">S900000 <SA900000/900001 <RA500000/900001 "
		 ">A900001/900001 <A900001/900001:4",
	  7, "banner, no data / invalid RST" },
	{ "21 beside, the other way round", NONE,
	  OPENED "<S900000 >SA900000/900001 <R900001 >A900001/900001:4", -1,
	  "cut off" },
	{ "19 a FIN before cisn+1 is none", NONE, "<SA0/1 >FA0/1 <A1/2:4", -1,
	  "client first (by ack)" },
	/* Rule 4, with one end here. */
	{ "rule 4: a client here", MODEL_NEED_OWN, "0", OPENED_OUT "i<A1/1:4",
	  3, "banner" },
	{ "rule 4: a server here", MODEL_NEED_OWN, "1",
	  "i>S0 o<SA0/1 i>A1/1 o<A1/1:4", 3, "banner" },
	{ "rule 4: a SYN-ACK that nobody asked for", MODEL_NEED_OWN, "0",
	  "i<SA0/1:4 i<A1/1:4", -1, " / unsolicited" },
	{ "rule 4: and a SYN that did not leave", MODEL_NEED_OWN, "0",
	  "i>S0 i<SA0/1:4", -1, " / unsolicited, not seen leaving" },
	{ "rule 4: both ends forged, at a server", MODEL_NEED_OWN, "1",
	  "i>S0 i<SA0/1 i>A1/1 i<A1/1:4", -1, "open / not seen leaving" },
	{ "rule 4: a forged RST of its own", MODEL_NEED_OWN, "1",
	  "i>S0 o<SA0/1 i>A1/1 i<R1 o<A1/1:4", 4, "banner / not seen leaving" },
	{ "rule 4: SYN-ACK for a server's SYN-less client", MODEL_NEED_OWN, "1",
	  "o<SA0/1 i>A1/1 o<A1/1:4", 2, "banner" },
	{ "rule 4: loopback", MODEL_NEED_OWN, "01",
	  "o>S0 i>S0 o<SA0/1 i<SA0/1 o>A1/1 i>A1/1 o<A1/1:4 i<A1/1:4", 6,
	  "banner / not seen leaving" },
	{ "rule 4: forwarded", MODEL_NEED_OWN, "", "i<SA0/1 i<A1/1:4", 1,
	  "banner" },
	{ "rule 4 dropped", MODEL_NEED_NONE, "0", "i<SA0/1 i<A1/1:4", 1,
	  "banner" },
	{ "--need syn", MODEL_NEED_SYN, "", "i<SA0/1 i>A1/1 i<A1/1:4", -1,
	  "syn unseen" },
	{ "--need syn, seen", MODEL_NEED_SYN, "", "i>S0 i<SA0/1 i<A1/1:4", 2,
	  "banner" },
	{ "--need handshake", MODEL_NEED_HANDSHAKE, "", "i>S0 i<SA0/1 i<A1/1:4",
	  -1, "handshake unseen" },
	{ "--need handshake, seen", MODEL_NEED_HANDSHAKE, "",
	  "i>S0 i<SA0/1 i>A1/1 i<A1/1:4", 3, "banner" },
	{ "26 live", MODEL_NEED_OWN, "1", "i>S0 o<SA0/1", -1, "open" },
};

const int law_case_count = sizeof(law_cases) / sizeof(*law_cases);

static __u8 read_flags(const char **text)
{
	static const char letters[] = "FSRPA.";
	static const __u8 bits[] = { TCP_FIN, TCP_SYN, TCP_RST,
				     TCP_PSH, TCP_ACK, 0 };
	const char *letter;
	__u8 flags = 0;

	for (; **text && (letter = strchr(letters, **text)); (*text)++)
		flags |= bits[letter - letters];
	return flags;
}

static __u32 read_number(const char **text, char mark)
{
	char *end;
	__u32 number;

	if (mark && **text != mark)
		return 0;
	*text += !!mark;
	number = (__u32)strtoul(*text, &end, 10);
	*text = end;
	return number;
}

static struct model_segment read_segment(const struct conversation *c,
					 const char **text)
{
	struct model_segment s = {};

	s.way = **text == 'i' ? WAY_IN : **text == 'o' ? WAY_OUT : WAY_UNKNOWN;
	*text += s.way != WAY_UNKNOWN;
	s.from = *(*text)++ == '<';
	s.flags = read_flags(text);
	s.seq = c->bases[s.from].isn + read_number(text, 0);
	s.ack = read_number(text, '/');
	if (s.flags & TCP_ACK)
		s.ack += c->bases[!s.from].isn;
	s.len = read_number(text, ':');
	return s;
}

void law_case_make(struct conversation *c, const struct law_case *law_case)
{
	const char *text = law_case->packets;

	c->seed = 0;
	c->ingredients = 0;
	c->need = law_case->need;
	c->own[0] = strchr(law_case->own, '0');
	c->own[1] = strchr(law_case->own, '1');
	c->count = 0;
	c->base_count = 2;
	c->bases[0].isn = 0xfffffff0;
	c->bases[0].end = 0;
	c->bases[1].isn = 0x7ffffff8;
	c->bases[1].end = 1;
	while (*text) {
		struct conversation_packet *p = &c->packets[c->count++];

		p->segment = read_segment(c, &text);
		p->origin = ORIGIN_HONEST;
		while (*text == ' ')
			text++;
	}
	c->live = c->packets[0].segment.way != WAY_UNKNOWN;
}
