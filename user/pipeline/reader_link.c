/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "reader_link.h"

#include "system/descriptors.h"
#include "system/message.h"
#include "system/stopping.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static void *share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int reader_link_open(struct reader_link *link, int *other)
{
	int ends[2];

	*link = (struct reader_link)READER_LINK_NONE;
	link->jobs = share(sizeof(*link->jobs));
	link->published = share(sizeof(*link->published));
	link->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!link->jobs || !link->published || link->stop < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	link->socket = ends[0];
	*other = ends[1];
	message_share(&link->jobs->messages);
	return 0;
}

int reader_link_take_over(struct reader_link *link, int other)
{
	close(link->socket);
	link->socket = other;
	stopping_follow(link->stop);
	return mprotect(link->published, sizeof(*link->published), PROT_READ) ?
		       -errno :
		       0;
}

void reader_link_close(struct reader_link *link)
{
	if (link->socket >= 0)
		close(link->socket);
	if (link->stop >= 0)
		close(link->stop);
	message_share(NULL);
	if (link->jobs)
		munmap(link->jobs, sizeof(*link->jobs));
	if (link->published)
		munmap(link->published, sizeof(*link->published));
	*link = (struct reader_link)READER_LINK_NONE;
}

/* A full socket drops the byte: another wakeup is already waiting. */
static void send_byte(int socket, __u8 byte)
{
	send(socket, &byte, sizeof(byte), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void reader_link_post(struct reader_link *link, enum job job)
{
	if (link->socket < 0)
		return;
	__atomic_fetch_or(&link->jobs->posted, 1U << job, __ATOMIC_SEQ_CST);
	send_byte(link->socket, 0);
}

/* Each datagram says how many follow. */
int reader_link_send_rings(struct reader_link *link, const int *maps,
			   unsigned int count)
{
	int error = 0;

	while (count && !error) {
		const __u8 left = (__u8)--count;

		error = descriptor_send(link->socket, &left, sizeof(left),
					maps[count]);
	}
	return error;
}

int reader_link_hear(struct reader_link *link)
{
	__u8 word;
	const ssize_t len =
		recv(link->socket, &word, sizeof(word), MSG_DONTWAIT);

	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	return len ? word : -1;
}

bool reader_link_await(struct reader_link *link, enum word word)
{
	const long long end = wait_end(WAIT_START);
	int heard = 0;

	while (heard >= 0 && heard != (int)word) {
		if (!wait_ready(link->socket, POLLIN, WAIT_START, end)) {
			message("the process that reads events does not "
				"answer");
			return false;
		}
		heard = reader_link_hear(link);
	}
	return heard == (int)word;
}

int reader_link_receive_rings(struct reader_link *link, int maps[RINGS_MAX])
{
	__u8 left = 0;
	int count = 0, error;

	do {
		error = descriptor_receive(link->socket, &left, sizeof(left),
					   &maps[count], 0);
		if (error)
			return error;
		if (maps[count] < 0 || count + left >= RINGS_MAX)
			return -EPROTO;
		count++;
	} while (left);
	return count;
}

void reader_link_say(struct reader_link *link, enum word word)
{
	send_byte(link->socket, (__u8)word);
}

bool reader_link_take_jobs(struct reader_link *link, __u32 *jobs)
{
	__u8 byte;
	ssize_t len;

	do
		len = recv(link->socket, &byte, sizeof(byte), MSG_DONTWAIT);
	while (len > 0);
	if (!len || (errno != EAGAIN && errno != EINTR))
		return false;
	*jobs = __atomic_exchange_n(&link->jobs->posted, 0, __ATOMIC_SEQ_CST);
	return true;
}
