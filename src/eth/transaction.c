/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth_core.h"

#include <string.h>

/* A fee over 128 bits could be paid by nobody, and would overflow what it is multiplied with. */
#define FEE_BITS 128

/* the order of secp256k1's group, and half of it */
static const struct eth_u256 group_order = { { 0xbfd25e8cd0364141, 0xbaaedce6af48a03b,
					       0xfffffffffffffffe, 0xffffffffffffffff } };
static const struct eth_u256 half_order = { { 0xdfe92f46681b20a0, 0x5d576e7357a4501d,
					      0xffffffffffffffff, 0x7fffffffffffffff } };

/* Empty for a new contract, else 20 bytes. */
static bool read_to(struct eth_view *in, struct eth_unsigned_transaction *out)
{
	struct eth_view payload = { 0 };
	bool is_list = false;

	if (!eth_rlp_read(in, &payload, &is_list) || is_list)
		return false;
	out->has_to = payload.len > 0;
	if (!out->has_to)
		return true;
	if (payload.len != sizeof(out->to.bytes))
		return false;
	memcpy(out->to.bytes, payload.data, payload.len);
	return true;
}

/* [address, [key, …]], EIP-2930 */
static bool check_access(struct eth_view entry)
{
	uint8_t address[20];
	uint8_t key[32];
	struct eth_view keys = { 0 };

	if (!eth_rlp_read_fixed(&entry, address, sizeof(address)) ||
	    !eth_rlp_read_list(&entry, &keys) || entry.len > 0)
		return false;
	while (keys.len > 0) {
		if (!eth_rlp_read_fixed(&keys, key, sizeof(key)))
			return false;
	}
	return true;
}

static bool in_range(const struct eth_u256 *v, const struct eth_u256 *max)
{
	return !eth_u256_is_zero(v) && eth_u256_cmp(v, max) <= 0;
}

/* [chain id, address, nonce, parity, r, s], EIP-7702. Any other is skipped on chain; who is
 * asked to sign for it is being lied to. */
static bool check_authorization(struct eth_view tuple)
{
	struct eth_u256 chain_id = { { 0 } };
	struct eth_u256 parity = { { 0 } };
	struct eth_u256 r = { { 0 } };
	struct eth_u256 s = { { 0 } };
	uint8_t address[20];
	uint64_t nonce = 0;

	return eth_rlp_read_u256(&tuple, 256, &chain_id) &&
	       eth_rlp_read_fixed(&tuple, address, sizeof(address)) &&
	       eth_rlp_read_u64(&tuple, &nonce) && eth_rlp_read_u256(&tuple, 1, &parity) &&
	       eth_rlp_read_u256(&tuple, 256, &r) && eth_rlp_read_u256(&tuple, 256, &s) &&
	       tuple.len == 0 && in_range(&r, &group_order) &&
	       eth_u256_cmp(&r, &group_order) != 0 && in_range(&s, &half_order);
}

/* Walks a list of lists to its end. */
static bool read_entries(struct eth_view *in, bool (*check)(struct eth_view), size_t *count)
{
	struct eth_view list = { 0 };
	struct eth_view entry = { 0 };

	if (!eth_rlp_read_list(in, &list))
		return false;
	for (*count = 0; list.len > 0; ++*count) {
		if (!eth_rlp_read_list(&list, &entry) || !check(entry))
			return false;
	}
	return true;
}

static bool read_numbers(struct eth_view *in, struct eth_unsigned_transaction *out)
{
	return eth_rlp_read_u64(in, &out->chain_id) && eth_rlp_read_u64(in, &out->nonce) &&
	       eth_rlp_read_u256(in, FEE_BITS, &out->max_priority_fee_per_gas) &&
	       eth_rlp_read_u256(in, FEE_BITS, &out->max_fee_per_gas) &&
	       eth_rlp_read_u64(in, &out->gas);
}

static bool read_fields(struct eth_view *in, struct eth_unsigned_transaction *out)
{
	bool is_list = false;

	return read_numbers(in, out) && read_to(in, out) &&
	       eth_rlp_read_u256(in, 256, &out->value) && eth_rlp_read(in, &out->data, &is_list) &&
	       !is_list && read_entries(in, check_access, &out->access_list_count);
}

static bool read_authorizations(struct eth_view *in, struct eth_unsigned_transaction *out)
{
	return out->has_to && read_entries(in, check_authorization, &out->authorization_count) &&
	       out->authorization_count > 0;
}

enum eth_transaction_result eth_unsigned_transaction_parse(const uint8_t *data, size_t len,
							   struct eth_unsigned_transaction *out)
{
	struct eth_view in = { data, len };
	struct eth_view fields = { 0 };

	*out = (struct eth_unsigned_transaction){ 0 };
	if (len == 0)
		return ETH_TRANSACTION_BAD_FORMAT;
	out->type = data[0];
	if (out->type != ETH_TRANSACTION_EIP1559 && out->type != ETH_TRANSACTION_EIP7702)
		return ETH_TRANSACTION_UNKNOWN_TYPE;
	in.data++;
	in.len--;
	if (!eth_rlp_read_list(&in, &fields) || in.len > 0 || !read_fields(&fields, out) ||
	    (out->type == ETH_TRANSACTION_EIP7702 && !read_authorizations(&fields, out)) ||
	    fields.len > 0)
		return ETH_TRANSACTION_BAD_FORMAT;
	return ETH_TRANSACTION_OK;
}
