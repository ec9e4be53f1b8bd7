/* SPDX-License-Identifier: Apache-2.0 */
/* SIGN_MESSAGE: bytes of the caller's choice, by keys made for it. */
#include "kms/kms_private.h"

/* A prepared SIGN_MESSAGE: one or more signatures of the given size. */
static bool finish_sign_call(struct kms *kms, struct kms_admin *a, size_t count, size_t size,
			     uint8_t *out, struct sr_error *err)
{
	bool ok = kms_admin_call(kms, a, err);

	if (ok && kms_get_u8(&a->answer) != count)
		ok = sr_fail(err, SR_E_CORRUPT, "the TA signed another number than %zu", count);
	if (ok) {
		kms_get_bytes(&a->answer, out, count * size);
		ok = kms_admin_done(a, err);
	}
	kms_admin_free(a);
	return ok;
}

static struct kms_admin *new_sign_call(const char *id, size_t count, size_t signature_size,
				       struct sr_error *err)
{
	struct kms_admin *a = kms_admin_new(SR_TA_CMD_SIGN_MESSAGE, true, id, err);

	if (!a)
		return NULL;
	a->call.items = (unsigned)count;
	a->call.answer_size = 1 + count * signature_size;
	a->call.response_size = 1 + a->call.answer_size + KMS_RECORDS_SIZE(count);
	kms_put_text(&a->call.request, id);
	kms_put_u8(&a->call.request, (uint8_t)count);
	return a;
}

bool kms_sign_digests(struct kms *kms, const char *id, const uint8_t *digests, size_t count,
		      uint8_t *signatures, struct sr_error *err)
{
	struct kms_admin *a = NULL;

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
	struct kms_admin *a = NULL;

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
