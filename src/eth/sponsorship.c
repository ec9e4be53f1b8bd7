/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth_core.h"

#include <string.h>

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

/* abi.encode of static types is their words in a row: absorbed as they come,
 * so that the TA holds no copy of the encoding. */
static void absorb_u64(struct eth_keccak *k, uint64_t v)
{
	uint8_t word[32];

	eth_abi_u64(word, v);
	eth_keccak_update(k, word, sizeof(word));
}

static void absorb_address(struct eth_keccak *k, const struct eth_address *a)
{
	uint8_t word[32];

	eth_abi_address(word, a);
	eth_keccak_update(k, word, sizeof(word));
}

void eth_verifying_paymaster_v07_digest(const struct eth_sponsorship *s, uint8_t out[static 32])
{
	struct eth_keccak k;
	uint8_t hash[32];

	/* this order is the contract's; entry_point is not in it */
	eth_keccak_init(&k);
	absorb_address(&k, &s->sender);
	eth_keccak_update(&k, s->nonce, 32);
	eth_keccak_update(&k, s->init_code_hash, 32);
	eth_keccak_update(&k, s->call_data_hash, 32);
	eth_keccak_update(&k, s->account_gas_limits, 32);
	eth_keccak_update(&k, s->paymaster_gas_limits, 32);
	eth_keccak_update(&k, s->pre_verification_gas, 32);
	eth_keccak_update(&k, s->gas_fees, 32);
	absorb_u64(&k, s->chain_id);
	absorb_address(&k, &s->paymaster);
	absorb_u64(&k, s->valid_until);
	absorb_u64(&k, s->valid_after);
	eth_keccak_final(&k, hash);
	eth_personal_digest(hash, out);
}
