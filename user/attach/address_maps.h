/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * This host's own addresses in the maps of the BPF programs, kept up to date.
 */
#ifndef BANNERPROBE_ADDRESS_MAPS_H
#define BANNERPROBE_ADDRESS_MAPS_H

#include "addresses.h"
#include "filter_maps.h"
#include "own_bits.h"

struct bannerprobe_bpf;
struct server_list;

struct address_maps {
	struct addresses *addresses;
	struct filter_maps filter;
	struct own_bits bits;
	int error; /* the last one, as negative errno; it is reported once */
};

/* Fills the maps. 0, or negative errno with a message. */
int address_maps_open(struct address_maps *maps, struct bannerprobe_bpf *bpf,
		      const struct server_list *wanted);
void address_maps_close(struct address_maps *maps);

/* Readable when an address may have come or gone. */
int address_maps_fd(const struct address_maps *maps);
void address_maps_follow(struct address_maps *maps);

#endif
