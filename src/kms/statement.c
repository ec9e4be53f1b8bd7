/* SPDX-License-Identifier: Apache-2.0 */
#include "kms/statement.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* ---- the operator's key ------------------------------------------------------ */

static bool ready(struct sr_error *err)
{
	return sodium_init() >= 0 || sr_fail(err, SR_E_INTERNAL, "libsodium does not start");
}

bool kms_operator_public(const uint8_t seed[static KMS_OPERATOR_SEED_SIZE],
			 uint8_t public_key[static SR_TA_ED25519_PUBLIC_SIZE], struct sr_error *err)
{
	uint8_t secret[crypto_sign_SECRETKEYBYTES];

	if (!ready(err))
		return false;
	crypto_sign_seed_keypair(public_key, secret, seed);
	sr_wipe(secret, sizeof(secret));
	return true;
}

bool kms_operator_generate(uint8_t seed[static KMS_OPERATOR_SEED_SIZE],
			   uint8_t public_key[static SR_TA_ED25519_PUBLIC_SIZE],
			   struct sr_error *err)
{
	if (!ready(err))
		return false;
	randombytes_buf(seed, KMS_OPERATOR_SEED_SIZE);
	return kms_operator_public(seed, public_key, err);
}

bool kms_operator_sign(const uint8_t seed[static KMS_OPERATOR_SEED_SIZE], struct sr_bytes statement,
		       uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE],
		       struct sr_error *err)
{
	uint8_t public_key[crypto_sign_PUBLICKEYBYTES];
	uint8_t secret[crypto_sign_SECRETKEYBYTES];

	if (!ready(err))
		return false;
	crypto_sign_seed_keypair(public_key, secret, seed);
	crypto_sign_detached(signature, NULL, statement.data, statement.len, secret);
	sr_wipe(secret, sizeof(secret));
	return true;
}

bool kms_operator_verify(const uint8_t public_key[static SR_TA_ED25519_PUBLIC_SIZE],
			 struct sr_bytes statement,
			 const uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE])
{
	return crypto_sign_verify_detached(signature, statement.data, statement.len, public_key) ==
	       0;
}

/* ---- statements ---------------------------------------------------------------- */

static void put_le(struct sr_buf *out, uint64_t v, size_t size)
{
	uint8_t le[8];

	for (size_t i = 0; i < size; i++)
		le[i] = (uint8_t)(v >> (8 * i));
	sr_buf_append(out, le, size);
}

static void put_hash(struct sr_buf *out, struct sr_bytes data)
{
	uint8_t hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, data.data, data.len);
	sr_buf_append(out, hash, sizeof(hash));
}

static void put_name(struct sr_buf *out, const char *name, const uint8_t uuid[static 16])
{
	sr_buf_puts(out, name);
	sr_buf_append(out, uuid, 16);
}

static void put_key(struct sr_buf *out, const char *id, struct sr_bytes public_key)
{
	put_le(out, strlen(id), 1);
	sr_buf_puts(out, id);
	put_hash(out, public_key);
}

void kms_statement_provision(const uint8_t uuid[static 16], const struct kms_provision *p,
			     struct sr_buf *out)
{
	put_name(out, SR_TA_STATEMENT_PROVISION, uuid);
	sr_buf_append(out, p->operator_key, sizeof(p->operator_key));
	put_le(out, p->flags, 4);
	put_le(out, p->group_count, 1);
	for (unsigned i = 0; i < p->group_count && i < SR_TA_GROUPS_MAX; i++)
		sr_buf_append(out, p->groups[i], sizeof(p->groups[i]));
}

void kms_statement_policy(const uint8_t uuid[static 16], const char *id, struct sr_bytes public_key,
			  uint32_t version, struct sr_bytes policy, struct sr_buf *out)
{
	put_name(out, SR_TA_STATEMENT_POLICY, uuid);
	put_key(out, id, public_key);
	put_le(out, version, 4);
	sr_buf_append(out, policy.data, policy.len);
}

void kms_statement_export(const uint8_t uuid[static 16], const char *id, struct sr_bytes public_key,
			  const uint8_t recipient[static SR_TA_X25519_PUBLIC_SIZE],
			  struct sr_buf *out)
{
	put_name(out, SR_TA_STATEMENT_EXPORT, uuid);
	put_key(out, id, public_key);
	sr_buf_append(out, recipient, SR_TA_X25519_PUBLIC_SIZE);
}

void kms_statement_begin(const uint8_t uuid[static 16], const struct kms_audit_state *ta,
			 const struct audit_tail *tail, struct sr_buf *out)
{
	put_name(out, SR_TA_STATEMENT_BEGIN, uuid);
	put_le(out, ta->generation, 8);
	put_le(out, ta->next, 8);
	put_le(out, tail->seq, 8);
	put_le(out, tail->generation, 8);
	sr_buf_append(out, tail->head, sizeof(tail->head));
	sr_buf_append(out, ta->public_key, sizeof(ta->public_key));
}

/* ---- UUIDs ---------------------------------------------------------------------- */

void kms_uuid_octets(const TEEC_UUID *uuid, uint8_t out[static 16])
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(uuid->timeLow >> (24 - 8 * i));
	out[4] = (uint8_t)(uuid->timeMid >> 8);
	out[5] = (uint8_t)uuid->timeMid;
	out[6] = (uint8_t)(uuid->timeHiAndVersion >> 8);
	out[7] = (uint8_t)uuid->timeHiAndVersion;
	memcpy(out + 8, uuid->clockSeqAndNode, 8);
}

bool kms_group_uuid(uint32_t gid, uint8_t out[static 16], struct sr_error *err)
{
	/* drivers/tee/tee_core.c's tee_client_uuid_ns */
	static const uint8_t name_space[16] = { 0x58, 0xac, 0x9c, 0xa0, 0x20, 0x86, 0x46, 0x83,
						0xa1, 0xb8, 0xec, 0x4b, 0xc0, 0x8e, 0x01, 0xb6 };
	uint8_t text[sizeof(name_space) + 16];
	uint8_t hash[EVP_MAX_MD_SIZE];
	int n = 0;

	memcpy(text, name_space, sizeof(name_space));
	n = snprintf((char *)text + sizeof(name_space), 16, "gid=%x", (unsigned)gid);
	if (!EVP_Digest(text, sizeof(name_space) + (size_t)n, hash, NULL, EVP_sha1(), NULL))
		return sr_fail(err, SR_E_INTERNAL, "libcrypto computes no SHA-1");
	memcpy(out, hash, 16);
	out[6] = (uint8_t)((out[6] & 0x0f) | 0x50);
	out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
	return true;
}
