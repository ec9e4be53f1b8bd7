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

size_t kms_request_size(const struct kms_request *request)
{
	if (request->kind == KMS_TRANSACTION)
		return 2 + request->transaction.len;
	return kms_sponsorship_size(&request->sponsorship);
}

/* What one invocation can have in common. */
static bool goes_with(const struct kms_request *request, const struct kms_request *first)
{
	return strcmp(request->key_id, first->key_id) == 0 && request->kind == first->kind &&
	       (request->kind == KMS_TRANSACTION ||
		request->sponsorship.scheme == first->sponsorship.scheme);
}

/* Takes the head and whatever waits behind it that can go with it, in order. It ends at the
 * first that has no room: a later one that has would overtake it. */
static struct kms_request *take_batch(struct kms_signer *signer, unsigned max, unsigned *count)
{
	const struct kms_request *first = signer->head;
	struct kms_request *batch = NULL;
	struct kms_request **batch_tail = &batch;
	struct kms_request **link = &signer->head;
	size_t size = KMS_REQUEST_HEAD_MAX;

	*count = 0;
	while (*link && *count < max) {
		struct kms_request *request = *link;

		if (!goes_with(request, first)) {
			link = &request->next;
			continue;
		}
		size += kms_request_size(request);
		if (size > SR_TA_REQUEST_MAX)
			break;
		*link = request->next;
		request->next = NULL;
		*batch_tail = request;
		batch_tail = &request->next;
		(*count)++;
	}
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
		kms_fail_item(result, request->kind, res);
}

static size_t answer_size(unsigned count)
{
	return 1 + (size_t)count * SR_TA_SPONSORSHIP_RESULT_SIZE;
}

/* Checks the whole answer before the first result is given: a short one must not
 * leave half of the batch answered with zeros. What stands behind it are records. */
static bool answer_fits(const struct kms_call *call, unsigned count)
{
	return call->response_len >= 1 + answer_size(count) + 2 && call->response[1] == count;
}

static void put_requests(struct kms_writer *w, const struct kms_request *batch, const char *key_id,
			 unsigned count)
{
	if (batch->kind == KMS_SPONSORSHIP)
		kms_put_u8(w, (uint8_t)batch->sponsorship.scheme);
	kms_put_text(w, key_id);
	kms_put_u8(w, (uint8_t)count);
	for (const struct kms_request *q = batch; q; q = q->next) {
		if (q->kind == KMS_SPONSORSHIP)
			kms_put_sponsorship(w, &q->sponsorship);
		else
			kms_put_long(w, q->transaction.data, q->transaction.len);
	}
}

/* Up to the first attempt, so that the wait for the audit log counts, too. */
static void observe_waits(const struct kms_signer *signer, const struct kms_request *batch,
			  uint64_t started_ns)
{
	const struct kms_config *config = signer->pool->config;

	if (!config->observe || !started_ns)
		return;
	for (; batch; batch = batch->next) {
		struct kms_observation seen = { .what = KMS_SEEN_WAIT,
						.duration_ns = started_ns - batch->queued_ns };

		config->observe(config->observe_arg, &seen);
	}
}

static bool sign_all(struct kms_signer *signer, struct kms_request *batch, unsigned count,
		     struct sr_error *err)
{
	struct kms_call call = { .command = batch->kind == KMS_TRANSACTION
						    ? SR_TA_CMD_SIGN_TRANSACTION
						    : SR_TA_CMD_SIGN_SPONSORSHIP,
				 .repeatable = true,
				 .key_id = batch->key_id,
				 .items = count,
				 .request = { .data = signer->request, .size = SR_TA_REQUEST_MAX },
				 .response = signer->response,
				 .answer_size = answer_size(count),
				 .response_size =
					 1 + answer_size(count) + KMS_RECORDS_SIZE(count) };
	struct kms_reader r = { 0 };
	bool ok = false;

	kms_call_begin(&call);
	put_requests(&call.request, batch, batch->key_id, count);
	ok = kms_record_call(signer->recorder, &call, err);
	observe_waits(signer, batch, call.started_ns);
	if (!ok) {
		/* the TA was not asked, or has answered: the fault is the log's */
		if (call.result == TEEC_SUCCESS)
			kms_hide_log_error(err);
		return false;
	}
	if (!answer_fits(&call, count))
		return sr_fail(err, SR_E_CORRUPT, "the TA's answer to a batch of %u has %zu bytes",
			       count, call.response_len);
	r = (struct kms_reader){ .data = call.response, .len = call.response_len, .at = 2 };
	for (; batch; batch = batch->next)
		give_item(&r, batch);
	return true;
}

static void sign_batch(struct kms_signer *signer, struct kms_request *batch, unsigned count)
{
	struct sr_error err = { .code = SR_OK };

	if (!sign_all(signer, batch, count, &err)) {
		for (struct kms_request *q = batch; q; q = q->next)
			q->result.error = err;
	}
	kms_finisher_give(signer, batch, count);
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
	kms_fail_all(rest, &err);
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

/* One lock and one condition for each side of the hand-over. */
static bool make_locks(struct kms_signer *signer)
{
	return !pthread_mutex_init(&signer->lock, NULL) && kms_cond_init(&signer->wake) &&
	       !pthread_mutex_init(&signer->signed_lock, NULL) &&
	       kms_cond_init(&signer->signed_wake);
}

bool kms_signer_init(struct kms_signer *signer, struct kms_pool *pool,
		     struct kms_recorder *recorder, struct sr_error *err)
{
	signer->pool = pool;
	signer->recorder = recorder;
	signer->signed_tail = &signer->signed_head;
	signer->tail = &signer->head;
	signer->request = malloc(SR_TA_REQUEST_MAX);
	signer->response = malloc(SR_TA_RESPONSE_MAX);
	if (!signer->request || !signer->response) {
		free(signer->request);
		free(signer->response);
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory for the signer");
	}
	if (!make_locks(signer)) {
		free(signer->request);
		free(signer->response);
		return sr_fail(err, SR_E_INTERNAL, "no mutex for the signer");
	}
	return true;
}

/* With the lock held. A finisher without a signer waits for the next attempt. */
static bool start_threads(struct kms_signer *signer)
{
	return kms_finisher_start(signer) &&
	       pthread_create(&signer->thread, NULL, signer_main, signer) == 0;
}

bool kms_signer_submit(struct kms_signer *signer, struct kms_request *request, struct sr_error *err)
{
	bool ok = true;

	request->next = NULL;
	request->queued_ns = sr_time_monotonic_ns();
	pthread_mutex_lock(&signer->lock);
	if (signer->closing) {
		ok = sr_fail(err, SR_E_UNAVAILABLE, "the signer is shutting down");
	} else if (atomic_load(&signer->depth) >= signer->pool->config->queue_limit) {
		ok = sr_fail(err, SR_E_BUSY, "%u signing requests are waiting already",
			     signer->pool->config->queue_limit);
	} else if (!signer->running && !start_threads(signer)) {
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
	kms_finisher_stop(signer);
	refuse_rest(signer);
	pthread_cond_destroy(&signer->signed_wake);
	pthread_mutex_destroy(&signer->signed_lock);
	pthread_cond_destroy(&signer->wake);
	pthread_mutex_destroy(&signer->lock);
	sr_wipe(signer->request, SR_TA_REQUEST_MAX);
	free(signer->request);
	free(signer->response);
}
