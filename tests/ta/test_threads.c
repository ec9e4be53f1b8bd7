/* SPDX-License-Identifier: Apache-2.0 */
/* Several sessions at once, as the signer's threads have them. */
#include "ta_client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tee/sim/sim_test.h"

#define THREADS 4
#define ROUNDS 40

static const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;

struct worker {
	struct ta_client client;
	unsigned number;
	struct key_info key;
	atomic_uint *failures;
	pthread_t thread;
};

static void expect(struct worker *w, bool good)
{
	/* cmocka's assertions belong to the main thread. */
	if (!good)
		atomic_fetch_add(w->failures, 1);
}

static void *sign_in_a_session_of_its_own(void *arg)
{
	struct worker *w = arg;
	struct ta_client *c = &w->client;
	char own[16] = "";

	(void)snprintf(own, sizeof(own), "own-%u", w->number);
	expect(w, c->api.open_session(&c->context, &c->session, &uuid, TEEC_LOGIN_PUBLIC, NULL,
				      NULL, NULL) == TEEC_SUCCESS);
	/* A multiple of 8, which leaves no key behind. */
	for (unsigned i = 0; i < 7 + ta_rounds(33); i++) {
		const uint8_t digest[32] = { (uint8_t)w->number, (uint8_t)i };
		uint8_t signature[65] = { 0 };

		expect(w, sign_digest(c, "ec", digest, signature) == TEEC_SUCCESS);
		expect(w, secp256k1_signature_good(w->key.public_key, digest, signature));
		if (i % 8 == 0)
			expect(w, generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, own, NULL) ==
					  TEEC_SUCCESS);
		if (i % 8 == 4)
			expect(w, delete_key(c, own) == TEEC_SUCCESS);
	}
	c->api.close_session(&c->session);
	return NULL;
}

static void four_sessions_sign_and_make_keys_at_once(void **state)
{
	static struct worker workers[THREADS];
	struct ta_client *c = *state;
	struct key_info key = { 0 };
	atomic_uint failures = 0;

	fill_keys(c);
	assert_int_equal(get_key(c, "ec", &key), TEEC_SUCCESS);
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){
			.client = *c, .number = i, .key = key, .failures = &failures
		};
		workers[i].client.memory = (TEEC_SharedMemory){ 0 };
		assert_int_equal(pthread_create(&workers[i].thread, NULL,
						sign_in_a_session_of_its_own, &workers[i]),
				 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	assert_int_equal(failures, 0);
	assert_int_equal(count_keys(c), FILLED_KEYS);
}

/* The panic that is to come may meet any call, this one, too. */
static TEEC_Result open_again(struct ta_client *c)
{
	TEEC_Result result = TEEC_ERROR_TARGET_DEAD;

	while (result == TEEC_ERROR_TARGET_DEAD)
		result = c->api.open_session(&c->context, &c->session, &uuid, TEEC_LOGIN_PUBLIC,
					     NULL, NULL, NULL);
	return result;
}

/* Signs until told to stop, opening a session anew whenever the TA has died. */
static void *survive(void *arg)
{
	struct worker *w = arg;
	struct ta_client *c = &w->client;
	unsigned signatures = 0;

	expect(w, open_again(c) == TEEC_SUCCESS);
	while (signatures < ROUNDS) {
		const uint8_t digest[32] = { (uint8_t)w->number, (uint8_t)signatures };
		uint8_t signature[65] = { 0 };
		const TEEC_Result result = sign_digest(c, "ec", digest, signature);

		expect(w, result == TEEC_SUCCESS || result == TEEC_ERROR_TARGET_DEAD);
		signatures += result == TEEC_SUCCESS;
		if (result != TEEC_ERROR_TARGET_DEAD)
			continue;
		c->api.close_session(&c->session);
		expect(w, open_again(c) == TEEC_SUCCESS);
	}
	c->api.close_session(&c->session);
	return NULL;
}

static void sessions_come_back_after_panics(void **state)
{
	const struct timespec pause = { .tv_nsec = 500000 };
	static struct worker workers[THREADS];
	struct ta_client *c = *state;
	atomic_uint failures = 0;

	fill_keys(c);
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ .client = *c, .number = i, .failures = &failures };
		assert_int_equal(pthread_create(&workers[i].thread, NULL, survive, &workers[i]), 0);
	}
	for (unsigned i = 0; i < 20; i++) {
		sim_test_panic_after(1 + i % 7);
		(void)nanosleep(&pause, NULL);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	sim_test_panic_after(0);
	assert_int_equal(failures, 0);
	c->api.close_session(&c->session);
	assert_int_equal(c->api.open_session(&c->context, &c->session, &uuid, TEEC_LOGIN_PUBLIC,
					     NULL, NULL, NULL),
			 TEEC_SUCCESS);
	assert_int_equal(count_keys(c), FILLED_KEYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(four_sessions_sign_and_make_keys_at_once, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(sessions_come_back_after_panics, ta_setup,
						ta_teardown),
	};

	const struct ta_left_out left_out[] = {
		{ "sessions_come_back_after_panics", "it changes what the simulator does" },
		{ 0 },
	};

	return ta_run_tests(tests, SR_ARRAY_LEN(tests), left_out);
}
