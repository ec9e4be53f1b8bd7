/* SPDX-License-Identifier: Apache-2.0 */
/* Ledgers that the storage has lost: no key gets a budget by that which it has spent. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store_copy.h"
#include "tee/sim/sim_test.h"

#define BUDGET ((wei)16000)
#define WINDOW_MS (UINT64_C(3600) * 1000)
/* A window, and the sixteenth that what was spent may count longer. */
#define WINDOW_AND_MORE (WINDOW_MS / 16 * 17 + 1000)

static char ledger_path[TEMP_PATH_MAX];
static char other_path[TEMP_PATH_MAX];

/* Under policy version 1, and notes which file its ledger is. */
static void make_limited(struct provisioned *p, const char *id)
{
	static struct object_names before;
	const struct policy policy = windowed_policy(BUDGET, 1000);

	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, id, NULL), TEEC_SUCCESS);
	note_objects(p, &before);
	assert_int_equal(set_policy(p, id, 1, &policy), TEEC_SUCCESS);
	path_of_new_object(p, &before, ledger_path);
}

static void set_limit(struct provisioned *p, const char *id, uint32_t version)
{
	const struct policy policy = windowed_policy(BUDGET, 1000);

	assert_int_equal(set_policy(p, id, version, &policy), TEEC_SUCCESS);
}

static void exhaust(struct provisioned *p, const char *id)
{
	assert_int_equal(spend(p, id, BUDGET), TEEC_SUCCESS);
	assert_int_equal(spend(p, id, 1), OVERFLOW_RESULT);
}

/* ---- ledgers that are gone ---------------------------------------------------------------- */

static void remove_ledger(void)
{
	assert_int_equal(unlink(ledger_path), 0);
}

static void spoil_ledger(void)
{
	sim_storage_deletes_corrupt = true;
	damage_object(ledger_path);
}

/* A name that nothing can be read under does not stand for the one that is gone. */
static void rename_ledger(void)
{
	char other[TEMP_PATH_MAX] = "";
	const size_t len = strlen(ledger_path);

	memcpy(other, ledger_path, sizeof(other));
	other[len - 1] = other[len - 1] == '0' ? '1' : '0';
	assert_int_equal(rename(ledger_path, other), 0);
}

/* Nor does another object: OP-TEE's enumeration knows no name of one whose file is gone. */
static void remove_ledger_and_damage_a_key(void)
{
	remove_ledger();
	damage_object(other_path);
}

static void (*const losses[])(void) = { remove_ledger, spoil_ledger, rename_ledger };

/* "pm": exported without a policy, under version 1, and under version 2; then spent and deleted. */
static void make_old_envelopes(struct provisioned *p, struct envelope envelopes[static 3])
{
	static struct object_names before;

	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	note_objects(p, &before);
	assert_int_equal(export_key(p, "pm", &envelopes[0]), TEEC_SUCCESS);
	path_of_new_object(p, &before, ledger_path);
	set_limit(p, "pm", 1);
	assert_int_equal(export_key(p, "pm", &envelopes[1]), TEEC_SUCCESS);
	set_limit(p, "pm", 2);
	assert_int_equal(export_key(p, "pm", &envelopes[2]), TEEC_SUCCESS);
	exhaust(p, "pm");
	assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
}

static void assert_stays_out(struct provisioned *p, const struct envelope envelopes[static 3])
{
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(import_envelope(p, &envelopes[i]), CORRUPT_OBJECT);
		assert_recorded(p, SR_TA_CMD_IMPORT_WRAPPED, CORRUPT_OBJECT);
		assert_int_equal(spend(p, "pm", 1), TEEC_ERROR_ITEM_NOT_FOUND);
	}
}

static void no_envelope_brings_back_a_key_whose_ledger_is_gone(struct provisioned *p,
							       void (*lose)(void))
{
	static struct object_names before;
	struct envelope envelopes[3] = { { .len = 0 } };

	note_objects(p, &before);
	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "other", NULL), TEEC_SUCCESS);
	path_of_new_object(p, &before, other_path);
	make_old_envelopes(p, envelopes);
	lose();
	host_restart(p);
	assert_stays_out(p, envelopes);
	host_restart(p);
	assert_stays_out(p, envelopes);
	tee_time += 10 * WINDOW_MS;
	assert_stays_out(p, envelopes);
}

static void no_envelope_brings_back_a_key_whose_ledger_was_removed(void **state)
{
	no_envelope_brings_back_a_key_whose_ledger_is_gone(*state, remove_ledger);
}

static void no_envelope_brings_back_a_key_whose_ledger_was_damaged(void **state)
{
	no_envelope_brings_back_a_key_whose_ledger_is_gone(*state, spoil_ledger);
}

static void no_envelope_brings_back_a_key_whose_ledger_was_renamed(void **state)
{
	no_envelope_brings_back_a_key_whose_ledger_is_gone(*state, rename_ledger);
}

static void no_envelope_brings_back_a_key_whose_ledger_a_damaged_key_stands_for(void **state)
{
	no_envelope_brings_back_a_key_whose_ledger_is_gone(*state, remove_ledger_and_damage_a_key);
}

/* Nobody knows whose ledger it was, so that it may have been the new one's: but no longer than
 * for a window. */
static void a_new_key_signs_after_a_window_where_a_ledger_is_gone(void **state)
{
	struct provisioned *p = *state;

	make_limited(p, "gone");
	remove_ledger();
	host_restart(p);
	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "new", NULL), TEEC_SUCCESS);
	set_limit(p, "new", 1);
	assert_int_equal(spend(p, "new", 1), OVERFLOW_RESULT);
	tee_time += WINDOW_MS - 1;
	assert_int_equal(spend(p, "new", 0), OVERFLOW_RESULT);
	tee_time += WINDOW_AND_MORE - WINDOW_MS;
	exhaust(p, "new");
}

/* Whichever way it went: the first look may find it damaged, and the next finds it gone. */
static void a_key_whose_ledger_is_gone_signs_a_window_after_its_next_policy(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = windowed_policy(BUDGET, 1000);
	char id[8] = "";

	for (unsigned i = 0; i < SR_ARRAY_LEN(losses); i++) {
		(void)snprintf(id, sizeof(id), "pm%u", i);
		make_limited(p, id);
		/* The losses before make this one begin with a spent window, too. */
		(void)spend(p, id, 0);
		tee_time += WINDOW_AND_MORE;
		exhaust(p, id);
		losses[i]();
		host_restart(p);
		assert_int_equal(spend(p, id, 1), CORRUPT_OBJECT);
		if (set_policy(p, id, 2, &policy) != TEEC_SUCCESS)
			set_limit(p, id, 2);
		assert_int_equal(spend(p, id, 1), OVERFLOW_RESULT);
		host_restart(p);
		assert_int_equal(spend(p, id, 1), OVERFLOW_RESULT);
		tee_time += WINDOW_AND_MORE;
		exhaust(p, id);
		sim_storage_deletes_corrupt = false;
	}
}

/* A rotated key takes over what its parent has spent, and that does not become less. */
static void a_rotated_key_gains_nothing_where_a_ledger_is_gone(void **state)
{
	struct provisioned *p = *state;

	make_limited(p, "gone");
	remove_ledger();
	sim_storage_deletes_corrupt = false;
	host_restart(p);
	make_limited(p, "pm");
	(void)spend(p, "pm", 0);
	tee_time += WINDOW_AND_MORE;
	/* In a bucket that is not the ledger's first. */
	tee_time += (17 - tee_time / (WINDOW_MS / 16) % 17 + 5) * (WINDOW_MS / 16);
	exhaust(p, "pm");
	assert_int_equal(rotate_key(p, "pm", "next", NULL), TEEC_SUCCESS);
	assert_int_equal(spend(p, "next", 1), OVERFLOW_RESULT);
	assert_int_equal(spend(p, "next", 0), spend(p, "pm", 0));
	assert_true(get_spending(p, "next").cost >= BUDGET);
}

/* ---- keys that left ------------------------------------------------------------------------- */

static void a_key_that_left_keeps_its_ledger(void **state)
{
	struct provisioned *p = *state;
	struct envelope envelope = { .len = 0 };

	make_limited(p, "pm");
	assert_int_equal(export_key(p, "pm", &envelope), TEEC_SUCCESS);
	exhaust(p, "pm");
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
		assert_int_equal(access(ledger_path, F_OK), 0);
		host_restart(p);
		assert_int_equal(import_envelope(p, &envelope), TEEC_SUCCESS);
		assert_int_equal(spend(p, "pm", 1), OVERFLOW_RESULT);
		assert_true(get_spending(p, "pm").cost == BUDGET);
	}
}

/* Also one that left before it had a policy. */
static void a_key_that_left_without_a_policy_keeps_its_ledger(void **state)
{
	struct provisioned *p = *state;
	struct envelope bare = { .len = 0 };

	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	assert_int_equal(export_key(p, "pm", &bare), TEEC_SUCCESS);
	set_limit(p, "pm", 1);
	exhaust(p, "pm");
	assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
	host_restart(p);
	assert_int_equal(import_envelope(p, &bare), TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(find_key(p, "pm", NULL), TEEC_ERROR_ITEM_NOT_FOUND);
}

/* ---- rotated keys on their way out ------------------------------------------------------------
 */

static void assert_policy_signed(struct provisioned *p, const char *id, bool is_signed)
{
	const uint8_t zeros[64] = { 0 };
	const uint8_t *signature = NULL;

	begin_id(&p->request, id);
	assert_int_equal(host_call(p, SR_TA_CMD_GET_POLICY, &p->request, &p->response),
			 TEEC_SUCCESS);
	signature = p->response.data + p->response.len - 20 - 64;
	assert_int_equal(memcmp(signature, zeros, sizeof(zeros)) != 0, is_signed);
}

static void a_rotated_key_leaves_after_the_operator_signed_its_policy(void **state)
{
	struct provisioned *p = *state;
	struct envelope envelope = { .len = 0 };

	make_limited(p, "pm");
	exhaust(p, "pm");
	assert_policy_signed(p, "pm", true);
	assert_int_equal(rotate_key(p, "pm", "next", NULL), TEEC_SUCCESS);
	assert_policy_signed(p, "next", false);
	assert_int_equal(export_key(p, "next", &envelope), TEEC_ERROR_BAD_STATE);
	assert_recorded(p, SR_TA_CMD_EXPORT_WRAPPED, TEEC_ERROR_BAD_STATE);
	set_limit(p, "next", 2);
	assert_policy_signed(p, "next", true);
	assert_int_equal(export_key(p, "next", &envelope), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "next"), TEEC_SUCCESS);
	assert_int_equal(import_envelope(p, &envelope), TEEC_SUCCESS);
	assert_policy_signed(p, "next", true);
	assert_int_equal(spend(p, "next", 1), OVERFLOW_RESULT);
}

static int tear_down(void **state)
{
	sim_storage_deletes_corrupt = false;
	return provisioned_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, provisioned_setup, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_envelope_brings_back_a_key_whose_ledger_was_removed),
		TEST(no_envelope_brings_back_a_key_whose_ledger_was_damaged),
		TEST(no_envelope_brings_back_a_key_whose_ledger_was_renamed),
		TEST(no_envelope_brings_back_a_key_whose_ledger_a_damaged_key_stands_for),
		TEST(a_new_key_signs_after_a_window_where_a_ledger_is_gone),
		TEST(a_key_whose_ledger_is_gone_signs_a_window_after_its_next_policy),
		TEST(a_rotated_key_gains_nothing_where_a_ledger_is_gone),
		TEST(a_key_that_left_keeps_its_ledger),
		TEST(a_key_that_left_without_a_policy_keeps_its_ledger),
		TEST(a_rotated_key_leaves_after_the_operator_signed_its_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
