/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions to the TA. OP-TEE runs one invocation of a single-instance TA at a
 * time, so more sessions bring no throughput: they keep a slow administrative
 * command from standing in the signer's way at the door, and they confine what
 * a dead session takes with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kms/kms_private.h"

#define ACQUIRE_TIMEOUT_NS UINT64_C(30000000000)
#define RETRY_FIRST_NS UINT64_C(2000000)
#define MEMORY_SIZE (SR_TA_RESPONSE_MAX + SR_TA_REQUEST_MAX)

bool kms_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	bool ok = false;

	if (pthread_condattr_init(&attr))
		return false;
	ok = !pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) && !pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
	return ok;
}

void kms_cond_wait_ns(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t ns)
{
	uint64_t until = sr_time_monotonic_ns() + ns;
	struct timespec ts = { .tv_sec = (time_t)(until / 1000000000u),
			       .tv_nsec = (long)(until % 1000000000u) };

	pthread_cond_timedwait(cond, lock, &ts);
}

static const char *session_hint(TEEC_Result result, uint32_t group)
{
	if (result == TEEC_ERROR_ITEM_NOT_FOUND)
		return "; is the TA installed and tee-supplicant running?";
	if (group && result == TEEC_ERROR_ACCESS_DENIED)
		return "; is this process in the group of optee_kms.login_group?";
	return "";
}

/* Memory first, then the session: a session without memory is of no use. */
static bool session_open(struct kms_pool *pool, struct kms_session *s, struct sr_error *err)
{
	const struct tee_api *api = &pool->config->api;
	const uint32_t group = pool->config->login_group;
	uint32_t origin = 0;
	char text[64];
	TEEC_Result res = TEEC_SUCCESS;

	if (!s->has_memory) {
		s->memory = (TEEC_SharedMemory){ .size = MEMORY_SIZE,
						 .flags = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT };
		res = api->allocate_shared_memory(&pool->context, &s->memory);
		if (res != TEEC_SUCCESS)
			return sr_fail(err, SR_E_NO_MEMORY, "shared memory with the TEE: %s",
				       kms_result_text(res, text, sizeof(text)));
		s->has_memory = true;
	}
	res = api->open_session(&pool->context, &s->session, &pool->config->ta_uuid,
				group ? TEEC_LOGIN_GROUP : TEEC_LOGIN_PUBLIC, group ? &group : NULL,
				NULL, &origin);
	if (res != TEEC_SUCCESS)
		return sr_fail(err, SR_E_UNAVAILABLE,
			       "no session with the Trusted Application: %s (origin %u)%s",
			       kms_result_text(res, text, sizeof(text)), (unsigned)origin,
			       session_hint(res, group));
	s->open = true;
	s->last_used_ns = sr_time_monotonic_ns();
	atomic_fetch_add(&pool->open, 1);
	return true;
}

static void session_close(struct kms_pool *pool, struct kms_session *s)
{
	if (!s->open)
		return;
	pool->config->api.close_session(&s->session);
	s->open = false;
	atomic_fetch_sub(&pool->open, 1);
}

/* Prefers the open session used last, so that the others can grow idle. */
static struct kms_session *find_free(struct kms_pool *pool)
{
	struct kms_session *best = NULL;

	for (unsigned i = 0; i < pool->size; i++) {
		struct kms_session *s = &pool->slots[i];

		if (s->busy)
			continue;
		if (!best || (s->open && (!best->open || s->last_used_ns > best->last_used_ns)))
			best = s;
	}
	return best;
}

static struct kms_session *acquire(struct kms_pool *pool, struct sr_error *err)
{
	uint64_t deadline = sr_time_monotonic_ns() + ACQUIRE_TIMEOUT_NS;
	struct kms_session *s = NULL;

	pthread_mutex_lock(&pool->lock);
	while (!(s = find_free(pool))) {
		uint64_t now = sr_time_monotonic_ns();

		if (now >= deadline)
			break;
		kms_cond_wait_ns(&pool->released, &pool->lock, deadline - now);
	}
	if (s)
		s->busy = true;
	pthread_mutex_unlock(&pool->lock);
	if (!s)
		sr_fail(err, SR_E_TIMEOUT, "all %u TEE sessions have been busy for 30 s",
			pool->size);
	return s;
}

static void release(struct kms_pool *pool, struct kms_session *s)
{
	pthread_mutex_lock(&pool->lock);
	s->busy = false;
	s->last_used_ns = sr_time_monotonic_ns();
	pthread_cond_signal(&pool->released);
	pthread_mutex_unlock(&pool->lock);
}

void kms_pool_reap(struct kms_pool *pool)
{
	uint64_t limit = (uint64_t)pool->config->session_timeout_s * 1000000000u;
	uint64_t now = sr_time_monotonic_ns();

	if (!limit)
		return;
	for (unsigned i = 0; i < pool->size; i++) {
		struct kms_session *s = &pool->slots[i];
		bool idle = false;

		pthread_mutex_lock(&pool->lock);
		idle = !s->busy && s->open && now > s->last_used_ns &&
		       now - s->last_used_ns >= limit;
		if (idle)
			s->busy = true;
		pthread_mutex_unlock(&pool->lock);
		/* closing enters the TEE: not under the lock */
		if (idle) {
			session_close(pool, s);
			release(pool, s);
		}
	}
}

bool kms_pool_open(struct kms_pool *pool, const struct kms_config *config, struct sr_error *err)
{
	char text[64];
	struct kms_session *first = NULL;
	TEEC_Result res = TEEC_SUCCESS;

	pool->config = config;
	pool->size = config->pool_size;
	pool->slots = calloc(pool->size, sizeof(*pool->slots));
	if (!pool->slots)
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory for %u sessions", pool->size);
	if (pthread_mutex_init(&pool->lock, NULL) || !kms_cond_init(&pool->released)) {
		free(pool->slots);
		return sr_fail(err, SR_E_INTERNAL, "no mutex for the session pool");
	}
	res = config->api.initialize_context(NULL, &pool->context);
	if (res != TEEC_SUCCESS) {
		free(pool->slots);
		return sr_fail(err, SR_E_UNAVAILABLE,
			       "no TEE (%s): %s; is /dev/tee0 there and readable?",
			       config->api.name, kms_result_text(res, text, sizeof(text)));
	}
	first = acquire(pool, err);
	if (first && session_open(pool, first, err)) {
		release(pool, first);
		return true;
	}
	kms_pool_close(pool);
	return false;
}

void kms_pool_close(struct kms_pool *pool)
{
	const struct tee_api *api = &pool->config->api;

	for (unsigned i = 0; i < pool->size; i++) {
		struct kms_session *s = &pool->slots[i];

		session_close(pool, s);
		if (s->has_memory)
			api->release_shared_memory(&s->memory);
	}
	api->finalize_context(&pool->context);
	pthread_cond_destroy(&pool->released);
	pthread_mutex_destroy(&pool->lock);
	free(pool->slots);
	pool->slots = NULL;
}

/* A secret, or what one is made from. */
static bool holds_secrets(uint32_t command)
{
	return command == SR_TA_CMD_IMPORT_KEY || command == SR_TA_CMD_GENERATE_KEY ||
	       command == SR_TA_CMD_ROTATE_KEY || command == SR_TA_CMD_BEGIN;
}

static TEEC_Result invoke_once(struct kms_pool *pool, struct kms_session *s, struct kms_call *call)
{
	TEEC_Operation op = { .paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_PARTIAL_INPUT,
							     TEEC_MEMREF_PARTIAL_OUTPUT, TEEC_NONE,
							     TEEC_NONE) };
	uint8_t *response = s->memory.buffer;
	uint8_t *request = response + call->response_size;
	uint64_t started = sr_time_monotonic_ns();
	uint32_t origin = 0;
	TEEC_Result res = TEEC_SUCCESS;

	memcpy(request, call->request.data, call->request.len);
	op.params[0].memref = (TEEC_RegisteredMemoryReference){ .parent = &s->memory,
								.size = call->request.len,
								.offset = call->response_size };
	op.params[1].memref = (TEEC_RegisteredMemoryReference){ .parent = &s->memory,
								.size = call->response_size };
	res = pool->config->api.invoke_command(&s->session, call->command, &op, &origin);
	if (holds_secrets(call->command))
		sr_wipe(request, call->request.len);
	if (!call->started_ns)
		call->started_ns = started;
	call->result = res;
	call->response_len = 0;
	if (res == TEEC_SUCCESS && op.params[1].memref.size <= call->response_size) {
		call->response_len = op.params[1].memref.size;
		memcpy(call->response, response, call->response_len);
	}
	if (pool->config->observe) {
		struct kms_observation seen = { .command = call->command,
						.result = res,
						.duration_ns = sr_time_monotonic_ns() - started,
						.items = call->items };

		pool->config->observe(pool->config->observe_arg, &seen);
	}
	return res;
}

/* The TA answered nothing, or not yet: the same call may succeed later. */
static bool may_cure(TEEC_Result res, bool repeatable)
{
	switch (res) {
	case TEEC_ERROR_BUSY: /* refused before it began */
		return true;
	case TEEC_ERROR_TARGET_DEAD:
	case TEEC_ERROR_COMMUNICATION:
	case TEEC_ERROR_OUT_OF_MEMORY:
	case 0xf0100003: /* TEE_ERROR_STORAGE_NOT_AVAILABLE: tee-supplicant is away */
		return repeatable;
	default:
		return false;
	}
}

static void pause_ns(uint64_t ns)
{
	struct timespec ts = { .tv_sec = (time_t)(ns / 1000000000u),
			       .tv_nsec = (long)(ns % 1000000000u) };

	nanosleep(&ts, NULL);
}

bool kms_pool_call(struct kms_pool *pool, struct kms_call *call, struct sr_error *err)
{
	struct kms_session *s = NULL;
	TEEC_Result res = TEEC_SUCCESS;
	bool opened = true;

	call->result = TEEC_ERROR_GENERIC;
	if (call->request.failed || call->request.len > SR_TA_REQUEST_MAX)
		return sr_fail(err, SR_E_LIMIT, "the request to the TA is over %u bytes",
			       SR_TA_REQUEST_MAX);
	if (call->response_size > SR_TA_RESPONSE_MAX)
		return sr_fail(err, SR_E_INTERNAL, "room for %zu bytes of response, over %u",
			       call->response_size, SR_TA_RESPONSE_MAX);
	s = acquire(pool, err);
	if (!s)
		return false;
	for (unsigned attempt = 0;; attempt++) {
		opened = s->open || session_open(pool, s, err);
		if (opened) {
			res = invoke_once(pool, s, call);
			/* its instance is gone and the session with it, whether
			 * or not this call is tried again */
			if (res == TEEC_ERROR_TARGET_DEAD || res == TEEC_ERROR_COMMUNICATION)
				session_close(pool, s);
			if (!may_cure(res, call->repeatable))
				break;
		}
		if (attempt >= pool->config->max_retries)
			break;
		/* a fresh session needs no waiting; a second failure does */
		if (attempt || res != TEEC_ERROR_TARGET_DEAD)
			pause_ns(RETRY_FIRST_NS << attempt);
	}
	release(pool, s);
	kms_pool_reap(pool);
	if (!opened) {
		call->result = TEEC_ERROR_COMMUNICATION;
		return false;
	}
	return res == TEEC_SUCCESS ? true : kms_fail_call(err, call);
}
