/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A storage that loses, damages or refuses: what becomes of keys and their names.
 * Needs the simulator's inside.
 */
#include "own_objects.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tee/sim/sim_test.h"

#define STORAGE_NOT_AVAILABLE 0xF0100003u
#define STORAGE_NO_SPACE 0xFFFF3041u

static const uint8_t digest[32] = { 8 };
static struct ta_request request;
static struct ta_response response;

static void restart(struct ta_client *c)
{
	ta_disconnect(c);
	ta_connect(c);
}

static void remove_object(const char *path)
{
	assert_int_equal(unlink(path), 0);
}

static void damage_object(const char *path)
{
	assert_int_equal(truncate(path, 20), 0);
}

static uint32_t damaged_when_read(const char *function)
{
	return strcmp(function, "read") ? 0 : CORRUPT_OBJECT;
}

static TEEC_Result make(struct ta_client *c, const char *id)
{
	return generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, id, NULL);
}

/* The ids in LIST_KEYS, all of them damaged. */
static void assert_listed_damaged(struct ta_client *c, const char *const *ids, unsigned count)
{
	size_t at = 3;

	begin_list(&request, "");
	assert_int_equal(call(c, SR_TA_CMD_LIST_KEYS, &request, &response), TEEC_SUCCESS);
	assert_int_equal(response.data[2], count);
	for (unsigned i = 0; i < count; i++) {
		const struct key_info info = read_key_info(&response, &at);

		assert_string_equal(info.id, ids[i]);
		assert_int_equal(info.algorithm, 0);
	}
}

static void a_key_in_use_keeps_its_name_when_its_object_vanishes(void **state)
{
	struct ta_client *c = *state;
	struct key_info before = { 0 };
	struct key_info after = { 0 };
	uint8_t signature[65] = { 0 };

	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k", &before),
			 TEEC_SUCCESS);
	assert_int_equal(sign_digest(c, "k", digest, signature), TEEC_SUCCESS);
	assert_int_equal(each_key_object(c, remove_object), 1);
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, "k", NULL),
			 TEEC_ERROR_ACCESS_CONFLICT);
	begin_new_key(&request, SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, "k");
	put_bytes(&request, (const uint8_t[32]){ 1 }, 32);
	assert_int_equal(call(c, SR_TA_CMD_IMPORT_KEY, &request, &response),
			 TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(get_key(c, "k", &after), TEEC_SUCCESS);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(each_key_object(c, NULL), 0);
}

/* ---- damage, where opening a damaged object deletes it --------------------- */

static void a_damaged_key_keeps_its_name_though_the_tee_deletes_it(void **state)
{
	static const char *const listed[] = { "k" };
	struct ta_client *c = *state;
	uint8_t signature[65] = { 0 };

	sim_storage_deletes_corrupt = true;
	assert_int_equal(make(c, "k"), TEEC_SUCCESS);
	restart(c);
	assert_int_equal(each_key_object(c, damage_object), 1);
	assert_int_equal(get_key(c, "k", NULL), CORRUPT_OBJECT);
	assert_int_equal(each_key_object(c, NULL), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(get_key(c, "k", NULL), CORRUPT_OBJECT);
		assert_int_equal(sign_digest(c, "k", digest, signature), CORRUPT_OBJECT);
		assert_int_equal(make(c, "k"), CORRUPT_OBJECT);
		assert_listed_damaged(c, listed, 1);
	}
	assert_int_equal(delete_key(c, "k"), TEEC_SUCCESS);
	assert_int_equal(get_key(c, "k", NULL), TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(delete_key(c, "k"), TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(make(c, "k"), TEEC_SUCCESS);
	assert_int_equal(sign_digest(c, "k", digest, signature), TEEC_SUCCESS);
}

/* The listing meets objects by the hashes of their ids; a later call tells the id. */
static void a_key_that_a_listing_found_damaged_keeps_its_name(void **state)
{
	static const char *const unnamed[] = { "?" };
	static const char *const named[] = { "k" };
	struct ta_client *c = *state;

	sim_storage_deletes_corrupt = true;
	assert_int_equal(make(c, "k"), TEEC_SUCCESS);
	restart(c);
	sim_storage_answer_hook = damaged_when_read;
	assert_listed_damaged(c, unnamed, 1);
	sim_storage_answer_hook = NULL;
	assert_int_equal(each_key_object(c, NULL), 0);
	assert_int_equal(make(c, "k"), CORRUPT_OBJECT);
	assert_listed_damaged(c, unnamed, 1);
	assert_int_equal(get_key(c, "k", NULL), CORRUPT_OBJECT);
	assert_listed_damaged(c, named, 1);
	assert_int_equal(delete_key(c, "k"), TEEC_SUCCESS);
	assert_int_equal(make(c, "k"), TEEC_SUCCESS);
}

static void a_damaged_key_can_be_deleted_unseen(void **state)
{
	struct ta_client *c = *state;

	sim_storage_deletes_corrupt = true;
	assert_int_equal(make(c, "k"), TEEC_SUCCESS);
	restart(c);
	assert_int_equal(each_key_object(c, damage_object), 1);
	assert_int_equal(delete_key(c, "k"), TEEC_SUCCESS);
	assert_int_equal(get_key(c, "k", NULL), TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(make(c, "k"), TEEC_SUCCESS);
}

/* Where the damaged file stays, DELETE_KEY does not say that it is gone. */
static void a_damaged_object_that_stays_is_not_called_deleted(void **state)
{
	struct ta_client *c = *state;

	assert_int_equal(make(c, "k"), TEEC_SUCCESS);
	restart(c);
	assert_int_equal(each_key_object(c, damage_object), 1);
	assert_int_equal(delete_key(c, "k"), CORRUPT_OBJECT);
	assert_int_equal(get_key(c, "k", NULL), CORRUPT_OBJECT);
	assert_int_equal(make(c, "k"), CORRUPT_OBJECT);
}

static void makes_no_key_when_more_were_damaged_than_it_remembers(void **state)
{
	struct ta_client *c = *state;
	char id[16] = "";

	sim_storage_deletes_corrupt = true;
	for (unsigned i = 0; i <= SR_TA_KEYS_MAX; i++) {
		(void)snprintf(id, sizeof(id), "k%u", i);
		assert_int_equal(make(c, id), TEEC_SUCCESS);
		/* Made, a key is not in memory yet: its first use reads it. */
		sim_storage_answer_hook = damaged_when_read;
		assert_int_equal(get_key(c, id, NULL), CORRUPT_OBJECT);
		sim_storage_answer_hook = NULL;
	}
	assert_int_equal(each_key_object(c, NULL), 0);
	assert_int_equal(make(c, "another"), STORAGE_NO_SPACE);
	assert_int_equal(make(c, "k0"), CORRUPT_OBJECT);
	restart(c);
	assert_int_equal(make(c, "another"), TEEC_SUCCESS);
}

/* ---- the cache ----------------------------------------------------------- */

static unsigned long calls_to_sign(struct ta_client *c, const char *id)
{
	const unsigned long before = sim_test_api_calls();
	uint8_t signature[65] = { 0 };

	assert_int_equal(sign_digest(c, id, digest, signature), TEEC_SUCCESS);
	return sim_test_api_calls() - before;
}

static void an_id_that_is_not_there_costs_no_key_its_place(void **state)
{
	struct ta_client *c = *state;
	unsigned long warm = 0;
	char id[16] = "";

	for (unsigned i = 0; i < SR_TA_KEYS_MAX; i++) {
		(void)snprintf(id, sizeof(id), "k%u", i);
		assert_int_equal(make(c, id), TEEC_SUCCESS);
		(void)calls_to_sign(c, id);
	}
	warm = calls_to_sign(c, "k0");
	for (unsigned i = 1; i < SR_TA_KEYS_MAX; i++) {
		(void)snprintf(id, sizeof(id), "k%u", i);
		assert_int_equal(calls_to_sign(c, id), warm);
	}
	assert_int_equal(get_key(c, "nobody", NULL), TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(calls_to_sign(c, "k0"), warm);
}

/* ---- the count ----------------------------------------------------------- */

static unsigned storage_calls;

static uint32_t count_calls(const char *function)
{
	(void)function;
	storage_calls++;
	return 0;
}

static uint32_t not_available(const char *function)
{
	/* libutee would panic on this answer to "allocate". */
	return strcmp(function, "allocate") ? STORAGE_NOT_AVAILABLE : 0;
}

static void get_info_asks_the_storage_nothing(void **state)
{
	struct ta_client *c = *state;

	fill_keys(c);
	storage_calls = 0;
	sim_storage_answer_hook = count_calls;
	assert_int_equal(count_keys(c), FILLED_KEYS);
	assert_int_equal(storage_calls, 0);
	sim_storage_answer_hook = not_available;
	assert_int_equal(count_keys(c), FILLED_KEYS);
}

static void keeps_count_of_what_is_made_and_deleted(void **state)
{
	struct ta_client *c = *state;

	assert_int_equal(count_keys(c), 0);
	fill_keys(c);
	assert_int_equal(count_keys(c), FILLED_KEYS);
	assert_int_equal(delete_key(c, "nobody"), TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(make(c, "ec"), TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(count_keys(c), FILLED_KEYS);
	assert_int_equal(delete_key(c, "ec"), TEEC_SUCCESS);
	assert_int_equal(count_keys(c), FILLED_KEYS - 1);
	restart(c);
	assert_int_equal(count_keys(c), FILLED_KEYS - 1);
}

static void says_so_when_it_could_not_count(void **state)
{
	struct ta_client *c = *state;

	fill_keys(c);
	ta_disconnect(c);
	sim_storage_answer_hook = not_available;
	ta_connect(c);
	assert_int_equal(count_keys(c), SR_TA_KEYS_UNKNOWN);
	begin_list(&request, "");
	assert_int_equal(call(c, SR_TA_CMD_LIST_KEYS, &request, &response), STORAGE_NOT_AVAILABLE);
	sim_storage_answer_hook = NULL;
	assert_int_equal(count_keys(c), SR_TA_KEYS_UNKNOWN);
	assert_int_equal(call(c, SR_TA_CMD_LIST_KEYS, &request, &response), TEEC_SUCCESS);
	assert_int_equal(count_keys(c), FILLED_KEYS);
}

static int setup(void **state)
{
	if (ta_setup(state))
		return -1;
	note_own_objects(*state);
	return 0;
}

static int teardown(void **state)
{
	sim_storage_answer_hook = NULL;
	sim_storage_deletes_corrupt = false;
	return ta_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_key_in_use_keeps_its_name_when_its_object_vanishes, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_damaged_key_keeps_its_name_though_the_tee_deletes_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_key_that_a_listing_found_damaged_keeps_its_name,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_key_can_be_deleted_unseen, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_damaged_object_that_stays_is_not_called_deleted,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			makes_no_key_when_more_were_damaged_than_it_remembers, setup, teardown),
		cmocka_unit_test_setup_teardown(an_id_that_is_not_there_costs_no_key_its_place,
						setup, teardown),
		cmocka_unit_test_setup_teardown(get_info_asks_the_storage_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_count_of_what_is_made_and_deleted, setup,
						teardown),
		cmocka_unit_test_setup_teardown(says_so_when_it_could_not_count, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
