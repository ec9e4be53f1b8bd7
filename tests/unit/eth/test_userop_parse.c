/* SPDX-License-Identifier: Apache-2.0 */
#include "userop_test.h"

#include <stdlib.h>

static const enum eth_entry_point versions[] = { ETH_ENTRY_POINT_V06, ETH_ENTRY_POINT_V07,
						 ETH_ENTRY_POINT_V08, ETH_ENTRY_POINT_V09 };

/* Asserts that json is refused with exactly this message. */
static void assert_refused(const char *json, enum eth_entry_point version, const char *message)
{
	struct eth_user_op op = { 0 };
	struct sr_error err = { 0 };

	if (parse_op(json, version, 0, &op, &err))
		fail_msg("v%s took %s", eth_entry_point_name(version), json);
	assert_int_equal(err.code, SR_E_INVALID);
	assert_string_equal(err.message, message);
	assert_null(op.owned);
	/* what the header promises: does nothing */
	eth_user_op_free(&op);
}

/* The same for any message that has both parts. */
static void assert_refused_with(const char *json, enum eth_entry_point version, const char *start,
				const char *part)
{
	struct eth_user_op op = { 0 };
	struct sr_error err = { 0 };

	if (parse_op(json, version, 0, &op, &err))
		fail_msg("v%s took %s", eth_entry_point_name(version), json);
	assert_int_equal(err.code, SR_E_INVALID);
	if (strncmp(err.message, start, strlen(start)) != 0 || !strstr(err.message, part))
		fail_msg("expected \"%s…%s\", got \"%s\" for %s", start, part, err.message, json);
}

/* ---- every field of every version --------------------------------------- */

enum type { QUANTITY_256, QUANTITY_128, ADDRESS, BYTES, OBJECT };

struct field {
	const char *name;
	enum type type;
	int first; /* version */
	int last;
	bool required;
};

static const struct field fields[] = {
	{ "sender", ADDRESS, 6, 9, true },
	{ "nonce", QUANTITY_256, 6, 9, true },
	{ "initCode", BYTES, 6, 6, false },
	{ "factory", ADDRESS, 7, 9, false },
	{ "factoryData", BYTES, 7, 9, false },
	{ "callData", BYTES, 6, 9, true },
	{ "callGasLimit", QUANTITY_128, 6, 9, true },
	{ "verificationGasLimit", QUANTITY_128, 6, 9, true },
	{ "preVerificationGas", QUANTITY_256, 6, 9, true },
	{ "maxFeePerGas", QUANTITY_128, 6, 9, true },
	{ "maxPriorityFeePerGas", QUANTITY_128, 6, 9, true },
	{ "paymasterAndData", BYTES, 6, 6, false },
	{ "paymaster", ADDRESS, 7, 9, false },
	{ "paymasterVerificationGasLimit", QUANTITY_128, 7, 9, false },
	{ "paymasterPostOpGasLimit", QUANTITY_128, 7, 9, false },
	{ "paymasterData", BYTES, 7, 9, false },
	{ "paymasterSignature", BYTES, 9, 9, false },
	{ "signature", BYTES, 6, 9, true },
	{ "eip7702Auth", OBJECT, 7, 9, false },
};

/* A whole operation in which one field has this value; NULL leaves it out. */
static void make_op(const char *name, const char *value, char out[static 2048])
{
	static const char *const whole[][2] = {
		{ "sender", "\"0x1234567890123456789012345678901234567890\"" },
		{ "nonce", "\"0x7\"" },
		{ "callData", "\"0xdeadbeef\"" },
		{ "callGasLimit", "\"0x1\"" },
		{ "verificationGasLimit", "\"0x2\"" },
		{ "preVerificationGas", "\"0x3\"" },
		{ "maxFeePerGas", "\"0x5\"" },
		{ "maxPriorityFeePerGas", "\"0x4\"" },
		{ "signature", "\"0x\"" },
	};
	int used = snprintf(out, 2048, "{");

	for (size_t i = 0; i < SR_ARRAY_LEN(whole); i++) {
		if (strcmp(whole[i][0], name) != 0)
			used += snprintf(out + used, 2048 - (size_t)used, "%s\"%s\":%s",
					 used > 1 ? "," : "", whole[i][0], whole[i][1]);
	}
	if (value)
		used += snprintf(out + used, 2048 - (size_t)used, ",\"%s\":%s", name, value);
	snprintf(out + used, 2048 - (size_t)used, "}");
}

static void expectation(const struct field *field, enum eth_entry_point version,
			char out[static 128])
{
	bool narrow = field->type == QUANTITY_128 && version != ETH_ENTRY_POINT_V06;
	const char *what = "an object";

	if (field->type == ADDRESS)
		what = "an address: 0x and 40 hex digits";
	if (field->type == BYTES)
		what = "0x and an even number of hex digits";
	if (field->type == QUANTITY_256 || field->type == QUANTITY_128)
		snprintf(out, 128, "%s: expected a 0x-prefixed hex quantity of at most %d bits",
			 field->name, narrow ? 128 : 256);
	else
		snprintf(out, 128, "%s: expected %s", field->name, what);
}

static void check_malformed(const struct field *field, enum eth_entry_point version)
{
	static const char *const never[] = {
		"12",	     "-1",	  "1.5",	"1e400",	  "true",     "false",
		"[]",	     "\"\"",	  "\"12\"",	"\"zz\"",	  "\"0X12\"", "\"0xzz\"",
		"\" 0x12\"", "\"0x12 \"", "[\"0x12\"]", "\"0x1\\u00002\""
	};
	char json[2048];
	char expected[128];

	expectation(field, version, expected);
	for (size_t i = 0; i < SR_ARRAY_LEN(never); i++) {
		make_op(field->name, never[i], json);
		assert_refused_with(json, version, expected, "");
	}
	if (field->type != OBJECT) {
		make_op(field->name, "{}", json);
		assert_refused_with(json, version, expected, "got an object");
	}
	if (field->type == BYTES) {
		make_op(field->name, "\"0x123\"", json);
		assert_refused_with(json, version, expected, "got \"0x123\"");
	}
	if (field->type == QUANTITY_256 || field->type == QUANTITY_128) {
		make_op(field->name, "\"0x\"", json);
		assert_refused_with(json, version, expected, "got \"0x\"");
	}
}

static void refuses_malformed_values_of_every_field(void **state)
{
	(void)state;
	for (size_t v = 0; v < SR_ARRAY_LEN(versions); v++) {
		for (size_t i = 0; i < SR_ARRAY_LEN(fields); i++) {
			if ((int)versions[v] >= fields[i].first &&
			    (int)versions[v] <= fields[i].last)
				check_malformed(&fields[i], versions[v]);
		}
	}
}

static const char *sample(const struct field *field)
{
	return field->type == ADDRESS  ? "\"0x27b1fdb04752bbc536007a920d24acb045561c26\""
	       : field->type == OBJECT ? "{}"
				       : "\"0x00\"";
}

static void refuses_fields_of_other_versions(void **state)
{
	char json[2048];

	(void)state;
	for (size_t v = 0; v < SR_ARRAY_LEN(versions); v++) {
		for (size_t i = 0; i < SR_ARRAY_LEN(fields); i++) {
			char start[128];
			char owner[8];

			if ((int)versions[v] >= fields[i].first &&
			    (int)versions[v] <= fields[i].last)
				continue;
			snprintf(start, sizeof(start), "%s: not a field of EntryPoint v%s",
				 fields[i].name, eth_entry_point_name(versions[v]));
			snprintf(owner, sizeof(owner), "v0.%d", fields[i].first);
			make_op(fields[i].name, sample(&fields[i]), json);
			assert_refused_with(json, versions[v], start, owner);
		}
	}
}

static void needs_the_required_fields_and_no_others(void **state)
{
	static const char *const gaps[] = { NULL, "null" };
	char json[2048];
	char message[64];

	(void)state;
	for (size_t v = 0; v < SR_ARRAY_LEN(versions); v++) {
		for (size_t i = 0; i < 2 * SR_ARRAY_LEN(fields); i++) {
			const struct field *field = &fields[i / 2];
			struct eth_user_op op = { 0 };

			/* null is as good as absent, in fields of other versions too */
			make_op(field->name, gaps[i % 2], json);
			snprintf(message, sizeof(message), "%s: missing", field->name);
			if (field->required) {
				assert_refused(json, versions[v], message);
				continue;
			}
			op = must_parse(json, versions[v]);
			eth_user_op_free(&op);
		}
	}
}

static void refuses_a_field_given_twice(void **state)
{
	char json[4096];
	char message[64];

	(void)state;
	for (size_t v = 0; v < SR_ARRAY_LEN(versions); v++) {
		for (size_t i = 0; i < SR_ARRAY_LEN(fields); i++) {
			char whole[2048];

			/* even where null makes the two agree */
			make_op(fields[i].name, "null", whole);
			whole[strlen(whole) - 1] = '\0';
			snprintf(json, sizeof(json), "%s,\"%s\":null}", whole, fields[i].name);
			snprintf(message, sizeof(message), "%s: given twice", fields[i].name);
			assert_refused(json, versions[v], message);
		}
	}
}

static void bounds_quantities_by_version(void **state)
{
	static const char fits_128[] = "\"0xffffffffffffffffffffffffffffffff\"";
	static const char over_128[] = "\"0x100000000000000000000000000000000\"";
	static const char over_256[] =
		"\"0x10000000000000000000000000000000000000000000000000000000000000000\"";
	char json[2048];
	char expected[128];

	(void)state;
	for (size_t v = 0; v < SR_ARRAY_LEN(versions); v++) {
		for (size_t i = 0; i < SR_ARRAY_LEN(fields); i++) {
			struct eth_user_op op = { 0 };
			bool narrow = fields[i].type == QUANTITY_128 && versions[v] > 6;

			if ((fields[i].type != QUANTITY_128 && fields[i].type != QUANTITY_256) ||
			    (int)versions[v] < fields[i].first)
				continue;
			make_op(fields[i].name, fits_128, json);
			op = must_parse(json, versions[v]);
			eth_user_op_free(&op);
			expectation(&fields[i], versions[v], expected);
			make_op(fields[i].name, narrow ? over_128 : over_256, json);
			assert_refused_with(json, versions[v], expected, "got \"0x1000");
		}
	}
}

static void bounds_byte_strings(void **state)
{
	size_t most = 2 * (size_t)ETH_USER_OP_BYTES_MAX;
	char *json = malloc(most + 2048);
	struct eth_user_op op = { 0 };
	struct sr_error err = { 0 };
	int start = 0;

	(void)state;
	assert_non_null(json);
	start = snprintf(json, 2048,
			 "{" SENDER ",\"nonce\":\"0x7\",\"signature\":\"0x\"" GAS FEES
			 ",\"callData\":\"0x");
	memset(json + start, 'a', most + 2);
	memcpy(json + start + most, "\"}", 3);
	op = must_parse(json, ETH_ENTRY_POINT_V07);
	assert_int_equal(op.call_data.len, ETH_USER_OP_BYTES_MAX);
	eth_user_op_free(&op);
	memcpy(json + start + most, "aa\"}", 5);
	assert_false(parse_op(json, ETH_ENTRY_POINT_V07, 0, &op, &err));
	assert_string_equal(err.message, "callData: expected at most 131072 bytes, got 131073");
	free(json);
}

/* ---- single rules -------------------------------------------------------- */

static void gives_every_value_its_place(void **state)
{
	struct eth_user_op op =
		must_parse(OPEN_OP FACTORY
			   ",\"factoryData\":\"0x0102\"" PAYMASTER
			   ",\"paymasterVerificationGasLimit\":\"0x6\",\"paymasterPostOpGasLimit\":"
			   "\"0x8\",\"paymasterData\":\"0xaa\"}",
			   ETH_ENTRY_POINT_V07);

	(void)state;
	assert_int_equal(op.sender.bytes[0], 0x12);
	assert_true(op.nonce.limb[0] == 7);
	assert_true(op.call_gas_limit.limb[0] == 1);
	assert_true(op.verification_gas_limit.limb[0] == 2);
	assert_true(op.pre_verification_gas.limb[0] == 3);
	assert_true(op.max_priority_fee_per_gas.limb[0] == 4);
	assert_true(op.max_fee_per_gas.limb[0] == 5);
	assert_true(op.paymaster_verification_gas_limit.limb[0] == 6);
	assert_true(op.paymaster_post_op_gas_limit.limb[0] == 8);
	assert_true(op.has_factory && op.has_paymaster);
	assert_false(op.factory_is_7702 || op.has_authorization || op.has_paymaster_signature);
	assert_int_equal(op.factory.bytes[0], 0x9f);
	assert_int_equal(op.paymaster.bytes[0], 0xab);
	assert_bytes_are(op.call_data, "0xdeadbeef");
	assert_bytes_are(op.factory_data, "0x0102");
	assert_bytes_are(op.paymaster_data, "0xaa");
	assert_int_equal(op.present, 0xff);
	eth_user_op_free(&op);
}

static void says_what_was_there(void **state)
{
	static const char few[] = "{" SENDER ",\"nonce\":\"0x7\",\"callData\":\"0x\","
				  "\"maxFeePerGas\":null,\"callGasLimit\":\"0x0\"}";
	struct eth_user_op op = { 0 };
	struct sr_error err = { 0 };

	(void)state;
	assert_true(parse_op(few, ETH_ENTRY_POINT_V07,
			     ETH_OP_MAY_LACK_GAS | ETH_OP_MAY_LACK_FEES | ETH_OP_MAY_LACK_SIGNATURE,
			     &op, &err));
	assert_int_equal(op.present, ETH_OP_HAS_CALL_GAS_LIMIT);
	eth_user_op_free(&op);
}

static void excuses_only_what_it_was_told_to(void **state)
{
	static const struct {
		uint32_t may_lack;
		const char *message;
	} cases[] = {
		{ ETH_OP_MAY_LACK_FEES | ETH_OP_MAY_LACK_SIGNATURE, "callGasLimit: missing" },
		{ ETH_OP_MAY_LACK_GAS | ETH_OP_MAY_LACK_SIGNATURE, "maxFeePerGas: missing" },
		{ ETH_OP_MAY_LACK_GAS | ETH_OP_MAY_LACK_FEES, "signature: missing" },
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		struct eth_user_op op = { 0 };
		struct sr_error err = { 0 };

		assert_false(parse_op("{" SENDER ",\"nonce\":\"0x7\",\"callData\":\"0x\"}",
				      ETH_ENTRY_POINT_V07, cases[i].may_lack, &op, &err));
		assert_string_equal(err.message, cases[i].message);
	}
}

static void refuses_unknown_fields_with_a_suggestion(void **state)
{
	(void)state;
	assert_refused(OPEN_OP ",\"calldata\":\"0x\"}", ETH_ENTRY_POINT_V07,
		       "unknown UserOperation field \"calldata\", did you mean callData?");
	assert_refused(
		OPEN_OP ",\"payMasterData\":\"0x\"}", ETH_ENTRY_POINT_V07,
		"unknown UserOperation field \"payMasterData\", did you mean paymasterData?");
	/* suggestions are this version's names */
	assert_refused(OPEN_OP ",\"paymasterAndDat\":\"0x\"}", ETH_ENTRY_POINT_V06,
		       "unknown UserOperation field \"paymasterAndDat\", did you mean "
		       "paymasterAndData?");
	assert_refused(OPEN_OP ",\"zzzzzzzzzzzz\":null}", ETH_ENTRY_POINT_V07,
		       "unknown UserOperation field \"zzzzzzzzzzzz\"");
	assert_refused(OPEN_OP ",\"sender\\u0000\":null}", ETH_ENTRY_POINT_V07,
		       "unknown UserOperation field \"sender\\x00\", did you mean sender?");
}

static void shows_input_cut_and_escaped(void **state)
{
	(void)state;
	assert_refused("{" SENDER ",\"nonce\":\"\\u001b[31m\\\"\\n\"}", ETH_ENTRY_POINT_V07,
		       "callData: missing");
	assert_refused(OPEN_OP ",\"paymasterData\":\"\\u001b[31m\\\"\\n\\u00e9\"}",
		       ETH_ENTRY_POINT_V07,
		       "paymasterData: expected 0x and an even number of hex digits, got "
		       "\"\\x1b[31m\\x22\\x0a\\xc3\\xa9\"");
	assert_refused(
		OPEN_OP ",\"paymasterPostOpGasLimit\":\""
			"01234567890123456789012345678901234567890123456789\"}",
		ETH_ENTRY_POINT_V07,
		"paymasterPostOpGasLimit: expected a 0x-prefixed hex quantity of at most 128 "
		"bits, got \"0123456789012345678901234567890123456789\"...");
}

static void refuses_what_is_no_object(void **state)
{
	(void)state;
	assert_refused("[]", ETH_ENTRY_POINT_V07,
		       "userOperation: expected an object, got an array");
	assert_refused("\"0x\"", ETH_ENTRY_POINT_V07,
		       "userOperation: expected an object, got \"0x\"");
	assert_refused("17", ETH_ENTRY_POINT_V07,
		       "userOperation: expected an object, got the number 17");
	assert_refused("null", ETH_ENTRY_POINT_V07, "userOperation: expected an object, got null");
}

/* read without YYJSON_READ_NUMBER_AS_RAW, numbers are numbers, and refused too */
static void refuses_numbers_however_they_were_read(void **state)
{
	static const char json[] =
		"{" SENDER ",\"nonce\":7,\"callData\":\"0x\",\"signature\":\"0x\"" GAS FEES "}";
	yyjson_doc *doc = yyjson_read(json, strlen(json), 0);
	struct eth_user_op op = { 0 };
	struct sr_error err = { 0 };

	(void)state;
	assert_false(
		eth_user_op_parse(yyjson_doc_get_root(doc), ETH_ENTRY_POINT_V07, 0, &op, &err));
	assert_string_equal(err.message,
			    "nonce: expected a 0x-prefixed hex quantity of at most 256 "
			    "bits, got a number");
	yyjson_doc_free(doc);
	assert_refused(json, ETH_ENTRY_POINT_V07,
		       "nonce: expected a 0x-prefixed hex quantity of at most 256 bits, got the "
		       "number 7");
}

static void takes_the_ways_to_say_no_paymaster_and_no_factory(void **state)
{
	static const char *const ways[] = {
		"",
		",\"paymaster\":null,\"paymasterData\":null,\"factory\":null,\"factoryData\":null",
		",\"paymaster\":\"0x\",\"paymasterData\":\"0x\",\"factory\":\"0x\"",
		",\"paymaster\":\"0x0000000000000000000000000000000000000000\","
		"\"paymasterData\":\"0x\"",
		",\"paymaster\":\"0x0000000000000000000000000000000000000000\","
		"\"paymasterVerificationGasLimit\":\"0x0\",\"paymasterPostOpGasLimit\":\"0x9\"",
		",\"factoryData\":\"0x\",\"paymasterVerificationGasLimit\":\"0x0\"",
	};

	(void)state;
	for (size_t v = 1; v < SR_ARRAY_LEN(versions); v++) {
		for (size_t i = 0; i < SR_ARRAY_LEN(ways); i++) {
			char json[1024];
			struct eth_user_op op = { 0 };

			snprintf(json, sizeof(json), "%s%s}", OPEN_OP, ways[i]);
			op = must_parse(json, versions[v]);
			assert_false(op.has_paymaster);
			assert_false(op.has_factory);
			eth_user_op_free(&op);
		}
	}
}

static void refuses_data_without_its_address(void **state)
{
	(void)state;
	assert_refused(OPEN_OP ",\"factoryData\":\"0x01\"}", ETH_ENTRY_POINT_V07,
		       "factoryData: given without factory");
	assert_refused(OPEN_OP ",\"paymasterData\":\"0x01\"}", ETH_ENTRY_POINT_V07,
		       "paymasterData: given without paymaster");
	assert_refused(OPEN_OP ",\"paymasterSignature\":\"0x01\"}", ETH_ENTRY_POINT_V09,
		       "paymasterSignature: given without paymaster");
	assert_refused(OPEN_OP ",\"paymaster\":\"0x0000000000000000000000000000000000000000\","
			       "\"paymasterData\":\"0x01\"}",
		       ETH_ENTRY_POINT_V07,
		       "paymaster: the zero address means none, but there is paymasterData or "
		       "paymasterSignature for it");
}

static void refuses_v06_data_too_short_for_an_address(void **state)
{
	(void)state;
	assert_refused(
		OPEN_OP ",\"initCode\":\"0x7702\"}", ETH_ENTRY_POINT_V06,
		"initCode: expected nothing (0x) or at least the 20 bytes of an address, got "
		"2 bytes");
	assert_refused(OPEN_OP
		       ",\"paymasterAndData\":\"0x27b1fdb04752bbc536007a920d24acb045561c\"}",
		       ETH_ENTRY_POINT_V06,
		       "paymasterAndData: expected nothing (0x) or at least the 20 bytes of an "
		       "address, got 19 bytes");
}

static void knows_the_7702_marker_from_v08(void **state)
{
	static const char *const spellings[] = { "0x7702",
						 "0x7702000000000000000000000000000000000000" };
	struct eth_user_op op = { 0 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char json[1024];

		snprintf(json, sizeof(json), "%s,\"factory\":\"%s\"}", OPEN_OP, spellings[i % 2]);
		op = must_parse(json, i < 2 ? ETH_ENTRY_POINT_V08 : ETH_ENTRY_POINT_V09);
		assert_true(op.has_factory && op.factory_is_7702);
		assert_int_equal(op.factory.bytes[0], 0x77);
		assert_int_equal(op.factory.bytes[1], 0x02);
		eth_user_op_free(&op);
	}
	assert_refused(
		OPEN_OP ",\"factory\":\"0x7702\"}", ETH_ENTRY_POINT_V07,
		"factory: the EIP-7702 marker 0x7702 needs EntryPoint v0.8 or later, this is "
		"v0.7");
	/* padded it is an address like any other there */
	op = must_parse(OPEN_OP ",\"factory\":\"0x7702000000000000000000000000000000000000\"}",
			ETH_ENTRY_POINT_V07);
	assert_true(op.has_factory && !op.factory_is_7702);
	eth_user_op_free(&op);
}

static void refuses_addresses_with_a_wrong_checksum(void **state)
{
	(void)state;
	assert_refused(OPEN_OP ",\"paymaster\":\"0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"}",
		       ETH_ENTRY_POINT_V07,
		       "paymaster: wrong EIP-55 checksum in the address's case, expected "
		       "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
}

static void refuses_a_paymaster_signature_that_cannot_be(void **state)
{
	static const char *const tails[] = { "0004" MAGIC, "aa0002" MAGIC, "aabbcc" MAGIC };
	char *json = malloc(2 * 65536 + 2048);
	int start = 0;

	(void)state;
	assert_non_null(json);
	for (size_t i = 0; i < SR_ARRAY_LEN(tails); i++) {
		snprintf(json, 2048, "%s,\"paymasterData\":\"0x%s\"}", OPEN_OP PAYMASTER, tails[i]);
		assert_refused_with(json, ETH_ENTRY_POINT_V09,
				    "paymasterData: ends in the paymaster signature magic",
				    "paymasterSignature");
	}
	/* one byte more than uint16 can say */
	start = snprintf(json, 2048, "%s,\"paymasterSignature\":\"0x", OPEN_OP PAYMASTER);
	memset(json + start, '0', 2 * 65536);
	memcpy(json + start + 2 * 65536, "\"}", 3);
	assert_refused(json, ETH_ENTRY_POINT_V09,
		       "paymasterSignature: expected at most 65535 bytes, got 65536");
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_malformed_values_of_every_field),
		cmocka_unit_test(refuses_fields_of_other_versions),
		cmocka_unit_test(needs_the_required_fields_and_no_others),
		cmocka_unit_test(refuses_a_field_given_twice),
		cmocka_unit_test(bounds_quantities_by_version),
		cmocka_unit_test(bounds_byte_strings),
		cmocka_unit_test(gives_every_value_its_place),
		cmocka_unit_test(says_what_was_there),
		cmocka_unit_test(excuses_only_what_it_was_told_to),
		cmocka_unit_test(refuses_unknown_fields_with_a_suggestion),
		cmocka_unit_test(shows_input_cut_and_escaped),
		cmocka_unit_test(refuses_what_is_no_object),
		cmocka_unit_test(refuses_numbers_however_they_were_read),
		cmocka_unit_test(takes_the_ways_to_say_no_paymaster_and_no_factory),
		cmocka_unit_test(refuses_data_without_its_address),
		cmocka_unit_test(refuses_v06_data_too_short_for_an_address),
		cmocka_unit_test(knows_the_7702_marker_from_v08),
		cmocka_unit_test(refuses_addresses_with_a_wrong_checksum),
		cmocka_unit_test(refuses_a_paymaster_signature_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
