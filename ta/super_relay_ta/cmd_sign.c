/* SPDX-License-Identifier: Apache-2.0 */
/* SIGN_MESSAGE, SIGN_SPONSORSHIP. */
#include "algorithm.h"
#include "commands.h"
#include "entropy.h"
#include "keystore.h"
#include "memory.h"
#include "sign_ed25519.h"
#include "sign_secp256k1.h"
#include "sponsorship.h"

#define DIGEST_SIZE 32

/* The only way that the commands here come by a key: none is used without its usage
 * having been compared. */
static TEE_Result find_for(const struct ta_key_id *id, uint32_t usage, const struct ta_key **out)
{
	TEE_Result result = ta_keystore_find(id, out);

	if (result == TEE_SUCCESS && ((*out)->usage & usage) != usage)
		result = TEE_ERROR_ACCESS_DENIED;
	return result;
}

/* A signature that does not verify tells of a fault, and the fault may be in the key
 * as it stands in memory: the next use is to load it anew. */
static TEE_Result after_signing(const struct ta_key_id *id, TEE_Result result)
{
	if (result == TEE_ERROR_SECURITY)
		ta_keystore_forget(id);
	return result;
}

/* ---- SIGN_MESSAGE ------------------------------------------------------ */

/* All or nothing: one failure keeps every signature of the batch inside. */
static TEE_Result sign_digests(const struct ta_key *key, uint8_t count, struct ta_reader *in,
			       struct ta_writer *out)
{
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE] = { 0 };
	const uint8_t *digest = NULL;
	TEE_Result result = TEE_SUCCESS;

	if (ta_reader_left(in) != (size_t)count * DIGEST_SIZE)
		return TEE_ERROR_BAD_FORMAT;
	result = ta_put_reserve(out, 2 + (size_t)count * sizeof(signature));
	if (result != TEE_SUCCESS)
		return result;
	ta_entropy_refresh();
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_u8(out, count);
	for (unsigned i = 0; i < count; i++) {
		digest = ta_get_view(in, DIGEST_SIZE);
		if (!digest)
			return TEE_ERROR_BAD_FORMAT;
		result = ta_secp256k1_sign(key, digest, signature);
		if (result != TEE_SUCCESS)
			return result;
		ta_put_bytes(out, signature, sizeof(signature));
	}
	return TEE_SUCCESS;
}

/* Ed25519 takes messages, not digests, and they vary in length: one at a time. */
static TEE_Result sign_one_message(const struct ta_key *key, uint8_t count, struct ta_reader *in,
				   struct ta_writer *out)
{
	uint8_t signature[SR_TA_ED25519_SIGNATURE_SIZE] = { 0 };
	const uint8_t *message = NULL;
	uint16_t len = 0;
	TEE_Result result = TEE_SUCCESS;

	if (count != 1)
		return TEE_ERROR_BAD_PARAMETERS;
	len = ta_get_u16(in);
	message = ta_get_view(in, len);
	if (!message || !ta_reader_done(in))
		return TEE_ERROR_BAD_FORMAT;
	if (len > SR_TA_MESSAGE_MAX)
		return TEE_ERROR_BAD_PARAMETERS;
	result = ta_put_reserve(out, 2 + sizeof(signature));
	if (result == TEE_SUCCESS)
		result = ta_ed25519_sign(key, message, len, signature);
	if (result != TEE_SUCCESS)
		return result;
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_u8(out, count);
	ta_put_bytes(out, signature, sizeof(signature));
	return TEE_SUCCESS;
}

TEE_Result ta_cmd_sign_message(struct ta_reader *in, struct ta_writer *out)
{
	const struct ta_key *key = NULL;
	struct ta_key_id id = { 0 };
	uint8_t count = 0;
	TEE_Result result = TEE_SUCCESS;

	ta_key_id_read(in, &id);
	count = ta_get_u8(in);
	if (in->failed)
		return TEE_ERROR_BAD_FORMAT;
	if (!ta_key_id_valid(&id) || !count || count > SR_TA_BATCH_MAX)
		return TEE_ERROR_BAD_PARAMETERS;
	result = find_for(&id, SR_TA_USAGE_DIGEST, &key);
	if (result != TEE_SUCCESS)
		return result;
	switch (key->algorithm) {
	case SR_TA_ALG_SECP256K1:
		return after_signing(&id, sign_digests(key, count, in, out));
	case SR_TA_ALG_ED25519:
		return after_signing(&id, sign_one_message(key, count, in, out));
	default:
		return TEE_ERROR_NOT_SUPPORTED;
	}
}

/* ---- SIGN_SPONSORSHIP -------------------------------------------------- */

/* Each item stands for itself: a bad one must not cost the others of its batch
 * their signatures, since they come from different users. */
static TEE_Result sign_item(const struct ta_key *key, struct ta_reader *in, struct ta_writer *out)
{
	struct eth_sponsorship sponsorship = { 0 };
	uint8_t digest[DIGEST_SIZE] = { 0 };
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE] = { 0 };
	TEE_Result result = TEE_ERROR_GENERIC;

	ta_sponsorship_read(in, &sponsorship);
	result = ta_sponsorship_check(&sponsorship);
	if (result == TEE_SUCCESS) {
		eth_verifying_paymaster_v07_digest(&sponsorship, digest);
		result = ta_secp256k1_sign(key, digest, signature);
	}
	if (result != TEE_SUCCESS)
		ta_wipe(digest, sizeof(digest));
	ta_put_u32(out, result);
	ta_put_bytes(out, digest, sizeof(digest));
	ta_put_bytes(out, signature, sizeof(signature));
	return result;
}

TEE_Result ta_cmd_sign_sponsorship(struct ta_reader *in, struct ta_writer *out)
{
	const struct ta_key *key = NULL;
	struct ta_key_id id = { 0 };
	const uint8_t scheme = ta_get_u8(in);
	uint8_t count = 0;
	bool faulty = false;
	TEE_Result result = TEE_SUCCESS;

	ta_key_id_read(in, &id);
	count = ta_get_u8(in);
	if (in->failed)
		return TEE_ERROR_BAD_FORMAT;
	if (scheme != SR_TA_SCHEME_VERIFYING_PAYMASTER_V07)
		return TEE_ERROR_NOT_SUPPORTED;
	if (ta_reader_left(in) != (size_t)count * SR_TA_SPONSORSHIP_SIZE)
		return TEE_ERROR_BAD_FORMAT;
	if (!ta_key_id_valid(&id) || !count || count > SR_TA_BATCH_MAX)
		return TEE_ERROR_BAD_PARAMETERS;
	result = ta_put_reserve(out, 2 + (size_t)count * SR_TA_SPONSORSHIP_RESULT_SIZE);
	if (result == TEE_SUCCESS)
		result = find_for(&id, SR_TA_USAGE_SPONSOR, &key);
	if (result != TEE_SUCCESS)
		return result;
	/* Keys cannot be made otherwise, since Ed25519 has no SPONSOR usage. But it is
	 * a stored record that says so, and a wrong one must not reach the wrong code. */
	if (key->algorithm != SR_TA_ALG_SECP256K1)
		return TEE_ERROR_NOT_SUPPORTED;
	ta_entropy_refresh();
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_u8(out, count);
	for (unsigned i = 0; i < count; i++)
		faulty = sign_item(key, in, out) == TEE_ERROR_SECURITY || faulty;
	(void)after_signing(&id, faulty ? TEE_ERROR_SECURITY : TEE_SUCCESS);
	return TEE_SUCCESS;
}
