/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth_core.h"

#include <string.h>

void eth_address_from_public_key(const uint8_t key[static 65], struct eth_address *out)
{
	uint8_t hash[32];

	/* the leading 0x04 is the encoding's, not the key's */
	eth_keccak256(key + 1, 64, hash);
	memcpy(out->bytes, hash + 12, sizeof(out->bytes));
}
