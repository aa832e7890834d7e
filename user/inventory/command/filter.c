/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Filters: the services that a command applies to. */
#include "command.h"
#include "system/services.h"

#include <string.h>

static void add_net(struct filter *filter, const char *word)
{
	const int most = (int)(sizeof(filter->net) / sizeof(*filter->net));
	char text[ADDRESS_TEXT];
	const char *slash = strchr(word, '/');
	const size_t len = slash ? (size_t)(slash - word) : strlen(word);
	struct address address;
	const char *end = "";
	int bits = -1;

	if (filter->nets == most)
		wrong_usage("--net: at most %d of them", most);
	if (len < sizeof(text)) {
		memcpy(text, word, len);
		text[len] = 0;
		if (address_from_text(&address, text))
			bits = slash ? number_in(slash + 1, &end, 128) :
			       address.family == 4 ? 32 :
						     128;
	}
	if (bits < 0 || *end || bits > (address.family == 4 ? 32 : 128))
		wrong_usage("--net: %s is no net like 192.0.2.0/24 or "
			    "2001:db8::/32",
			    shown(word));
	/* As the probe's --net does: servers have no such addresses. */
	if (bits >= 96 && address_unmap(&address))
		bits -= 96;
	filter->net[filter->nets].address = address;
	filter->net[filter->nets++].bits = (unsigned int)bits;
}

/* One port, a range of them, or a service's name. False: it is none. */
static bool read_ports(const char *item, int *first, int *last)
{
	const char *end;

	if (item[strspn(item, "0123456789-")]) {
		*first = *last = services_port(item);
		return *first > 0;
	}
	*first = *last = number_in(item, &end, 65535);
	if (*first > 0 && *end == '-')
		*last = number_in(end + 1, &end, 65535);
	return *first > 0 && *first <= *last && !*end;
}

static void add_ports(struct filter *filter, const char *word)
{
	const char *at = word;
	int first, last;
	char item[64];

	filter->ports = true;
	for (;;) {
		const size_t len = strcspn(at, ",");

		snprintf(item, sizeof(item), "%.*s", (int)len, at);
		if (!len || len >= sizeof(item) ||
		    !read_ports(item, &first, &last))
			wrong_usage("--port: %s is no list of ports like "
				    "22,smtp,8000-8100",
				    shown(word));
		for (int port = first; port <= last; port++)
			filter->port[port / 8] |= (uint8_t)(1 << port % 8);
		if (!at[len])
			return;
		at += len + 1;
	}
}

error_t filter_option(struct filter *filter, int key, char *argument)
{
	switch (key) {
	case 'n':
		add_net(filter, argument);
		return 0;
	case 'p':
		add_ports(filter, argument);
		return 0;
	case 'P':
		filter->product = argument;
		return 0;
	case 'S':
		filter->sensor = argument;
		return 0;
	case 'O':
		filter->owner = argument;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static bool in_net(const struct filter *filter, const struct address *address)
{
	for (int i = 0; i < filter->nets; i++) {
		const unsigned int bits = filter->net[i].bits;
		const uint8_t *net = filter->net[i].address.byte;
		const uint8_t rest = (uint8_t)(0xff00 >> bits % 8);

		if (address->family == filter->net[i].address.family &&
		    !memcmp(net, address->byte, bits / 8) &&
		    (!(bits % 8) ||
		     !((net[bits / 8] ^ address->byte[bits / 8]) & rest)))
			return true;
	}
	return !filter->nets;
}

bool filter_takes(const struct filter *filter, const char *sensor,
		  const char *server, int port)
{
	struct address address;

	if (filter->sensor && strcmp(filter->sensor, sensor))
		return false;
	if (filter->ports && (port < 0 || port > 65535 ||
			      !(filter->port[port / 8] & 1 << port % 8)))
		return false;
	return !filter->nets || (address_from_text(&address, server) &&
				 in_net(filter, &address));
}

bool filter_takes_texts(const struct filter *filter, const char *const *texts,
			int count)
{
	for (int i = 0; filter->product && i < count; i++) {
		if (texts[i] && strcasestr(texts[i], filter->product))
			return true;
	}
	return !filter->product;
}

bool filter_takes_row(const struct filter *filter, sqlite3_stmt *row)
{
	const char *texts[FILTER_COLUMN_COUNT];

	for (int i = 0; i < FILTER_COLUMN_COUNT; i++)
		texts[i] = column_text(row, i);
	return filter_takes(filter, texts[FILTER_SENSOR], texts[FILTER_SERVER],
			    sqlite3_column_int(row, FILTER_PORT)) &&
	       filter_takes_texts(filter, texts + FILTER_SERVICE, 3) &&
	       filter_takes_owner(filter, texts + FILTER_UNIT);
}

/* --- what takes nothing ------------------------------------------------ */

static const char query[] =
	"SELECT " FILTER_COLUMNS " FROM service LEFT JOIN banner"
	" ON service_id = service.id AND (?1 OR banner.id = banner_id)";

void filter_tell_nothing(const struct filter *filter, struct store *store,
			 enum filter_forms forms)
{
	sqlite3_stmt *rows;
	bool takes = false;

	if (!filter->nets && !filter->ports && !filter->product &&
	    !filter->sensor && !filter->owner)
		return;
	rows = prepare(store, query);
	if (!rows)
		return;
	sqlite3_bind_int(rows, 1, forms == FILTER_ANY_FORM);
	while (!takes && sqlite3_step(rows) == SQLITE_ROW)
		takes = filter_takes_row(filter, rows);
	sqlite3_finalize(rows);
	if (!takes)
		say("no service in %s matches the filter", store->path);
}
