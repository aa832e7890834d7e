/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "format_tunnels.h"

#include "put.h"

static const char *const tunnel_names[TUNNEL_KINDS] = {
#define TUNNEL_NAME(id, name, unopened, opener) [TUNNEL_##id] = name,
	TUNNELS(TUNNEL_NAME)
#undef TUNNEL_NAME
};

/* A tunnel as a JSON object. */
static char *put_tunnel_json(char *to, const struct tunnel *tunnel)
{
	to = PUT(to, "{\"type\":\"");
	to = put_text_of(to, tunnel_names[tunnel->kind]);
	to = PUT(to, "\",\"id\":");
	to = put_number(to, tunnel->id);
	if (tunnel->family) {
		to = PUT(to, ",\"src\":\"");
		to = put_address(to, tunnel->family, tunnel->source);
		to = PUT(to, "\",\"dst\":\"");
		to = put_address(to, tunnel->family, tunnel->destination);
		*to++ = '"';
	}
	*to++ = '}';
	return to;
}

char *put_tunnels_json(char *to, const struct event *event)
{
	const struct tunnel *tunnels = event_tunnels(event);

	to = PUT(to, ",\"tunnel\":[");
	for (int i = 0; i < event->tunnel_count; i++) {
		if (i)
			*to++ = ',';
		to = put_tunnel_json(to, &tunnels[i]);
	}
	return PUT(to, "]");
}

/* " vxlan 42"; the identifier is left out where it is 0. */
char *put_tunnels(char *to, const struct event *event)
{
	const struct tunnel *tunnels = event_tunnels(event);

	for (int i = 0; i < event->tunnel_count; i++) {
		*to++ = ' ';
		to = put_text_of(to, tunnel_names[tunnels[i].kind]);
		if (!tunnels[i].id)
			continue;
		*to++ = ' ';
		to = put_number(to, tunnels[i].id);
	}
	return to;
}
