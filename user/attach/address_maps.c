/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "address_maps.h"

#include "counters.h"
#include "system/message.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "engine_settings.h"
#include "bannerprobe.skel.h"

static void on_address(const struct net *net, bool added, void *context)
{
	struct address_maps *maps = context;
	const int error = filter_maps_update(&maps->filter, net);

	/*
	 * After the trie: a lookup for a set bit must find the address there.
	 */
	own_bits_update(&maps->bits, net, added);
	if (error)
		message("an address of this host that has %s: %s",
			added ? "come" : "gone", strerror(-error));
}

static int fill(struct address_maps *maps, struct bannerprobe_bpf *bpf,
		const struct server_list *wanted)
{
	int error;

	maps->filter = (struct filter_maps){
		.map = bpf_map__fd(bpf->maps.nets),
		.wanted = wanted,
		.own = addresses_nets(maps->addresses),
	};
	error = filter_maps_fill(&maps->filter);
	maps->bits = (struct own_bits){
		.words = bpf->data_own->own_bits,
		.secrets = bpf->rodata->hash_secrets,
		.addresses = maps->addresses,
	};
	own_bits_fill(&maps->bits);
	return error;
}

int address_maps_open(struct address_maps *maps, struct bannerprobe_bpf *bpf,
		      const struct server_list *wanted)
{
	int error;

	maps->addresses = addresses_open();
	error = maps->addresses ? fill(maps, bpf, wanted) : -errno;
	if (error)
		message("finding this host's addresses: %s", strerror(-error));
	else
		addresses_tell(maps->addresses, on_address, maps);
	return error;
}

void address_maps_close(struct address_maps *maps)
{
	addresses_close(maps->addresses);
	maps->addresses = NULL;
}

int address_maps_fd(const struct address_maps *maps)
{
	return addresses_fd(maps->addresses);
}

void address_maps_follow(struct address_maps *maps)
{
	const int error = addresses_follow(maps->addresses);

	if (error && error != maps->error)
		message("following this host's addresses: %s",
			strerror(-error));
	maps->error = error;
}
