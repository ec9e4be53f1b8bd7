/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth_private.h"

#include <string.h>

/* Byte strings are absorbed piece by piece: no packed copy is ever made. */
static void absorb(struct eth_keccak *k, struct sr_bytes bytes)
{
	eth_keccak_update(k, bytes.data, bytes.len);
}

static void hash_bytes(struct sr_bytes bytes, uint8_t out[static 32])
{
	eth_keccak256(bytes.data, bytes.len, out);
}

/*
 * From v0.8 an initCode that begins with the EIP-7702 marker is hashed with the
 * account's delegate in the marker's place, so that the hash commits to the
 * code that will run.
 */
static bool hash_init_code(const struct eth_user_op *op, const struct eth_address *delegate,
			   uint8_t out[static 32], struct sr_error *err)
{
	const struct eth_address *first = eth_user_op_factory(op);
	struct eth_keccak k;

	eth_keccak_init(&k);
	if (op->has_factory) {
		if (op->version >= ETH_ENTRY_POINT_V08 &&
		    memcmp(first, &eth_7702_marker, sizeof(*first)) == 0) {
			if (!delegate)
				return sr_fail(err, SR_E_INVALID,
					       "factory: is the EIP-7702 marker, so the hash needs "
					       "the account's delegate, and none was given");
			first = delegate;
		}
		eth_keccak_update(&k, first->bytes, sizeof(first->bytes));
		absorb(&k, op->factory_data);
	}
	eth_keccak_final(&k, out);
	return true;
}

/*
 * v0.9 leaves an appended paymaster signature and its length out of the hash
 * and keeps the magic, so that paymaster and account can sign in parallel.
 */
static bool hash_paymaster_and_data(const struct eth_user_op *op, uint8_t out[static 32],
				    struct sr_error *err)
{
	struct sr_bytes data = op->paymaster_data;
	size_t signature_len = op->paymaster_signature.len;
	uint8_t limits[32];
	struct eth_keccak k;

	eth_keccak_init(&k);
	if (!op->has_paymaster) {
		eth_keccak_final(&k, out);
		return true;
	}
	if (op->version < ETH_ENTRY_POINT_V09) {
		signature_len = 0;
	} else if (signature_len == 0) {
		if (!eth_paymaster_signature_length(data, &signature_len, err))
			return false;
		if (signature_len > 0)
			data.len -= signature_len + ETH_PAYMASTER_SUFFIX_LEN;
	}
	eth_pack_two_u128(&op->paymaster_verification_gas_limit, &op->paymaster_post_op_gas_limit,
			  limits);
	eth_keccak_update(&k, op->paymaster.bytes, sizeof(op->paymaster.bytes));
	eth_keccak_update(&k, limits, sizeof(limits));
	absorb(&k, data);
	if (signature_len > 0)
		eth_keccak_update(&k, eth_paymaster_magic, sizeof(eth_paymaster_magic));
	eth_keccak_final(&k, out);
	return true;
}

/* v0.6 and v0.7: keccak(abi.encode(hash of the operation, EntryPoint, chain id)). */
static void wrap(const uint8_t inner[static 32], const struct eth_address *entry_point,
		 const struct eth_u256 *chain_id, uint8_t out[static 32])
{
	uint8_t words[3][32];

	memcpy(words[0], inner, 32);
	eth_abi_address(words[1], entry_point);
	eth_abi_u256(words[2], chain_id);
	eth_keccak256(words, sizeof(words), out);
}

/* v0.6 does not pack: every number has a word of its own. */
static void hash_v06(const struct eth_user_op *op, uint8_t out[static 32])
{
	uint8_t words[10][32];

	eth_abi_address(words[0], &op->sender);
	eth_abi_u256(words[1], &op->nonce);
	hash_bytes(op->init_code, words[2]);
	hash_bytes(op->call_data, words[3]);
	eth_abi_u256(words[4], &op->call_gas_limit);
	eth_abi_u256(words[5], &op->verification_gas_limit);
	eth_abi_u256(words[6], &op->pre_verification_gas);
	eth_abi_u256(words[7], &op->max_fee_per_gas);
	eth_abi_u256(words[8], &op->max_priority_fee_per_gas);
	hash_bytes(op->paymaster_and_data, words[9]);
	eth_keccak256(words, sizeof(words), out);
}

/* words[0] is the EIP-712 type, which v0.7 leaves out; the rest is the same. */
static bool packed_words(const struct eth_user_op *op, const struct eth_address *delegate,
			 uint8_t words[static 9][32], struct sr_error *err)
{
	memcpy(words[0], eth_packed_user_op_type, 32);
	eth_abi_address(words[1], &op->sender);
	eth_abi_u256(words[2], &op->nonce);
	hash_bytes(op->call_data, words[4]);
	eth_pack_two_u128(&op->verification_gas_limit, &op->call_gas_limit, words[5]);
	eth_abi_u256(words[6], &op->pre_verification_gas);
	eth_pack_two_u128(&op->max_priority_fee_per_gas, &op->max_fee_per_gas, words[7]);
	return hash_init_code(op, delegate, words[3], err) &&
	       hash_paymaster_and_data(op, words[8], err);
}

bool eth_user_op_hash(const struct eth_user_op *op, const struct eth_address *entry_point,
		      const struct eth_u256 *chain_id, const struct eth_address *delegate,
		      uint8_t out[static 32], struct sr_error *err)
{
	struct eth_eip712_domain domain = { "ERC4337", "1", *chain_id, *entry_point };
	uint8_t words[9][32];
	uint8_t inner[32];
	uint8_t separator[32];

	if (op->version == ETH_ENTRY_POINT_V06) {
		hash_v06(op, inner);
		wrap(inner, entry_point, chain_id, out);
		return true;
	}
	if (!eth_user_op_check_packable(op, err) || !packed_words(op, delegate, words, err))
		return false;
	if (op->version == ETH_ENTRY_POINT_V07) {
		eth_keccak256(words[1], sizeof(words) - sizeof(words[0]), inner);
		wrap(inner, entry_point, chain_id, out);
		return true;
	}
	eth_keccak256(words, sizeof(words), inner);
	eth_eip712_domain_separator(&domain, separator);
	eth_eip712_digest(separator, inner, out);
	return true;
}
