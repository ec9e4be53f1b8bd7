/* SPDX-License-Identifier: Apache-2.0 */
/* What an operator does to a TA and its keys: provisioning, policies, rotation, attestation. */
#include <string.h>

#include "kms/kms_private.h"

/* statement, signature and evidence, each with its length */
#define ATTEST_ANSWER_SIZE \
	(2 + KMS_STATEMENT_MAX + SR_TA_SECP256K1_SIGNATURE_SIZE + 2 + SR_TA_EVIDENCE_MAX)

bool kms_provision(struct kms *kms, const struct kms_provision *p,
		   const uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE],
		   struct sr_error *err)
{
	/* not repeatable: a second attempt would find the first one's and call it a conflict */
	struct kms_admin *a = kms_admin_new(SR_TA_CMD_PROVISION, false, NULL, err);

	if (!a)
		return false;
	kms_put_bytes(&a->call.request, p->operator_key, sizeof(p->operator_key));
	kms_put_u32(&a->call.request, p->flags);
	kms_put_u8(&a->call.request, (uint8_t)p->group_count);
	for (unsigned i = 0; i < p->group_count && i < SR_TA_GROUPS_MAX; i++)
		kms_put_bytes(&a->call.request, p->groups[i], sizeof(p->groups[i]));
	kms_put_bytes(&a->call.request, signature, SR_TA_OPERATOR_SIGNATURE_SIZE);
	return kms_admin_finish(kms, a, err);
}

bool kms_set_policy(struct kms *kms, const char *id, uint32_t version, struct sr_bytes policy,
		    const uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE],
		    struct kms_key *out, struct sr_error *err)
{
	struct kms_admin *a = kms_admin_new(SR_TA_CMD_SET_POLICY, false, id, err);

	if (!a)
		return false;
	kms_put_text(&a->call.request, id);
	kms_put_u32(&a->call.request, version);
	kms_put_long(&a->call.request, policy.data, policy.len);
	kms_put_bytes(&a->call.request, signature, SR_TA_OPERATOR_SIGNATURE_SIZE);
	return kms_admin_finish_key(kms, a, out, err);
}

bool kms_get_policy(struct kms *kms, const char *id, struct kms_policy *out, struct sr_error *err)
{
	struct kms_admin *a = kms_admin_new(SR_TA_CMD_GET_POLICY, true, id, err);
	bool ok = false;

	memset(out, 0, sizeof(*out));
	if (!a)
		return false;
	kms_put_text(&a->call.request, id);
	ok = kms_admin_call(kms, a, err);
	if (ok) {
		out->version = kms_get_u32(&a->answer);
		out->policy_len = kms_get_long(&a->answer, out->policy, sizeof(out->policy));
		kms_get_bytes(&a->answer, out->signature, sizeof(out->signature));
		kms_get_bytes(&a->answer, out->spent, sizeof(out->spent));
		out->operations = kms_get_u32(&a->answer);
		ok = kms_admin_done(a, err);
	}
	kms_admin_free(a);
	return ok;
}

bool kms_rotate_key(struct kms *kms, const char *id, const char *new_id, struct kms_key *out,
		    struct sr_error *err)
{
	uint8_t entropy[SR_TA_HOST_ENTROPY_SIZE] = { 0 };
	struct kms_admin *a = NULL;

	if (!kms_key_id_check(new_id, err) || !kms_host_entropy(entropy, err))
		return false;
	a = kms_admin_new(SR_TA_CMD_ROTATE_KEY, false, id, err);
	if (a) {
		kms_put_text(&a->call.request, id);
		kms_put_text(&a->call.request, new_id);
		kms_put_u64(&a->call.request, sr_time_unix_s());
		kms_put_bytes(&a->call.request, entropy, sizeof(entropy));
	}
	sr_wipe(entropy, sizeof(entropy));
	return a && kms_admin_finish_key(kms, a, out, err);
}

bool kms_attest(struct kms *kms, const char *id, const uint8_t nonce[static KMS_NONCE_SIZE],
		bool platform, struct kms_attestation *out, struct sr_error *err)
{
	struct kms_admin *a = kms_admin_new(SR_TA_CMD_ATTEST, true, id, err);
	struct audit_tail tail;
	bool ok = false;

	memset(out, 0, sizeof(*out));
	if (!a)
		return false;
	/* the first BEGIN makes the key that attests */
	kms_try_to_begin(kms, &tail);
	a->call.response_size = 1 + ATTEST_ANSWER_SIZE + KMS_RECORDS_SIZE(0);
	kms_put_bytes(&a->call.request, nonce, KMS_NONCE_SIZE);
	kms_put_text(&a->call.request, id ? id : "");
	kms_put_u8(&a->call.request, platform);
	ok = kms_admin_call(kms, a, err);
	if (ok) {
		out->statement_len =
			kms_get_long(&a->answer, out->statement, sizeof(out->statement));
		kms_get_bytes(&a->answer, out->signature, sizeof(out->signature));
		out->evidence_len = kms_get_long(&a->answer, out->evidence, sizeof(out->evidence));
		ok = kms_admin_done(a, err);
	}
	kms_admin_free(a);
	return ok;
}
