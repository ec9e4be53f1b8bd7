/* SPDX-License-Identifier: Apache-2.0 */
/* ATTEST. */
#include <string.h>

#include "audit.h"
#include "clock.h"
#include "commands.h"
#include "entropy.h"
#include "evidence.h"
#include "features.h"
#include "keystore.h"
#include "operator.h"
#include "sha256.h"
#include "state.h"

#define NONCE_SIZE 32
#define STATEMENT_MAX                                                                             \
	(4 + 1 + NONCE_SIZE + 16 + 3 + 4 + 4 + 4 + 2 * SR_TA_SECP256K1_PUBLIC_SIZE +              \
	 SR_TA_X25519_PUBLIC_SIZE + SR_TA_ED25519_PUBLIC_SIZE + 4 + 8 + 8 + SR_TA_HEAD_SIZE + 1 + \
	 SR_TA_KEY_INFO_MAX + TA_SHA256_SIZE)

struct attestation {
	uint8_t nonce[NONCE_SIZE];
	struct ta_key_id id;
	const struct ta_key *key; /* NULL: of the TA alone */
	uint8_t platform;
	uint8_t statement[STATEMENT_MAX];
	size_t statement_len;
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE];
	uint8_t evidence[SR_TA_EVIDENCE_MAX];
	size_t evidence_len;
};

/* Too large for the stack. */
static struct attestation attestation;

static void write_ta(struct ta_writer *w, const struct attestation *a)
{
	const struct ta_identity *identity = ta_state_identity();
	uint8_t uuid[16] = { 0 };

	ta_uuid_octets(uuid);
	ta_put_bytes(w, SR_TA_ATTEST_MAGIC, 4);
	ta_put_u8(w, 1);
	ta_put_bytes(w, a->nonce, sizeof(a->nonce));
	ta_put_bytes(w, uuid, sizeof(uuid));
	ta_put_u8(w, SR_TA_VERSION_MAJOR);
	ta_put_u8(w, SR_TA_VERSION_MINOR);
	ta_put_u8(w, SR_TA_VERSION_PATCH);
	ta_put_u32(w, ta_features());
	ta_put_u32(w, ta_anti_rollback_level());
	ta_put_u32(w, ta_clock_protection());
	ta_put_bytes(w, identity->attest_public, sizeof(identity->attest_public));
	ta_put_bytes(w, identity->audit_public, sizeof(identity->audit_public));
	ta_put_bytes(w, identity->transport_public, sizeof(identity->transport_public));
	ta_put_bytes(w, identity->operator_key, sizeof(identity->operator_key));
	ta_put_u32(w, identity->flags);
	ta_put_u64(w, ta_state_journal()->generation);
	ta_put_u64(w, ta_audit_sequence());
	ta_put_bytes(w, ta_audit_head(), SR_TA_HEAD_SIZE);
}

static TEE_Result write_key(struct ta_writer *w, const struct ta_key *key)
{
	uint8_t policy_hash[TA_SHA256_SIZE] = { 0 };
	TEE_Result result = TEE_SUCCESS;

	ta_put_u8(w, key != NULL);
	if (!key)
		return TEE_SUCCESS;
	if (key->policy_version)
		result = ta_sha256(key->policy, key->policy_len, policy_hash);
	ta_key_info_write(w, key);
	ta_put_bytes(w, policy_hash, sizeof(policy_hash));
	return result;
}

/* The platform's nonce is the hash of all that the TA says, so that both are about the same TA at
 * the same time. */
static TEE_Result attest(struct attestation *a)
{
	struct ta_writer w = { .data = a->statement, .size = sizeof(a->statement) };
	uint8_t digest[TA_SHA256_SIZE] = { 0 };
	TEE_Result result = TEE_SUCCESS;

	write_ta(&w, a);
	result = write_key(&w, a->key);
	if (result == TEE_SUCCESS && w.failed)
		result = TEE_ERROR_GENERIC;
	a->statement_len = w.len;
	if (result == TEE_SUCCESS)
		result = ta_sha256(a->statement, a->statement_len, digest);
	if (result != TEE_SUCCESS)
		return result;
	ta_entropy_refresh();
	result = ta_state_sign(TA_OWN_ATTEST, digest, a->signature);
	if (result == TEE_SUCCESS && a->platform)
		result = ta_evidence(digest, a->evidence, &a->evidence_len);
	return result;
}

static TEE_Result read_attestation(struct ta_reader *in, struct attestation *out)
{
	ta_get_bytes(in, out->nonce, sizeof(out->nonce));
	ta_key_id_read(in, &out->id);
	out->platform = ta_get_u8(in);
	if (!ta_reader_done(in))
		return TEE_ERROR_BAD_FORMAT;
	if (out->platform > 1 || (out->id.len && !ta_key_id_valid(&out->id)))
		return TEE_ERROR_BAD_PARAMETERS;
	return TEE_SUCCESS;
}

/* What is attested must be there: BEGIN makes the TA's own keys. */
static TEE_Result load_subject(struct attestation *a)
{
	TEE_Result result = ta_state_load();

	if (result == TEE_ERROR_ITEM_NOT_FOUND)
		return TEE_ERROR_BAD_STATE;
	if (result == TEE_SUCCESS && a->id.len)
		result = ta_keystore_find(&a->id, &a->key);
	return result;
}

TEE_Result ta_cmd_attest(struct ta_reader *in, struct ta_writer *out)
{
	struct attestation *a = &attestation;
	TEE_Result result = TEE_SUCCESS;

	*a = (struct attestation){ 0 };
	result = read_attestation(in, a);
	if (result == TEE_SUCCESS)
		result = ta_put_reserve(out, 1 + 2 + sizeof(a->statement) + sizeof(a->signature) +
						     2 + (a->platform ? SR_TA_EVIDENCE_MAX : 0));
	if (result == TEE_SUCCESS)
		result = load_subject(a);
	if (result == TEE_SUCCESS)
		result = attest(a);
	if (result != TEE_SUCCESS)
		return result;
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_long_string(out, a->statement, (uint16_t)a->statement_len);
	ta_put_bytes(out, a->signature, sizeof(a->signature));
	ta_put_long_string(out, a->evidence, (uint16_t)a->evidence_len);
	return TEE_SUCCESS;
}
