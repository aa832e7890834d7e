/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "one_process.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

/* As bpf_iter_link_info.task, which older headers do not have. */
struct one_task {
	__u32 tid, pid, pidfd;
};

static int open_iterator(int program, uint32_t pid)
{
	struct one_task task = { .pid = pid };
	LIBBPF_OPTS(bpf_link_create_opts, options, .iter_info = (void *)&task,
		    .iter_info_len = sizeof(task));
	int link = bpf_link_create(program, 0, BPF_TRACE_ITER, &options);
	int fd;

	if (link < 0)
		return -errno;
	fd = bpf_iter_create(link);
	if (fd < 0)
		fd = -errno;
	close(link);
	return fd;
}

ssize_t one_process_read(int program, uint32_t pid, struct held_socket *list,
			 size_t room)
{
	const size_t size = room * sizeof(*list);
	const int fd = open_iterator(program, pid);
	size_t len = 0;
	ssize_t got;

	if (fd < 0)
		return fd;
	do {
		got = read(fd, (char *)list + len, size - len);
		if (got > 0)
			len += (size_t)got;
	} while (got > 0 && len < size);
	if (got < 0)
		got = -errno;
	close(fd);
	if (got)
		return got < 0 ? got : -E2BIG;
	return (ssize_t)(len / sizeof(*list));
}
