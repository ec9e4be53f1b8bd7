/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is made of secrets and is public all the same. The linker calls these in the place of
 * the functions that they are named after, and here alone is a secret made public: whoever
 * wants to know what the tests do not look behind reads this file.
 */
#include <openssl/modes.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <sodium.h>
#include <string.h>
#include <tee_internal_api.h>

#include "../../ta/super_relay_ta/envelope.h"
#include "../../ta/super_relay_ta/memory.h"
#include "../../ta/super_relay_ta/transport.h"
#include "ct.h"
#include "tee/sim/store.h"

static unsigned signatures;

unsigned ct_signatures(void)
{
	return signatures;
}

/* ---- verdicts: one bit, which the caller is told or which ends the instance ------------- */

/* Of values compared in constant time. */
bool __real_ta_equal_ct(const void *a, const void *b, size_t len);
bool __wrap_ta_equal_ct(const void *a, const void *b, size_t len);

bool __wrap_ta_equal_ct(const void *a, const void *b, size_t len)
{
	bool equal = __real_ta_equal_ct(a, b, len);

	ct_public(&equal, sizeof(equal));
	return equal;
}

/* Whether the tag is the message's. */
int __real_CRYPTO_gcm128_finish(GCM128_CONTEXT *ctx, const unsigned char *tag, size_t len);
int __wrap_CRYPTO_gcm128_finish(GCM128_CONTEXT *ctx, const unsigned char *tag, size_t len);

int __wrap_CRYPTO_gcm128_finish(GCM128_CONTEXT *ctx, const unsigned char *tag, size_t len)
{
	int differs = __real_CRYPTO_gcm128_finish(ctx, tag, len);

	ct_public(&differs, sizeof(differs));
	return differs;
}

/* Whether the result is zero, which depends on the point alone. */
int __real_crypto_scalarmult(unsigned char *q, const unsigned char *n, const unsigned char *p);
int __wrap_crypto_scalarmult(unsigned char *q, const unsigned char *n, const unsigned char *p);

int __wrap_crypto_scalarmult(unsigned char *q, const unsigned char *n, const unsigned char *p)
{
	int failed = __real_crypto_scalarmult(q, n, p);

	ct_public(&failed, sizeof(failed));
	return failed;
}

/* Always 1. */
int __real_secp256k1_context_randomize(secp256k1_context *ctx, const unsigned char *seed32);
int __wrap_secp256k1_context_randomize(secp256k1_context *ctx, const unsigned char *seed32);

int __wrap_secp256k1_context_randomize(secp256k1_context *ctx, const unsigned char *seed32)
{
	int done = __real_secp256k1_context_randomize(ctx, seed32);

	ct_public(&done, sizeof(done));
	return done;
}

/* ---- public keys, and whether the secret has one ----------------------------------------- */

int __real_secp256k1_ec_pubkey_create(const secp256k1_context *ctx, secp256k1_pubkey *pubkey,
				      const unsigned char *seckey);
int __wrap_secp256k1_ec_pubkey_create(const secp256k1_context *ctx, secp256k1_pubkey *pubkey,
				      const unsigned char *seckey);

int __wrap_secp256k1_ec_pubkey_create(const secp256k1_context *ctx, secp256k1_pubkey *pubkey,
				      const unsigned char *seckey)
{
	int valid = __real_secp256k1_ec_pubkey_create(ctx, pubkey, seckey);

	ct_public(&valid, sizeof(valid));
	ct_public(pubkey, sizeof(*pubkey));
	return valid;
}

/* A multiple of the base point is a public key: of the transport key, of an envelope, and of
 * an Ed25519 seed in Montgomery's form. With any other point it is a shared secret. */
TEE_Result __real_ta_x25519(const uint8_t scalar[static SR_TA_SECRET_SIZE],
			    const uint8_t point[static SR_TA_X25519_PUBLIC_SIZE],
			    uint8_t out[static SR_TA_X25519_PUBLIC_SIZE]);
TEE_Result __wrap_ta_x25519(const uint8_t scalar[static SR_TA_SECRET_SIZE],
			    const uint8_t point[static SR_TA_X25519_PUBLIC_SIZE],
			    uint8_t out[static SR_TA_X25519_PUBLIC_SIZE]);

TEE_Result __wrap_ta_x25519(const uint8_t scalar[static SR_TA_SECRET_SIZE],
			    const uint8_t point[static SR_TA_X25519_PUBLIC_SIZE],
			    uint8_t out[static SR_TA_X25519_PUBLIC_SIZE])
{
	static const uint8_t base_point[SR_TA_X25519_PUBLIC_SIZE] = { 9 };
	TEE_Result result = __real_ta_x25519(scalar, point, out);

	if (!memcmp(point, base_point, sizeof(base_point)))
		ct_public(out, sizeof(base_point));
	return result;
}

TEE_Result __real_ta_transport_public(const uint8_t secret[static SR_TA_SECRET_SIZE],
				      uint8_t out[static SR_TA_X25519_PUBLIC_SIZE]);
TEE_Result __wrap_ta_transport_public(const uint8_t secret[static SR_TA_SECRET_SIZE],
				      uint8_t out[static SR_TA_X25519_PUBLIC_SIZE]);

TEE_Result __wrap_ta_transport_public(const uint8_t secret[static SR_TA_SECRET_SIZE],
				      uint8_t out[static SR_TA_X25519_PUBLIC_SIZE])
{
	TEE_Result result = __real_ta_transport_public(secret, out);

	ct_public(out, SR_TA_X25519_PUBLIC_SIZE);
	return result;
}

/* ---- signatures ---------------------------------------------------------------------- */

int __real_secp256k1_ecdsa_sign_recoverable(const secp256k1_context *ctx,
					    secp256k1_ecdsa_recoverable_signature *sig,
					    const unsigned char *msghash32,
					    const unsigned char *seckey,
					    secp256k1_nonce_function noncefp, const void *ndata);
int __wrap_secp256k1_ecdsa_sign_recoverable(const secp256k1_context *ctx,
					    secp256k1_ecdsa_recoverable_signature *sig,
					    const unsigned char *msghash32,
					    const unsigned char *seckey,
					    secp256k1_nonce_function noncefp, const void *ndata);

int __wrap_secp256k1_ecdsa_sign_recoverable(const secp256k1_context *ctx,
					    secp256k1_ecdsa_recoverable_signature *sig,
					    const unsigned char *msghash32,
					    const unsigned char *seckey,
					    secp256k1_nonce_function noncefp, const void *ndata)
{
	int made = __real_secp256k1_ecdsa_sign_recoverable(ctx, sig, msghash32, seckey, noncefp,
							   ndata);

	signatures++;
	ct_public(&made, sizeof(made));
	ct_public(sig, sizeof(*sig));
	return made;
}

int __real_crypto_sign_detached(unsigned char *sig, unsigned long long *siglen,
				const unsigned char *m, unsigned long long mlen,
				const unsigned char *sk);
int __wrap_crypto_sign_detached(unsigned char *sig, unsigned long long *siglen,
				const unsigned char *m, unsigned long long mlen,
				const unsigned char *sk);

int __wrap_crypto_sign_detached(unsigned char *sig, unsigned long long *siglen,
				const unsigned char *m, unsigned long long mlen,
				const unsigned char *sk)
{
	int failed = __real_crypto_sign_detached(sig, siglen, m, mlen, sk);

	ct_public(sig, crypto_sign_BYTES);
	return failed;
}

/* ---- what is encrypted, and with which nonce ----------------------------------------------- */

TEE_Result __real_TEE_AEInit(TEE_OperationHandle operation, const void *nonce, size_t nonceLen,
			     uint32_t tagLen, size_t AADLen, size_t payloadLen);
TEE_Result __wrap_TEE_AEInit(TEE_OperationHandle operation, const void *nonce, size_t nonceLen,
			     uint32_t tagLen, size_t AADLen, size_t payloadLen);

TEE_Result __wrap_TEE_AEInit(TEE_OperationHandle operation, const void *nonce, size_t nonceLen,
			     uint32_t tagLen, size_t AADLen, size_t payloadLen)
{
	ct_public((void *)(uintptr_t)nonce, nonceLen);
	return __real_TEE_AEInit(operation, nonce, nonceLen, tagLen, AADLen, payloadLen);
}

TEE_Result __real_TEE_AEEncryptFinal(TEE_OperationHandle operation, const void *srcData,
				     size_t srcLen, void *destData, size_t *destLen, void *tag,
				     size_t *tagLen);
TEE_Result __wrap_TEE_AEEncryptFinal(TEE_OperationHandle operation, const void *srcData,
				     size_t srcLen, void *destData, size_t *destLen, void *tag,
				     size_t *tagLen);

TEE_Result __wrap_TEE_AEEncryptFinal(TEE_OperationHandle operation, const void *srcData,
				     size_t srcLen, void *destData, size_t *destLen, void *tag,
				     size_t *tagLen)
{
	TEE_Result result = __real_TEE_AEEncryptFinal(operation, srcData, srcLen, destData, destLen,
						      tag, tagLen);

	if (result == TEE_SUCCESS) {
		ct_public(destData, *destLen);
		ct_public(tag, *tagLen);
	}
	return result;
}

/* The nonce in the clear, before ciphertext and tag. */
TEE_Result __real_ta_envelope_seal(const struct ta_key *key,
				   const uint8_t recipient[static SR_TA_X25519_PUBLIC_SIZE],
				   uint8_t *out, size_t size);
TEE_Result __wrap_ta_envelope_seal(const struct ta_key *key,
				   const uint8_t recipient[static SR_TA_X25519_PUBLIC_SIZE],
				   uint8_t *out, size_t size);

TEE_Result __wrap_ta_envelope_seal(const struct ta_key *key,
				   const uint8_t recipient[static SR_TA_X25519_PUBLIC_SIZE],
				   uint8_t *out, size_t size)
{
	const size_t behind = TA_ENVELOPE_NONCE_SIZE + SR_TA_SECRET_SIZE + TA_ENVELOPE_TAG_SIZE;
	TEE_Result result = __real_ta_envelope_seal(key, recipient, out, size);

	if (result == TEE_SUCCESS)
		ct_public(out + size - behind, TA_ENVELOPE_NONCE_SIZE);
	return result;
}

/* The simulator's files are ciphertext, under a key that is none of the TA's secrets. */
int __real_sim_file_write(int dir, const char *name, const uint8_t *data, size_t len, bool replace,
			  int (*publish)(void *arg), void *arg);
int __wrap_sim_file_write(int dir, const char *name, const uint8_t *data, size_t len, bool replace,
			  int (*publish)(void *arg), void *arg);

int __wrap_sim_file_write(int dir, const char *name, const uint8_t *data, size_t len, bool replace,
			  int (*publish)(void *arg), void *arg)
{
	ct_public((void *)(uintptr_t)data, len);
	return __real_sim_file_write(dir, name, data, len, replace, publish, arg);
}
