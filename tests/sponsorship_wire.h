/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a sponsorship as the TA's wire has it, for tests of eth without the TA. */
#ifndef SR_TEST_SPONSORSHIP_WIRE_H
#define SR_TEST_SPONSORSHIP_WIRE_H

#include <string.h>

#include "eth/eth.h"

/* Cuts len bytes off *in; what is not there stays as it was, and fails at the end. */
static inline bool wire_take(struct eth_view *in, void *out, size_t len)
{
	if (in->len < len)
		return false;
	memcpy(out, in->data, len);
	in->data += len;
	in->len -= len;
	return true;
}

static inline bool wire_u64(struct eth_view *in, uint64_t *out)
{
	uint8_t bytes[8] = { 0 };

	if (!wire_take(in, bytes, sizeof(bytes)))
		return false;
	*out = 0;
	for (unsigned i = 8; i-- > 0;)
		*out = *out << 8 | bytes[i];
	return true;
}

/* A string behind a little-endian length of 1 or 2 bytes. */
static inline bool wire_string(struct eth_view *in, size_t width, const uint8_t **out, size_t *len)
{
	uint8_t bytes[2] = { 0 };

	if (!wire_take(in, bytes, width))
		return false;
	*len = (size_t)(bytes[0] | bytes[1] << 8);
	*out = in->data;
	if (in->len < *len)
		return false;
	in->data += *len;
	in->len -= *len;
	return true;
}

static inline bool wire_additions(struct eth_view *in, struct eth_sponsorship *s)
{
	switch (s->scheme) {
	case ETH_SCHEME_VERIFYING_PAYMASTER_V06:
		return wire_take(in, s->sender_nonce, 32) &&
		       wire_string(in, 2, &s->init_code, &s->init_code_len) &&
		       wire_string(in, 2, &s->call_data, &s->call_data_len);
	case ETH_SCHEME_SINGLETON_V8:
		return wire_take(in, s->delegate_init_code_hash, 32) &&
		       wire_string(in, 1, &s->data, &s->data_len);
	case ETH_SCHEME_SINGLETON_V6:
	case ETH_SCHEME_SINGLETON_V7:
		return wire_string(in, 1, &s->data, &s->data_len);
	case ETH_SCHEME_OPENZEPPELIN:
		return wire_take(in, s->domain_name_hash, 32) &&
		       wire_take(in, s->domain_version_hash, 32);
	default:
		return true;
	}
}

/* True when in is one whole sponsorship of the scheme and nothing else. */
static inline bool wire_sponsorship(struct eth_view in, unsigned scheme, struct eth_sponsorship *s)
{
	memset(s, 0, sizeof(*s));
	s->scheme = (enum eth_sponsorship_scheme)scheme;
	return wire_u64(&in, &s->chain_id) && wire_take(&in, s->entry_point.bytes, 20) &&
	       wire_take(&in, s->paymaster.bytes, 20) && wire_take(&in, s->sender.bytes, 20) &&
	       wire_take(&in, s->nonce, 32) && wire_take(&in, s->init_code_hash, 32) &&
	       wire_take(&in, s->call_data_hash, 32) && wire_take(&in, s->account_gas_limits, 32) &&
	       wire_take(&in, s->paymaster_gas_limits, 32) &&
	       wire_take(&in, s->pre_verification_gas, 32) && wire_take(&in, s->gas_fees, 32) &&
	       wire_u64(&in, &s->valid_until) && wire_u64(&in, &s->valid_after) &&
	       wire_additions(&in, s) && in.len == 0;
}

#endif
