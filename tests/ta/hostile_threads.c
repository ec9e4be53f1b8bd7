/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hostile client and time: requests that change under the TA, sessions at once, sessions that
 * are closed while they are used. Threads assert nothing; they tell.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hostile_case.h"

#define THREADS 4
#define TURNS 24  /* calls of a request that is being rewritten */
#define ROUNDS 12 /* calls of each of several sessions */

static const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;

/* ---- rewritten ------------------------------------------------------------------ */

struct rewriter {
	pthread_t thread;
	volatile uint8_t *at;
	size_t len;
	atomic_bool stop;
};

/* A race by intention: that is what a hostile normal world does. */
__attribute__((no_sanitize("thread"))) static void *rewrite(void *arg)
{
	struct rewriter *r = arg;

	while (!atomic_load_explicit(&r->stop, memory_order_relaxed)) {
		for (size_t i = 0; i < r->len; i++)
			r->at[i] ^= 0xff;
	}
	return NULL;
}

enum region { FRAME, HEAD, REST, REGIONS };
#define HEAD_MAX 24

static void choose_region(struct rewriter *r, struct ta_request *request, enum region region)
{
	const size_t head = request->len - FRAMING < HEAD_MAX ? request->len - FRAMING : HEAD_MAX;
	const size_t from[] = { 0, FRAMING, FRAMING + head };
	const size_t len[] = { FRAMING, head, request->len - FRAMING - head };

	r->at = request->data + from[region];
	r->len = len[region];
}

static bool has_region(const struct ta_request *request, enum region region)
{
	return region == FRAME || request->len > FRAMING + (region == REST ? HEAD_MAX : 0u);
}

static void rewritten(struct world *w, const struct hostile_case *k)
{
	static struct ta_request request;
	static struct answer answer;
	struct rewriter r = { 0 };
	unsigned undocumented = 0;

	request.len = 0;
	put_bytes(&request, w->valid[k->command].data, w->valid[k->command].len);
	if (!has_region(&request, (enum region)k->variant))
		return;
	choose_region(&r, &request, (enum region)k->variant);
	assert_int_equal(pthread_create(&r.thread, NULL, rewrite, &r), 0);
	for (unsigned i = 0; i < TURNS; i++) {
		send_raw(&w->p->ta, &w->p->ta.session, k->command, &request, ROOM, &answer);
		undocumented += !documented(&answer);
	}
	atomic_store(&r.stop, true);
	pthread_join(r.thread, NULL);
	assert_int_equal(undocumented, 0);
}

static void add_rewritten(void)
{
	static const char *const what[REGIONS] = { "its framing rewritten during the call",
						   "its first fields rewritten during the call",
						   "its last fields rewritten during the call" };
	struct hostile_case k = {
		.world = WORLD_OPERATED, .run = rewritten, .changes = true, .simulated = true
	};

	for (k.command = 0; k.command < SR_TA_COMMANDS; k.command++) {
		k.ends = alters(k.command);
		for (k.variant = 0; k.variant < REGIONS; k.variant++)
			add_case(&k, what[k.variant]);
	}
}

/* ---- at once ----------------------------------------------------------------------------------
 */

struct caller {
	pthread_t thread;
	struct world *world;
	uint32_t command; /* SR_TA_COMMANDS: all of them, one after the other */
	unsigned number;
	unsigned undocumented;
	struct answer answer;
};

static void call_once(struct caller *c, TEEC_Session *session, unsigned round)
{
	const uint32_t command =
		c->command < SR_TA_COMMANDS ? c->command : (round + 5 * c->number) % SR_TA_COMMANDS;

	send_raw(&c->world->p->ta, session, command, &c->world->valid[command], ROOM, &c->answer);
	c->undocumented += !documented(&c->answer);
}

static void *call_in_a_session_of_its_own(void *arg)
{
	struct caller *c = arg;
	struct ta_client *client = &c->world->p->ta;
	const unsigned rounds = c->command < SR_TA_COMMANDS ? ROUNDS : 2 * SR_TA_COMMANDS;
	TEEC_Session session = { 0 };

	if (client->api.open_session(&client->context, &session, &uuid, TEEC_LOGIN_PUBLIC, NULL,
				     NULL, NULL) != TEEC_SUCCESS) {
		c->undocumented++;
		return NULL;
	}
	for (unsigned i = 0; i < rounds; i++)
		call_once(c, &session, i);
	client->api.close_session(&session);
	return NULL;
}

static void at_once(struct world *w, const struct hostile_case *k)
{
	static struct caller callers[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		callers[i] =
			(struct caller){ .world = w, .command = (uint32_t)k->variant, .number = i };
		assert_int_equal(pthread_create(&callers[i].thread, NULL,
						call_in_a_session_of_its_own, &callers[i]),
				 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(callers[i].thread, NULL);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(callers[i].undocumented, 0);
}

static void add_at_once(void)
{
	struct hostile_case k = { .run = at_once, .changes = true };

	for (k.world = WORLD_BLANK; k.world <= WORLD_OPERATED; k.world++) {
		for (k.command = 0; k.command < SR_TA_COMMANDS; k.command++) {
			k.variant = k.command;
			k.ends = alters(k.command);
			k.simulated = k.command == SR_TA_CMD_PROVISION;
			add_case(&k, "by four sessions at once");
		}
		k.variant = SR_TA_COMMANDS;
		k.command = SR_TA_CMD_BEGIN;
		k.simulated = true;
		k.ends = true;
		add_case(&k, "and all others by four sessions at once");
	}
}

/* ---- closed in use ------------------------------------------------------------------------------
 */

struct closing {
	pthread_t thread;
	struct world *world;
	uint32_t command;
	TEEC_Session session;
	atomic_bool stop;
	unsigned calls;
	unsigned undocumented;
	unsigned refused;
	struct answer answer;
};

static bool refused(const struct answer *a)
{
	return a->result == TEEC_ERROR_BAD_PARAMETERS && a->origin == TEEC_ORIGIN_COMMS;
}

static void *call_on(void *arg)
{
	struct closing *c = arg;

	/* Until the session is no more. */
	while (!c->refused && !atomic_load(&c->stop)) {
		send_raw(&c->world->p->ta, &c->session, c->command, &c->world->valid[c->command],
			 ROOM, &c->answer);
		c->calls++;
		c->refused += refused(&c->answer);
		c->undocumented += !refused(&c->answer) && !documented(&c->answer);
	}
	return NULL;
}

static void closed_in_use(struct world *w, const struct hostile_case *k)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	const struct timespec within = { .tv_nsec = 200000000 };
	struct ta_client *client = &w->p->ta;
	static struct closing c;
	TEEC_Session session = { 0 };

	c = (struct closing){ .world = w, .command = k->command };
	assert_int_equal(client->api.open_session(&client->context, &session, &uuid,
						  TEEC_LOGIN_PUBLIC, NULL, NULL, NULL),
			 TEEC_SUCCESS);
	c.session = session;
	assert_int_equal(pthread_create(&c.thread, NULL, call_on, &c), 0);
	(void)nanosleep(&pause, NULL);
	client->api.close_session(&session);
	for (unsigned i = 0; i < 20 && !c.refused; i++)
		(void)nanosleep(&pause, NULL);
	if (!c.refused)
		(void)nanosleep(&within, NULL);
	atomic_store(&c.stop, true);
	pthread_join(c.thread, NULL);
	assert_int_equal(c.undocumented, 0);
	assert_int_equal(c.refused, 1);
	assert_true(c.calls > 0);
}

static void add_closed_in_use(void)
{
	struct hostile_case k = {
		.world = WORLD_OPERATED, .run = closed_in_use, .changes = true, .simulated = true
	};

	for (k.command = 0; k.command < SR_TA_COMMANDS; k.command++) {
		k.ends = alters(k.command);
		add_case(&k, "its session closed while it is in use");
	}
}

void add_thread_cases(void)
{
	add_rewritten();
	add_at_once();
	add_closed_in_use();
}
