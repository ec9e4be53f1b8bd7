/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "algorithm.h"
#include "entropy.h"
#include "envelope.h"
#include "hkdf.h"
#include "memory.h"
#include "operator.h"
#include "transport.h"

#define MAGIC_SIZE (sizeof(TA_ENVELOPE_MAGIC) - 1)
#define UUID_SIZE 16
#define AES_BITS 256
#define AES_KEY_SIZE 32

_Static_assert(MAGIC_SIZE + 1 + UUID_SIZE + 2 * SR_TA_X25519_PUBLIC_SIZE + 1 + 4 + 1 + 8 + 1 +
			       SR_TA_KEY_ID_MAX + 1 + SR_TA_PUBLIC_KEY_MAX + 4 + 2 +
			       SR_TA_POLICY_MAX + SR_TA_OPERATOR_SIGNATURE_SIZE +
			       TA_ENVELOPE_NONCE_SIZE + SR_TA_SECRET_SIZE + TA_ENVELOPE_TAG_SIZE <=
		       SR_TA_ENVELOPE_MAX,
	       "the largest envelope fits");

/* What stands before and behind the key's fields. */
struct frame {
	uint8_t uuid[UUID_SIZE];
	uint8_t recipient[SR_TA_X25519_PUBLIC_SIZE];
	uint8_t ephemeral[SR_TA_X25519_PUBLIC_SIZE];
	uint8_t nonce[TA_ENVELOPE_NONCE_SIZE];
	struct ta_piece authenticated;
	uint8_t ciphertext[SR_TA_SECRET_SIZE];
	uint8_t tag[TA_ENVELOPE_TAG_SIZE];
};

/* ---- cryptography ------------------------------------------------------------ */

/* own is the ephemeral secret when sealing, and the recipient's when opening. */
static TEE_Result derive_key(const struct frame *f, const uint8_t own[static SR_TA_SECRET_SIZE],
			     const uint8_t *peer, uint8_t out[static AES_KEY_SIZE])
{
	static const char info[] = TA_ENVELOPE_INFO;
	uint8_t salt[2 * SR_TA_X25519_PUBLIC_SIZE] = { 0 };
	uint8_t shared[SR_TA_X25519_PUBLIC_SIZE] = { 0 };
	TEE_Result result = ta_x25519(own, peer, shared);

	memcpy(salt, f->ephemeral, sizeof(f->ephemeral));
	memcpy(salt + sizeof(f->ephemeral), f->recipient, sizeof(f->recipient));
	if (result == TEE_SUCCESS)
		result = ta_hkdf_sha256((struct ta_piece){ salt, sizeof(salt) },
					(struct ta_piece){ shared, sizeof(shared) },
					(struct ta_piece){ info, sizeof(info) - 1 }, out,
					AES_KEY_SIZE);
	ta_wipe(shared, sizeof(shared));
	return result;
}

static TEE_Result set_key(TEE_OperationHandle operation, const uint8_t *key)
{
	TEE_Attribute attr = { 0 };
	TEE_ObjectHandle object = TEE_HANDLE_NULL;
	TEE_Result result = TEE_AllocateTransientObject(TEE_TYPE_AES, AES_BITS, &object);

	if (result != TEE_SUCCESS)
		return result;
	TEE_InitRefAttribute(&attr, TEE_ATTR_SECRET_VALUE, key, AES_KEY_SIZE);
	result = TEE_PopulateTransientObject(object, &attr, 1);
	if (result == TEE_SUCCESS)
		result = TEE_SetOperationKey(operation, object);
	TEE_FreeTransientObject(object);
	return result;
}

/* An operation that has taken key, nonce and what is authenticated. */
static TEE_Result begin_gcm(uint32_t mode, const struct frame *f, const uint8_t *key,
			    TEE_OperationHandle *out)
{
	TEE_OperationHandle operation = TEE_HANDLE_NULL;
	TEE_Result result = TEE_AllocateOperation(&operation, TEE_ALG_AES_GCM, mode, AES_BITS);

	*out = TEE_HANDLE_NULL;
	if (result != TEE_SUCCESS)
		return result;
	result = set_key(operation, key);
	if (result == TEE_SUCCESS)
		result = TEE_AEInit(operation, f->nonce, sizeof(f->nonce), sizeof(f->tag) * 8,
				    f->authenticated.len, sizeof(f->ciphertext));
	if (result != TEE_SUCCESS) {
		TEE_FreeOperation(operation);
		return result;
	}
	TEE_AEUpdateAAD(operation, f->authenticated.data, f->authenticated.len);
	*out = operation;
	return TEE_SUCCESS;
}

static TEE_Result decrypt(struct frame *f, const uint8_t *key,
			  uint8_t secret[static SR_TA_SECRET_SIZE])
{
	TEE_OperationHandle operation = TEE_HANDLE_NULL;
	size_t len = SR_TA_SECRET_SIZE;
	TEE_Result result = begin_gcm(TEE_MODE_DECRYPT, f, key, &operation);

	if (result != TEE_SUCCESS)
		return result;
	result = TEE_AEDecryptFinal(operation, f->ciphertext, sizeof(f->ciphertext), secret, &len,
				    f->tag, sizeof(f->tag));
	TEE_FreeOperation(operation);
	/* Deciphered before it was judged: nobody is to see it. */
	if (result != TEE_SUCCESS)
		ta_wipe(secret, SR_TA_SECRET_SIZE);
	return result == TEE_ERROR_MAC_INVALID ? TEE_ERROR_SECURITY : result;
}

static TEE_Result encrypt(struct frame *f, const uint8_t *key, const uint8_t *secret)
{
	TEE_OperationHandle operation = TEE_HANDLE_NULL;
	size_t len = sizeof(f->ciphertext);
	size_t tag_len = sizeof(f->tag);
	TEE_Result result = begin_gcm(TEE_MODE_ENCRYPT, f, key, &operation);

	if (result != TEE_SUCCESS)
		return result;
	result = TEE_AEEncryptFinal(operation, secret, SR_TA_SECRET_SIZE, f->ciphertext, &len,
				    f->tag, &tag_len);
	TEE_FreeOperation(operation);
	if (result == TEE_SUCCESS && (len != sizeof(f->ciphertext) || tag_len != sizeof(f->tag)))
		result = TEE_ERROR_GENERIC;
	return result;
}

/* ---- opening --------------------------------------------------------------- */

static void read_frame_head(struct ta_reader *in, struct frame *f)
{
	uint8_t magic[MAGIC_SIZE] = { 0 };

	ta_get_bytes(in, magic, sizeof(magic));
	if (memcmp(magic, TA_ENVELOPE_MAGIC, sizeof(magic)) != 0 ||
	    ta_get_u8(in) != TA_ENVELOPE_VERSION)
		in->failed = true;
	ta_get_bytes(in, f->uuid, sizeof(f->uuid));
	ta_get_bytes(in, f->recipient, sizeof(f->recipient));
	ta_get_bytes(in, f->ephemeral, sizeof(f->ephemeral));
}

static void read_frame_end(struct ta_reader *in, struct frame *f)
{
	ta_get_bytes(in, f->nonce, sizeof(f->nonce));
	f->authenticated = (struct ta_piece){ in->data, in->at };
	ta_get_bytes(in, f->ciphertext, sizeof(f->ciphertext));
	ta_get_bytes(in, f->tag, sizeof(f->tag));
}

static void read_policy(struct ta_reader *in, struct ta_key *key)
{
	key->policy_version = ta_get_u32(in);
	key->policy_len = ta_get_u16(in);
	if (key->policy_len > sizeof(key->policy)) {
		in->failed = true;
		return;
	}
	ta_get_bytes(in, key->policy, key->policy_len);
	ta_get_bytes(in, key->operator_signature, sizeof(key->operator_signature));
}

static void read_key(struct ta_reader *in, struct ta_key *key)
{
	key->algorithm = ta_get_u8(in);
	key->usage = ta_get_u32(in);
	key->origin = ta_get_u8(in);
	key->created = ta_get_u64(in);
	ta_key_id_read(in, &key->id);
	key->public_len = ta_get_u8(in);
	if (key->public_len > sizeof(key->public_key)) {
		in->failed = true;
		return;
	}
	ta_get_bytes(in, key->public_key, key->public_len);
	read_policy(in, key);
}

/* Version 0 stands for none, and there is one way to say so. */
static bool policy_form_good(const struct ta_key *key)
{
	const uint8_t zeros[SR_TA_OPERATOR_SIGNATURE_SIZE] = { 0 };

	if (key->policy_version)
		return key->policy_len > 0;
	return !key->policy_len && !memcmp(key->operator_signature, zeros, sizeof(zeros));
}

static TEE_Result judge_key(const struct ta_key *key)
{
	TEE_Result result = ta_key_attributes_check(key->algorithm, key->usage);

	if (result != TEE_SUCCESS)
		return result;
	if (!ta_key_id_valid(&key->id) || key->origin < SR_TA_ORIGIN_GENERATED ||
	    key->origin > SR_TA_ORIGIN_IMPORTED_WRAPPED ||
	    key->public_len != ta_algorithm_find(key->algorithm)->public_size)
		return TEE_ERROR_BAD_PARAMETERS;
	return TEE_SUCCESS;
}

/* The UUID is authenticated, too: looked at so that the answer says what is wrong. */
static TEE_Result judge_uuid(const uint8_t *uuid)
{
	uint8_t own[UUID_SIZE] = { 0 };

	ta_uuid_octets(own);
	return memcmp(uuid, own, sizeof(own)) ? TEE_ERROR_BAD_PARAMETERS : TEE_SUCCESS;
}

static TEE_Result parse(const uint8_t *bytes, size_t len, struct frame *f, struct ta_key *out)
{
	struct ta_reader in = { .data = bytes, .len = len };
	TEE_Result result = TEE_ERROR_BAD_FORMAT;

	memset(out, 0, sizeof(*out));
	read_frame_head(&in, f);
	read_key(&in, out);
	read_frame_end(&in, f);
	if (len > SR_TA_ENVELOPE_MAX || !ta_reader_done(&in) || !policy_form_good(out))
		return result;
	result = judge_uuid(f->uuid);
	return result == TEE_SUCCESS ? judge_key(out) : result;
}

TEE_Result ta_envelope_check(const uint8_t *bytes, size_t len, struct ta_key *out)
{
	struct frame f = { 0 };

	return parse(bytes, len, &f, out);
}

TEE_Result ta_envelope_open(const uint8_t *bytes, size_t len,
			    const uint8_t transport_secret[static SR_TA_SECRET_SIZE],
			    const uint8_t transport_public[static SR_TA_X25519_PUBLIC_SIZE],
			    struct ta_key *out)
{
	struct frame f = { 0 };
	uint8_t key[AES_KEY_SIZE] = { 0 };
	TEE_Result result = parse(bytes, len, &f, out);

	if (result != TEE_SUCCESS)
		return result;
	if (memcmp(f.recipient, transport_public, sizeof(f.recipient)) != 0)
		return TEE_ERROR_BAD_PARAMETERS;
	result = derive_key(&f, transport_secret, f.ephemeral, key);
	/* An ephemeral key of small order: no envelope that was ever sealed has one. */
	if (result == TEE_ERROR_BAD_PARAMETERS)
		result = TEE_ERROR_SECURITY;
	if (result == TEE_SUCCESS)
		result = decrypt(&f, key, out->secret);
	ta_wipe(key, sizeof(key));
	return result;
}

/* ---- sealing --------------------------------------------------------------- */

size_t ta_envelope_size(const struct ta_key *key)
{
	return MAGIC_SIZE + 1 + UUID_SIZE + 2 * SR_TA_X25519_PUBLIC_SIZE + 1 + 4 + 1 + 8 + 1 +
	       key->id.len + 1 + key->public_len + 4 + 2 + key->policy_len +
	       SR_TA_OPERATOR_SIGNATURE_SIZE + TA_ENVELOPE_NONCE_SIZE + SR_TA_SECRET_SIZE +
	       TA_ENVELOPE_TAG_SIZE;
}

/* All that is authenticated. */
static void write_head(struct ta_writer *out, const struct frame *f, const struct ta_key *key)
{
	ta_put_bytes(out, TA_ENVELOPE_MAGIC, MAGIC_SIZE);
	ta_put_u8(out, TA_ENVELOPE_VERSION);
	ta_put_bytes(out, f->uuid, sizeof(f->uuid));
	ta_put_bytes(out, f->recipient, sizeof(f->recipient));
	ta_put_bytes(out, f->ephemeral, sizeof(f->ephemeral));
	ta_put_u8(out, key->algorithm);
	ta_put_u32(out, key->usage);
	ta_put_u8(out, key->origin);
	ta_put_u64(out, key->created);
	ta_put_short_string(out, key->id.bytes, key->id.len);
	ta_put_short_string(out, key->public_key, key->public_len);
	ta_put_u32(out, key->policy_version);
	ta_put_long_string(out, key->policy, key->policy_len);
	ta_put_bytes(out, key->operator_signature, sizeof(key->operator_signature));
	ta_put_bytes(out, f->nonce, sizeof(f->nonce));
}

static TEE_Result fill_frame(struct frame *f, const uint8_t *recipient,
			     uint8_t ephemeral_secret[static SR_TA_SECRET_SIZE])
{
	uint8_t random[TA_ENTROPY_SIZE] = { 0 };

	ta_uuid_octets(f->uuid);
	memcpy(f->recipient, recipient, sizeof(f->recipient));
	ta_entropy_next(random);
	memcpy(f->nonce, random, sizeof(f->nonce));
	ta_entropy_next(ephemeral_secret);
	/* Who takes the pool later must not find the secret in it. */
	ta_entropy_end_key();
	return ta_transport_public(ephemeral_secret, f->ephemeral);
}

TEE_Result ta_envelope_seal(const struct ta_key *key,
			    const uint8_t recipient[static SR_TA_X25519_PUBLIC_SIZE], uint8_t *out,
			    size_t size)
{
	struct ta_writer writer = { .data = out, .size = size };
	struct frame f = { 0 };
	uint8_t secret[SR_TA_SECRET_SIZE] = { 0 };
	uint8_t aes_key[AES_KEY_SIZE] = { 0 };
	TEE_Result result = fill_frame(&f, recipient, secret);

	if (result == TEE_SUCCESS)
		result = derive_key(&f, secret, f.recipient, aes_key);
	ta_wipe(secret, sizeof(secret));
	if (result == TEE_SUCCESS) {
		write_head(&writer, &f, key);
		f.authenticated = (struct ta_piece){ writer.data, writer.len };
		result = encrypt(&f, aes_key, key->secret);
	}
	ta_wipe(aes_key, sizeof(aes_key));
	if (result != TEE_SUCCESS)
		return result;
	ta_put_bytes(&writer, f.ciphertext, sizeof(f.ciphertext));
	ta_put_bytes(&writer, f.tag, sizeof(f.tag));
	return writer.failed || writer.len != size ? TEE_ERROR_GENERIC : TEE_SUCCESS;
}
