/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "decap_options.h"

#include "tunnel.h"
#include "usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KINDS                                                                  \
	"vxlan[:PORT...], geneve[:PORT...], gre, erspan, ipip, mpls, pppoe, "  \
	"all or none"

static const char *const names[TUNNEL_KINDS] = {
#define TUNNEL_NAME(id, name, unopened, opener) [TUNNEL_##id] = name,
	TUNNELS(TUNNEL_NAME)
#undef TUNNEL_NAME
};

/* The tunnel kinds that a word names, TUNNEL_BIT(); 0: it names none. */
static __u32 kinds_of(const char *word)
{
	if (!strcmp(word, "all"))
		return TUNNELS_ALL;
	for (int kind = 0; kind < TUNNEL_KINDS; kind++) {
		if (!strcmp(word, names[kind]))
			return TUNNEL_BIT(kind);
	}
	return 0;
}

/* Takes ":4789:9999" in place of the default ports. */
static void take_ports(const struct option_use *use, const char *word,
		       char *text, __u16 ports[DECAP_PORTS])
{
	char *rest = NULL;
	int count = 0;

	if (!*text || *text == ':' || strstr(text, "::") ||
	    text[strlen(text) - 1] == ':')
		wrong_usage("%s=%s: a port is missing behind %s:",
			    use->spelling, use->value, word);
	memset(ports, 0, DECAP_PORTS * sizeof(*ports));
	for (char *port = strtok_r(text, ":", &rest); port;
	     port = strtok_r(NULL, ":", &rest)) {
		char *end;
		const unsigned long number = strtoul(port, &end, 10);

		if (*port < '0' || *port > '9' || *end || !number ||
		    number > 65535)
			wrong_usage("%s=%s: a port is a number from 1 to "
				    "65535, as in %s:4789",
				    use->spelling, use->value, word);
		if (count == DECAP_PORTS)
			wrong_usage("%s=%s: no more than %d ports can be given",
				    use->spelling, use->value, DECAP_PORTS);
		ports[count++] = (__u16)number;
	}
}

static void __attribute__((noreturn))
refuse_word(const struct option_use *use, const char *word)
{
	const char *choices[TUNNEL_KINDS + 3] = { [TUNNEL_KINDS] = "all",
						  [TUNNEL_KINDS + 1] = "none" };
	char suggestion[SUGGESTION_MAX];

	for (int kind = 0; kind < TUNNEL_KINDS; kind++)
		choices[kind] = names[kind];
	wrong_usage("%s=%s: what can be opened is " KINDS "%s", use->spelling,
		    use->value,
		    usage_suggest(suggestion, word, strlen(word), choices));
}

/* Returns TUNNEL_BIT() of the kind that ports are given for, or 0. */
static __u32 take_word(struct options *options, const struct option_use *use,
		       char *word)
{
	struct decap *decap = &options->track.decap;
	char *ports = strchr(word, ':');
	__u32 kinds;

	if (ports)
		*ports++ = '\0';
	kinds = kinds_of(word);
	if (!kinds)
		refuse_word(use, word);
	decap->kinds |= kinds;
	if (!ports)
		return 0;
	if (kinds == TUNNEL_BIT(TUNNEL_VXLAN))
		take_ports(use, word, ports, decap->vxlan_ports);
	else if (kinds == TUNNEL_BIT(TUNNEL_GENEVE))
		take_ports(use, word, ports, decap->geneve_ports);
	else
		wrong_usage("%s=%s: only vxlan and geneve have ports",
			    use->spelling, use->value);
	return kinds;
}

/* Frees a port of Geneve's that VXLAN has, too; `given`: as of take_word(). */
static void settle_port(const struct option_use *use, __u32 given,
			__u16 *geneve, __u16 *vxlan)
{
	const __u32 both = TUNNEL_BIT(TUNNEL_VXLAN) | TUNNEL_BIT(TUNNEL_GENEVE);

	if (!*geneve || *geneve != *vxlan)
		return;
	if ((given & both) == both)
		wrong_usage("%s=%s: port %u is given to vxlan and geneve",
			    use->spelling, use->value, *geneve);
	/* The usual port of the one gives way to a given port of the other. */
	if (given & TUNNEL_BIT(TUNNEL_GENEVE))
		*vxlan = 0;
	else
		*geneve = 0;
}

static void settle_ports(struct decap *decap, const struct option_use *use,
			 __u32 given)
{
	for (int i = 0; i < DECAP_PORTS; i++) {
		if (decap->geneve_ports[i] == PORT_VXLAN_GPE)
			wrong_usage("%s=%s: port %u is always VXLAN-GPE's",
				    use->spelling, use->value, PORT_VXLAN_GPE);
		for (int j = 0; j < DECAP_PORTS; j++)
			settle_port(use, given, &decap->geneve_ports[i],
				    &decap->vxlan_ports[j]);
	}
}

void decap_take(struct options *options, const struct option_use *use)
{
	struct decap *decap = &options->track.decap;
	char *list, *rest = NULL;
	__u32 given = 0;

	options->decap_given = true;
	decap->kinds = use->value ? 0 : TUNNELS_ALL;
	decap_default_ports(decap);
	if (!use->value || !strcmp(use->value, "none"))
		return;
	list = strdup(use->value);
	if (!list)
		abort();
	if (!*list || *list == ',' || strstr(list, ",,") ||
	    list[strlen(list) - 1] == ',')
		wrong_usage("%s=%s: a word is missing: what can be opened "
			    "is " KINDS,
			    use->spelling, *list ? list : "''");
	for (char *word = strtok_r(list, ",", &rest); word;
	     word = strtok_r(NULL, ",", &rest))
		given |= take_word(options, use, word);
	settle_ports(decap, use, given);
	free(list);
}

bool decap_is_list(const char *word)
{
	char first[16];

	snprintf(first, sizeof(first), "%.*s", (int)strcspn(word, ",:"), word);
	return kinds_of(first) || !strcmp(first, "none");
}

void decap_set_defaults(struct options *options)
{
	struct decap *decap = &options->track.decap;

	if (options->decap_given)
		return;
	decap->kinds = options->read ? TUNNELS_ALL : 0;
	decap_default_ports(decap);
}
