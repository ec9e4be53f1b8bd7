/* SPDX-License-Identifier: Apache-2.0 */
/* SIGN_MESSAGE and SIGN_SPONSORSHIP, judged by libraries that are not the TA. */
#include "ta_client.h"

#include <sodium.h>
#include <string.h>

static struct ta_request request;
static struct ta_response response;

static uint32_t item_result(unsigned i)
{
	const uint8_t *p = response.data + 2 + (size_t)i * SR_TA_SPONSORSHIP_RESULT_SIZE;

	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static const uint8_t *item_digest(unsigned i)
{
	return response.data + 2 + (size_t)i * SR_TA_SPONSORSHIP_RESULT_SIZE + 4;
}

static const uint8_t *item_signature(unsigned i)
{
	return item_digest(i) + 32;
}

/* ---- SIGN_MESSAGE ------------------------------------------------------ */

static void signs_batches_of_every_size(void **state)
{
	static const unsigned counts[] = { 1, 2, 3, 16, 63, 64 };
	struct ta_client *c = *state;
	struct key_info key = { 0 };

	fill_keys(c);
	assert_int_equal(get_key(c, "ec", &key), TEEC_SUCCESS);
	for (size_t n = 0; n < SR_ARRAY_LEN(counts); n++) {
		begin_digests(&request, "ec", counts[n]);
		assert_int_equal(call(c, SR_TA_CMD_SIGN_MESSAGE, &request, &response),
				 TEEC_SUCCESS);
		assert_int_equal(response.len, 2 + counts[n] * 65);
		assert_int_equal(response.data[1], counts[n]);
		for (unsigned i = 0; i < counts[n]; i++)
			assert_true(secp256k1_signature_good(
				key.public_key, request.data + FRAMING + 4 + (size_t)i * 32,
				response.data + 2 + (size_t)i * 65));
	}
}

static void signs_digests_at_the_edges_of_the_field(void **state)
{
	struct ta_client *c = *state;
	struct key_info key = { 0 };
	uint8_t digest[32] = { 0 };
	uint8_t signature[65] = { 0 };

	fill_keys(c);
	assert_int_equal(get_key(c, "ec", &key), TEEC_SUCCESS);
	assert_int_equal(sign_digest(c, "ec", digest, signature), TEEC_SUCCESS);
	assert_true(secp256k1_signature_good(key.public_key, digest, signature));
	memset(digest, 0xff, sizeof(digest));
	assert_int_equal(sign_digest(c, "ec", digest, signature), TEEC_SUCCESS);
	assert_true(secp256k1_signature_good(key.public_key, digest, signature));
}

static void adds_entropy_to_every_nonce(void **state)
{
	static const uint8_t digest[32] = { 9 };
	struct ta_client *c = *state;
	uint8_t a[65] = { 0 };
	uint8_t b[65] = { 0 };

	fill_keys(c);
	assert_int_equal(sign_digest(c, "ec", digest, a), TEEC_SUCCESS);
	assert_int_equal(sign_digest(c, "ec", digest, b), TEEC_SUCCESS);
	assert_memory_not_equal(a, b, 32);
}

static void signs_with_an_imported_key_of_known_address(void **state)
{
	/* The secret 1: its public key is the curve's generator. */
	static const uint8_t gx[4] = { 0x79, 0xbe, 0x66, 0x7e };
	static const uint8_t digest[32] = { 0xab };
	struct ta_client *c = *state;
	struct key_info key = { 0 };
	uint8_t signature[65] = { 0 };

	begin_new_key(&request, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "one");
	put_bytes(&request, (const uint8_t[32]){ [31] = 1 }, 32);
	assert_int_equal(call(c, SR_TA_CMD_IMPORT_KEY, &request, &response), TEEC_SUCCESS);
	assert_int_equal(get_key(c, "one", &key), TEEC_SUCCESS);
	assert_memory_equal(key.public_key + 1, gx, sizeof(gx));
	assert_int_equal(sign_digest(c, "one", digest, signature), TEEC_SUCCESS);
	assert_true(secp256k1_signature_good(key.public_key, digest, signature));
}

static void signs_ed25519_messages_of_every_length(void **state)
{
	static const uint16_t lengths[] = { 0, 1, 31, 32, 33, 127, 128, 129, 1000, 4095, 4096 };
	static uint8_t message[SR_TA_MESSAGE_MAX];
	struct ta_client *c = *state;
	struct key_info key = { 0 };

	fill_keys(c);
	randombytes_buf(message, sizeof(message));
	assert_int_equal(get_key(c, "ed", &key), TEEC_SUCCESS);
	for (size_t i = 0; i < SR_ARRAY_LEN(lengths); i++) {
		begin_message(&request, "ed", message, lengths[i]);
		assert_int_equal(call(c, SR_TA_CMD_SIGN_MESSAGE, &request, &response),
				 TEEC_SUCCESS);
		assert_int_equal(response.len, 2 + 64);
		assert_int_equal(crypto_sign_verify_detached(response.data + 2, message, lengths[i],
							     key.public_key),
				 0);
	}
}

static void matches_rfc_8032(void **state)
{
	/* RFC 8032, 7.1, test 2. */
	struct ta_client *c = *state;
	struct key_info key = { 0 };
	uint8_t seed[32] = { 0 };
	uint8_t public_key[32] = { 0 };
	uint8_t expected[64] = { 0 };

	assert_true(sr_hex_decode(
		"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", 64, seed, 32));
	assert_true(
		sr_hex_decode("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
			      64, public_key, 32));
	assert_true(
		sr_hex_decode("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
			      "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
			      128, expected, 64));
	begin_new_key(&request, SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST, "rfc");
	put_bytes(&request, seed, 32);
	assert_int_equal(call(c, SR_TA_CMD_IMPORT_KEY, &request, &response), TEEC_SUCCESS);
	assert_int_equal(get_key(c, "rfc", &key), TEEC_SUCCESS);
	assert_memory_equal(key.public_key, public_key, sizeof(public_key));
	begin_message(&request, "rfc", "\x72", 1);
	assert_int_equal(call(c, SR_TA_CMD_SIGN_MESSAGE, &request, &response), TEEC_SUCCESS);
	assert_memory_equal(response.data + 2, expected, sizeof(expected));
}

static void refuses_counts_and_lengths_outside_the_bounds(void **state)
{
	static uint8_t message[SR_TA_MESSAGE_MAX + 1];
	struct ta_client *c = *state;

	fill_keys(c);
	begin_digests(&request, "ec", 0);
	assert_int_equal(call(c, SR_TA_CMD_SIGN_MESSAGE, &request, &response),
			 TEEC_ERROR_BAD_PARAMETERS);
	begin_digests(&request, "ec", SR_TA_BATCH_MAX + 1);
	assert_int_equal(call(c, SR_TA_CMD_SIGN_MESSAGE, &request, &response),
			 TEEC_ERROR_BAD_PARAMETERS);
	begin_message(&request, "ed", message, sizeof(message));
	assert_int_equal(call(c, SR_TA_CMD_SIGN_MESSAGE, &request, &response),
			 TEEC_ERROR_BAD_PARAMETERS);
	begin_message(&request, "ed", message, 1);
	request.data[FRAMING + 3] = 2;
	assert_int_equal(call(c, SR_TA_CMD_SIGN_MESSAGE, &request, &response),
			 TEEC_ERROR_BAD_PARAMETERS);
	begin_digests(&request, "ec", 2);
	request.data[FRAMING + 3] = 3;
	assert_int_equal(call(c, SR_TA_CMD_SIGN_MESSAGE, &request, &response),
			 TEEC_ERROR_BAD_FORMAT);
}

/* ---- usage ------------------------------------------------------------- */

static void a_key_signs_only_what_its_usage_says(void **state)
{
	static const struct {
		const char *id;
		uint32_t usage;
		TEEC_Result message;
		TEEC_Result sponsorship;
	} cases[] = {
		{ "sponsor", SR_TA_USAGE_SPONSOR, TEEC_ERROR_ACCESS_DENIED, TEEC_SUCCESS },
		{ "digest", SR_TA_USAGE_DIGEST, TEEC_SUCCESS, TEEC_ERROR_ACCESS_DENIED },
	};
	struct ta_client *c = *state;
	uint8_t digest[32] = { 0 };
	const struct sponsorship s = sponsorship_vector(digest);

	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		assert_int_equal(
			generate(c, SR_TA_ALG_SECP256K1, cases[i].usage, cases[i].id, NULL),
			TEEC_SUCCESS);
		begin_digests(&request, cases[i].id, 1);
		assert_int_equal(call(c, SR_TA_CMD_SIGN_MESSAGE, &request, &response),
				 cases[i].message);
		begin_sponsorships(&request, cases[i].id, 1);
		put_sponsorship(&request, &s);
		assert_int_equal(call(c, SR_TA_CMD_SIGN_SPONSORSHIP, &request, &response),
				 cases[i].sponsorship);
	}
	fill_keys(c);
	begin_sponsorships(&request, "ed", 1);
	put_sponsorship(&request, &s);
	assert_int_equal(call(c, SR_TA_CMD_SIGN_SPONSORSHIP, &request, &response),
			 TEEC_ERROR_ACCESS_DENIED);
}

/* ---- SIGN_SPONSORSHIP -------------------------------------------------- */

static void signs_the_contracts_digest(void **state)
{
	struct ta_client *c = *state;
	uint8_t digest[32] = { 0 };
	const struct sponsorship s = sponsorship_vector(digest);
	struct key_info key = { 0 };

	fill_keys(c);
	assert_int_equal(get_key(c, "pm", &key), TEEC_SUCCESS);
	begin_sponsorships(&request, "pm", 1);
	put_sponsorship(&request, &s);
	assert_int_equal(call(c, SR_TA_CMD_SIGN_SPONSORSHIP, &request, &response), TEEC_SUCCESS);
	assert_int_equal(response.len, 2 + SR_TA_SPONSORSHIP_RESULT_SIZE);
	assert_int_equal(response.data[0], SR_TA_WIRE_VERSION);
	assert_int_equal(response.data[1], 1);
	assert_int_equal(item_result(0), TEEC_SUCCESS);
	assert_memory_equal(item_digest(0), digest, sizeof(digest));
	assert_true(secp256k1_signature_good(key.public_key, digest, item_signature(0)));
}

static void every_field_but_the_entry_point_changes_the_digest(void **state)
{
	struct ta_client *c = *state;
	uint8_t digest[32] = { 0 };
	const struct sponsorship s = sponsorship_vector(digest);
	const size_t base = FRAMING + 1 + 1 + 2 + 1;

	fill_keys(c);
	for (size_t i = 0; i < SR_TA_SPONSORSHIP_SIZE; i++) {
		const bool entry_point = i >= 8 && i < 28;

		begin_sponsorships(&request, "pm", 1);
		put_sponsorship(&request, &s);
		request.data[base + i] ^= 1;
		assert_int_equal(call(c, SR_TA_CMD_SIGN_SPONSORSHIP, &request, &response),
				 TEEC_SUCCESS);
		if (item_result(0) != TEEC_SUCCESS)
			continue; /* a time over 47 bits */
		assert_int_equal(!memcmp(item_digest(0), digest, sizeof(digest)), entry_point);
	}
}

struct change {
	const char *what;
	void (*apply)(struct sponsorship *s);
};

static void zero_chain(struct sponsorship *s)
{
	s->chain_id = 0;
}

static void zero_entry_point(struct sponsorship *s)
{
	memset(s->entry_point, 0, sizeof(s->entry_point));
}

static void zero_paymaster(struct sponsorship *s)
{
	memset(s->paymaster, 0, sizeof(s->paymaster));
}

static void valid_for_ever(struct sponsorship *s)
{
	s->valid_until = 0;
	s->valid_after = 0;
}

static void valid_never(struct sponsorship *s)
{
	s->valid_after = s->valid_until;
}

static void valid_backwards(struct sponsorship *s)
{
	s->valid_after = s->valid_until + 1;
}

static void until_over_48_bits(struct sponsorship *s)
{
	s->valid_until = UINT64_C(1) << 48;
}

static void after_over_48_bits(struct sponsorship *s)
{
	s->valid_until = UINT64_MAX;
	s->valid_after = UINT64_C(1) << 48;
}

static const struct change refused[] = {
	{ "chain id zero", zero_chain },
	{ "entry point zero", zero_entry_point },
	{ "paymaster zero", zero_paymaster },
	{ "valid for ever", valid_for_ever },
	{ "valid never", valid_never },
	{ "valid backwards", valid_backwards },
	{ "validUntil over 48 bits", until_over_48_bits },
	{ "validAfter over 48 bits", after_over_48_bits },
};

static void a_refused_item_costs_the_others_nothing(void **state)
{
	static const uint8_t zeros[32 + 65] = { 0 };
	const unsigned count = 2 * SR_ARRAY_LEN(refused) + 1;
	struct ta_client *c = *state;
	uint8_t digest[32] = { 0 };
	const struct sponsorship s = sponsorship_vector(digest);
	struct key_info key = { 0 };

	fill_keys(c);
	assert_int_equal(get_key(c, "pm", &key), TEEC_SUCCESS);
	begin_sponsorships(&request, "pm", (uint8_t)count);
	for (unsigned i = 0; i < count; i++) {
		struct sponsorship item = s;

		if (i % 2)
			refused[i / 2].apply(&item);
		put_sponsorship(&request, &item);
	}
	assert_int_equal(call(c, SR_TA_CMD_SIGN_SPONSORSHIP, &request, &response), TEEC_SUCCESS);
	assert_int_equal(response.len, 2 + count * SR_TA_SPONSORSHIP_RESULT_SIZE);
	for (unsigned i = 0; i < count; i++) {
		if (i % 2 && item_result(i) != TEEC_ERROR_BAD_PARAMETERS)
			fail_msg("%s was signed", refused[i / 2].what);
		if (i % 2) {
			assert_memory_equal(item_digest(i), zeros, sizeof(zeros));
			continue;
		}
		assert_int_equal(item_result(i), TEEC_SUCCESS);
		assert_true(secp256k1_signature_good(key.public_key, digest, item_signature(i)));
	}
}

/* One bit more would be block numbers to EntryPoint v0.9. */
static void takes_the_widest_validity_there_is_and_none_wider(void **state)
{
	struct ta_client *c = *state;
	uint8_t digest[32] = { 0 };
	struct sponsorship s = sponsorship_vector(digest);

	fill_keys(c);
	s.valid_until = (UINT64_C(1) << 47) - 1;
	s.valid_after = 0;
	begin_sponsorships(&request, "pm", 2);
	put_sponsorship(&request, &s);
	s.valid_until++;
	put_sponsorship(&request, &s);
	assert_int_equal(call(c, SR_TA_CMD_SIGN_SPONSORSHIP, &request, &response), TEEC_SUCCESS);
	assert_int_equal(item_result(0), TEEC_SUCCESS);
	assert_int_equal(item_result(1), TEEC_ERROR_BAD_PARAMETERS);
}

static void refuses_what_is_no_batch_of_sponsorships(void **state)
{
	struct ta_client *c = *state;
	uint8_t digest[32] = { 0 };
	const struct sponsorship s = sponsorship_vector(digest);

	fill_keys(c);
	begin_sponsorships(&request, "pm", 0);
	assert_int_equal(call(c, SR_TA_CMD_SIGN_SPONSORSHIP, &request, &response),
			 TEEC_ERROR_BAD_PARAMETERS);
	begin_sponsorships(&request, "pm", SR_TA_BATCH_MAX + 1);
	for (unsigned i = 0; i <= SR_TA_BATCH_MAX; i++)
		put_sponsorship(&request, &s);
	assert_int_equal(call(c, SR_TA_CMD_SIGN_SPONSORSHIP, &request, &response),
			 TEEC_ERROR_BAD_PARAMETERS);
	begin_sponsorships(&request, "pm", 1);
	put_sponsorship(&request, &s);
	request.data[FRAMING] = 99;
	assert_int_equal(call(c, SR_TA_CMD_SIGN_SPONSORSHIP, &request, &response),
			 TEEC_ERROR_NOT_SUPPORTED);
	begin_sponsorships(&request, "nobody", 1);
	put_sponsorship(&request, &s);
	assert_int_equal(call(c, SR_TA_CMD_SIGN_SPONSORSHIP, &request, &response),
			 TEEC_ERROR_ITEM_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(signs_batches_of_every_size, ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(signs_digests_at_the_edges_of_the_field, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(adds_entropy_to_every_nonce, ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(signs_with_an_imported_key_of_known_address,
						ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(signs_ed25519_messages_of_every_length, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(matches_rfc_8032, ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(refuses_counts_and_lengths_outside_the_bounds,
						ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(a_key_signs_only_what_its_usage_says, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(signs_the_contracts_digest, ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(every_field_but_the_entry_point_changes_the_digest,
						ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(a_refused_item_costs_the_others_nothing, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(takes_the_widest_validity_there_is_and_none_wider,
						ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(refuses_what_is_no_batch_of_sponsorships, ta_setup,
						ta_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
