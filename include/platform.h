/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The ground that the portable core stands on: fixed-size types, network
 * headers and byte order, from vmlinux.h in a BPF program and from the
 * kernel's UAPI headers everywhere else.
 */
#ifndef BANNERPROBE_PLATFORM_H
#define BANNERPROBE_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __bpf__

#include "../vmlinux.h"
#include <bpf/bpf_helpers.h>
/* Reads one field of a packet header; the verifier knows its alignment. */
#define READ_FIELD(pointer, field) ((pointer)->field)

#else

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/types.h>
#include <string.h>

#ifndef __always_inline
#define __always_inline inline __attribute__((always_inline))
#endif
/* Headers in a packet lie at any address: nothing is taken to be aligned. */
#define READ_FIELD(pointer, field)                                             \
	(((const struct { __typeof__((pointer)->field) value; }                \
	   __attribute__((packed)) *)((const char *)(pointer) +                \
				      offsetof(__typeof__(*(pointer)),         \
					       field)))                        \
		 ->value)

#endif

#include <bpf/bpf_endian.h>

/*
 * Makes the compiler read again what is in memory: a BPF program's stack has
 * no room for what it would keep.
 */
#define READ_AGAIN() asm volatile("" ::: "memory")

/* Hides from the compiler what it knows of a variable. */
#define OPAQUE(variable) asm volatile("" : "+r"(variable))

#endif
