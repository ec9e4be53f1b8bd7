/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth_private.h"

#include <stdio.h>
#include <string.h>
#include <yyjson.h>

/*
 * yyjson's getters are safe on a value of another type and on NULL: they give
 * NULL or 0. So each reader needs one check, and none of types before it.
 */

/* What a value is, in words for an error message. */
static void describe(yyjson_val *value, char out[static ETH_ECHO_MAX + 16])
{
	size_t len = yyjson_get_len(value);

	if (yyjson_is_str(value)) {
		eth_echo(yyjson_get_str(value), len, out);
		return;
	}
	/* a number that the reader kept as text can be shown as it came */
	if (yyjson_is_raw(value)) {
		snprintf(out, ETH_ECHO_MAX + 16, "the number %.*s", len < 40 ? (int)len : 40,
			 yyjson_get_raw(value));
		return;
	}
	snprintf(out, ETH_ECHO_MAX + 16, "%s",
		 yyjson_is_num(value)	 ? "a number"
		 : yyjson_is_bool(value) ? "a boolean"
		 : yyjson_is_obj(value)	 ? "an object"
		 : yyjson_is_arr(value)	 ? "an array"
					 : "null");
}

bool eth_json_mismatch(yyjson_val *value, const char *name, const char *expected,
		       struct sr_error *err)
{
	char got[ETH_ECHO_MAX + 16] = { 0 };

	describe(value, got);
	return sr_fail(err, SR_E_INVALID, "%s: expected %s, got %s", name, expected, got);
}

bool eth_json_quantity(yyjson_val *value, const char *name, unsigned max_bits, struct eth_u256 *out,
		       struct sr_error *err)
{
	char expected[80] = { 0 };

	if (yyjson_is_str(value) &&
	    eth_u256_from_quantity(yyjson_get_str(value), yyjson_get_len(value), out) &&
	    eth_u256_bits(out) <= max_bits)
		return true;
	snprintf(expected, sizeof(expected), "a 0x-prefixed hex quantity of at most %u bits",
		 max_bits);
	return eth_json_mismatch(value, name, expected, err);
}

bool eth_json_address(yyjson_val *value, const char *name, struct eth_address *out,
		      struct sr_error *err)
{
	if (!yyjson_is_str(value))
		return eth_json_mismatch(value, name, "an address: 0x and 40 hex digits", err);
	if (!eth_address_from_text(yyjson_get_str(value), yyjson_get_len(value), out, err))
		return sr_fail_in(err, "%s", name);
	return true;
}

bool eth_json_bytes_size(yyjson_val *value, const char *name, size_t *out, struct sr_error *err)
{
	const char *text = yyjson_get_str(value);
	size_t len = yyjson_get_len(value);

	if (!text || len < 2 || len % 2 != 0 || text[0] != '0' || text[1] != 'x')
		return eth_json_mismatch(value, name, "0x and an even number of hex digits", err);
	/* the prefix is two characters, one byte's worth */
	*out = len / 2 - 1;
	if (*out > ETH_USER_OP_BYTES_MAX)
		return sr_fail(err, SR_E_INVALID, "%s: expected at most %d bytes, got %zu", name,
			       ETH_USER_OP_BYTES_MAX, *out);
	return true;
}

bool eth_json_bytes(yyjson_val *value, const char *name, uint8_t **cursor, struct sr_bytes *out,
		    struct sr_error *err)
{
	size_t len = yyjson_get_len(value) / 2 - 1;

	*out = (struct sr_bytes){ NULL, 0 };
	/* there may be no block to point into when all byte strings are empty */
	if (len == 0)
		return true;
	if (!sr_hex_decode(yyjson_get_str(value), yyjson_get_len(value), *cursor, len))
		return eth_json_mismatch(value, name, "0x and an even number of hex digits", err);
	*out = (struct sr_bytes){ *cursor, len };
	*cursor += len;
	return true;
}
