/* SPDX-License-Identifier: Apache-2.0 */
/* The steps are those of ta/super_relay_ta/sign_secp256k1.c: keep the two in step. */
#include "bench/native_signer.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <string.h>
#include <sys/random.h>

#define PUBLIC_KEY_SIZE 65

static secp256k1_context *context;
static uint8_t secret[32];
static uint8_t public_key[PUBLIC_KEY_SIZE];

static bool random_bytes(uint8_t out[static 32])
{
	return getrandom(out, 32, 0) == 32;
}

static bool serialize(const secp256k1_pubkey *key, uint8_t out[static PUBLIC_KEY_SIZE])
{
	size_t len = PUBLIC_KEY_SIZE;

	return secp256k1_ec_pubkey_serialize(context, out, &len, key, SECP256K1_EC_UNCOMPRESSED) &&
	       len == PUBLIC_KEY_SIZE;
}

static bool open_signer(void)
{
	secp256k1_pubkey key = { 0 };
	uint8_t seed[32] = { 0 };

	context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	return context && random_bytes(seed) && secp256k1_context_randomize(context, seed) &&
	       random_bytes(secret) && secp256k1_ec_pubkey_create(context, &key, secret) &&
	       serialize(&key, public_key);
}

static bool make(const uint8_t digest[static 32], uint8_t out[static 65])
{
	secp256k1_ecdsa_recoverable_signature signature = { 0 };
	uint8_t entropy[32] = { 0 };
	int recovery_id = -1;

	if (!random_bytes(entropy) ||
	    !secp256k1_ecdsa_sign_recoverable(context, &signature, digest, secret,
					      secp256k1_nonce_function_rfc6979, entropy) ||
	    !secp256k1_ecdsa_recoverable_signature_serialize_compact(context, out, &recovery_id,
								     &signature))
		return false;
	out[64] = (uint8_t)(27 + recovery_id);
	return true;
}

static bool check(const uint8_t digest[static 32], const uint8_t signature[static 65])
{
	secp256k1_ecdsa_recoverable_signature parsed = { 0 };
	secp256k1_ecdsa_signature plain = { 0 };
	secp256k1_pubkey recovered = { 0 };
	uint8_t own[PUBLIC_KEY_SIZE] = { 0 };

	return secp256k1_ecdsa_recoverable_signature_parse_compact(context, &parsed, signature,
								   signature[64] - 27) &&
	       secp256k1_ecdsa_recoverable_signature_convert(context, &plain, &parsed) &&
	       !secp256k1_ecdsa_signature_normalize(context, NULL, &plain) &&
	       secp256k1_ecdsa_recover(context, &recovered, &parsed, digest) &&
	       serialize(&recovered, own) && memcmp(own, public_key, sizeof(own)) == 0;
}

static bool sign(const uint8_t digest[static 32], uint8_t out[static 65])
{
	return make(digest, out) && check(digest, out);
}

const struct native_signer NATIVE_SIGNER = { .open = open_signer, .sign = sign };
