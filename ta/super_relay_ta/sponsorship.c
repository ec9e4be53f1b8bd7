/* SPDX-License-Identifier: Apache-2.0 */
#include "sponsorship.h"
#include "super_relay_ta.h"

/* uint48, as the contracts have their times, without the bit that makes block numbers of them. */
#define TIME_MAX ((UINT64_C(1) << 47) - 1)

#define SAME(name) \
	_Static_assert((int)ETH_SCHEME_##name == SR_TA_SCHEME_##name, "one number for both")
SAME(VERIFYING_PAYMASTER_V07);
SAME(VERIFYING_PAYMASTER_V06);
SAME(SINGLETON_V6);
SAME(SINGLETON_V7);
SAME(SINGLETON_V8);
SAME(OPENZEPPELIN);
SAME(PARALLEL_V09);

bool ta_sponsorship_scheme(uint8_t number, enum eth_sponsorship_scheme *out)
{
	if (number < SR_TA_SCHEME_VERIFYING_PAYMASTER_V07 || number > SR_TA_SCHEME_PARALLEL_V09)
		return false;
	*out = (enum eth_sponsorship_scheme)number;
	return true;
}

static void read_common(struct ta_reader *in, struct eth_sponsorship *out)
{
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

static void read_long_string(struct ta_reader *in, const uint8_t **data, size_t *len)
{
	*len = ta_get_u16(in);
	*data = ta_get_view(in, *len);
}

static void read_added(struct ta_reader *in, struct eth_sponsorship *out)
{
	switch (out->scheme) {
	case ETH_SCHEME_VERIFYING_PAYMASTER_V06:
		ta_get_bytes(in, out->sender_nonce, sizeof(out->sender_nonce));
		read_long_string(in, &out->init_code, &out->init_code_len);
		read_long_string(in, &out->call_data, &out->call_data_len);
		return;
	case ETH_SCHEME_SINGLETON_V8:
		ta_get_bytes(in, out->delegate_init_code_hash,
			     sizeof(out->delegate_init_code_hash));
		out->data_len = ta_get_u8(in);
		out->data = ta_get_view(in, out->data_len);
		return;
	case ETH_SCHEME_SINGLETON_V6:
	case ETH_SCHEME_SINGLETON_V7:
		out->data_len = ta_get_u8(in);
		out->data = ta_get_view(in, out->data_len);
		return;
	case ETH_SCHEME_OPENZEPPELIN:
		ta_get_bytes(in, out->domain_name_hash, sizeof(out->domain_name_hash));
		ta_get_bytes(in, out->domain_version_hash, sizeof(out->domain_version_hash));
		return;
	case ETH_SCHEME_VERIFYING_PAYMASTER_V07:
	case ETH_SCHEME_PARALLEL_V09:
	default:
		return;
	}
}

bool ta_sponsorship_read(struct ta_reader *in, enum eth_sponsorship_scheme scheme,
			 struct eth_sponsorship *out)
{
	*out = (struct eth_sponsorship){ .scheme = scheme };
	read_common(in, out);
	read_added(in, out);
	return !in->failed;
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
