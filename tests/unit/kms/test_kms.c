/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The KMS over the simulator. Faults are injected between the KMS and the TEE's
 * client API, so that everything else is what runs in production.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kms/kms.h"
#include "temp_dir.h"

static struct tee_api real_api;
static char store_dir[TEMP_DIR_MAX];

/* ---- faults -------------------------------------------------------------- */

static atomic_int fail_invocations; /* how many of the next ones fail */
static _Atomic TEEC_Result fail_with;
static atomic_int fail_opens;
static atomic_int opened;
static atomic_int closed;
static atomic_int invoked;

static TEEC_Result faulty_invoke(TEEC_Session *session, uint32_t command, TEEC_Operation *operation,
				 uint32_t *origin)
{
	atomic_fetch_add(&invoked, 1);
	if (atomic_load(&fail_invocations) > 0) {
		atomic_fetch_sub(&fail_invocations, 1);
		*origin = TEEC_ORIGIN_TEE;
		return atomic_load(&fail_with);
	}
	return real_api.invoke_command(session, command, operation, origin);
}

static TEEC_Result faulty_open(TEEC_Context *context, TEEC_Session *session,
			       const TEEC_UUID *destination, uint32_t method, const void *data,
			       TEEC_Operation *operation, uint32_t *origin)
{
	if (atomic_load(&fail_opens) > 0) {
		atomic_fetch_sub(&fail_opens, 1);
		*origin = TEEC_ORIGIN_TEE;
		return TEEC_ERROR_COMMUNICATION;
	}
	atomic_fetch_add(&opened, 1);
	return real_api.open_session(context, session, destination, method, data, operation,
				     origin);
}

static void counting_close(TEEC_Session *session)
{
	atomic_fetch_add(&closed, 1);
	real_api.close_session(session);
}

/* ---- shared memory --------------------------------------------------------- */

static atomic_int allocations;
static atomic_int strewn; /* calls whose request does not stand right behind the response */

static TEEC_Result counting_allocate(TEEC_Context *context, TEEC_SharedMemory *memory)
{
	atomic_fetch_add(&allocations, 1);
	return real_api.allocate_shared_memory(context, memory);
}

static TEEC_Result inspecting_invoke(TEEC_Session *session, uint32_t command,
				     TEEC_Operation *operation, uint32_t *origin)
{
	const TEEC_RegisteredMemoryReference *in = &operation->params[0].memref;
	const TEEC_RegisteredMemoryReference *out = &operation->params[1].memref;

	if (operation->paramTypes != TEEC_PARAM_TYPES(TEEC_MEMREF_PARTIAL_INPUT,
						      TEEC_MEMREF_PARTIAL_OUTPUT, TEEC_NONE,
						      TEEC_NONE) ||
	    in->parent != out->parent || in->offset != out->offset + out->size)
		atomic_fetch_add(&strewn, 1);
	return faulty_invoke(session, command, operation, origin);
}

/* ---- fixture -------------------------------------------------------------- */

static struct kms_config config_with(unsigned pool, unsigned batch, unsigned retries)
{
	struct kms_config c = { .api = real_api,
				.ta_uuid = SUPER_RELAY_TA_UUID,
				.pool_size = pool,
				.batch_size = batch,
				.min_batch = 1,
				.max_retries = retries,
				.queue_limit = 10000 };

	c.api.invoke_command = faulty_invoke;
	c.api.open_session = faulty_open;
	c.api.close_session = counting_close;
	return c;
}

static struct kms *open_kms(const struct kms_config *config)
{
	struct sr_error err = { .code = SR_OK };
	struct kms *kms = NULL;

	if (!kms_open(config, &kms, &err))
		fail_msg("kms_open: %s", err.message);
	return kms;
}

static void make_key(struct kms *kms, const char *id)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_key key;

	if (!kms_generate_key(kms, id, SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, &key, &err) &&
	    err.code != SR_E_EXISTS)
		fail_msg("generate %s: %s", id, err.message);
}

static int reset(void **state)
{
	(void)state;
	atomic_store(&fail_invocations, 0);
	atomic_store(&fail_opens, 0);
	atomic_store(&opened, 0);
	atomic_store(&closed, 0);
	atomic_store(&invoked, 0);
	return 0;
}

static int make_store(void **state)
{
	struct sr_error err = { .code = SR_OK };

	(void)state;
	if (!make_temp_dir(store_dir))
		return -1;
	if (!tee_load_simulator(store_dir, &real_api, &err)) {
		fprintf(stderr, "%s\n", err.message);
		return -1;
	}
	return 0;
}

static int remove_store(void **state)
{
	(void)state;
	return remove_temp_dir(store_dir);
}

/* ---- signing requests ------------------------------------------------------ */

struct waiter {
	struct kms_request request;
	atomic_int done;
};

static atomic_int finished;

static void on_done(struct kms_request *request)
{
	struct waiter *w = (struct waiter *)request;

	atomic_fetch_add(&w->done, 1);
	atomic_fetch_add(&finished, 1);
}

static void fill(struct waiter *w, const char *key_id, unsigned salt)
{
	memset(w, 0, sizeof(*w));
	snprintf(w->request.key_id, sizeof(w->request.key_id), "%s", key_id);
	w->request.sponsorship.scheme = ETH_SCHEME_VERIFYING_PAYMASTER_V07;
	w->request.sponsorship.chain_id = 31337;
	memset(&w->request.sponsorship.entry_point, 1, 20);
	memset(&w->request.sponsorship.paymaster, 2, 20);
	w->request.sponsorship.nonce[31] = (uint8_t)salt;
	w->request.sponsorship.nonce[30] = (uint8_t)(salt >> 8);
	w->request.sponsorship.valid_until = 2000000000;
	w->request.sponsorship.valid_after = 1;
	w->request.done = on_done;
}

static void wait_for(atomic_int *value, int wanted)
{
	for (int i = 0; i < 20000 && atomic_load(value) < wanted; i++)
		usleep(1000);
	assert_int_equal(atomic_load(value), wanted);
}

static void submit(struct kms *kms, struct waiter *w)
{
	struct sr_error err = { .code = SR_OK };

	if (!kms_sign_sponsorship(kms, &w->request, &err))
		fail_msg("submit: %s", err.message);
}

static void assert_signed(const struct waiter *w)
{
	uint8_t digest[32];

	assert_int_equal(atomic_load(&w->done), 1);
	assert_int_equal(w->request.result.error.code, SR_OK);
	eth_verifying_paymaster_v07_digest(&w->request.sponsorship, digest);
	assert_memory_equal(digest, w->request.result.digest, 32);
}

/* ---- tests ------------------------------------------------------------------ */

static void a_lone_request_is_signed_at_once(void **state)
{
	struct kms_config c = config_with(2, 16, 0);
	struct kms *kms = open_kms(&c);
	struct waiter w;

	(void)state;
	make_key(kms, "lone");
	fill(&w, "lone", 1);
	submit(kms, &w);
	wait_for(&w.done, 1);
	assert_signed(&w);
	kms_close(kms, 0);
}

static void what_queues_goes_out_as_batches_in_order(void **state)
{
	enum { COUNT = 500 };
	static struct waiter w[COUNT];
	struct kms_config c = config_with(2, 16, 0);
	struct kms *kms = open_kms(&c);
	int before = 0;

	(void)state;
	make_key(kms, "batch");
	before = atomic_load(&invoked);
	atomic_store(&finished, 0);
	for (unsigned i = 0; i < COUNT; i++) {
		fill(&w[i], "batch", i);
		submit(kms, &w[i]);
	}
	wait_for(&finished, COUNT);
	for (unsigned i = 0; i < COUNT; i++)
		assert_signed(&w[i]);
	/* far fewer invocations than signatures, and none over the batch size */
	assert_in_range(atomic_load(&invoked) - before, COUNT / 16, COUNT / 2);
	assert_int_equal(kms_queue_depth(kms), 0);
	kms_close(kms, 0);
}

static void keys_do_not_mix_within_a_batch(void **state)
{
	enum { COUNT = 60 };
	static struct waiter w[COUNT];
	struct kms_config c = config_with(1, 64, 0);
	struct kms *kms = open_kms(&c);

	(void)state;
	make_key(kms, "mix-a");
	make_key(kms, "mix-b");
	atomic_store(&finished, 0);
	for (unsigned i = 0; i < COUNT; i++) {
		fill(&w[i], i % 3 == 0 ? "mix-none" : i % 3 == 1 ? "mix-a" : "mix-b", i);
		submit(kms, &w[i]);
	}
	wait_for(&finished, COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		if (i % 3 == 0)
			assert_int_equal(w[i].request.result.error.code, SR_E_NOT_FOUND);
		else
			assert_signed(&w[i]);
	}
	kms_close(kms, 0);
}

static void a_minimum_batch_waits_no_longer_than_its_bound(void **state)
{
	struct kms_config c = config_with(1, 16, 0);
	struct kms *kms = NULL;
	struct waiter w;
	uint64_t started = 0;

	(void)state;
	c.min_batch = 8;
	c.batch_timeout_us = 50000;
	kms = open_kms(&c);
	make_key(kms, "min");
	fill(&w, "min", 1);
	started = sr_time_monotonic_ns();
	submit(kms, &w);
	wait_for(&w.done, 1);
	assert_signed(&w);
	assert_true(sr_time_monotonic_ns() - started >= 50000000u);
	kms_close(kms, 0);
}

static void a_minimum_batch_that_is_there_goes_out_at_once_and_whole(void **state)
{
	enum { COUNT = 8 };
	static struct waiter w[COUNT];
	struct kms_config c = config_with(1, 16, 0);
	struct kms *kms = NULL;
	uint64_t started = 0;
	int before = 0;

	(void)state;
	c.min_batch = COUNT;
	c.batch_timeout_us = 1000000;
	kms = open_kms(&c);
	make_key(kms, "min");
	before = atomic_load(&invoked);
	atomic_store(&finished, 0);
	started = sr_time_monotonic_ns();
	for (unsigned i = 0; i < COUNT; i++) {
		fill(&w[i], "min", i);
		submit(kms, &w[i]);
		/* the signer is up, and asleep again until the batch is whole */
		usleep(2000);
	}
	wait_for(&finished, COUNT);
	assert_true(sr_time_monotonic_ns() - started < 900000000u);
	assert_int_equal(atomic_load(&invoked) - before, 1);
	for (unsigned i = 0; i < COUNT; i++)
		assert_signed(&w[i]);
	kms_close(kms, 0);
}

/* OP-TEE registers what is allocated, and maps and flushes page by page at each call. */
static void signing_allocates_no_shared_memory_and_uses_one_piece_of_it(void **state)
{
	struct kms_config c = config_with(1, 16, 0);
	struct sr_error err = { .code = SR_OK };
	struct kms *kms = NULL;
	struct kms_info info;
	struct waiter w;

	(void)state;
	c.api.allocate_shared_memory = counting_allocate;
	c.api.invoke_command = inspecting_invoke;
	atomic_store(&allocations, 0);
	atomic_store(&strewn, 0);
	kms = open_kms(&c);
	make_key(kms, "memory");
	for (unsigned i = 0; i < 20; i++) {
		fill(&w, "memory", i);
		submit(kms, &w);
		wait_for(&w.done, 1);
		assert_signed(&w);
		assert_true(kms_get_info(kms, &info, &err));
	}
	assert_int_equal(atomic_load(&allocations), 1);
	assert_int_equal(atomic_load(&strewn), 0);
	kms_close(kms, 0);
}

static void a_dead_target_is_reopened_and_the_call_repeated(void **state)
{
	struct kms_config c = config_with(1, 4, 2);
	struct kms *kms = open_kms(&c);
	struct waiter w;

	(void)state;
	make_key(kms, "dead");
	atomic_store(&fail_with, TEEC_ERROR_TARGET_DEAD);
	atomic_store(&fail_invocations, 1);
	fill(&w, "dead", 1);
	submit(kms, &w);
	wait_for(&w.done, 1);
	assert_signed(&w);
	assert_int_equal(atomic_load(&opened), 2);
	assert_int_equal(atomic_load(&closed), 1);
	kms_close(kms, 0);
}

static void a_session_that_cannot_be_reopened_at_first_is_tried_again(void **state)
{
	struct kms_config c = config_with(1, 4, 3);
	struct kms *kms = open_kms(&c);
	struct waiter w;

	(void)state;
	make_key(kms, "reopen");
	atomic_store(&fail_with, TEEC_ERROR_TARGET_DEAD);
	atomic_store(&fail_invocations, 1);
	atomic_store(&fail_opens, 1);
	fill(&w, "reopen", 1);
	submit(kms, &w);
	wait_for(&w.done, 1);
	assert_signed(&w);
	kms_close(kms, 0);
}

static void errors_that_a_retry_cannot_cure_are_told_after_one_attempt(void **state)
{
	static const TEEC_Result final[] = { TEEC_ERROR_BAD_PARAMETERS, TEEC_ERROR_ACCESS_DENIED,
					     TEEC_ERROR_ITEM_NOT_FOUND, TEEC_ERROR_SECURITY,
					     TEEC_ERROR_GENERIC };
	struct kms_config c = config_with(1, 4, 5);
	struct kms *kms = open_kms(&c);
	struct sr_error err = { .code = SR_OK };
	struct kms_key key;

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(final); i++) {
		int before = atomic_load(&invoked);

		atomic_store(&fail_with, final[i]);
		atomic_store(&fail_invocations, 1);
		assert_false(kms_get_key(kms, "any", &key, &err));
		assert_int_equal(atomic_load(&invoked) - before, 1);
	}
	kms_close(kms, 0);
}

static void retries_end_at_the_configured_number(void **state)
{
	struct kms_config c = config_with(1, 4, 3);
	struct kms *kms = open_kms(&c);
	struct sr_error err = { .code = SR_OK };
	struct kms_info info;
	int before = atomic_load(&invoked);

	(void)state;
	atomic_store(&fail_with, TEEC_ERROR_BUSY);
	atomic_store(&fail_invocations, 100);
	assert_false(kms_get_info(kms, &info, &err));
	assert_int_equal(atomic_load(&invoked) - before, 4);
	assert_int_equal(err.code, SR_E_BUSY);
	atomic_store(&fail_invocations, 0);
	assert_true(kms_get_info(kms, &info, &err));
	kms_close(kms, 0);
}

static void a_key_whose_making_was_interrupted_is_not_made_twice(void **state)
{
	struct kms_config c = config_with(1, 4, 5);
	struct kms *kms = open_kms(&c);
	struct sr_error err = { .code = SR_OK };
	struct kms_key key;
	int before = atomic_load(&invoked);

	(void)state;
	atomic_store(&fail_with, TEEC_ERROR_TARGET_DEAD);
	atomic_store(&fail_invocations, 1);
	assert_false(kms_generate_key(kms, "once", SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, &key,
				      &err));
	assert_int_equal(atomic_load(&invoked) - before, 1);
	kms_close(kms, 0);
}

static void idle_sessions_are_closed_and_opened_again_when_needed(void **state)
{
	struct kms_config c = config_with(2, 4, 0);
	struct kms *kms = NULL;
	struct waiter w;

	(void)state;
	c.session_timeout_s = 1;
	kms = open_kms(&c);
	make_key(kms, "idle");
	fill(&w, "idle", 1);
	submit(kms, &w);
	wait_for(&w.done, 1);
	for (int i = 0; i < 5000 && kms_sessions(kms); i++)
		usleep(1000);
	assert_int_equal(kms_sessions(kms), 0);
	fill(&w, "idle", 2);
	submit(kms, &w);
	wait_for(&w.done, 1);
	assert_signed(&w);
	assert_int_equal(kms_sessions(kms), 1);
	kms_close(kms, 0);
	assert_int_equal(atomic_load(&opened), atomic_load(&closed));
}

static void a_full_queue_refuses_instead_of_growing(void **state)
{
	enum { COUNT = 200 };
	static struct waiter w[COUNT];
	struct kms_config c = config_with(1, 1, 0);
	struct kms *kms = NULL;
	struct sr_error err = { .code = SR_OK };
	int accepted = 0;

	(void)state;
	c.queue_limit = 4;
	kms = open_kms(&c);
	make_key(kms, "full");
	atomic_store(&finished, 0);
	for (unsigned i = 0; i < COUNT; i++) {
		fill(&w[i], "full", i);
		if (kms_sign_sponsorship(kms, &w[i].request, &err))
			accepted++;
		else
			assert_int_equal(err.code, SR_E_BUSY);
	}
	assert_in_range(accepted, 4, COUNT - 1);
	wait_for(&finished, accepted);
	kms_close(kms, 0);
}

static void closing_finishes_every_request_exactly_once(void **state)
{
	enum { COUNT = 300 };
	static struct waiter w[COUNT];
	struct kms_config c = config_with(1, 2, 0);
	struct kms *kms = open_kms(&c);
	unsigned done = 0;

	(void)state;
	make_key(kms, "closing");
	for (unsigned i = 0; i < COUNT; i++) {
		fill(&w[i], "closing", i);
		submit(kms, &w[i]);
	}
	kms_close(kms, 0);
	for (unsigned i = 0; i < COUNT; i++) {
		assert_int_equal(atomic_load(&w[i].done), 1);
		if (w[i].request.result.error.code == SR_OK)
			done++;
		else
			assert_int_equal(w[i].request.result.error.code, SR_E_UNAVAILABLE);
	}
	assert_in_range(done, 0, COUNT - 1);
}

/* ---- many threads at once ---------------------------------------------------- */

enum { THREADS = 4, PER_THREAD = 250 };

static void *submit_many(void *arg)
{
	struct kms *kms = arg;
	struct waiter *mine = calloc(PER_THREAD, sizeof(*mine));
	unsigned ok = 0;

	for (unsigned i = 0; mine && i < PER_THREAD; i++) {
		struct sr_error err = { .code = SR_OK };

		fill(&mine[i], "threads", i);
		if (!kms_sign_sponsorship(kms, &mine[i].request, &err))
			break;
		while (i % 10 == 0 && !atomic_load(&mine[i].done))
			usleep(100);
	}
	for (unsigned i = 0; mine && i < PER_THREAD; i++) {
		while (!atomic_load(&mine[i].done))
			usleep(100);
		ok += mine[i].request.result.error.code == SR_OK;
	}
	free(mine);
	return (void *)(uintptr_t)ok;
}

static void threads_share_one_signer_while_keys_are_listed(void **state)
{
	struct kms_config c = config_with(4, 16, 0);
	struct kms *kms = open_kms(&c);
	struct sr_error err = { .code = SR_OK };
	struct kms_key keys[SR_TA_KEYS_MAX];
	pthread_t threads[THREADS];
	size_t count = 0;

	(void)state;
	make_key(kms, "threads");
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, submit_many, kms), 0);
	for (int i = 0; i < 50; i++)
		assert_true(kms_list_keys(kms, keys, SR_TA_KEYS_MAX, &count, &err));
	for (int i = 0; i < THREADS; i++) {
		void *ok = NULL;

		pthread_join(threads[i], &ok);
		assert_int_equal((uintptr_t)ok, PER_THREAD);
	}
	assert_true(kms_sessions(kms) <= 4);
	kms_close(kms, 0);
}

static void an_imported_key_has_the_public_key_that_its_standard_says(void **state)
{
	/* RFC 8032, section 7.1, test 1; and secp256k1's generator */
	static const uint8_t seed[32] = { 0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60,
					  0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
					  0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19,
					  0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60 };
	static const uint8_t one[32] = { [31] = 1 };
	static const uint8_t ed_prefix[4] = { 0xd7, 0x5a, 0x98, 0x01 };
	static const uint8_t secp_prefix[5] = { 0x04, 0x79, 0xbe, 0x66, 0x7e };
	struct kms_config c = config_with(1, 4, 0);
	struct kms *kms = open_kms(&c);
	struct sr_error err = { .code = SR_OK };
	struct kms_key key;

	(void)state;
	if (!kms_import_key(kms, "ed", SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST, seed, &key, &err))
		fail_msg("import ed25519: %s", err.message);
	assert_int_equal(key.public_key_len, 32);
	assert_memory_equal(key.public_key, ed_prefix, sizeof(ed_prefix));
	assert_int_equal(key.origin, SR_TA_ORIGIN_IMPORTED_PLAIN);
	if (!kms_import_key(kms, "secp", SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, one, &key, &err))
		fail_msg("import secp256k1: %s", err.message);
	assert_memory_equal(key.public_key, secp_prefix, sizeof(secp_prefix));
	kms_close(kms, 0);
}

static void a_new_key_has_the_time_of_its_making(void **state)
{
	static const uint8_t secret[32] = { [31] = 7 };
	struct kms_config c = config_with(1, 4, 0);
	struct kms *kms = open_kms(&c);
	struct sr_error err = { .code = SR_OK };
	const uint64_t before = sr_time_unix_s();
	struct kms_key made;
	struct kms_key imported;

	(void)state;
	if (!kms_generate_key(kms, "timed", SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, &made,
			      &err) ||
	    !kms_import_key(kms, "timed-too", SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, secret,
			    &imported, &err))
		fail_msg("%s", err.message);
	assert_in_range(made.created, before, sr_time_unix_s());
	assert_in_range(imported.created, made.created, sr_time_unix_s());
	kms_close(kms, 0);
}

static void no_key_is_made_for_two_usages(void **state)
{
	struct kms_config c = config_with(1, 4, 0);
	struct kms *kms = open_kms(&c);
	struct sr_error err = { .code = SR_OK };
	struct kms_key key;

	(void)state;
	assert_false(
		kms_generate_key(kms, "both", SR_TA_ALG_SECP256K1, SR_TA_USAGE_ALL, &key, &err));
	assert_int_equal(err.code, SR_E_INVALID);
	assert_false(kms_get_key(kms, "both", &key, &err));
	assert_int_equal(err.code, SR_E_NOT_FOUND);
	kms_close(kms, 0);
}

static void key_ids_outside_the_set_are_refused_with_the_bound(void **state)
{
	struct sr_error err = { .code = SR_OK };
	char long_id[66];

	(void)state;
	memset(long_id, 'a', 65);
	long_id[65] = '\0';
	assert_false(kms_key_id_check("", &err));
	assert_false(kms_key_id_check("white space", &err));
	assert_false(kms_key_id_check("sla/sh", &err));
	assert_false(kms_key_id_check("\xc3\xa4", &err));
	assert_false(kms_key_id_check(long_id, &err));
	assert_non_null(strstr(err.message, "1 to 64"));
	long_id[64] = '\0';
	assert_true(kms_key_id_check(long_id, &err));
	assert_true(kms_key_id_check("A-z.0_9", &err));
}

/* ---- entropy ------------------------------------------------------------- */

static void keys_made_with_the_same_words_differ(void **state)
{
	struct kms_config c = config_with(1, 4, 0);
	struct kms *kms = open_kms(&c);
	struct sr_error err = { .code = SR_OK };
	struct kms_info info;
	struct kms_key key[2];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_true(kms_generate_key(kms, "again", SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST,
					     &key[i], &err));
		assert_true(kms_delete_key(kms, "again", &err));
	}
	assert_memory_not_equal(key[0].public_key, key[1].public_key, 32);
	/* The host's bytes came with them, and were no zeros. */
	assert_true(kms_get_info(kms, &info, &err));
	assert_true(info.features & SR_TA_FEATURE_HOST_RANDOM);
	kms_close(kms, 0);
}

static void a_tee_whose_numbers_nobody_vouches_for_is_told_as_such(void **state)
{
	static const struct {
		uint32_t features;
		bool sound;
		const char *says;
	} cases[] = {
		{ 0, false, "its seed is not known), no CPU instruction" },
		{ SR_TA_FEATURE_HOST_RANDOM | SR_TA_FEATURE_TEE_STIRRED, false, "not known" },
		{ SR_TA_FEATURE_CPU_RANDOM, false, "a CPU instruction that gives nothing" },
		{ SR_TA_FEATURE_CPU_RANDOM | SR_TA_FEATURE_CPU_DELIVERS, true,
		  "not known), the CPU's instruction" },
		{ SR_TA_FEATURE_TEE_RANDOM_TRUSTED, true, "vouched for" },
		{ ~0u, true, "64 bytes of this host's kernel" },
	};
	char text[KMS_ENTROPY_TEXT];

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		const struct kms_info info = { .features = cases[i].features };

		assert_int_equal(kms_entropy_text(&info, text), cases[i].sound);
		assert_non_null(strstr(text, cases[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(keys_made_with_the_same_words_differ, reset),
		cmocka_unit_test(a_tee_whose_numbers_nobody_vouches_for_is_told_as_such),
		cmocka_unit_test_setup(a_lone_request_is_signed_at_once, reset),
		cmocka_unit_test_setup(what_queues_goes_out_as_batches_in_order, reset),
		cmocka_unit_test_setup(keys_do_not_mix_within_a_batch, reset),
		cmocka_unit_test_setup(a_minimum_batch_waits_no_longer_than_its_bound, reset),
		cmocka_unit_test_setup(a_minimum_batch_that_is_there_goes_out_at_once_and_whole,
				       reset),
		cmocka_unit_test_setup(signing_allocates_no_shared_memory_and_uses_one_piece_of_it,
				       reset),
		cmocka_unit_test_setup(a_dead_target_is_reopened_and_the_call_repeated, reset),
		cmocka_unit_test_setup(a_session_that_cannot_be_reopened_at_first_is_tried_again,
				       reset),
		cmocka_unit_test_setup(errors_that_a_retry_cannot_cure_are_told_after_one_attempt,
				       reset),
		cmocka_unit_test_setup(retries_end_at_the_configured_number, reset),
		cmocka_unit_test_setup(a_key_whose_making_was_interrupted_is_not_made_twice, reset),
		cmocka_unit_test_setup(idle_sessions_are_closed_and_opened_again_when_needed,
				       reset),
		cmocka_unit_test_setup(a_full_queue_refuses_instead_of_growing, reset),
		cmocka_unit_test_setup(closing_finishes_every_request_exactly_once, reset),
		cmocka_unit_test_setup(threads_share_one_signer_while_keys_are_listed, reset),
		cmocka_unit_test_setup(an_imported_key_has_the_public_key_that_its_standard_says,
				       reset),
		cmocka_unit_test_setup(a_new_key_has_the_time_of_its_making, reset),
		cmocka_unit_test_setup(no_key_is_made_for_two_usages, reset),
		cmocka_unit_test_setup(key_ids_outside_the_set_are_refused_with_the_bound, reset),
	};

	return cmocka_run_group_tests(tests, make_store, remove_store);
}
