/* SPDX-License-Identifier: Apache-2.0 */
/*
 * envelope: a key on its way into or out of the TA, sealed to an X25519 key.
 * docs/key-envelope.md has the form byte for byte, and vectors.
 *
 *   "SRKE" · u8 1 · TA UUID (16) · recipient (32) · ephemeral (32) · u8 algorithm ·
 *   u32 usage · u8 origin · u64 created · short string key id · short string public key ·
 *   u32 policy version · long string policy · operator's signature (64) · nonce (12) ·
 *   ciphertext of the secret (32) · tag (16)
 *
 * key = HKDF-SHA256(salt = ephemeral ‖ recipient, secret = X25519(ephemeral secret, recipient),
 * info = TA_ENVELOPE_INFO), 32 bytes. AES-256-GCM; all that stands before the ciphertext is
 * authenticated with it. Without a policy, version and policy are empty and the
 * signature is zeros.
 *
 * An envelope keeps its content from all but the recipient. It does not say who sealed it:
 * anybody can, to a public key. What makes a key one to be trusted is its public key.
 */
#ifndef SR_TA_ENVELOPE_H
#define SR_TA_ENVELOPE_H

#include <stddef.h>
#include <stdint.h>
#include <tee_internal_api.h>

#include "key.h"

#define TA_ENVELOPE_MAGIC "SRKE"
#define TA_ENVELOPE_VERSION 1
#define TA_ENVELOPE_INFO "SuperRelay key envelope 1"
#define TA_ENVELOPE_NONCE_SIZE 12
#define TA_ENVELOPE_TAG_SIZE 16

/* Reads what is in the clear and judges it: form, algorithm, usage, lengths. Fills out but for the
 * secret. BAD_FORMAT: it is not of the form. BAD_PARAMETERS, NOT_SUPPORTED: a value that no key
 * has, or another TA's UUID. */
TEE_Result ta_envelope_check(const uint8_t *bytes, size_t len, struct ta_key *out);

/*
 * Does as much, opens it, and fills out whole; the caller wipes that. That the public key is the
 * secret's, and the policy the operator's, has not been judged.
 * BAD_PARAMETERS, besides: another recipient. SECURITY: it does not open.
 */
TEE_Result ta_envelope_open(const uint8_t *bytes, size_t len,
			    const uint8_t transport_secret[static SR_TA_SECRET_SIZE],
			    const uint8_t transport_public[static SR_TA_X25519_PUBLIC_SIZE],
			    struct ta_key *out);

/* The size of key's envelope, at most SR_TA_ENVELOPE_MAX. */
size_t ta_envelope_size(const struct ta_key *key);

/* Fills out, ta_envelope_size bytes. Draws its random numbers from entropy.h, which the caller has
 * refreshed. BAD_PARAMETERS: the recipient is a point of small order. With an error out
 * holds nothing secret. */
TEE_Result ta_envelope_seal(const struct ta_key *key,
			    const uint8_t recipient[static SR_TA_X25519_PUBLIC_SIZE], uint8_t *out,
			    size_t size);

#endif
