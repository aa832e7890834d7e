/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The definition of a banner, written down a second time and independently of
 * the core, to judge the core by. It handles one four-tuple, remembers every
 * SYN and forgets nothing for want of room: clear, not small.
 *
 * Where the definition leaves a choice, the model either marks the whole
 * conversation as unclear and says why, or gives a counter a range.
 *
 * The other kinds of events (requests, responses, replies, open ports) are
 * found beside the banner where model_ask() asks for them: then a connection
 * is followed until none of what was asked for can come. Where the definition
 * leaves a choice for one kind only, that kind is unclear and the others are
 * not.
 */
#ifndef BANNERPROBE_TESTS_MODEL_H
#define BANNERPROBE_TESTS_MODEL_H

#include "platform.h"

#define MODEL_CONNECTIONS 64
#define MODEL_EARLY 16 /* early client payloads kept for one connection */
#define MODEL_ALTERNATIVES 8
#define MODEL_LOGGED 64 /* events of one conversation */

/* What the beginning of a connection can be (--events). */
enum model_kind {
	MODEL_BANNER,	/* the server's first bytes, it spoke first */
	MODEL_REQUEST,	/* the client's first bytes, it spoke first */
	MODEL_RESPONSE, /* the server's first bytes, spoken second */
	MODEL_REPLY,	/* the client's first bytes, spoken second */
	MODEL_OPEN,	/* the server accepted, the client saw it */
	MODEL_KINDS,
};

#define MODEL_BIT(number) (1U << (number)) /* of a kind, or of a reason */
#define MODEL_BANNER_ONLY MODEL_BIT(MODEL_BANNER)
#define MODEL_ALL_KINDS (MODEL_BIT(MODEL_KINDS) - 1)

/* What is asked of a connection of this host (--need). */
enum model_need {
	MODEL_NEED_NONE,
	MODEL_NEED_OWN,
	MODEL_NEED_SYN,
	MODEL_NEED_HANDSHAKE
};

/* How a packet was seen. */
enum way { WAY_UNKNOWN, WAY_IN, WAY_OUT };

/* Each reason, and its name in the definition. */
#define REASONS(X)                                                             \
	/* What became of a connection. */                                     \
	X(BANNER, "banner")                                                    \
	X(CLIENT_FIRST, "client first")                                        \
	X(CLIENT_FIRST_BY_ACK, "client first (by ack)")                        \
	X(CLIENT_FIRST_BY_SEQ, "client first (by seq)")                        \
	X(SYNACK_UNSEEN, "synack unseen")                                      \
	X(SERVER_DATA_UNSEEN, "server data unseen")                            \
	X(NO_DATA, "no data")                                                  \
	X(RESET, "reset")                                                      \
	X(NO_SERVER, "no server")                                              \
	X(SYN_UNSEEN, "syn unseen")                                            \
	X(HANDSHAKE_UNSEEN, "handshake unseen")                                \
	X(CUT_OFF, "cut off")                                                  \
	/* Of the other kinds of events; see EVENT_REASONS. */                 \
	X(LOGGED, "logged")                                                    \
	X(SERVER_FIRST, "server first")                                        \
	X(SERVER_FIRST_BY_ACK, "server first (by ack)")                        \
	X(SERVER_FIRST_BY_SEQ, "server first (by seq)")                        \
	X(CLIENT_DATA_UNSEEN, "client data unseen")                            \
	X(ORDER_UNKNOWN, "order unknown")                                      \
	X(OPEN, "open")                                                        \
	/* Why a segment was ignored. */                                       \
	X(STALE_SYNACK, "stale synack")                                        \
	X(UNSOLICITED, "unsolicited")                                          \
	X(NOT_SEEN_LEAVING, "not seen leaving")                                \
	X(INVALID_CLIENT_SEGMENT, "invalid client segment")                    \
	X(OUT_OF_WINDOW, "out of window")                                      \
	X(INVALID_SERVER_SEGMENT, "invalid server segment")                    \
	X(INVALID_RST, "invalid RST")                                          \
	X(INVALID_FLAGS, "invalid flags")

enum reason {
	REASON_NONE,
#define REASON_ENUM(id, name) REASON_##id,
	REASONS(REASON_ENUM)
#undef REASON_ENUM
		REASON_MAX,
	REASON_FIRST_OUTCOME = REASON_BANNER,
	REASON_LAST_OUTCOME = REASON_OPEN,
	REASON_FIRST_IGNORED = REASON_STALE_SYNACK,
	REASON_LAST_IGNORED = REASON_INVALID_FLAGS,
};

extern const char *const reason_names[REASON_MAX];

/*
 * Why an event that was asked for was not logged: kind, reason, meaning. Each
 * connection that began has, of each kind that was asked for, either its event
 * or exactly one of these. Those of a banner are as they are without the other
 * kinds.
 */
#define ENDING_REASONS(X, kind)                                                \
	X(kind, SYNACK_UNSEEN, "ended without a SYN-ACK seen")                 \
	X(kind, RESET, "reset before it")                                      \
	X(kind, NO_SERVER,                                                     \
	  "simultaneous open, split handshake, or an end with itself")         \
	X(kind, SYN_UNSEEN, "it passed, but no SYN was seen (--need)")         \
	X(kind, HANDSHAKE_UNSEEN,                                              \
	  "it passed, but no client's ACK was seen (--need); for an open "     \
	  "port also: no client segment acknowledged the SYN-ACK")             \
	X(kind, NO_DATA, "closed by FIN, or replaced, before it")              \
	X(kind, CUT_OFF, "the capture ends before it")                         \
	X(kind, OPEN, "live, the connection waits for it at the end")

#define EVENT_REASONS(X)                                                       \
	ENDING_REASONS(X, REQUEST)                                             \
	X(REQUEST, SERVER_FIRST,                                               \
	  "server payload was seen before, so there was a banner or a reply")  \
	X(REQUEST, SERVER_FIRST_BY_ACK,                                        \
	  "the client's first bytes acknowledge server data that was missed")  \
	X(REQUEST, SERVER_FIRST_BY_SEQ,                                        \
	  "server data was missed: the server's sequence number is beyond it") \
	X(REQUEST, CLIENT_DATA_UNSEEN,                                         \
	  "the client's first bytes were missed, later ones were not")         \
	X(REQUEST, ORDER_UNKNOWN,                                              \
	  "the first bytes of both sides acknowledge the other's")             \
	ENDING_REASONS(X, RESPONSE)                                            \
	X(RESPONSE, SERVER_FIRST, "the server's first bytes are a banner")     \
	X(RESPONSE, SERVER_DATA_UNSEEN,                                        \
	  "the server's first bytes were missed, later ones were not")         \
	X(RESPONSE, ORDER_UNKNOWN,                                             \
	  "the server's first bytes were seen after client payload that "      \
	  "acknowledges them")                                                 \
	ENDING_REASONS(X, REPLY)                                               \
	X(REPLY, CLIENT_FIRST, "the client's first bytes are a request")       \
	X(REPLY, CLIENT_DATA_UNSEEN,                                           \
	  "the client's first bytes were missed, later ones were not")         \
	X(REPLY, ORDER_UNKNOWN,                                                \
	  "the first bytes of both sides acknowledge the other's")             \
	ENDING_REASONS(X, OPEN)

struct model_segment {
	__u8 from;  /* end 0 or end 1 of the four-tuple */
	__u8 flags; /* TCP_SYN ... */
	__u8 way;   /* enum way */
	__u32 seq, ack, len;
};

/* A client segment that passed before its SYN-ACK was seen. */
struct early_segment {
	__u32 ack, end;
	bool aside;  /* its connection stood beside another one */
	bool beside; /* likewise, and it came after another one of these */
	bool payload;
	bool covers; /* its payload has the first byte in it */
	bool tells;  /* a FIN, or no payload and beyond cisn+1 */
};

enum model_role { MODEL_CLIENT, MODEL_SERVER };

/* The first sign of a side's payload, by its acknowledgement. */
enum model_sign {
	SIGN_NONE,
	SIGN_SILENT, /* it had received nothing from the other side */
	SIGN_HEARD,  /* it had received something */
};

/* One event of a connection. */
struct event_seen {
	__u8 kind; /* enum model_kind */
	bool crossed;
	int packet;   /* the packet that it is reported at, from 0 */
	int source;   /* the packet with its bytes: another one for SYN data */
	__u32 offset; /* payload bytes of that packet before the event */
	__u32 len;    /* payload bytes from there on; 0: an open port */
};

/* What is known of a side's first bytes. */
struct model_side {
	__u8 sign;     /* enum model_sign */
	bool judged;   /* the segment with its first byte was seen */
	bool by_seq;   /* its sign is a number, and no payload */
	bool later;    /* payload after its first byte was seen */
	bool more;     /* payload, or a number that a FIN alone does not give */
	bool received; /* the other side has acknowledged something of it */
	bool preceded; /* and that before it had said anything itself */
};

struct model_connection {
	__u8 client;  /* which end */
	bool counted; /* not one that only stands beside the counted one */
	bool syn_seen;
	bool synack_seen;
	bool answered;	     /* a client segment acknowledged the SYN-ACK */
	bool maybe_answered; /* by one that came before the SYN-ACK */
	bool reset;
	bool server_spoke; /* proved by numbers beyond sisn+1 */
	bool only_hinted;  /* by pure ACKs of the server only */
	bool untold;	   /* its server said more than proves it, beside one */
	bool doubt;	   /* whether it is closed, as it is not followed */
	bool was_beside;   /* another one, before it was counted */
	bool displaced;	   /* another SYN-ACK came beside, after its own */
	bool early_unsure; /* how far its early payload went need not be known
			    */
	bool left_over;	   /* another one took the place, its SYN is older */
	bool fin[2];	   /* by role, as all arrays of two */
	bool acked_known[2];
	__u8 outcome; /* enum reason; REASON_NONE: it waits */
	__u8 also;    /* another one that the definition would allow */
	__u32 syn_len;
	__u32 isn[2];
	__u32 fin_at[2];
	__u32 sent[2];	 /* next number after what is known to be sent */
	__u32 acked[2];	 /* highest that the other side acknowledged */
	__u32 early_ack; /* the highest valid one that came before the SYN-ACK
			  */
	int early_count;
	struct early_segment early[MODEL_EARLY];
	/* What the other kinds of events need. */
	struct model_side sides[2];
	unsigned int found; /* kinds, by MODEL_BIT(), also if not asked for */
	bool syn_refused;   /* its data was not accepted, it is to be resent */
	int syn_packet;	    /* the SYN that carries syn_len bytes */
	/* By kind: reasons for none, where a look at the end cannot tell. */
	unsigned int denied[MODEL_KINDS];
};

struct range {
	int least, most;
};

struct model {
	enum model_need need;
	bool own[2]; /* which end has an address of this host */
	bool live;   /* else a capture */
	/* The oldest first; those that are forgotten are not here. */
	struct model_connection connections[MODEL_CONNECTIONS];
	int connection_count;
	/* What came of it. */
	int begun;	  /* connections that were counted */
	int beside;	  /* SYNs that stood beside one of them */
	bool many_syns;	  /* of an end, more than two stood beside */
	int early_beside; /* client payloads before their SYN-ACK, of those */
	int refused;	  /* connections beside one, that were reset */
	int outcomes[REASON_MAX];
	struct range ignored[REASON_MAX];
	/* Outcomes of which the definition would allow another, too. */
	struct {
		__u8 outcome, also;
	} alternatives[MODEL_ALTERNATIVES];
	int alternative_count;
	const char *unclear; /* why the definition leaves a choice */
	/* Events. */
	unsigned int asked; /* kinds, by MODEL_BIT() */
	int packet;	    /* the number of the packet that is judged */
	int logged_count;
	struct event_seen logged[MODEL_LOGGED];
	const char *kind_unclear[MODEL_KINDS]; /* why, of this kind alone */
	/* Of each kind, for each connection: reasons of which one holds. */
	unsigned int reasons[MODEL_KINDS][MODEL_CONNECTIONS];
	int reason_count[MODEL_KINDS];
};

/* What a packet brings about. */
struct model_event {
	bool banner;
	__u32 skip; /* payload bytes before the banner */
	__u32 len;  /* payload bytes from there on */
};

void model_open(struct model *model, enum model_need need, bool own0, bool own1,
		bool live);
/* After model_open(), which asks for banners only. */
void model_ask(struct model *model, unsigned int kinds);
struct model_event model_packet(struct model *model,
				const struct model_segment *segment);
/* No more packets: gives each connection its outcome. */
void model_finish(struct model *model);

#endif
