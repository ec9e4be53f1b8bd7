/* SPDX-License-Identifier: Apache-2.0 */
/* What the TA's results mean to who asked: one message a cause, with its cure where there is one.
 */
#include <stdio.h>

#include "kms/kms_private.h"

const char *kms_result_text(TEEC_Result result, char *buf, size_t size)
{
	const char *name = tee_result_name(result);

	if (name)
		snprintf(buf, size, "%s", name);
	else
		snprintf(buf, size, "0x%08x", (unsigned)result);
	return buf;
}

static const char *denial(uint32_t command)
{
	switch (command) {
	case SR_TA_CMD_IMPORT_KEY:
		return "plaintext import is for development builds and TAs provisioned for "
		       "development";
	case SR_TA_CMD_SET_POLICY:
	case SR_TA_CMD_EXPORT_WRAPPED:
		return "the TA is not provisioned, or not for this caller";
	case SR_TA_CMD_SIGN_SPONSORSHIP:
	case SR_TA_CMD_SIGN_TRANSACTION:
		return "its usage or its policy does not allow it, or the TA does not know this "
		       "caller";
	case SR_TA_CMD_SIGN_MESSAGE:
		return "the key's usage does not allow it, or its policy's operations are used up";
	default:
		return "the caller's group is not one that the TA was provisioned for, or it is "
		       "not "
		       "provisioned";
	}
}

static bool fail_denied(struct sr_error *err, const struct kms_call *call, const char *id)
{
	return sr_fail(err, SR_E_DENIED, "the TA denies this%s%s%s: %s", *id ? " for key '" : "",
		       id, *id ? "'" : "", denial(call->command));
}

static bool fail_conflict(struct sr_error *err, const struct kms_call *call, const char *id)
{
	if (call->command == SR_TA_CMD_PROVISION)
		return sr_fail(err, SR_E_EXISTS,
			       "the TA is provisioned already, which is done once");
	if (call->command == SR_TA_CMD_SET_POLICY)
		return sr_fail(err, SR_E_EXISTS,
			       "key '%s' has had a policy of this version or a higher one", id);
	if (call->command == SR_TA_CMD_IMPORT_WRAPPED)
		return sr_fail(
			err, SR_E_EXISTS,
			"the envelope's key exists already, or its policy is older than this "
			"key's last");
	return sr_fail(err, SR_E_EXISTS, "key '%s' exists already and is left as it is", id);
}

/* Statements are refused so, and faults: a signature that does not verify stays inside. */
static bool fail_security(struct sr_error *err, const struct kms_call *call)
{
	switch (call->command) {
	case SR_TA_CMD_PROVISION:
	case SR_TA_CMD_SET_POLICY:
	case SR_TA_CMD_EXPORT_WRAPPED:
		return sr_fail(err, SR_E_DENIED,
			       "the signature is not the operator's over this statement");
	case SR_TA_CMD_IMPORT_WRAPPED:
		return sr_fail(err, SR_E_DENIED,
			       "the envelope does not open in this TA, or its policy is not signed "
			       "by its operator");
	case SR_TA_CMD_BEGIN:
		return sr_fail(err, SR_E_DENIED,
			       "the audit log and the TEE's storage contradict each other, and no "
			       "signature of the operator's says to go on as they are now");
	default:
		return sr_fail(err, SR_E_INTERNAL,
			       "the TA's own check of its signature failed; nothing left it");
	}
}

static bool fail_corrupt(struct sr_error *err, const struct kms_call *call, const char *id)
{
	if (*id && call->command != SR_TA_CMD_BEGIN)
		return sr_fail(err, SR_E_CORRUPT,
			       "key '%s' is damaged in secure storage; restore it from a backup "
			       "(or it is the TA's own state that is damaged)",
			       id);
	return sr_fail(err, SR_E_CORRUPT,
		       "the TA's own state in secure storage is damaged, or gone while keys are "
		       "there; restore the storage from a backup");
}

bool kms_fail_call(struct sr_error *err, const struct kms_call *call)
{
	char text[64];
	const char *id = call->key_id ? call->key_id : "";
	enum sr_code code = tee_result_code(call->result);

	if (call->result == TEEC_ERROR_SECURITY)
		return fail_security(err, call);
	if (call->result == TEEC_ERROR_EXCESS_DATA)
		return sr_fail(err, SR_E_UNAVAILABLE,
			       "the TA signs only for a host that keeps its audit log, and its "
			       "records have not been taken: set audit_logging = true");
	if (call->result == TEE_ERROR_OVERFLOW)
		return sr_fail(err, SR_E_DENIED,
			       "the budget of key '%s' for this window is used up", id);
	switch (code) {
	case SR_E_NOT_FOUND:
		return sr_fail(err, code, "key '%s' does not exist", id);
	case SR_E_EXISTS:
		return fail_conflict(err, call, id);
	case SR_E_DENIED:
		return fail_denied(err, call, id);
	case SR_E_CORRUPT:
		return fail_corrupt(err, call, id);
	default:
		return sr_fail(err, code, "TA command %u%s%s: %s", (unsigned)call->command,
			       *id ? " for key " : "", id,
			       kms_result_text(call->result, text, sizeof(text)));
	}
}

void kms_fail_item(struct kms_signature *out, enum kms_request_kind kind, uint32_t result)
{
	struct sr_error *err = &out->error;
	const char *what = kind == KMS_TRANSACTION ? "transaction" : "sponsorship";
	char text[64];

	switch (result) {
	case TEEC_ERROR_ACCESS_DENIED:
		sr_fail(err, SR_E_DENIED, "the key's policy in the TEE does not allow this %s",
			what);
		return;
	case TEE_ERROR_OVERFLOW:
		out->over_budget = true;
		sr_fail(err, SR_E_DENIED,
			"the key's budget in the TEE is used up for now: more may be signed when "
			"the window has moved on");
		return;
	default:
		sr_fail(err, tee_result_code(result), "the TA refuses this %s: %s", what,
			kms_result_text(result, text, sizeof(text)));
	}
}
