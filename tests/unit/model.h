/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The definition of a banner, written down a second time and independently of
 * the core, to judge the core by. It handles one four-tuple, remembers every
 * SYN and forgets nothing for want of room: clear, not small.
 *
 * Where the definition leaves a choice, the model either marks the whole
 * conversation as unclear and says why, or gives a counter a range.
 */
#ifndef BANNERPROBE_TESTS_MODEL_H
#define BANNERPROBE_TESTS_MODEL_H

#include "platform.h"

#define MODEL_CONNECTIONS 64
#define MODEL_EARLY 16 /* early client payloads kept for one connection */
#define MODEL_ALTERNATIVES 8

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

struct model_segment {
	__u8 from;  /* end 0 or end 1 of the four-tuple */
	__u8 flags; /* TCP_SYN ... */
	__u8 way;   /* enum way */
	__u32 seq, ack, len;
};

/* A client segment that passed before its SYN-ACK was seen. */
struct early_segment {
	__u32 ack;
	bool beside; /* it came after another one of a connection beside */
	bool payload;
	bool tells; /* a FIN, or no payload and beyond cisn+1 */
};

enum model_role { MODEL_CLIENT, MODEL_SERVER };

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
	bool left_over;	   /* another one took the place, its SYN is older */
	bool fin[2];	   /* by role, as all arrays of two */
	bool acked_known[2];
	__u8 outcome; /* enum reason; REASON_NONE: it waits */
	__u8 also;    /* another one that the definition would allow */
	__u32 syn_len;
	__u32 isn[2];
	__u32 fin_at[2];
	__u32 sent[2];	/* next number after what is known to be sent */
	__u32 acked[2]; /* highest that the other side acknowledged */
	__u32 early_ack; /* the highest valid one that came before the SYN-ACK */
	int early_count;
	struct early_segment early[MODEL_EARLY];
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
	int begun;   /* connections that were counted */
	int beside;  /* SYNs that stood beside one of them */
	bool many_syns; /* of an end, more than two stood beside */
	int early_beside; /* client payloads before their SYN-ACK, of those */
	int refused; /* connections beside one, that were reset */
	int outcomes[REASON_MAX];
	struct range ignored[REASON_MAX];
	/* Outcomes of which the definition would allow another, too. */
	struct {
		__u8 outcome, also;
	} alternatives[MODEL_ALTERNATIVES];
	int alternative_count;
	const char *unclear; /* why the definition leaves a choice */
};

/* What a packet brings about. */
struct model_event {
	bool banner;
	__u32 skip; /* payload bytes before the banner */
	__u32 len;  /* payload bytes from there on */
};

void model_open(struct model *model, enum model_need need, bool own0, bool own1,
		bool live);
struct model_event model_packet(struct model *model,
				const struct model_segment *segment);
/* No more packets: gives each connection its outcome. */
void model_finish(struct model *model);

#endif
