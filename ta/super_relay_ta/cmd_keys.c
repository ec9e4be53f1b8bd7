/* SPDX-License-Identifier: Apache-2.0 */
/* GENERATE_KEY, IMPORT_KEY, GET_PUBLIC_KEY, DELETE_KEY. */
#include <string.h>

#include "algorithm.h"
#include "commands.h"
#include "entropy.h"
#include "keystore.h"
#include "memory.h"

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

/* Judges them, and reserves room for the key info with the public key to come. */
static TEE_Result prepare_new_key(const struct ta_key *key, struct ta_writer *out)
{
	struct ta_key complete = { 0 };
	TEE_Result result = ta_key_attributes_check(key->algorithm, key->usage);

	if (result != TEE_SUCCESS)
		return result;
	if (!ta_key_id_valid(&key->id))
		return TEE_ERROR_BAD_PARAMETERS;
	complete.id = key->id;
	complete.public_len = ta_algorithm_find(key->algorithm)->public_size;
	return ta_put_reserve(out, 1 + ta_key_info_size(&complete));
}

static TEE_Result store_new_key(struct ta_key *key, struct ta_writer *out)
{
	TEE_Result result = ta_keystore_create(key);

	if (result != TEE_SUCCESS)
		return result;
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_key_info_write(out, key);
	return TEE_SUCCESS;
}

/* A pair that is none would be found damaged when it is first loaded, when something
 * may already stand on its public key. */
static TEE_Result generate(struct ta_key *key, const uint8_t *host)
{
	const struct ta_algorithm *a = ta_algorithm_find(key->algorithm);
	TEE_Result result = TEE_ERROR_GENERIC;

	ta_entropy_begin_key(host);
	result = a->generate(key);
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
	result = prepare_new_key(&key, out);
	if (result != TEE_SUCCESS)
		return result;
	key.origin = SR_TA_ORIGIN_GENERATED;
	result = generate(&key, host);
	if (result == TEE_SUCCESS)
		result = store_new_key(&key, out);
	ta_wipe(&key, sizeof(key));
	return result;
}

#ifdef CFG_SR_DEV_IMPORT

TEE_Result ta_cmd_import_key(struct ta_reader *in, struct ta_writer *out)
{
	struct ta_key key = { 0 };
	TEE_Result result = TEE_ERROR_BAD_FORMAT;

	read_new_key(in, &key);
	ta_get_bytes(in, key.secret, sizeof(key.secret));
	if (ta_reader_done(in))
		result = prepare_new_key(&key, out);
	if (result == TEE_SUCCESS)
		result = ta_algorithm_find(key.algorithm)->derive_public(&key);
	if (result == TEE_SUCCESS)
		ta_entropy_before_change();
	/* For ever marked as one that the normal world has known. */
	key.origin = SR_TA_ORIGIN_IMPORTED_PLAIN;
	if (result == TEE_SUCCESS)
		result = store_new_key(&key, out);
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

/* Needs no usage and no sound key: to take one away is always allowed. */
TEE_Result ta_cmd_delete_key(struct ta_reader *in, struct ta_writer *out)
{
	struct ta_key_id id = { 0 };
	TEE_Result result = read_only_id(in, &id);

	if (result == TEE_SUCCESS)
		result = ta_put_reserve(out, 1);
	if (result != TEE_SUCCESS)
		return result;
	ta_entropy_before_change();
	result = ta_keystore_delete(&id);
	if (result == TEE_SUCCESS)
		ta_put_u8(out, SR_TA_WIRE_VERSION);
	return result;
}
