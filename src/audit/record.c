/* SPDX-License-Identifier: Apache-2.0 */
/* The TA's bytes: records, checkpoints, and the chain that they make. */
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <sodium.h>
#include <string.h>

#include "audit/audit_private.h"

_Static_assert(crypto_hash_sha256_BYTES == AUDIT_HEAD_SIZE, "the chain is of SHA-256");

#define RECORD_FIXED (SR_TA_RECORD_MAX - SR_TA_KEY_ID_MAX) /* a record without a key id */
#define CHECKPOINT_VERSION 1

const uint8_t audit_ta_uuid[16] = { 0x12, 0x34, 0x56, 0x78, 0x5b, 0x69, 0x11, 0xd4,
				    0x9f, 0xee, 0x00, 0xc0, 0x4f, 0x4c, 0x34, 0x56 };

/* ---- little-endian integers ----------------------------------------------- */

static uint64_t take(const uint8_t **at, unsigned size)
{
	uint64_t n = 0;

	for (unsigned i = size; i-- > 0;)
		n = n << 8 | (*at)[i];
	*at += size;
	return n;
}

static void put(uint8_t **at, uint64_t n, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		*(*at)++ = (uint8_t)(n >> (8 * i));
}

static void take_bytes(const uint8_t **at, uint8_t *out, size_t size)
{
	memcpy(out, *at, size);
	*at += size;
}

static void put_bytes(uint8_t **at, const void *bytes, size_t size)
{
	memcpy(*at, bytes, size);
	*at += size;
}

/* ---- records ----------------------------------------------------------------- */

bool audit_key_id_valid(const char *id, size_t len)
{
	if (len > SR_TA_KEY_ID_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)id[i];
		bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		bool digit = c >= '0' && c <= '9';

		if (!letter && !digit && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

bool audit_record_decode(struct sr_bytes bytes, struct audit_record *out, struct sr_error *err)
{
	const uint8_t *at = bytes.data;
	size_t id_len = 0;

	*out = (struct audit_record){ 0 };
	if (bytes.len < RECORD_FIXED || bytes.len > SR_TA_RECORD_MAX)
		return sr_fail(err, SR_E_CORRUPT, "audit record of %zu bytes: expected %zu to %zu",
			       bytes.len, (size_t)RECORD_FIXED, (size_t)SR_TA_RECORD_MAX);
	if (take(&at, 1) != SR_TA_RECORD_VERSION)
		return sr_fail(err, SR_E_CORRUPT, "audit record of version %u: expected %d",
			       bytes.data[0], SR_TA_RECORD_VERSION);
	out->seq = take(&at, 8);
	out->generation = take(&at, 8);
	out->time_ms = take(&at, 8);
	out->command = (uint8_t)take(&at, 1);
	out->decision = (uint32_t)take(&at, 4);
	out->policy_version = (uint32_t)take(&at, 4);
	take_bytes(&at, out->value, sizeof(out->value));
	take_bytes(&at, out->digest, sizeof(out->digest));
	id_len = (size_t)take(&at, 1);
	if (id_len != bytes.len - RECORD_FIXED || !audit_key_id_valid((const char *)at, id_len))
		return sr_fail(err, SR_E_CORRUPT, "audit record %llu: its key id is malformed",
			       (unsigned long long)out->seq);
	memcpy(out->key_id, at, id_len);
	return true;
}

size_t audit_record_encode(const struct audit_record *record, uint8_t out[static SR_TA_RECORD_MAX])
{
	uint8_t *at = out;
	size_t id_len = strnlen(record->key_id, SR_TA_KEY_ID_MAX);

	put(&at, SR_TA_RECORD_VERSION, 1);
	put(&at, record->seq, 8);
	put(&at, record->generation, 8);
	put(&at, record->time_ms, 8);
	put(&at, record->command, 1);
	put(&at, record->decision, 4);
	put(&at, record->policy_version, 4);
	put_bytes(&at, record->value, sizeof(record->value));
	put_bytes(&at, record->digest, sizeof(record->digest));
	put(&at, id_len, 1);
	put_bytes(&at, record->key_id, id_len);
	return (size_t)(at - out);
}

static uint64_t big_endian(const uint8_t *bytes)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < 8; i++)
		n = n << 8 | bytes[i];
	return n;
}

uint64_t audit_begin_host_time(const struct audit_record *record)
{
	return big_endian(record->value);
}

uint64_t audit_begin_stored(const struct audit_record *record)
{
	return big_endian(record->value + 8);
}

/* ---- the chain ----------------------------------------------------------------- */

void audit_genesis(const uint8_t audit_key[static AUDIT_KEY_SIZE],
		   uint8_t out[static AUDIT_HEAD_SIZE])
{
	uint8_t bytes[sizeof(SR_TA_AUDIT_GENESIS) - 1 + AUDIT_KEY_SIZE] = SR_TA_AUDIT_GENESIS;

	memcpy(bytes + sizeof(SR_TA_AUDIT_GENESIS) - 1, audit_key, AUDIT_KEY_SIZE);
	(void)crypto_hash_sha256(out, bytes, sizeof(bytes));
}

void audit_next_head(const uint8_t head[static AUDIT_HEAD_SIZE], struct sr_bytes record,
		     uint8_t out[static AUDIT_HEAD_SIZE])
{
	crypto_hash_sha256_state hash;

	(void)crypto_hash_sha256_init(&hash);
	(void)crypto_hash_sha256_update(&hash, head, AUDIT_HEAD_SIZE);
	(void)crypto_hash_sha256_update(&hash, record.data, record.len);
	(void)crypto_hash_sha256_final(&hash, out);
}

void audit_record_head(const uint8_t before[static AUDIT_HEAD_SIZE],
		       const struct audit_record *record, uint8_t out[static AUDIT_HEAD_SIZE])
{
	uint8_t bytes[AUDIT_HEAD_SIZE + SR_TA_RECORD_MAX];
	size_t len = AUDIT_HEAD_SIZE;

	/* In one piece: half the price of three calls. */
	memcpy(bytes, before, AUDIT_HEAD_SIZE);
	len += audit_record_encode(record, bytes + AUDIT_HEAD_SIZE);
	(void)crypto_hash_sha256(out, bytes, len);
}

uint64_t audit_predecessor(const struct audit_entry *entry)
{
	if (entry->record.command == SR_TA_CMD_BEGIN)
		return entry->follows;
	return entry->record.seq ? entry->record.seq - 1 : 0;
}

/* ---- checkpoints ------------------------------------------------------------------ */

bool audit_checkpoint_decode(const uint8_t bytes[static SR_TA_CHECKPOINT_SIZE],
			     struct audit_checkpoint *out, struct sr_error *err)
{
	const uint8_t *at = bytes + 4;

	*out = (struct audit_checkpoint){ 0 };
	if (memcmp(bytes, SR_TA_CHECKPOINT_MAGIC, 4) != 0 || take(&at, 1) != CHECKPOINT_VERSION)
		return sr_fail(err, SR_E_CORRUPT, "not a checkpoint of version %d",
			       CHECKPOINT_VERSION);
	take_bytes(&at, out->ta, sizeof(out->ta));
	out->seq = take(&at, 8);
	out->generation = take(&at, 8);
	out->time_ms = take(&at, 8);
	take_bytes(&at, out->head, sizeof(out->head));
	return true;
}

void audit_checkpoint_encode(const struct audit_checkpoint *checkpoint,
			     uint8_t out[static SR_TA_CHECKPOINT_SIZE])
{
	uint8_t *at = out;

	put_bytes(&at, SR_TA_CHECKPOINT_MAGIC, 4);
	put(&at, CHECKPOINT_VERSION, 1);
	put_bytes(&at, checkpoint->ta, sizeof(checkpoint->ta));
	put(&at, checkpoint->seq, 8);
	put(&at, checkpoint->generation, 8);
	put(&at, checkpoint->time_ms, 8);
	put_bytes(&at, checkpoint->head, sizeof(checkpoint->head));
}

/* r ‖ s ‖ v, v = 27 or 28, s in the lower half: a signature has one spelling. */
static bool parse_signature(const uint8_t *signature, secp256k1_ecdsa_recoverable_signature *out)
{
	secp256k1_ecdsa_signature plain;
	int v = signature[64] - 27;

	return (v == 0 || v == 1) &&
	       secp256k1_ecdsa_recoverable_signature_parse_compact(secp256k1_context_static, out,
								   signature, v) &&
	       secp256k1_ecdsa_recoverable_signature_convert(secp256k1_context_static, &plain,
							     out) &&
	       !secp256k1_ecdsa_signature_normalize(secp256k1_context_static, NULL, &plain);
}

bool audit_checkpoint_signer(const uint8_t bytes[static SR_TA_CHECKPOINT_SIZE],
			     const uint8_t signature[static SR_TA_SECP256K1_SIGNATURE_SIZE],
			     uint8_t audit_key[static AUDIT_KEY_SIZE])
{
	secp256k1_ecdsa_recoverable_signature parsed;
	secp256k1_pubkey key;
	uint8_t digest[32];
	size_t len = AUDIT_KEY_SIZE;

	(void)crypto_hash_sha256(digest, bytes, SR_TA_CHECKPOINT_SIZE);
	return parse_signature(signature, &parsed) &&
	       secp256k1_ecdsa_recover(secp256k1_context_static, &key, &parsed, digest) &&
	       secp256k1_ec_pubkey_serialize(secp256k1_context_static, audit_key, &len, &key,
					     SECP256K1_EC_UNCOMPRESSED) &&
	       len == AUDIT_KEY_SIZE;
}

bool audit_checkpoint_signed(const uint8_t bytes[static SR_TA_CHECKPOINT_SIZE],
			     const uint8_t signature[static SR_TA_SECP256K1_SIGNATURE_SIZE],
			     const uint8_t audit_key[static AUDIT_KEY_SIZE])
{
	uint8_t signer[AUDIT_KEY_SIZE] = { 0 };

	return audit_checkpoint_signer(bytes, signature, signer) &&
	       memcmp(signer, audit_key, sizeof(signer)) == 0;
}
