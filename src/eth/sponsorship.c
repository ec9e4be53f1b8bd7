/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/sponsorship_private.h"

#include <string.h>

/* Validity ranges of blocks have this bit, in EntryPoint v0.9 and at OpenZeppelin. */
#define TIME_BITS 47

void eth_personal_digest(const uint8_t hash[static 32], uint8_t out[static 32])
{
	/* the array has no NUL: its 28 bytes are exactly EIP-191's prefix */
	static const char prefix[28] = "\x19"
				       "Ethereum Signed Message:\n32";
	struct eth_keccak k;

	eth_keccak_init(&k);
	eth_keccak_update(&k, prefix, sizeof(prefix));
	eth_keccak_update(&k, hash, 32);
	eth_keccak_final(&k, out);
}

void eth_absorb_u64(struct eth_keccak *k, uint64_t v)
{
	uint8_t word[32];

	eth_abi_u64(word, v);
	eth_keccak_update(k, word, sizeof(word));
}

void eth_absorb_address(struct eth_keccak *k, const struct eth_address *a)
{
	uint8_t word[32];

	eth_abi_address(word, a);
	eth_keccak_update(k, word, sizeof(word));
}

void eth_absorb_half(struct eth_keccak *k, const uint8_t half[static 16])
{
	static const uint8_t zeros[16] = { 0 };

	eth_keccak_update(k, zeros, sizeof(zeros));
	eth_keccak_update(k, half, 16);
}

void eth_absorb_time(struct eth_keccak *k, uint64_t time)
{
	uint8_t word[32];

	eth_abi_u64(word, time);
	eth_keccak_update(k, word + 26, 6);
}

bool eth_all_zero(const uint8_t *data, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= data[i];
	return any == 0;
}

void eth_verifying_paymaster_v07_digest(const struct eth_sponsorship *s, uint8_t out[static 32])
{
	struct eth_keccak k;
	uint8_t hash[32];

	/* this order is the contract's; entry_point is not in it */
	eth_keccak_init(&k);
	eth_absorb_address(&k, &s->sender);
	eth_keccak_update(&k, s->nonce, 32);
	eth_keccak_update(&k, s->init_code_hash, 32);
	eth_keccak_update(&k, s->call_data_hash, 32);
	eth_keccak_update(&k, s->account_gas_limits, 32);
	eth_keccak_update(&k, s->paymaster_gas_limits, 32);
	eth_keccak_update(&k, s->pre_verification_gas, 32);
	eth_keccak_update(&k, s->gas_fees, 32);
	eth_absorb_u64(&k, s->chain_id);
	eth_absorb_address(&k, &s->paymaster);
	eth_absorb_u64(&k, s->valid_until);
	eth_absorb_u64(&k, s->valid_after);
	eth_keccak_final(&k, hash);
	eth_personal_digest(hash, out);
}

bool eth_sponsorship_digest(const struct eth_sponsorship *s, uint8_t out[static 32])
{
	if (s->valid_until >> TIME_BITS || s->valid_after >> TIME_BITS)
		return false;
	switch (s->scheme) {
	case ETH_SCHEME_VERIFYING_PAYMASTER_V07:
		eth_verifying_paymaster_v07_digest(s, out);
		return true;
	case ETH_SCHEME_VERIFYING_PAYMASTER_V06:
		return eth_verifying_paymaster_v06_digest(s, out);
	case ETH_SCHEME_SINGLETON_V6:
	case ETH_SCHEME_SINGLETON_V7:
	case ETH_SCHEME_SINGLETON_V8:
		return eth_singleton_digest(s, out);
	case ETH_SCHEME_OPENZEPPELIN:
		eth_paymaster_signer_digest(s, out);
		return true;
	case ETH_SCHEME_PARALLEL_V09:
		eth_parallel_paymaster_digest(s, out);
		return true;
	}
	return false;
}

static bool add_half(const uint8_t half[static 16], struct eth_u256 *sum)
{
	uint8_t word[32] = { 0 };
	struct eth_u256 v = { { 0 } };

	memcpy(word + 16, half, 16);
	v = eth_u256_from_be(word);
	return eth_u256_add(sum, &v, sum);
}

static bool is_v06(const struct eth_sponsorship *s)
{
	return s->scheme == ETH_SCHEME_VERIFYING_PAYMASTER_V06 ||
	       s->scheme == ETH_SCHEME_SINGLETON_V6;
}

bool eth_sponsorship_cost(const struct eth_sponsorship *s, struct eth_u256 *out)
{
	const uint8_t *verification = s->account_gas_limits;
	/* what the paymaster's own calls may use */
	const uint8_t *validation = is_v06(s) ? verification : s->paymaster_gas_limits;
	const uint8_t *post_op = is_v06(s) ? verification : s->paymaster_gas_limits + 16;
	struct eth_u256 gas = eth_u256_from_be(s->pre_verification_gas);
	struct eth_u256 fee = { { 0 } };

	return add_half(verification, &gas) && add_half(s->account_gas_limits + 16, &gas) &&
	       add_half(validation, &gas) && add_half(post_op, &gas) &&
	       add_half(s->gas_fees + 16, &fee) && eth_u256_mul(&gas, &fee, out);
}
