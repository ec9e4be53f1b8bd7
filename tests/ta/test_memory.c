/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets in memory: where the TA keeps one, what a fault in it leads to, and that
 * none is left behind. Looks at this process's own variables, the TA's among them.
 */
#include "ta_client.h"

#include <string.h>

#include "tee/sim/sim_test.h"
#include "tee/sim/store.h"

#define SECURITY 0xFFFF000Fu

extern uint8_t __data_start[];
extern uint8_t _end[];

static const uint8_t digest[32] = { 8 };
static struct ta_request request;
static struct ta_response response;

/* The secret's bytes are computed, never stored here, so that only the TA's are found. */
static uint8_t secret_byte(size_t i)
{
	return (uint8_t)(0x5a ^ (i * 37 + 11));
}

/* The first copy of the secret in static memory; NULL: there is none. */
__attribute__((no_sanitize("address", "undefined"))) static volatile uint8_t *find_secret(void)
{
	for (volatile uint8_t *at = __data_start; at + 32 <= _end; at++) {
		size_t same = 0;

		while (same < 32 && at[same] == secret_byte(same))
			same++;
		if (same == 32)
			return at;
	}
	return NULL;
}

static void import_secret(struct ta_client *c, uint32_t usage)
{
	begin_new_key(&request, SR_TA_ALG_SECP256K1, usage, "k");
	for (size_t i = 0; i < 32; i++)
		put_u8(&request, secret_byte(i));
	assert_int_equal(call(c, SR_TA_CMD_IMPORT_KEY, &request, &response), TEEC_SUCCESS);
	memset(&request, 0, sizeof(request));
	assert_null(find_secret());
}

static void a_panic_leaves_no_secret_in_memory(void **state)
{
	struct ta_client *c = *state;
	uint8_t signature[65] = { 0 };

	import_secret(c, SR_TA_USAGE_DIGEST);
	assert_int_equal(sign_digest(c, "k", digest, signature), TEEC_SUCCESS);
	assert_non_null(find_secret());
	sim_test_panic_after(1);
	assert_int_equal(sign_digest(c, "k", digest, signature), TEEC_ERROR_TARGET_DEAD);
	assert_null(find_secret());
}

static void the_end_of_the_instance_leaves_no_secret_in_memory(void **state)
{
	struct ta_client *c = *state;
	uint8_t signature[65] = { 0 };

	import_secret(c, SR_TA_USAGE_DIGEST);
	assert_int_equal(sign_digest(c, "k", digest, signature), TEEC_SUCCESS);
	ta_disconnect(c);
	assert_null(find_secret());
	ta_connect(c);
}

/* A bit that turns in the cached secret, as a glitch may turn one. */
static void a_fault_in_a_cached_key_gives_no_signature_and_is_mended(void **state)
{
	struct ta_client *c = *state;
	struct key_info key = { 0 };
	uint8_t signature[65] = { 0 };

	import_secret(c, SR_TA_USAGE_DIGEST);
	assert_int_equal(get_key(c, "k", &key), TEEC_SUCCESS);
	*find_secret() ^= 1;
	assert_int_equal(sign_digest(c, "k", digest, signature), SECURITY);
	assert_int_equal(sign_digest(c, "k", digest, signature), TEEC_SUCCESS);
	assert_true(secp256k1_signature_good(key.public_key, digest, signature));
}

/* Where the cached key that has the secret keeps its usage: before time and public key. */
static volatile uint8_t *find_usage(uint32_t usage)
{
	const uint64_t created = TEST_CREATED;
	volatile uint8_t *at = find_secret() - 1 - SR_TA_PUBLIC_KEY_MAX - sizeof(created);

	assert_memory_equal((const uint8_t *)at, &created, sizeof(created));
	at -= sizeof(usage);
	assert_memory_equal((const uint8_t *)at, &usage, sizeof(usage));
	return at;
}

/* One bit makes a usage of two: what is asked for is in it, and is not signed all the same. */
static void a_fault_in_a_cached_usage_gives_no_signature_and_is_mended(void **state)
{
	struct ta_client *c = *state;
	uint8_t signature[65] = { 0 };
	uint8_t expected[32] = { 0 };
	const struct sponsorship s = sponsorship_vector(expected);

	import_secret(c, SR_TA_USAGE_SPONSOR);
	assert_int_equal(get_key(c, "k", NULL), TEEC_SUCCESS);
	*find_usage(SR_TA_USAGE_SPONSOR) ^= SR_TA_USAGE_DIGEST;
	assert_int_equal(sign_digest(c, "k", digest, signature), SECURITY);
	assert_int_equal(sign_digest(c, "k", digest, signature), TEEC_ERROR_ACCESS_DENIED);
	assert_int_equal(delete_key(c, "k"), TEEC_SUCCESS);
	import_secret(c, SR_TA_USAGE_DIGEST);
	assert_int_equal(get_key(c, "k", NULL), TEEC_SUCCESS);
	*find_usage(SR_TA_USAGE_DIGEST) ^= SR_TA_USAGE_SPONSOR;
	begin_sponsorships(&request, "k", 1);
	put_sponsorship(&request, &s);
	assert_int_equal(call(c, SR_TA_CMD_SIGN_SPONSORSHIP, &request, &response), TEEC_SUCCESS);
	assert_memory_equal(response.data + 2, "\x0f\x00\xff\xff", 4);
	for (size_t i = 0; i < 65; i++)
		assert_int_equal(response.data[2 + 4 + 32 + i], 0);
	assert_int_equal(call(c, SR_TA_CMD_SIGN_SPONSORSHIP, &request, &response),
			 TEEC_ERROR_ACCESS_DENIED);
}

static void a_fault_in_a_sponsoring_key_refuses_each_item_and_is_mended(void **state)
{
	static const uint8_t zeros[65] = { 0 };
	struct ta_client *c = *state;
	uint8_t expected[32] = { 0 };
	const struct sponsorship s = sponsorship_vector(expected);

	import_secret(c, SR_TA_USAGE_SPONSOR);
	assert_int_equal(get_key(c, "k", NULL), TEEC_SUCCESS);
	*find_secret() ^= 1;
	begin_sponsorships(&request, "k", 2);
	put_sponsorship(&request, &s);
	put_sponsorship(&request, &s);
	assert_int_equal(call(c, SR_TA_CMD_SIGN_SPONSORSHIP, &request, &response), TEEC_SUCCESS);
	for (size_t i = 0; i < 2; i++) {
		const uint8_t *item = response.data + 2 + i * SR_TA_SPONSORSHIP_RESULT_SIZE;

		assert_memory_equal(item, "\x0f\x00\xff\xff", 4);
		assert_memory_equal(item + 4, expected, sizeof(expected));
		assert_memory_equal(item + 4 + 32, zeros, sizeof(zeros));
	}
	assert_int_equal(call(c, SR_TA_CMD_SIGN_SPONSORSHIP, &request, &response), TEEC_SUCCESS);
	assert_memory_equal(response.data + 2, "\0\0\0\0", 4);
	assert_memory_equal(response.data + 2 + 4, expected, sizeof(expected));
}

/* The simulator frees what it unseals by its length: no byte of it lies behind. */
static void unsealing_leaves_nothing_behind_the_content(void **state)
{
	const struct sim_store store = { .name_key = { 1 }, .content_key = { 2 } };
	const struct sim_object_id id = { .bytes = "k", .len = 1 };
	const size_t before = 1 + sizeof(id.bytes); /* the id's field, in front of the data */
	uint8_t content[100] = { 0 };
	char name[SIM_STORE_NAME_SIZE] = "";
	struct sim_object_id found = { 0 };
	struct sim_blob sealed = { 0 };
	struct sim_blob out = { 0 };

	(void)state;
	memset(content, 0x77, sizeof(content));
	sim_store_name(&store, &id, name);
	assert_int_equal(sim_store_seal(&store, name, &id, content, sizeof(content), &sealed), 0);
	assert_int_equal(sim_store_unseal(&store, name, sealed.data, sealed.len, &found, &out), 0);
	assert_int_equal(out.len, sizeof(content));
	assert_memory_equal(out.data, content, sizeof(content));
	for (size_t i = 0; i < before; i++)
		assert_int_equal(out.data[out.len + i], 0);
	sim_blob_free(&out);
	sim_blob_free(&sealed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_panic_leaves_no_secret_in_memory, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(the_end_of_the_instance_leaves_no_secret_in_memory,
						ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(
			a_fault_in_a_cached_key_gives_no_signature_and_is_mended, ta_setup,
			ta_teardown),
		cmocka_unit_test_setup_teardown(
			a_fault_in_a_cached_usage_gives_no_signature_and_is_mended, ta_setup,
			ta_teardown),
		cmocka_unit_test_setup_teardown(
			a_fault_in_a_sponsoring_key_refuses_each_item_and_is_mended, ta_setup,
			ta_teardown),
		cmocka_unit_test(unsealing_leaves_nothing_behind_the_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
