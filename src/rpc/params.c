/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "rpc/rpc_private.h"

bool rpc_params(const struct rpc_call *call, size_t min, size_t max, const char *what,
		struct sr_error *err)
{
	size_t count = yyjson_arr_size(call->params);

	if (call->params && !yyjson_is_arr(call->params))
		return sr_fail(err, SR_E_INVALID, "params: expected %s as an array, got an object",
			       what);
	if (count < min || count > max)
		return sr_fail(err, SR_E_INVALID, "params: expected %s, got %zu entries", what,
			       count);
	return true;
}

yyjson_val *rpc_param(const struct rpc_call *call, size_t index)
{
	return yyjson_arr_get(call->params, index);
}

bool rpc_param_entry_point(const struct rpc_call *call, size_t index, struct sr_error *err)
{
	yyjson_val *value = rpc_param(call, index);
	const struct eth_address *served = &call->rpc->paymaster->config.entry_point;
	struct eth_address given;
	char text[ETH_ADDRESS_TEXT];
	char ours[ETH_ADDRESS_TEXT];

	if (!yyjson_is_str(value))
		return sr_fail(err, SR_E_INVALID, "entryPoint: expected an address as a string");
	if (!eth_address_from_text(yyjson_get_str(value), yyjson_get_len(value), &given, err))
		return sr_fail_in(err, "entryPoint");
	if (memcmp(&given, served, sizeof(given)) == 0)
		return true;
	eth_address_to_text(&given, text);
	eth_address_to_text(served, ours);
	return sr_fail(err, SR_E_INVALID, "entryPoint: %s is not supported; expected %s", text,
		       ours);
}

bool rpc_param_chain_id(const struct rpc_call *call, size_t index, struct sr_error *err)
{
	yyjson_val *value = rpc_param(call, index);
	uint64_t ours = atomic_load(&call->rpc->paymaster->chain_id);
	struct eth_u256 expected = eth_u256_from_u64(ours);
	struct eth_u256 given;
	char text[ETH_U256_DEC_MAX];

	if (!yyjson_is_str(value) ||
	    !eth_u256_from_quantity(yyjson_get_str(value), yyjson_get_len(value), &given))
		return sr_fail(err, SR_E_INVALID,
			       "chainId: expected a 0x-prefixed hex quantity such as \"0x%llx\"",
			       (unsigned long long)ours);
	if (!ours)
		return sr_fail(err, SR_E_UNAVAILABLE,
			       "the chain id is not known yet: the node has not answered");
	if (eth_u256_cmp(&given, &expected) == 0)
		return true;
	eth_u256_to_dec(&given, text);
	return sr_fail(err, SR_E_INVALID, "chainId: expected 0x%llx (%llu), got %s",
		       (unsigned long long)ours, (unsigned long long)ours, text);
}

bool rpc_param_object_or_null(const struct rpc_call *call, size_t index, const char *name,
			      struct sr_error *err)
{
	yyjson_val *value = rpc_param(call, index);

	if (!value || yyjson_is_null(value) || yyjson_is_obj(value))
		return true;
	return sr_fail(err, SR_E_INVALID, "%s: expected an object, got %s", name,
		       yyjson_is_arr(value) ? "an array" : "a plain value");
}

bool rpc_param_hash(const struct rpc_call *call, size_t index, const char *name,
		    struct sr_error *err)
{
	yyjson_val *value = rpc_param(call, index);
	const char *text = yyjson_get_str(value);
	size_t len = yyjson_get_len(value);
	uint8_t hash[32];

	if (text && len == 66 && text[0] == '0' && text[1] == 'x' &&
	    sr_hex_decode(text, len, hash, sizeof(hash)))
		return true;
	return sr_fail(err, SR_E_INVALID, "%s: expected 0x and 64 hex digits", name);
}

bool rpc_param_user_op(const struct rpc_call *call, size_t index, uint32_t may_lack,
		       struct eth_user_op *out, struct sr_error *err)
{
	/* the one version that this relay serves; the entry point was checked */
	if (eth_user_op_parse(rpc_param(call, index), ETH_ENTRY_POINT_V07, may_lack, out, err))
		return true;
	return sr_fail_in(err, "userOp");
}

void rpc_put_quantity(struct sr_buf *out, const char *name, const struct eth_u256 *v)
{
	char text[ETH_U256_HEX_MAX];
	bool first = out->len && out->data[out->len - 1] == '{';

	eth_u256_to_quantity(v, text);
	sr_buf_printf(out, "%s\"%s\":\"%s\"", first ? "" : ",", name, text);
}
