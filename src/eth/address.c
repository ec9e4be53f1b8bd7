/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth.h"

#include <string.h>

#define DIGITS 40

/* Raises each letter where the hash of the lower-case digits says so (EIP-55). */
static void apply_checksum(char digits[static DIGITS])
{
	uint8_t hash[32];

	eth_keccak256(digits, DIGITS, hash);
	for (unsigned i = 0; i < DIGITS; i++) {
		unsigned nibble = hash[i / 2] >> (i % 2 ? 0 : 4) & 15;

		if (digits[i] >= 'a' && nibble >= 8)
			digits[i] = (char)(digits[i] - 'a' + 'A');
	}
}

void eth_address_to_text(const struct eth_address *a, char out[static ETH_ADDRESS_TEXT])
{
	sr_hex_encode_0x(a->bytes, sizeof(a->bytes), out);
	apply_checksum(out + 2);
}

/* Only mixed case can carry a checksum; digits is known to be hex. */
static bool is_mixed_case(const char *digits)
{
	bool lower = false;
	bool upper = false;

	for (unsigned i = 0; i < DIGITS; i++) {
		lower |= digits[i] >= 'a';
		upper |= digits[i] >= 'A' && digits[i] <= 'F';
	}
	return lower && upper;
}

bool eth_address_from_text(const char *text, size_t len, struct eth_address *out,
			   struct sr_error *err)
{
	char right[ETH_ADDRESS_TEXT] = { 0 };

	if (len != DIGITS + 2 || text[0] != '0' || text[1] != 'x' ||
	    !sr_hex_decode(text, len, out->bytes, sizeof(out->bytes)))
		return sr_fail(err, SR_E_INVALID, "expected an address: 0x and 40 hex digits");
	if (!is_mixed_case(text + 2))
		return true;
	eth_address_to_text(out, right);
	if (memcmp(text, right, len) != 0)
		return sr_fail(err, SR_E_INVALID,
			       "wrong EIP-55 checksum in the address's case, expected %s", right);
	return true;
}
