/* SPDX-License-Identifier: Apache-2.0 */
/* The hostile client and order: what is not to be called yet, any more, or by it. */
#include <stdio.h>
#include <string.h>

#include "hostile_case.h"
#include "tee/sim/sim_test.h"

static const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;
static struct ta_request request;
static struct answer answer;

static const struct ta_request *take(struct world *w, const struct hostile_case *k)
{
	request.len = 0;
	put_bytes(&request, w->valid[k->command].data, w->valid[k->command].len);
	return &request;
}

static void open_session(struct world *w, TEEC_Session *session)
{
	struct ta_client *c = &w->p->ta;

	assert_int_equal(c->api.open_session(&c->context, session, &uuid, TEEC_LOGIN_PUBLIC, NULL,
					     NULL, NULL),
			 TEEC_SUCCESS);
}

static void close_session(struct world *w, TEEC_Session *session)
{
	w->p->ta.api.close_session(session);
}

static void reopen(struct world *w)
{
	close_session(w, &w->p->ta.session);
	open_session(w, &w->p->ta.session);
}

static void assert_answer(TEEC_Result result, uint32_t origin)
{
	assert_int_equal(answer.result, result);
	assert_int_equal(answer.origin, origin);
}

/* ---- not yet -------------------------------------------------------------------- */

/* A host that keeps a log has to say where it ends, before anything is added to it. */
static void before_begin(struct world *w, const struct hostile_case *k)
{
	ta_disconnect(&w->p->ta);
	ta_connect(&w->p->ta);
	(void)take(w, k);
	memset(request.data + 1, 0, 8);
	(void)expect_error(w, k->command, &request, ROOM, TEEC_ERROR_BAD_STATE);
}

static void add_before_begin(void)
{
	struct hostile_case k = { .run = before_begin, .changes = true, .simulated = true };

	for (k.command = 0; k.command < SR_TA_COMMANDS; k.command++) {
		for (k.world = WORLD_BLANK; appends(k.command) && k.world <= WORLD_OPERATED;
		     k.world++)
			add_case(&k, "with a log, before BEGIN");
	}
}

/* ---- not any more
 * -------------------------------------------------------------------------------- */

/* The instance dies: nothing answers until a session is opened, and the old ones never. */
static void after_a_panic(struct world *w, const struct hostile_case *k)
{
	TEEC_Session other = { 0 };

	open_session(w, &other);
	sim_test_panic_after(1);
	send_raw(&w->p->ta, &w->p->ta.session, SR_TA_CMD_ATTEST, &w->valid[SR_TA_CMD_ATTEST], ROOM,
		 &answer);
	assert_answer(TEEC_ERROR_TARGET_DEAD, TEEC_ORIGIN_TEE);
	send_raw(&w->p->ta, &w->p->ta.session, k->command, take(w, k), ROOM, &answer);
	assert_answer(TEEC_ERROR_TARGET_DEAD, TEEC_ORIGIN_TEE);
	reopen(w);
	send_raw(&w->p->ta, &other, k->command, &request, ROOM, &answer);
	assert_answer(TEEC_ERROR_TARGET_DEAD, TEEC_ORIGIN_TEE);
	close_session(w, &other);
}

static void in_a_closed_session(struct world *w, const struct hostile_case *k)
{
	TEEC_Session other = { 0 };
	TEEC_Session later = { 0 };

	open_session(w, &other);
	close_session(w, &other);
	send_raw(&w->p->ta, &other, k->command, take(w, k), ROOM, &answer);
	assert_answer(TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_COMMS);
	/* Nor when another has got its place. */
	open_session(w, &later);
	send_raw(&w->p->ta, &other, k->command, take(w, k), ROOM, &answer);
	assert_answer(TEEC_ERROR_BAD_PARAMETERS, TEEC_ORIGIN_COMMS);
	close_session(w, &later);
}

static void add_gone(void)
{
	struct hostile_case k = { .world = WORLD_OPERATED, .simulated = true };

	for (k.command = 0; k.command < SR_TA_COMMANDS; k.command++) {
		k.run = after_a_panic;
		k.changes = true;
		add_case(&k, "after a panic");
		k.run = in_a_closed_session;
		k.changes = false;
		add_case(&k, "in a closed session");
	}
}

/* ---- by nobody whom it knows
 * ------------------------------------------------------------------------ */

static const struct stranger strangers[] = {
	{ "a public caller", TEEC_LOGIN_PUBLIC, { 0 } },
	{ "a public caller with the group's UUID",
	  TEEC_LOGIN_PUBLIC,
	  { 0x67, 0x72, 0x6f, 0x75, 0x70 } },
	{ "a user with the group's UUID", TEEC_LOGIN_USER, { 0x67, 0x72, 0x6f, 0x75, 0x70 } },
	{ "another group", TEEC_LOGIN_GROUP, { 0x67, 0x72, 0x6f, 0x75, 0x71 } },
	{ "a group whose UUID differs in its last bit",
	  TEEC_LOGIN_GROUP,
	  { 0x67, 0x72, 0x6f, 0x75, 0x70, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } },
	{ "a group without a UUID", TEEC_LOGIN_GROUP, { 0 } },
	{ "a login of the kernel's", 0x80000000, { 0x67, 0x72, 0x6f, 0x75, 0x70 } },
};

static void by_a_stranger(struct world *w, const struct hostile_case *k)
{
	const TEEC_Session own = w->p->ta.session;

	set_stranger(&strangers[k->variant]);
	open_session(w, &w->p->ta.session);
	set_stranger(NULL);
	if (k->command == SR_TA_CMD_GET_INFO) {
		send_raw(&w->p->ta, &w->p->ta.session, k->command, take(w, k), ROOM, &answer);
		assert_answer(TEEC_SUCCESS, TEEC_ORIGIN_TRUSTED_APP);
	} else {
		(void)expect_error(w, k->command, take(w, k), ROOM, TEEC_ERROR_ACCESS_DENIED);
		/* Nor is it told what would be wrong with the request. */
		request.len = FRAMING;
		(void)expect_error(w, k->command, &request, ROOM, TEEC_ERROR_ACCESS_DENIED);
	}
	close_session(w, &w->p->ta.session);
	w->p->ta.session = own;
}

static void add_strangers(void)
{
	struct hostile_case k = { .world = WORLD_SERVICE, .run = by_a_stranger, .simulated = true };

	for (k.command = 0; k.command < SR_TA_COMMANDS; k.command++) {
		for (k.variant = 0; k.variant < SR_ARRAY_LEN(strangers); k.variant++)
			add_case(&k, strangers[k.variant].name);
	}
}

/* ---- without the log that it is to be in
 * ---------------------------------------------------------------- */

static void without_a_log(struct world *w, const struct hostile_case *k)
{
	(void)expect_error(w, k->command, take(w, k), ROOM, TEEC_ERROR_EXCESS_DATA);
}

/* A host that reads no records: the TA keeps so many, and then does nothing more. */
static void with_a_log_that_takes_nothing(struct world *w, const struct hostile_case *k)
{
	static struct ta_request digests;

	begin_digests(&digests, "ec", SR_TA_BATCH_MAX);
	(void)host_read(w->p);
	for (unsigned i = 0; i < 8; i++)
		digests.data[1 + i] = (uint8_t)(tail_of(&w->p->log).sequence >> (8 * i));
	for (unsigned kept = 0; kept < SR_TA_RING_MAX; kept += SR_TA_BATCH_MAX) {
		send_raw(&w->p->ta, &w->p->ta.session, SR_TA_CMD_SIGN_MESSAGE, &digests, ROOM,
			 &answer);
		assert_answer(TEEC_SUCCESS, TEEC_ORIGIN_TRUSTED_APP);
	}
	(void)take(w, k);
	memcpy(request.data + 1, digests.data + 1, 8);
	(void)expect_error(w, k->command, &request, ROOM, TEEC_ERROR_EXCESS_DATA);
}

static void add_forced(void)
{
	struct hostile_case k = { .world = WORLD_FORCED, .simulated = true };

	for (k.command = 0; k.command < SR_TA_COMMANDS; k.command++) {
		if (!appends(k.command))
			continue;
		k.run = without_a_log;
		k.changes = false;
		add_case(&k, "without a log");
		/* A checkpoint is no record. */
		if (k.command == SR_TA_CMD_CHECKPOINT)
			continue;
		k.run = with_a_log_that_takes_nothing;
		k.changes = true;
		add_case(&k, "with a log that takes no record");
	}
}

/* ---- what PROVISION decides, it decides at once
 * --------------------------------------------------------------- */

static void provision_binds_who_is_there(struct world *w, const struct hostile_case *k)
{
	const TEEC_Session own = w->p->ta.session;

	assert_int_equal(provision(w->p, 0), TEEC_SUCCESS);
	(void)expect_error(w, k->command, take(w, k), ROOM, TEEC_ERROR_ACCESS_DENIED);
	/* Over and over, and in a session that is opened now. */
	open_session(w, &w->p->ta.session);
	(void)expect_error(w, k->command, take(w, k), ROOM, TEEC_ERROR_ACCESS_DENIED);
	close_session(w, &w->p->ta.session);
	w->p->ta.session = own;
}

static void add_bound(void)
{
	struct hostile_case k = { .world = WORLD_BLANK,
				  .run = provision_binds_who_is_there,
				  .locked_out = true,
				  .changes = true,
				  .ends = true,
				  .simulated = true };

	for (k.command = 0; k.command < SR_TA_COMMANDS; k.command++) {
		if (k.command != SR_TA_CMD_GET_INFO)
			add_case(&k, "in a session from before PROVISION shut it out");
	}
}

void add_order_cases(void)
{
	add_before_begin();
	add_gone();
	add_strangers();
	add_forced();
	add_bound();
}
