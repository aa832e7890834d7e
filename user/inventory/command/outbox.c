/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "outbox.h"

#include "command.h"
#include "inventory/change_stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ROOM_MAX (16UL << 20)
#define ROOM_LEAST (64UL << 10)
#define NS_PER_US 1000
#define US_PER_MS 1000

/* --- a change as a datagram ---------------------------------------------- */

struct datagram {
	size_t size;
	union {
		struct stream_change change;
		char bytes[CHANGE_SIZE_MAX];
	};
};

static __u16 add(struct datagram *datagram, const void *bytes, size_t len,
		 size_t most)
{
	if (!bytes)
		return 0;
	if (len > most)
		len = most;
	memcpy(datagram->bytes + datagram->size, bytes, len);
	datagram->size += len;
	return (__u16)len;
}

static __u16 add_text(struct datagram *datagram, const char *text)
{
	return add(datagram, text, text ? strlen(text) : 0, CHANGE_TEXT_MAX);
}

static void add_side(struct datagram *datagram, int side,
		     const struct change_side *from)
{
	struct stream_change *change = &datagram->change;
	__u16 *len = change->len[side];

	change->is_there[side] = from->stable != NULL;
	len[CHANGE_SAID] =
		add(datagram, from->bytes, from->len, CHANGE_BYTES_MAX);
	len[CHANGE_SERVICE] = add_text(datagram, from->service);
	len[CHANGE_PRODUCT_NAME] = add_text(datagram, from->product);
	len[CHANGE_VERSION_NAME] = add_text(datagram, from->version);
	len[CHANGE_OWNER_NAME] = add_text(datagram, from->owner);
}

static void fill(struct datagram *datagram, const struct inventory_change *from)
{
	struct stream_change *change = &datagram->change;

	*change = (struct stream_change){
		.time = from->time * NS_PER_US,
		.number = from->number,
		.server_port = from->server_port,
		.family = from->server.family,
		.kind = (__u8)from->kind,
	};
	memcpy(change->server, from->server.byte, sizeof(change->server));
	datagram->size = sizeof(*change);
	add_side(datagram, CHANGE_OLD, &from->before);
	add_side(datagram, CHANGE_NEW_SIDE, &from->after);
	change->tunnel_len = add_text(datagram, from->tunnel);
}

/* --- sending ------------------------------------------------------------- */

/* 0 or an errno; EAGAIN: the socket has no room. */
static int send_one(const struct outbox *outbox, const void *bytes, size_t len)
{
	if (send(outbox->socket, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	return errno == EINTR || errno == ENOBUFS || errno == ENOMEM ? EAGAIN :
								       errno;
}

static void drop_waiting(struct outbox *outbox)
{
	__u32 len;

	for (size_t at = outbox->from; at < outbox->used;
	     at += sizeof(len) + len) {
		memcpy(&len, outbox->waiting + at, sizeof(len));
		outbox->counts->lost_changes++;
	}
	outbox->from = outbox->used = 0;
}

bool outbox_send(struct outbox *outbox)
{
	while (outbox->from < outbox->used) {
		const char *at = outbox->waiting + outbox->from;
		__u32 len;
		int error;

		memcpy(&len, at, sizeof(len));
		error = outbox->is_closed ?
				EPIPE :
				send_one(outbox, at + sizeof(len), len);
		if (error == EAGAIN)
			return false;
		if (error) {
			outbox->is_closed = true;
			drop_waiting(outbox);
			return true;
		}
		outbox->from += sizeof(len) + len;
	}
	outbox->from = outbox->used = 0;
	return true;
}

/* --- waiting ------------------------------------------------------------- */

static bool make_room(struct outbox *outbox, size_t more)
{
	size_t room = outbox->room ? outbox->room : ROOM_LEAST;
	char *waiting;

	if (outbox->from && outbox->used + more > outbox->room) {
		memmove(outbox->waiting, outbox->waiting + outbox->from,
			outbox->used - outbox->from);
		outbox->used -= outbox->from;
		outbox->from = 0;
	}
	while (room < outbox->used + more)
		room *= 2;
	if (room == outbox->room)
		return true;
	if (room > ROOM_MAX)
		return false;
	waiting = realloc(outbox->waiting, room);
	if (!waiting)
		return false;
	outbox->waiting = waiting;
	outbox->room = room;
	return true;
}

void outbox_put(void *context, const struct inventory_change *change)
{
	struct outbox *outbox = context;
	struct datagram datagram;
	__u32 len;

	fill(&datagram, change);
	len = (__u32)datagram.size;
	if (!make_room(outbox, sizeof(len) + len)) {
		outbox->counts->lost_changes++;
		return;
	}
	memcpy(outbox->waiting + outbox->used, &len, sizeof(len));
	memcpy(outbox->waiting + outbox->used + sizeof(len), datagram.bytes,
	       len);
	outbox->used += sizeof(len) + len;
	outbox_send(outbox);
}

bool outbox_is_crowded(const struct outbox *outbox)
{
	return outbox->used - outbox->from > ROOM_MAX / 4;
}

/* --- the end ------------------------------------------------------------- */

void outbox_finish(struct outbox *outbox, int milliseconds)
{
	struct pollfd stream = { .fd = outbox->socket, .events = POLLOUT };
	const int64_t end = now_us() + (int64_t)milliseconds * US_PER_MS;

	while (!outbox_send(outbox)) {
		const int64_t left = (end - now_us()) / US_PER_MS;

		if (milliseconds >= 0 && left <= 0)
			break;
		poll(&stream, 1, milliseconds < 0 ? -1 : (int)left);
	}
	drop_waiting(outbox);
	free(outbox->waiting);
	outbox->waiting = NULL;
}
