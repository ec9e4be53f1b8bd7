/* SPDX-License-Identifier: Apache-2.0 */
/* A key's policy from TOML: exact, strict, and the TA's bytes. */
#include "config_test.h"

#include <stdio.h>

#include "super_relay_ta.h"

#define BASE                    \
	"chain_ids = [31337]\n" \
	"entry_points = [\"0x0000000071727De22E5E9d8BAf0edAc6f37da032\"]\n"

static bool parse(const char *text, struct config_policy *out, struct sr_error *err)
{
	return config_policy_parse(text, strlen(text), "p.toml", out, err);
}

static struct config_policy policy_of(const char *text)
{
	struct config_policy p;
	struct sr_error err = { .code = SR_OK };

	if (!parse(text, &p, &err))
		fail_msg("refused: %s\n%s", err.message, text);
	return p;
}

static void refuse_policy(const char *text, const char *part)
{
	struct config_policy p;
	struct sr_error err = { .code = SR_OK };

	if (parse(text, &p, &err))
		fail_msg("accepted: %s", text);
	if (!strstr(err.message, part))
		fail_msg("'%s' is not in '%s'", part, err.message);
}

static void allows_nothing_that_it_does_not_name(void **state)
{
	struct config_policy p = policy_of(BASE);

	(void)state;
	assert_int_equal(p.chain_ids[0], 31337);
	assert_int_equal(p.entry_point_count, 1);
	assert_int_equal(p.paymaster_count + p.beneficiary_count, 0);
	assert_int_equal(p.max_validity + p.window + p.operations, 0);
	assert_int_equal(p.max_gas, 0);
	assert_true(eth_u256_is_zero(&p.max_cost));
	assert_false(p.force_audit);
}

static void reads_amounts_to_the_last_wei(void **state)
{
	static const struct {
		const char *text;
		uint64_t wei;
	} cases[] = {
		{ "7", 7 },
		{ "\"7\"", 7 },
		{ "\"7 wei\"", 7 },
		{ "\"0.05 eth\"", 50000000000000000 },
		{ "\"1.000000000000000001 ether\"", 1000000000000000001 },
		{ "\"100gwei\"", 100000000000 },
		{ "\"0.000000001 gwei\"", 1 },
		{ "\"0 eth\"", 0 },
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		struct eth_u256 expected = eth_u256_from_u64(cases[i].wei);
		struct config_policy p;

		snprintf(text, sizeof(text), BASE "max_cost = %s\n", cases[i].text);
		p = policy_of(text);
		assert_int_equal(eth_u256_cmp(&p.max_cost, &expected), 0);
	}
}

static void refuses_amounts_that_are_none(void **state)
{
	static const char *const cases[] = { "\"\"",
					     "\"1.\"",
					     "\".5 eth\"",
					     "\"1 finney\"",
					     "\"-1\"",
					     "-1",
					     "1.5",
					     "\"0.5\"",
					     "\"0.5 wei\"",
					     "\"1  eth\"",
					     "\"1e18\"",
					     "\"1 ETH\"",
					     "true",
					     "\"0.0000000000000000001 eth\"",
					     "\"340282366920938463463374607431768211456\"",
					     "\"1 eth\\u0000\"" };
	char text[256];

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		snprintf(text, sizeof(text), BASE "max_cost = %s\n", cases[i]);
		refuse_policy(text, "p.toml: line 3: max_cost: expected wei");
	}
}

static void reads_durations_with_their_units(void **state)
{
	static const struct {
		const char *text;
		uint32_t seconds;
	} cases[] = { { "90", 90 },
		      { "\"90s\"", 90 },
		      { "\"15m\"", 900 },
		      { "\"2h\"", 7200 },
		      { "\"1d\"", 86400 } };
	static const char *const bad[] = { "\"\"", "\"m\"",   "\"15\"", "\"15 m\"",	   "\"1w\"",
					   "-1",   "\"1m1\"", "1.5",	"\"99999999999d\"" };
	char text[256];

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		snprintf(text, sizeof(text), BASE "max_validity = %s\n", cases[i].text);
		assert_int_equal(policy_of(text).max_validity, cases[i].seconds);
	}
	for (size_t i = 0; i < SR_ARRAY_LEN(bad); i++) {
		snprintf(text, sizeof(text), BASE "max_validity = %s\n", bad[i]);
		refuse_policy(text, "max_validity: expected seconds");
	}
	refuse_policy(BASE "window = \"367d\"\noperations = 1\n", "at most 31622400 seconds");
}

static void names_what_is_wrong_and_what_was_meant(void **state)
{
	(void)state;
	refuse_policy(BASE "max_cots = 1\n",
		      "p.toml: line 3: a policy has no key 'max_cots'; did you mean 'max_cost'?");
	refuse_policy("chain_ids = [1]\n", "chain_ids and entry_points are needed");
	refuse_policy(BASE "paymasters = [\"0x12\"]\n", "line 3: paymasters: item 1");
	refuse_policy(BASE "chain_ids = [1]\n", "chain_ids");
	refuse_policy("chain_ids = [1,2,3,4,5,6,7,8,9]\n", "at most 8 items");
	refuse_policy("chain_ids = \"1\"\n", "an array of integers");
	refuse_policy(BASE "force_audit = 1\n", "true or false");
	refuse_policy(BASE "operations = 4294967296\n", "0 to 4294967295");
	refuse_policy("[x]\n", "no key 'x'");
}

/* The TA refuses both, and cannot say why. */
static void a_window_and_its_limits_go_together(void **state)
{
	(void)state;
	refuse_policy(BASE "budget = 1\n", "there is none");
	refuse_policy(BASE "operations = 1\n", "there is none");
	refuse_policy(BASE "window = \"1d\"\nbudget = 1\n", "needs operations");
	assert_int_equal(policy_of(BASE "window = \"1d\"\noperations = 5\n").operations, 5);
}

static void has_the_bytes_that_the_ta_reads(void **state)
{
	static const uint8_t head[] = { 1, 1, 0, 0, 0, 1, 0x69, 0x7a, 0, 0, 0, 0, 0, 0, 1 };
	struct config_policy p = policy_of(BASE "force_audit = true\nmax_gas = 258\n"
						"max_fee_per_gas = 515\nwindow = 772\n"
						"operations = 1029\nbudget = 1286\n");
	uint8_t bytes[CONFIG_POLICY_BYTES_MAX];
	size_t len = config_policy_encode(&p, bytes);
	const uint8_t *tail = bytes + len - (4 + 8 + 16 + 16 + 4 + 16 + 4);

	(void)state;
	assert_memory_equal(bytes, head, sizeof(head));
	assert_int_equal(len, sizeof(head) + 20 + 1 + 1 + 4 + 8 + 16 + 16 + 4 + 16 + 4);
	assert_memory_equal(tail + 4, "\x02\x01\0\0\0\0\0\0", 8);
	assert_memory_equal(tail + 12 + 14, "\x02\x03", 2);
	assert_memory_equal(tail + 44, "\x04\x03\0\0", 4);
	assert_memory_equal(tail + 48 + 14, "\x05\x06", 2);
	assert_memory_equal(tail + 64, "\x05\x04\0\0", 4);
}

static void comes_back_from_bytes_and_from_text(void **state)
{
	struct config_policy p = policy_of(
		"chain_ids = [1, 10]\nentry_points = "
		"[\"0x0000000071727De22E5E9d8BAf0edAc6f37da032\"]\n"
		"beneficiaries = [\"0x70997970C51812dc3A010C7d01b50e0d17dc79C8\"]\n"
		"max_fee_per_gas = \"100.25 gwei\"\nmax_cost = \"1.5 eth\"\nmax_validity = 61\n"
		"window = \"2h\"\nbudget = 123456789\noperations = 1\nforce_audit = true\n");
	struct config_policy again;
	struct sr_error err = { .code = SR_OK };
	struct sr_buf text = { 0 };
	uint8_t bytes[CONFIG_POLICY_BYTES_MAX];
	size_t len = config_policy_encode(&p, bytes);

	(void)state;
	assert_true(config_policy_decode((struct sr_bytes){ bytes, len }, &again, &err));
	assert_memory_equal(&p, &again, sizeof(p));
	config_policy_to_toml(&p, &text);
	assert_non_null(strstr(sr_buf_cstr(&text), "max_fee_per_gas = \"100.25 gwei\""));
	assert_non_null(strstr(sr_buf_cstr(&text), "max_cost = \"1.5 eth\""));
	assert_true(parse(sr_buf_cstr(&text), &again, &err));
	assert_memory_equal(&p, &again, sizeof(p));
	sr_buf_free(&text);
	for (size_t cut = 0; cut < len; cut++)
		assert_false(config_policy_decode((struct sr_bytes){ bytes, cut }, &again, &err));
	bytes[0] = 2;
	assert_false(config_policy_decode((struct sr_bytes){ bytes, len }, &again, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allows_nothing_that_it_does_not_name),
		cmocka_unit_test(reads_amounts_to_the_last_wei),
		cmocka_unit_test(refuses_amounts_that_are_none),
		cmocka_unit_test(reads_durations_with_their_units),
		cmocka_unit_test(names_what_is_wrong_and_what_was_meant),
		cmocka_unit_test(a_window_and_its_limits_go_together),
		cmocka_unit_test(has_the_bytes_that_the_ta_reads),
		cmocka_unit_test(comes_back_from_bytes_and_from_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
