/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power fails before every step of every change to the storage, exhaustively: a child does
 * the change and ends at its n-th step, for every n until it comes through. Afterwards the TA
 * begins with the log as the host had it, has the old state or the new, and what was begun can be
 * done by doing it again. No key is lost or left unusable, no budget gained, and no sequence
 * number used twice (the host's log asserts that with each record it takes).
 */
#include "provisioned_client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tee/sim/sim_test.h"

#define CUT 77 /* the child's exit status */
#define STEPS_MAX 200
#define BUDGET ((wei)16000)

static struct envelope envelope;

struct operation {
	const char *name;
	bool blank; /* on a store where nothing has begun */
	unsigned steps_min;
	void (*prepare)(struct provisioned *p);
	TEEC_Result (*run)(struct provisioned *p);
	/* After the cut, and after run has then been repeated with this result. */
	void (*judge)(struct provisioned *p);
	void (*judge_repeated)(struct provisioned *p, TEEC_Result result);
};

/* ---- the cut ------------------------------------------------------------------------ */

static unsigned countdown;

static int cut_power(const char *step)
{
	(void)step;
	if (countdown && !--countdown)
		_exit(CUT);
	return 0;
}

/* True when the power failed. */
static bool run_and_cut(struct provisioned *p, const struct operation *o, unsigned step)
{
	int status = 0;
	const pid_t child = fork();

	if (!child) {
		countdown = step;
		sim_store_fault_hook = cut_power;
		_exit(o->run(p) == TEEC_SUCCESS ? 0 : 1);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == CUT || !WEXITSTATUS(status));
	return WEXITSTATUS(status) == CUT;
}

/* ---- what must hold whatever was cut --------------------------------------------------- */

static void assert_no_damaged_key(struct provisioned *p)
{
	size_t at = 3;

	begin_list(&p->request, "");
	assert_int_equal(call(&p->ta, SR_TA_CMD_LIST_KEYS, &p->request, &p->response),
			 TEEC_SUCCESS);
	for (unsigned i = 0; i < p->response.data[2]; i++) {
		const struct key_info info = read_key_info(&p->response, &at);

		assert_int_equal(info.algorithm, SR_TA_ALG_SECP256K1);
	}
}

static wei signed_for(const struct provisioned *p, const char *id)
{
	wei sum = 0;

	for (size_t i = 0; i < p->log.count; i++) {
		const struct audit_record *r = &p->log.records[i];
		wei value = 0;

		for (unsigned b = 0; b < 16; b++)
			value = value << 8 | r->value[b];
		if (r->command == SR_TA_CMD_SIGN_SPONSORSHIP && r->decision == TEEC_SUCCESS &&
		    !strcmp(r->key, id))
			sum += value;
	}
	return sum;
}

/* Spends to the end, in small steps: together with what went before never too much. */
static void assert_budget_kept(struct provisioned *p, const char *id, wei before)
{
	TEEC_Result result = TEEC_SUCCESS;

	assert_true(get_spending(p, id).cost >= before);
	for (unsigned i = 0; i < 200 && result == TEEC_SUCCESS; i++)
		result = spend(p, id, 200);
	assert_int_equal(result, OVERFLOW_RESULT);
	assert_true(before + signed_for(p, id) <= BUDGET);
}

static void set_up_common(struct provisioned *p)
{
	const struct policy policy = windowed_policy(BUDGET, 1000);

	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "kept", NULL), TEEC_SUCCESS);
	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "pm", 1, &policy), TEEC_SUCCESS);
	assert_int_equal(spend(p, "pm", 3000), TEEC_SUCCESS);
	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "old", NULL), TEEC_SUCCESS);
}

static void judge_common(struct provisioned *p)
{
	assert_no_damaged_key(p);
	assert_int_equal(raw_digest(p, "kept"), TEEC_SUCCESS);
	assert_int_equal(spend(p, "pm", 1), TEEC_SUCCESS);
	assert_true(get_spending(p, "pm").cost >= signed_for(p, "pm"));
	assert_true(signed_for(p, "pm") >= 3000);
}

/* ---- keys that are made ------------------------------------------------------------------- */

static TEEC_Result generate_new(struct provisioned *p)
{
	return make_key(p, SR_TA_USAGE_DIGEST, "new", NULL);
}

static TEEC_Result import_new(struct provisioned *p)
{
	const uint8_t secret[32] = { 1, 2, 3 };

	return import_plain(p, SR_TA_USAGE_DIGEST, "new", secret);
}

static bool there(struct provisioned *p, const char *id)
{
	const TEEC_Result found = find_key(p, id, NULL);

	assert_true(found == TEEC_SUCCESS || found == TEEC_ERROR_ITEM_NOT_FOUND);
	return found == TEEC_SUCCESS;
}

static void judge_new(struct provisioned *p)
{
	judge_common(p);
	if (there(p, "new"))
		assert_int_equal(raw_digest(p, "new"), TEEC_SUCCESS);
}

static void judge_new_repeated(struct provisioned *p, TEEC_Result result)
{
	assert_true(result == TEEC_SUCCESS || result == TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(raw_digest(p, "new"), TEEC_SUCCESS);
}

static void set_up_envelope(struct provisioned *p)
{
	const struct policy policy = windowed_policy(BUDGET, 1000);

	set_up_common(p);
	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "w", NULL), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "w", 1, &policy), TEEC_SUCCESS);
	assert_int_equal(spend(p, "w", 5000), TEEC_SUCCESS);
	assert_int_equal(export_key(p, "w", &envelope), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "w"), TEEC_SUCCESS);
}

static TEEC_Result import_from_envelope(struct provisioned *p)
{
	return import_envelope(p, &envelope);
}

static void judge_envelope(struct provisioned *p)
{
	judge_common(p);
	if (there(p, "w"))
		assert_true(get_spending(p, "w").cost >= 5000);
}

static void judge_envelope_repeated(struct provisioned *p, TEEC_Result result)
{
	assert_true(result == TEEC_SUCCESS || result == TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(get_spending(p, "w").version, 1);
	assert_budget_kept(p, "w", 0);
}

/* ---- ROTATE_KEY ------------------------------------------------------------------------------ */

static TEEC_Result rotate(struct provisioned *p)
{
	return rotate_key(p, "pm", "pm2", NULL);
}

static void judge_rotated(struct provisioned *p)
{
	judge_common(p);
	if (there(p, "pm2"))
		assert_int_equal(get_spending(p, "pm2").version, 1);
}

static void judge_rotated_repeated(struct provisioned *p, TEEC_Result result)
{
	assert_true(result == TEEC_SUCCESS || result == TEEC_ERROR_ACCESS_CONFLICT);
	assert_budget_kept(p, "pm2", 3000);
	assert_budget_kept(p, "pm", 0);
}

/* ---- DELETE_KEY ------------------------------------------------------------------------------ */

static TEEC_Result delete_old(struct provisioned *p)
{
	return drop_key(p, "old");
}

static void judge_deleted(struct provisioned *p)
{
	judge_common(p);
	if (there(p, "old"))
		assert_int_equal(raw_digest(p, "old"), TEEC_SUCCESS);
}

static void judge_deleted_repeated(struct provisioned *p, TEEC_Result result)
{
	assert_true(result == TEEC_SUCCESS || result == TEEC_ERROR_ITEM_NOT_FOUND);
	assert_false(there(p, "old"));
	/* The name is free. */
	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "old", NULL), TEEC_SUCCESS);
}

/* ---- SET_POLICY ------------------------------------------------------------------------------ */

static void set_up_first_policy(struct provisioned *p)
{
	set_up_common(p);
	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "q", NULL), TEEC_SUCCESS);
}

static TEEC_Result set_first_policy(struct provisioned *p)
{
	const struct policy policy = windowed_policy(BUDGET, 1000);

	return set_policy(p, "q", 1, &policy);
}

static void judge_first_policy(struct provisioned *p)
{
	const uint32_t version = get_spending(p, "q").version;

	judge_common(p);
	assert_in_range(version, 0, 1);
	assert_int_equal(spend(p, "q", 100), version ? TEEC_SUCCESS : DENIED);
}

static void judge_first_policy_repeated(struct provisioned *p, TEEC_Result result)
{
	assert_true(result == TEEC_SUCCESS || result == TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(get_spending(p, "q").version, 1);
	assert_budget_kept(p, "q", 0);
}

#define NARROW 4000

static TEEC_Result set_second_policy(struct provisioned *p)
{
	const struct policy policy = windowed_policy(NARROW, 1000);

	return set_policy(p, "pm", 2, &policy);
}

static void judge_second_policy(struct provisioned *p)
{
	judge_common(p);
	assert_in_range(get_spending(p, "pm").version, 1, 2);
	/* Half way its ledger knows of the second already. */
	assert_int_equal(rotate_key(p, "pm", "pm3", NULL), TEEC_SUCCESS);
	assert_int_equal(get_spending(p, "pm3").version, get_spending(p, "pm").version);
}

static void judge_second_policy_repeated(struct provisioned *p, TEEC_Result result)
{
	TEEC_Result more = TEEC_SUCCESS;

	assert_true(result == TEEC_SUCCESS || result == TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(get_spending(p, "pm").version, 2);
	for (unsigned i = 0; i < 200 && more == TEEC_SUCCESS; i++)
		more = spend(p, "pm", 100);
	assert_int_equal(more, OVERFLOW_RESULT);
	assert_true(signed_for(p, "pm") <= NARROW);
}

/* ---- PROVISION and the first BEGIN ------------------------------------------------------------
 */

static void begin_blank(struct provisioned *p)
{
	assert_int_equal(host_begin(p), TEEC_SUCCESS);
	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
}

static TEEC_Result provision_it(struct provisioned *p)
{
	return provision(p, SR_TA_PROVISION_DEVELOPMENT);
}

static void judge_provisioned(struct provisioned *p)
{
	const TEEC_Result result = spend(p, "pm", 1);

	assert_no_damaged_key(p);
	/* Without an operator it needs no policy. */
	assert_true(result == TEEC_SUCCESS || result == DENIED);
}

static void judge_provisioned_repeated(struct provisioned *p, TEEC_Result result)
{
	const struct policy policy = usual_policy();

	assert_true(result == TEEC_SUCCESS || result == TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(spend(p, "pm", 1), DENIED);
	assert_int_equal(set_policy(p, "pm", 1, &policy), TEEC_SUCCESS);
	assert_int_equal(spend(p, "pm", 1), TEEC_SUCCESS);
}

static void nothing(struct provisioned *p)
{
	(void)p;
}

static void judge_begun_repeated(struct provisioned *p, TEEC_Result result)
{
	assert_int_equal(result, TEEC_SUCCESS);
	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "kept", NULL), TEEC_SUCCESS);
	assert_int_equal(raw_digest(p, "kept"), TEEC_SUCCESS);
}

/* ---- leases
 * -------------------------------------------------------------------------------------- */

static TEEC_Result spend_through_slices(struct provisioned *p)
{
	for (unsigned i = 0; i < 3; i++) {
		const TEEC_Result result = spend(p, "pm", 600);

		if (result != TEEC_SUCCESS)
			return result;
	}
	return TEEC_SUCCESS;
}

static void judge_spent_repeated(struct provisioned *p, TEEC_Result result)
{
	assert_true(result == TEEC_SUCCESS || result == OVERFLOW_RESULT);
	assert_budget_kept(p, "pm", 0);
	/* One slice was lost at most, and one is too small to spend of. */
	assert_true(signed_for(p, "pm") >= BUDGET - BUDGET / 16 - 200);
}

static TEEC_Result store_checkpoint(struct provisioned *p)
{
	return host_checkpoint(p, true);
}

static void judge_success(struct provisioned *p, TEEC_Result result)
{
	assert_int_equal(result, TEEC_SUCCESS);
	judge_common(p);
}

/* The restart itself is interrupted. */
static void set_up_restart(struct provisioned *p)
{
	set_up_common(p);
	host_reconnect(p);
}

/* ---- all of them
 * ---------------------------------------------------------------------------------- */

static const struct operation operations[] = {
	{ "generate", false, 12, set_up_common, generate_new, judge_new, judge_new_repeated },
	{ "import", false, 12, set_up_common, import_new, judge_new, judge_new_repeated },
	{ "wrapped import", false, 18, set_up_envelope, import_from_envelope, judge_envelope,
	  judge_envelope_repeated },
	{ "rotate", false, 18, set_up_common, rotate, judge_rotated, judge_rotated_repeated },
	{ "delete", false, 9, set_up_common, delete_old, judge_deleted, judge_deleted_repeated },
	{ "first policy", false, 18, set_up_first_policy, set_first_policy, judge_first_policy,
	  judge_first_policy_repeated },
	{ "second policy", false, 18, set_up_common, set_second_policy, judge_second_policy,
	  judge_second_policy_repeated },
	{ "provision", true, 12, begin_blank, provision_it, judge_provisioned,
	  judge_provisioned_repeated },
	{ "first BEGIN", true, 18, nothing, host_begin, assert_no_damaged_key,
	  judge_begun_repeated },
	{ "later BEGIN", false, 6, set_up_restart, host_begin, judge_common, judge_success },
	{ "signing", false, 24, set_up_common, spend_through_slices, judge_common,
	  judge_spent_repeated },
	{ "checkpoint", false, 6, set_up_common, store_checkpoint, judge_common, judge_success },
};

/* True when the power failed, so that there may be a later step. */
static bool try_step(const struct operation *o, unsigned step)
{
	struct provisioned *p = NULL;
	void *state = NULL;
	struct ta_position before = { 0 };
	bool cut = false;

	(void)(o->blank ? blank_setup : provisioned_setup)(&state);
	p = state;
	o->prepare(p);
	before = host_read(p);
	cut = run_and_cut(p, o, step);
	host_restart(p);
	assert_true(host_read(p).generation >= before.generation);
	assert_true(host_read(p).next > before.next);
	o->judge(p);
	o->judge_repeated(p, o->run(p));
	host_restart(p);
	(void)provisioned_teardown(&state);
	return cut;
}

static void old_state_or_new_after_every_cut(void **state)
{
	const struct operation *o = *state;
	unsigned step = 1;

	while (try_step(o, step))
		assert_in_range(++step, 1, STEPS_MAX);
	assert_in_range(step - 1, o->steps_min, STEPS_MAX);
	printf("# %s: cut before each of %u steps\n", o->name, step - 1);
}

/* A cut in the middle, and then one in each step of the restart, and of the repetition. */
static void cut_again_while_it_recovers(void **state)
{
	static const struct operation restart = { .run = host_begin };
	const struct operation *o = *state;
	struct provisioned *p = NULL;
	void *own = NULL;

	for (unsigned step = 1; step < o->steps_min; step += 2) {
		(void)(o->blank ? blank_setup : provisioned_setup)(&own);
		p = own;
		o->prepare(p);
		(void)run_and_cut(p, o, step);
		for (unsigned again = 1; again < 4; again++) {
			host_reconnect(p);
			(void)run_and_cut(p, &restart, 2 * again);
		}
		host_restart(p);
		o->judge(p);
		o->judge_repeated(p, o->run(p));
		(void)provisioned_teardown(&own);
	}
}

static struct CMUnitTest test_of(const struct operation *o, CMUnitTestFunction run,
				 const char *promise)
{
	static char names[2 * SR_ARRAY_LEN(operations)][64];
	static size_t count;
	union {
		const struct operation *in;
		void *out;
	} operation = { .in = o };
	const struct CMUnitTest test = {
		.name = names[count],
		.test_func = run,
		.initial_state = operation.out,
	};

	(void)snprintf(names[count++], sizeof(names[0]), "%s: %s", o->name, promise);
	return test;
}

int main(void)
{
	struct CMUnitTest tests[2 * SR_ARRAY_LEN(operations)] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < SR_ARRAY_LEN(operations); i++) {
		tests[n++] = test_of(&operations[i], old_state_or_new_after_every_cut,
				     "old state or new after every cut");
		tests[n++] = test_of(&operations[i], cut_again_while_it_recovers,
				     "and after a cut while it recovers");
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
