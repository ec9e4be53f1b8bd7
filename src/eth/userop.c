/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth_private.h"

#include <stdlib.h>
#include <string.h>

/*
 * The packed form, which the chain sees: what the EntryPoint hashes and splits.
 * Wherever JSON and the contract could differ, the contract's rule is here.
 */

/* In the place of a factory's address: "the account is an EIP-7702 delegation". */
const struct eth_address eth_7702_marker = { { 0x77, 0x02 } };

void eth_user_op_free(struct eth_user_op *op)
{
	free(op->owned);
	memset(op, 0, sizeof(*op));
}

bool eth_ends_in_paymaster_magic(struct sr_bytes data)
{
	return data.len >= ETH_PAYMASTER_MAGIC_LEN &&
	       memcmp(data.data + data.len - ETH_PAYMASTER_MAGIC_LEN, eth_paymaster_magic,
		      ETH_PAYMASTER_MAGIC_LEN) == 0;
}

bool eth_paymaster_signature_length(struct sr_bytes data, size_t *out, struct sr_error *err)
{
	const uint8_t *suffix = NULL;
	size_t before = 0;
	size_t len = 0;

	*out = 0;
	if (data.len < ETH_PAYMASTER_SUFFIX_LEN || !eth_ends_in_paymaster_magic(data))
		return true;
	before = data.len - ETH_PAYMASTER_SUFFIX_LEN;
	suffix = data.data + before;
	len = (size_t)suffix[0] << 8 | suffix[1];
	if (len > before)
		return sr_fail(err, SR_E_INVALID,
			       "paymasterData: ends in the paymaster signature magic and a length "
			       "of %zu bytes, expected at most the %zu that stand before it "
			       "(or give the signature as paymasterSignature)",
			       len, before);
	*out = len;
	return true;
}

static bool check_u128(const struct eth_u256 *v, const char *name, struct sr_error *err)
{
	unsigned bits = eth_u256_bits(v);

	return bits <= 128 ||
	       sr_fail(err, SR_E_INVALID, "%s: expected at most 128 bits, got %u", name, bits);
}

bool eth_user_op_check_packable(const struct eth_user_op *op, struct sr_error *err)
{
	if (op->paymaster_signature.len > ETH_PAYMASTER_SIGNATURE_MAX)
		return sr_fail(err, SR_E_INVALID,
			       "paymasterSignature: expected at most %d bytes, got %zu",
			       ETH_PAYMASTER_SIGNATURE_MAX, op->paymaster_signature.len);
	return check_u128(&op->call_gas_limit, "callGasLimit", err) &&
	       check_u128(&op->verification_gas_limit, "verificationGasLimit", err) &&
	       check_u128(&op->max_fee_per_gas, "maxFeePerGas", err) &&
	       check_u128(&op->max_priority_fee_per_gas, "maxPriorityFeePerGas", err) &&
	       check_u128(&op->paymaster_verification_gas_limit, "paymasterVerificationGasLimit",
			  err) &&
	       check_u128(&op->paymaster_post_op_gas_limit, "paymasterPostOpGasLimit", err);
}

void eth_pack_two_u128(const struct eth_u256 *high, const struct eth_u256 *low,
		       uint8_t out[static 32])
{
	const struct eth_u256 both = { { low->limb[0], low->limb[1], high->limb[0],
					 high->limb[1] } };

	eth_u256_to_be(&both, out);
}

const struct eth_address *eth_user_op_factory(const struct eth_user_op *op)
{
	return op->factory_is_7702 ? &eth_7702_marker : &op->factory;
}

static void append(struct sr_buf *out, struct sr_bytes bytes)
{
	sr_buf_append(out, bytes.data, bytes.len);
}

/* paymaster ‖ verification gas ‖ postOp gas ‖ data, and v0.9's suffix. An empty
 * signature adds no suffix, as in the contract's own encoder. */
static void pack_paymaster(const struct eth_user_op *op, struct sr_buf *out)
{
	uint8_t limits[32];
	size_t signature_len = op->paymaster_signature.len;

	eth_pack_two_u128(&op->paymaster_verification_gas_limit, &op->paymaster_post_op_gas_limit,
			  limits);
	sr_buf_append(out, op->paymaster.bytes, sizeof(op->paymaster.bytes));
	sr_buf_append(out, limits, sizeof(limits));
	append(out, op->paymaster_data);
	if (op->version >= ETH_ENTRY_POINT_V09 && signature_len > 0) {
		const uint8_t length[2] = { (uint8_t)(signature_len >> 8), (uint8_t)signature_len };

		append(out, op->paymaster_signature);
		sr_buf_append(out, length, sizeof(length));
		sr_buf_append(out, eth_paymaster_magic, sizeof(eth_paymaster_magic));
	}
}

bool eth_user_op_pack(const struct eth_user_op *op, struct eth_packed_user_op *out,
		      struct sr_error *err)
{
	memset(out, 0, sizeof(*out));
	if (op->version < ETH_ENTRY_POINT_V07)
		return sr_fail(err, SR_E_INVALID,
			       "the packed form exists from EntryPoint v0.7, this is v%s",
			       eth_entry_point_name(op->version));
	if (!eth_user_op_check_packable(op, err))
		return false;
	eth_pack_two_u128(&op->verification_gas_limit, &op->call_gas_limit,
			  out->account_gas_limits);
	eth_pack_two_u128(&op->max_priority_fee_per_gas, &op->max_fee_per_gas, out->gas_fees);
	if (op->has_factory) {
		sr_buf_append(&out->init_code, eth_user_op_factory(op)->bytes, 20);
		append(&out->init_code, op->factory_data);
	}
	if (op->has_paymaster)
		pack_paymaster(op, &out->paymaster_and_data);
	if (out->init_code.failed || out->paymaster_and_data.failed) {
		eth_packed_user_op_free(out);
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory packing a UserOperation");
	}
	return true;
}

void eth_packed_user_op_free(struct eth_packed_user_op *packed)
{
	sr_buf_free(&packed->init_code);
	sr_buf_free(&packed->paymaster_and_data);
}

bool eth_user_op_max_cost(const struct eth_user_op *op, struct eth_u256 *out)
{
	/* v0.6 runs verification, validation by the paymaster and postOp each
	 * under verificationGasLimit, so it is charged three times */
	uint64_t times = op->version == ETH_ENTRY_POINT_V06 && op->paymaster_and_data.len ? 3 : 1;
	const struct eth_u256 factor = eth_u256_from_u64(times);
	struct eth_u256 gas = { { 0 } };

	if (!eth_u256_mul(&op->verification_gas_limit, &factor, &gas) ||
	    !eth_u256_add(&gas, &op->call_gas_limit, &gas) ||
	    !eth_u256_add(&gas, &op->pre_verification_gas, &gas))
		return false;
	if (op->version >= ETH_ENTRY_POINT_V07 && op->has_paymaster &&
	    (!eth_u256_add(&gas, &op->paymaster_verification_gas_limit, &gas) ||
	     !eth_u256_add(&gas, &op->paymaster_post_op_gas_limit, &gas)))
		return false;
	return eth_u256_mul(&gas, &op->max_fee_per_gas, out);
}
