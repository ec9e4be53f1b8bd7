/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of the TA with the audit log around them. What the TA's chain records is one order
 * for all processes: from the reading of the log's end to the appending of what a call
 * brought, nobody else may call what is recorded, so all of it happens under the log's lock.
 * Making it durable does not, so that one sync serves many.
 */
#include <stdlib.h>
#include <string.h>

#include "kms/kms_private.h"

#define AUDITED_AT 1 /* of the field in a request: behind the version */
/* An instance can be renewed between BEGIN and the call as often as another process
 * of the simulator gets in between; more often than this is a defect. */
#define BEGINS_MAX 8

/* ---- requests and responses -------------------------------------------------- */

void kms_call_begin(struct kms_call *call)
{
	kms_put_u8(&call->request, SR_TA_WIRE_VERSION);
	kms_put_u64(&call->request, SR_TA_NO_LOG);
}

void kms_call_set_audited(struct kms_call *call, uint64_t audited)
{
	for (size_t i = 0; i < sizeof(audited); i++)
		call->request.data[AUDITED_AT + i] = (uint8_t)(audited >> (8 * i));
}

static bool is_recorded(uint32_t command)
{
	switch (command) {
	case SR_TA_CMD_GET_PUBLIC_KEY:
	case SR_TA_CMD_LIST_KEYS:
	case SR_TA_CMD_GET_INFO:
	case SR_TA_CMD_GET_POLICY:
	case SR_TA_CMD_ATTEST:
	case SR_TA_CMD_AUDIT_READ:
	case SR_TA_CMD_CHECKPOINT:
		return false;
	default:
		return true;
	}
}

static void skip(struct kms_reader *r, size_t len)
{
	if (r->failed || len > r->len - r->at)
		r->failed = true;
	else
		r->at += len;
}

/* From behind the version to where the records begin. */
static void skip_answer(struct kms_reader *r, const struct kms_call *call)
{
	struct kms_key key;

	switch (call->command) {
	case SR_TA_CMD_GENERATE_KEY:
	case SR_TA_CMD_IMPORT_KEY:
	case SR_TA_CMD_SET_POLICY:
	case SR_TA_CMD_IMPORT_WRAPPED:
	case SR_TA_CMD_ROTATE_KEY:
		kms_get_key_info(r, &key);
		return;
	case SR_TA_CMD_EXPORT_WRAPPED:
		skip(r, kms_get_u16(r));
		return;
	default:
		skip(r, call->answer_size);
	}
}

bool kms_check_version(const struct kms_call *call, struct sr_error *err)
{
	if (call->response_len && call->response[0] == SR_TA_WIRE_VERSION)
		return true;
	return sr_fail(err, SR_E_CORRUPT, "the TA speaks another version of the wire than %d",
		       SR_TA_WIRE_VERSION);
}

/* ---- stopping ------------------------------------------------------------------ */

/* For good, whoever asks from now on: what is signed without a record, or behind a
 * record that contradicts the log, nobody could account for. */
bool kms_record_stop(struct kms_recorder *r, const struct sr_error *why)
{
	bool first = false;

	pthread_mutex_lock(&r->stop_lock);
	first = !atomic_load(&r->stopped);
	if (first) {
		r->why = *why;
		r->why.code = SR_E_UNAVAILABLE;
		atomic_store(&r->stopped, true);
	}
	pthread_mutex_unlock(&r->stop_lock);
	if (first)
		sr_log(SR_LOG_WARN, "kms", "nothing more is signed: %s", why->message);
	return false;
}

bool kms_record_check(struct kms_recorder *r, struct sr_error *err)
{
	if (!atomic_load(&r->stopped))
		return true;
	pthread_mutex_lock(&r->stop_lock);
	if (err)
		*err = r->why;
	pthread_mutex_unlock(&r->stop_lock);
	return false;
}

/* ---- the log ----------------------------------------------------------------- */

/* An empty log can begin with a BEGIN alone, which says what it is behind. Another record
 * stands in the midst of a chain that this instance of the TA has for another log. */
static bool check_first(struct kms_recorder *r, struct sr_bytes record, struct sr_error *err)
{
	struct sr_error why = { .code = SR_OK };
	struct audit_record first;
	struct audit_tail tail;

	audit_log_tail(r->log, &tail);
	if (!tail.empty ||
	    (audit_record_decode(record, &first, &why) && first.command == SR_TA_CMD_BEGIN))
		return true;
	sr_fail(&why, SR_E_CORRUPT,
		"the audit log is empty, and the TA goes on with another log's chain: put that "
		"back, "
		"or let the TA begin anew (restart the TEE)");
	if (err)
		*err = why;
	return kms_record_stop(r, &why);
}

/* Appends the records that the reader stands before. A full disk may be emptied; records
 * that do not continue the log are never going to. */
static bool take_records(struct kms_recorder *r, struct kms_reader *in, unsigned *count,
			 struct sr_error *err)
{
	struct sr_bytes records[SR_TA_RING_MAX];
	struct sr_error why = { .code = SR_OK };
	struct audit_tail tail;

	*count = kms_get_u16(in);
	if (*count > SR_TA_RING_MAX)
		return sr_fail(err, SR_E_CORRUPT, "the TA's answer brings %u records, over %d",
			       *count, SR_TA_RING_MAX);
	for (unsigned i = 0; i < *count; i++) {
		size_t len = kms_get_u8(in);

		records[i] = (struct sr_bytes){ in->data + in->at, len };
		skip(in, len);
	}
	if (in->failed || in->at != in->len)
		return sr_fail(err, SR_E_CORRUPT, "the TA's audit records are malformed");
	if (!*count)
		return true;
	if (!check_first(r, records[0], err))
		return false;
	r->behind = !audit_log_append(r->log, records, *count, &why);
	if (r->behind) {
		if (err)
			*err = why;
		return why.code == SR_E_CORRUPT ? kms_record_stop(r, &why) : false;
	}
	r->recorded = true;
	audit_log_tail(r->log, &tail);
	atomic_store(&r->tail, tail.seq);
	return true;
}

/* The log's own calls, which have no room of a caller's. */
struct kms_call kms_own_call(struct kms_recorder *r, uint32_t command, size_t answer_size)
{
	struct kms_call call = { .command = command,
				 .repeatable = true,
				 .items = 1,
				 .request = { .data = r->request, .size = sizeof(r->request) },
				 .response = r->response,
				 .response_size = 1 + answer_size + KMS_RECORDS_SIZE(8),
				 .answer_size = answer_size };

	kms_call_begin(&call);
	return call;
}

/* Runs one of them. With the lock: the response's records are in the log, too. */
bool kms_own_run(struct kms_recorder *r, struct kms_call *call, unsigned *records,
		 struct sr_error *err)
{
	struct kms_reader in = { 0 };
	struct audit_tail tail;

	audit_log_tail(r->log, &tail);
	kms_call_set_audited(call, tail.seq);
	if (!kms_pool_call(r->pool, call, err) || !kms_check_version(call, err))
		return false;
	in = (struct kms_reader){ .data = call->response, .len = call->response_len, .at = 1 };
	skip_answer(&in, call);
	/* BEGIN tells the key that the records' chain starts from */
	if (call->command == SR_TA_CMD_BEGIN && !in.failed &&
	    !audit_log_bind(r->log, call->response + 1, err))
		return false;
	return take_records(r, &in, records, err);
}

/* Fetches all that the TA still keeps: the records of refusals come with no response. */
bool kms_drain(struct kms_recorder *r, struct sr_error *err)
{
	unsigned count = 1;

	while (count) {
		struct kms_call call = kms_own_call(r, SR_TA_CMD_AUDIT_READ, KMS_STATE_ANSWER_SIZE);

		call.response_size = SR_TA_RESPONSE_MAX;
		if (!kms_own_run(r, &call, &count, err))
			return false;
	}
	return true;
}

/* A response with room for one more record has brought them all. One without may have left some
 * with the TA: of another process that could not take its own, or of before a full disk. */
bool kms_take_rest(struct kms_recorder *r, const struct kms_call *call, struct sr_error *err)
{
	if (call->response_size - call->response_len >= 1 + SR_TA_RECORD_MAX)
		return true;
	return kms_drain(r, err);
}

/* ---- calls ---------------------------------------------------------------------- */

/* Whether the call's failure is one that the next attempt can do without. */
static bool may_go_on(struct kms_recorder *r, TEEC_Result result, unsigned *begins, bool *drained,
		      struct sr_error *err)
{
	if (result == TEEC_ERROR_BAD_STATE && ++*begins < BEGINS_MAX) {
		r->begun = false;
		return true;
	}
	if (result == TEEC_ERROR_EXCESS_DATA && !*drained) {
		*drained = true;
		return kms_drain(r, err);
	}
	return false;
}

/* A refusal is recorded as a signature is. */
static void after_failure(struct kms_recorder *r, TEEC_Result result)
{
	struct sr_error err = { .code = SR_OK };

	if (result == TEEC_ERROR_TARGET_DEAD || result == TEEC_ERROR_COMMUNICATION)
		r->begun = false;
	else if (!kms_drain(r, &err))
		sr_log(SR_LOG_WARN, "kms", "the TA's records of a refusal: %s", err.message);
}

/* With the lock held. */
static bool call_and_record(struct kms_recorder *r, struct kms_call *call, struct sr_error *err)
{
	struct kms_reader in = { 0 };
	struct audit_tail tail;
	unsigned begins = 0;
	bool drained = false;

	for (;;) {
		if (!kms_begin_or_stop(r, err))
			return false;
		/* A disk that is still full is to cost no signature, and nothing of a budget. */
		if (r->behind && !kms_drain(r, err))
			return false;
		audit_log_tail(r->log, &tail);
		kms_call_set_audited(call, tail.seq);
		if (kms_pool_call(r->pool, call, err))
			break;
		if (may_go_on(r, call->result, &begins, &drained, err))
			continue;
		after_failure(r, call->result);
		return false;
	}
	in = (struct kms_reader){ .data = call->response, .len = call->response_len, .at = 1 };
	if (!kms_check_version(call, err))
		return false;
	skip_answer(&in, call);
	if (!take_records(r, &in, &begins, err) || !kms_take_rest(r, call, err))
		return false;
	kms_checkpoint_when_due(r);
	return true;
}

bool kms_record_call(struct kms_recorder *r, struct kms_call *call, struct sr_error *err)
{
	struct sr_error why = { .code = SR_OK };
	bool ok = false;

	if (!r->log || !is_recorded(call->command)) {
		kms_call_set_audited(call, r->log ? atomic_load(&r->tail) : SR_TA_NO_LOG);
		return kms_pool_call(r->pool, call, err) && kms_check_version(call, err);
	}
	if (!kms_record_check(r, err))
		return false;
	if (!audit_log_lock(r->log, NULL, &why)) {
		if (err)
			*err = why;
		return why.code == SR_E_CORRUPT ? kms_record_stop(r, &why) : false;
	}
	ok = call_and_record(r, call, err);
	audit_log_unlock(r->log);
	return ok;
}

bool kms_record_sync(struct kms_recorder *r, struct sr_error *err)
{
	struct sr_error why = { .code = SR_OK };

	if (!r->log || audit_log_sync(r->log, &why))
		return true;
	if (err)
		*err = why;
	return kms_record_stop(r, &why);
}

/* ---- life --------------------------------------------------------------------- */

bool kms_recorder_init(struct kms_recorder *r, struct kms_pool *pool, struct sr_error *err)
{
	const struct kms_config *config = pool->config;

	r->pool = pool;
	r->log = config->log;
	r->interval = config->audit_checkpoint_interval ? config->audit_checkpoint_interval
							: KMS_CHECKPOINT_INTERVAL;
	if (r->log && !(r->response = malloc(SR_TA_RESPONSE_MAX)))
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory for audit records");
	if (pthread_mutex_init(&r->stop_lock, NULL)) {
		free(r->response);
		return sr_fail(err, SR_E_INTERNAL, "no mutex for the audit log");
	}
	return true;
}

void kms_recorder_close(struct kms_recorder *r)
{
	struct sr_error err = { .code = SR_OK };
	bool ok = true;

	if (r->log && r->recorded && r->begun && !atomic_load(&r->stopped)) {
		ok = audit_log_lock(r->log, NULL, &err);
		if (ok) {
			ok = kms_checkpoint(r, true, &err);
			audit_log_unlock(r->log);
		}
		ok = ok && audit_log_sync(r->log, &err);
	}
	if (!ok)
		sr_log(SR_LOG_WARN, "kms", "no last checkpoint of the audit log: %s", err.message);
	pthread_mutex_destroy(&r->stop_lock);
	free(r->response);
}
