/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The options of the server filter: ports and networks. */
#ifndef BANNERPROBE_SERVER_OPTIONS_H
#define BANNERPROBE_SERVER_OPTIONS_H

#include "option_table.h"

/* Each adds the ports or networks of its value to options->wanted. */
void server_take_ports(struct options *options, const struct option_use *use);
void server_take_net(struct options *options, const struct option_use *use);
void server_take_not_net(struct options *options, const struct option_use *use);

/* Adds the networks from which tunnels are accepted. */
void server_take_decap_from(struct options *options,
			    const struct option_use *use);

#endif
