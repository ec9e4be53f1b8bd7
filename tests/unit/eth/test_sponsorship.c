/* SPDX-License-Identifier: Apache-2.0 */
#include "sponsorship_wire.h"
#include "userop_test.h"

#define TIME_47 ((uint64_t)1 << 47)

/* The first vector of a scheme, as a sponsorship with its digest. The views of *out point to
 * memory that the next call reuses. */
static void first_vector(unsigned scheme, struct eth_sponsorship *out, uint8_t digest[static 32])
{
	static uint8_t bytes[VECTOR_LINE_MAX / 2];
	FILE *file = vectors_open("sponsorships.txt");
	char line[VECTOR_LINE_MAX];
	bool found = false;

	while (!found && vectors_next(file, line)) {
		char *rest = line;
		size_t len = 0;

		vectors_word(&rest);
		found = strtoul(vectors_word(&rest), NULL, 10) == scheme;
		vectors_hash(&rest, digest);
		len = strlen(rest) / 2;
		if (found)
			assert_true(sr_hex_decode(rest, 2 * len, bytes, len) &&
				    wire_sponsorship((struct eth_view){ bytes, len }, scheme, out));
	}
	fclose(file);
	assert_true(found);
}

static void computes_every_contracts_hash(void **state)
{
	FILE *file = vectors_open("sponsorships.txt");
	char line[VECTOR_LINE_MAX];
	unsigned schemes = 0;
	unsigned count = 0;

	(void)state;
	for (; vectors_next(file, line); count++) {
		uint8_t bytes[VECTOR_LINE_MAX / 2];
		struct eth_sponsorship s = { 0 };
		char *rest = line;
		const char *name = vectors_word(&rest);
		unsigned scheme = (unsigned)strtoul(vectors_word(&rest), NULL, 10);
		uint8_t expected[32];
		uint8_t digest[32];
		size_t len = 0;

		vectors_hash(&rest, expected);
		len = strlen(rest) / 2;
		assert_true(sr_hex_decode(rest, 2 * len, bytes, len));
		if (!wire_sponsorship((struct eth_view){ bytes, len }, scheme, &s) ||
		    !eth_sponsorship_digest(&s, digest) || memcmp(digest, expected, 32) != 0)
			fail_msg("%s: not the contract's digest", name);
		schemes |= 1u << scheme;
	}
	fclose(file);
	assert_int_equal(count, 18);
	assert_int_equal(schemes, 0xfe);
}

static bool same_digest(const struct eth_sponsorship *s, const uint8_t digest[static 32])
{
	uint8_t other[32] = { 0 };

	return eth_sponsorship_digest(s, other) && memcmp(digest, other, 32) == 0;
}

/* One bit of each field that the scheme signs, and the digest is another. */
static void assert_covers(unsigned scheme, const char *name, size_t offset, size_t len)
{
	struct eth_sponsorship s = { 0 };
	uint8_t digest[32];

	first_vector(scheme, &s, digest);
	for (size_t i = 0; i < len; i++) {
		uint8_t *byte = (uint8_t *)&s + offset + i;

		*byte ^= 1;
		if (same_digest(&s, digest))
			fail_msg("scheme %u does not sign byte %zu of %s", scheme, i, name);
		*byte ^= 1;
	}
	assert_true(same_digest(&s, digest));
}

#define FIELD(name) \
	offsetof(struct eth_sponsorship, name), sizeof(((struct eth_sponsorship *)0)->name)
#define COVERS(scheme, name) assert_covers(scheme, #name, FIELD(name))

static void signs_every_byte_of_what_all_schemes_sign(void **state)
{
	(void)state;
	for (unsigned scheme = 1; scheme <= 7; scheme++) {
		COVERS(scheme, chain_id);
		COVERS(scheme, paymaster);
		COVERS(scheme, sender);
		COVERS(scheme, nonce);
		COVERS(scheme, account_gas_limits);
		COVERS(scheme, pre_verification_gas);
		COVERS(scheme, gas_fees);
	}
}

static void signs_every_byte_of_what_a_scheme_adds(void **state)
{
	(void)state;
	COVERS(1, valid_until);
	COVERS(1, valid_after);
	COVERS(1, paymaster_gas_limits);
	COVERS(2, sender_nonce);
	COVERS(2, valid_until);
	COVERS(3, init_code_hash);
	COVERS(3, call_data_hash);
	COVERS(4, paymaster_gas_limits);
	COVERS(5, delegate_init_code_hash);
	COVERS(6, domain_name_hash);
	COVERS(6, domain_version_hash);
	COVERS(6, paymaster_gas_limits);
	COVERS(7, entry_point);
	COVERS(7, init_code_hash);
	COVERS(7, paymaster_gas_limits);
}

static void refuses_an_unknown_scheme(void **state)
{
	struct eth_sponsorship s = { .valid_until = 1 };
	uint8_t digest[32];

	(void)state;
	assert_false(eth_sponsorship_digest(&s, digest));
	s.scheme = (enum eth_sponsorship_scheme)8;
	assert_false(eth_sponsorship_digest(&s, digest));
}

static void refuses_times_that_would_be_block_numbers(void **state)
{
	(void)state;
	for (unsigned scheme = 1; scheme <= 7; scheme++) {
		struct eth_sponsorship s = { 0 };
		uint8_t digest[32];

		first_vector(scheme, &s, digest);
		s.valid_until |= TIME_47;
		assert_false(eth_sponsorship_digest(&s, digest));
		s.valid_until ^= TIME_47;
		s.valid_after |= TIME_47;
		assert_false(eth_sponsorship_digest(&s, digest));
	}
}

static void refuses_v06_fields_that_the_contract_does_not_have(void **state)
{
	struct eth_sponsorship s = { 0 };
	uint8_t digest[32];

	(void)state;
	first_vector(ETH_SCHEME_VERIFYING_PAYMASTER_V06, &s, digest);
	s.init_code_hash[31] = 1;
	assert_false(eth_sponsorship_digest(&s, digest));
	s.init_code_hash[31] = 0;
	s.call_data_hash[0] = 1;
	assert_false(eth_sponsorship_digest(&s, digest));
	s.call_data_hash[0] = 0;
	s.paymaster_gas_limits[16] = 1;
	assert_false(eth_sponsorship_digest(&s, digest));
	first_vector(ETH_SCHEME_SINGLETON_V6, &s, digest);
	s.paymaster_gas_limits[0] = 1;
	assert_false(eth_sponsorship_digest(&s, digest));
}

/* ---- Singleton's data ---------------------------------------------------- */

#define ERC20_TIMES "000000000002000000000001"
#define TOKEN "1111111111111111111111111111111111111111"
#define ZERO_TOKEN "0000000000000000000000000000000000000000"
#define WORD16 "00000000000000000000000000000000"
#define RATE WORD16 "00000000000000000000000000000001"
/* behind the times: token, postOp gas, rate, validation gas, treasury */
#define ERC20 TOKEN WORD16 RATE WORD16 ZERO_TOKEN

static bool takes_data(const char *hex)
{
	uint8_t bytes[256] = { 0 };
	struct eth_sponsorship s = { .scheme = ETH_SCHEME_SINGLETON_V7,
				     .valid_until = 2,
				     .valid_after = 1,
				     .data = bytes,
				     .data_len = strlen(hex) / 2 };
	uint8_t digest[32];

	assert_true(s.data_len <= sizeof(bytes));
	if (s.data_len > 0)
		assert_true(sr_hex_decode(hex, 2 * s.data_len, bytes, s.data_len));
	return eth_sponsorship_digest(&s, digest);
}

static void takes_singletons_modes(void **state)
{
	(void)state;
	assert_true(takes_data("00" ERC20_TIMES));
	assert_true(takes_data("01" ERC20_TIMES));
	assert_true(takes_data("0200" ERC20_TIMES ERC20));
	assert_true(takes_data("0301" ERC20_TIMES ERC20 WORD16));
	assert_true(takes_data("0304" ERC20_TIMES ERC20 WORD16));
	assert_true(takes_data("0302" ERC20_TIMES ERC20 TOKEN));
	assert_true(takes_data("0307" ERC20_TIMES ERC20 WORD16 WORD16 TOKEN));
}

static void refuses_singleton_data_of_another_form(void **state)
{
	static const char *const cases[] = {
		"",
		"00",
		/* other times */
		"00000000000003000000000001",
		"00000000000002000000000000",
		"0200000000000001000000000001" ERC20,
		/* too short, too long */
		"000000000000020000000000",
		"00" ERC20_TIMES "00",
		"02",
		"0200" ERC20_TIMES,
		"0200" ERC20_TIMES ERC20 "00",
		"0201" ERC20_TIMES ERC20,
		"0206" ERC20_TIMES ERC20 WORD16,
		/* unknown modes and flags */
		"04" ERC20_TIMES,
		"80" ERC20_TIMES,
		"0208" ERC20_TIMES ERC20,
		"0280" ERC20_TIMES ERC20,
		/* token, rate, recipient of zero */
		"0200" ERC20_TIMES ZERO_TOKEN WORD16 RATE WORD16 ZERO_TOKEN,
		"0200" ERC20_TIMES TOKEN WORD16 WORD16 WORD16 WORD16 ZERO_TOKEN,
		"0202" ERC20_TIMES ERC20 ZERO_TOKEN,
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		if (takes_data(cases[i]))
			fail_msg("taken: \"%s\"", cases[i]);
	}
}

/* ---- cost ------------------------------------------------------------------ */

/* Gas limits of 1, 2, 3, 100 and 1000 at 5 wei, or 10 of another field. */
static struct eth_sponsorship priced(enum eth_sponsorship_scheme scheme)
{
	struct eth_sponsorship s = { .scheme = scheme };

	s.account_gas_limits[15] = 2;
	s.account_gas_limits[31] = 1;
	s.pre_verification_gas[31] = 3;
	s.paymaster_gas_limits[15] = 100;
	s.paymaster_gas_limits[30] = 1000 >> 8;
	s.paymaster_gas_limits[31] = 1000 & 0xff;
	s.gas_fees[15] = 10;
	s.gas_fees[31] = 5;
	return s;
}

static void costs_what_the_entry_point_may_take(void **state)
{
	(void)state;
	for (int scheme = 1; scheme <= 7; scheme++) {
		struct eth_sponsorship s = priced((enum eth_sponsorship_scheme)scheme);
		bool v06 = scheme == ETH_SCHEME_VERIFYING_PAYMASTER_V06 ||
			   scheme == ETH_SCHEME_SINGLETON_V6;
		uint64_t gas = v06 ? 1 + 3 * 2 + 3 : 1 + 2 + 3 + 100 + 1000;
		struct eth_u256 cost = { { 0 } };

		assert_true(eth_sponsorship_cost(&s, &cost));
		assert_true(cost.limb[0] == 5 * gas && eth_u256_bits(&cost) <= 64);
	}
}

static void says_when_the_cost_overflows(void **state)
{
	struct eth_sponsorship s = priced(ETH_SCHEME_VERIFYING_PAYMASTER_V07);
	struct eth_u256 cost = { { 0 } };

	(void)state;
	memset(s.pre_verification_gas, 0xff, 32);
	assert_false(eth_sponsorship_cost(&s, &cost));
	memset(s.pre_verification_gas, 0, 32);
	s.pre_verification_gas[0] = 0x40;
	assert_false(eth_sponsorship_cost(&s, &cost));
	s.gas_fees[31] = 3;
	assert_true(eth_sponsorship_cost(&s, &cost));
	memset(s.gas_fees, 0xff, 32);
	memset(s.pre_verification_gas, 0, 32);
	memset(s.account_gas_limits, 0xff, 16);
	s.account_gas_limits[31] = 0;
	memset(s.paymaster_gas_limits, 0, 32);
	/* (2^128 + 1)(2^128 - 1) is the largest number of 256 bits */
	s.pre_verification_gas[31] = 2;
	assert_true(eth_sponsorship_cost(&s, &cost));
	assert_true((cost.limb[0] & cost.limb[1] & cost.limb[2] & cost.limb[3]) == UINT64_MAX);
	s.pre_verification_gas[31] = 3;
	assert_false(eth_sponsorship_cost(&s, &cost));
}

/* ---- the constants ----------------------------------------------------------- */

static void names_the_packed_operations_type(void **state)
{
	static const char type[] =
		"PackedUserOperation(address sender,uint256 nonce,bytes initCode,bytes callData,"
		"bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,"
		"bytes paymasterAndData)";
	uint8_t hash[32];

	(void)state;
	eth_keccak256(type, sizeof(type) - 1, hash);
	assert_memory_equal(hash, eth_packed_user_op_type, 32);
	eth_keccak256("PaymasterSignature", 18, hash);
	assert_memory_equal(hash, eth_paymaster_magic, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(computes_every_contracts_hash),
		cmocka_unit_test(signs_every_byte_of_what_all_schemes_sign),
		cmocka_unit_test(signs_every_byte_of_what_a_scheme_adds),
		cmocka_unit_test(refuses_an_unknown_scheme),
		cmocka_unit_test(refuses_times_that_would_be_block_numbers),
		cmocka_unit_test(refuses_v06_fields_that_the_contract_does_not_have),
		cmocka_unit_test(takes_singletons_modes),
		cmocka_unit_test(refuses_singleton_data_of_another_form),
		cmocka_unit_test(costs_what_the_entry_point_may_take),
		cmocka_unit_test(says_when_the_cost_overflows),
		cmocka_unit_test(names_the_packed_operations_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
