/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "bus_guard.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* The handler reads these, so they change only while nothing is guarded. */
static char *guarded; /* NULL: nothing */
static size_t guarded_len, page_size;
static volatile size_t intact;

volatile sig_atomic_t bus_guard_zeros;

/* Maps zeros over the mapping, from the page at `offset` on. */
static bool put_zeros(size_t offset)
{
	offset -= offset % page_size;
	if (mmap(guarded + offset, guarded_len - offset, PROT_READ,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return false;
	if (offset < intact)
		intact = offset;
	bus_guard_zeros = true;
	return true;
}

/* A fault of anything else ends this process, as without the handler. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
	const size_t offset = (uintptr_t)info->si_addr - (uintptr_t)guarded;
	const int error = errno;

	(void)context;
	if (info->si_code > 0 && guarded && offset < guarded_len &&
	    put_zeros(offset)) {
		errno = error;
		return;
	}
	signal(number, SIG_DFL);
	raise(number);
}

static bool handle_signal(void)
{
	static bool is_handled;
	sigset_t bus_error;
	struct sigaction action = { .sa_sigaction = on_bus_error,
				    .sa_flags = SA_SIGINFO };

	if (is_handled)
		return true;
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	sigemptyset(&action.sa_mask);
	sigemptyset(&bus_error);
	sigaddset(&bus_error, SIGBUS);
	/* A fault while the signal is blocked would end this process. */
	is_handled = !sigaction(SIGBUS, &action, NULL) &&
		     !sigprocmask(SIG_UNBLOCK, &bus_error, NULL);
	return is_handled;
}

bool bus_guard_watch(void *mapping, size_t len)
{
	bus_guard_release();
	if (!handle_signal())
		return false;
	guarded_len = intact = len;
	bus_guard_zeros = false;
	guarded = mapping;
	return true;
}

void bus_guard_release(void)
{
	guarded = NULL;
}

size_t bus_guard_intact(void)
{
	return intact;
}
