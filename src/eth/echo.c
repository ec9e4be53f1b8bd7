/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth_private.h"

#include <stdio.h>

#define SHOWN_MAX 40

void eth_echo(const char *text, size_t len, char out[static ETH_ECHO_MAX])
{
	size_t used = 0;
	size_t i = 0;

	out[used++] = '"';
	for (; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';

		if (used + (plain ? 1 : 4) > SHOWN_MAX + 1)
			break;
		if (plain)
			out[used++] = (char)c;
		else
			used += (size_t)snprintf(out + used, ETH_ECHO_MAX - used, "\\x%02x", c);
	}
	snprintf(out + used, ETH_ECHO_MAX - used, i < len ? "\"..." : "\"");
}
