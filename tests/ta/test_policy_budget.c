/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks on budgets and on the window that they hold for, and the window against a model. */
#include "provisioned_client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tee/sim/sim_test.h"

/* ---- budgets ---------------------------------------------------------------------------- */

#define BUDGET ((wei)16000)
#define OPERATIONS 1000

/* To the last wei, and one more. */
static void exhaust(struct provisioned *p)
{
	const struct policy policy = windowed_policy(BUDGET, OPERATIONS);

	make_sponsor(p, &policy);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(spend(p, "pm", 1000), TEEC_SUCCESS);
}

static void assert_exhausted(struct provisioned *p)
{
	assert_int_equal(spend(p, "pm", 1), OVERFLOW_RESULT);
	assert_recorded(p, SR_TA_CMD_SIGN_SPONSORSHIP, OVERFLOW_RESULT);
	assert_true(get_spending(p, "pm").cost == BUDGET);
}

static void budget_exhausted(void **state)
{
	exhaust(*state);
	assert_exhausted(*state);
}

static void budget_exhausted_then_relay_restarted(void **state)
{
	exhaust(*state);
	for (unsigned i = 0; i < 5; i++) {
		host_restart(*state);
		assert_exhausted(*state);
	}
}

static void budget_exhausted_then_ta_panicked(void **state)
{
	struct provisioned *p = *state;

	exhaust(p);
	for (unsigned n = 1; n < 8; n++) {
		sim_test_panic_after(n);
		(void)spend(p, "pm", 1);
		sim_test_panic_after(0);
		host_restart(p);
		assert_exhausted(p);
	}
}

static uint64_t ree_time;
static uint64_t show_ree_time(void)
{
	return ree_time;
}

static void budget_exhausted_then_host_clock_moved_both_ways(void **state)
{
	static const uint64_t times[] = { 0, 1, UINT64_C(1800000000000), UINT64_C(4000000000000) };
	struct provisioned *p = *state;

	sim_ree_time_hook = show_ree_time;
	ree_time = UINT64_C(1700000000000);
	exhaust(p);
	for (size_t i = 0; i < SR_ARRAY_LEN(times); i++) {
		ree_time = times[i];
		assert_exhausted(p);
		host_restart(p);
		assert_exhausted(p);
	}
}

/* What the machine was off for does not count; nor does what an earlier boot had counted. */
static void budget_exhausted_then_machine_rebooted(void **state)
{
	struct provisioned *p = *state;

	exhaust(p);
	for (unsigned boot = 0; boot < 4; boot++) {
		tee_time = 5000;
		host_restart(p);
		assert_exhausted(p);
		tee_time = 1600000 + 1000 * boot;
		assert_exhausted(p);
	}
}

static void system_time_that_goes_back_frees_nothing(void **state)
{
	struct provisioned *p = *state;

	exhaust(p);
	tee_time = 0;
	assert_exhausted(p);
	tee_time = 900000;
	assert_exhausted(p);
}

static void window_that_passes_frees_the_budget(void **state)
{
	struct provisioned *p = *state;

	exhaust(p);
	tee_time += 3600 * 1000 - 1;
	assert_exhausted(p);
	tee_time += 3600 * 1000 / 16 + 1;
	assert_int_equal(spend(p, "pm", BUDGET), TEEC_SUCCESS);
	assert_exhausted(p);
}

static void operations_exhausted(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = windowed_policy(BUDGET, 5);

	make_sponsor(p, &policy);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(spend(p, "pm", 0), TEEC_SUCCESS);
	assert_int_equal(spend(p, "pm", 0), OVERFLOW_RESULT);
	host_restart(p);
	assert_int_equal(spend(p, "pm", 0), OVERFLOW_RESULT);
	assert_recorded(p, SR_TA_CMD_SIGN_SPONSORSHIP, OVERFLOW_RESULT);
	tee_time += 3600 * 1000 / 16 * 17;
	assert_int_equal(spend(p, "pm", 0), TEEC_SUCCESS);
}

static void raw_digests_beyond_the_operations_of_a_window(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = windowed_policy(0, 3);

	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "d", NULL), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "d", 1, &policy), TEEC_SUCCESS);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(raw_digest(p, "d"), TEEC_SUCCESS);
	assert_int_equal(raw_digest(p, "d"), DENIED);
	assert_recorded(p, SR_TA_CMD_SIGN_MESSAGE, OVERFLOW_RESULT);
}

static void budget_split_across_the_items_of_a_batch(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = windowed_policy(BUDGET, OPERATIONS);
	const struct sponsorship s = priced(300);
	unsigned signatures = 0;

	make_sponsor(p, &policy);
	begin_sponsorships(&p->request, "pm", 64);
	for (unsigned i = 0; i < 64; i++)
		put_sponsorship(&p->request, &s);
	assert_int_equal(host_call(p, SR_TA_CMD_SIGN_SPONSORSHIP, &p->request, &p->response),
			 TEEC_SUCCESS);
	for (unsigned i = 0; i < 64; i++)
		signatures += !p->response.data[2 + i * SR_TA_SPONSORSHIP_RESULT_SIZE];
	assert_int_equal(signatures, 16000 / 300);
	assert_true(get_spending(p, "pm").cost == 300 * (16000 / 300));
}

/* In a child: a host without a log, with an instance of its own on the same storage. */
static struct provisioned *of_another_process(const struct provisioned *p)
{
	struct provisioned *own = calloc(1, sizeof(*own));

	assert_non_null(own);
	sim_test_unload();
	memcpy(own->ta.store, p->ta.store, sizeof(own->ta.store));
	ta_connect(&own->ta);
	return own;
}

static void budget_exhausted_then_another_process(void **state)
{
	struct provisioned *p = *state;
	int status = 0;
	pid_t child = 0;

	exhaust(p);
	child = fork();
	if (!child)
		_exit(spend(of_another_process(p), "pm", 1) == OVERFLOW_RESULT ? 42 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	/* What that did not tell of it begins anew, and says so. */
	assert_int_equal(spend(p, "pm", 1), TEEC_ERROR_BAD_STATE);
	assert_int_equal(host_begin(p), TEEC_SUCCESS);
	assert_exhausted(p);
}

/* Half here and half there, in turns: each turn may lose a slice and gains nothing. */
static void budget_spent_by_two_processes_in_turns(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = windowed_policy(BUDGET, OPERATIONS);
	unsigned spent = 0;

	make_sponsor(p, &policy);
	for (unsigned i = 0; i < 20; i++) {
		int status = 0;
		const pid_t child = fork();

		if (!child)
			_exit(spend(of_another_process(p), "pm", 700) == TEEC_SUCCESS);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		spent += WEXITSTATUS(status) ? 700 : 0;
		assert_int_equal(host_begin(p), TEEC_SUCCESS);
		spent += spend(p, "pm", 700) == TEEC_SUCCESS ? 700 : 0;
	}
	assert_in_range(spent, 700, 16000);
	assert_int_equal(spend(p, "pm", 700), OVERFLOW_RESULT);
}

/* ---- budgets and keys that come and go ------------------------------------------------------ */

static void budget_exhausted_then_key_deleted_and_brought_back(void **state)
{
	struct provisioned *p = *state;
	struct envelope envelope = { 0 };

	exhaust(p);
	assert_int_equal(export_key(p, "pm", &envelope), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
	host_restart(p);
	assert_int_equal(import_envelope(p, &envelope), TEEC_SUCCESS);
	assert_exhausted(p);
}

static void budget_exhausted_then_key_rotated(void **state)
{
	struct provisioned *p = *state;

	exhaust(p);
	assert_int_equal(rotate_key(p, "pm", "pm2", NULL), TEEC_SUCCESS);
	assert_int_equal(spend(p, "pm2", 1), OVERFLOW_RESULT);
	host_restart(p);
	assert_int_equal(spend(p, "pm2", 1), OVERFLOW_RESULT);
	assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
	assert_int_equal(spend(p, "pm2", 1), OVERFLOW_RESULT);
	assert_recorded(p, SR_TA_CMD_SIGN_SPONSORSHIP, OVERFLOW_RESULT);
}

/* Ledgers outlive their keys, and there is room for so many: what comes to nothing takes none. */
static void rotations_to_an_id_that_exists_use_up_no_ledger(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = windowed_policy(BUDGET, OPERATIONS);

	make_sponsor(p, &policy);
	for (unsigned i = 0; i <= SR_TA_LEDGERS_MAX; i++) {
		assert_int_equal(rotate_key(p, "pm", "pm", NULL), TEEC_ERROR_ACCESS_CONFLICT);
		(void)host_read(p);
	}
	assert_recorded(p, SR_TA_CMD_ROTATE_KEY, TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(rotate_key(p, "pm", "pm2", NULL), TEEC_SUCCESS);
}

static void envelope_of_before_the_policy_was_tightened(void **state)
{
	struct provisioned *p = *state;
	const struct policy tight = windowed_policy(10, 1);
	struct envelope bare = { 0 };
	struct envelope loose = { 0 };

	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	assert_int_equal(export_key(p, "pm", &bare), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "pm", 1, &(struct policy){ .window = 0 }), TEEC_SUCCESS);
	assert_int_equal(export_key(p, "pm", &loose), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "pm", 2, &tight), TEEC_SUCCESS);
	assert_int_equal(import_envelope(p, &loose), TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
	assert_int_equal(import_envelope(p, &loose), TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(import_envelope(p, &bare), TEEC_ERROR_ACCESS_CONFLICT);
	assert_recorded(p, SR_TA_CMD_IMPORT_WRAPPED, TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(find_key(p, "pm", NULL), TEEC_ERROR_ITEM_NOT_FOUND);
}

static void envelope_with_any_byte_changed(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = windowed_policy(BUDGET, OPERATIONS);
	struct envelope envelope = { 0 };

	make_sponsor(p, &policy);
	assert_int_equal(export_key(p, "pm", &envelope), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
	for (unsigned i = 0; i < envelope.len; i++) {
		struct envelope bad = envelope;

		bad.data[i] ^= (uint8_t)(1u << (i % 8));
		assert_int_not_equal(import_envelope(p, &bad), TEEC_SUCCESS);
		(void)host_read(p);
	}
	assert_int_equal(import_envelope(p, &envelope), TEEC_SUCCESS);
}

static void lowered_budget_counts_what_was_spent(void **state)
{
	struct provisioned *p = *state;
	const struct policy wide = windowed_policy(BUDGET, OPERATIONS);
	const struct policy narrow = windowed_policy(8000, OPERATIONS);

	make_sponsor(p, &wide);
	assert_int_equal(spend(p, "pm", 7000), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "pm", 2, &narrow), TEEC_SUCCESS);
	assert_int_equal(spend(p, "pm", 1001), OVERFLOW_RESULT);
	assert_int_equal(spend(p, "pm", 1000), TEEC_SUCCESS);
	assert_int_equal(spend(p, "pm", 1), OVERFLOW_RESULT);
	assert_recorded(p, SR_TA_CMD_SIGN_SPONSORSHIP, OVERFLOW_RESULT);
}

static void other_window_counts_what_was_spent(void **state)
{
	struct provisioned *p = *state;
	struct policy policy = windowed_policy(BUDGET, OPERATIONS);

	exhaust(p);
	for (uint32_t version = 2; version < 6; version++) {
		policy.window = version % 2 ? 7200 : 1800;
		assert_int_equal(set_policy(p, "pm", version, &policy), TEEC_SUCCESS);
		assert_exhausted(p);
	}
}

/* Of what a window long past has held nothing is left to count. */
static void other_window_after_the_old_one_has_passed(void **state)
{
	struct provisioned *p = *state;
	struct policy policy = windowed_policy(BUDGET, OPERATIONS);

	exhaust(p);
	tee_time += 2 * 3600 * 1000;
	policy.window = 7200;
	assert_int_equal(set_policy(p, "pm", 2, &policy), TEEC_SUCCESS);
	assert_int_equal(spend(p, "pm", BUDGET), TEEC_SUCCESS);
}

/* ---- the window against a model
 * ------------------------------------------------------------------------------- */

#define ROUNDS 2000
#define MODEL_WINDOW_MS (UINT64_C(3600) * 1000)

/* What the key has signed, and when, by a clock that never stops. */
struct model {
	uint64_t now;
	size_t count;
	struct {
		uint64_t time;
		wei cost;
	} signed_at[ROUNDS];
	size_t restarts;
	uint64_t restarted_at[ROUNDS];
};

static wei spent_within(const struct model *m, uint64_t span, unsigned *operations)
{
	wei sum = 0;

	*operations = 0;
	for (size_t i = m->count; i > 0 && m->signed_at[i - 1].time + span > m->now; i--) {
		sum += m->signed_at[i - 1].cost;
		++*operations;
	}
	return sum;
}

static unsigned restarts_within(const struct model *m, uint64_t span)
{
	unsigned count = 0;

	for (size_t i = m->restarts; i > 0 && m->restarted_at[i - 1] + span > m->now; i--)
		count++;
	return count;
}

/* Signed: never over budget. Refused: only with reason, by a window a sixteenth longer. */
static void judge(struct model *m, wei cost, TEEC_Result result, const struct policy *policy,
		  bool judge_refusal)
{
	const uint64_t longer = MODEL_WINDOW_MS / 16 * 17;
	unsigned operations = 0;
	wei spent = 0;
	wei lost = 0;

	if (result == TEEC_SUCCESS) {
		m->signed_at[m->count].time = m->now;
		m->signed_at[m->count++].cost = cost;
		assert_true(spent_within(m, MODEL_WINDOW_MS, &operations) <= policy->budget);
		assert_true(operations <= policy->operations);
		return;
	}
	assert_int_equal(result, OVERFLOW_RESULT);
	if (!judge_refusal)
		return;
	spent = spent_within(m, longer + 1, &operations);
	lost = restarts_within(m, longer + 1);
	operations += (unsigned)lost * (policy->operations / 16);
	assert_true(spent + cost + lost * (policy->budget / 16) > policy->budget ||
		    operations + 1 > policy->operations);
}

static uint64_t random_step(void)
{
	static const uint32_t steps[] = { 1, 1000, 60000, 600000, 4000000 };

	return randombytes_uniform(steps[randombytes_uniform(SR_ARRAY_LEN(steps))]);
}

static void run_model(struct provisioned *p, bool reboots)
{
	static struct model m;
	const struct policy policy = windowed_policy((wei)1 << 100, 40);

	m = (struct model){ .now = tee_time };
	make_sponsor(p, &policy);
	for (unsigned i = 0; i < ROUNDS; i++) {
		const uint64_t step = random_step();
		const wei cost =
			(policy.budget >> randombytes_uniform(9)) + randombytes_uniform(3) - 1;

		m.now += step;
		tee_time += step;
		if (!randombytes_uniform(25)) {
			m.restarted_at[m.restarts++] = m.now;
			if (reboots && randombytes_uniform(2))
				tee_time = step;
			host_restart(p);
		}
		judge(&m, cost, spend(p, "pm", cost), &policy, !reboots);
	}
	assert_true(m.count > 50 && m.count < ROUNDS);
}

static void never_over_budget_in_any_window_nor_stricter_than_promised(void **state)
{
	run_model(*state, false);
}

static void never_over_budget_in_any_window_whatever_reboots(void **state)
{
	run_model(*state, true);
}

#define ATTACK(name) cmocka_unit_test_setup_teardown(name, provisioned_setup, provisioned_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACK(budget_exhausted),
		ATTACK(budget_exhausted_then_relay_restarted),
		ATTACK(budget_exhausted_then_ta_panicked),
		ATTACK(budget_exhausted_then_host_clock_moved_both_ways),
		ATTACK(budget_exhausted_then_machine_rebooted),
		ATTACK(system_time_that_goes_back_frees_nothing),
		ATTACK(window_that_passes_frees_the_budget),
		ATTACK(operations_exhausted),
		ATTACK(raw_digests_beyond_the_operations_of_a_window),
		ATTACK(budget_split_across_the_items_of_a_batch),
		ATTACK(budget_exhausted_then_another_process),
		ATTACK(budget_spent_by_two_processes_in_turns),
		ATTACK(budget_exhausted_then_key_deleted_and_brought_back),
		ATTACK(budget_exhausted_then_key_rotated),
		ATTACK(rotations_to_an_id_that_exists_use_up_no_ledger),
		ATTACK(envelope_of_before_the_policy_was_tightened),
		ATTACK(envelope_with_any_byte_changed),
		ATTACK(lowered_budget_counts_what_was_spent),
		ATTACK(other_window_counts_what_was_spent),
		ATTACK(other_window_after_the_old_one_has_passed),
		ATTACK(never_over_budget_in_any_window_nor_stricter_than_promised),
		ATTACK(never_over_budget_in_any_window_whatever_reboots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
