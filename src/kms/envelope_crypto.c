/* SPDX-License-Identifier: Apache-2.0 */
/* X25519, HKDF-SHA256 and AES-256-GCM for envelopes. libsodium keeps what it computes on the
 * stack; AES-GCM is OpenSSL's, since libsodium has it for some CPUs only. */
#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#include "kms/envelope_private.h"

void *kms_locked_new(size_t size, struct sr_error *err)
{
	void *memory = NULL;

	if (sodium_init() >= 0)
		memory = sodium_malloc(size);
	if (memory)
		memset(memory, 0, size);
	else
		sr_fail(err, SR_E_NO_MEMORY, "out of memory for a secret");
	return memory;
}

void kms_locked_free(void *memory)
{
	sodium_free(memory);
}

/* ---- X25519 ------------------------------------------------------------------ */

bool kms_x25519(const uint8_t scalar[static SR_TA_SECRET_SIZE],
		const uint8_t point[static SR_TA_X25519_PUBLIC_SIZE],
		uint8_t out[static SR_TA_X25519_PUBLIC_SIZE])
{
	const uint8_t zero[SR_TA_X25519_PUBLIC_SIZE] = { 0 };

	/* libsodium refuses points of small order by itself; asked again all the same. */
	return crypto_scalarmult(out, scalar, point) == 0 && !sr_equal_ct(out, zero, sizeof(zero));
}

bool kms_x25519_usable(const uint8_t public_key[static SR_TA_X25519_PUBLIC_SIZE])
{
	const uint8_t any[SR_TA_SECRET_SIZE] = { 1 };
	uint8_t product[SR_TA_X25519_PUBLIC_SIZE] = { 0 };

	return kms_x25519(any, public_key, product);
}

bool kms_x25519_public(const uint8_t secret[static SR_TA_SECRET_SIZE],
		       uint8_t public_key[static SR_TA_X25519_PUBLIC_SIZE], struct sr_error *err)
{
	if (crypto_scalarmult_base(public_key, secret) == 0)
		return true;
	return sr_fail(err, SR_E_INTERNAL, "X25519 failed");
}

bool kms_x25519_generate(uint8_t secret[static SR_TA_SECRET_SIZE],
			 uint8_t public_key[static SR_TA_X25519_PUBLIC_SIZE], struct sr_error *err)
{
	uint8_t random[SR_TA_HOST_ENTROPY_SIZE] = { 0 };
	bool ok = kms_host_entropy(random, err);

	memcpy(secret, random, SR_TA_SECRET_SIZE);
	sr_wipe(random, sizeof(random));
	return ok && kms_x25519_public(secret, public_key, err);
}

/* ---- HKDF and AES-GCM ---------------------------------------------------------- */

/* RFC 5869 for an output of one block: T(1) = HMAC(HMAC(salt, secret), info ‖ 01). */
void kms_hkdf_sha256(struct sr_bytes salt, struct sr_bytes secret, struct sr_bytes info,
		     uint8_t out[static 32])
{
	static const uint8_t one = 1;
	crypto_auth_hmacsha256_state state;
	uint8_t key[32] = { 0 };

	crypto_auth_hmacsha256_init(&state, salt.data, salt.len);
	crypto_auth_hmacsha256_update(&state, secret.data, secret.len);
	crypto_auth_hmacsha256_final(&state, key);
	crypto_auth_hmacsha256_init(&state, key, sizeof(key));
	crypto_auth_hmacsha256_update(&state, info.data, info.len);
	crypto_auth_hmacsha256_update(&state, &one, 1);
	crypto_auth_hmacsha256_final(&state, out);
	sr_wipe(key, sizeof(key));
	sr_wipe(&state, sizeof(state));
}

bool kms_gcm_encrypt(const struct kms_gcm *g, const uint8_t plain[static SR_TA_SECRET_SIZE],
		     uint8_t cipher[static SR_TA_SECRET_SIZE], uint8_t tag[static KMS_TAG_SIZE])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	bool ok = ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, g->key, g->nonce) == 1 &&
		  EVP_EncryptUpdate(ctx, NULL, &n, g->authenticated, (int)g->len) == 1 &&
		  EVP_EncryptUpdate(ctx, cipher, &n, plain, SR_TA_SECRET_SIZE) == 1 &&
		  n == SR_TA_SECRET_SIZE && EVP_EncryptFinal_ex(ctx, cipher + n, &n) == 1 &&
		  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, KMS_TAG_SIZE, tag) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

bool kms_gcm_decrypt(const struct kms_gcm *g, const uint8_t cipher[static SR_TA_SECRET_SIZE],
		     const uint8_t tag[static KMS_TAG_SIZE],
		     uint8_t plain[static SR_TA_SECRET_SIZE])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t wanted[KMS_TAG_SIZE] = { 0 };
	int n = 0;
	bool ok = false;

	memcpy(wanted, tag, sizeof(wanted)); /* OpenSSL's parameter is not const */
	ok = ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, g->key, g->nonce) == 1 &&
	     EVP_DecryptUpdate(ctx, NULL, &n, g->authenticated, (int)g->len) == 1 &&
	     EVP_DecryptUpdate(ctx, plain, &n, cipher, SR_TA_SECRET_SIZE) == 1 &&
	     n == SR_TA_SECRET_SIZE &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, KMS_TAG_SIZE, wanted) == 1 &&
	     EVP_DecryptFinal_ex(ctx, plain + n, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	/* Deciphered before it was judged: nobody is to see it. */
	if (!ok)
		sr_wipe(plain, SR_TA_SECRET_SIZE);
	return ok;
}
