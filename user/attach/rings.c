/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "rings.h"

#include "event.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * A ring buffer (Linux, kernel/bpf/ringbuf.c): a page with the reader's
 * position, a page with the writers', and the data, mapped twice in a row, so
 * that no record is in two pieces. Positions only grow; a record has a header
 * of BPF_RINGBUF_HDR_SZ bytes, and begins at a multiple of 8.
 */
struct ring {
	unsigned long *consumed; /* up to here the writers may write again */
	const unsigned long *produced;
	const __u8 *data;
	unsigned long mask;	  /* bytes of data, a power of two, less one */
	size_t page;		  /* bytes */
	unsigned long position;	  /* of the next record */
	const struct event *next; /* NULL: none was found */
	__u32 size;		  /* its bytes */
};

struct rings {
	ring_handler *handler;
	void *context;
	int epoll;
	unsigned int count;
	struct ring ring[RINGS_MAX];
};

/* --- mapping -------------------------------------------------------------- */

static void *map_part(int map, int protection, size_t offset, size_t size)
{
	void *part =
		mmap(NULL, size, protection, MAP_SHARED, map, (off_t)offset);

	return part == MAP_FAILED ? NULL : part;
}

static size_t produced_size(const struct ring *ring)
{
	return ring->page + 2 * (ring->mask + 1);
}

static void ring_unmap(struct ring *ring)
{
	if (ring->consumed)
		munmap(ring->consumed, ring->page);
	if (ring->produced)
		munmap((void *)ring->produced, produced_size(ring));
}

/* 0 or -1, with errno. */
static int ring_map(struct ring *ring, int map)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(map, &info, &size))
		return -1;
	ring->page = (size_t)sysconf(_SC_PAGESIZE);
	ring->mask = info.max_entries - 1;
	ring->consumed = map_part(map, PROT_READ | PROT_WRITE, 0, ring->page);
	ring->produced =
		map_part(map, PROT_READ, ring->page, produced_size(ring));
	if (!ring->consumed || !ring->produced)
		return -1;
	ring->data = (const __u8 *)ring->produced + ring->page;
	ring->position = *ring->consumed;
	return 0;
}

static int add_ring(struct rings *rings, int map)
{
	struct epoll_event readable = { .events = EPOLLIN };

	if (rings->count == RINGS_MAX) {
		errno = E2BIG;
		return -1;
	}
	if (ring_map(&rings->ring[rings->count++], map))
		return -1;
	/* The mapping keeps the map, and so epoll watches it for ever. */
	return epoll_ctl(rings->epoll, EPOLL_CTL_ADD, map, &readable);
}

struct rings *rings_open(const int *maps, unsigned int count,
			 ring_handler *handler, void *context)
{
	struct rings *rings = calloc(1, sizeof(*rings));
	int error;

	if (!rings)
		return NULL;
	rings->handler = handler;
	rings->context = context;
	rings->epoll = epoll_create1(EPOLL_CLOEXEC);
	error = rings->epoll < 0 ? -1 : 0;
	for (unsigned int i = 0; i < count && !error; i++)
		error = add_ring(rings, maps[i]);
	if (!error)
		return rings;
	error = errno;
	rings_close(rings);
	errno = error;
	return NULL;
}

void rings_close(struct rings *rings)
{
	if (!rings)
		return;
	for (unsigned int i = 0; i < rings->count; i++)
		ring_unmap(&rings->ring[i]);
	if (rings->epoll >= 0)
		close(rings->epoll);
	free(rings);
}

int rings_fd(const struct rings *rings)
{
	return rings->epoll;
}

/* --- reading -------------------------------------------------------------- */

/* The bytes of a record in the ring buffer, with its header. */
static unsigned long record_size(__u32 len)
{
	return (BPF_RINGBUF_HDR_SZ + (len & ~(__u32)BPF_RINGBUF_DISCARD_BIT) +
		7) &
	       ~7UL;
}

/* Gives a record's bytes back to the writers. */
static void ring_pass(struct ring *ring, __u32 len)
{
	ring->position += record_size(len);
	__atomic_store_n(ring->consumed, ring->position, __ATOMIC_RELEASE);
}

/*
 * Looks for the next event, if it is complete: a writer marks a record that it
 * still writes. False: there is none.
 */
static bool ring_look(struct ring *ring)
{
	const unsigned long end =
		__atomic_load_n(ring->produced, __ATOMIC_ACQUIRE);

	while (ring->position < end) {
		const __u8 *header = ring->data + (ring->position & ring->mask);
		const __u32 len = __atomic_load_n(
			(const __u32 *)(const void *)header, __ATOMIC_ACQUIRE);

		if (len & BPF_RINGBUF_BUSY_BIT)
			return false;
		if (!(len & BPF_RINGBUF_DISCARD_BIT)) {
			ring->next =
				(const void *)(header + BPF_RINGBUF_HDR_SZ);
			ring->size = len;
			return true;
		}
		ring_pass(ring, len);
	}
	return false;
}

/*
 * Looks for the next event of each ring buffer. While one is looked at, an
 * earlier event may come to another that was empty before. So the empty ones
 * are looked at again after an event was found.
 */
static void look_everywhere(struct rings *rings)
{
	bool found;

	do {
		found = false;
		for (unsigned int i = 0; i < rings->count; i++) {
			struct ring *ring = &rings->ring[i];

			if (!ring->next)
				found |= ring_look(ring);
		}
	} while (found);
}

/* The ring buffer with the earliest event; NULL: all are empty. */
static struct ring *earliest(struct rings *rings)
{
	struct ring *found = NULL;

	look_everywhere(rings);
	for (unsigned int i = 0; i < rings->count; i++) {
		struct ring *ring = &rings->ring[i];

		if (ring->next &&
		    (!found || ring->next->time < found->next->time))
			found = ring;
	}
	return found;
}

bool rings_consume(struct rings *rings)
{
	struct ring *ring;
	bool goes_on = true;

	while (goes_on && (ring = earliest(rings))) {
		goes_on =
			rings->handler(rings->context, ring->next, ring->size);
		ring->next = NULL;
		ring_pass(ring, ring->size);
	}
	return goes_on;
}
