/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "clsact.h"

#include "newcomers.h"
#include "system/message.h"
#include "system/stopping.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define INGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
#define EGRESS TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)

#define OWN_PROGRAMS_MAX 4	    /* two for each kind of device */
#define LEFTOVERS_MAX 64	    /* any more are left for the next start */
#define PROGRAM_NAME "bannerprobe_" /* prefix of filter names */

/*
 * The suffix of filter names on a qdisc that this program made. The name lives
 * as long as the filter, so the next start sees it, too.
 */
#define OWNS_QDISC "+clsact"

#define LOCK_RETRY_MS 2

static int namespace_fd = -1;

int clsact_open(void)
{
	/* Opened once, because the needed privileges may be given up later. */
	if (namespace_fd < 0)
		namespace_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return namespace_fd < 0 ? -errno : 0;
}

/* Tries to take the lock until the wait is over. */
static bool lock_in_time(int fd, enum wait wait)
{
	const long long end = wait_end(wait);

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		const int left = wait_left(wait, end);

		if (errno != EWOULDBLOCK || !left)
			return false;
		poll(NULL, 0, left < LOCK_RETRY_MS ? left : LOCK_RETRY_MS);
		stopping(); /* a stop shortens the wait */
	}
	return true;
}

/*
 * A lock among the processes of this program in a network namespace, so that
 * the filters that a process has listed do not change before it acts. The
 * kernel releases the lock when the process ends. Any user could hold the lock
 * for ever, so after a wait the process goes on without it. Returns -1 where
 * the lock is not held.
 */
static int lock_namespace(void)
{
	static bool waited_in_vain;

	if (clsact_open())
		return -1;
	if (waited_in_vain ? !flock(namespace_fd, LOCK_EX | LOCK_NB) :
			     lock_in_time(namespace_fd, WAIT_LOCK)) {
		waited_in_vain = false;
		return namespace_fd;
	}
	if (!waited_in_vain)
		message("another process holds the lock on this network "
			"namespace (/proc/locks shows which): going on "
			"without");
	waited_in_vain = true;
	return -1;
}

static void unlock_namespace(int fd)
{
	if (fd >= 0)
		flock(fd, LOCK_UN);
}

/*
 * A running process holds an abstract socket for each program of its filters,
 * named after the program's ID. The kernel closes it with the process. It is
 * visible exactly where the interface is, in its network namespace. Returns the
 * socket; -EADDRINUSE where a process holds it.
 */
static int claim_program(__u32 program_id)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int len = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
			   "bannerprobe/%u", program_id);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			     (size_t)len))) {
		int error = -errno;

		close(fd);
		return error;
	}
	return fd;
}

/* Claims a program of this process, until the process ends. */
static void claim_own(__u32 program_id)
{
	static struct {
		__u32 program_id;
		int fd;
	} claims[OWN_PROGRAMS_MAX];
	size_t i = 0;

	while (i < OWN_PROGRAMS_MAX && claims[i].program_id &&
	       claims[i].program_id != program_id)
		i++;
	if (i == OWN_PROGRAMS_MAX || claims[i].program_id)
		return;
	claims[i].fd = claim_program(program_id);
	claims[i].program_id = claims[i].fd >= 0 ? program_id : 0;
}

/* --- what is there ------------------------------------------------------ */

struct survey {
	struct clsact_filter leftovers[LEFTOVERS_MAX];
	int leftover_count;
	int count; /* filters of all kinds */
	bool one_owns_qdisc;
};

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && !strcmp(text + len - end_len, end);
}

static void survey_filter(const struct filter *filter, void *context)
{
	struct survey *survey = context;
	bool owns_qdisc = ends_with(filter->name, OWNS_QDISC);
	int claim;

	survey->count++;
	if (strncmp(filter->name, PROGRAM_NAME, strlen(PROGRAM_NAME)) ||
	    !filter->program_id)
		return;
	survey->one_owns_qdisc |= owns_qdisc;
	if (survey->leftover_count == LEFTOVERS_MAX)
		return;
	claim = claim_program(filter->program_id);
	if (claim < 0)
		return;
	survey->leftovers[survey->leftover_count++] = (struct clsact_filter){
		.direction = filter->parent == INGRESS ? BPF_TC_INGRESS :
							 BPF_TC_EGRESS,
		.handle = filter->handle,
		.priority = filter->priority,
		.program_id = filter->program_id,
		.owns_qdisc = owns_qdisc,
		.claim = claim,
	};
}

static int list_filters(unsigned int ifindex, filter_found *found,
			void *context)
{
	int error = filters_list(ifindex, INGRESS, found, context);

	return error ? error : filters_list(ifindex, EGRESS, found, context);
}

static void count_filter(const struct filter *filter, void *context)
{
	int *count = context;

	(void)filter;
	(*count)++;
}

bool clsact_is_attached(const struct clsact_filter *filter,
			unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = filter->direction);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = filter->handle,
		    .priority = filter->priority);

	return !bpf_tc_query(&hook, &options) &&
	       options.prog_id == filter->program_id;
}

/* --- removing ----------------------------------------------------------- */

/*
 * Removes a qdisc whose filters were listed, unless another program has added
 * one since.
 */
static bool take_qdisc(unsigned int ifindex, struct newcomers *newcomers)
{
	if (newcomers_came(newcomers, ifindex) ||
	    filters_remove_clsact(ifindex))
		return false;
	newcomers_report(newcomers, ifindex);
	return true;
}

/* Removes the qdisc, unless filters of others would be removed with it. */
static bool remove_qdisc(unsigned int ifindex, int filters_of_ours)
{
	struct newcomers newcomers;
	int count = 0;
	bool is_removed;

	newcomers_watch(&newcomers);
	is_removed = !list_filters(ifindex, count_filter, &count) &&
		     count == filters_of_ours &&
		     take_qdisc(ifindex, &newcomers);
	newcomers_end(&newcomers);
	return is_removed;
}

/*
 * The last filter is removed together with its qdisc: if this process were
 * killed between two steps, nothing would show which process made the empty
 * qdisc.
 */
static void remove_filter(struct clsact_filter *filter, unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
		    .attach_point = filter->direction);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = filter->handle,
		    .priority = filter->priority);

	/* Another filter that has replaced it meanwhile is not touched. */
	if (clsact_is_attached(filter, ifindex) &&
	    !(filter->owns_qdisc && remove_qdisc(ifindex, 1)))
		bpf_tc_detach(&hook, &options);
	if (filter->claim >= 0)
		close(filter->claim);
	filter->claim = -1;
}

/* What a list of filters has: all, and the two of a pair. */
struct search {
	const struct clsact_pair *pair;
	int count;
	int found;
};

static bool is_it(const struct filter *filter, const struct clsact_filter *own)
{
	return filter->handle == own->handle &&
	       filter->priority == own->priority &&
	       filter->program_id == own->program_id;
}

static void look_for_pair(const struct filter *filter, void *context)
{
	struct search *search = context;

	search->count++;
	search->found += is_it(filter, search->pair->in) ||
			 is_it(filter, search->pair->out);
}

/* Whether the qdisc is this program's, and has the two filters only. */
static bool are_alone(const struct clsact_pair *pair)
{
	struct search search = { .pair = pair };

	return (pair->in->owns_qdisc || pair->out->owns_qdisc) &&
	       !list_filters(pair->ifindex, look_for_pair, &search) &&
	       search.count == 2 && search.found == 2;
}

/*
 * Done even without the lock. Otherwise an empty qdisc would remain for
 * certain, while another process is unlikely to add a filter at this moment.
 */
void clsact_detach(struct clsact_filter *filter, unsigned int ifindex)
{
	int lock = lock_namespace();

	remove_filter(filter, ifindex);
	unlock_namespace(lock);
}

static void remove_pairs(const struct clsact_pair *pairs, int count)
{
	struct newcomers newcomers;
	bool goes[CLSACT_PAIRS_MAX];
	const bool watches = newcomers_watch(&newcomers);

	for (int i = 0; i < count; i++)
		goes[i] = watches && are_alone(&pairs[i]);
	for (int i = 0; i < count; i++)
		goes[i] = goes[i] && take_qdisc(pairs[i].ifindex, &newcomers);
	newcomers_end(&newcomers);
	for (int i = 0; i < count; i++) {
		if (goes[i])
			continue;
		remove_filter(pairs[i].in, pairs[i].ifindex);
		remove_filter(pairs[i].out, pairs[i].ifindex);
	}
}

/*
 * Each request waits for the RTNL lock, for which the kernel's own work after
 * each removed filter competes. So all are listed before any is removed, and
 * each qdisc is removed with both filters in it.
 */
void clsact_detach_pairs(const struct clsact_pair *pairs, int count)
{
	int lock = lock_namespace();

	remove_pairs(pairs, count);
	unlock_namespace(lock);
}

/*
 * Without the lock, leftover filters stay for the next start: their qdisc could
 * be removed while another process is adding a filter.
 */
static void clear_leftovers(struct survey *survey, unsigned int ifindex,
			    bool is_locked)
{
	for (int i = 0; i < survey->leftover_count; i++) {
		if (is_locked)
			remove_filter(&survey->leftovers[i], ifindex);
		else
			close(survey->leftovers[i].claim);
	}
}

void clsact_clear(unsigned int ifindex)
{
	struct survey survey = {};
	int lock = lock_namespace();

	list_filters(ifindex, survey_filter, &survey);
	clear_leftovers(&survey, ifindex, lock >= 0);
	unlock_namespace(lock);
}

/* --- attaching ---------------------------------------------------------- */

/*
 * Makes the qdisc and the first filter in one request, as remove_filter()
 * removes both in one. -EEXIST: another process made the qdisc meanwhile.
 */
static int make_qdisc(struct filter *new, unsigned int ifindex, int program)
{
	int error = filters_add(ifindex, new, program, true);

	if (error && error != -EEXIST)
		remove_qdisc(ifindex, 0);
	return error;
}

/*
 * Uses priority 1, so that no other filter's verdict hides a packet, unless a
 * filter of another kind has that priority.
 */
static int add_filter(struct filter *new, unsigned int ifindex, int program)
{
	int error = filters_add(ifindex, new, program, false);

	if (error != -EINVAL && error != -EEXIST)
		return error;
	new->priority = 0;
	return filters_add(ifindex, new, program, false);
}

/* -EAGAIN: qdisc or filters changed meanwhile. */
static int attach(struct clsact_filter *filter, unsigned int ifindex,
		  const struct bpf_prog_info *info, int program, bool is_locked)
{
	struct survey survey = {};
	char name[sizeof(info->name) + sizeof(OWNS_QDISC)];
	struct filter new = {
		.parent =
			filter->direction == BPF_TC_INGRESS ? INGRESS : EGRESS,
		.priority = 1,
		.name = name,
	};
	int error = list_filters(ifindex, survey_filter, &survey);
	bool make;

	clear_leftovers(&survey, ifindex, is_locked);
	if (survey.leftover_count && is_locked)
		message("cleared %d tc filters that an earlier run left behind",
			survey.leftover_count);
	if (error) /* or the list changed while it was read */
		return error == -EINTR ? -EAGAIN : error;
	make = !filters_have_clsact(ifindex);
	snprintf(name, sizeof(name), "%s%s", info->name,
		 make || survey.one_owns_qdisc ? OWNS_QDISC : "");
	/*
	 * Claimed before it exists, so that another start does not remove it.
	 */
	claim_own(info->id);
	error = make ? make_qdisc(&new, ifindex, program) :
		       add_filter(&new, ifindex, program);
	filter->handle = new.handle;
	filter->priority = new.priority;
	filter->program_id = info->id;
	filter->owns_qdisc = !error && (make || survey.one_owns_qdisc);
	if (error)
		remove_filter(filter, ifindex);
	return make && error == -EEXIST ? -EAGAIN : error;
}

int clsact_attach(struct clsact_filter *filter, unsigned int ifindex,
		  enum bpf_tc_attach_point direction, int program)
{
	struct bpf_prog_info info = {};
	__u32 info_size = sizeof(info);
	int error = bpf_obj_get_info_by_fd(program, &info, &info_size);
	int lock;

	if (error)
		return error;
	lock = lock_namespace();
	do {
		*filter = (struct clsact_filter){ .direction = direction,
						  .claim = -1 };
		error = attach(filter, ifindex, &info, program, lock >= 0);
	} while (error == -EAGAIN);
	unlock_namespace(lock);
	return error;
}
