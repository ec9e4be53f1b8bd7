/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/sponsorship_private.h"

/* The schemes whose hash is EIP-712's. */

/* keccak("PaymasterSignature")[:8] */
const uint8_t eth_paymaster_magic[ETH_PAYMASTER_MAGIC_LEN] = { 0x22, 0xe3, 0x25, 0xa2,
							       0x97, 0x43, 0x96, 0x56 };

const uint8_t eth_packed_user_op_type[32] = {
	0x29, 0xa0, 0xbc, 0xa4, 0xaf, 0x4b, 0xe3, 0x42, 0x13, 0x98, 0xda,
	0x00, 0x29, 0x5e, 0x58, 0xe6, 0xd7, 0xde, 0x38, 0xcb, 0x49, 0x22,
	0x14, 0x75, 0x4c, 0xb6, 0xa4, 0x75, 0x07, 0xdd, 0x6f, 0x8e,
};

/* keccak of OpenZeppelin's UserOperationRequest(address sender,uint256 nonce,bytes initCode,
 * bytes callData,bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,uint256
 * paymasterVerificationGasLimit,uint256 paymasterPostOpGasLimit,uint48 validAfter,uint48
 * validUntil) */
static const uint8_t request_type[32] = {
	0x0c, 0x33, 0x0b, 0x34, 0xf0, 0xaa, 0xd8, 0xca, 0xb1, 0xae, 0x5a,
	0x42, 0x41, 0xb0, 0xd7, 0x53, 0x88, 0x78, 0x6a, 0x99, 0xff, 0xfb,
	0x1a, 0x39, 0xc5, 0xce, 0x8d, 0xec, 0x5a, 0x57, 0x00, 0x67,
};

static void absorb_operation(struct eth_keccak *k, const uint8_t type[static 32],
			     const struct eth_sponsorship *s)
{
	eth_keccak_init(k);
	eth_keccak_update(k, type, 32);
	eth_absorb_address(k, &s->sender);
	eth_keccak_update(k, s->nonce, 32);
	eth_keccak_update(k, s->init_code_hash, 32);
	eth_keccak_update(k, s->call_data_hash, 32);
	eth_keccak_update(k, s->account_gas_limits, 32);
	eth_keccak_update(k, s->pre_verification_gas, 32);
	eth_keccak_update(k, s->gas_fees, 32);
}

void eth_paymaster_signer_digest(const struct eth_sponsorship *s, uint8_t out[static 32])
{
	const struct eth_u256 chain_id = eth_u256_from_u64(s->chain_id);
	uint8_t separator[32];
	uint8_t request[32];
	struct eth_keccak k;

	absorb_operation(&k, request_type, s);
	eth_absorb_half(&k, s->paymaster_gas_limits);
	eth_absorb_half(&k, s->paymaster_gas_limits + 16);
	/* this contract has validAfter first, as in its paymasterData */
	eth_absorb_u64(&k, s->valid_after);
	eth_absorb_u64(&k, s->valid_until);
	eth_keccak_final(&k, request);
	eth_eip712_hashed_separator(s->domain_name_hash, s->domain_version_hash, &chain_id,
				    &s->paymaster, separator);
	eth_eip712_digest(separator, request, out);
}

/* What v0.9 hashes of paymasterAndData: all but the signature and its length. */
static void hash_parallel_data(const struct eth_sponsorship *s, uint8_t out[static 32])
{
	struct eth_keccak k;

	eth_keccak_init(&k);
	eth_keccak_update(&k, s->paymaster.bytes, sizeof(s->paymaster.bytes));
	eth_keccak_update(&k, s->paymaster_gas_limits, 32);
	eth_absorb_time(&k, s->valid_until);
	eth_absorb_time(&k, s->valid_after);
	eth_keccak_update(&k, eth_paymaster_magic, sizeof(eth_paymaster_magic));
	eth_keccak_final(&k, out);
}

/* The operation's userOpHash, as EntryPoint v0.9 hands it to the paymaster, as a personal
 * message: the account signs the bare hash, and no signature can stand for the other's. */
void eth_parallel_paymaster_digest(const struct eth_sponsorship *s, uint8_t out[static 32])
{
	const struct eth_eip712_domain domain = { "ERC4337", "1", eth_u256_from_u64(s->chain_id),
						  s->entry_point };
	uint8_t separator[32];
	uint8_t hash[32];
	struct eth_keccak k;

	hash_parallel_data(s, hash);
	absorb_operation(&k, eth_packed_user_op_type, s);
	eth_keccak_update(&k, hash, 32);
	eth_keccak_final(&k, hash);
	eth_eip712_domain_separator(&domain, separator);
	eth_eip712_digest(separator, hash, hash);
	eth_personal_digest(hash, out);
}
