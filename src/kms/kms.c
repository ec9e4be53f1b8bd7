/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "kms/kms_private.h"

struct kms {
	struct kms_config config;
	struct kms_pool pool;
	struct kms_signer signer;
};

#define ADMIN_REQUEST_MAX (SR_TA_MESSAGE_MAX + 256)
/* Enough for one key info, and for GET_INFO. */
#define ADMIN_RESPONSE_SIZE 512

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
	if (!kms_pool_open(&kms->pool, &kms->config, err)) {
		free(kms);
		return false;
	}
	if (!kms_signer_init(&kms->signer, &kms->pool, err)) {
		kms_pool_close(&kms->pool);
		free(kms);
		return false;
	}
	*out = kms;
	return true;
}

void kms_close(struct kms *kms, unsigned drain_ms)
{
	if (!kms)
		return;
	kms_signer_close(&kms->signer, drain_ms);
	kms_pool_close(&kms->pool);
	free(kms);
}

/* An administrative call's memory: one request, one response. */
struct admin {
	struct kms_call call;
	struct kms_reader answer;
	uint8_t request[ADMIN_REQUEST_MAX];
	uint8_t response[SR_TA_RESPONSE_MAX];
};

static struct admin *admin_new(uint32_t command, bool repeatable, struct sr_error *err)
{
	struct admin *a = calloc(1, sizeof(*a));

	if (!a) {
		sr_fail(err, SR_E_NO_MEMORY, "out of memory for a TA call");
		return NULL;
	}
	a->call = (struct kms_call){ .command = command,
				     .repeatable = repeatable,
				     .items = 1,
				     .request = { .data = a->request, .size = sizeof(a->request) },
				     .response = a->response,
				     .response_size = ADMIN_RESPONSE_SIZE };
	kms_put_u8(&a->call.request, SR_TA_WIRE_VERSION);
	return a;
}

/* The request may have carried a secret. */
static void admin_free(struct admin *a)
{
	sr_wipe(a, sizeof(*a));
	free(a);
}

static bool admin_call(struct kms *kms, struct admin *a, struct sr_error *err)
{
	if (!kms_pool_call(&kms->pool, &a->call, err))
		return false;
	a->answer = (struct kms_reader){ .data = a->response, .len = a->call.response_len };
	if (kms_get_u8(&a->answer) != SR_TA_WIRE_VERSION || a->answer.failed)
		return sr_fail(err, SR_E_CORRUPT,
			       "the TA speaks another version of the wire than %d",
			       SR_TA_WIRE_VERSION);
	return true;
}

static bool admin_done(const struct admin *a, struct sr_error *err)
{
	if (kms_reader_done(&a->answer))
		return true;
	return sr_fail(err, SR_E_CORRUPT, "the TA's answer to command %u is malformed",
		       (unsigned)a->call.command);
}

/* Runs a prepared call whose answer is one key info, and frees it. */
static bool finish_key_call(struct kms *kms, struct admin *a, struct kms_key *out,
			    struct sr_error *err)
{
	bool ok = admin_call(kms, a, err);

	if (ok) {
		kms_get_key_info(&a->answer, out);
		ok = admin_done(a, err);
	}
	admin_free(a);
	return ok;
}

static struct admin *new_key_call(uint32_t command, const char *id, uint8_t algorithm,
				  uint32_t usage, struct sr_error *err)
{
	struct admin *a = NULL;

	if (!kms_key_id_check(id, err))
		return NULL;
	/* not repeatable: an attempt whose answer was lost may have made the key */
	a = admin_new(command, false, err);
	if (!a)
		return NULL;
	a->call.key_id = id;
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
	struct admin *a = NULL;

	if (!kms_host_entropy(entropy, err))
		return false;
	a = new_key_call(SR_TA_CMD_GENERATE_KEY, id, algorithm, usage, err);
	if (a)
		kms_put_bytes(&a->call.request, entropy, sizeof(entropy));
	sr_wipe(entropy, sizeof(entropy));
	return a && finish_key_call(kms, a, out, err);
}

bool kms_import_key(struct kms *kms, const char *id, uint8_t algorithm, uint32_t usage,
		    const uint8_t secret[static SR_TA_SECRET_SIZE], struct kms_key *out,
		    struct sr_error *err)
{
	struct admin *a = new_key_call(SR_TA_CMD_IMPORT_KEY, id, algorithm, usage, err);

	if (!a)
		return false;
	kms_put_bytes(&a->call.request, secret, SR_TA_SECRET_SIZE);
	return finish_key_call(kms, a, out, err);
}

bool kms_get_key(struct kms *kms, const char *id, struct kms_key *out, struct sr_error *err)
{
	struct admin *a = NULL;

	if (!kms_key_id_check(id, err))
		return false;
	a = admin_new(SR_TA_CMD_GET_PUBLIC_KEY, true, err);
	if (!a)
		return false;
	a->call.key_id = id;
	kms_put_text(&a->call.request, id);
	return finish_key_call(kms, a, out, err);
}

bool kms_delete_key(struct kms *kms, const char *id, struct sr_error *err)
{
	struct admin *a = NULL;
	bool ok = false;

	if (!kms_key_id_check(id, err))
		return false;
	a = admin_new(SR_TA_CMD_DELETE_KEY, false, err);
	if (!a)
		return false;
	a->call.key_id = id;
	kms_put_text(&a->call.request, id);
	ok = admin_call(kms, a, err) && admin_done(a, err);
	admin_free(a);
	return ok;
}

/* One page of the list, after the id given; *more tells whether others follow. */
static bool list_page(struct kms *kms, const char *after, struct kms_key *out, size_t max,
		      size_t *count, bool *more, struct sr_error *err)
{
	struct admin *a = admin_new(SR_TA_CMD_LIST_KEYS, true, err);
	unsigned in_page = 0;
	bool ok = false;

	if (!a)
		return false;
	a->call.response_size = sizeof(a->response);
	kms_put_text(&a->call.request, after);
	ok = admin_call(kms, a, err);
	if (ok) {
		*more = kms_get_u8(&a->answer) != 0;
		in_page = kms_get_u8(&a->answer);
	}
	for (unsigned i = 0; ok && i < in_page; i++) {
		struct kms_key spare;

		kms_get_key_info(&a->answer, *count < max ? &out[*count] : &spare);
		(*count)++;
	}
	ok = ok && admin_done(a, err);
	if (ok && *more && !in_page)
		ok = sr_fail(err, SR_E_CORRUPT, "the TA's key list does not end");
	admin_free(a);
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
	struct admin *a = admin_new(SR_TA_CMD_GET_INFO, true, err);
	bool ok = false;

	memset(out, 0, sizeof(*out));
	if (!a)
		return false;
	ok = admin_call(kms, a, err);
	if (ok) {
		out->major = kms_get_u8(&a->answer);
		out->minor = kms_get_u8(&a->answer);
		out->patch = kms_get_u8(&a->answer);
		out->features = kms_get_u32(&a->answer);
		out->anti_rollback = kms_get_u32(&a->answer);
		out->keys = kms_get_u16(&a->answer);
		out->keys_max = kms_get_u16(&a->answer);
		out->batch_max = kms_get_u8(&a->answer);
		kms_get_text(&a->answer, out->implementation, sizeof(out->implementation));
		ok = admin_done(a, err);
	}
	admin_free(a);
	return ok;
}

/* A prepared SIGN_MESSAGE: one or more signatures of the given size. */
static bool finish_sign_call(struct kms *kms, struct admin *a, size_t count, size_t size,
			     uint8_t *out, struct sr_error *err)
{
	bool ok = admin_call(kms, a, err);

	if (ok && kms_get_u8(&a->answer) != count)
		ok = sr_fail(err, SR_E_CORRUPT, "the TA signed another number than %zu", count);
	if (ok) {
		kms_get_bytes(&a->answer, out, count * size);
		ok = admin_done(a, err);
	}
	admin_free(a);
	return ok;
}

static struct admin *new_sign_call(const char *id, size_t count, size_t signature_size,
				   struct sr_error *err)
{
	struct admin *a = NULL;

	if (!kms_key_id_check(id, err))
		return NULL;
	a = admin_new(SR_TA_CMD_SIGN_MESSAGE, true, err);
	if (!a)
		return NULL;
	a->call.key_id = id;
	a->call.items = (unsigned)count;
	a->call.response_size = 2 + count * signature_size;
	kms_put_text(&a->call.request, id);
	kms_put_u8(&a->call.request, (uint8_t)count);
	return a;
}

bool kms_sign_digests(struct kms *kms, const char *id, const uint8_t *digests, size_t count,
		      uint8_t *signatures, struct sr_error *err)
{
	struct admin *a = NULL;

	if (!count || count > SR_TA_BATCH_MAX)
		return sr_fail(err, SR_E_LIMIT, "digests: expected 1 to %d, got %zu",
			       SR_TA_BATCH_MAX, count);
	a = new_sign_call(id, count, SR_TA_SECP256K1_SIGNATURE_SIZE, err);
	if (!a)
		return false;
	kms_put_bytes(&a->call.request, digests, count * 32);
	return finish_sign_call(kms, a, count, SR_TA_SECP256K1_SIGNATURE_SIZE, signatures, err);
}

bool kms_sign_ed25519(struct kms *kms, const char *id, struct sr_bytes message,
		      uint8_t signature[static SR_TA_ED25519_SIGNATURE_SIZE], struct sr_error *err)
{
	struct admin *a = NULL;

	if (message.len > SR_TA_MESSAGE_MAX)
		return sr_fail(err, SR_E_LIMIT, "message: expected at most %d bytes, got %zu",
			       SR_TA_MESSAGE_MAX, message.len);
	a = new_sign_call(id, 1, SR_TA_ED25519_SIGNATURE_SIZE, err);
	if (!a)
		return false;
	kms_put_u16(&a->call.request, (uint16_t)message.len);
	kms_put_bytes(&a->call.request, message.data, message.len);
	return finish_sign_call(kms, a, 1, SR_TA_ED25519_SIGNATURE_SIZE, signature, err);
}

bool kms_sign_sponsorship(struct kms *kms, struct kms_request *request, struct sr_error *err)
{
	return kms_key_id_check(request->key_id, err) &&
	       kms_signer_submit(&kms->signer, request, err);
}

unsigned kms_sessions(const struct kms *kms)
{
	return atomic_load(&kms->pool.open);
}

unsigned kms_queue_depth(const struct kms *kms)
{
	return atomic_load(&kms->signer.depth);
}
