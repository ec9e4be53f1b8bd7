/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth_core.h"

#include <string.h>

void eth_abi_u64(uint8_t out[static 32], uint64_t v)
{
	memset(out, 0, 24);
	for (unsigned i = 0; i < 8; i++)
		out[24 + i] = (uint8_t)(v >> (56 - 8 * i));
}

void eth_abi_u256(uint8_t out[static 32], const struct eth_u256 *v)
{
	eth_u256_to_be(v, out);
}

void eth_abi_address(uint8_t out[static 32], const struct eth_address *a)
{
	memset(out, 0, 12);
	memcpy(out + 12, a->bytes, sizeof(a->bytes));
}

size_t eth_abi_padded(size_t n)
{
	return n + (32 - n % 32) % 32;
}
