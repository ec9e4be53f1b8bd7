/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ed25519_public.h"
#include "eth/eth_core.h"
#include "memory.h"
#include "transport.h"

#define SHA512_SIZE 64

/* ---- the scalar's multiple of the base point --------------------------------- */

static TEE_Result sha512(const uint8_t *data, size_t len, uint8_t out[static SHA512_SIZE])
{
	TEE_OperationHandle operation = TEE_HANDLE_NULL;
	size_t out_len = SHA512_SIZE;
	TEE_Result result = TEE_AllocateOperation(&operation, TEE_ALG_SHA512, TEE_MODE_DIGEST, 0);

	if (result != TEE_SUCCESS)
		return result;
	result = TEE_DigestDoFinal(operation, data, len, out, &out_len);
	TEE_FreeOperation(operation);
	return result;
}

static TEE_Result multiply_base(const uint8_t *scalar, uint8_t u[static 32])
{
	const uint8_t base_point[32] = { 9 };

	return ta_x25519(scalar, base_point, u);
}

/* ---- from u to y ---------------------------------------------------------- */

/* 2^255 - 19 */
static const struct eth_u256 prime = { { 0xffffffffffffffed, 0xffffffffffffffff, 0xffffffffffffffff,
					 0x7fffffffffffffff } };

static struct eth_u256 from_le(const uint8_t le[static 32])
{
	struct eth_u256 v = { { 0 } };

	for (unsigned i = 0; i < 32; i++)
		v.limb[i / 8] |= (uint64_t)le[i] << (8 * (i % 8));
	return v;
}

static void to_le(const struct eth_u256 *v, uint8_t out[static 32])
{
	for (unsigned i = 0; i < 32; i++)
		out[i] = (uint8_t)(v->limb[i / 8] >> (8 * (i % 8)));
}

/* All numbers are below the prime, so no sum of two overflows 256 bits. */
static struct eth_u256 subtract(const struct eth_u256 *a, const struct eth_u256 *b)
{
	struct eth_u256 v = { { 0 } };

	if (!eth_u256_sub(a, b, &v))
		(void)!eth_u256_add(&v, &prime, &v);
	return v;
}

static void shift_down(struct eth_u256 *v)
{
	for (unsigned i = 0; i < 3; i++)
		v->limb[i] = v->limb[i] >> 1 | v->limb[i + 1] << 63;
	v->limb[3] >>= 1;
}

/* Half of v modulo the prime: v, or v and the odd prime, is even. */
static void halve(struct eth_u256 *v)
{
	if (v->limb[0] & 1)
		(void)!eth_u256_add(v, &prime, v);
	shift_down(v);
}

/* Keeps x = n · numerator / denominator as n loses its factors of two. */
static void strip_twos(struct eth_u256 *n, struct eth_u256 *x)
{
	while (!(n->limb[0] & 1)) {
		shift_down(n);
		halve(x);
	}
}

/* numerator / denominator modulo the prime, by the binary form of Euclid's algorithm,
 * which needs no multiplication. The denominator is not 0. */
static struct eth_u256 divide_var(struct eth_u256 numerator, struct eth_u256 denominator)
{
	struct eth_u256 a = denominator;
	struct eth_u256 b = prime;
	struct eth_u256 x = numerator;
	struct eth_u256 y = { { 0 } };

	/* a = x · denominator / numerator, b = y · the same, and gcd(a, b) = 1. */
	strip_twos(&a, &x);
	while (eth_u256_cmp(&a, &b) != 0) {
		if (eth_u256_cmp(&a, &b) > 0) {
			(void)!eth_u256_sub(&a, &b, &a);
			x = subtract(&x, &y);
			strip_twos(&a, &x);
		} else {
			(void)!eth_u256_sub(&b, &a, &b);
			y = subtract(&y, &x);
			strip_twos(&b, &y);
		}
	}
	return x;
}

/* False for numbers that are no point's. The arithmetic takes time as the numbers are:
 * they are public. */
static bool y_of_u_var(const uint8_t u[static 32], uint8_t y[static 32])
{
	const struct eth_u256 one = eth_u256_from_u64(1);
	const struct eth_u256 zero = eth_u256_from_u64(0);
	const struct eth_u256 v = from_le(u);
	const struct eth_u256 minus_one = subtract(&zero, &one);
	struct eth_u256 quotient = { { 0 } };

	memset(y, 0, 32);
	/* u = -1 has no y, and numbers from the prime up are no field elements. */
	if (eth_u256_cmp(&v, &minus_one) >= 0)
		return false;
	quotient = divide_var(subtract(&v, &one), subtract(&v, &minus_one));
	to_le(&quotient, y);
	return true;
}

TEE_Result ta_ed25519_point(const uint8_t seed[static SR_TA_SECRET_SIZE],
			    uint8_t out[static SR_TA_ED25519_PUBLIC_SIZE])
{
	uint8_t hash[SHA512_SIZE] = { 0 };
	uint8_t u[32] = { 0 };
	TEE_Result result = sha512(seed, SR_TA_SECRET_SIZE, hash);

	memset(out, 0, SR_TA_ED25519_PUBLIC_SIZE);
	/* The hash's second half is for nonces, and no part of the scalar. */
	if (result == TEE_SUCCESS)
		result = multiply_base(hash, u);
	ta_wipe(hash, sizeof(hash));
	if (result == TEE_SUCCESS && !y_of_u_var(u, out))
		result = TEE_ERROR_SECURITY;
	return result;
}
