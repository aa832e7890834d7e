/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "server_options.h"

#include "netfile.h"
#include "system/services.h"
#include "usage.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCEPTED "give ports as in 22,smtp,8000-8100"
#define ITEM_MAX 64

/* --- ports ---------------------------------------------------------------- */

/* Whether an item of --port looks like a number or a range, not like a name. */
static bool is_numeric(const char *item)
{
	return item[strspn(item, "0123456789-")] == '\0';
}

static void __attribute__((noreturn)) refuse_port(const struct option_use *use)
{
	wrong_usage("%s %s: no port and no range of ports: " ACCEPTED,
		    use->spelling, use->value);
}

static void add_numbers(struct server_list *wanted,
			const struct option_use *use, const char *item)
{
	unsigned long first = 0, last = 0;
	const int read = sscanf(item, "%lu-%lu", &first, &last);

	if (read >= 1 &&
	    (!first || first > 65535 || last > 65535 || (read == 2 && !last)))
		wrong_usage("%s %s: a port is a number from 1 to 65535",
			    use->spelling, item);
	if (read == 2 && last < first)
		wrong_usage("%s %s: a range begins with its lower end: %lu-%lu",
			    use->spelling, item, last, first);
	if (!server_list_add_ports(wanted, item))
		refuse_port(use);
}

/* The names of services are in lower case, but for a few. */
static void __attribute__((noreturn))
refuse_service(const struct option_use *use, const char *name)
{
	char lower[ITEM_MAX] = "";

	for (size_t i = 0; name[i]; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	if (services_port(lower) > 0)
		wrong_usage("%s %s: no TCP service of this name is in "
			    "/etc/services: did you mean %s?",
			    use->spelling, name, lower);
	wrong_usage("%s %s: no TCP service of this name is in "
		    "/etc/services: " ACCEPTED,
		    use->spelling, name);
}

static void add_service(struct server_list *wanted,
			const struct option_use *use, const char *name)
{
	const int port = services_port(name);
	char number[16];

	if (port < 0)
		wrong_usage("%s %s: names of services are in /etc/services: "
			    "%s; give its number",
			    use->spelling, name, strerror(-port));
	if (!port)
		refuse_service(use, name);
	snprintf(number, sizeof(number), "%d", port);
	server_list_add_ports(wanted, number);
}

void server_take_ports(struct options *options, const struct option_use *use)
{
	const char *at = use->value;

	for (;;) {
		const size_t len = strcspn(at, ",");
		char item[ITEM_MAX];

		if (!len)
			wrong_usage("%s %s: a port is missing: " ACCEPTED,
				    use->spelling,
				    *use->value ? use->value : "''");
		if (memchr(at, ' ', len))
			wrong_usage("%s %s: " ACCEPTED ", without blanks",
				    use->spelling, use->value);
		if (len >= sizeof(item))
			refuse_port(use);
		snprintf(item, sizeof(item), "%.*s", (int)len, at);
		if (is_numeric(item))
			add_numbers(&options->wanted, use, item);
		else
			add_service(&options->wanted, use, item);
		if (!at[len])
			return;
		at += len + 1;
	}
}

/* --- nets ----------------------------------------------------------------- */

/* Notes that 10.0.0.1/8 is taken for 10.0.0.0/8, the network around it. */
static void note_net(const struct option_use *use)
{
	char around[NET_TEXT_MAX];

	if (net_around(around, use->value))
		usage_note("%s %s: taken for %s", use->spelling, use->value,
			   around);
}

static void take_net(struct options *options, const struct option_use *use,
		     __u32 set)
{
	if (*use->value == '@') {
		netfile_add(&options->wanted, use, set);
		return;
	}
	if (!server_list_add_net(&options->wanted, use->value, set))
		wrong_usage("%s %s: no address and no net: give one as in "
			    "192.0.2.0/24, 2001:db8::/32 or 192.0.2.1",
			    use->spelling, *use->value ? use->value : "''");
	note_net(use);
}

void server_take_net(struct options *options, const struct option_use *use)
{
	take_net(options, use, SET_NET);
}

void server_take_not_net(struct options *options, const struct option_use *use)
{
	take_net(options, use, SET_NOT_NET);
}

void server_take_decap_from(struct options *options,
			    const struct option_use *use)
{
	take_net(options, use, SET_PEER);
	options->track.decap.by_peer = true;
}
