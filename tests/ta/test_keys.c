/* SPDX-License-Identifier: Apache-2.0 */
/* GENERATE_KEY, IMPORT_KEY, GET_PUBLIC_KEY, DELETE_KEY, LIST_KEYS, GET_INFO. */
#include "ta_client.h"

#include <secp256k1.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "tee/sim/sim_test.h"

static struct ta_request request;
static struct ta_response response;

static void makes_a_secp256k1_key(void **state)
{
	struct ta_client *c = *state;
	struct key_info made = { 0 };
	struct key_info got = { 0 };

	assert_int_equal(
		generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, "pay.master_1-A", &made),
		TEEC_SUCCESS);
	assert_string_equal(made.id, "pay.master_1-A");
	assert_int_equal(made.algorithm, SR_TA_ALG_SECP256K1);
	assert_int_equal(made.origin, SR_TA_ORIGIN_GENERATED);
	assert_int_equal(made.usage, SR_TA_USAGE_SPONSOR);
	assert_int_equal(made.created, TEST_CREATED);
	assert_int_equal(made.public_len, 65);
	assert_int_equal(made.public_key[0], 4);
	assert_int_equal(get_key(c, "pay.master_1-A", &got), TEEC_SUCCESS);
	assert_memory_equal(&made, &got, sizeof(made));
}

static void makes_an_ed25519_key(void **state)
{
	struct ta_client *c = *state;
	struct key_info made = { 0 };

	assert_int_equal(generate(c, SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST, "ed", &made),
			 TEEC_SUCCESS);
	assert_int_equal(made.public_len, 32);
	assert_int_equal(crypto_core_ed25519_is_valid_point(made.public_key), 1);
}

static void makes_a_different_key_each_time(void **state)
{
	struct ta_client *c = *state;
	struct key_info a = { 0 };
	struct key_info b = { 0 };

	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "a", &a),
			 TEEC_SUCCESS);
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "b", &b),
			 TEEC_SUCCESS);
	assert_memory_not_equal(a.public_key, b.public_key, 65);
}

static void refuses_a_second_key_of_a_name_and_keeps_the_first(void **state)
{
	struct ta_client *c = *state;
	struct key_info first = { 0 };
	struct key_info after = { 0 };

	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k", &first),
			 TEEC_SUCCESS);
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k", NULL),
			 TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(generate(c, SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST, "k", NULL),
			 TEEC_ERROR_ACCESS_CONFLICT);
	begin_new_key(&request, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k");
	put_bytes(&request, (const uint8_t[32]){ 1 }, 32);
	assert_int_equal(call(c, SR_TA_CMD_IMPORT_KEY, &request, &response),
			 TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(get_key(c, "k", &after), TEEC_SUCCESS);
	assert_memory_equal(&first, &after, sizeof(first));
}

static void refuses_attributes_that_make_no_sense(void **state)
{
	static const struct {
		uint8_t algorithm;
		uint32_t usage;
		TEEC_Result expected;
	} cases[] = {
		{ 0, SR_TA_USAGE_DIGEST, TEEC_ERROR_NOT_SUPPORTED },
		{ 3, SR_TA_USAGE_DIGEST, TEEC_ERROR_NOT_SUPPORTED },
		{ 255, SR_TA_USAGE_DIGEST, TEEC_ERROR_NOT_SUPPORTED },
		{ SR_TA_ALG_SECP256K1, 0, TEEC_ERROR_BAD_PARAMETERS },
		{ SR_TA_ALG_SECP256K1, 8, TEEC_ERROR_BAD_PARAMETERS },
		{ SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR | SR_TA_USAGE_DIGEST,
		  TEEC_ERROR_BAD_PARAMETERS },
		{ SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR | SR_TA_USAGE_TRANSACTION,
		  TEEC_ERROR_BAD_PARAMETERS },
		{ SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST | SR_TA_USAGE_TRANSACTION,
		  TEEC_ERROR_BAD_PARAMETERS },
		{ SR_TA_ALG_SECP256K1, SR_TA_USAGE_ALL, TEEC_ERROR_BAD_PARAMETERS },
		{ SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST | 0x80000000, TEEC_ERROR_BAD_PARAMETERS },
		{ SR_TA_ALG_ED25519, SR_TA_USAGE_SPONSOR, TEEC_ERROR_BAD_PARAMETERS },
		{ SR_TA_ALG_ED25519, SR_TA_USAGE_TRANSACTION, TEEC_ERROR_BAD_PARAMETERS },
		{ SR_TA_ALG_ED25519, SR_TA_USAGE_ALL, TEEC_ERROR_BAD_PARAMETERS },
		{ SR_TA_ALG_ED25519, 0, TEEC_ERROR_BAD_PARAMETERS },
	};
	struct ta_client *c = *state;

	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++)
		assert_int_equal(generate(c, cases[i].algorithm, cases[i].usage, "k", NULL),
				 cases[i].expected);
	assert_int_equal(count_keys(c), 0);
}

static void takes_ids_of_one_to_64_characters_of_the_set(void **state)
{
	static const char *const good[] = {
		"a", "Z.0_-9", "0123456789012345678901234567890123456789012345678901234567890123",
		".", "..",
	};
	static const char *const bad[] = {
		"",	    "a b",
		"a/b",	    "?",
		"\xc3\xa4", "a\n",
		"a\\",	    "k\x7f",
		"%s",	    "01234567890123456789012345678901234567890123456789012345678901234",
	};
	struct ta_client *c = *state;

	for (size_t i = 0; i < SR_ARRAY_LEN(good); i++) {
		struct key_info info = { 0 };

		assert_int_equal(
			generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, good[i], &info),
			TEEC_SUCCESS);
		assert_string_equal(info.id, good[i]);
	}
	for (size_t i = 0; i < SR_ARRAY_LEN(bad); i++) {
		assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, bad[i], NULL),
				 TEEC_ERROR_BAD_PARAMETERS);
		assert_int_equal(get_key(c, bad[i], NULL), TEEC_ERROR_BAD_PARAMETERS);
		assert_int_equal(delete_key(c, bad[i]), TEEC_ERROR_BAD_PARAMETERS);
	}
	/* A NUL inside is a character like any other. */
	begin(&request);
	put_u8(&request, 3);
	put_bytes(&request, "a\0b", 3);
	assert_int_equal(call(c, SR_TA_CMD_GET_PUBLIC_KEY, &request, &response),
			 TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(count_keys(c), SR_ARRAY_LEN(good));
}

static void imports_a_secp256k1_key(void **state)
{
	struct ta_client *c = *state;
	secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	const uint8_t secret[32] = { 0x11, 0x22, [31] = 0x33 };
	uint8_t expected[65] = { 0 };
	size_t len = sizeof(expected);
	secp256k1_pubkey key;
	struct key_info info = { 0 };

	assert_true(secp256k1_ec_pubkey_create(context, &key, secret));
	secp256k1_ec_pubkey_serialize(context, expected, &len, &key, SECP256K1_EC_UNCOMPRESSED);
	secp256k1_context_destroy(context);
	begin_new_key(&request, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "imp");
	put_bytes(&request, secret, sizeof(secret));
	assert_int_equal(call(c, SR_TA_CMD_IMPORT_KEY, &request, &response), TEEC_SUCCESS);
	assert_int_equal(get_key(c, "imp", &info), TEEC_SUCCESS);
	assert_int_equal(info.origin, SR_TA_ORIGIN_IMPORTED_PLAIN);
	assert_memory_equal(info.public_key, expected, sizeof(expected));
}

static void refuses_secrets_that_are_no_scalars(void **state)
{
	/* The group's order n, and n - 1, the largest that is one. */
	uint8_t secret[32] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			       0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48,
			       0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41 };
	const uint8_t zero[32] = { 0 };
	struct ta_client *c = *state;

	begin_new_key(&request, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "n");
	put_bytes(&request, secret, 32);
	assert_int_equal(call(c, SR_TA_CMD_IMPORT_KEY, &request, &response),
			 TEEC_ERROR_BAD_PARAMETERS);
	begin_new_key(&request, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "n");
	put_bytes(&request, zero, 32);
	assert_int_equal(call(c, SR_TA_CMD_IMPORT_KEY, &request, &response),
			 TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(count_keys(c), 0);
	secret[31]--;
	begin_new_key(&request, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "n");
	put_bytes(&request, secret, 32);
	assert_int_equal(call(c, SR_TA_CMD_IMPORT_KEY, &request, &response), TEEC_SUCCESS);
}

/* The TA finds the public key of a seed by a way of its own: libsodium judges it. */
static void imports_an_ed25519_seed_under_its_own_public_key(void **state)
{
	struct ta_client *c = *state;

	for (unsigned i = 0; i < ta_rounds(200); i++) {
		const uint8_t seed[32] = { 7, (uint8_t)i };
		struct key_info info = { 0 };
		uint8_t public_key[32] = { 0 };
		uint8_t pair[64] = { 0 };

		(void)crypto_sign_seed_keypair(public_key, pair, seed);
		begin_new_key(&request, SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST, "ed");
		put_bytes(&request, seed, sizeof(seed));
		assert_int_equal(call(c, SR_TA_CMD_IMPORT_KEY, &request, &response), TEEC_SUCCESS);
		assert_int_equal(get_key(c, "ed", &info), TEEC_SUCCESS);
		assert_memory_equal(info.public_key, public_key, sizeof(public_key));
		assert_int_equal(delete_key(c, "ed"), TEEC_SUCCESS);
	}
	put_u8(&request, 0);
	assert_int_equal(call(c, SR_TA_CMD_IMPORT_KEY, &request, &response), TEEC_ERROR_BAD_FORMAT);
	request.len -= 2;
	assert_int_equal(call(c, SR_TA_CMD_IMPORT_KEY, &request, &response), TEEC_ERROR_BAD_FORMAT);
	assert_int_equal(count_keys(c), 0);
}

/* A derivation gone wrong, as a fault may make one. */
static void keeps_no_pair_that_is_none(void **state)
{
	struct ta_client *c = *state;

	sim_derives_wrong_secrets = true;
	assert_int_equal(generate(c, SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST, "ed", NULL),
			 TEEC_ERROR_SECURITY);
	sim_derives_wrong_secrets = false;
	assert_int_equal(count_keys(c), 0);
	assert_int_equal(generate(c, SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST, "ed", NULL),
			 TEEC_SUCCESS);
}

static void a_deleted_key_is_gone_and_its_name_free(void **state)
{
	static const uint8_t digest[32] = { 1 };
	struct ta_client *c = *state;
	struct key_info first = { 0 };
	struct key_info second = { 0 };
	uint8_t signature[65] = { 0 };

	assert_int_equal(delete_key(c, "k"), TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k", &first),
			 TEEC_SUCCESS);
	assert_int_equal(sign_digest(c, "k", digest, signature), TEEC_SUCCESS);
	assert_int_equal(delete_key(c, "k"), TEEC_SUCCESS);
	assert_int_equal(sign_digest(c, "k", digest, signature), TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(get_key(c, "k", NULL), TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(delete_key(c, "k"), TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k", &second),
			 TEEC_SUCCESS);
	assert_memory_not_equal(first.public_key, second.public_key, 65);
}

/* ---- listing ------------------------------------------------------------- */

/* Lists from the start in responses of room bytes; returns how many calls. */
static unsigned list_all(struct ta_client *c, size_t room, struct key_info *out, size_t *count)
{
	char after[SR_TA_KEY_ID_MAX + 1] = "";
	unsigned calls = 0;

	*count = 0;
	do {
		size_t at = 3;

		begin_list(&request, after);
		assert_int_equal(call_sized(c, SR_TA_CMD_LIST_KEYS, &request, &response, room),
				 TEEC_SUCCESS);
		assert_true(++calls <= SR_TA_KEYS_MAX + 1);
		for (unsigned i = 0; i < response.data[2]; i++) {
			assert_true(*count < SR_TA_KEYS_MAX);
			out[*count] = read_key_info(&response, &at);
			(void)snprintf(after, sizeof(after), "%s", out[(*count)++].id);
		}
		assert_int_equal(at, response.len);
	} while (response.data[1]);
	return calls;
}

static void lists_keys_in_order_a_page_at_a_time(void **state)
{
	static const char *const sorted[] = { "-", "0", "A", "Z", "_", "a", "a.b", "aa", "b" };
	struct ta_client *c = *state;
	static struct key_info listed[SR_TA_KEYS_MAX];
	size_t room = SR_TA_LIST_RESPONSE_MIN;
	size_t count = 0;

	assert_int_equal(list_all(c, SR_TA_RESPONSE_MAX, listed, &count), 1);
	assert_int_equal(count, 0);
	for (size_t i = SR_ARRAY_LEN(sorted); i > 0; i--)
		assert_int_equal(generate(c, i % 2 ? SR_TA_ALG_SECP256K1 : SR_TA_ALG_ED25519,
					  SR_TA_USAGE_DIGEST, sorted[i - 1], NULL),
				 TEEC_SUCCESS);
	for (unsigned turn = 0; turn < ta_rounds(100); turn++) {
		(void)list_all(c, room, listed, &count);
		assert_int_equal(count, SR_ARRAY_LEN(sorted));
		for (size_t i = 0; i < count; i++)
			assert_string_equal(listed[i].id, sorted[i]);
		room += 1100 / ta_rounds(100);
	}
	assert_int_equal(list_all(c, SR_TA_RESPONSE_MAX, listed, &count), 1);
}

static void lists_after_an_id_that_need_not_exist(void **state)
{
	struct ta_client *c = *state;
	size_t at = 3;

	fill_keys(c);
	begin_list(&request, "ec.");
	assert_int_equal(call(c, SR_TA_CMD_LIST_KEYS, &request, &response), TEEC_SUCCESS);
	assert_int_equal(response.data[2], 2);
	assert_string_equal(read_key_info(&response, &at).id, "ed");
	assert_string_equal(read_key_info(&response, &at).id, "pm");
	begin_list(&request, "a b");
	assert_int_equal(call(c, SR_TA_CMD_LIST_KEYS, &request, &response),
			 TEEC_ERROR_BAD_PARAMETERS);
}

static void holds_64_keys_and_says_when_full(void **state)
{
	struct ta_client *c = *state;
	static struct key_info listed[SR_TA_KEYS_MAX];
	static const uint8_t digest[32] = { 5 };
	uint8_t signature[65] = { 0 };
	char id[16] = "";
	size_t count = 0;

	for (unsigned i = 0; i < SR_TA_KEYS_MAX; i++) {
		(void)snprintf(id, sizeof(id), "key-%02u", i);
		assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, id, NULL),
				 TEEC_SUCCESS);
	}
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "more", NULL),
			 TEEC_ERROR_STORAGE_NO_SPACE);
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "key-07", NULL),
			 TEEC_ERROR_ACCESS_CONFLICT);
	(void)list_all(c, SR_TA_RESPONSE_MAX, listed, &count);
	assert_int_equal(count, SR_TA_KEYS_MAX);
	for (unsigned i = 0; i < SR_TA_KEYS_MAX; i++) {
		assert_int_equal(sign_digest(c, listed[i].id, digest, signature), TEEC_SUCCESS);
		assert_true(secp256k1_signature_good(listed[i].public_key, digest, signature));
	}
	assert_int_equal(delete_key(c, "key-63"), TEEC_SUCCESS);
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "more", NULL),
			 TEEC_SUCCESS);
}

static void tells_what_it_is(void **state)
{
	static const uint8_t head[] = {
		SR_TA_WIRE_VERSION,
		SR_TA_VERSION_MAJOR,
		SR_TA_VERSION_MINOR,
		SR_TA_VERSION_PATCH,
	};
	struct ta_client *c = *state;

	fill_keys(c);
	begin(&request);
	assert_int_equal(call(c, SR_TA_CMD_GET_INFO, &request, &response), TEEC_SUCCESS);
	assert_memory_equal(response.data, head, sizeof(head));
	assert_int_equal(response.data[16], FILLED_KEYS);
	assert_int_equal(response.data[18], SR_TA_KEYS_MAX);
	assert_int_equal(response.data[20], SR_TA_BATCH_MAX);
	assert_int_equal(response.len, 22 + response.data[21]);
	assert_true(response.data[21] > 0);
}

/* The largest pool of sessions, and other clients beside it: each takes of the TA's heap. */
static void works_with_more_sessions_than_the_largest_pool(void **state)
{
	enum { SESSIONS = 72 };
	static TEEC_Session sessions[SESSIONS];
	const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;
	struct ta_client *c = *state;
	struct key_info info = { 0 };

	for (size_t i = 0; i < SESSIONS; i++)
		assert_int_equal(c->api.open_session(&c->context, &sessions[i], &uuid,
						     TEEC_LOGIN_PUBLIC, NULL, NULL, NULL),
				 TEEC_SUCCESS);
	assert_int_equal(generate(c, SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST, "ed", &info),
			 TEEC_SUCCESS);
	begin_message(&request, "ed", "hello", 5);
	assert_int_equal(call(c, SR_TA_CMD_SIGN_MESSAGE, &request, &response), TEEC_SUCCESS);
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, "ec", &info),
			 TEEC_SUCCESS);
	for (size_t i = 0; i < SESSIONS; i++)
		c->api.close_session(&sessions[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(works_with_more_sessions_than_the_largest_pool,
						ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(makes_a_secp256k1_key, ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(makes_an_ed25519_key, ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(makes_a_different_key_each_time, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(refuses_a_second_key_of_a_name_and_keeps_the_first,
						ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(refuses_attributes_that_make_no_sense, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(takes_ids_of_one_to_64_characters_of_the_set,
						ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(imports_a_secp256k1_key, ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(refuses_secrets_that_are_no_scalars, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(imports_an_ed25519_seed_under_its_own_public_key,
						ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(keeps_no_pair_that_is_none, ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(a_deleted_key_is_gone_and_its_name_free, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(lists_keys_in_order_a_page_at_a_time, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(lists_after_an_id_that_need_not_exist, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(holds_64_keys_and_says_when_full, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(tells_what_it_is, ta_setup, ta_teardown),
	};

	const struct ta_left_out left_out[] = {
		{ "keeps_no_pair_that_is_none", "it changes what the simulator does" },
		/* OP-TEE reads its directory anew for each object that it looks up. */
		{ "holds_64_keys_and_says_when_full", "it takes minutes on an emulated machine" },
		{ 0 },
	};

	return ta_run_tests(tests, SR_ARRAY_LEN(tests), left_out);
}
