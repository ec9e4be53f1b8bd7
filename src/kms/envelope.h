/* SPDX-License-Identifier: Apache-2.0 */
/*
 * envelope: keys sealed to an X25519 key, opened and sealed in the normal world. For the
 * offline tools: neither daemon nor TEE has a part in that. docs/key-envelope.md has the
 * form byte for byte.
 *
 * An envelope keeps its key from all but the recipient. It does not say who sealed it.
 */
#ifndef SR_KMS_ENVELOPE_H
#define SR_KMS_ENVELOPE_H

#include "base/base.h"
#include "kms/kms.h"

#define KMS_UUID_SIZE 16

struct kms_envelope {
	uint8_t ta_uuid[KMS_UUID_SIZE]; /* as RFC 4122 writes it */
	uint8_t recipient[SR_TA_X25519_PUBLIC_SIZE];
	uint8_t ephemeral[SR_TA_X25519_PUBLIC_SIZE]; /* sealing makes it */
	struct kms_key key;			     /* policy_version 0: the rest is empty */
	uint8_t policy[SR_TA_POLICY_MAX];
	size_t policy_len;
	uint8_t operator_signature[SR_TA_OPERATOR_SIGNATURE_SIZE];
	uint8_t secret[SR_TA_SECRET_SIZE]; /* zeros until it is opened */
};

/* Memory that is not swapped out, not dumped, and wiped when freed. NULL: SR_E_NO_MEMORY. */
struct kms_envelope *kms_envelope_new(struct sr_error *err) SR_MUST_USE;
void *kms_locked_new(size_t size, struct sr_error *err) SR_MUST_USE;
void kms_locked_free(void *memory); /* of either; NULL is none */

/* Reads what is in the clear. SR_E_INVALID, SR_E_CORRUPT: it is no envelope, and why. */
bool kms_envelope_read(struct sr_bytes bytes, struct kms_envelope *out,
		       struct sr_error *err) SR_MUST_USE;

/* Reads and opens it, and checks that the public key is the secret's. SR_E_DENIED: it was sealed
 * to another key, or does not open. With an error out holds no secret. */
bool kms_envelope_open(struct sr_bytes bytes, const uint8_t secret[static SR_TA_SECRET_SIZE],
		       struct kms_envelope *out, struct sr_error *err) SR_MUST_USE;

/* Seals e to e->recipient, with a fresh ephemeral key that it fills in. SR_E_INVALID: a field is
 * not what it may be, or the recipient is a point of small order. SR_E_CORRUPT: the public key is
 * not the secret's. */
bool kms_envelope_seal(struct kms_envelope *e, uint8_t out[static SR_TA_ENVELOPE_MAX], size_t *len,
		       struct sr_error *err) SR_MUST_USE;

/* Fills algorithm's public key into key. SR_E_INVALID: the secret is no key of key->algorithm. */
bool kms_derive_public(const uint8_t secret[static SR_TA_SECRET_SIZE], struct kms_key *key,
		       struct sr_error *err) SR_MUST_USE;

/* A new pair to be a recipient. */
bool kms_x25519_generate(uint8_t secret[static SR_TA_SECRET_SIZE],
			 uint8_t public_key[static SR_TA_X25519_PUBLIC_SIZE],
			 struct sr_error *err) SR_MUST_USE;
bool kms_x25519_public(const uint8_t secret[static SR_TA_SECRET_SIZE],
		       uint8_t public_key[static SR_TA_X25519_PUBLIC_SIZE],
		       struct sr_error *err) SR_MUST_USE;
/* False for what no envelope may be sealed to: points of small order. */
bool kms_x25519_usable(const uint8_t public_key[static SR_TA_X25519_PUBLIC_SIZE]) SR_MUST_USE;

/* ---- through the TA (kms_wrap.c) ------------------------------------------------ */

/* The key appears under the id that the envelope has. */
bool kms_import_wrapped(struct kms *kms, struct sr_bytes envelope, struct kms_key *out,
			struct sr_error *err) SR_MUST_USE;
/* With the operator's signature over the statement for this key and recipient. */
bool kms_export_wrapped(struct kms *kms, const char *id,
			const uint8_t recipient[static SR_TA_X25519_PUBLIC_SIZE],
			const uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE],
			uint8_t out[static SR_TA_ENVELOPE_MAX], size_t *len,
			struct sr_error *err) SR_MUST_USE;

/* ---- for tests ------------------------------------------------------------------ */

/* As kms_envelope_seal, with the random numbers given: for test vectors and nothing else. */
bool kms_envelope_seal_with(struct kms_envelope *e,
			    const uint8_t ephemeral_secret[static SR_TA_SECRET_SIZE],
			    const uint8_t nonce[static 12], uint8_t out[static SR_TA_ENVELOPE_MAX],
			    size_t *len, struct sr_error *err) SR_MUST_USE;

#endif
