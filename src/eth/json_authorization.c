/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth_private.h"

#include <stdio.h>
#include <yyjson.h>

/*
 * The tuple an account signs to delegate to code (EIP-7702), as bundlers take
 * it beside the operation. It is not part of the userOpHash.
 */

#define OBJECT "eip7702Auth"

enum { CHAIN_ID, ADDRESS, CONTRACT_ADDRESS, NONCE, Y_PARITY, V, R, S, FIELD_COUNT };

static const char *const names[FIELD_COUNT] = {
	[CHAIN_ID] = OBJECT ".chainId",
	[ADDRESS] = OBJECT ".address",
	[CONTRACT_ADDRESS] = OBJECT ".contractAddress",
	[NONCE] = OBJECT ".nonce",
	[Y_PARITY] = OBJECT ".yParity",
	[V] = OBJECT ".v",
	[R] = OBJECT ".r",
	[S] = OBJECT ".s",
};

/* The member's own name: what follows the object's and the dot. */
static const char *key_of(unsigned field)
{
	return names[field] + sizeof(OBJECT);
}

/* Sorts the members by field, as for the operation itself; null stays NULL. */
static bool collect(yyjson_val *object, yyjson_val *values[static FIELD_COUNT],
		    struct sr_error *err)
{
	yyjson_obj_iter iter = yyjson_obj_iter_with(object);
	bool seen[FIELD_COUNT] = { false };
	yyjson_val *key = NULL;

	while ((key = yyjson_obj_iter_next(&iter))) {
		yyjson_val *value = yyjson_obj_iter_get_val(key);
		unsigned i = 0;

		while (i < FIELD_COUNT && !yyjson_equals_str(key, key_of(i)))
			i++;
		if (i == FIELD_COUNT) {
			char echo[ETH_ECHO_MAX] = { 0 };

			eth_echo(yyjson_get_str(key), yyjson_get_len(key), echo);
			return sr_fail(err, SR_E_INVALID, OBJECT ": unknown field %s", echo);
		}
		if (seen[i])
			return sr_fail(err, SR_E_INVALID, "%s: given twice", names[i]);
		seen[i] = true;
		values[i] = yyjson_is_null(value) ? NULL : value;
	}
	return true;
}

static bool require(const yyjson_val *value, unsigned field, struct sr_error *err)
{
	return value || sr_fail(err, SR_E_INVALID, "%s: missing", names[field]);
}

static bool read_quantity(yyjson_val *const *values, unsigned field, unsigned bits,
			  struct eth_u256 *out, struct sr_error *err)
{
	return require(values[field], field, err) &&
	       eth_json_quantity(values[field], names[field], bits, out, err);
}

/* Clients call the delegate address or, in older libraries, contractAddress. */
static bool read_address(yyjson_val *const *values, struct eth_address *out, struct sr_error *err)
{
	unsigned field = values[CONTRACT_ADDRESS] ? CONTRACT_ADDRESS : ADDRESS;

	if (values[ADDRESS] && values[CONTRACT_ADDRESS])
		return sr_fail(err, SR_E_INVALID, "%s: given beside address, expected one of them",
			       names[CONTRACT_ADDRESS]);
	return require(values[field], field, err) &&
	       eth_json_address(values[field], names[field], out, err);
}

/* base: what may be added to the parity (27 in v, by an old convention), or 0. */
static bool parity_of(yyjson_val *value, unsigned field, uint64_t base, uint8_t *out,
		      struct sr_error *err)
{
	struct eth_u256 v = { { 0 } };
	uint64_t small = 0;

	if (!eth_json_quantity(value, names[field], 256, &v, err))
		return false;
	if (!eth_u256_to_u64(&v, &small))
		small = UINT64_MAX;
	if (base && small >= base)
		small -= base;
	if (small > 1)
		return eth_json_mismatch(value, names[field],
					 base ? "0x0, 0x1, 0x1b or 0x1c" : "0x0 or 0x1", err);
	*out = (uint8_t)small;
	return true;
}

/* yParity, or v in either of its notations; where both stand, they must agree. */
static bool read_parity(yyjson_val *const *values, uint8_t *out, struct sr_error *err)
{
	uint8_t from_v = 0;

	if (values[V] && !parity_of(values[V], V, 27, &from_v, err))
		return false;
	*out = from_v;
	if (values[V] && !values[Y_PARITY])
		return true;
	if (!require(values[Y_PARITY], Y_PARITY, err) ||
	    !parity_of(values[Y_PARITY], Y_PARITY, 0, out, err))
		return false;
	if (values[V] && *out != from_v)
		return sr_fail(err, SR_E_INVALID, "%s: contradicts yParity", names[V]);
	return true;
}

bool eth_json_authorization(yyjson_val *value, struct eth_authorization *out, struct sr_error *err)
{
	yyjson_val *values[FIELD_COUNT] = { NULL };
	struct eth_u256 nonce = { { 0 } };

	if (!yyjson_is_obj(value))
		return eth_json_mismatch(value, OBJECT, "an object", err);
	if (!collect(value, values, err) ||
	    !read_quantity(values, CHAIN_ID, 256, &out->chain_id, err) ||
	    !read_address(values, &out->address, err) ||
	    !read_quantity(values, NONCE, 64, &nonce, err) ||
	    !read_parity(values, &out->y_parity, err) ||
	    !read_quantity(values, R, 256, &out->r, err) ||
	    !read_quantity(values, S, 256, &out->s, err))
		return false;
	/* fits: it was read as 64 bits */
	return eth_u256_to_u64(&nonce, &out->nonce);
}

void eth_authorization_to_json(const struct eth_authorization *a, struct sr_buf *out)
{
	char chain_id[ETH_U256_HEX_MAX] = { 0 };
	char address[ETH_ADDRESS_TEXT] = { 0 };
	uint8_t word[32];

	eth_u256_to_quantity(&a->chain_id, chain_id);
	eth_address_to_text(&a->address, address);
	sr_buf_printf(out,
		      "{\"chainId\":\"%s\",\"address\":\"%s\",\"nonce\":\"0x%llx\","
		      "\"yParity\":\"0x%x\",\"r\":\"",
		      chain_id, address, (unsigned long long)a->nonce, a->y_parity);
	/* r and s as whole words, which every client takes */
	eth_u256_to_be(&a->r, word);
	sr_buf_put_hex_0x(out, word, sizeof(word));
	sr_buf_puts(out, "\",\"s\":\"");
	eth_u256_to_be(&a->s, word);
	sr_buf_put_hex_0x(out, word, sizeof(word));
	sr_buf_puts(out, "\"}");
}
