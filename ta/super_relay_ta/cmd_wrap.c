/* SPDX-License-Identifier: Apache-2.0 */
/* IMPORT_WRAPPED, EXPORT_WRAPPED: keys in envelopes. */
#include <string.h>

#include "algorithm.h"
#include "audit.h"
#include "clock.h"
#include "commands.h"
#include "entropy.h"
#include "envelope.h"
#include "keystore.h"
#include "ledger.h"
#include "memory.h"
#include "new_key.h"
#include "operator.h"
#include "policy.h"
#include "state.h"
#include "transport.h"

/* ---- coming in ----------------------------------------------------------------- */

/* The envelope's public key must be the secret's own: everybody outside knows the key by it. */
static TEE_Result judge_pair(struct ta_key *key)
{
	uint8_t claimed[SR_TA_PUBLIC_KEY_MAX] = { 0 };
	TEE_Result result = TEE_ERROR_GENERIC;

	memcpy(claimed, key->public_key, sizeof(claimed));
	result = ta_algorithm_find(key->algorithm)->derive_public(key);
	if (result == TEE_SUCCESS && !ta_equal_ct(claimed, key->public_key, sizeof(claimed)))
		result = TEE_ERROR_SECURITY;
	return result;
}

/* A policy that no operator of this TA signed is none, and to drop it would loosen the key. */
static TEE_Result judge_policy(const struct ta_key *key)
{
	struct ta_policy policy = { 0 };
	TEE_Result result = TEE_ERROR_SECURITY;

	if (ta_state_provisioned())
		result = ta_operator_signed_policy(key, key->policy_version, key->policy,
						   key->policy_len, key->operator_signature);
	if (result == TEE_SUCCESS)
		result = ta_policy_decode(key->policy, key->policy_len, &policy);
	if (result == TEE_SUCCESS && policy.window && ta_clock_protection() < TA_CLOCK_PROTECTED)
		result = TEE_ERROR_NOT_SUPPORTED;
	return result;
}

/* An envelope sealed before the policy was last changed brings the old policy, or none. */
static TEE_Result judge_version(const struct ta_key *key)
{
	uint32_t last = 0;
	bool there = false;
	bool lost = false;
	TEE_Result result = ta_ledger_version(key, &last, &there);

	/* Where one is gone it may be this key's, and nobody knows what version it had. */
	if (result == TEE_SUCCESS && !there)
		result = ta_ledger_any_lost(&lost);
	if (result != TEE_SUCCESS)
		return result;
	if (lost)
		return TEE_ERROR_CORRUPT_OBJECT;
	return key->policy_version < last ? TEE_ERROR_ACCESS_CONFLICT : TEE_SUCCESS;
}

static TEE_Result judge(struct ta_key *key)
{
	TEE_Result result = ta_new_key_judge_id(&key->id);

	if (result == TEE_SUCCESS)
		result = judge_pair(key);
	if (result == TEE_SUCCESS && key->policy_version)
		result = judge_policy(key);
	if (result == TEE_SUCCESS)
		result = judge_version(key);
	return result;
}

static TEE_Result import(const uint8_t *envelope, size_t len, uint64_t created, struct ta_key *key)
{
	const struct ta_identity *own = ta_state_identity();
	TEE_Result result =
		ta_envelope_open(envelope, len, own->transport_secret, own->transport_public, key);

	if (result == TEE_SUCCESS)
		result = judge(key);
	if (result != TEE_SUCCESS)
		return result;
	/* What the normal world once knew stays marked so, however it travels. */
	if (key->origin != SR_TA_ORIGIN_IMPORTED_PLAIN)
		key->origin = SR_TA_ORIGIN_IMPORTED_WRAPPED;
	key->created = created;
	ta_entropy_before_change();
	/* The ledger first: a key with a policy and without one would count for damaged. */
	if (key->policy_version)
		result = ta_ledger_admit(key, key->policy_version, NULL, false);
	if (result == TEE_SUCCESS)
		result = ta_new_key_store(key);
	return result;
}

/* As far as it can be told before the envelope is opened. */
static TEE_Result begin_import(struct ta_reader *in, struct ta_writer *out, const uint8_t *envelope,
			       size_t len, struct ta_key *key)
{
	TEE_Result result = ta_envelope_check(envelope, len, key);

	if (result == TEE_SUCCESS)
		result = ta_new_key_prepare(key, out);
	return result == TEE_SUCCESS ? ta_audit_prepare(in, false, 1) : result;
}

TEE_Result ta_cmd_import_wrapped(struct ta_reader *in, struct ta_writer *out)
{
	struct ta_key key = { 0 };
	const size_t len = ta_get_u16(in);
	const uint8_t *envelope = ta_get_view(in, len);
	const uint64_t created = ta_get_u64(in);
	TEE_Result result = TEE_ERROR_BAD_FORMAT;

	if (!envelope || !ta_reader_done(in))
		return result;
	result = begin_import(in, out, envelope, len, &key);
	if (result == TEE_SUCCESS) {
		result = import(envelope, len, created, &key);
		result = ta_new_key_conclude(SR_TA_CMD_IMPORT_WRAPPED, &key, result, out);
	}
	ta_wipe(&key, sizeof(key));
	return result;
}

/* ---- going out ------------------------------------------------------------------ */

struct export
{
	struct ta_key_id id;
	uint8_t recipient[SR_TA_X25519_PUBLIC_SIZE];
	uint8_t signature[SR_TA_OPERATOR_SIGNATURE_SIZE];
	uint8_t envelope[SR_TA_ENVELOPE_MAX];
	uint16_t len;
};

static TEE_Result read_export(struct ta_reader *in, struct export *e)
{
	ta_key_id_read(in, &e->id);
	ta_get_bytes(in, e->recipient, sizeof(e->recipient));
	ta_get_bytes(in, e->signature, sizeof(e->signature));
	if (!ta_reader_done(in))
		return TEE_ERROR_BAD_FORMAT;
	if (!ta_key_id_valid(&e->id) || ta_x25519_small_order(e->recipient))
		return TEE_ERROR_BAD_PARAMETERS;
	return TEE_SUCCESS;
}

static TEE_Result judge_authorization(const struct export *e, const struct ta_key *key)
{
	uint8_t digest[TA_SHA256_SIZE] = { 0 };
	const struct ta_piece pieces[] = {
		{ &key->id.len, 1 },
		{ key->id.bytes, key->id.len },
		{ digest, sizeof(digest) },
		{ e->recipient, sizeof(e->recipient) },
	};
	const TEE_Result result = ta_sha256(key->public_key, key->public_len, digest);

	if (result != TEE_SUCCESS)
		return result;
	return ta_operator_verify(ta_state_identity()->operator_key, SR_TA_STATEMENT_EXPORT, pieces,
				  4, e->signature, NULL);
}

/* A rotated key's policy was signed for the key before it. In an envelope it would not come back:
 * the operator is to set it anew first. */
static TEE_Result check_return(const struct ta_key *key)
{
	TEE_Result result = TEE_SUCCESS;

	if (key->policy_version)
		result = ta_operator_signed_policy(key, key->policy_version, key->policy,
						   key->policy_len, key->operator_signature);
	return result == TEE_ERROR_SECURITY ? TEE_ERROR_BAD_STATE : result;
}

/* Nobody but an operator lets a key out, and without provisioning there is none: the operator's
 * key is then all zeros, for which anybody could sign. */
static TEE_Result export(struct export *e, struct ta_audit_entry *entry)
{
	const struct ta_key *key = NULL;
	TEE_Result result = TEE_ERROR_ACCESS_DENIED;

	if (!ta_state_provisioned())
		return result;
	result = ta_keystore_find(&e->id, &key);
	if (result != TEE_SUCCESS)
		return result;
	entry->policy_version = key->policy_version;
	result = judge_authorization(e, key);
	if (result == TEE_SUCCESS)
		result = check_return(key);
	if (result == TEE_SUCCESS)
		result = ta_ledger_mark_exported(key);
	/* Once more, right before it leaves: one verdict that was glitched over lets out nothing.
	 */
	if (result == TEE_SUCCESS)
		result = judge_authorization(e, key);
	if (result != TEE_SUCCESS)
		return result;
	e->len = (uint16_t)ta_envelope_size(key);
	ta_entropy_refresh();
	return ta_envelope_seal(key, e->recipient, e->envelope, e->len);
}

TEE_Result ta_cmd_export_wrapped(struct ta_reader *in, struct ta_writer *out)
{
	static struct export e;
	struct ta_audit_entry entry = { .command = SR_TA_CMD_EXPORT_WRAPPED, .key = &e.id };
	TEE_Result result = read_export(in, &e);

	/* Room for the largest, so that its size is not asked of a key that is not found yet. */
	if (result == TEE_SUCCESS)
		result = ta_put_reserve(out, 1 + 2 + SR_TA_ENVELOPE_MAX);
	if (result == TEE_SUCCESS)
		result = ta_audit_prepare(in, false, 1);
	if (result == TEE_SUCCESS)
		result = ta_sha256(e.recipient, sizeof(e.recipient), entry.digest);
	if (result != TEE_SUCCESS)
		return result;
	result = ta_audit_conclude(&entry, export(&e, &entry));
	if (result != TEE_SUCCESS)
		return result;
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_long_string(out, e.envelope, e.len);
	return TEE_SUCCESS;
}
