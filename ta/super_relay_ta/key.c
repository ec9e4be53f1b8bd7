/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "algorithm.h"
#include "key.h"
#include "memory.h"
#include "policy.h"

#define RECORD_MAGIC 0x314b5253u /* "SRK1", little-endian */
#define RECORD_VERSION 2

/* Spelled out: the dev kit's ctype functions know locales, and ids must not. */
static bool id_character(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-';
}

bool ta_key_id_valid(const struct ta_key_id *id)
{
	if (!id->len || id->len > sizeof(id->bytes))
		return false;
	for (size_t i = 0; i < id->len; i++) {
		if (!id_character(id->bytes[i]))
			return false;
	}
	return true;
}

void ta_key_id_read(struct ta_reader *in, struct ta_key_id *id)
{
	const size_t len = ta_get_u8(in);

	*id = (struct ta_key_id){ 0 };
	if (len > sizeof(id->bytes)) {
		(void)ta_get_view(in, len);
		id->len = UINT8_MAX; /* fails ta_key_id_valid */
		return;
	}
	ta_get_bytes(in, id->bytes, len);
	id->len = (uint8_t)len;
}

int ta_key_id_compare(const struct ta_key_id *a, const struct ta_key_id *b)
{
	const size_t common = a->len < b->len ? a->len : b->len;
	const int order = memcmp(a->bytes, b->bytes, common);

	return order ? order : (int)a->len - (int)b->len;
}

TEE_Result ta_key_attributes_check(uint8_t algorithm, uint32_t usage)
{
	const struct ta_algorithm *a = ta_algorithm_find(algorithm);

	if (!a)
		return TEE_ERROR_NOT_SUPPORTED;
	/* One, never two: a key that signs sponsorships and bytes of the caller's choice
	 * would be an oracle for any sponsorship. */
	if (!usage || (usage & (usage - 1)) || (usage & ~a->usages))
		return TEE_ERROR_BAD_PARAMETERS;
	return TEE_SUCCESS;
}

void ta_key_info_write(struct ta_writer *out, const struct ta_key *key)
{
	ta_put_short_string(out, key->id.bytes, key->id.len);
	ta_put_u8(out, key->algorithm);
	ta_put_u8(out, key->origin);
	ta_put_u32(out, key->usage);
	ta_put_u64(out, key->created);
	ta_put_short_string(out, key->public_key, key->public_len);
	ta_put_u32(out, key->policy_version);
}

size_t ta_key_info_size(const struct ta_key *key)
{
	return (size_t)1 + key->id.len + 1 + 1 + 4 + 8 + 1 + key->public_len + 4;
}

size_t ta_key_record_encode(const struct ta_key *key, const uint8_t tag[static TA_KEY_TAG_SIZE],
			    uint8_t out[TA_KEY_RECORD_MAX])
{
	struct ta_writer w = { .data = out, .size = TA_KEY_RECORD_MAX };

	ta_put_u32(&w, RECORD_MAGIC);
	ta_put_u8(&w, RECORD_VERSION);
	ta_put_bytes(&w, tag, TA_KEY_TAG_SIZE);
	ta_put_u8(&w, key->algorithm);
	ta_put_u8(&w, key->origin);
	ta_put_u32(&w, key->usage);
	ta_put_u64(&w, key->created);
	ta_put_short_string(&w, key->id.bytes, key->id.len);
	ta_put_short_string(&w, key->public_key, key->public_len);
	ta_put_u32(&w, key->policy_version);
	ta_put_long_string(&w, key->policy, key->policy_len);
	ta_put_bytes(&w, key->operator_signature, sizeof(key->operator_signature));
	ta_put_bytes(&w, key->secret, sizeof(key->secret));
	return w.len;
}

/* What a record says of itself is believed only as far as a key could have been
 * made so: the attributes that ta_key_attributes_check lets pass, and no others. */
static bool fields_valid(const struct ta_key *key)
{
	const struct ta_algorithm *a = ta_algorithm_find(key->algorithm);

	return a && ta_key_attributes_check(key->algorithm, key->usage) == TEE_SUCCESS &&
	       (key->origin == SR_TA_ORIGIN_GENERATED ||
		key->origin == SR_TA_ORIGIN_IMPORTED_PLAIN ||
		key->origin == SR_TA_ORIGIN_IMPORTED_WRAPPED) &&
	       ta_key_id_valid(&key->id) && key->public_len == a->public_size;
}

static bool policy_valid(const struct ta_key *key)
{
	struct ta_policy policy = { 0 };

	if (!key->policy_version)
		return !key->policy_len;
	return ta_policy_decode(key->policy, key->policy_len, &policy) == TEE_SUCCESS;
}

/* Those fields that vary in length. */
static bool read_variable(struct ta_reader *in, struct ta_key *key)
{
	ta_key_id_read(in, &key->id);
	key->public_len = ta_get_u8(in);
	if (key->public_len > sizeof(key->public_key))
		return false;
	ta_get_bytes(in, key->public_key, key->public_len);
	key->policy_version = ta_get_u32(in);
	key->policy_len = ta_get_u16(in);
	if (key->policy_len > sizeof(key->policy))
		return false;
	ta_get_bytes(in, key->policy, key->policy_len);
	return true;
}

TEE_Result ta_key_record_decode(const uint8_t *record, size_t len,
				const uint8_t tag[static TA_KEY_TAG_SIZE], struct ta_key *key)
{
	struct ta_reader in = { .data = record, .len = len };
	uint8_t own[TA_KEY_TAG_SIZE] = { 0 };

	*key = (struct ta_key){ 0 };
	/* Another version is damage too: this TA cannot tell what the fields mean. */
	if (ta_get_u32(&in) != RECORD_MAGIC || ta_get_u8(&in) != RECORD_VERSION)
		return TEE_ERROR_CORRUPT_OBJECT;
	ta_get_bytes(&in, own, sizeof(own));
	key->algorithm = ta_get_u8(&in);
	key->origin = ta_get_u8(&in);
	key->usage = ta_get_u32(&in);
	key->created = ta_get_u64(&in);
	if (!read_variable(&in, key))
		return TEE_ERROR_CORRUPT_OBJECT;
	ta_get_bytes(&in, key->operator_signature, sizeof(key->operator_signature));
	ta_get_bytes(&in, key->secret, sizeof(key->secret));
	if (!ta_reader_done(&in) || !fields_valid(key) || !policy_valid(key) ||
	    memcmp(own, tag, sizeof(own)) != 0)
		return TEE_ERROR_CORRUPT_OBJECT;
	return TEE_SUCCESS;
}
