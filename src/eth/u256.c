/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth_core.h"

#include <string.h>

/*
 * Plain limb arithmetic. Nothing here is constant time: the numbers are gas,
 * fees and nonces, which are public.
 */

/* Multiplication works on 32-bit digits, so that no 128-bit type is needed. */
#define DIGITS 8

struct eth_u256 eth_u256_from_u64(uint64_t v)
{
	return (struct eth_u256){ { v, 0, 0, 0 } };
}

struct eth_u256 eth_u256_from_be(const uint8_t be[static 32])
{
	struct eth_u256 v = { { 0 } };

	for (unsigned i = 0; i < 32; i++)
		v.limb[3 - i / 8] = v.limb[3 - i / 8] << 8 | be[i];
	return v;
}

void eth_u256_to_be(const struct eth_u256 *v, uint8_t out[static 32])
{
	for (unsigned i = 0; i < 32; i++)
		out[i] = (uint8_t)(v->limb[3 - i / 8] >> (56 - 8 * (i % 8)));
}

bool eth_u256_to_u64(const struct eth_u256 *v, uint64_t *out)
{
	*out = v->limb[0];
	return (v->limb[1] | v->limb[2] | v->limb[3]) == 0;
}

int eth_u256_cmp(const struct eth_u256 *a, const struct eth_u256 *b)
{
	for (unsigned i = 4; i-- > 0;) {
		if (a->limb[i] != b->limb[i])
			return a->limb[i] < b->limb[i] ? -1 : 1;
	}
	return 0;
}

bool eth_u256_is_zero(const struct eth_u256 *v)
{
	return (v->limb[0] | v->limb[1] | v->limb[2] | v->limb[3]) == 0;
}

unsigned eth_u256_bits(const struct eth_u256 *v)
{
	for (unsigned i = 4; i-- > 0;) {
		unsigned bits = 0;

		for (uint64_t limb = v->limb[i]; limb; limb >>= 1)
			bits++;
		if (bits)
			return 64 * i + bits;
	}
	return 0;
}

bool eth_u256_add(const struct eth_u256 *a, const struct eth_u256 *b, struct eth_u256 *out)
{
	uint64_t carry = 0;

	for (unsigned i = 0; i < 4; i++) {
		uint64_t half = a->limb[i] + carry;
		uint64_t sum = half + b->limb[i];

		/* at most one of the two additions can wrap */
		carry = (half < carry) | (sum < half);
		out->limb[i] = sum;
	}
	return carry == 0;
}

bool eth_u256_sub(const struct eth_u256 *a, const struct eth_u256 *b, struct eth_u256 *out)
{
	uint64_t borrow = 0;

	for (unsigned i = 0; i < 4; i++) {
		uint64_t half = a->limb[i] - borrow;
		uint64_t difference = half - b->limb[i];

		borrow = (half > a->limb[i]) | (difference > half);
		out->limb[i] = difference;
	}
	return borrow == 0;
}

/* From the least significant digit. */
static void to_digits(const struct eth_u256 *v, uint32_t digits[static DIGITS])
{
	for (unsigned i = 0; i < DIGITS; i++)
		digits[i] = (uint32_t)(v->limb[i / 2] >> (32 * (i % 2)));
}

bool eth_u256_mul(const struct eth_u256 *a, const struct eth_u256 *b, struct eth_u256 *out)
{
	uint32_t x[DIGITS];
	uint32_t y[DIGITS];
	uint32_t product[2 * DIGITS] = { 0 };
	uint32_t high = 0;

	to_digits(a, x);
	to_digits(b, y);
	for (unsigned i = 0; i < DIGITS; i++) {
		uint64_t carry = 0;

		/* (2^32-1)^2 + 2(2^32-1) = 2^64-1: the sum cannot wrap */
		for (unsigned j = 0; j < DIGITS; j++) {
			carry += (uint64_t)x[i] * y[j] + product[i + j];
			product[i + j] = (uint32_t)carry;
			carry >>= 32;
		}
		product[i + DIGITS] = (uint32_t)carry;
	}
	for (unsigned i = 0; i < 4; i++) {
		out->limb[i] = (uint64_t)product[2 * i + 1] << 32 | product[2 * i];
		high |= product[DIGITS + 2 * i] | product[DIGITS + 2 * i + 1];
	}
	return high == 0;
}

static unsigned bit_of(const struct eth_u256 *v, unsigned i)
{
	return (unsigned)(v->limb[i / 64] >> (i % 64)) & 1;
}

/* Twice v plus bit; says the bit that went out at the top. */
static bool shift_in(struct eth_u256 *v, unsigned bit)
{
	bool out = v->limb[3] >> 63;

	for (unsigned i = 3; i > 0; i--)
		v->limb[i] = v->limb[i] << 1 | v->limb[i - 1] >> 63;
	v->limb[0] = v->limb[0] << 1 | bit;
	return out;
}

/* Long division bit by bit: divisions are rare here, and this is easy to check. */
bool eth_u256_div(const struct eth_u256 *a, const struct eth_u256 *b, struct eth_u256 *quotient,
		  struct eth_u256 *remainder)
{
	struct eth_u256 q = { { 0 } };
	struct eth_u256 r = { { 0 } };
	struct eth_u256 divisor = *b;

	if (eth_u256_is_zero(b))
		return false;
	for (unsigned i = eth_u256_bits(a); i-- > 0;) {
		bool carried = shift_in(&r, bit_of(a, i));
		bool fits = carried || eth_u256_cmp(&r, &divisor) >= 0;

		/* a carried bit stands for 2^256, which the wrapping difference pays back */
		if (fits)
			(void)!eth_u256_sub(&r, &divisor, &r);
		(void)shift_in(&q, fits);
	}
	*quotient = q;
	*remainder = r;
	return true;
}
