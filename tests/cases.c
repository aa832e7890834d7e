/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cases.h"

#define C(flags, seq, ack, payload) { true, false, flags, seq, ack, payload }
#define S(flags, seq, ack, payload) { true, true, flags, seq, ack, payload }

#define ACK TCP_ACK
#define SYN TCP_SYN
#define FIN TCP_FIN
#define RST TCP_RST
#define SYNACK (TCP_SYN | TCP_ACK)

/* The usual beginnings. */
#define CLIENT_SYN C(SYN, 0, 0, "")
#define SERVER_SYNACK S(SYNACK, 0, 1, "")
#define CLIENT_ACK C(ACK, 1, 1, "")
#define OPENED CLIENT_SYN, SERVER_SYNACK, CLIENT_ACK
#define HELLO S(ACK, 1, 1, "hello")

const struct test_case test_cases[] = {
	{ "1: SYN, SYN-ACK, ACK, server data",
	  { OPENED, HELLO }, "hello/5/ShAd", "banners" },
	{ "2: the SYN not seen",
	  { SERVER_SYNACK, CLIENT_ACK, HELLO }, "hello/5/hAd", "banners" },
	{ "3: the third ACK not seen",
	  { CLIENT_SYN, SERVER_SYNACK, HELLO }, "hello/5/Shd", "banners" },
	{ "3: only the SYN-ACK seen",
	  { SERVER_SYNACK, HELLO }, "hello/5/hd", "banners" },
	{ "4: the SYN-ACK not seen",
	  { CLIENT_SYN, CLIENT_ACK, HELLO }, "", "synack_unseen" },
	{ "4: no handshake seen at all",
	  { CLIENT_ACK, HELLO, C(ACK, 1, 6, "hi") }, "", "connections=0" },
	{ "4: the SYN-ACK comes after the data",
	  { CLIENT_SYN, HELLO, SERVER_SYNACK, HELLO }, "hello/5/Shd", "banners" },

	{ "5: client data first",
	  { OPENED, C(ACK, 1, 1, "GET"), S(ACK, 1, 4, "200") }, "", "client_first" },
	{ "5: client and server data cross",
	  { OPENED, C(ACK, 1, 1, "GET"), HELLO }, "", "client_first" },
	{ "5: client data before the SYN-ACK is seen",
	  { CLIENT_SYN, C(ACK, 1, 1, "GET"), SERVER_SYNACK, HELLO },
	  "", "client_first" },
	{ "6: client data missed, acknowledged by the server",
	  { OPENED, S(ACK, 1, 4, "200") }, "", "client_first_by_ack" },
	{ "6b: client data missed, its next ACK is beyond",
	  { OPENED, C(ACK, 4, 1, ""), HELLO }, "", "client_first_by_seq" },
	{ "6b: one beyond without a FIN",
	  { OPENED, C(ACK, 2, 1, ""), HELLO }, "", "client_first_by_seq" },
	{ "6b: one beyond after its FIN is no data",
	  { OPENED, C(FIN | ACK, 1, 1, ""), C(ACK, 2, 1, ""), HELLO },
	  "hello/5/ShAFd", "banners" },
	{ "6b: two beyond after its FIN",
	  { OPENED, C(FIN | ACK, 1, 1, ""), C(ACK, 3, 1, ""), HELLO },
	  "", "client_first_by_seq" },
	{ "6b: a FIN beyond missed data",
	  { OPENED, C(FIN | ACK, 4, 1, ""), HELLO }, "", "client_first_by_seq" },
	{ "6b: the window's last number",
	  { OPENED, C(ACK, 1 + 65535, 1, ""), HELLO }, "", "client_first_by_seq" },

	{ "7: SYN with data, accepted",
	  { C(SYN, 0, 0, "GET"), S(SYNACK, 0, 4, ""), S(ACK, 1, 4, "200") },
	  "", "client_first_syn" },
	{ "8: SYN with data, not accepted",
	  { C(SYN, 0, 0, "GET"), SERVER_SYNACK, CLIENT_ACK, HELLO },
	  "", "client_first_syn" },
	{ "8: data in the SYN's repetition",
	  { CLIENT_SYN, C(SYN, 0, 0, "GET"), SERVER_SYNACK, HELLO },
	  "", "client_first_syn" },
	{ "9: SYN-ACK with data",
	  { CLIENT_SYN, S(SYNACK, 0, 1, "hello"), CLIENT_ACK, S(ACK, 6, 1, "more") },
	  "hello/5/Shd", "banners" },
	{ "9: SYN-ACK with data, the SYN not seen",
	  { S(SYNACK, 0, 1, "hello") }, "hello/5/hd", "banners" },
	{ "9: data in the SYN-ACK's repetition",
	  { OPENED, S(SYNACK, 0, 1, "hello") }, "hello/5/ShAd", "banners" },

	{ "10: the second server segment overtakes the first",
	  { OPENED, S(ACK, 6, 1, " world"), HELLO }, "hello/5/ShAd", "banners" },
	{ "10: the first never comes",
	  { OPENED, S(ACK, 6, 1, " world") }, "", "server_data_unseen" },
	{ "10: client data before the first comes",
	  { OPENED, S(ACK, 6, 1, " world"), C(ACK, 1, 12, "USER"), HELLO },
	  "", "server_data_unseen" },
	{ "11: acknowledged before it is seen, then it comes",
	  { OPENED, C(ACK, 1, 6, ""), HELLO }, "hello/5/ShAd", "banners" },
	{ "11: acknowledged and never seen",
	  { OPENED, C(ACK, 1, 6, "") }, "", "server_data_unseen" },
	{ "11: the client answers what was never seen",
	  { OPENED, C(ACK, 1, 6, "USER"), S(ACK, 6, 5, "331") },
	  "", "server_data_unseen" },

	{ "12: the banner again",
	  { OPENED, HELLO, HELLO, S(ACK, 6, 1, "more") }, "hello/5/ShAd", "banners" },
	{ "13: each packet twice",
	  { CLIENT_SYN, CLIENT_SYN, SERVER_SYNACK, SERVER_SYNACK, CLIENT_ACK,
	    CLIENT_ACK, HELLO, HELLO }, "hello/5/ShAd", "banners" },
	{ "13: SYN and SYN-ACK again after the banner",
	  { OPENED, HELLO, CLIENT_SYN, SERVER_SYNACK, CLIENT_ACK, HELLO },
	  "hello/5/ShAd", "banners" },
	{ "13: SYN-ACK again after client data",
	  { OPENED, C(ACK, 1, 1, "GET"), SERVER_SYNACK, HELLO }, "", "client_first" },
	{ "13: SYN-ACK again after a RST",
	  { OPENED, HELLO, C(RST, 1, 0, ""), SERVER_SYNACK, HELLO },
	  "hello/5/ShAd", "banners" },
	{ "13: SYN-ACK again, its SYN unseen, after a RST",
	  { SERVER_SYNACK, HELLO, C(RST, 1, 0, ""), SERVER_SYNACK, HELLO },
	  "hello/5/hd", "banners" },
	{ "13: the SYN comes after the SYN-ACK",
	  { SERVER_SYNACK, CLIENT_SYN, CLIENT_ACK, HELLO }, "hello/5/ShAd", "banners" },

	{ "14: another SYN after the banner",
	  { OPENED, HELLO, C(SYN, 70000, 0, ""), S(SYNACK, 90000, 70001, ""),
	    S(ACK, 90001, 70001, "again") },
	  "hello/5/ShAd again/5/Shd", "connections=2 banners=2" },
	{ "14: another SYN while one is pending",
	  { OPENED, C(SYN, 70000, 0, ""), S(SYNACK, 90000, 70001, ""),
	    S(ACK, 90001, 70001, "again") },
	  "again/5/Shd", "connections=2 banners no_data" },
	{ "14: the same SYN after a RST",
	  { OPENED, C(RST, 1, 0, ""), OPENED, HELLO },
	  "hello/5/ShAd", "connections=2 banners reset" },
	{ "14: the same SYN after both FINs",
	  { OPENED, S(ACK | FIN, 1, 1, "hello"), C(FIN | ACK, 1, 7, ""), OPENED,
	    HELLO }, "hello/5/ShAd hello/5/ShAd", "connections=2 banners=2" },
	{ "14: the four-tuple used the other way round",
	  { OPENED, HELLO, S(SYN, 90000, 0, ""), C(SYNACK, 70000, 90001, ""),
	    C(ACK, 70001, 90001, "again") },
	  "hello/5/ShAd again/5/Shd", "connections=2 banners=2" },
	{ "14: another SYN-ACK after the banner, no SYN seen",
	  { SERVER_SYNACK, HELLO, S(SYNACK, 90000, 70001, ""),
	    S(ACK, 90001, 70001, "again") },
	  "hello/5/hd again/5/hd", "connections=2 banners=2" },

	{ "14: another SYN-ACK with data after the banner, twice",
	  { SERVER_SYNACK, HELLO, S(SYNACK, 90000, 70001, "again"),
	    S(SYNACK, 90000, 70001, "again") },
	  "hello/5/hd again/5/hd", "connections=2 banners=2" },

	{ "14: after a FIN with data of each side, the next SYN unseen",
	  { OPENED, C(FIN | ACK, 1, 1, "GET"), S(FIN | ACK, 1, 5, "200"),
	    S(SYNACK, 90000, 70001, ""), S(ACK, 90001, 70001, "again") },
	  "again/5/hd", "connections=2 banners client_first" },
	{ "7: SYN with data on a four-tuple used before",
	  { OPENED, C(RST, 1, 0, ""), C(SYN, 70000, 0, "GET"),
	    S(SYNACK, 90000, 70001, ""), S(ACK, 90001, 70001, "wrong") },
	  "", "connections=2 client_first_syn reset" },

	{ "15: a SYN-ACK that answers no SYN",
	  { CLIENT_SYN, S(SYNACK, 500, 99, ""), SERVER_SYNACK, HELLO },
	  "hello/5/Shd", "banners stale_synack" },
	{ "15: a SYN-ACK of an older connection after the handshake",
	  { OPENED, S(SYNACK, 500, 99, ""), HELLO },
	  "hello/5/ShAd", "banners stale_synack" },
	{ "15b: another SYN-ACK, the latest counts",
	  { CLIENT_SYN, S(SYNACK, 500, 1, ""), SERVER_SYNACK, CLIENT_ACK, HELLO },
	  "hello/5/ShAd", "banners" },
	{ "15b: another SYN-ACK after the client's acknowledgement",
	  { OPENED, S(SYNACK, 500, 1, ""), HELLO },
	  "hello/5/ShAd", "banners stale_synack" },

	{ "16: client keep-alive without a byte",
	  { OPENED, C(ACK, 0, 1, ""), HELLO }, "hello/5/ShAd", "banners" },
	{ "16: client keep-alive with a byte",
	  { OPENED, C(ACK, 0, 1, "x"), HELLO }, "hello/5/ShAd", "banners" },
	{ "16: two bytes there are data",
	  { OPENED, C(ACK, 0, 1, "xy"), HELLO }, "", "client_first" },
	{ "17: server keep-alive",
	  { OPENED, S(ACK, 0, 1, ""), S(ACK, 0, 1, "x"), HELLO },
	  "hello/5/ShAd", "banners" },
	{ "18: the banner straddles sisn+1",
	  { OPENED, S(ACK, 0, 1, "xhello") }, "hello/5/ShAd", "banners" },
	{ "19: client FIN, then server data",
	  { OPENED, C(FIN | ACK, 1, 1, ""), S(ACK, 1, 2, "hello") },
	  "hello/5/ShAFd", "banners" },
	{ "19: client FIN with data",
	  { OPENED, C(FIN | ACK, 1, 1, "GET"), S(ACK, 1, 5, "200") },
	  "", "client_first" },
	{ "19: one acknowledged without a FIN seen",
	  { OPENED, S(ACK, 1, 2, "hello") }, "", "client_first_by_ack" },
	{ "20: server data with FIN",
	  { OPENED, S(FIN | ACK, 1, 1, "hello") }, "hello/5/ShAd", "banners" },
	{ "20: server FIN without data",
	  { OPENED, S(FIN | ACK, 1, 1, ""), C(ACK, 1, 2, "") }, "", "no_data" },
	{ "20: server FIN without data, after client data that was missed",
	  { OPENED, S(FIN | ACK, 1, 4, "") }, "", "client_first_by_ack" },
	{ "20: server FIN beyond data that was missed",
	  { OPENED, S(FIN | ACK, 6, 1, "") }, "", "server_data_unseen" },

	{ "21: client RST", { OPENED, C(RST, 1, 0, ""), HELLO }, "", "reset" },
	{ "21: client RST after its FIN",
	  { OPENED, C(FIN | ACK, 1, 1, ""), C(RST, 2, 0, ""), HELLO }, "", "reset" },
	{ "21: server RST", { OPENED, S(RST, 1, 0, ""), HELLO }, "", "reset" },
	{ "21: the port is closed",
	  { CLIENT_SYN, S(RST | ACK, 0, 1, "") }, "", "reset" },
	{ "21: server RST after what the client acknowledged",
	  { OPENED, C(ACK, 1, 6, ""), S(RST, 6, 0, "") }, "", "reset" },
	{ "22: forged RSTs",
	  { OPENED, C(RST, 2, 0, ""), C(RST, 0, 0, ""), S(RST, 2, 0, ""),
	    S(RST | ACK, 99, 3, ""), HELLO },
	  "hello/5/ShAd", "banners invalid_rst=4" },
	{ "22: forged RST of the server before the SYN-ACK",
	  { CLIENT_SYN, S(RST, 1, 0, ""), S(RST | ACK, 0, 5, ""), SERVER_SYNACK,
	    HELLO }, "hello/5/Shd", "banners invalid_rst=2" },
	{ "23: client data beyond the window",
	  { OPENED, C(ACK, 1 + 65536, 1, "x"), C(ACK, 0x40000000, 1, "x"),
	    C(ACK, -5000, 1, "x"), HELLO },
	  "hello/5/ShAd", "banners out_of_window=3" },
	{ "23: a client ACK beyond the window",
	  { OPENED, C(ACK, 1 + 65536, 1, ""), HELLO },
	  "hello/5/ShAd", "banners out_of_window" },

	{ "24: simultaneous open",
	  { CLIENT_SYN, S(SYN, 0, 0, ""), S(SYNACK, 0, 1, ""), C(SYNACK, 0, 1, ""),
	    HELLO }, "", "no_server" },
	{ "24: simultaneous open, the first side's SYN-ACK first",
	  { CLIENT_SYN, S(SYN, 0, 0, ""), C(SYNACK, 0, 1, ""), HELLO },
	  "", "no_server" },
	{ "24: simultaneous open, the SYN after the SYN-ACK",
	  { CLIENT_SYN, SERVER_SYNACK, S(SYN, 0, 0, ""), HELLO }, "", "no_server" },
	{ "24: split handshake",
	  { CLIENT_SYN, S(ACK, 0, 1, ""), S(SYN, 0, 0, ""), C(SYNACK, 0, 1, ""),
	    S(ACK, 1, 1, ""), HELLO }, "", "no_server" },
	{ "24: the SYN's sender sends the SYN-ACK",
	  { CLIENT_SYN, C(SYNACK, 0, 1, ""), HELLO }, "", "no_server" },
	{ "24: a SYN answered by a SYN of another connection",
	  { CLIENT_SYN, S(SYN, 90000, 0, ""), C(SYNACK, 70000, 90001, ""),
	    C(ACK, 70001, 90001, "other") },
	  "other/5/Shd", "connections=2 banners synack_unseen" },
	{ "24b: server data without the ACK flag",
	  { OPENED, S(0, 1, 1, "xxxxx"), HELLO },
	  "hello/5/ShAd", "banners invalid_server_segment" },
	{ "24b: server data that acknowledges too little",
	  { OPENED, S(ACK, 1, 0, "xxxxx"), HELLO },
	  "hello/5/ShAd", "banners invalid_server_segment" },

	{ "SYN with FIN opens nothing",
	  { C(SYN | FIN, 0, 0, ""), SERVER_SYNACK, HELLO },
	  "hello/5/hd", "banners" },
	{ "SYN with FIN changes nothing",
	  { OPENED, C(SYN | FIN, 90000, 0, ""), HELLO },
	  "hello/5/ShAd", "banners invalid_flags" },
	{ "nothing but a SYN", { CLIENT_SYN }, "", "synack_unseen" },
	{ "nothing after the handshake", { OPENED }, "", "no_data" },
	{ "a banner of more than is kept by default",
	  { OPENED, S(ACK, 1, 1,
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    "0123456789012345678901234567890123456789012345678901234567890123"
	    "rest") },
	  "0123456789012345678901234567890123456789012345678901234567890123"
	  "0123456789012345678901234567890123456789012345678901234567890123"
	  "0123456789012345678901234567890123456789012345678901234567890123"
	  "0123456789012345678901234567890123456789012345678901234567890123"
	  "/260/ShAd", "banners" },
};

const size_t test_case_count = sizeof(test_cases) / sizeof(*test_cases);

const struct isns test_isns[] = {
	{ 555678, 111234 },
	{ 0xffffffff, 0xfffffffe }, /* the first byte is number 0 */
	{ 0x7ffffffd, 0x80000000 }, /* the sign changes within the numbers */
	{ 0, 0 },
};

const size_t test_isns_count = sizeof(test_isns) / sizeof(*test_isns);

void step_packet(struct test_packet *packet, const struct step *step,
		 struct isns isns, __u16 client_port, bool ipv6)
{
	*packet = (struct test_packet){
		.from_server = step->from_server,
		.ipv6 = ipv6,
		.client_port = client_port,
		.server_port = 25,
		.flags = step->flags,
		.seq = (__u32)step->seq +
		       (step->from_server ? isns.server : isns.client),
		.payload = step->payload,
		.payload_len = strlen(step->payload),
	};
	if (step->flags & TCP_ACK)
		packet->ack = (__u32)step->ack +
			      (step->from_server ? isns.client : isns.server);
}
