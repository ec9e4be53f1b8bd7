/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binding the audit log to the TA's chain, and the TA's signature under it. The TA judges whether
 * the two go together; what is made here of its no is a message that an operator can act on.
 */
#include <string.h>

#include "kms/kms_private.h"

#define BEGIN_ANSWER_SIZE (SR_TA_SECP256K1_PUBLIC_SIZE + 8 + 8 + SR_TA_HEAD_SIZE + 1)
#define CHECKPOINT_ANSWER_SIZE (SR_TA_CHECKPOINT_SIZE + SR_TA_SECP256K1_SIGNATURE_SIZE)

static void read_state(struct kms_reader *in, struct kms_audit_state *out)
{
	kms_get_bytes(in, out->public_key, sizeof(out->public_key));
	out->generation = kms_get_u64(in);
	out->last = kms_get_u64(in);
	out->next = kms_get_u64(in);
	kms_get_bytes(in, out->head, sizeof(out->head));
	out->begun = kms_get_u8(in) != 0;
}

/* ---- BEGIN --------------------------------------------------------------------- */

static bool state_of_ta(struct kms_recorder *r, struct kms_audit_state *out)
{
	struct kms_call call = kms_own_call(r, SR_TA_CMD_AUDIT_READ, KMS_STATE_ANSWER_SIZE);
	struct kms_reader in = { 0 };
	struct sr_error ignored = { .code = SR_OK };

	memset(out, 0, sizeof(*out));
	kms_call_set_audited(&call, 0);
	if (!kms_pool_call(r->pool, &call, &ignored) || !kms_check_version(&call, &ignored))
		return false;
	in = (struct kms_reader){ .data = call.response, .len = call.response_len, .at = 1 };
	read_state(&in, out);
	return !in.failed;
}

/* Which of the two is older, as far as their numbers tell. */
static bool fail_contradiction(struct kms_recorder *r, struct sr_error *err)
{
	struct kms_audit_state ta;
	struct audit_tail log;
	const char *what = "the audit log and the TEE's storage contradict each other";

	audit_log_tail(r->log, &log);
	if (state_of_ta(r, &ta)) {
		if (log.generation > ta.generation || log.seq > ta.last)
			what = "the TEE's storage is older than the audit log: an old copy was put "
			       "back";
		else
			what = "the audit log is older than the TEE's storage: it was cut or put "
			       "back";
	}
	sr_fail(err, SR_E_CORRUPT,
		"%s (log: record %llu, generation %llu; TEE: %llu, %llu). To go on: 'super-relay "
		"operator sign begin', then 'super-relay audit accept'; where there is no "
		"operator, put the log aside",
		what, (unsigned long long)log.seq, (unsigned long long)log.generation,
		(unsigned long long)ta.last, (unsigned long long)ta.generation);
	return false;
}

/* With the lock held. signature: the operator's, or NULL. */
static bool begin(struct kms_recorder *r, const uint8_t *signature, struct sr_error *err)
{
	struct kms_call call = kms_own_call(r, SR_TA_CMD_BEGIN, BEGIN_ANSWER_SIZE);
	struct sr_error why = { .code = SR_OK };
	struct audit_tail tail;
	uint8_t entropy[SR_TA_HOST_ENTROPY_SIZE] = { 0 };
	unsigned records = 0;

	/* The TA takes the tail for durable: a log that ends before it is refused from then on. */
	if (!audit_log_sync(r->log, err) || !kms_host_entropy(entropy, err))
		return false;
	audit_log_tail(r->log, &tail);
	kms_put_u64(&call.request, sr_time_unix_s());
	kms_put_bytes(&call.request, entropy, sizeof(entropy));
	sr_wipe(entropy, sizeof(entropy));
	kms_put_u64(&call.request, tail.seq);
	kms_put_u64(&call.request, tail.generation);
	kms_put_bytes(&call.request, tail.head, sizeof(tail.head));
	kms_put_u8(&call.request, signature != NULL);
	if (signature)
		kms_put_bytes(&call.request, signature, SR_TA_OPERATOR_SIGNATURE_SIZE);
	r->begun = kms_own_run(r, &call, &records, &why) && kms_take_rest(r, &call, &why);
	sr_wipe(r->request, sizeof(r->request));
	if (r->begun)
		return true;
	if (err)
		*err = why;
	return call.result == TEEC_ERROR_SECURITY && !signature ? fail_contradiction(r, err)
								: false;
}

/* What contradicts itself now will do so the next time: the KMS stops. */
bool kms_begin_or_stop(struct kms_recorder *r, struct sr_error *err)
{
	struct sr_error why = { .code = SR_OK };

	if (r->begun || begin(r, NULL, &why))
		return true;
	if (err)
		*err = why;
	return why.code == SR_E_CORRUPT ? kms_record_stop(r, &why) : false;
}

/* ---- checkpoints ------------------------------------------------------------- */

/* The instance may have been renewed since the last call. */
bool kms_checkpoint(struct kms_recorder *r, bool store, struct sr_error *err)
{
	unsigned records = 0;

	for (bool again = true;; again = false) {
		struct kms_call call =
			kms_own_call(r, SR_TA_CMD_CHECKPOINT, CHECKPOINT_ANSWER_SIZE);

		/* What is called audited here the TA takes for durable, as with BEGIN. */
		if (!audit_log_sync(r->log, err))
			return false;
		kms_put_u8(&call.request, store);
		if (kms_own_run(r, &call, &records, err))
			return audit_log_append_checkpoint(
				r->log, call.response + 1,
				call.response + 1 + SR_TA_CHECKPOINT_SIZE, err);
		/* It signs for a log that holds all of its chain. */
		if (again && call.result == TEEC_ERROR_EXCESS_DATA && kms_drain(r, err))
			continue;
		r->begun = r->begun && call.result != TEEC_ERROR_BAD_STATE;
		if (!again || r->begun || !kms_begin_or_stop(r, err))
			return false;
	}
}

/* A log without its latest checkpoint proves less, and is no reason to refuse a signature. */
void kms_checkpoint_when_due(struct kms_recorder *r)
{
	struct sr_error err = { .code = SR_OK };
	struct audit_tail tail;

	audit_log_tail(r->log, &tail);
	if (tail.seq - tail.checkpoint_seq < r->interval || tail.seq < r->next_checkpoint)
		return;
	if (kms_checkpoint(r, false, &err))
		return;
	r->next_checkpoint = tail.seq + r->interval;
	sr_log(SR_LOG_WARN, "kms", "no checkpoint of the audit log: %s", err.message);
}

/* ---- what others ask of the log ------------------------------------------------- */

/* Where there is no log the TA's chain begins from what it has stored. */
static bool begin_without_log(struct kms *kms, struct sr_error *err)
{
	static const uint8_t no_tail[8 + 8 + SR_TA_HEAD_SIZE];
	struct kms_admin *a = kms_admin_new(SR_TA_CMD_BEGIN, true, NULL, err);
	uint8_t entropy[SR_TA_HOST_ENTROPY_SIZE] = { 0 };
	bool ok = a && kms_host_entropy(entropy, err);

	if (ok) {
		a->call.answer_size = BEGIN_ANSWER_SIZE;
		kms_put_u64(&a->call.request, sr_time_unix_s());
		kms_put_bytes(&a->call.request, entropy, sizeof(entropy));
		kms_put_bytes(&a->call.request, no_tail, sizeof(no_tail));
		kms_put_u8(&a->call.request, 0);
		ok = kms_admin_call(kms, a, err);
	}
	sr_wipe(entropy, sizeof(entropy));
	kms_admin_free(a);
	return ok;
}

bool kms_audit_begin(struct kms *kms, struct sr_error *err)
{
	struct kms_recorder *r = &kms->recorder;
	bool ok = false;

	if (!r->log)
		return begin_without_log(kms, err);
	if (!kms_record_check(r, err) || !audit_log_lock(r->log, NULL, err))
		return false;
	ok = kms_begin_or_stop(r, err);
	audit_log_unlock(r->log);
	return ok && kms_record_sync(r, err);
}

bool kms_audit_accept(struct kms *kms,
		      const uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE],
		      struct sr_error *err)
{
	struct kms_recorder *r = &kms->recorder;
	bool ok = false;

	if (!r->log)
		return sr_fail(err, SR_E_INVALID, "there is no audit log: audit_logging is off");
	if (!audit_log_lock(r->log, NULL, err))
		return false;
	ok = begin(r, signature, err);
	audit_log_unlock(r->log);
	return ok && kms_record_sync(r, err);
}

bool kms_audit_checkpoint(struct kms *kms, struct sr_error *err)
{
	struct kms_recorder *r = &kms->recorder;
	bool ok = false;

	if (!r->log)
		return sr_fail(err, SR_E_INVALID, "there is no audit log: audit_logging is off");
	if (!kms_audit_begin(kms, err) || !audit_log_lock(r->log, NULL, err))
		return false;
	ok = kms_checkpoint(r, false, err);
	audit_log_unlock(r->log);
	return ok && kms_record_sync(r, err);
}

/* An instance that has not begun has not read its storage, and knows nothing of itself:
 * an attempt makes it, whether or not the log pleases it. */
void kms_try_to_begin(struct kms *kms, struct audit_tail *tail)
{
	struct kms_recorder *r = &kms->recorder;
	struct sr_error ignored = { .code = SR_OK };
	bool begun = false;

	memset(tail, 0, sizeof(*tail));
	if (!r->log) {
		begun = begin_without_log(kms, &ignored);
	} else if (audit_log_lock(r->log, NULL, &ignored)) {
		begun = r->begun || begin(r, NULL, &ignored);
		audit_log_tail(r->log, tail);
		audit_log_unlock(r->log);
	}
	if (!begun)
		sr_log(SR_LOG_DEBUG, "kms", "BEGIN: %s", ignored.message);
}

bool kms_audit_state(struct kms *kms, struct kms_audit_state *out, struct audit_tail *tail,
		     struct sr_error *err)
{
	struct kms_admin *a = kms_admin_new(SR_TA_CMD_AUDIT_READ, true, NULL, err);
	bool ok = false;

	memset(out, 0, sizeof(*out));
	if (!a)
		return false;
	kms_try_to_begin(kms, tail);
	ok = kms_admin_call(kms, a, err);
	if (ok) {
		read_state(&a->answer, out);
		ok = kms_admin_done(a, err);
	}
	kms_admin_free(a);
	return ok;
}
