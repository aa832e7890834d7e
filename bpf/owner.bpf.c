// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Which processes have which listening TCP sockets open: an iterator over the
 * files of all tasks (Linux 5.8). It runs in the process that reads the
 * iterator, and only during a read.
 *
 * Which ports' listeners have changed: programs on the kernel's functions that
 * begin and end a socket's listening, which run for nothing else. Where the
 * kernel allows none there, a program on the tracepoint of a socket's states.
 *
 * Which processes have forked: a program on the tracepoint of that.
 *
 * Programs with a "?" are loaded only if they are asked for (kernel_watch.c):
 * not each kernel has what they need.
 */
#include "../vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "../include/held_socket.h"
#include "../include/kernel_counters.h"

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define SOCKFS_MAGIC 0x534f434b
#define AF_INET 2
#define AF_INET6 10
#define TCP_CLOSE 7
#define TCP_LISTEN 10
#define IPPROTO_TCP 6
#define IPPROTO_MPTCP 262
#define PID_LEVELS 32 /* MAX_PID_NS_LEVEL */
#define BPF_F_MMAPABLE (1 << 10)

typedef _Bool bool;

/*
 * The kernel's types, with only the members that are used. The loader finds
 * their offsets in the running kernel.
 */
#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

struct ns_common {
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct nsproxy {
	struct net *net_ns;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct task_struct {
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct pid *thread_pid;
	struct css_set *cgroups;
	struct nsproxy *nsproxy;
	__u64 start_time;
	char comm[HELD_COMM];
};

struct super_block {
	unsigned long s_magic;
};

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
	struct super_block *i_sb;
};

struct file {
	struct inode *f_inode;
	void *private_data;
};

typedef struct {
	struct net *net;
} possible_net_t;

typedef struct {
	__s64 counter;
} atomic64_t;

struct sock_common {
	__u32 skc_rcv_saddr;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned char skc_ipv6only : 1;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
};

typedef struct {
	unsigned int val;
} kuid_t;

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

/*
 * Before Linux 5.15 this is a pointer, or another value if the lowest bit is
 * set.
 */
struct sock_cgroup_data___old {
	__u64 val;
};

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
	kuid_t sk_uid;
	struct sock_cgroup_data sk_cgrp_data;
};

struct inet_sock {
	__be16 inet_sport;
};

struct socket {
	struct sock *sk;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#pragma clang attribute pop

/*
 * Called for each open file of the host. So its members are read directly,
 * which the kernel allows for what it hands to an iterator, and not by calls of
 * bpf_probe_read_kernel().
 */
static __always_inline struct sock *sock_of_file(const struct file *file,
						 __u32 *number)
{
	const struct inode *inode = file->f_inode;
	struct socket *socket;

	/*
	 * Both are checked: the inode of a Unix socket's path has the same
	 * type, but is not on sockfs.
	 */
	if ((inode->i_mode & S_IFMT) != S_IFSOCK ||
	    inode->i_sb->s_magic != SOCKFS_MAGIC)
		return NULL;
	*number = (__u32)inode->i_ino;
	socket = file->private_data;
	return socket ? BPF_CORE_READ(socket, sk) : NULL;
}

static __always_inline bool is_listening_tcp(struct sock *sk)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	__u16 protocol;

	/* Unix sockets use the states of TCP, too. */
	if (family != AF_INET && family != AF_INET6)
		return 0;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_LISTEN)
		return 0;
	protocol = BPF_CORE_READ(sk, sk_protocol);
	return protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP;
}

static __always_inline __u64 cgroup_of_sock(struct sock *sk)
{
	struct cgroup *cgroup = NULL;

	if (bpf_core_field_exists(sk->sk_cgrp_data.cgroup)) {
		cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup);
	} else {
		struct sock_cgroup_data___old *old = (void *)&sk->sk_cgrp_data;
		__u64 val = BPF_CORE_READ(old, val);

		if (!(val & 1))
			cgroup = (struct cgroup *)(unsigned long)(val & ~3ULL);
	}
	return cgroup ? BPF_CORE_READ(cgroup, kn, id) : 0;
}

static __always_inline void describe_sock(struct held_socket *held,
					  struct sock *sk)
{
	held->family =
		BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET ? 4 : 6;
	if (held->family == 4)
		held->address[0] = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
	else
		BPF_CORE_READ_INTO(&held->address, sk,
				   __sk_common.skc_v6_rcv_saddr);
	held->port = BPF_CORE_READ(sk, __sk_common.skc_num);
	held->v6only =
		BPF_CORE_READ_BITFIELD_PROBED(&sk->__sk_common, skc_ipv6only);
	held->ifindex = (__u32)BPF_CORE_READ(sk, __sk_common.skc_bound_dev_if);
	held->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	held->cookie = (__u64)BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	held->uid = bpf_core_field_exists(sk->sk_uid) ?
			    BPF_CORE_READ(sk, sk_uid.val) :
			    HELD_UID_UNKNOWN;
	held->cgroup = cgroup_of_sock(sk);
}

/*
 * The process ID of a task in the reader's PID namespace, which is `level`
 * deep; 0: the task has none there.
 */
static __always_inline __u32 pid_at_level(struct task_struct *task,
					  unsigned int level)
{
	struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
	__u32 size = bpf_core_type_size(struct upid);
	int number = 0;

	if (level > PID_LEVELS || BPF_CORE_READ(pid, level) < level)
		return 0;
	bpf_probe_read_kernel(&number, sizeof(number),
			      (void *)&pid->numbers[0] + level * size);
	return (__u32)number;
}

static __always_inline void describe_task(struct held_socket *held,
					  struct task_struct *task)
{
	struct task_struct *reader =
		(struct task_struct *)(unsigned long)bpf_get_current_task();
	unsigned int level = BPF_CORE_READ(reader, thread_pid, level);

	held->pid = pid_at_level(task, level);
	held->parent = pid_at_level(BPF_CORE_READ(task, real_parent), level);
	held->task_netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	held->task_cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	held->started = BPF_CORE_READ(task, group_leader, start_time);
	BPF_CORE_READ_STR_INTO(&held->comm, task, group_leader, comm);
}

SEC("iter/task_file")
int listening_sockets(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;
	struct held_socket held = {};
	struct sock *sk;

	if (!task || !file)
		return 0;
	sk = sock_of_file(file, &held.inode);
	if (!sk || !is_listening_tcp(sk))
		return 0;
	describe_sock(&held, sk);
	describe_task(&held, task);
	bpf_seq_write(context->meta->seq, &held, sizeof(held));
	return 0;
}

/* --- changes of listeners --------------------------------------------------*/

const volatile __u32 own_netns; /* its inode; 0: not known, all count */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, COUNTERS_ALL);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

static __always_inline void count(__u32 place)
{
	__u64 *counter = bpf_map_lookup_elem(&counters, &place);

	if (counter)
		__sync_fetch_and_add(counter, 1);
}

static __always_inline void note_time(__u32 place)
{
	__u64 *time = bpf_map_lookup_elem(&counters, &place);

	if (time)
		*time = bpf_ktime_get_ns();
}

static __always_inline void listener_changes(struct sock *sk)
{
	struct inet_sock *inet = (struct inet_sock *)sk;
	__u16 port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
	__u32 netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);

	if (netns != own_netns)
		note_time(counter_of_far_port(netns, port));
	if (own_netns && netns != own_netns)
		return;
	count(counter_of_port(port));
	count(counter_of_listeners());
}

/* After the socket has got its port and can be found. */
SEC("?fexit/inet_csk_listen_start")
int listening_begins(__u64 *arguments)
{
	listener_changes((struct sock *)arguments[0]);
	return 0;
}

/* After the socket can be found no more. */
SEC("?fentry/inet_csk_listen_stop")
int listening_ends(__u64 *arguments)
{
	listener_changes((struct sock *)arguments[0]);
	return 0;
}

/*
 * In place of both: after the socket can be found no more, but shortly before
 * it can be found (view.c). Runs some five times for each TCP connection.
 */
SEC("?tp_btf/inet_sock_set_state")
int listening_state(__u64 *arguments)
{
	const int before = (int)arguments[1], now = (int)arguments[2];

	/* A new connection's state was its listener's: that is no change. */
	if (now == TCP_LISTEN || (before == TCP_LISTEN && now == TCP_CLOSE))
		listener_changes((struct sock *)arguments[0]);
	return 0;
}

/* --- forks -----------------------------------------------------------------*/

/* The new process has the same files as its parent, and can be found. */
SEC("?tp_btf/sched_process_fork")
int forking(__u64 *arguments)
{
	struct task_struct *parent = (struct task_struct *)arguments[0];
	struct task_struct *child = (struct task_struct *)arguments[1];

	if (child->group_leader == child) /* it is no thread */
		count(counter_of_forks(parent->group_leader->start_time));
	return 0;
}

char owner_license[] SEC("license") = "Dual BSD/GPL";
