/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The batching signer: one queue, one thread. More threads would not sign
 * faster, since the TA runs one invocation at a time, but would split what has
 * queued into smaller batches.
 */
#include <stdlib.h>
#include <string.h>

#include "kms/kms_private.h"

#define IDLE_WAKE_NS UINT64_C(1000000000)

static void finish(struct kms_request *request)
{
	request->next = NULL;
	request->done(request);
}

static void fail_all(struct kms_request *list, const struct sr_error *err)
{
	while (list) {
		struct kms_request *next = list->next;

		list->result.error = *err;
		finish(list);
		list = next;
	}
}

/* Takes the head and whatever waits behind it for the same key, in order. */
static struct kms_request *take_batch(struct kms_signer *signer, unsigned max, unsigned *count)
{
	struct kms_request *batch = NULL;
	struct kms_request **batch_tail = &batch;
	struct kms_request **link = &signer->head;
	const char *key_id = signer->head->key_id;

	*count = 0;
	do {
		struct kms_request *request = *link;

		if (strcmp(request->key_id, key_id) != 0) {
			link = &request->next;
			continue;
		}
		*link = request->next;
		request->next = NULL;
		*batch_tail = request;
		batch_tail = &request->next;
		(*count)++;
	} while (*link && *count < max);
	if (!*link)
		signer->tail = link;
	atomic_fetch_sub(&signer->depth, *count);
	return batch;
}

static void give_item(struct kms_reader *r, struct kms_request *request)
{
	struct kms_signature *result = &request->result;
	uint32_t res = kms_get_u32(r);

	memset(result, 0, sizeof(*result));
	kms_get_bytes(r, result->digest, sizeof(result->digest));
	kms_get_bytes(r, result->signature, sizeof(result->signature));
	if (res != TEEC_SUCCESS)
		sr_fail(&result->error, tee_result_code(res), "the TA refuses this sponsorship: %s",
			tee_result_name(res) ? tee_result_name(res) : "unknown result");
}

static size_t answer_size(unsigned count)
{
	return 2 + (size_t)count * SR_TA_SPONSORSHIP_RESULT_SIZE;
}

/* Checks the whole answer before the first callback: a short one must not
 * leave half of the batch answered with zeros. */
static bool answer_fits(const struct kms_call *call, unsigned count)
{
	return call->response_len == answer_size(count) &&
	       call->response[0] == SR_TA_WIRE_VERSION && call->response[1] == count;
}

static void sign_batch(struct kms_signer *signer, struct kms_request *batch, unsigned count)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_reader r = { 0 };
	struct kms_call call = { .command = SR_TA_CMD_SIGN_SPONSORSHIP,
				 .repeatable = true,
				 .key_id = batch->key_id,
				 .items = count,
				 .request = { .data = signer->request, .size = SR_TA_REQUEST_MAX },
				 .response = signer->response,
				 .response_size = answer_size(count) };
	char key_id[KMS_KEY_ID_SIZE];

	/* the first callback may free the request that the name stands in */
	memcpy(key_id, batch->key_id, sizeof(key_id));
	call.key_id = key_id;
	kms_put_u8(&call.request, SR_TA_WIRE_VERSION);
	kms_put_u8(&call.request, SR_TA_SCHEME_VERIFYING_PAYMASTER_V07);
	kms_put_text(&call.request, key_id);
	kms_put_u8(&call.request, (uint8_t)count);
	for (struct kms_request *q = batch; q; q = q->next)
		kms_put_sponsorship(&call.request, &q->sponsorship);
	if (!kms_pool_call(signer->pool, &call, &err)) {
		fail_all(batch, &err);
		return;
	}
	if (!answer_fits(&call, count)) {
		sr_fail(&err, SR_E_CORRUPT, "the TA's answer to a batch of %u has %zu bytes", count,
			call.response_len);
		fail_all(batch, &err);
		return;
	}
	r = (struct kms_reader){ .data = call.response, .len = call.response_len, .at = 2 };
	while (batch) {
		struct kms_request *next = batch->next;

		give_item(&r, batch);
		finish(batch);
		batch = next;
	}
}

/* With the lock held: sleeps until count requests wait, or ns have passed. Who submits
 * reads from awaited whether the thread has use for being woken. */
static void sleep_for(struct kms_signer *signer, unsigned count, uint64_t ns)
{
	signer->awaited = count;
	kms_cond_wait_ns(&signer->wake, &signer->lock, ns);
	signer->awaited = 0;
}

/* With the lock held: waits for work, or for a minimum batch until its time is up. */
static void wait_for_work(struct kms_signer *signer)
{
	const struct kms_config *config = signer->pool->config;
	uint64_t bound = (uint64_t)config->batch_timeout_us * 1000u;
	uint64_t since = 0;

	while (!signer->head && !signer->closing) {
		sleep_for(signer, 1, IDLE_WAKE_NS);
		if (!signer->head) {
			pthread_mutex_unlock(&signer->lock);
			kms_pool_reap(signer->pool);
			pthread_mutex_lock(&signer->lock);
		}
	}
	if (config->min_batch <= 1 || !bound)
		return;
	since = sr_time_monotonic_ns();
	while (!signer->closing && atomic_load(&signer->depth) < config->min_batch) {
		uint64_t passed = sr_time_monotonic_ns() - since;

		if (passed >= bound)
			return;
		sleep_for(signer, config->min_batch, bound - passed);
	}
}

static bool time_is_up(const struct kms_signer *signer)
{
	return signer->closing && sr_time_monotonic_ns() >= signer->drain_until_ns;
}

static void refuse_rest(struct kms_signer *signer)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_request *rest = signer->head;

	signer->head = NULL;
	signer->tail = &signer->head;
	atomic_store(&signer->depth, 0);
	sr_fail(&err, SR_E_UNAVAILABLE, "the signer is shutting down");
	fail_all(rest, &err);
}

static void *signer_main(void *arg)
{
	struct kms_signer *signer = arg;

	pthread_mutex_lock(&signer->lock);
	for (;;) {
		struct kms_request *batch = NULL;
		unsigned count = 0;

		wait_for_work(signer);
		if (!signer->head || time_is_up(signer))
			break;
		batch = take_batch(signer, signer->pool->config->batch_size, &count);
		pthread_mutex_unlock(&signer->lock);
		sign_batch(signer, batch, count);
		pthread_mutex_lock(&signer->lock);
	}
	pthread_mutex_unlock(&signer->lock);
	return NULL;
}

bool kms_signer_init(struct kms_signer *signer, struct kms_pool *pool, struct sr_error *err)
{
	signer->pool = pool;
	signer->tail = &signer->head;
	signer->request = malloc(SR_TA_REQUEST_MAX);
	signer->response = malloc(SR_TA_RESPONSE_MAX);
	if (!signer->request || !signer->response) {
		free(signer->request);
		free(signer->response);
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory for the signer");
	}
	if (pthread_mutex_init(&signer->lock, NULL) || !kms_cond_init(&signer->wake)) {
		free(signer->request);
		free(signer->response);
		return sr_fail(err, SR_E_INTERNAL, "no mutex for the signer");
	}
	return true;
}

bool kms_signer_submit(struct kms_signer *signer, struct kms_request *request, struct sr_error *err)
{
	bool ok = true;

	request->next = NULL;
	pthread_mutex_lock(&signer->lock);
	if (signer->closing) {
		ok = sr_fail(err, SR_E_UNAVAILABLE, "the signer is shutting down");
	} else if (atomic_load(&signer->depth) >= signer->pool->config->queue_limit) {
		ok = sr_fail(err, SR_E_BUSY, "%u signing requests are waiting already",
			     signer->pool->config->queue_limit);
	} else if (!signer->running &&
		   pthread_create(&signer->thread, NULL, signer_main, signer) != 0) {
		ok = sr_fail(err, SR_E_UNAVAILABLE, "no thread for the signer");
	} else {
		signer->running = true;
		*signer->tail = request;
		signer->tail = &request->next;
		if (atomic_fetch_add(&signer->depth, 1) + 1 >= signer->awaited && signer->awaited)
			pthread_cond_signal(&signer->wake);
	}
	pthread_mutex_unlock(&signer->lock);
	return ok;
}

void kms_signer_close(struct kms_signer *signer, unsigned drain_ms)
{
	bool running = false;

	pthread_mutex_lock(&signer->lock);
	signer->closing = true;
	signer->drain_until_ns = sr_time_monotonic_ns() + (uint64_t)drain_ms * 1000000u;
	running = signer->running;
	pthread_cond_broadcast(&signer->wake);
	pthread_mutex_unlock(&signer->lock);
	if (running)
		pthread_join(signer->thread, NULL);
	refuse_rest(signer);
	pthread_cond_destroy(&signer->wake);
	pthread_mutex_destroy(&signer->lock);
	sr_wipe(signer->request, SR_TA_REQUEST_MAX);
	free(signer->request);
	free(signer->response);
}
