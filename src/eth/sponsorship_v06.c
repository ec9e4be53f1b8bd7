/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/sponsorship_private.h"

/*
 * eth-infinitism's VerifyingPaymaster v0.6 signs the operation's calldata as it stands, up to
 * the length of paymasterAndData: eleven words of head, then initCode and callData.
 */
#define WORD 32u
#define HEAD (11 * WORD)

/* paymaster ‖ abi.encode(validUntil, validAfter) ‖ signature, padded. Its own length is not
 * signed, but the offset of what follows it is. */
#define PAYMASTER_AND_DATA_SIZE (20 + 2 * WORD + 65)

/* A byte string's length, its bytes, and zeros to a whole word. */
static void absorb_bytes(struct eth_keccak *k, const uint8_t *data, size_t len)
{
	static const uint8_t zeros[WORD] = { 0 };

	eth_absorb_u64(k, len);
	if (len > 0)
		eth_keccak_update(k, data, len);
	eth_keccak_update(k, zeros, eth_abi_padded(len) - len);
}

static void absorb_head(struct eth_keccak *k, const struct eth_sponsorship *s)
{
	size_t call_data = HEAD + WORD + eth_abi_padded(s->init_code_len);
	size_t paymaster_and_data = call_data + WORD + eth_abi_padded(s->call_data_len);
	size_t signature = paymaster_and_data + WORD + eth_abi_padded(PAYMASTER_AND_DATA_SIZE);

	eth_absorb_address(k, &s->sender);
	eth_keccak_update(k, s->nonce, 32);
	eth_absorb_u64(k, HEAD);
	eth_absorb_u64(k, call_data);
	eth_absorb_half(k, s->account_gas_limits + 16);
	eth_absorb_half(k, s->account_gas_limits);
	eth_keccak_update(k, s->pre_verification_gas, 32);
	eth_absorb_half(k, s->gas_fees + 16);
	eth_absorb_half(k, s->gas_fees);
	eth_absorb_u64(k, paymaster_and_data);
	eth_absorb_u64(k, signature);
}

/* keccak(abi.encode(bytes pack, chainid, paymaster, senderNonce, validUntil, validAfter)) */
static void hash_pack(const struct eth_sponsorship *s, uint8_t out[static 32])
{
	size_t pack_len = HEAD + 2 * WORD + eth_abi_padded(s->init_code_len) +
			  eth_abi_padded(s->call_data_len);
	struct eth_keccak k;

	eth_keccak_init(&k);
	eth_absorb_u64(&k, 6 * WORD);
	eth_absorb_u64(&k, s->chain_id);
	eth_absorb_address(&k, &s->paymaster);
	eth_keccak_update(&k, s->sender_nonce, 32);
	eth_absorb_u64(&k, s->valid_until);
	eth_absorb_u64(&k, s->valid_after);
	eth_absorb_u64(&k, pack_len);
	absorb_head(&k, s);
	absorb_bytes(&k, s->init_code, s->init_code_len);
	absorb_bytes(&k, s->call_data, s->call_data_len);
	eth_keccak_final(&k, out);
}

bool eth_verifying_paymaster_v06_digest(const struct eth_sponsorship *s, uint8_t out[static 32])
{
	uint8_t hash[32];

	if (!eth_all_zero(s->init_code_hash, 32) || !eth_all_zero(s->call_data_hash, 32) ||
	    !eth_all_zero(s->paymaster_gas_limits, 32))
		return false;
	hash_pack(s, hash);
	eth_personal_digest(hash, out);
	return true;
}
