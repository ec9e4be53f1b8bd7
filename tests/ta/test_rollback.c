/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An older copy of the TA's storage put back, and logs that were cut or exchanged: what the
 * audit log's tail gives away of them, what it cannot, and the operator's leave to go on.
 */
#include <stdio.h>
#include <string.h>

#include "store_copy.h"

/* ---- a history --------------------------------------------------------------------------- */

#define HISTORY 20

static struct policy policy_of(uint32_t version)
{
	struct policy policy = windowed_policy((wei)16000 * version, 1000);

	return policy;
}

static void set_next_policy(struct provisioned *p)
{
	const uint32_t version = get_spending(p, "pm").version + 1;
	const struct policy policy = policy_of(version);

	assert_int_equal(set_policy(p, "pm", version, &policy), TEEC_SUCCESS);
}

/* Each changes the storage: a key, a policy, a slice of the budget, the chain's own end. */
static void change(struct provisioned *p, unsigned n)
{
	char id[16] = "";

	(void)snprintf(id, sizeof(id), "k%u", n - n % 5);
	switch (n % 5) {
	case 0:
		assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, id, NULL), TEEC_SUCCESS);
		return;
	case 1:
		set_next_policy(p);
		return;
	case 2:
		assert_int_equal(spend(p, "pm", 16000), TEEC_SUCCESS);
		return;
	case 3:
		assert_int_equal(drop_key(p, id), TEEC_SUCCESS);
		return;
	default:
		assert_int_equal(host_checkpoint(p, true), TEEC_SUCCESS);
		assert_int_equal(raw_digest(p, "d"), TEEC_SUCCESS);
		return;
	}
}

static void begin_history(struct provisioned *p)
{
	const struct policy policy = policy_of(1);

	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "d", NULL), TEEC_SUCCESS);
	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "pm", 1, &policy), TEEC_SUCCESS);
}

static void make_history(struct provisioned *p, unsigned from, unsigned to)
{
	for (unsigned n = from; n < to; n++)
		change(p, n);
}

static void every_older_storage_is_noticed(void **state)
{
	static char copies[HISTORY + 1][TEMP_DIR_MAX];
	struct provisioned *p = *state;

	begin_history(p);
	for (unsigned n = 0; n < HISTORY; n++) {
		take_copy(p, copies[n]);
		change(p, n);
	}
	take_copy(p, copies[HISTORY]);
	for (unsigned n = 0; n < HISTORY; n++) {
		put_back(p, copies[n]);
		assert_int_equal(host_begin(p), SIGNATURE_RESULT);
		/* And nothing is done on it for a host that keeps its log. */
		assert_int_equal(raw_digest(p, "d"), TEEC_ERROR_BAD_STATE);
		assert_int_equal(spend(p, "pm", 1), TEEC_ERROR_BAD_STATE);
		assert_int_equal(host_begin(p), SIGNATURE_RESULT);
	}
	put_back(p, copies[HISTORY]);
	assert_int_equal(host_begin(p), TEEC_SUCCESS);
	assert_int_equal(raw_digest(p, "d"), TEEC_SUCCESS);
	for (unsigned n = 0; n <= HISTORY; n++)
		ta_remove_store(copies[n]);
}

/* The last change alone, by each kind of change. */
static void one_change_taken_back_is_noticed(void **state)
{
	struct provisioned *p = *state;
	char copy[TEMP_DIR_MAX] = "";

	begin_history(p);
	for (unsigned n = 0; n < 5; n++) {
		char later[TEMP_DIR_MAX] = "";

		take_copy(p, copy);
		change(p, n);
		take_copy(p, later);
		put_back(p, copy);
		assert_int_equal(host_begin(p), SIGNATURE_RESULT);
		put_back(p, later);
		assert_int_equal(host_begin(p), TEEC_SUCCESS);
		ta_remove_store(copy);
		ta_remove_store(later);
	}
}

/* So far and no further: with storage and log both put back, or without a log, nobody is left
 * that remembers. Where the storage is not protected against that, the budget begins again. */
static void storage_put_back_where_nobody_kept_a_log_is_not_noticed(void **state)
{
	struct provisioned *p = *state;
	char copy[TEMP_DIR_MAX] = "";

	begin_history(p);
	take_copy(p, copy);
	assert_int_equal(spend(p, "pm", 16000), TEEC_SUCCESS);
	assert_int_equal(spend(p, "pm", 1), OVERFLOW_RESULT);
	put_back(p, copy);
	assert_int_equal(host_begin(p), SIGNATURE_RESULT);
	p->log.kept = false;
	assert_int_equal(spend(p, "pm", 16000), TEEC_SUCCESS);
	p->log.kept = true;
	ta_remove_store(copy);
}

static void storage_put_back_without_a_log_signs_nothing_where_the_audit_is_forced(void **state)
{
	struct provisioned *p = *state;
	char copy[TEMP_DIR_MAX] = "";
	const struct log_tail none = { 0 };

	assert_int_equal(provision(p, SR_TA_PROVISION_DEVELOPMENT | SR_TA_PROVISION_FORCE_AUDIT),
			 TEEC_SUCCESS);
	begin_history(p);
	assert_int_equal(host_checkpoint(p, true), TEEC_SUCCESS);
	take_copy(p, copy);
	make_history(p, 0, 3);
	put_back(p, copy);
	p->log.kept = false;
	assert_int_equal(spend(p, "pm", 1), TEEC_ERROR_EXCESS_DATA);
	p->log.kept = true;
	assert_int_equal(host_begin_with(p, &none, NULL), SIGNATURE_RESULT);
	assert_int_equal(host_begin(p), SIGNATURE_RESULT);
	ta_remove_store(copy);
}

/* ---- the log ------------------------------------------------------------------------------- */

static struct log_tail tail_at(const struct host_log *log, size_t index)
{
	struct log_tail tail = {
		.sequence = log->records[index].sequence,
		.generation = log->records[index].generation,
	};

	memcpy(tail.head, log->records[index].head, sizeof(tail.head));
	return tail;
}

/* Made durable, and known to the storage, with a few records behind. */
static size_t settle_log(struct provisioned *p)
{
	size_t settled = 0;

	begin_history(p);
	make_history(p, 0, 4);
	(void)host_read(p);
	settled = p->log.count - 1;
	assert_int_equal(host_checkpoint(p, true), TEEC_SUCCESS);
	assert_int_equal(raw_digest(p, "d"), TEEC_SUCCESS);
	return settled;
}

static void log_cut_before_what_was_settled_is_noticed(void **state)
{
	struct provisioned *p = *state;
	const size_t settled = settle_log(p);
	struct log_tail tail = { 0 };

	host_reconnect(p);
	for (size_t i = 0; i < settled; i++) {
		tail = tail_at(&p->log, i);
		assert_int_equal(host_begin_with(p, &tail, NULL), SIGNATURE_RESULT);
	}
	assert_int_equal(host_begin(p), TEEC_SUCCESS);
}

static void log_cut_while_the_ta_lives_is_noticed(void **state)
{
	struct provisioned *p = *state;
	const size_t settled = settle_log(p);
	struct log_tail tail = { 0 };

	for (size_t i = 0; i < settled; i++) {
		tail = tail_at(&p->log, i);
		assert_int_equal(host_begin_with(p, &tail, NULL), SIGNATURE_RESULT);
	}
	assert_int_equal(host_begin(p), TEEC_SUCCESS);
}

static void log_replaced_is_noticed(void **state)
{
	struct provisioned *p = *state;
	const size_t settled = settle_log(p);

	for (unsigned alive = 0; alive < 2; alive++) {
		struct log_tail tail = tail_at(&p->log, settled);

		if (!alive)
			host_reconnect(p);
		for (unsigned bit = 0; bit < 256; bit += 15) {
			tail = tail_at(&p->log, settled);
			tail.head[bit / 8] ^= (uint8_t)(1u << (bit % 8));
			assert_int_equal(host_begin_with(p, &tail, NULL), SIGNATURE_RESULT);
		}
		assert_int_equal(host_begin(p), TEEC_SUCCESS);
	}
}

static void log_of_the_future_is_refused(void **state)
{
	struct provisioned *p = *state;
	struct log_tail tail = { 0 };
	uint64_t used_to = 0;

	(void)settle_log(p);
	for (unsigned alive = 0; alive < 2; alive++) {
		used_to = host_read(p).used_to;
		tail = tail_of(&p->log);
		if (!alive)
			host_reconnect(p);
		tail.sequence = used_to + 1;
		assert_int_equal(host_begin_with(p, &tail, NULL), SIGNATURE_RESULT);
		tail = tail_of(&p->log);
		tail.generation = UINT64_MAX;
		assert_int_equal(host_begin_with(p, &tail, NULL), SIGNATURE_RESULT);
		assert_int_equal(host_begin(p), TEEC_SUCCESS);
	}
}

static void empty_log_is_an_old_one_where_the_audit_is_forced(void **state)
{
	struct provisioned *p = *state;
	const struct log_tail none = { 0 };

	assert_int_equal(provision(p, SR_TA_PROVISION_DEVELOPMENT | SR_TA_PROVISION_FORCE_AUDIT),
			 TEEC_SUCCESS);
	(void)settle_log(p);
	assert_int_equal(host_begin_with(p, &none, NULL), SIGNATURE_RESULT);
	host_reconnect(p);
	assert_int_equal(host_begin_with(p, &none, NULL), SIGNATURE_RESULT);
	assert_int_equal(host_begin(p), TEEC_SUCCESS);
}

/* ---- the operator's leave -----------------------------------------------------------------------
 */

static void sign_leave(struct provisioned *p, uint8_t out[static 64])
{
	static struct ta_request statement;
	const struct ta_position at = host_read(p);
	const struct log_tail tail = tail_of(&p->log);

	assert_false(at.begun);
	statement.len = 0;
	put_u64(&statement, at.generation);
	put_u64(&statement, at.next);
	put_u64(&statement, tail.sequence);
	put_u64(&statement, tail.generation);
	put_bytes(&statement, tail.head, sizeof(tail.head));
	put_bytes(&statement, p->log.audit_public, sizeof(p->log.audit_public));
	operator_sign(p, SR_TA_STATEMENT_BEGIN, &statement, out);
}

static void the_operators_leave_goes_on_and_only_once(void **state)
{
	struct provisioned *p = *state;
	char copy[TEMP_DIR_MAX] = "";
	char older[TEMP_DIR_MAX] = "";
	uint8_t leave[64] = { 0 };
	struct log_tail tail = { 0 };

	begin_history(p);
	take_copy(p, older);
	make_history(p, 0, 5);
	take_copy(p, copy);
	make_history(p, 5, 8);
	tail = tail_of(&p->log);
	put_back(p, copy);
	assert_int_equal(host_begin(p), SIGNATURE_RESULT);
	sign_leave(p, leave);
	assert_int_equal(host_begin_with(p, &tail, leave), TEEC_SUCCESS);
	/* The chain goes on behind the log, and from now on all is as it was. */
	assert_true(tail_of(&p->log).sequence > tail.sequence);
	assert_int_equal(p->log.records[p->log.count - 1].command, SR_TA_CMD_BEGIN);
	assert_int_equal(raw_digest(p, "d"), TEEC_SUCCESS);
	host_restart(p);
	/* The same leave for the next time: with the log as it was then, and as it is now. */
	host_reconnect(p);
	assert_int_equal(host_begin_with(p, &tail, leave), SIGNATURE_RESULT);
	tail = tail_of(&p->log);
	assert_int_equal(host_begin_with(p, &tail, leave), SIGNATURE_RESULT);
	put_back(p, copy);
	assert_int_equal(host_begin_with(p, &tail, leave), SIGNATURE_RESULT);
	put_back(p, older);
	assert_int_equal(host_begin_with(p, &tail, leave), SIGNATURE_RESULT);
	ta_remove_store(copy);
	ta_remove_store(older);
}

static void a_leave_that_is_not_the_operators_is_refused(void **state)
{
	struct provisioned *p = *state;
	char copy[TEMP_DIR_MAX] = "";
	uint8_t leave[64] = { 0 };
	struct log_tail tail = { 0 };

	begin_history(p);
	take_copy(p, copy);
	make_history(p, 0, 3);
	tail = tail_of(&p->log);
	put_back(p, copy);
	sign_leave(p, leave);
	for (unsigned i = 0; i < 64; i++) {
		leave[i] ^= (uint8_t)(1u << (i % 8));
		assert_int_equal(host_begin_with(p, &tail, leave), SIGNATURE_RESULT);
		leave[i] ^= (uint8_t)(1u << (i % 8));
	}
	/* For another log. */
	tail.head[31] ^= 1;
	assert_int_equal(host_begin_with(p, &tail, leave), SIGNATURE_RESULT);
	tail.head[31] ^= 1;
	tail.generation++;
	assert_int_equal(host_begin_with(p, &tail, leave), SIGNATURE_RESULT);
	tail.generation--;
	assert_int_equal(host_begin_with(p, &tail, leave), TEEC_SUCCESS);
	ta_remove_store(copy);
}

static void nobody_gives_leave_without_an_operator(void **state)
{
	struct provisioned *p = *state;
	const struct log_tail tail = tail_of(&p->log);
	uint8_t leave[64] = { 0 };

	host_reconnect(p);
	sign_leave(p, leave);
	assert_int_equal(host_begin_with(p, &tail, leave), DENIED);
	memset(leave, 0, sizeof(leave));
	assert_int_equal(host_begin_with(p, &tail, leave), DENIED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, provisioned_setup, provisioned_teardown)
#define ON_BLANK(name) \
	cmocka_unit_test_setup_teardown(name, unprovisioned_setup, provisioned_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_older_storage_is_noticed),
		TEST(one_change_taken_back_is_noticed),
		TEST(storage_put_back_where_nobody_kept_a_log_is_not_noticed),
		ON_BLANK(storage_put_back_without_a_log_signs_nothing_where_the_audit_is_forced),
		TEST(log_cut_before_what_was_settled_is_noticed),
		TEST(log_cut_while_the_ta_lives_is_noticed),
		TEST(log_replaced_is_noticed),
		TEST(log_of_the_future_is_refused),
		ON_BLANK(empty_log_is_an_old_one_where_the_audit_is_forced),
		TEST(the_operators_leave_goes_on_and_only_once),
		TEST(a_leave_that_is_not_the_operators_is_refused),
		ON_BLANK(nobody_gives_leave_without_an_operator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
