/* SPDX-License-Identifier: Apache-2.0 */
#include "audit_test.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static secp256k1_context *signing_context(void)
{
	static secp256k1_context *context;

	if (!context)
		context = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
	if (!context)
		abort();
	return context;
}

void make_key(const uint8_t secret[static 32], uint8_t out[static AUDIT_KEY_SIZE])
{
	secp256k1_pubkey key;
	size_t len = AUDIT_KEY_SIZE;

	if (!secp256k1_ec_pubkey_create(signing_context(), &key, secret) ||
	    !secp256k1_ec_pubkey_serialize(signing_context(), out, &len, &key,
					   SECP256K1_EC_UNCOMPRESSED))
		abort();
}

void maker_init(struct maker *m, uint8_t number)
{
	*m = (struct maker){ .generation = 1 };
	memset(m->secret, number, sizeof(m->secret));
	make_key(m->secret, m->key);
	audit_genesis(m->key, m->head);
}

void make_next(struct maker *m, const struct audit_record *record, struct made *out)
{
	out->len = audit_record_encode(record, out->bytes);
	m->seq = record->seq;
	audit_next_head(m->head, (struct sr_bytes){ out->bytes, out->len }, m->head);
}

void make_record(struct maker *m, uint8_t command, struct made *out)
{
	struct audit_record r = { .seq = m->seq + 1,
				  .generation = m->generation,
				  .time_ms = 1000 + 7 * m->seq,
				  .command = command,
				  .decision = m->seq % 5 == 4 ? 0xffff0001 : 0,
				  .policy_version = 3 };

	r.value[15] = (uint8_t)m->seq;
	r.value[8] = 0x11;
	memset(r.digest, (int)(m->seq & 0xff), sizeof(r.digest));
	memcpy(r.key_id, "primary", 8);
	make_next(m, &r, out);
}

static void put_big_endian(uint8_t *out, uint64_t n)
{
	for (unsigned i = 0; i < 8; i++)
		out[i] = (uint8_t)(n >> (56 - 8 * i));
}

void make_begin(struct maker *m, uint64_t skip, struct made *out)
{
	struct audit_record r = { .seq = m->seq + 1 + skip,
				  .generation = ++m->generation,
				  .time_ms = 12,
				  .command = SR_TA_CMD_BEGIN };

	put_big_endian(r.value, 1790000000);
	put_big_endian(r.value + 8, m->seq);
	memcpy(r.digest, m->head, sizeof(r.digest));
	make_next(m, &r, out);
}

void sign_checkpoint(const struct maker *m, const uint8_t checkpoint[static SR_TA_CHECKPOINT_SIZE],
		     uint8_t signature[static SR_TA_SECP256K1_SIGNATURE_SIZE])
{
	secp256k1_ecdsa_recoverable_signature made;
	uint8_t digest[32];
	int v = 0;

	(void)crypto_hash_sha256(digest, checkpoint, SR_TA_CHECKPOINT_SIZE);
	if (!secp256k1_ecdsa_sign_recoverable(signing_context(), &made, digest, m->secret, NULL,
					      NULL) ||
	    !secp256k1_ecdsa_recoverable_signature_serialize_compact(signing_context(), signature,
								     &v, &made))
		abort();
	signature[64] = (uint8_t)(27 + v);
}

void make_checkpoint(const struct maker *m, uint8_t out[static SR_TA_CHECKPOINT_SIZE],
		     uint8_t signature[static SR_TA_SECP256K1_SIGNATURE_SIZE])
{
	struct audit_checkpoint c = { .ta = { 0x12, 0x34, 0x56, 0x78, 0x5b, 0x69, 0x11, 0xd4, 0x9f,
					      0xee, 0x00, 0xc0, 0x4f, 0x4c, 0x34, 0x56 },
				      .seq = m->seq,
				      .generation = m->generation,
				      .time_ms = 5000 };

	memcpy(c.head, m->head, sizeof(c.head));
	audit_checkpoint_encode(&c, out);
	sign_checkpoint(m, out, signature);
}
