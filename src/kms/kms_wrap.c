/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that go into and out of the TA in envelopes, which stay shut here. */
#include "kms/envelope.h"
#include "kms/kms_private.h"

bool kms_import_wrapped(struct kms *kms, struct sr_bytes envelope, struct kms_key *out,
			struct sr_error *err)
{
	struct kms_admin *a = NULL;
	bool ok = false;

	if (envelope.len > SR_TA_ENVELOPE_MAX)
		return sr_fail(err, SR_E_INVALID, "envelope: expected at most %d bytes, got %zu",
			       SR_TA_ENVELOPE_MAX, envelope.len);
	/* not repeatable: an attempt whose answer was lost may have made the key */
	a = kms_admin_new(SR_TA_CMD_IMPORT_WRAPPED, false, NULL, err);
	if (!a)
		return false;
	kms_put_long(&a->call.request, envelope.data, envelope.len);
	kms_put_u64(&a->call.request, sr_time_unix_s());
	ok = kms_admin_call(kms, a, err);
	if (ok) {
		kms_get_key_info(&a->answer, out);
		ok = kms_admin_done(a, err);
	} else if (a->call.result == TEEC_ERROR_BAD_PARAMETERS) {
		sr_fail(err, SR_E_DENIED,
			"the envelope is not for this TEE: it was sealed to another transport key, "
			"or what it holds is no key");
	}
	kms_admin_free(a);
	return ok;
}

bool kms_export_wrapped(struct kms *kms, const char *id,
			const uint8_t recipient[static SR_TA_X25519_PUBLIC_SIZE],
			const uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE],
			uint8_t out[static SR_TA_ENVELOPE_MAX], size_t *len, struct sr_error *err)
{
	/* repeatable: each attempt makes an envelope of its own, and a record of its own */
	struct kms_admin *a = kms_admin_new(SR_TA_CMD_EXPORT_WRAPPED, true, id, err);
	bool ok = false;

	*len = 0;
	if (!a)
		return false;
	kms_put_text(&a->call.request, id);
	kms_put_bytes(&a->call.request, recipient, SR_TA_X25519_PUBLIC_SIZE);
	kms_put_bytes(&a->call.request, signature, SR_TA_OPERATOR_SIGNATURE_SIZE);
	ok = kms_admin_call(kms, a, err);
	if (ok) {
		*len = kms_get_long(&a->answer, out, SR_TA_ENVELOPE_MAX);
		ok = kms_admin_done(a, err);
	}
	kms_admin_free(a);
	return ok;
}
