/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "kernel_watch.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "owner.skel.h"

#define PROGRAMS 4
#define LINKS 3 /* of these programs, at most */
#define SIZE (COUNTERS_ALL * sizeof(uint64_t))

struct kernel_watch {
	struct bpf_link *links[LINKS]; /* which keep programs and counters */
	const uint64_t *counters;
	int fd; /* of the counters; -1: taken */
};

const uint64_t *kernel_counters_map(int fd)
{
	void *memory = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void kernel_counters_unmap(const uint64_t *counters)
{
	if (counters)
		munmap((void *)counters, SIZE);
}

static bool attach(struct kernel_watch *watch, const struct owner_bpf *bpf)
{
	const struct bpf_program *programs[PROGRAMS] = {
		bpf->progs.listening_begins, bpf->progs.listening_ends,
		bpf->progs.listening_state, bpf->progs.forking
	};
	int count = 0;

	for (int i = 0; i < PROGRAMS; i++) {
		struct bpf_link *link;

		if (!bpf_program__autoload(programs[i]))
			continue;
		link = bpf_program__attach(programs[i]);
		if (!link)
			return false;
		watch->links[count++] = link;
	}
	return true;
}

static void detach(struct kernel_watch *watch)
{
	for (int i = 0; i < LINKS; i++) {
		bpf_link__destroy(watch->links[i]);
		watch->links[i] = NULL;
	}
}

/* `by_state`: by the tracepoint, else on the two functions. */
static bool load(struct kernel_watch *watch, uint32_t netns, bool by_state)
{
	struct owner_bpf *bpf = owner_bpf__open();
	bool is_loaded;

	if (!bpf)
		return false;
	bpf_program__set_autoload(bpf->progs.listening_sockets, false);
	bpf_program__set_autoload(bpf->progs.listening_begins, !by_state);
	bpf_program__set_autoload(bpf->progs.listening_ends, !by_state);
	bpf_program__set_autoload(bpf->progs.listening_state, by_state);
	bpf_program__set_autoload(bpf->progs.forking, true);
	bpf->rodata->own_netns = netns;
	is_loaded = !owner_bpf__load(bpf) && attach(watch, bpf);
	if (is_loaded)
		watch->fd = fcntl(bpf_map__fd(bpf->maps.counters),
				  F_DUPFD_CLOEXEC, 0);
	else
		detach(watch);
	owner_bpf__destroy(bpf);
	return is_loaded;
}

struct kernel_watch *kernel_watch_open(uint32_t netns)
{
	struct kernel_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->fd = -1;
	if (load(watch, netns, false) || load(watch, netns, true))
		watch->counters = kernel_counters_map(watch->fd);
	if (watch->counters)
		return watch;
	kernel_watch_close(watch);
	return NULL;
}

void kernel_watch_close(struct kernel_watch *watch)
{
	if (!watch)
		return;
	kernel_counters_unmap(watch->counters);
	if (watch->fd >= 0)
		close(watch->fd);
	detach(watch);
	free(watch);
}

const uint64_t *kernel_watch_counters(const struct kernel_watch *watch)
{
	return watch->counters;
}

int kernel_watch_take_fd(struct kernel_watch *watch)
{
	const int fd = watch->fd;

	watch->fd = -1;
	return fd;
}
