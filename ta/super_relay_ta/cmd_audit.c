/* SPDX-License-Identifier: Apache-2.0 */
/* BEGIN, AUDIT_READ, CHECKPOINT. */
#include <string.h>

#include "audit.h"
#include "clock.h"
#include "commands.h"
#include "entropy.h"
#include "operator.h"
#include "sha256.h"
#include "state.h"

/* ---- BEGIN ------------------------------------------------------------------------ */

struct beginning {
	uint64_t host_time;
	const uint8_t *host_entropy;
	struct ta_audit_tail tail;
	uint8_t override;
	const uint8_t *signature;
};

static bool read_beginning(struct ta_reader *in, struct beginning *out)
{
	out->host_time = ta_get_u64(in);
	out->host_entropy = ta_get_view(in, SR_TA_HOST_ENTROPY_SIZE);
	out->tail.sequence = ta_get_u64(in);
	out->tail.generation = ta_get_u64(in);
	ta_get_bytes(in, out->tail.head, sizeof(out->tail.head));
	out->override = ta_get_u8(in);
	if (out->override == 1)
		out->signature = ta_get_view(in, SR_TA_OPERATOR_SIGNATURE_SIZE);
	return ta_reader_done(in) && out->override <= 1;
}

/* The statement names the storage's state as well as the log's: a leave that was given once is of
 * no use for the next that goes back. */
static TEE_Result check_override(const struct beginning *b)
{
	const struct ta_identity *identity = ta_state_identity();
	uint8_t numbers[4 * 8] = { 0 };
	struct ta_writer w = { .data = numbers, .size = sizeof(numbers) };
	const struct ta_piece pieces[] = {
		{ numbers, sizeof(numbers) },
		{ b->tail.head, sizeof(b->tail.head) },
		{ identity ? identity->audit_public : NULL,
		  identity ? sizeof(identity->audit_public) : 0 },
	};

	if (!ta_state_provisioned())
		return TEE_ERROR_ACCESS_DENIED;
	ta_put_u64(&w, ta_state_journal()->generation);
	ta_put_u64(&w, ta_audit_next());
	ta_put_u64(&w, b->tail.sequence);
	ta_put_u64(&w, b->tail.generation);
	return ta_operator_verify(identity->operator_key, SR_TA_STATEMENT_BEGIN, pieces, 3,
				  b->signature, NULL);
}

static TEE_Result tail_valid(const struct beginning *b, uint64_t audited)
{
	const struct ta_audit_tail none = { 0 };
	const bool empty = !memcmp(&b->tail, &none, sizeof(none));

	if (!b->tail.sequence && !empty)
		return TEE_ERROR_BAD_PARAMETERS;
	return audited == SR_TA_NO_LOG && !empty ? TEE_ERROR_BAD_PARAMETERS : TEE_SUCCESS;
}

TEE_Result ta_cmd_begin(struct ta_reader *in, struct ta_writer *out)
{
	struct beginning b = { 0 };
	bool anew = false;
	TEE_Result result = TEE_SUCCESS;

	if (!read_beginning(in, &b))
		return TEE_ERROR_BAD_FORMAT;
	result = tail_valid(&b, in->audited);
	if (result == TEE_SUCCESS)
		result = ta_put_reserve(out, 1 + SR_TA_SECP256K1_PUBLIC_SIZE + 8 + 8 +
						     SR_TA_HEAD_SIZE + 1);
	if (result == TEE_SUCCESS && b.override)
		result = check_override(&b);
	if (result != TEE_SUCCESS)
		return result;
	/* Here and not behind: this may be what makes the TA's own keys. */
	ta_entropy_begin_key(b.host_entropy);
	result = ta_audit_begin(&b.tail, b.host_time, in->audited != SR_TA_NO_LOG, b.override,
				&anew);
	ta_entropy_end_key();
	if (result != TEE_SUCCESS)
		return result;
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_bytes(out, ta_state_identity()->audit_public, SR_TA_SECP256K1_PUBLIC_SIZE);
	ta_put_u64(out, ta_state_journal()->generation);
	ta_put_u64(out, ta_audit_sequence());
	ta_put_bytes(out, ta_audit_head(), SR_TA_HEAD_SIZE);
	ta_put_u8(out, anew);
	return TEE_SUCCESS;
}

/* ---- AUDIT_READ ---------------------------------------------------------------------- */

TEE_Result ta_cmd_audit_read(struct ta_reader *in, struct ta_writer *out)
{
	const uint8_t nobody[SR_TA_SECP256K1_PUBLIC_SIZE] = { 0 };
	const struct ta_identity *identity = ta_state_identity();
	TEE_Result result = TEE_SUCCESS;

	if (!ta_reader_done(in))
		return TEE_ERROR_BAD_FORMAT;
	result = ta_put_reserve(out, 1 + SR_TA_SECP256K1_PUBLIC_SIZE + 3 * 8 + SR_TA_HEAD_SIZE + 1);
	if (result != TEE_SUCCESS)
		return result;
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_bytes(out, identity ? identity->audit_public : nobody, sizeof(nobody));
	ta_put_u64(out, ta_state_journal()->generation);
	ta_put_u64(out, ta_state_journal()->used_to);
	ta_put_u64(out, ta_audit_next());
	ta_put_bytes(out, ta_audit_head(), SR_TA_HEAD_SIZE);
	ta_put_u8(out, ta_audit_begun());
	return TEE_SUCCESS;
}

/* ---- CHECKPOINT ------------------------------------------------------------------------ */

static TEE_Result sign_checkpoint(uint8_t checkpoint[SR_TA_CHECKPOINT_SIZE],
				  uint8_t signature[static SR_TA_SECP256K1_SIGNATURE_SIZE])
{
	struct ta_writer w = { .data = checkpoint, .size = SR_TA_CHECKPOINT_SIZE };
	uint8_t uuid[16] = { 0 };
	uint8_t digest[TA_SHA256_SIZE] = { 0 };
	TEE_Result result = TEE_SUCCESS;

	ta_uuid_octets(uuid);
	ta_put_bytes(&w, SR_TA_CHECKPOINT_MAGIC, 4);
	ta_put_u8(&w, 1);
	ta_put_bytes(&w, uuid, sizeof(uuid));
	ta_put_u64(&w, ta_audit_sequence());
	ta_put_u64(&w, ta_state_journal()->generation);
	ta_put_u64(&w, ta_clock_ms());
	ta_put_bytes(&w, ta_audit_head(), SR_TA_HEAD_SIZE);
	result = ta_sha256(checkpoint, SR_TA_CHECKPOINT_SIZE, digest);
	if (result != TEE_SUCCESS)
		return result;
	ta_entropy_refresh();
	return ta_state_sign(TA_OWN_AUDIT, digest, signature);
}

TEE_Result ta_cmd_checkpoint(struct ta_reader *in, struct ta_writer *out)
{
	uint8_t checkpoint[SR_TA_CHECKPOINT_SIZE] = { 0 };
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE] = { 0 };
	const uint8_t store = ta_get_u8(in);
	TEE_Result result = TEE_SUCCESS;

	if (!ta_reader_done(in))
		return TEE_ERROR_BAD_FORMAT;
	if (store > 1)
		return TEE_ERROR_BAD_PARAMETERS;
	result = ta_put_reserve(out, 1 + sizeof(checkpoint) + sizeof(signature));
	/* Signs only what has begun: what is stored of a chain may be behind the host's log. */
	if (result == TEE_SUCCESS)
		result = ta_audit_prepare(in, false, 0);
	/* A head is signed for a host that holds all that is under it. */
	if (result == TEE_SUCCESS && in->audited != SR_TA_NO_LOG &&
	    in->audited != ta_audit_sequence())
		result = TEE_ERROR_EXCESS_DATA;
	if (result == TEE_SUCCESS)
		ta_audit_settle();
	/* What the TA signs, it knows after a restart, too: else a log could be cut back behind its
	 * own checkpoints, and be continued. */
	if (result == TEE_SUCCESS)
		result = store ? ta_audit_store() : ta_audit_confirm();
	if (result == TEE_SUCCESS)
		result = sign_checkpoint(checkpoint, signature);
	if (result != TEE_SUCCESS)
		return result;
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_bytes(out, checkpoint, sizeof(checkpoint));
	ta_put_bytes(out, signature, sizeof(signature));
	return TEE_SUCCESS;
}
