/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many ledgers there are: power cuts and failures at every step of making and dropping one
 * leave none that counts as lost, and keys that never left leave none behind.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_copy.h"
#include "tee/sim/sim_test.h"

#define BUDGET ((wei)16000)
#define ROUNDS 300 /* more than there are ledgers */

static void set_limit(struct provisioned *p, const char *id, uint32_t version)
{
	const struct policy policy = windowed_policy(BUDGET, 1000);

	assert_int_equal(set_policy(p, id, version, &policy), TEEC_SUCCESS);
}

/* ---- power cuts ----------------------------------------------------------------------------- */

#define CUT 77 /* the child's exit status */
static unsigned countdown;

static int cut_power(const char *step)
{
	(void)step;
	if (countdown && !--countdown)
		_exit(CUT);
	return 0;
}

static bool run_and_cut(struct provisioned *p, TEEC_Result (*run)(struct provisioned *),
			unsigned step)
{
	int status = 0;
	const pid_t child = fork();

	if (!child) {
		countdown = step;
		sim_store_fault_hook = cut_power;
		_exit(run(p) == TEEC_SUCCESS ? 0 : 1);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == CUT || !WEXITSTATUS(status));
	return WEXITSTATUS(status) == CUT;
}

static unsigned failing_step;

static int fail_step(const char *step)
{
	(void)step;
	return failing_step && !--failing_step ? EIO : 0;
}

/* The same with a storage that fails once and goes on. */
static bool run_and_fail(struct provisioned *p, TEEC_Result (*run)(struct provisioned *),
			 unsigned step)
{
	TEEC_Result result = TEEC_SUCCESS;

	failing_step = step;
	sim_store_fault_hook = fail_step;
	result = run(p);
	sim_store_fault_hook = NULL;
	return result != TEEC_SUCCESS || !failing_step;
}

static struct envelope witness;

/* Nothing is missing: what was exported comes in, and a new policy begins with a free window,
 * as none does where a ledger counts as lost. */
static void assert_nothing_lost(struct provisioned *p, unsigned step)
{
	char id[16] = "";

	assert_int_equal(import_envelope(p, &witness), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "witness"), TEEC_SUCCESS);
	(void)snprintf(id, sizeof(id), "new%u", step);
	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, id, NULL), TEEC_SUCCESS);
	set_limit(p, id, 1);
	assert_int_equal(spend(p, id, 1), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, id), TEEC_SUCCESS);
}

static TEEC_Result give_policy(struct provisioned *p)
{
	const struct policy policy = windowed_policy(BUDGET, 1000);

	return set_policy(p, "pm", 1, &policy);
}

static TEEC_Result drop_pm(struct provisioned *p)
{
	return drop_key(p, "pm");
}

static TEEC_Result rotate_pm(struct provisioned *p)
{
	return rotate_key(p, "pm", "next", NULL);
}

static void make_witness(struct provisioned *p)
{
	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "witness", NULL), TEEC_SUCCESS);
	assert_int_equal(export_key(p, "witness", &witness), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "witness"), TEEC_SUCCESS);
	assert_int_equal(import_envelope(p, &witness), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "witness"), TEEC_SUCCESS);
}

typedef bool (*interrupt)(struct provisioned *p, TEEC_Result (*run)(struct provisioned *),
			  unsigned step);

static void interrupt_each_step(struct provisioned *p, interrupt how,
				TEEC_Result (*run)(struct provisioned *), bool limited)
{
	bool interrupted = true;
	unsigned step = 0;

	make_witness(p);
	while (interrupted) {
		if (find_key(p, "pm", NULL) != TEEC_SUCCESS)
			assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL),
					 TEEC_SUCCESS);
		if (limited && !get_spending(p, "pm").version)
			set_limit(p, "pm", 1);
		interrupted = how(p, run, ++step);
		host_restart(p);
		assert_nothing_lost(p, step);
		(void)drop_key(p, "pm");
		(void)drop_key(p, "next");
		host_restart(p);
		assert_nothing_lost(p, step);
		assert_true(step < 200);
	}
	assert_true(step > 10);
}

static void power_cut_while_a_ledger_is_made_loses_none(void **state)
{
	interrupt_each_step(*state, run_and_cut, give_policy, false);
}

static void power_cut_while_a_ledger_is_dropped_loses_none(void **state)
{
	interrupt_each_step(*state, run_and_cut, drop_pm, true);
}

static void power_cut_while_a_key_is_rotated_loses_no_ledger(void **state)
{
	interrupt_each_step(*state, run_and_cut, rotate_pm, true);
}

static void storage_that_fails_while_a_ledger_is_made_loses_none(void **state)
{
	interrupt_each_step(*state, run_and_fail, give_policy, false);
}

static void storage_that_fails_while_a_ledger_is_dropped_loses_none(void **state)
{
	interrupt_each_step(*state, run_and_fail, drop_pm, true);
}

/* ---- ledgers that nobody needs -------------------------------------------------------------- */

static void keys_that_never_left_leave_no_ledger(void **state)
{
	struct provisioned *p = *state;
	const unsigned before = count_objects(p);

	for (unsigned i = 0; i < ROUNDS; i++) {
		assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
		set_limit(p, "pm", 1);
		assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
	}
	assert_int_equal(count_objects(p), before);
	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	set_limit(p, "pm", 1);
	assert_int_equal(spend(p, "pm", BUDGET), TEEC_SUCCESS);
}

/* Nor does the normal world use up the room for the operator's policies by itself. */
static void rotated_keys_that_never_left_leave_no_ledger(void **state)
{
	struct provisioned *p = *state;
	unsigned before = 0;

	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	set_limit(p, "pm", 1);
	before = count_objects(p);
	for (unsigned i = 0; i < ROUNDS; i++) {
		assert_int_equal(rotate_key(p, "pm", "next", NULL), TEEC_SUCCESS);
		assert_int_equal(drop_key(p, "next"), TEEC_SUCCESS);
	}
	assert_int_equal(count_objects(p), before);
	assert_int_equal(spend(p, "pm", BUDGET), TEEC_SUCCESS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, provisioned_setup, provisioned_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(power_cut_while_a_ledger_is_made_loses_none),
		TEST(power_cut_while_a_ledger_is_dropped_loses_none),
		TEST(power_cut_while_a_key_is_rotated_loses_no_ledger),
		TEST(storage_that_fails_while_a_ledger_is_made_loses_none),
		TEST(storage_that_fails_while_a_ledger_is_dropped_loses_none),
		TEST(keys_that_never_left_leave_no_ledger),
		TEST(rotated_keys_that_never_left_leave_no_ledger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
