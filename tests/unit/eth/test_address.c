/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#include <ctype.h>

/* the examples of EIP-55's own text */
static const char *const checksummed[] = {
	"0x52908400098527886E0F7030069857D2E4169EE7", "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
	"0xde709f2102306220921060314715629080e2fb77", "0x27b1fdb04752bbc536007a920d24acb045561c26",
	"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
	"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB", "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
};

static bool read_address(const char *text, struct eth_address *out, struct sr_error *err)
{
	return eth_address_from_text(text, strlen(text), out, err);
}

static void writes_and_reads_the_standards_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(checksummed); i++) {
		struct eth_address a = { { 0 } };
		struct sr_error err = { 0 };
		char out[ETH_ADDRESS_TEXT];

		if (!read_address(checksummed[i], &a, &err))
			fail_msg("%s: %s", checksummed[i], err.message);
		eth_address_to_text(&a, out);
		assert_string_equal(out, checksummed[i]);
	}
}

static void takes_one_case_without_a_checksum(void **state)
{
	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(checksummed); i++) {
		struct eth_address a = { { 0 } };
		char lower[ETH_ADDRESS_TEXT] = "0x";
		char upper[ETH_ADDRESS_TEXT] = "0x";

		for (size_t j = 2; j < 42; j++) {
			lower[j] = (char)tolower(checksummed[i][j]);
			upper[j] = (char)toupper(checksummed[i][j]);
		}
		assert_true(read_address(lower, &a, NULL));
		assert_true(read_address(upper, &a, NULL));
	}
}

static void refuses_any_one_letter_of_the_wrong_case(void **state)
{
	(void)state;
	for (size_t j = 2; j < 42; j++) {
		char text[ETH_ADDRESS_TEXT] = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
		struct eth_address a = { { 0 } };
		struct sr_error err = { 0 };

		if (!isalpha((unsigned char)text[j]))
			continue;
		text[j] ^= 0x20;
		assert_false(read_address(text, &a, &err));
		assert_int_equal(err.code, SR_E_INVALID);
		assert_non_null(strstr(err.message, "EIP-55"));
		/* the message has the right form in it, ready to be copied */
		assert_non_null(strstr(err.message, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"));
	}
}

static void refuses_what_is_no_address(void **state)
{
	static const char *const texts[] = {
		"",
		"0x",
		"0x7702",
		"27b1fdb04752bbc536007a920d24acb045561c26",
		"27b1fdb04752bbc536007a920d24acb045561c2600",
		"0X27b1fdb04752bbc536007a920d24acb045561c26",
		"0x27b1fdb04752bbc536007a920d24acb045561c2",
		"0x27b1fdb04752bbc536007a920d24acb045561c266",
		"0x27b1fdb04752bbc536007a920d24acb045561c2g",
		"0x0x27b1fdb04752bbc536007a920d24acb045561c",
		" 0x27b1fdb04752bbc536007a920d24acb045561c2",
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(texts); i++) {
		struct eth_address a = { { 0 } };
		struct sr_error err = { 0 };

		if (read_address(texts[i], &a, &err))
			fail_msg("took \"%s\"", texts[i]);
		assert_string_equal(err.message, "expected an address: 0x and 40 hex digits");
	}
}

static void derives_the_address_of_a_public_key(void **state)
{
	/* secp256k1's generator: the public key of the private key 1 */
	static const char key_hex[] =
		"0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
		"483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
	struct eth_address a = { { 0 } };
	char text[ETH_ADDRESS_TEXT];
	uint8_t key[65];

	(void)state;
	assert_true(sr_hex_decode(key_hex, strlen(key_hex), key, sizeof(key)));
	eth_address_from_public_key(key, &a);
	eth_address_to_text(&a, text);
	assert_string_equal(text, "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf");
}

static void knows_the_entry_points(void **state)
{
	static const struct {
		enum eth_entry_point version;
		const char *name;
		const char *address;
	} cases[] = {
		{ ETH_ENTRY_POINT_V06, "0.6", "0x5FF137D4b0FDCD49DcA30c7CF57E578a026d2789" },
		{ ETH_ENTRY_POINT_V07, "0.7", "0x0000000071727De22E5E9d8BAf0edAc6f37da032" },
		{ ETH_ENTRY_POINT_V08, "0.8", "0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108" },
		{ ETH_ENTRY_POINT_V09, "0.9", "0x433709009B8330FDa32311DF1C2AFA402eD8D009" },
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		enum eth_entry_point version = ETH_ENTRY_POINT_V06;
		char text[ETH_ADDRESS_TEXT];
		char with_v[8];

		eth_address_to_text(eth_entry_point_address(cases[i].version), text);
		assert_string_equal(text, cases[i].address);
		assert_string_equal(eth_entry_point_name(cases[i].version), cases[i].name);
		snprintf(with_v, sizeof(with_v), "v%s", cases[i].name);
		assert_true(eth_entry_point_parse(cases[i].name, &version));
		assert_int_equal(version, cases[i].version);
		assert_true(eth_entry_point_parse(with_v, &version));
		assert_int_equal(version, cases[i].version);
		assert_true(
			eth_entry_point_find(eth_entry_point_address(cases[i].version), &version));
		assert_int_equal(version, cases[i].version);
	}
}

static void knows_no_other_entry_point(void **state)
{
	static const char *const names[] = { "", "v", "0.5", "0.60", "0.10", "7", "vv0.7", "0.7 " };
	struct eth_address other = *eth_entry_point_address(ETH_ENTRY_POINT_V07);
	enum eth_entry_point version = ETH_ENTRY_POINT_V06;

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(names); i++)
		assert_false(eth_entry_point_parse(names[i], &version));
	other.bytes[19] ^= 1;
	assert_false(eth_entry_point_find(&other, &version));
	assert_null(eth_entry_point_address((enum eth_entry_point)5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_and_reads_the_standards_examples),
		cmocka_unit_test(takes_one_case_without_a_checksum),
		cmocka_unit_test(refuses_any_one_letter_of_the_wrong_case),
		cmocka_unit_test(refuses_what_is_no_address),
		cmocka_unit_test(derives_the_address_of_a_public_key),
		cmocka_unit_test(knows_the_entry_points),
		cmocka_unit_test(knows_no_other_entry_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
