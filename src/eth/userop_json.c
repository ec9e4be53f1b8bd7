/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth_private.h"

#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

/*
 * One table of fields drives reading, checking and writing, so that a field of
 * a version is known to all three or to none. Reading goes in steps: sort the
 * members by field, find what is missing, measure and allocate, read each value,
 * and then check what only several fields together can tell.
 */

#define V06 (1u << ETH_ENTRY_POINT_V06)
#define V07 (1u << ETH_ENTRY_POINT_V07)
#define V08 (1u << ETH_ENTRY_POINT_V08)
#define V09 (1u << ETH_ENTRY_POINT_V09)
#define SINCE_V07 (V07 | V08 | V09)
#define ALL (V06 | SINCE_V07)

enum kind { QUANTITY, ADDRESS, BYTES, FACTORY, PAYMASTER, AUTHORIZATION };

/* Whether a field must be there: never, always, or unless may_lack has the bit. */
#define OPTIONAL 0u
#define REQUIRED (1u << 31)

struct field {
	const char *name;
	unsigned versions; /* where the field exists */
	enum kind kind;
	size_t offset;	    /* in struct eth_user_op */
	unsigned need;	    /* OPTIONAL, REQUIRED, or the ETH_OP_MAY_LACK_* that excuses it */
	unsigned bits;	    /* a quantity's bound from v0.7; v0.6 has uint256 everywhere */
	uint32_t present;   /* ETH_OP_HAS_* */
	const char *versed; /* which version has it, where not all do */
};

#define AT(member) offsetof(struct eth_user_op, member)

static const struct field fields[] = {
	{ "sender", ALL, ADDRESS, AT(sender), REQUIRED, 0, 0, NULL },
	{ "nonce", ALL, QUANTITY, AT(nonce), REQUIRED, 256, 0, NULL },
	{ "initCode", V06, BYTES, AT(init_code), OPTIONAL, 0, 0,
	  "v0.6 (from v0.7: factory and factoryData)" },
	{ "factory", SINCE_V07, FACTORY, AT(factory), OPTIONAL, 0, 0, "v0.7 (v0.6: initCode)" },
	{ "factoryData", SINCE_V07, BYTES, AT(factory_data), OPTIONAL, 0, 0,
	  "v0.7 (v0.6: initCode)" },
	{ "callData", ALL, BYTES, AT(call_data), REQUIRED, 0, 0, NULL },
	{ "callGasLimit", ALL, QUANTITY, AT(call_gas_limit), ETH_OP_MAY_LACK_GAS, 128,
	  ETH_OP_HAS_CALL_GAS_LIMIT, NULL },
	{ "verificationGasLimit", ALL, QUANTITY, AT(verification_gas_limit), ETH_OP_MAY_LACK_GAS,
	  128, ETH_OP_HAS_VERIFICATION_GAS_LIMIT, NULL },
	/* a whole word of its own in the packed form, unlike the other limits */
	{ "preVerificationGas", ALL, QUANTITY, AT(pre_verification_gas), ETH_OP_MAY_LACK_GAS, 256,
	  ETH_OP_HAS_PRE_VERIFICATION_GAS, NULL },
	{ "maxFeePerGas", ALL, QUANTITY, AT(max_fee_per_gas), ETH_OP_MAY_LACK_FEES, 128,
	  ETH_OP_HAS_MAX_FEE, NULL },
	{ "maxPriorityFeePerGas", ALL, QUANTITY, AT(max_priority_fee_per_gas), ETH_OP_MAY_LACK_FEES,
	  128, ETH_OP_HAS_MAX_PRIORITY_FEE, NULL },
	{ "paymasterAndData", V06, BYTES, AT(paymaster_and_data), OPTIONAL, 0, 0,
	  "v0.6 (from v0.7: paymaster and paymasterData)" },
	{ "paymaster", SINCE_V07, PAYMASTER, AT(paymaster), OPTIONAL, 0, 0,
	  "v0.7 (v0.6: paymasterAndData)" },
	{ "paymasterVerificationGasLimit", SINCE_V07, QUANTITY,
	  AT(paymaster_verification_gas_limit), OPTIONAL, 128, ETH_OP_HAS_PM_VERIFICATION_GAS,
	  "v0.7 and later" },
	{ "paymasterPostOpGasLimit", SINCE_V07, QUANTITY, AT(paymaster_post_op_gas_limit), OPTIONAL,
	  128, ETH_OP_HAS_PM_POST_OP_GAS, "v0.7 and later" },
	{ "paymasterData", SINCE_V07, BYTES, AT(paymaster_data), OPTIONAL, 0, 0,
	  "v0.7 (v0.6: paymasterAndData)" },
	{ "paymasterSignature", V09, BYTES, AT(paymaster_signature), OPTIONAL, 0, 0, "v0.9" },
	{ "signature", ALL, BYTES, AT(signature), ETH_OP_MAY_LACK_SIGNATURE, 0,
	  ETH_OP_HAS_SIGNATURE, NULL },
	{ "eip7702Auth", SINCE_V07, AUTHORIZATION, AT(authorization), OPTIONAL, 0, 0,
	  "v0.7 and later" },
};

#define FIELD_COUNT SR_ARRAY_LEN(fields)

static bool exists_in(const struct field *field, enum eth_entry_point version)
{
	return (field->versions >> version & 1) != 0;
}

/* Always false. The suggestion is one of this version's names. */
static bool refuse_unknown(yyjson_val *key, enum eth_entry_point version, struct sr_error *err)
{
	const char *candidates[FIELD_COUNT] = { NULL };
	const char *nearest = NULL;
	char echo[ETH_ECHO_MAX] = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (exists_in(&fields[i], version))
			candidates[count++] = fields[i].name;
	}
	nearest = sr_nearest(yyjson_get_str(key), candidates, count);
	eth_echo(yyjson_get_str(key), yyjson_get_len(key), echo);
	if (nearest)
		return sr_fail(err, SR_E_INVALID,
			       "unknown UserOperation field %s, did you mean %s?", echo, nearest);
	return sr_fail(err, SR_E_INVALID, "unknown UserOperation field %s", echo);
}

/* Clients say "no factory" and "no paymaster" as null or as "0x". */
static bool is_absent(const struct field *field, yyjson_val *value)
{
	return yyjson_is_null(value) || ((field->kind == FACTORY || field->kind == PAYMASTER) &&
					 yyjson_equals_str(value, "0x"));
}

/* Sorts the object's members by field; null members stay NULL. */
static bool collect(yyjson_val *json, enum eth_entry_point version,
		    yyjson_val *values[static FIELD_COUNT], struct sr_error *err)
{
	yyjson_obj_iter iter = yyjson_obj_iter_with(json);
	bool seen[FIELD_COUNT] = { false };
	yyjson_val *key = NULL;

	while ((key = yyjson_obj_iter_next(&iter))) {
		yyjson_val *value = yyjson_obj_iter_get_val(key);
		size_t i = 0;

		while (i < FIELD_COUNT && !yyjson_equals_str(key, fields[i].name))
			i++;
		if (i == FIELD_COUNT)
			return refuse_unknown(key, version, err);
		if (seen[i])
			return sr_fail(err, SR_E_INVALID, "%s: given twice", fields[i].name);
		seen[i] = true;
		if (yyjson_is_null(value))
			continue;
		if (!exists_in(&fields[i], version))
			return sr_fail(err, SR_E_INVALID,
				       "%s: not a field of EntryPoint v%s; it belongs to %s",
				       fields[i].name, eth_entry_point_name(version),
				       fields[i].versed);
		values[i] = is_absent(&fields[i], value) ? NULL : value;
	}
	return true;
}

/* In the table's order, so that the same input always gets the same message. */
static bool check_required(yyjson_val *const *values, uint32_t may_lack, struct sr_error *err)
{
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		unsigned need = fields[i].need;

		if (!values[i] && need != OPTIONAL && !(need & may_lack))
			return sr_fail(err, SR_E_INVALID, "%s: missing", fields[i].name);
	}
	return true;
}

/* One block for all byte fields, so that there is one thing to free. */
static bool allocate(yyjson_val *const *values, struct eth_user_op *out, struct sr_error *err)
{
	size_t total = 0;

	for (size_t i = 0; i < FIELD_COUNT; i++) {
		size_t len = 0;

		if (!values[i] || fields[i].kind != BYTES)
			continue;
		if (!eth_json_bytes_size(values[i], fields[i].name, &len, err))
			return false;
		total += len;
	}
	if (total == 0)
		return true;
	out->owned = malloc(total);
	return out->owned || sr_fail(err, SR_E_NO_MEMORY, "out of memory reading a UserOperation");
}

/* RPC spells the EIP-7702 marker in two bytes; the chain pads it to 20. */
static bool read_factory(yyjson_val *value, struct eth_user_op *out, struct sr_error *err)
{
	bool is_short = yyjson_equals_str(value, "0x7702");

	if (is_short && out->version < ETH_ENTRY_POINT_V08)
		return sr_fail(
			err, SR_E_INVALID,
			"factory: the EIP-7702 marker 0x7702 needs EntryPoint v0.8 or later, "
			"this is v%s",
			eth_entry_point_name(out->version));
	if (is_short)
		out->factory = eth_7702_marker;
	else if (!eth_json_address(value, "factory", &out->factory, err))
		return false;
	out->has_factory = true;
	/* before v0.8 these 20 bytes are an address like any other */
	out->factory_is_7702 = out->version >= ETH_ENTRY_POINT_V08 &&
			       memcmp(&out->factory, &eth_7702_marker, sizeof(out->factory)) == 0;
	return true;
}

/* *cursor: where the next byte string goes in the operation's block. */
static bool read_field(const struct field *field, yyjson_val *value, uint8_t **cursor,
		       struct eth_user_op *out, struct sr_error *err)
{
	void *member = (uint8_t *)out + field->offset;

	out->present |= field->present;
	switch (field->kind) {
	case QUANTITY:
		return eth_json_quantity(value, field->name,
					 out->version == ETH_ENTRY_POINT_V06 ? 256 : field->bits,
					 member, err);
	case ADDRESS:
		return eth_json_address(value, field->name, member, err);
	case BYTES:
		return eth_json_bytes(value, field->name, cursor, member, err);
	case FACTORY:
		return read_factory(value, out, err);
	case PAYMASTER:
		out->has_paymaster = true;
		return eth_json_address(value, field->name, member, err);
	case AUTHORIZATION:
		out->has_authorization = true;
		return eth_json_authorization(value, member, err);
	}
	return false;
}

/*
 * v0.9: the signature may come as a field of its own, with or without the magic
 * (or all of the suffix) at the end of paymasterData, or in paymasterData alone.
 */
static bool split_paymaster_signature(struct eth_user_op *op, struct sr_error *err)
{
	struct sr_bytes *data = &op->paymaster_data;
	struct sr_bytes *signature = &op->paymaster_signature;
	struct sr_bytes tail = { NULL, 0 };
	size_t len = 0;
	bool has_suffix = eth_paymaster_signature_length(*data, &len, signature->len ? NULL : err);

	if (signature->len == 0 && !has_suffix)
		return false;
	if (len > 0)
		tail = (struct sr_bytes){ data->data + data->len - ETH_PAYMASTER_SUFFIX_LEN - len,
					  len };
	if (signature->len == 0) {
		*signature = tail;
	} else if (tail.len != signature->len ||
		   memcmp(tail.data, signature->data, tail.len) != 0) {
		/* no suffix of this signature: what stands there can only be the magic */
		tail.len = 0;
		if (eth_ends_in_paymaster_magic(*data))
			data->len -= ETH_PAYMASTER_MAGIC_LEN;
	}
	if (tail.len > 0)
		data->len -= ETH_PAYMASTER_SUFFIX_LEN + tail.len;
	op->has_paymaster_signature = signature->len > 0;
	return true;
}

/*
 * Gas limits without a paymaster are kept: clients send zeros, and estimates of
 * an earlier answer, and nothing of them reaches the chain.
 */
static bool settle_paymaster(struct eth_user_op *op, struct sr_error *err)
{
	static const struct eth_address zero = { { 0 } };
	bool is_zero = memcmp(&op->paymaster, &zero, sizeof(zero)) == 0;

	if (op->has_paymaster && is_zero) {
		if (op->paymaster_data.len > 0 || op->paymaster_signature.len > 0)
			return sr_fail(err, SR_E_INVALID,
				       "paymaster: the zero address means none, but there is "
				       "paymasterData or paymasterSignature for it");
		op->has_paymaster = false;
	}
	if (!op->has_paymaster && op->paymaster_data.len > 0)
		return sr_fail(err, SR_E_INVALID, "paymasterData: given without paymaster");
	if (!op->has_paymaster && op->paymaster_signature.len > 0)
		return sr_fail(err, SR_E_INVALID, "paymasterSignature: given without paymaster");
	if (op->paymaster_signature.len > ETH_PAYMASTER_SIGNATURE_MAX)
		return sr_fail(err, SR_E_INVALID,
			       "paymasterSignature: expected at most %d bytes, got %zu",
			       ETH_PAYMASTER_SIGNATURE_MAX, op->paymaster_signature.len);
	return op->version < ETH_ENTRY_POINT_V09 || split_paymaster_signature(op, err);
}

/* v0.6 byte strings that begin with an address: empty, or at least that. */
static bool check_leading_address(struct sr_bytes bytes, const char *name, struct sr_error *err)
{
	return bytes.len == 0 || bytes.len >= sizeof(struct eth_address) ||
	       sr_fail(err, SR_E_INVALID,
		       "%s: expected nothing (0x) or at least the 20 bytes of an address, got %zu "
		       "bytes",
		       name, bytes.len);
}

/* What no field can tell alone. */
static bool check_together(struct eth_user_op *op, struct sr_error *err)
{
	if (!op->has_factory && op->factory_data.len > 0)
		return sr_fail(err, SR_E_INVALID, "factoryData: given without factory");
	return check_leading_address(op->init_code, "initCode", err) &&
	       check_leading_address(op->paymaster_and_data, "paymasterAndData", err) &&
	       settle_paymaster(op, err);
}

bool eth_user_op_parse(yyjson_val *json, enum eth_entry_point version, uint32_t may_lack,
		       struct eth_user_op *out, struct sr_error *err)
{
	yyjson_val *values[FIELD_COUNT] = { NULL };
	uint8_t *cursor = NULL;
	bool ok = false;

	memset(out, 0, sizeof(*out));
	out->version = version;
	if (!yyjson_is_obj(json))
		return eth_json_mismatch(json, "userOperation", "an object", err);
	ok = collect(json, version, values, err) && check_required(values, may_lack, err) &&
	     allocate(values, out, err);
	cursor = out->owned;
	for (size_t i = 0; ok && i < FIELD_COUNT; i++)
		ok = !values[i] || read_field(&fields[i], values[i], &cursor, out, err);
	ok = ok && check_together(out, err);
	if (!ok)
		eth_user_op_free(out);
	return ok;
}

/* The rule that eth.h states for eth_user_op_to_json. */
static bool is_written(const struct field *field, const struct eth_user_op *op, const void *member)
{
	if (!exists_in(field, op->version))
		return false;
	if (field->need == REQUIRED || op->present & field->present)
		return true;
	switch (field->kind) {
	case QUANTITY:
		return !eth_u256_is_zero(member);
	case BYTES:
		/* v0.6's clients expect both of its own fields, if only as "0x" */
		return field->versions == V06 || ((const struct sr_bytes *)member)->len > 0;
	case FACTORY:
		return op->has_factory;
	case PAYMASTER:
		return op->has_paymaster;
	case AUTHORIZATION:
		return op->has_authorization;
	case ADDRESS:
		break;
	}
	return true;
}

/* With its checksum, as people compare addresses by eye. */
static void write_address(const struct eth_address *a, struct sr_buf *out)
{
	char text[ETH_ADDRESS_TEXT] = { 0 };

	eth_address_to_text(a, text);
	sr_buf_printf(out, "\"%s\"", text);
}

static void write_value(const struct field *field, const struct eth_user_op *op, const void *member,
			struct sr_buf *out)
{
	const struct sr_bytes *bytes = member;
	char quantity[ETH_U256_HEX_MAX] = { 0 };

	switch (field->kind) {
	case QUANTITY:
		eth_u256_to_quantity(member, quantity);
		sr_buf_printf(out, "\"%s\"", quantity);
		break;
	case BYTES:
		sr_buf_puts(out, "\"");
		sr_buf_put_hex_0x(out, bytes->data, bytes->len);
		sr_buf_puts(out, "\"");
		break;
	case FACTORY:
		if (op->factory_is_7702)
			sr_buf_puts(out, "\"0x7702\"");
		else
			write_address(member, out);
		break;
	case ADDRESS:
	case PAYMASTER:
		write_address(member, out);
		break;
	case AUTHORIZATION:
		eth_authorization_to_json(member, out);
		break;
	}
}

/*
 * Paymaster data that ends in the magic of its own accord, before a signature,
 * would be read back without it: then the whole suffix goes into paymasterData.
 */
static bool join_paymaster_signature(struct eth_user_op *op, struct sr_buf *joined)
{
	struct sr_bytes signature = op->paymaster_signature;
	uint8_t length[2] = { (uint8_t)(signature.len >> 8), (uint8_t)signature.len };

	if (op->version < ETH_ENTRY_POINT_V09 || signature.len == 0 ||
	    !eth_ends_in_paymaster_magic(op->paymaster_data))
		return true;
	sr_buf_append(joined, op->paymaster_data.data, op->paymaster_data.len);
	sr_buf_append(joined, signature.data, signature.len);
	sr_buf_append(joined, length, sizeof(length));
	sr_buf_append(joined, eth_paymaster_magic, sizeof(eth_paymaster_magic));
	op->paymaster_data = (struct sr_bytes){ joined->data, joined->len };
	op->paymaster_signature.len = 0;
	return !joined->failed;
}

void eth_user_op_to_json(const struct eth_user_op *op, struct sr_buf *out)
{
	struct eth_user_op shown = *op;
	struct sr_buf joined = { 0 };

	if (!join_paymaster_signature(&shown, &joined))
		out->failed = true;
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		const void *member = (const uint8_t *)&shown + fields[i].offset;

		if (!is_written(&fields[i], &shown, member))
			continue;
		/* the first field is one that every operation has */
		sr_buf_printf(out, "%c\"%s\":", i == 0 ? '{' : ',', fields[i].name);
		write_value(&fields[i], &shown, member, out);
	}
	sr_buf_puts(out, "}");
	sr_buf_free(&joined);
}
