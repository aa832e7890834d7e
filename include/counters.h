/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Every counter, once: its name in the code, its name for the user, and its
 * meaning. The BPF programs count per CPU, the capture reader in an array; both
 * use the same numbers.
 *
 * Each connection that began has exactly one outcome: connections = banners +
 * client_first + ... + evicted + open. Evictions are not counted, but computed
 * from this sum.
 */
#ifndef BANNERPROBE_COUNTERS_H
#define BANNERPROBE_COUNTERS_H

#define COUNTERS(X)                                                            \
	X(CONNECTIONS, "connections", "connections that were seen to begin")   \
	/* Outcomes: each connection has exactly one. */                       \
	X(BANNER, "banners", "the server spoke first")                         \
	X(CLIENT_FIRST, "client_first", "client data was seen first")          \
	X(CLIENT_FIRST_SYN, "client_first_syn", "the SYN carried client data") \
	X(CLIENT_FIRST_BY_ACK, "client_first_by_ack",                          \
	  "client data was missed: the server acknowledged it")                \
	X(CLIENT_FIRST_BY_SEQ, "client_first_by_seq",                          \
	  "client data was missed: the client's sequence number is beyond it") \
	X(SERVER_DATA_UNSEEN, "server_data_unseen",                            \
	  "the first server data was missed")                                  \
	X(SYNACK_UNSEEN, "synack_unseen", "ended without a SYN-ACK seen")      \
	X(NO_DATA, "no_data", "ended before the server sent any data")         \
	X(RESET, "reset", "reset before the server sent any data")             \
	X(NO_SERVER, "no_server",                                              \
	  "simultaneous open, split handshake, or an end with itself")         \
	X(CUT_OFF, "cut_off", "still open where the capture ends")             \
	X(SYN_UNSEEN, "syn_unseen",                                            \
	  "the server spoke first, but no SYN was seen (--need)")              \
	X(HANDSHAKE_UNSEEN, "handshake_unseen",                                \
	  "the server spoke first, but no client's ACK was seen (--need)")     \
	X(UNWANTED, "unwanted", "a server that was not asked for spoke first") \
	X(EVICTED, "evicted", "evicted from the full table while open")        \
	X(OPEN, "open", "still open, nothing decided")                         \
	/* Segments that changed nothing, by the reason. */                    \
	X(PASSED_OVER, "passed_over",                                          \
	  "SYNs and SYN-ACKs of servers that were not asked for")              \
	X(UNSOLICITED, "unsolicited",                                          \
	  "SYN-ACKs to this host, which was not seen to send a SYN")           \
	X(NOT_SEEN_LEAVING, "not_seen_leaving",                                \
	  "segments from an address of this host that came in")                \
	X(STALE_SYNACK, "stale_synack", "SYN-ACKs that answer no SYN seen")    \
	X(SYN_IN_CONNECTION, "syn_in_connection",                              \
	  "SYNs on the four-tuple of a connection that waits for its banner")  \
	X(INVALID_RST, "invalid_rst", "RSTs with a number not expected")       \
	X(OUT_OF_WINDOW, "out_of_window",                                      \
	  "client segments outside the server's first window")                 \
	X(INVALID_CLIENT_SEGMENT, "invalid_client_segment",                    \
	  "client segments without ACK or acknowledging what cannot be")       \
	X(INVALID_SERVER_SEGMENT, "invalid_server_segment",                    \
	  "server data without ACK or acknowledging what cannot be")           \
	X(REFUSED_PEER, "refused_peer",                                        \
	  "segments in tunnels from peers that --decap-from does not name")    \
	X(INVALID_FLAGS, "invalid_flags", "segments with SYN and FIN")         \
	/* Packets without a TCP segment that could be read. */                \
	X(FRAGMENTS, "fragments", "fragments without a whole TCP header")      \
	X(MALFORMED, "malformed",                                              \
	  "packets with lengths that contradict each other")                   \
	X(CUT, "cut", "packets with headers that were not at hand")            \
	/*                                                                     \
	 * Encapsulations that may carry TCP and are not opened, in the order  \
	 * of enum parse_result.                                               \
	 */                                                                    \
	X(NOT_OPENED_PPPOE, "not_opened_pppoe", "PPPoE, not opened")           \
	X(NOT_OPENED_MPLS, "not_opened_mpls", "MPLS, not opened")              \
	X(NOT_OPENED_GRE, "not_opened_gre", "GRE, not opened")                 \
	X(NOT_OPENED_IP_IN_IP, "not_opened_ip_in_ip", "IP in IP, not opened")  \
	X(NOT_OPENED_THIRD_TAG, "not_opened_third_tag",                        \
	  "more than two VLAN tags, not opened")                               \
	X(NOT_OPENED_LLC, "not_opened_llc", "LLC without SNAP, not opened")    \
	X(NOT_OPENED_VXLAN, "not_opened_vxlan",                                \
	  "VXLAN, not opened (on interfaces: if --decap opens Geneve)")        \
	X(NOT_OPENED_GENEVE, "not_opened_geneve",                              \
	  "Geneve, not opened (on interfaces: if --decap opens VXLAN)")        \
	X(NOT_OPENED_WIFI_PROTECTED, "not_opened_wifi_protected",              \
	  "encrypted data of IEEE 802.11, not opened")                         \
	X(NOT_OPENED_WIFI_AMSDU, "not_opened_wifi_amsdu",                      \
	  "A-MSDUs of IEEE 802.11, not opened")                                \
	X(NOT_OPENED_GTP, "not_opened_gtp",                                    \
	  "GTP of mobile networks, not opened (in captures)")                  \
	X(NOT_OPENED_L2TP, "not_opened_l2tp",                                  \
	  "L2TP, not opened (in captures)")                                    \
	X(NOT_OPENED_TEREDO, "not_opened_teredo",                              \
	  "Teredo, not opened (in captures)")                                  \
	X(NOT_OPENED_IPSEC, "not_opened_ipsec",                                \
	  "ESP of IPsec, not opened (in captures)")                            \
	X(NOT_OPENED_LINK_TYPE, "not_opened_link_type",                        \
	  "packets of a link type that is not known")                          \
	/* What was lost. */                                                   \
	X(LOST_RING, "lost_ring", "banners lost: ring buffer full")            \
	X(LOST_PART, "lost_part",                                              \
	  "segments of greetings lost: ring buffer full")                      \
	X(CROWDED_OUT, "crowded_out",                                          \
	  "greetings logged before their end: too many at once")               \
	X(CROWDED_PART, "crowded_part",                                        \
	  "segments of greetings left out: too many at once")                  \
	X(SEEN_TWICE, "seen_twice",                                            \
	  "events left out: logged already, outside or inside of a tunnel")    \
	X(IDENTIFY_LIMITS, "identify_limits",                                  \
	  "rules of --identify given up at a limit of their matching")         \
	X(NOT_IDENTIFIED, "not_identified",                                    \
	  "records without --identify: too many in a second met such limits")  \
	X(OVER_RATE, "over_the_rate",                                          \
	  "banners not logged: more in a second than --max-rate")

enum counter {
	COUNT_NOTHING, /* so 0 in a verdict counts nothing */
#define COUNTER_ENUM(id, name, meaning) COUNT_##id,
	COUNTERS(COUNTER_ENUM)
#undef COUNTER_ENUM
		COUNTER_MAX,
	COUNT_FIRST_OUTCOME = COUNT_BANNER,
	COUNT_LAST_OUTCOME = COUNT_OPEN,
	COUNT_FIRST_IGNORED = COUNT_PASSED_OVER,
	COUNT_LAST_IGNORED = COUNT_INVALID_FLAGS,
	COUNT_FIRST_UNREAD = COUNT_FRAGMENTS,
	COUNT_LAST_UNREAD = COUNT_NOT_OPENED_LINK_TYPE,
	COUNT_FIRST_NOT_OPENED = COUNT_NOT_OPENED_PPPOE,
	COUNT_LAST_NOT_OPENED = COUNT_NOT_OPENED_LINK_TYPE,
	COUNT_FIRST_GREETING_CUT = COUNT_LOST_PART,
	COUNT_LAST_GREETING_CUT = COUNT_CROWDED_PART,
};

/* Room for more counters than there are. A power of two: an index is masked. */
#define COUNTER_ROOM 64

/* The counters of one slot, by enum counter. In a BPF map, of one CPU. */
struct counted {
	unsigned long long by[COUNTER_ROOM];
};
_Static_assert(COUNTER_MAX <= COUNTER_ROOM, "each counter has its place");

/*
 * Each interface has a slot of counters of its own while there are enough
 * slots.
 */
enum slot {
	SLOT_OTHERS, /* interfaces without a slot, together */
	SLOT_GONE,   /* interfaces that are gone; only user space adds to it */
	SLOT_FIRST,
	SLOTS = 512, /* a power of two; 256 KiB of counters for each CPU */
};
#define SLOT_PLACES (1U << 16)

/*
 * The slot of each interface, found without a search by the low 16 bits of the
 * interface index. Of two interfaces that agree in these bits, only one has a
 * slot.
 */
struct slots {
	unsigned short places[SLOT_PLACES]; /* slot, by the low 16 bits of the
					     * index; or 0 */
	unsigned int owners[SLOTS];	    /* interface index, by slot; 0: the
					     * slot is free */
};

/* The slot of an interface; SLOT_OTHERS where it has none. */
static inline unsigned int slot_of(const struct slots *slots,
				   unsigned int ifindex)
{
	unsigned int slot = slots->places[ifindex % SLOT_PLACES] % SLOTS;

	return slots->owners[slot] == ifindex ? slot : SLOT_OTHERS;
}

#ifndef __bpf__
/* Computes the evicted connections from all other outcomes. */
static inline void count_evicted(unsigned long long counters[COUNTER_MAX])
{
	unsigned long long accounted = 0;

	counters[COUNT_EVICTED] = 0;
	for (int i = COUNT_FIRST_OUTCOME; i <= COUNT_LAST_OUTCOME; i++)
		accounted += counters[i];
	if (counters[COUNT_CONNECTIONS] > accounted)
		counters[COUNT_EVICTED] =
			counters[COUNT_CONNECTIONS] - accounted;
}
#endif

#endif
