/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "kms/kms_private.h"

bool kms_key_id_check(const char *id, struct sr_error *err)
{
	size_t len = strlen(id);

	if (!len || len > SR_TA_KEY_ID_MAX)
		return sr_fail(err, SR_E_INVALID, "key id: expected 1 to %d characters, got %zu",
			       SR_TA_KEY_ID_MAX, len);
	for (size_t i = 0; i < len; i++) {
		char c = id[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
		      c == '.' || c == '_' || c == '-'))
			return sr_fail(err, SR_E_INVALID,
				       "key id: character %zu is not one of A-Z a-z 0-9 . _ -",
				       i + 1);
	}
	return true;
}

static bool check_range(struct sr_error *err, const char *name, unsigned value, unsigned min,
			unsigned max)
{
	if (value >= min && value <= max)
		return true;
	return sr_fail(err, SR_E_INVALID, "%s: expected %u to %u, got %u", name, min, max, value);
}

static bool check_config(const struct kms_config *c, struct sr_error *err)
{
	return check_range(err, "connection_pool_size", c->pool_size, 1, 64) &&
	       check_range(err, "batch_size", c->batch_size, 1, SR_TA_BATCH_MAX) &&
	       check_range(err, "min_batch", c->min_batch, 1, c->batch_size) &&
	       check_range(err, "batch_timeout", c->batch_timeout_us, 0, 1000000) &&
	       check_range(err, "max_retries", c->max_retries, 0, 10) &&
	       check_range(err, "queue_limit", c->queue_limit, 1, 1000000);
}

bool kms_open(const struct kms_config *config, struct kms **out, struct sr_error *err)
{
	struct kms *kms = NULL;

	*out = NULL;
	if (!check_config(config, err))
		return false;
	kms = calloc(1, sizeof(*kms));
	if (!kms)
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory for the KMS");
	kms->config = *config;
	if (!kms_pool_open(&kms->pool, &kms->config, err))
		goto free_kms;
	if (!kms_recorder_init(&kms->recorder, &kms->pool, err))
		goto close_pool;
	if (!kms_signer_init(&kms->signer, &kms->pool, &kms->recorder, err))
		goto close_recorder;
	*out = kms;
	return true;
close_recorder:
	kms_recorder_close(&kms->recorder);
close_pool:
	kms_pool_close(&kms->pool);
free_kms:
	free(kms);
	return false;
}

/* The signer first: what it still signs belongs before the last checkpoint. */
void kms_close(struct kms *kms, unsigned drain_ms)
{
	if (!kms)
		return;
	kms_signer_close(&kms->signer, drain_ms);
	kms_recorder_close(&kms->recorder);
	audit_log_close(kms->config.log);
	kms_pool_close(&kms->pool);
	free(kms);
}

static struct kms_admin *new_key_call(uint32_t command, const char *id, uint8_t algorithm,
				      uint32_t usage, struct sr_error *err)
{
	/* not repeatable: an attempt whose answer was lost may have made the key */
	struct kms_admin *a = kms_admin_new(command, false, id, err);

	if (!a)
		return NULL;
	kms_put_u8(&a->call.request, algorithm);
	kms_put_u32(&a->call.request, usage);
	kms_put_text(&a->call.request, id);
	kms_put_u64(&a->call.request, sr_time_unix_s());
	return a;
}

bool kms_generate_key(struct kms *kms, const char *id, uint8_t algorithm, uint32_t usage,
		      struct kms_key *out, struct sr_error *err)
{
	uint8_t entropy[SR_TA_HOST_ENTROPY_SIZE] = { 0 };
	struct kms_admin *a = NULL;

	if (!kms_host_entropy(entropy, err))
		return false;
	a = new_key_call(SR_TA_CMD_GENERATE_KEY, id, algorithm, usage, err);
	if (a)
		kms_put_bytes(&a->call.request, entropy, sizeof(entropy));
	sr_wipe(entropy, sizeof(entropy));
	return a && kms_admin_finish_key(kms, a, out, err);
}

bool kms_import_key(struct kms *kms, const char *id, uint8_t algorithm, uint32_t usage,
		    const uint8_t secret[static SR_TA_SECRET_SIZE], struct kms_key *out,
		    struct sr_error *err)
{
	struct kms_admin *a = new_key_call(SR_TA_CMD_IMPORT_KEY, id, algorithm, usage, err);

	if (!a)
		return false;
	kms_put_bytes(&a->call.request, secret, SR_TA_SECRET_SIZE);
	return kms_admin_finish_key(kms, a, out, err);
}

bool kms_get_key(struct kms *kms, const char *id, struct kms_key *out, struct sr_error *err)
{
	struct kms_admin *a = kms_admin_new(SR_TA_CMD_GET_PUBLIC_KEY, true, id, err);

	if (!a)
		return false;
	kms_put_text(&a->call.request, id);
	return kms_admin_finish_key(kms, a, out, err);
}

bool kms_delete_key(struct kms *kms, const char *id, struct sr_error *err)
{
	struct kms_admin *a = kms_admin_new(SR_TA_CMD_DELETE_KEY, false, id, err);

	if (!a)
		return false;
	kms_put_text(&a->call.request, id);
	return kms_admin_finish(kms, a, err);
}

/* One page of the list, after the id given; *more tells whether others follow. */
static bool list_page(struct kms *kms, const char *after, struct kms_key *out, size_t max,
		      size_t *count, bool *more, struct sr_error *err)
{
	struct kms_admin *a = kms_admin_new(SR_TA_CMD_LIST_KEYS, true, NULL, err);
	unsigned in_page = 0;
	bool ok = false;

	if (!a)
		return false;
	a->call.response_size = sizeof(a->response);
	kms_put_text(&a->call.request, after);
	ok = kms_admin_call(kms, a, err);
	if (ok) {
		*more = kms_get_u8(&a->answer) != 0;
		in_page = kms_get_u8(&a->answer);
	}
	for (unsigned i = 0; ok && i < in_page; i++) {
		struct kms_key spare;

		kms_get_key_info(&a->answer, *count < max ? &out[*count] : &spare);
		(*count)++;
	}
	ok = ok && kms_admin_done(a, err);
	if (ok && *more && !in_page)
		ok = sr_fail(err, SR_E_CORRUPT, "the TA's key list does not end");
	kms_admin_free(a);
	return ok;
}

bool kms_list_keys(struct kms *kms, struct kms_key *out, size_t max, size_t *count,
		   struct sr_error *err)
{
	char after[KMS_KEY_ID_SIZE] = "";
	bool more = true;

	*count = 0;
	while (more) {
		if (!list_page(kms, after, out, max, count, &more, err))
			return false;
		if (*count >= max)
			return true;
		if (more)
			memcpy(after, out[*count - 1].id, sizeof(after));
	}
	return true;
}

bool kms_get_info(struct kms *kms, struct kms_info *out, struct sr_error *err)
{
	struct kms_admin *a = kms_admin_new(SR_TA_CMD_GET_INFO, true, NULL, err);
	bool ok = false;

	memset(out, 0, sizeof(*out));
	if (!a)
		return false;
	ok = kms_admin_call(kms, a, err);
	if (ok) {
		out->major = kms_get_u8(&a->answer);
		out->minor = kms_get_u8(&a->answer);
		out->patch = kms_get_u8(&a->answer);
		out->features = kms_get_u32(&a->answer);
		out->anti_rollback = kms_get_u32(&a->answer);
		out->system_time_level = kms_get_u32(&a->answer);
		out->keys = kms_get_u16(&a->answer);
		out->keys_max = kms_get_u16(&a->answer);
		out->batch_max = kms_get_u8(&a->answer);
		kms_get_text(&a->answer, out->implementation, sizeof(out->implementation));
		ok = kms_admin_done(a, err);
	}
	kms_admin_free(a);
	return ok;
}

static bool submit(struct kms *kms, struct kms_request *request, struct sr_error *err)
{
	size_t size = kms_request_size(request);

	if (!kms_key_id_check(request->key_id, err))
		return false;
	if (!kms_check(kms, err)) {
		kms_hide_log_error(err);
		return false;
	}
	/* one that no call can carry must not spoil the batch it would be in */
	if (request->kind == KMS_SPONSORSHIP && request->sponsorship.data_len > UINT8_MAX)
		return sr_fail(err, SR_E_INVALID,
			       "paymaster data: expected at most %d bytes, got %zu", UINT8_MAX,
			       request->sponsorship.data_len);
	if (size > KMS_REQUEST_ITEM_MAX)
		return sr_fail(err, SR_E_INVALID,
			       "what is to be signed takes %zu bytes, the TA takes at most %zu",
			       size, (size_t)KMS_REQUEST_ITEM_MAX);
	return kms_signer_submit(&kms->signer, request, err);
}

bool kms_sign_sponsorship(struct kms *kms, struct kms_request *request, struct sr_error *err)
{
	request->kind = KMS_SPONSORSHIP;
	return submit(kms, request, err);
}

bool kms_sign_transaction(struct kms *kms, struct kms_request *request, struct sr_error *err)
{
	request->kind = KMS_TRANSACTION;
	return submit(kms, request, err);
}

bool kms_check(struct kms *kms, struct sr_error *err)
{
	return kms_record_check(&kms->recorder, err);
}

unsigned kms_sessions(const struct kms *kms)
{
	return atomic_load(&kms->pool.open);
}

unsigned kms_queue_depth(const struct kms *kms)
{
	return atomic_load(&kms->signer.depth);
}

bool kms_audit_figures(const struct kms *kms, struct audit_figures *out)
{
	if (!kms->config.log)
		return false;
	audit_log_figures(kms->config.log, out);
	return true;
}
