/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "chain/chain_private.h"

static bool parse(const char *text, struct chain_parsed *parsed, struct chain_reply *reply)
{
	*reply = (struct chain_reply){ .error = { .code = SR_OK } };
	return chain_parse_reply((struct sr_bytes){ (const uint8_t *)text, strlen(text) }, parsed,
				 reply);
}

static void a_result_is_given_as_it_came(void **state)
{
	static const char *const results[] = { "null",	       "\"0x1\"",
					       "[1,2]",	       "12345678901234567890123",
					       "{\"a\":1.50}", "false" };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(results); i++) {
		struct chain_parsed parsed;
		struct chain_reply reply;
		char text[128];

		snprintf(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}",
			 results[i]);
		assert_true(parse(text, &parsed, &reply));
		assert_false(reply.is_rpc_error);
		assert_int_equal(reply.json.len, strlen(results[i]));
		assert_memory_equal(reply.json.data, results[i], reply.json.len);
		chain_parsed_free(&parsed);
	}
}

static void an_error_keeps_its_code_message_and_data(void **state)
{
	struct chain_parsed parsed;
	struct chain_reply reply;

	(void)state;
	assert_true(parse("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32500,"
			  "\"message\":\"AA21 didn't pay prefund\",\"data\":{\"x\":1}}}",
			  &parsed, &reply));
	assert_true(reply.is_rpc_error);
	assert_int_equal(reply.rpc_code, -32500);
	assert_string_equal(reply.rpc_message, "AA21 didn't pay prefund");
	assert_non_null(memmem(reply.json.data, reply.json.len, "{\"x\":1}", 7));
	chain_parsed_free(&parsed);
}

static void what_is_no_json_rpc_response_is_refused(void **state)
{
	static const char *const bad[] = { "",
					   "not json",
					   "[]",
					   "\"x\"",
					   "{}",
					   "42",
					   "{\"jsonrpc\":\"2.0\"}",
					   "{\"error\":\"text\"}" };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(bad); i++) {
		struct chain_parsed parsed;
		struct chain_reply reply;

		assert_false(parse(bad[i], &parsed, &reply));
		assert_int_equal(reply.error.code, SR_E_CORRUPT);
	}
}

static void quantities_and_data_are_read_strictly(void **state)
{
	struct chain_parsed parsed;
	struct chain_reply reply;
	struct eth_u256 v;
	struct sr_error err = { .code = SR_OK };
	uint8_t data[2];

	(void)state;
	assert_true(parse("{\"result\":\"0x7a69\"}", &parsed, &reply));
	assert_true(chain_reply_quantity(&reply, &v, &err));
	assert_int_equal(v.limb[0], 31337);
	assert_true(chain_reply_data(&reply, data, 2, &err));
	assert_int_equal(data[0], 0x7a);
	assert_false(chain_reply_data(&reply, data, 1, &err));
	chain_parsed_free(&parsed);
	assert_true(parse("{\"result\":31337}", &parsed, &reply));
	assert_false(chain_reply_quantity(&reply, &v, &err));
	assert_int_equal(err.code, SR_E_CORRUPT);
	chain_parsed_free(&parsed);
	assert_true(parse("{\"error\":{\"code\":3,\"message\":\"reverted\"}}", &parsed, &reply));
	assert_false(chain_reply_quantity(&reply, &v, &err));
	assert_non_null(strstr(err.message, "reverted"));
	chain_parsed_free(&parsed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_result_is_given_as_it_came),
		cmocka_unit_test(an_error_keeps_its_code_message_and_data),
		cmocka_unit_test(what_is_no_json_rpc_response_is_refused),
		cmocka_unit_test(quantities_and_data_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
