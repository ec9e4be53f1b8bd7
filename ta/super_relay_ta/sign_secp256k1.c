/* SPDX-License-Identifier: Apache-2.0 */
#include <secp256k1.h>
#include <secp256k1_preallocated.h>
#include <secp256k1_recovery.h>
#include <string.h>

#include "entropy.h"
#include "memory.h"
#include "sign_secp256k1.h"

/* A random 256-bit number is no valid scalar with probability 2^-128: a second failure
 * in a row is a defect, not bad luck. */
#define GENERATE_TRIES 2

static secp256k1_context *context;
static void *context_memory;

/* The library calls this when it is used against its contract: a defect of ours,
 * after which nothing that it computes is to leave the TA. */
static void library_defect(const char *message, void *data)
{
	(void)message;
	(void)data;
	TEE_Panic(TEE_ERROR_BAD_STATE);
}

TEE_Result ta_secp256k1_open(void)
{
	const size_t size = secp256k1_context_preallocated_size(SECP256K1_CONTEXT_NONE);
	uint8_t seed[TA_ENTROPY_SIZE] = { 0 };
	int blinded = 0;

	/* In the TEE's heap, so that the library needs no allocator of its own. */
	context_memory = TEE_Malloc(size, TEE_MALLOC_FILL_ZERO);
	if (!context_memory)
		return TEE_ERROR_OUT_OF_MEMORY;
	context = secp256k1_context_preallocated_create(context_memory, SECP256K1_CONTEXT_NONE);
	secp256k1_context_set_illegal_callback(context, library_defect, NULL);
	secp256k1_context_set_error_callback(context, library_defect, NULL);
	ta_entropy_next(seed);
	blinded = secp256k1_context_randomize(context, seed);
	ta_wipe(seed, sizeof(seed));
	if (blinded)
		return TEE_SUCCESS;
	ta_secp256k1_close();
	return TEE_ERROR_GENERIC;
}

void ta_secp256k1_close(void)
{
	if (context)
		secp256k1_context_preallocated_destroy(context);
	TEE_Free(context_memory);
	context = NULL;
	context_memory = NULL;
}

/* False for zero and for numbers from the group order up. */
static bool derive(const uint8_t secret[static SR_TA_SECRET_SIZE],
		   uint8_t out[static SR_TA_SECP256K1_PUBLIC_SIZE])
{
	secp256k1_pubkey public_key = { 0 };
	size_t len = SR_TA_SECP256K1_PUBLIC_SIZE;

	if (!secp256k1_ec_pubkey_create(context, &public_key, secret))
		return false;
	return secp256k1_ec_pubkey_serialize(context, out, &len, &public_key,
					     SECP256K1_EC_UNCOMPRESSED) &&
	       len == SR_TA_SECP256K1_PUBLIC_SIZE;
}

TEE_Result ta_secp256k1_derive_public(struct ta_key *key)
{
	if (!derive(key->secret, key->public_key))
		return TEE_ERROR_BAD_PARAMETERS;
	key->public_len = SR_TA_SECP256K1_PUBLIC_SIZE;
	return TEE_SUCCESS;
}

TEE_Result ta_secp256k1_generate(struct ta_key *key)
{
	for (unsigned i = 0; i < GENERATE_TRIES; i++) {
		ta_entropy_next(key->secret);
		if (ta_secp256k1_derive_public(key) == TEE_SUCCESS)
			return TEE_SUCCESS;
	}
	return TEE_ERROR_GENERIC;
}

TEE_Result ta_secp256k1_check_pair(const struct ta_key *key)
{
	uint8_t own[SR_TA_SECP256K1_PUBLIC_SIZE] = { 0 };

	if (key->public_len != sizeof(own) || !derive(key->secret, own) ||
	    !ta_equal_ct(own, key->public_key, sizeof(own)))
		return TEE_ERROR_CORRUPT_OBJECT;
	return TEE_SUCCESS;
}

/*
 * What a contract does with the 65 bytes that are to leave: parses them anew, and
 * recovers a public key. Recovery succeeds for nearly any r and s; that it gives
 * this key is the proof. It holds for n - s as well, so s is asked for on its own.
 */
static bool recover_emitted(const uint8_t signature[static SR_TA_SECP256K1_SIGNATURE_SIZE],
			    const uint8_t digest[static 32],
			    uint8_t out[static SR_TA_SECP256K1_PUBLIC_SIZE])
{
	secp256k1_ecdsa_recoverable_signature parsed = { 0 };
	secp256k1_ecdsa_signature plain = { 0 };
	secp256k1_pubkey recovered = { 0 };
	size_t len = SR_TA_SECP256K1_PUBLIC_SIZE;

	return secp256k1_ecdsa_recoverable_signature_parse_compact(context, &parsed, signature,
								   signature[64] - 27) &&
	       secp256k1_ecdsa_recoverable_signature_convert(context, &plain, &parsed) &&
	       !secp256k1_ecdsa_signature_normalize(context, NULL, &plain) &&
	       secp256k1_ecdsa_recover(context, &recovered, &parsed, digest) &&
	       secp256k1_ec_pubkey_serialize(context, out, &len, &recovered,
					     SECP256K1_EC_UNCOMPRESSED);
}

/* Not verified yet. */
static bool sign(const struct ta_key *key, const uint8_t digest[static 32],
		 uint8_t out[static SR_TA_SECP256K1_SIGNATURE_SIZE])
{
	secp256k1_ecdsa_recoverable_signature signature = { 0 };
	uint8_t entropy[TA_ENTROPY_SIZE] = { 0 };
	int recovery_id = -1;
	bool made = false;

	ta_entropy_next(entropy);
	made = secp256k1_ecdsa_sign_recoverable(context, &signature, digest, key->secret,
						secp256k1_nonce_function_rfc6979, entropy) &&
	       secp256k1_ecdsa_recoverable_signature_serialize_compact(context, out, &recovery_id,
								       &signature);
	ta_wipe(entropy, sizeof(entropy));
	ta_wipe(&signature, sizeof(signature));
	/* 2 and 3 mean an r over the group order, once in 2^127; contracts refuse them. */
	if (!made || (recovery_id != 0 && recovery_id != 1))
		return false;
	out[64] = (uint8_t)(27 + recovery_id);
	return true;
}

/*
 * A fault during signing (a glitch, a flipped bit) can yield a signature that
 * gives the secret away. Recovery to our own public key is a full verification,
 * by code that has not touched the secret, of the very bytes that leave. The
 * comparison stands twice, so that one skipped branch is not enough.
 */
TEE_Result ta_secp256k1_sign(const struct ta_key *key, const uint8_t digest[static 32],
			     uint8_t out[static SR_TA_SECP256K1_SIGNATURE_SIZE])
{
	uint8_t recovered[SR_TA_SECP256K1_PUBLIC_SIZE] = { 0 };
	volatile TEE_Result result = TEE_ERROR_SECURITY;

	memset(out, 0, SR_TA_SECP256K1_SIGNATURE_SIZE);
	if (key->public_len == sizeof(recovered) && sign(key, digest, out) &&
	    recover_emitted(out, digest, recovered) &&
	    ta_equal_ct(recovered, key->public_key, sizeof(recovered)))
		result = TEE_SUCCESS;
	if (!ta_equal_ct(recovered, key->public_key, sizeof(recovered)))
		result = TEE_ERROR_SECURITY;
	if (result != TEE_SUCCESS)
		memset(out, 0, SR_TA_SECP256K1_SIGNATURE_SIZE);
	return result;
}
