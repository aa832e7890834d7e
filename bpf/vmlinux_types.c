/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel types that the programs use. `make vmlinux.h` compiles this
 * against all types of a running kernel and writes those named here, and what
 * they consist of, to vmlinux.h: small enough to be read in a review.
 */
#include KERNEL_TYPES

__s8 type_s8;
__s16 type_s16;
__s32 type_s32;
__s64 type_s64;
__be64 type_be64;
__wsum type_wsum;

struct xdp_md type_xdp_md;
struct __sk_buff type_sk_buff;
struct bpf_sock type_bpf_sock;
struct bpf_spin_lock type_bpf_spin_lock;

struct ethhdr type_ethhdr;
struct iphdr type_iphdr;
struct ipv6hdr type_ipv6hdr;
struct tcphdr type_tcphdr;

enum bpf_map_type type_bpf_map_type;
enum xdp_action type_xdp_action;
