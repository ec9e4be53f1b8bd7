/* SPDX-License-Identifier: Apache-2.0 */
/* GENERATE_KEY, IMPORT_KEY, ROTATE_KEY, GET_PUBLIC_KEY, DELETE_KEY. */
#include <string.h>

#include "algorithm.h"
#include "audit.h"
#include "commands.h"
#include "entropy.h"
#include "keystore.h"
#include "ledger.h"
#include "memory.h"
#include "new_key.h"
#include "sha256.h"
#include "state.h"

/* The fields that GENERATE_KEY and IMPORT_KEY share. */
static void read_new_key(struct ta_reader *in, struct ta_key *key)
{
	*key = (struct ta_key){ 0 };
	key->algorithm = ta_get_u8(in);
	key->usage = ta_get_u32(in);
	ta_key_id_read(in, &key->id);
	/* The normal world's clock, which may lie: nothing is decided by it. */
	key->created = ta_get_u64(in);
}

TEE_Result ta_new_key_prepare(const struct ta_key *key, struct ta_writer *out)
{
	struct ta_key_id id = key->id;
	size_t public_size = 0;
	TEE_Result result = ta_key_attributes_check(key->algorithm, key->usage);

	if (result != TEE_SUCCESS)
		return result;
	if (!ta_key_id_valid(&id))
		return TEE_ERROR_BAD_PARAMETERS;
	public_size = ta_algorithm_find(key->algorithm)->public_size;
	return ta_put_reserve(out, 1 + SR_TA_KEY_INFO_MAX - SR_TA_KEY_ID_MAX -
					   SR_TA_PUBLIC_KEY_MAX + id.len + public_size);
}

TEE_Result ta_new_key_judge_id(const struct ta_key_id *id)
{
	const struct ta_key *present = NULL;
	const TEE_Result result = ta_keystore_find(id, &present);

	if (result == TEE_ERROR_ITEM_NOT_FOUND)
		return TEE_SUCCESS;
	return result == TEE_SUCCESS ? TEE_ERROR_ACCESS_CONFLICT : result;
}

TEE_Result ta_new_key_store(const struct ta_key *key)
{
	TEE_Result result = ta_keystore_create(key);

	return result == TEE_SUCCESS ? ta_state_changed() : result;
}

TEE_Result ta_new_key_conclude(uint8_t command, const struct ta_key *key, TEE_Result outcome,
			       struct ta_writer *out)
{
	struct ta_audit_entry entry = {
		.command = command,
		.policy_version = key->policy_version,
		.key = &key->id,
	};
	TEE_Result result = TEE_SUCCESS;

	/* Of a key that came to nothing there may be no public key. */
	if (key->public_len)
		result = ta_sha256(key->public_key, key->public_len, entry.digest);
	if (result == TEE_SUCCESS)
		result = ta_audit_conclude(&entry, outcome);
	if (result != TEE_SUCCESS)
		return result;
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_key_info_write(out, key);
	return TEE_SUCCESS;
}

/* After ta_entropy_begin_key. A pair that is none would be found damaged when it is first
 * loaded, when something may already stand on its public key. */
static TEE_Result generate(struct ta_key *key)
{
	const struct ta_algorithm *a = ta_algorithm_find(key->algorithm);
	TEE_Result result = a->generate(key);

	ta_entropy_end_key();
	if (result == TEE_SUCCESS)
		result = a->check_pair(key);
	return result == TEE_ERROR_CORRUPT_OBJECT ? TEE_ERROR_SECURITY : result;
}

TEE_Result ta_cmd_generate_key(struct ta_reader *in, struct ta_writer *out)
{
	struct ta_key key = { 0 };
	const uint8_t *host = NULL;
	TEE_Result result = TEE_ERROR_GENERIC;

	read_new_key(in, &key);
	/* In place: the request is wiped with the invocation's end. */
	host = ta_get_view(in, SR_TA_HOST_ENTROPY_SIZE);
	if (!host || !ta_reader_done(in))
		return TEE_ERROR_BAD_FORMAT;
	result = ta_new_key_prepare(&key, out);
	if (result != TEE_SUCCESS)
		return result;
	/* Before the chain begins: that may be what makes the TA's own keys. */
	ta_entropy_begin_key(host);
	result = ta_audit_prepare(in, false, 1);
	if (result != TEE_SUCCESS)
		return result;
	key.origin = SR_TA_ORIGIN_GENERATED;
	result = generate(&key);
	if (result == TEE_SUCCESS)
		result = ta_new_key_store(&key);
	result = ta_new_key_conclude(SR_TA_CMD_GENERATE_KEY, &key, result, out);
	ta_wipe(&key, sizeof(key));
	return result;
}

#ifdef CFG_SR_DEV_IMPORT

static TEE_Result import(struct ta_key *key)
{
	TEE_Result result = TEE_SUCCESS;

	/* Provisioned for service: what the normal world has known is no key of it. */
	if (ta_state_provisioned() && !(ta_state_flags() & SR_TA_PROVISION_DEVELOPMENT))
		return TEE_ERROR_ACCESS_DENIED;
	result = ta_algorithm_find(key->algorithm)->derive_public(key);
	if (result != TEE_SUCCESS)
		return result;
	ta_entropy_before_change();
	/* For ever marked as one that the normal world has known. */
	key->origin = SR_TA_ORIGIN_IMPORTED_PLAIN;
	return ta_new_key_store(key);
}

TEE_Result ta_cmd_import_key(struct ta_reader *in, struct ta_writer *out)
{
	struct ta_key key = { 0 };
	TEE_Result result = TEE_ERROR_BAD_FORMAT;

	read_new_key(in, &key);
	ta_get_bytes(in, key.secret, sizeof(key.secret));
	if (ta_reader_done(in))
		result = ta_new_key_prepare(&key, out);
	if (result == TEE_SUCCESS)
		result = ta_audit_prepare(in, false, 1);
	if (result == TEE_SUCCESS)
		result = ta_new_key_conclude(SR_TA_CMD_IMPORT_KEY, &key, import(&key), out);
	ta_wipe(&key, sizeof(key));
	return result;
}

#else

/* A secret that the normal world has known is no secret: no code here takes one. */
TEE_Result ta_cmd_import_key(struct ta_reader *in, struct ta_writer *out)
{
	(void)in;
	(void)out;
	return TEE_ERROR_ACCESS_DENIED;
}

#endif

/* ---- ROTATE_KEY ------------------------------------------------------------------ */

/* What the old one may do, the new one may, and no more: spending included. */
static TEE_Result succeed(struct ta_key *key, const struct ta_key_id *old)
{
	const struct ta_key *from = NULL;
	TEE_Result result = ta_new_key_judge_id(&key->id);

	if (result == TEE_SUCCESS)
		result = ta_keystore_room();
	if (result == TEE_SUCCESS)
		result = generate(key);
	if (result == TEE_SUCCESS)
		result = ta_keystore_find(old, &from);
	if (result != TEE_SUCCESS)
		return result;
	key->policy_version = from->policy_version;
	key->policy_len = from->policy_len;
	memcpy(key->policy, from->policy, sizeof(key->policy));
	/* Without the operator's signature, which is for the old key and no other. */
	if (key->policy_version)
		result = ta_ledger_admit(key, key->policy_version, from, false);
	return result == TEE_SUCCESS ? ta_new_key_store(key) : result;
}

TEE_Result ta_cmd_rotate_key(struct ta_reader *in, struct ta_writer *out)
{
	const struct ta_key *from = NULL;
	struct ta_key_id old = { 0 };
	struct ta_key key = { 0 };
	const uint8_t *host = NULL;
	TEE_Result result = TEE_ERROR_GENERIC;

	ta_key_id_read(in, &old);
	ta_key_id_read(in, &key.id);
	key.created = ta_get_u64(in);
	host = ta_get_view(in, SR_TA_HOST_ENTROPY_SIZE);
	if (!host || !ta_reader_done(in))
		return TEE_ERROR_BAD_FORMAT;
	if (!ta_key_id_valid(&old) || !ta_key_id_valid(&key.id))
		return TEE_ERROR_BAD_PARAMETERS;
	result = ta_put_reserve(out, 1 + SR_TA_KEY_INFO_MAX);
	if (result != TEE_SUCCESS)
		return result;
	ta_entropy_begin_key(host);
	result = ta_audit_prepare(in, false, 1);
	if (result == TEE_SUCCESS)
		result = ta_keystore_find(&old, &from);
	if (result != TEE_SUCCESS)
		return result;
	key.algorithm = from->algorithm;
	key.usage = from->usage;
	key.origin = SR_TA_ORIGIN_GENERATED;
	result = succeed(&key, &old);
	result = ta_new_key_conclude(SR_TA_CMD_ROTATE_KEY, &key, result, out);
	ta_wipe(&key, sizeof(key));
	return result;
}

/* ---- GET_PUBLIC_KEY, DELETE_KEY --------------------------------------------------- */

/* A request that is a key id and nothing else. */
static TEE_Result read_only_id(struct ta_reader *in, struct ta_key_id *id)
{
	ta_key_id_read(in, id);
	if (!ta_reader_done(in))
		return TEE_ERROR_BAD_FORMAT;
	return ta_key_id_valid(id) ? TEE_SUCCESS : TEE_ERROR_BAD_PARAMETERS;
}

TEE_Result ta_cmd_get_public_key(struct ta_reader *in, struct ta_writer *out)
{
	const struct ta_key *key = NULL;
	struct ta_key_id id = { 0 };
	TEE_Result result = read_only_id(in, &id);

	if (result == TEE_SUCCESS)
		result = ta_keystore_find(&id, &key);
	if (result == TEE_SUCCESS)
		result = ta_put_reserve(out, 1 + ta_key_info_size(key));
	if (result != TEE_SUCCESS)
		return result;
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_key_info_write(out, key);
	return TEE_SUCCESS;
}

static TEE_Result delete_recorded(const struct ta_key_id *id)
{
	struct ta_audit_entry entry = { .command = SR_TA_CMD_DELETE_KEY, .key = id };
	static struct ta_key gone;
	const struct ta_key *key = NULL;
	TEE_Result result = ta_keystore_find(id, &key);

	gone = (struct ta_key){ 0 };
	if (result == TEE_SUCCESS) {
		gone = *key;
		ta_wipe(gone.secret, sizeof(gone.secret));
		entry.policy_version = key->policy_version;
		result = ta_sha256(key->public_key, key->public_len, entry.digest);
		if (result != TEE_SUCCESS)
			return result;
	}
	ta_entropy_before_change();
	result = ta_keystore_delete(id);
	if (result == TEE_SUCCESS)
		result = ta_state_changed();
	/* The key first: one that is there has its ledger. */
	if (result == TEE_SUCCESS && gone.public_len)
		result = ta_ledger_drop(&gone);
	return ta_audit_conclude(&entry, result);
}

/* Needs no usage and no sound key: to take one away is always allowed. */
TEE_Result ta_cmd_delete_key(struct ta_reader *in, struct ta_writer *out)
{
	struct ta_key_id id = { 0 };
	TEE_Result result = read_only_id(in, &id);

	if (result == TEE_SUCCESS)
		result = ta_put_reserve(out, 1);
	if (result != TEE_SUCCESS)
		return result;
	result = ta_audit_prepare(in, false, 1);
	if (result == TEE_SUCCESS)
		result = delete_recorded(&id);
	if (result == TEE_SUCCESS)
		ta_put_u8(out, SR_TA_WIRE_VERSION);
	return result;
}
