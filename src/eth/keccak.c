/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth_core.h"

#include <string.h>

/*
 * Keccak[c = 512] as Ethereum has it since before SHA-3 was fixed. The state is
 * 5 by 5 lanes of 64 bits; a message is xored into the first 17 of them, block
 * by block, with the permutation between blocks.
 */

#define RATE 136 /* bytes a block: 1600 bits less twice the 256-bit capacity */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

static const uint64_t round_constants[24] = {
	0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
	0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
	0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
	0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
	0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
	0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008,
};

/* n is 0 to 63; the second shift is masked so that n = 0 is defined too. */
ALWAYS_INLINE uint64_t rotl(uint64_t v, unsigned n)
{
	return v << n | v >> (-n & 63);
}

/* Theta and rho of one lane; d holds theta's column parities. */
ALWAYS_INLINE uint64_t lane(const uint64_t a[25], const uint64_t d[5], unsigned i, unsigned turn)
{
	return rotl(a[i] ^ d[i % 5], turn);
}

ALWAYS_INLINE void chi(uint64_t out[5], uint64_t b0, uint64_t b1, uint64_t b2, uint64_t b3,
		       uint64_t b4)
{
	out[0] = b0 ^ (~b1 & b2);
	out[1] = b1 ^ (~b2 & b3);
	out[2] = b2 ^ (~b3 & b4);
	out[3] = b3 ^ (~b4 & b0);
	out[4] = b4 ^ (~b0 & b1);
}

/*
 * One round from a to e. Lane (x, y) is a[x + 5y]; pi is folded into the order
 * in which each row picks its lanes. Two arrays instead of one let the
 * compiler keep lanes in registers, which makes this about three times as fast
 * as loops over the offsets.
 */
ALWAYS_INLINE void permute_round(const uint64_t a[25], uint64_t e[25], uint64_t constant)
{
	uint64_t c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
	uint64_t c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
	uint64_t c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
	uint64_t c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
	uint64_t c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
	const uint64_t d[5] = { c4 ^ rotl(c1, 1), c0 ^ rotl(c2, 1), c1 ^ rotl(c3, 1),
				c2 ^ rotl(c4, 1), c3 ^ rotl(c0, 1) };

	chi(e, lane(a, d, 0, 0), lane(a, d, 6, 44), lane(a, d, 12, 43), lane(a, d, 18, 21),
	    lane(a, d, 24, 14));
	chi(e + 5, lane(a, d, 3, 28), lane(a, d, 9, 20), lane(a, d, 10, 3), lane(a, d, 16, 45),
	    lane(a, d, 22, 61));
	chi(e + 10, lane(a, d, 1, 1), lane(a, d, 7, 6), lane(a, d, 13, 25), lane(a, d, 19, 8),
	    lane(a, d, 20, 18));
	chi(e + 15, lane(a, d, 4, 27), lane(a, d, 5, 36), lane(a, d, 11, 10), lane(a, d, 17, 15),
	    lane(a, d, 23, 56));
	chi(e + 20, lane(a, d, 2, 62), lane(a, d, 8, 55), lane(a, d, 14, 39), lane(a, d, 15, 41),
	    lane(a, d, 21, 2));
	e[0] ^= constant;
}

/* 24 rounds, two at a time so that the result is back in a. */
static void permute(uint64_t state[25])
{
	uint64_t a[25];
	uint64_t e[25];

	memcpy(a, state, sizeof(a));
	for (unsigned r = 0; r < 24; r += 2) {
		permute_round(a, e, round_constants[r]);
		permute_round(e, a, round_constants[r + 1]);
	}
	memcpy(state, a, sizeof(a));
}

/* The state's lanes are little-endian whatever the machine is. */
ALWAYS_INLINE uint64_t load_le64(const uint8_t *p)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 8; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

void eth_keccak_init(struct eth_keccak *k)
{
	memset(k, 0, sizeof(*k));
}

void eth_keccak_update(struct eth_keccak *k, const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len > 0) {
		/* whole lanes where both sides allow it: eight bytes at once */
		if (k->used % 8 == 0 && len >= 8) {
			k->state[k->used / 8] ^= load_le64(p);
			k->used += 8;
			p += 8;
			len -= 8;
		} else {
			k->state[k->used / 8] ^= (uint64_t)*p << (8 * (k->used % 8));
			k->used++;
			p++;
			len--;
		}
		if (k->used == RATE) {
			permute(k->state);
			k->used = 0;
		}
	}
}

void eth_keccak_final(struct eth_keccak *k, uint8_t out[static 32])
{
	/* Keccak's own padding: 0x01, where SHA-3 puts 0x06. */
	k->state[k->used / 8] ^= (uint64_t)0x01 << (8 * (k->used % 8));
	k->state[RATE / 8 - 1] ^= (uint64_t)0x80 << 56;
	permute(k->state);
	for (unsigned i = 0; i < 32; i++)
		out[i] = (uint8_t)(k->state[i / 8] >> (8 * (i % 8)));
	memset(k, 0, sizeof(*k));
	/* What was hashed may be secret: the compiler may not drop the memset. */
	__asm__ volatile("" : : "r"(k) : "memory");
}

void eth_keccak256(const void *data, size_t len, uint8_t out[static 32])
{
	struct eth_keccak k;

	eth_keccak_init(&k);
	eth_keccak_update(&k, data, len);
	eth_keccak_final(&k, out);
}
