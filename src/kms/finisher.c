/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a signature's way: its record becomes durable, and then its caller is
 * answered. One sync serves every batch that was signed while the last one ran.
 */
#include <string.h>

#include "kms/kms_private.h"

/* Requests that may wait for the disk before the signer waits, too. */
#define SIGNED_MAX 4096

static void finish_all(struct kms_request *list)
{
	while (list) {
		/* the callback may free its request */
		struct kms_request *next = list->next;

		list->next = NULL;
		list->done(list);
		list = next;
	}
}

void kms_fail_all(struct kms_request *list, const struct sr_error *err)
{
	for (struct kms_request *q = list; q; q = q->next) {
		memset(&q->result, 0, sizeof(q->result));
		q->result.error = *err;
	}
	finish_all(list);
}

void kms_hide_log_error(struct sr_error *err)
{
	sr_log(SR_LOG_WARN, "kms", "not signed: %s", err->message);
	sr_fail(err, SR_E_UNAVAILABLE,
		"nothing is signed now: the TEE's audit log cannot be kept, and the relay's "
		"operator "
		"has to see why");
}

/* With the lock held: everything that waits, or NULL when there is nothing to come. */
static struct kms_request *take_signed(struct kms_signer *signer)
{
	struct kms_request *list = NULL;

	while (!signer->signed_head && !signer->no_more)
		pthread_cond_wait(&signer->signed_wake, &signer->signed_lock);
	list = signer->signed_head;
	signer->signed_head = NULL;
	signer->signed_tail = &signer->signed_head;
	signer->signed_count = 0;
	pthread_cond_broadcast(&signer->signed_wake);
	return list;
}

/* What could not be recorded was never signed, as far as anybody is told. */
static void *finisher_main(void *arg)
{
	struct kms_signer *signer = arg;

	for (;;) {
		struct sr_error err = { .code = SR_OK };
		struct kms_request *list = NULL;

		pthread_mutex_lock(&signer->signed_lock);
		list = take_signed(signer);
		pthread_mutex_unlock(&signer->signed_lock);
		if (!list)
			return NULL;
		if (kms_record_sync(signer->recorder, &err)) {
			finish_all(list);
		} else {
			kms_hide_log_error(&err);
			kms_fail_all(list, &err);
		}
	}
}

bool kms_finisher_start(struct kms_signer *signer)
{
	if (!signer->recorder->log || signer->finishing)
		return true;
	signer->finishing = pthread_create(&signer->finisher, NULL, finisher_main, signer) == 0;
	return signer->finishing;
}

void kms_finisher_give(struct kms_signer *signer, struct kms_request *batch, unsigned count)
{
	struct kms_request *last = batch;

	if (!signer->recorder->log) {
		finish_all(batch);
		return;
	}
	while (last->next)
		last = last->next;
	pthread_mutex_lock(&signer->signed_lock);
	while (signer->signed_count >= SIGNED_MAX)
		pthread_cond_wait(&signer->signed_wake, &signer->signed_lock);
	*signer->signed_tail = batch;
	signer->signed_tail = &last->next;
	signer->signed_count += count;
	pthread_cond_broadcast(&signer->signed_wake);
	pthread_mutex_unlock(&signer->signed_lock);
}

void kms_finisher_stop(struct kms_signer *signer)
{
	if (!signer->finishing)
		return;
	pthread_mutex_lock(&signer->signed_lock);
	signer->no_more = true;
	pthread_cond_broadcast(&signer->signed_wake);
	pthread_mutex_unlock(&signer->signed_lock);
	pthread_join(signer->finisher, NULL);
	signer->finishing = false;
}
