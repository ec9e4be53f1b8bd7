/* SPDX-License-Identifier: Apache-2.0 */
#include "sponsorship.h"

/* uint48, as the contract has its times. */
#define TIME_MAX ((UINT64_C(1) << 48) - 1)

void ta_sponsorship_read(struct ta_reader *in, struct eth_sponsorship *out)
{
	*out = (struct eth_sponsorship){ 0 };
	out->chain_id = ta_get_u64(in);
	ta_get_bytes(in, out->entry_point.bytes, sizeof(out->entry_point.bytes));
	ta_get_bytes(in, out->paymaster.bytes, sizeof(out->paymaster.bytes));
	ta_get_bytes(in, out->sender.bytes, sizeof(out->sender.bytes));
	ta_get_bytes(in, out->nonce, sizeof(out->nonce));
	ta_get_bytes(in, out->init_code_hash, sizeof(out->init_code_hash));
	ta_get_bytes(in, out->call_data_hash, sizeof(out->call_data_hash));
	ta_get_bytes(in, out->account_gas_limits, sizeof(out->account_gas_limits));
	ta_get_bytes(in, out->paymaster_gas_limits, sizeof(out->paymaster_gas_limits));
	ta_get_bytes(in, out->pre_verification_gas, sizeof(out->pre_verification_gas));
	ta_get_bytes(in, out->gas_fees, sizeof(out->gas_fees));
	out->valid_until = ta_get_u64(in);
	out->valid_after = ta_get_u64(in);
}

static bool is_zero(const struct eth_address *address)
{
	uint8_t any = 0;

	for (size_t i = 0; i < sizeof(address->bytes); i++)
		any |= address->bytes[i];
	return !any;
}

TEE_Result ta_sponsorship_check(const struct eth_sponsorship *s)
{
	/* validUntil 0 would mean for ever to the contract, and a signature that never
	 * expires is a claim on the deposit that never goes away. validAfter may be 0. */
	if (s->valid_until > TIME_MAX || s->valid_after > TIME_MAX || !s->valid_until ||
	    s->valid_until <= s->valid_after)
		return TEE_ERROR_BAD_PARAMETERS;
	/* A digest without chain or paymaster would be good where it was not meant. */
	if (!s->chain_id || is_zero(&s->entry_point) || is_zero(&s->paymaster))
		return TEE_ERROR_BAD_PARAMETERS;
	return TEE_SUCCESS;
}
