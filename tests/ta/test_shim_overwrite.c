/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Persistent objects that replace others: TEE_CreatePersistentObject with
 * TEE_DATA_FLAG_OVERWRITE, as a TA writes state that it must never lose. Old or new, never
 * neither, wherever the writer dies; and room for as many as the TA may have.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "shim_ta.h"
#include "tee/sim/sim_test.h"

#define REQUIRE(condition)                        \
	do {                                      \
		if (!(condition))                 \
			return TEE_ERROR_GENERIC; \
	} while (0)

#define LARGE 2048
#define OBJECTS (256 + 64 + 4)

static uint8_t content[LARGE];
static uint8_t value;
static size_t value_len;

static TEE_Result put(const char *id, size_t id_len, uint8_t byte, size_t len, uint32_t flags)
{
	TEE_ObjectHandle object = TEE_HANDLE_NULL;
	TEE_Result result = TEE_SUCCESS;

	memset(content, byte, sizeof(content));
	result = TEE_CreatePersistentObject(TEE_STORAGE_PRIVATE, id, id_len,
					    TEE_DATA_FLAG_ACCESS_WRITE | flags, TEE_HANDLE_NULL,
					    content, len, &object);
	if (result == TEE_SUCCESS)
		TEE_CloseObject(object);
	return result;
}

/* The object's one byte, repeated: value and value_len. CORRUPT_OBJECT when it is a mixture. */
static TEE_Result get(const char *id, size_t id_len)
{
	TEE_ObjectHandle object = TEE_HANDLE_NULL;
	TEE_Result result = TEE_OpenPersistentObject(TEE_STORAGE_PRIVATE, id, id_len,
						     TEE_DATA_FLAG_ACCESS_READ, &object);

	if (result != TEE_SUCCESS)
		return result;
	REQUIRE(TEE_ReadObjectData(object, content, sizeof(content), &value_len) == TEE_SUCCESS);
	TEE_CloseObject(object);
	value = content[0];
	for (size_t i = 0; i < value_len; i++) {
		if (content[i] != value)
			return TEE_ERROR_CORRUPT_OBJECT;
	}
	return TEE_SUCCESS;
}

static TEE_Result make_old(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return put("state", 5, 1, LARGE, TEE_DATA_FLAG_OVERWRITE);
}

static TEE_Result make_new(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return put("state", 5, 2, 100, TEE_DATA_FLAG_OVERWRITE);
}

static TEE_Result read_state(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return get("state", 5);
}

static TEE_Result replace(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	/* Into nothing, over itself, shorter and longer. */
	REQUIRE(put("state", 5, 1, 10, TEE_DATA_FLAG_OVERWRITE) == TEE_SUCCESS);
	REQUIRE(put("state", 5, 2, LARGE, TEE_DATA_FLAG_OVERWRITE) == TEE_SUCCESS);
	REQUIRE(get("state", 5) == TEE_SUCCESS && value == 2 && value_len == LARGE);
	REQUIRE(put("state", 5, 3, 1, TEE_DATA_FLAG_OVERWRITE) == TEE_SUCCESS);
	REQUIRE(get("state", 5) == TEE_SUCCESS && value == 3 && value_len == 1);
	REQUIRE(put("state", 5, 4, 1, 0) == TEE_ERROR_ACCESS_CONFLICT);
	return get("state", 5) == TEE_SUCCESS && value == 3 ? TEE_SUCCESS : TEE_ERROR_GENERIC;
}

/* Who holds it open does not have it replaced under the handle. */
static TEE_Result replace_what_is_open(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_ObjectHandle object = TEE_HANDLE_NULL;

	(void)params;
	REQUIRE(put("state", 5, 1, 10, TEE_DATA_FLAG_OVERWRITE) == TEE_SUCCESS);
	REQUIRE(TEE_OpenPersistentObject(TEE_STORAGE_PRIVATE, "state", 5, TEE_DATA_FLAG_ACCESS_READ,
					 &object) == TEE_SUCCESS);
	REQUIRE(put("state", 5, 2, 10, TEE_DATA_FLAG_OVERWRITE) == TEE_ERROR_ACCESS_CONFLICT);
	TEE_CloseObject(object);
	return get("state", 5) == TEE_SUCCESS && value == 1 ? TEE_SUCCESS : TEE_ERROR_GENERIC;
}

static void an_object_is_replaced_whole(void **state)
{
	(void)state;
	assert_int_equal(shim_run(replace), TEEC_SUCCESS);
	assert_int_equal(shim_run(replace_what_is_open), TEEC_SUCCESS);
}

/* ---- writers that die and disks that fail --------------------------------------------- */

static int steps_left;
static int steps_seen;
static bool kills;

static int strike(const char *step)
{
	(void)step;
	steps_seen++;
	if (steps_left-- > 1)
		return 0;
	if (kills)
		(void)kill(getpid(), SIGKILL);
	return EIO;
}

static int steps_of_a_replacement(void)
{
	steps_left = 1000;
	steps_seen = 0;
	kills = false;
	assert_int_equal(shim_run(make_old), TEEC_SUCCESS);
	sim_store_fault_hook = strike;
	assert_int_equal(shim_run(make_new), TEEC_SUCCESS);
	sim_store_fault_hook = NULL;
	return steps_seen;
}

static void check_old_or_new(bool allowed_new)
{
	assert_int_equal(shim_run(read_state), TEEC_SUCCESS);
	assert_true((value == 1 && value_len == LARGE) ||
		    (allowed_new && value == 2 && value_len == 100));
}

/* In a process of its own, which ends at its n-th step. */
static void kill_at(int n)
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		steps_left = n;
		kills = true;
		sim_store_fault_hook = strike;
		(void)shim_run(make_new);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void a_writer_killed_at_any_step_leaves_old_or_new(void **state)
{
	const int steps = steps_of_a_replacement();
	int renewed = 0;

	(void)state;
	assert_true(steps >= 5);
	for (int n = 1; n <= steps; n++) {
		assert_int_equal(shim_run(make_old), TEEC_SUCCESS);
		kill_at(n);
		check_old_or_new(true);
		renewed += value == 2;
		/* And whoever comes next can write. */
		assert_int_equal(shim_run(make_new), TEEC_SUCCESS);
		assert_int_equal(shim_run(read_state), TEEC_SUCCESS);
		assert_int_equal(value, 2);
	}
	/* The steps are on both sides of the moment that counts. */
	assert_true(renewed > 0 && renewed < steps);
}

static void a_disk_that_fails_at_any_step_leaves_old_or_new(void **state)
{
	const int steps = steps_of_a_replacement();

	(void)state;
	for (int n = 1; n <= steps; n++) {
		assert_int_equal(shim_run(make_old), TEEC_SUCCESS);
		kills = false;
		steps_left = n;
		sim_store_fault_hook = strike;
		assert_int_equal(shim_run(make_new), TEE_ERROR_STORAGE_NOT_AVAILABLE);
		sim_store_fault_hook = NULL;
		check_old_or_new(n == steps);
	}
}

static TEE_Result make_first(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return put("first", 5, 7, LARGE, TEE_DATA_FLAG_OVERWRITE);
}

static TEE_Result read_first(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return get("first", 5);
}

static void a_first_writer_killed_at_any_step_leaves_nothing_or_all(void **state)
{
	const int steps = steps_of_a_replacement();

	(void)state;
	for (int n = 1; n <= steps; n++) {
		TEEC_Result result = TEEC_SUCCESS;
		int status = 0;
		pid_t child = fork();

		assert_true(child >= 0);
		if (!child) {
			steps_left = n;
			kills = true;
			sim_store_fault_hook = strike;
			(void)shim_run(make_first);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		result = shim_run(read_first);
		assert_true(result == TEEC_ERROR_ITEM_NOT_FOUND ||
			    (result == TEEC_SUCCESS && value == 7 && value_len == LARGE));
	}
}

/* ---- renaming ------------------------------------------------------------------------ */

static TEE_Result rename_state(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_ObjectHandle object = TEE_HANDLE_NULL;
	const uint32_t flags = TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_ACCESS_WRITE_META;

	(void)params;
	REQUIRE(put("state", 5, 1, 10, TEE_DATA_FLAG_OVERWRITE) == TEE_SUCCESS);
	REQUIRE(put("other", 5, 2, 10, TEE_DATA_FLAG_OVERWRITE) == TEE_SUCCESS);
	REQUIRE(TEE_OpenPersistentObject(TEE_STORAGE_PRIVATE, "state", 5, flags, &object) ==
		TEE_SUCCESS);
	REQUIRE(TEE_RenamePersistentObject(object, "other", 5) == TEE_ERROR_ACCESS_CONFLICT);
	REQUIRE(TEE_RenamePersistentObject(object, "third", 5) == TEE_SUCCESS);
	TEE_CloseObject(object);
	REQUIRE(get("state", 5) == TEE_ERROR_ITEM_NOT_FOUND);
	REQUIRE(get("third", 5) == TEE_SUCCESS && value == 1);
	return get("other", 5) == TEE_SUCCESS && value == 2 ? TEE_SUCCESS : TEE_ERROR_GENERIC;
}

static TEE_Result rename_without_the_right(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_ObjectHandle object = TEE_HANDLE_NULL;

	(void)params;
	REQUIRE(put("state", 5, 1, 10, TEE_DATA_FLAG_OVERWRITE) == TEE_SUCCESS);
	REQUIRE(TEE_OpenPersistentObject(TEE_STORAGE_PRIVATE, "state", 5, TEE_DATA_FLAG_ACCESS_READ,
					 &object) == TEE_SUCCESS);
	return TEE_RenamePersistentObject(object, "new", 3);
}

static void a_rename_takes_no_name_that_exists(void **state)
{
	(void)state;
	assert_int_equal(shim_run(rename_state), TEEC_SUCCESS);
	assert_int_equal(shim_run(rename_without_the_right), SHIM_PANICS);
}

/* ---- room ---------------------------------------------------------------------------- */

static TEE_Result fill(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	for (unsigned i = 0; i < OBJECTS; i++) {
		const char id[2] = { (char)(i >> 8), (char)i };

		REQUIRE(put(id, sizeof(id), (uint8_t)i, LARGE, TEE_DATA_FLAG_OVERWRITE) ==
			TEE_SUCCESS);
	}
	return TEE_SUCCESS;
}

static TEE_Result find_all(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_ObjectEnumHandle all = TEE_HANDLE_NULL;
	uint8_t id[TEE_OBJECT_ID_MAX_LEN] = { 0 };
	size_t len = 0;
	unsigned found = 0;

	(void)params;
	REQUIRE(TEE_AllocatePersistentObjectEnumerator(&all) == TEE_SUCCESS);
	REQUIRE(TEE_StartPersistentObjectEnumerator(all, TEE_STORAGE_PRIVATE) == TEE_SUCCESS);
	while (TEE_GetNextPersistentObject(all, NULL, id, &len) == TEE_SUCCESS) {
		const char name[2] = { (char)id[0], (char)id[1] };

		found++;
		REQUIRE(get(name, sizeof(name)) == TEE_SUCCESS);
		REQUIRE(value == id[1] && value_len == LARGE);
	}
	TEE_FreePersistentObjectEnumerator(all);
	return found == OBJECTS ? TEE_SUCCESS : TEE_ERROR_GENERIC;
}

static void there_is_room_for_every_key_ledger_and_state(void **state)
{
	(void)state;
	assert_int_equal(shim_run(fill), TEEC_SUCCESS);
	assert_int_equal(shim_run(find_all), TEEC_SUCCESS);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, shim_set_up, shim_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_object_is_replaced_whole),
		CASE(a_writer_killed_at_any_step_leaves_old_or_new),
		CASE(a_disk_that_fails_at_any_step_leaves_old_or_new),
		CASE(a_first_writer_killed_at_any_step_leaves_nothing_or_all),
		CASE(a_rename_takes_no_name_that_exists),
		CASE(there_is_room_for_every_key_ledger_and_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
