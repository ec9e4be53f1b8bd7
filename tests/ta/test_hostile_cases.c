/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hostile client of the raw Client API: for each command each wrong thing that a client can do,
 * as a test of its own. Whatever it was, there is a documented error and nothing else: the TA
 * lives, its keys sign, and it holds no more handles and memory than before.
 */
#include "hostile_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tee/sim/sim_test.h"

#define CASES_MAX 2000
/* An emulated OP-TEE takes milliseconds a call: there, one in so many stands for all. */
#define EMULATED_EACH 8

static struct hostile_case *cases;
static size_t case_count;

/* ---- lists ---------------------------------------------------------------------- */

void add_case(const struct hostile_case *k, const char *what)
{
	struct hostile_case *copy = &cases[case_count];

	if (case_count == CASES_MAX)
		abort();
	case_count++;
	*copy = *k;
	(void)snprintf(copy->name, sizeof(copy->name), "%s: %s: %s", world_name(k->world),
		       command_name(k->command), what);
}

void add_for_all(struct hostile_case k, const char *what)
{
	static const enum world_kind worlds[] = { WORLD_BLANK, WORLD_OPERATED };

	for (size_t i = 0; i < SR_ARRAY_LEN(worlds); i++) {
		k.world = worlds[i];
		for (k.command = 0; k.command < SR_TA_COMMANDS; k.command++)
			add_case(&k, what);
	}
}

/* ---- one case ------------------------------------------------------------------- */

/* What a refusal must leave as it was. */
struct view {
	struct ta_position position;
	unsigned keys;
	size_t handles;
	size_t allocated;
};

static struct view look(struct world *w)
{
	struct view view = { .position = host_read(w->p), .keys = count_keys(&w->p->ta) };

	view.handles = sim_test_open_handles();
	view.allocated = sim_test_allocated();
	return view;
}

static void compare(const struct view *before, const struct view *after, unsigned records)
{
	assert_int_equal(after->handles, before->handles);
	assert_int_equal(after->allocated, before->allocated);
	assert_int_equal(after->keys, before->keys);
	assert_int_equal(after->position.next, before->position.next + records);
	/* Numbers were written off, which is the one change that a refusal may need. */
	if (after->position.used_to == before->position.used_to)
		assert_int_equal(after->position.generation, before->position.generation);
}

static void assert_signs(struct world *w)
{
	begin_digests(&w->p->request, "ec", 1);
	assert_int_equal(host_call(w->p, SR_TA_CMD_SIGN_MESSAGE, &w->p->request, &w->p->response),
			 TEEC_SUCCESS);
	assert_true(secp256k1_signature_good(w->ec.public_key, w->p->request.data + FRAMING + 4,
					     w->p->response.data + 2));
}

static void run_case(void **state)
{
	const struct hostile_case *k = *state;
	struct world *w = enter_world(k->world);
	struct view before = { 0 };
	struct view after = { 0 };

	before = look(w);
	/* Until it has come to its end, nobody knows what it left behind. */
	spoil_world();
	k->run(w, k);
	if (k->locked_out)
		return;
	after = look(w);
	if (!k->changes)
		compare(&before, &after, k->records);
	assert_signs(w);
	w->there = !k->ends;
}

/* ---- all of them ---------------------------------------------------------------- */

static int end_world(void **state)
{
	(void)state;
	leave_world();
	return 0;
}

static bool left_out(const struct hostile_case *k)
{
	return ta_on_optee() &&
	       (k->simulated || k->world != WORLD_BLANK || (size_t)(k - cases) % EMULATED_EACH);
}

static int run_all(struct CMUnitTest *tests)
{
	size_t count = 0;

	if (ta_on_optee())
		printf("# left out under OP-TEE: 7 of 8 cases of a blank TA, and all of other "
		       "worlds: milliseconds a call, and it is provisioned once\n");
	/* World by world, since it takes long to make one. */
	for (unsigned kind = 0; kind < WORLD_KINDS; kind++) {
		for (size_t i = 0; i < case_count; i++) {
			if (cases[i].world != kind || left_out(&cases[i]))
				continue;
			tests[count++] = (struct CMUnitTest){ .name = cases[i].name,
							      .test_func = run_case,
							      .initial_state = &cases[i] };
		}
	}
	if (count < case_count)
		printf("# left out under OP-TEE: %zu cases: they provision the TA for good, or "
		       "need "
		       "the simulator's inside\n",
		       case_count - count);
	return _cmocka_run_group_tests("cases", tests, count, NULL, end_world);
}

int main(void)
{
	struct CMUnitTest *tests = calloc(CASES_MAX, sizeof(*tests));
	int failed = EXIT_FAILURE;

	sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
	cases = calloc(CASES_MAX, sizeof(*cases));
	if (tests && cases) {
		add_wire_cases();
		add_value_cases();
		add_field_cases();
		add_built_cases();
		add_order_cases();
		add_thread_cases();
		failed = run_all(tests);
	}
	free(cases);
	free(tests);
	return failed;
}
