/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "address.h"

#include <arpa/inet.h>
#include <string.h>

void address_to_text(const struct address *address, char text[ADDRESS_TEXT])
{
	*text = 0;
	inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->byte,
		  text, ADDRESS_TEXT);
}

bool address_from_text(struct address *address, const char *text)
{
	*address = (struct address){ .family = strchr(text, ':') ? 6 : 4 };
	return inet_pton(address->family == 4 ? AF_INET : AF_INET6, text,
			 address->byte) == 1;
}
