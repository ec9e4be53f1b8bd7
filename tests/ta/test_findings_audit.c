/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logs that do not fit the chain: what BEGIN says of them, what CHECKPOINT signs and makes
 * known, and that a caller who may only ask for information does nothing to the records.
 */
#include <string.h>

#include "provisioned_client.h"
#include "tee/sim/sim_test.h"

static struct log_tail tail_at(const struct host_log *log, size_t index)
{
	struct log_tail tail = {
		.sequence = log->records[index].sequence,
		.generation = log->records[index].generation,
	};

	memcpy(tail.head, log->records[index].head, sizeof(tail.head));
	return tail;
}

/* Of digests, under a key that needs no policy. */
static void append_records(struct provisioned *p, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(raw_digest(p, "d"), TEEC_SUCCESS);
}

static void make_signer(struct provisioned *p)
{
	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "d", NULL), TEEC_SUCCESS);
}

/* The index of the last record under a checkpoint that was signed without being told to store. */
static size_t sign_checkpoint(struct provisioned *p)
{
	make_signer(p);
	append_records(p, 5);
	assert_int_equal(host_checkpoint(p, false), TEEC_SUCCESS);
	return p->log.count - 1;
}

/* ---- behind a checkpoint --------------------------------------------------------------------- */

static void log_cut_back_behind_a_signed_checkpoint_is_noticed(void **state)
{
	struct provisioned *p = *state;
	const size_t signed_to = sign_checkpoint(p);
	struct log_tail tail = { 0 };

	append_records(p, 5);
	host_reconnect(p);
	for (size_t i = 0; i < signed_to; i++) {
		tail = tail_at(&p->log, i);
		assert_int_equal(host_begin_with(p, &tail, NULL), SIGNATURE_RESULT);
	}
	assert_int_equal(host_begin(p), TEEC_SUCCESS);
	append_records(p, 1);
}

static void log_replaced_under_a_signed_checkpoint_is_noticed(void **state)
{
	struct provisioned *p = *state;
	const size_t signed_to = sign_checkpoint(p);
	struct log_tail tail = tail_at(&p->log, signed_to);

	append_records(p, 5);
	host_reconnect(p);
	tail.head[0] ^= 1;
	assert_int_equal(host_begin_with(p, &tail, NULL), SIGNATURE_RESULT);
	assert_int_equal(host_begin(p), TEEC_SUCCESS);
}

/* What nothing has signed, a crash may take: the chain goes on from there. */
static void records_behind_the_last_checkpoint_may_be_missing(void **state)
{
	struct provisioned *p = *state;
	const size_t signed_to = sign_checkpoint(p);

	append_records(p, 5);
	p->log.count = signed_to + 3;
	host_restart(p);
	append_records(p, 3);
	p->log.count = signed_to + 4;
	host_restart(p);
	append_records(p, 1);
}

static void signs_no_checkpoint_over_what_the_log_does_not_hold(void **state)
{
	struct provisioned *p = *state;
	struct log_tail before = { 0 };
	size_t whole = 0;

	make_signer(p);
	append_records(p, 6);
	whole = p->log.count;
	for (unsigned store = 0; store < 2; store++) {
		p->log.count = whole - 1;
		before = tail_of(&p->log);
		assert_int_equal(host_checkpoint(p, store), TEEC_ERROR_EXCESS_DATA);
		assert_int_equal(tail_of(&p->log).sequence, before.sequence);
	}
	/* Nor has it counted for durable. */
	p->log.count = whole - 4;
	host_restart(p);
	assert_int_equal(host_checkpoint(p, false), TEEC_SUCCESS);
}

/* ---- records that the TA has no more ------------------------------------------------------------
 */

/* The operator's leave for the instance as it stands: AUDIT_READ takes records along. */
static void sign_leave(struct provisioned *p, const struct log_tail *tail, uint8_t out[static 64])
{
	static struct ta_request statement;
	const bool kept = p->log.kept;
	struct ta_position at = { 0 };

	p->log.kept = false;
	at = host_read(p);
	p->log.kept = kept;
	statement.len = 0;
	put_u64(&statement, at.generation);
	put_u64(&statement, at.next);
	put_u64(&statement, tail->sequence);
	put_u64(&statement, tail->generation);
	put_bytes(&statement, tail->head, sizeof(tail->head));
	put_bytes(&statement, p->log.audit_public, sizeof(p->log.audit_public));
	operator_sign(p, SR_TA_STATEMENT_BEGIN, &statement, out);
}

/* More than the TA has room for, by a host that keeps no log. */
static void lose_records(struct provisioned *p)
{
	p->log.kept = false;
	append_records(p, SR_TA_RING_MAX + 10);
	p->log.kept = true;
}

static void log_that_nothing_can_be_appended_to_is_refused_by_a_running_ta(void **state)
{
	struct provisioned *p = *state;

	make_signer(p);
	append_records(p, 2);
	assert_int_equal(host_begin(p), TEEC_SUCCESS);
	lose_records(p);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(host_begin(p), SIGNATURE_RESULT);
}

static void the_operators_leave_begins_anew_in_a_running_ta_and_only_once(void **state)
{
	struct provisioned *p = *state;
	uint8_t leave[64] = { 0 };
	struct log_tail tail = { 0 };
	const struct audit_record *record = NULL;
	size_t begun_at = 0;

	make_signer(p);
	append_records(p, 2);
	tail = tail_of(&p->log);
	begun_at = p->log.count;
	lose_records(p);
	assert_int_equal(host_begin(p), SIGNATURE_RESULT);
	sign_leave(p, &tail, leave);
	leave[0] ^= 1;
	assert_int_equal(host_begin_with(p, &tail, leave), SIGNATURE_RESULT);
	leave[0] ^= 1;
	assert_int_equal(host_begin_with(p, &tail, leave), TEEC_SUCCESS);
	assert_int_equal(p->log.count, begun_at + 1);
	record = &p->log.records[begun_at];
	assert_int_equal(record->command, SR_TA_CMD_BEGIN);
	assert_int_equal(record->policy_version, 1);
	assert_true(record->sequence > tail.sequence + SR_TA_RING_MAX);
	append_records(p, 3);
	/* The same leave for the next gap, and for the next instance. */
	assert_int_equal(host_begin_with(p, &tail, leave), SIGNATURE_RESULT);
	lose_records(p);
	assert_int_equal(host_begin_with(p, &tail, leave), SIGNATURE_RESULT);
	host_reconnect(p);
	assert_int_equal(host_begin_with(p, &tail, leave), SIGNATURE_RESULT);
	assert_int_equal(host_begin(p), TEEC_SUCCESS);
	append_records(p, 1);
}

/* An auditor sees by the record that somebody gave leave. */
static void a_beginning_without_leave_is_not_marked(void **state)
{
	struct provisioned *p = *state;

	make_signer(p);
	host_restart(p);
	assert_recorded(p, SR_TA_CMD_BEGIN, TEEC_SUCCESS);
	assert_int_equal(last_record(p)->policy_version, 0);
}

/* ---- GET_INFO of a stranger
 * ------------------------------------------------------------------------ */

static uint32_t login;
static uint8_t group;

static void pose(uint32_t *out, uint8_t uuid[16])
{
	*out = login;
	memset(uuid, 0, 16);
	uuid[0] = group;
}

static void pose_as(uint32_t kind, uint8_t first)
{
	login = kind;
	group = first;
	sim_client_hook = pose;
}

static void get_info(struct ta_client *stranger, uint64_t audited, struct ta_response *out)
{
	static struct ta_request request;

	begin(&request);
	for (unsigned i = 0; i < 8; i++)
		request.data[1 + i] = (uint8_t)(audited >> (8 * i));
	assert_int_equal(call(stranger, SR_TA_CMD_GET_INFO, &request, out), TEEC_SUCCESS);
	/* No record behind. */
	assert_int_equal(out->data[out->len - 2] | out->data[out->len - 1], 0);
}

static void a_stranger_neither_takes_records_nor_sees_any(void **state)
{
	static const uint64_t claims[] = { 0, 1, 5, 4096, 4097, 1000000, UINT64_MAX - 1 };
	static struct ta_response response;
	const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;
	struct provisioned *p = *state;
	TEEC_Session owner = { 0 };
	TEEC_Session stranger = { 0 };
	size_t before = 0;
	uint64_t last = 0;

	assert_int_equal(provision(p, 0), TEEC_SUCCESS);
	pose_as(TEEC_LOGIN_GROUP, 0x6a);
	host_restart(p);
	make_signer(p);
	append_records(p, 3);
	before = p->log.count;
	last = tail_of(&p->log).sequence + 3;
	/* Three records that nobody has taken yet. */
	p->log.kept = false;
	append_records(p, 3);
	p->log.kept = true;
	pose_as(TEEC_LOGIN_USER, 0x6a);
	assert_int_equal(p->ta.api.open_session(&p->ta.context, &stranger, &uuid, TEEC_LOGIN_PUBLIC,
						NULL, NULL, NULL),
			 TEEC_SUCCESS);
	owner = p->ta.session;
	p->ta.session = stranger;
	for (size_t i = 0; i < SR_ARRAY_LEN(claims); i++)
		get_info(&p->ta, claims[i], &response);
	get_info(&p->ta, last, &response);
	get_info(&p->ta, last + 1, &response);
	assert_int_equal(host_checkpoint(p, false), DENIED);
	p->ta.session = owner;
	p->ta.api.close_session(&stranger);
	(void)host_read(p);
	assert_int_equal(p->log.count, before + 3);
	assert_int_equal(host_checkpoint(p, false), TEEC_SUCCESS);
}

static int tear_down(void **state)
{
	sim_client_hook = NULL;
	return provisioned_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, provisioned_setup, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(log_cut_back_behind_a_signed_checkpoint_is_noticed),
		TEST(log_replaced_under_a_signed_checkpoint_is_noticed),
		TEST(records_behind_the_last_checkpoint_may_be_missing),
		TEST(signs_no_checkpoint_over_what_the_log_does_not_hold),
		TEST(log_that_nothing_can_be_appended_to_is_refused_by_a_running_ta),
		TEST(the_operators_leave_begins_anew_in_a_running_ta_and_only_once),
		TEST(a_beginning_without_leave_is_not_marked),
		cmocka_unit_test_setup_teardown(a_stranger_neither_takes_records_nor_sees_any,
						unprovisioned_setup, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
