/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "ed25519_check.h"
#include "eth/eth_core.h"

/* 2^255 - 19 */
static const struct eth_u256 prime = { { 0xffffffffffffffed, 0xffffffffffffffff, 0xffffffffffffffff,
					 0x7fffffffffffffff } };
/* The curve's d = -121665 / 121666 */
static const struct eth_u256 curve_d = { { 0x75eb4dca135978a3, 0x00700a4d4141d8ab,
					   0x8cc740797779e898, 0x52036cee2b6ffe73 } };
/* The group's order, 2^252 + … */
static const struct eth_u256 order = { { 0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0,
					 0x1000000000000000 } };
/* y of the points of order 8. Those of order 1, 2 and 4 have 1, -1 and 0. */
static const struct eth_u256 order_eight[] = {
	{ { 0xb027b2c28f95e826, 0xf098eff289f4c345, 0x3933c6d305acdfd5, 0x05fc536d880238b1 } },
	{ { 0x4fd84d3d706a17c7, 0x0f67100d760b3cba, 0xc6cc392cfa53202a, 0x7a03ac9277fdc74e } },
};

static struct eth_u256 from_le(const uint8_t le[static 32])
{
	struct eth_u256 v = { { 0 } };

	for (unsigned i = 0; i < 32; i++)
		v.limb[i / 8] |= (uint64_t)le[i] << (8 * (i % 8));
	return v;
}

/* Of numbers below the prime: no sum of two overflows 256 bits. */
static struct eth_u256 add(const struct eth_u256 *a, const struct eth_u256 *b)
{
	struct eth_u256 v = { { 0 } };

	(void)!eth_u256_add(a, b, &v);
	if (eth_u256_cmp(&v, &prime) >= 0)
		(void)!eth_u256_sub(&v, &prime, &v);
	return v;
}

static struct eth_u256 multiply_var(const struct eth_u256 *a, const struct eth_u256 *b)
{
	struct eth_u256 v = { { 0 } };

	for (unsigned i = eth_u256_bits(a); i > 0; i--) {
		v = add(&v, &v);
		if (a->limb[(i - 1) / 64] >> ((i - 1) % 64) & 1)
			v = add(&v, b);
	}
	return v;
}

static void shift_down(struct eth_u256 *v)
{
	for (unsigned i = 0; i < 3; i++)
		v->limb[i] = v->limb[i] >> 1 | v->limb[i + 1] << 63;
	v->limb[3] >>= 1;
}

/* Jacobi's symbol of a over the prime, by halving and subtracting: whether a is a square. */
static bool is_square_var(struct eth_u256 a)
{
	struct eth_u256 n = prime;
	bool negative = false;

	while (!eth_u256_is_zero(&a)) {
		for (; !(a.limb[0] & 1); shift_down(&a))
			negative ^= (n.limb[0] & 7) == 3 || (n.limb[0] & 7) == 5;
		if (eth_u256_cmp(&a, &n) < 0) {
			const struct eth_u256 old = a;

			negative ^= (a.limb[0] & n.limb[0] & 3) == 3;
			a = n;
			n = old;
		}
		(void)!eth_u256_sub(&a, &n, &a);
	}
	/* Anything else than 1 is left of 0 alone. */
	return !negative || n.limb[0] != 1;
}

static bool is_small_order(const struct eth_u256 *y)
{
	const struct eth_u256 one = eth_u256_from_u64(1);
	const struct eth_u256 next = add(y, &one);
	bool found = eth_u256_is_zero(y) || !eth_u256_cmp(y, &one) || eth_u256_is_zero(&next);

	for (size_t i = 0; i < sizeof(order_eight) / sizeof(order_eight[0]); i++)
		found |= !eth_u256_cmp(y, &order_eight[i]);
	return found;
}

/* x^2 = (y^2 - 1) / (d y^2 + 1); a quotient is a square when the product is. */
bool ta_ed25519_key_valid_var(const uint8_t key[static SR_TA_ED25519_PUBLIC_SIZE])
{
	const struct eth_u256 one = eth_u256_from_u64(1);
	struct eth_u256 minus_one = prime;
	struct eth_u256 y = from_le(key);
	struct eth_u256 square = { { 0 } };
	struct eth_u256 above = { { 0 } };
	struct eth_u256 below = { { 0 } };

	y.limb[3] &= UINT64_MAX >> 1; /* the top bit is the sign of x */
	if (eth_u256_cmp(&y, &prime) >= 0 || is_small_order(&y))
		return false;
	minus_one.limb[0]--;
	square = multiply_var(&y, &y);
	above = add(&square, &minus_one);
	below = multiply_var(&square, &curve_d);
	below = add(&below, &one);
	return is_square_var(multiply_var(&above, &below));
}

bool ta_ed25519_signature_canonical_var(
	const uint8_t signature[static SR_TA_ED25519_SIGNATURE_SIZE])
{
	const struct eth_u256 s = from_le(signature + 32);

	return eth_u256_cmp(&s, &order) < 0;
}
