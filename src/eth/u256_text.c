/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth.h"

#include <string.h>

#define DEC_GROUP 1000000000u /* the largest power of ten below 2^32: nine digits at a time */
#define DEC_GROUP_DIGITS 9

size_t eth_u256_to_quantity(const struct eth_u256 *v, char out[static ETH_U256_HEX_MAX])
{
	unsigned bits = eth_u256_bits(v);
	size_t digits = bits ? (bits + 3) / 4 : 1;

	out[0] = '0';
	out[1] = 'x';
	for (size_t i = 0; i < digits; i++) {
		size_t shift = 4 * (digits - 1 - i);

		out[2 + i] = "0123456789abcdef"[v->limb[shift / 64] >> (shift % 64) & 15];
	}
	out[2 + digits] = '\0';
	return 2 + digits;
}

/* Divides v in place, 32-bit digit by digit from the top; returns the remainder. */
static uint32_t divide_small(struct eth_u256 *v, uint32_t divisor)
{
	uint64_t rest = 0;

	for (unsigned i = 8; i-- > 0;) {
		unsigned shift = 32 * (i % 2);
		uint64_t *limb = &v->limb[i / 2];
		uint64_t part = rest << 32 | (*limb >> shift & 0xffffffff);

		*limb &= ~((uint64_t)0xffffffff << shift);
		*limb |= (part / divisor) << shift;
		rest = part % divisor;
	}
	return (uint32_t)rest;
}

size_t eth_u256_to_dec(const struct eth_u256 *v, char out[static ETH_U256_DEC_MAX])
{
	char reversed[ETH_U256_DEC_MAX + DEC_GROUP_DIGITS];
	struct eth_u256 rest = *v;
	size_t len = 0;

	/* groups come out from the least significant, digits of a group too */
	do {
		uint32_t group = divide_small(&rest, DEC_GROUP);

		for (unsigned i = 0; i < DEC_GROUP_DIGITS; i++, group /= 10)
			reversed[len++] = (char)('0' + group % 10);
	} while (!eth_u256_is_zero(&rest));
	while (len > 1 && reversed[len - 1] == '0')
		len--;
	for (size_t i = 0; i < len; i++)
		out[i] = reversed[len - 1 - i];
	out[len] = '\0';
	return len;
}

/* -1 for what is no digit. Branches on the digit: not for secrets, unlike
 * sr_hex_decode, which cannot read an odd number of them. */
static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool eth_u256_from_quantity(const char *text, size_t len, struct eth_u256 *out)
{
	*out = (struct eth_u256){ { 0 } };
	if (len < 3 || len > 66 || text[0] != '0' || text[1] != 'x')
		return false;
	for (size_t i = 2; i < len; i++) {
		int digit = hex_value(text[i]);
		size_t shift = 4 * (len - 1 - i);

		if (digit < 0)
			return false;
		out->limb[shift / 64] |= (uint64_t)digit << (shift % 64);
	}
	return true;
}

bool eth_u256_from_dec(const char *text, size_t len, struct eth_u256 *out)
{
	const struct eth_u256 ten = eth_u256_from_u64(10);

	*out = (struct eth_u256){ { 0 } };
	/* 2^256 has 78 digits; leading zeros are no reason to read more */
	if (len == 0 || len >= ETH_U256_DEC_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		struct eth_u256 digit = eth_u256_from_u64((uint64_t)(text[i] - '0'));

		if (text[i] < '0' || text[i] > '9')
			return false;
		if (!eth_u256_mul(out, &ten, out) || !eth_u256_add(out, &digit, out))
			return false;
	}
	return true;
}
