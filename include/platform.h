/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the portable core is built on: fixed-size types, network headers and
 * byte order. They come from vmlinux.h in a BPF program, and from the kernel's
 * UAPI headers everywhere else.
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
/*
 * A header in a packet may lie at any address, so nothing is assumed to be
 * aligned.
 */
#define READ_FIELD(pointer, field)                                             \
	(((const struct { __typeof__((pointer)->field) value; }                \
	   __attribute__((packed)) *)((const char *)(pointer) +                \
				      offsetof(__typeof__(*(pointer)),         \
					       field)))                        \
		 ->value)

#endif

#include <bpf/bpf_endian.h>

/* What was read from memory before is not known any more. */
#define FORGET_MEMORY() asm volatile("" ::: "memory")

/*
 * Makes the compiler read memory again: the stack of a BPF program has no room
 * for the values it would keep, and locks need the order. In user space nothing
 * needs it: one thread has the flow table.
 */
#ifdef __bpf__
#define READ_AGAIN() FORGET_MEMORY()
#else
#define READ_AGAIN() ((void)0)
#endif

/* Makes the compiler forget what it knows about a variable. */
#define OPAQUE(variable) asm volatile("" : "+r"(variable))

#endif
