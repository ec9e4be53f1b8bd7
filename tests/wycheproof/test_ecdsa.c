/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECDSA on secp256k1 as daemon and TA use libsecp256k1: verification, and recovery of the
 * public key, which is how they judge 65-byte signatures; against Project Wycheproof. The
 * nonces against RFC 6979's rule.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "base/base.h"
#include "wycheproof.h"

static secp256k1_context *context;

/* ---- Wycheproof ---------------------------------------------------------------------- */

/* The hash's leftmost 256 bits; SHAKE's lengths are RFC 8702's. */
static void hash_message(const struct wy_vector *v, uint8_t out[static 32])
{
	const char *name = wy_group_text(v, "sha");
	struct wy_bytes msg = { 0 };
	uint8_t hash[64] = { 0 };
	EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	wy_get(v, "msg", &msg);
	assert_true(md && ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1);
	assert_int_equal(EVP_DigestUpdate(ctx, msg.data, msg.len), 1);
	if (!strncmp(name, "SHAKE", 5))
		assert_int_equal(EVP_DigestFinalXOF(ctx, hash, strcmp(name, "SHAKE256") ? 32 : 64),
				 1);
	else
		assert_int_equal(EVP_DigestFinal_ex(ctx, hash, NULL), 1);
	memcpy(out, hash, 32);
	EVP_MD_CTX_free(ctx);
	EVP_MD_free(md);
}

static bool parse_signature(const struct wy_vector *v, secp256k1_ecdsa_signature *out)
{
	struct wy_bytes sig = { 0 };

	wy_get(v, "sig", &sig);
	if (!strcmp(wy_group_text(v, "type"), "EcdsaP1363Verify"))
		return sig.len == 64 &&
		       secp256k1_ecdsa_signature_parse_compact(context, out, sig.data);
	return secp256k1_ecdsa_signature_parse_der(context, out, sig.data, sig.len);
}

/* Whether one of the four points that the signature may stand for gives the key. */
static bool recovers(const secp256k1_ecdsa_signature *sig, const uint8_t digest[static 32],
		     const secp256k1_pubkey *key)
{
	uint8_t compact[64] = { 0 };

	(void)secp256k1_ecdsa_signature_serialize_compact(context, compact, sig);
	for (int id = 0; id < 4; id++) {
		secp256k1_ecdsa_recoverable_signature recoverable;
		secp256k1_pubkey found;

		if (secp256k1_ecdsa_recoverable_signature_parse_compact(context, &recoverable,
									compact, id) &&
		    secp256k1_ecdsa_recover(context, &found, &recoverable, digest) &&
		    !secp256k1_ec_pubkey_cmp(context, &found, key))
			return true;
	}
	return false;
}

/* Both halves of the order are signatures in general, the lower alone in Bitcoin; and here,
 * where the TA makes no other and takes no other. */
static bool takes(const struct wy_vector *v)
{
	const bool low_only = !strcmp(wy_group_text(v, "type"), "EcdsaBitcoinVerify");
	struct wy_bytes encoded = { 0 };
	secp256k1_pubkey key;
	secp256k1_ecdsa_signature sig;
	uint8_t digest[32] = { 0 };
	bool good = false;

	wy_get_of_group(v, "publicKey", "uncompressed", &encoded);
	assert_true(secp256k1_ec_pubkey_parse(context, &key, encoded.data, encoded.len));
	hash_message(v, digest);
	if (!parse_signature(v, &sig))
		return false;
	if (low_only && secp256k1_ecdsa_signature_normalize(context, NULL, &sig)) {
		assert_false(secp256k1_ecdsa_verify(context, &sig, digest, &key));
		return false;
	}
	(void)secp256k1_ecdsa_signature_normalize(context, &sig, &sig);
	good = secp256k1_ecdsa_verify(context, &sig, digest, &key);
	/* Two ways to ask the same. */
	assert_int_equal(recovers(&sig, digest, &key), good);
	return good;
}

static void check(const char *name, unsigned valid, unsigned invalid)
{
	const struct wy_file file = { .name = name, .valid = valid, .invalid = invalid };

	wy_check_file(&file, takes, NULL);
}

static void judges_every_vector_of_ecdsa_secp256k1(void **state)
{
	(void)state;
	check("ecdsa_secp256k1_sha256_bitcoin_test.json", 162, 301);
	check("ecdsa_secp256k1_sha256_p1363_test.json", 167, 85);
	check("ecdsa_secp256k1_sha256_test.json", 168, 308);
	check("ecdsa_secp256k1_sha3_256_test.json", 172, 302);
	check("ecdsa_secp256k1_sha3_512_test.json", 237, 303);
	check("ecdsa_secp256k1_sha512_p1363_test.json", 236, 86);
	check("ecdsa_secp256k1_sha512_test.json", 237, 309);
	check("ecdsa_secp256k1_shake128_p1363_test.json", 169, 79);
	check("ecdsa_secp256k1_shake128_test.json", 170, 302);
	check("ecdsa_secp256k1_shake256_p1363_test.json", 238, 80);
	check("ecdsa_secp256k1_shake256_test.json", 239, 303);
}

/* ---- RFC 6979 ------------------------------------------------------------------------- */

#define ONE "0000000000000000000000000000000000000000000000000000000000000001"
#define ORDER_LESS_ONE "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140"

/* The RFC has no vectors for this curve. These are in use by all of its libraries; the
 * nonces were computed anew from the RFC's text by other software. */
static const struct {
	const char *key;
	const char *message;
	const char *nonce;
	const char *signature; /* r, s: the lower of the two */
} nonces[] = {
	{ ONE, "Satoshi Nakamoto",
	  "8f8a276c19f4149656b280621e358cce24f5f52542772691ee69063b74f15d15",
	  "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
	  "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5" },
	{ ONE, "All those moments will be lost in time, like tears in rain. Time to die...",
	  "38aa22d72376b4dbc472e06c3ba403ee0a394da63fc58d88686c611aba98d6b3",
	  "8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b"
	  "547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21" },
	{ ORDER_LESS_ONE, "Satoshi Nakamoto",
	  "33a19b60e25fb6f4435af53a3d42d493644827367e6453928554f43e49aa6f90",
	  "fd567d121db66e382991534ada77a6bd3106f0a1098c231e47993447cd6af2d0"
	  "6b39cd0eb1bc8603e159ef5c20a5c8ad685a45b06ce9bebed3f153d10d93bed5" },
	{ "f8b8af8ce3c7cca5e300d33939540c10d45ce001b8f252bfbc57ba0342904181", "Alan Turing",
	  "525a82b70e67874398067543fd84c83d30c175fdc45fdeee082fe13b1d7cfdf1",
	  "7063ae83e7f62bbb171798131b4a0564b956930092b33b07b395615d9ec7e15c"
	  "58dfcc1e00a35e1572f366ffe34ba0fc47db1e7189759b9fb233c5b05ab388ea" },
	{ "e91671c46231f833a6406ccbea0e3e392c76c167bac1cb013f6f1013980455c2",
	  "There is a computer disease that anybody who works with computers knows about. It's "
	  "a very serious disease and it interferes completely with the work. The trouble with "
	  "computers is that you 'play' with them!",
	  "1f4b84c23a86a221d233f2521be018d9318639d5b8bbd6374a8a59232d16ad3d",
	  "b552edd27580141f3b2a5463048cb7cd3e047b97c9f98076c32dbdf85a68718b"
	  "279fa72dd19bfae05577e06c7c0c1900c371fcd5893f7e1d56a37d30174671f6" },
};

static void unhex(const char *text, uint8_t *out, size_t len)
{
	assert_true(sr_hex_decode(text, 2 * len, out, len));
}

/* The call that the TA makes, with no further entropy: then RFC 6979 fixes the nonce. */
static void signs_with_the_nonces_of_rfc_6979(void **state)
{
	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(nonces); i++) {
		secp256k1_ecdsa_recoverable_signature sig;
		uint8_t key[32] = { 0 };
		uint8_t digest[32] = { 0 };
		uint8_t nonce[32] = { 0 };
		uint8_t expected[64] = { 0 };
		uint8_t compact[64] = { 0 };
		int id = 0;

		unhex(nonces[i].key, key, sizeof(key));
		assert_int_equal(EVP_Digest(nonces[i].message, strlen(nonces[i].message), digest,
					    NULL, EVP_sha256(), NULL),
				 1);
		unhex(nonces[i].nonce, expected, 32);
		assert_true(secp256k1_nonce_function_rfc6979(nonce, digest, key, NULL, NULL, 0));
		assert_memory_equal(nonce, expected, sizeof(nonce));
		assert_true(
			secp256k1_ecdsa_sign_recoverable(context, &sig, digest, key, NULL, NULL));
		(void)secp256k1_ecdsa_recoverable_signature_serialize_compact(context, compact, &id,
									      &sig);
		unhex(nonces[i].signature, expected, sizeof(expected));
		assert_memory_equal(compact, expected, sizeof(compact));
	}
}

/* What the TA adds to it changes the nonce, and nothing else of the signature's worth. */
static void further_entropy_makes_another_nonce(void **state)
{
	uint8_t key[32] = { 0 };
	const uint8_t digest[32] = { 7 };
	const uint8_t entropy[2][32] = { { 1 }, { 2 } };
	uint8_t compact[3][64] = { 0 };

	(void)state;
	unhex(ONE, key, sizeof(key));
	for (size_t i = 0; i < 3; i++) {
		secp256k1_ecdsa_recoverable_signature sig;
		secp256k1_ecdsa_signature plain;
		secp256k1_pubkey public_key;
		int id = 0;

		assert_true(secp256k1_ecdsa_sign_recoverable(context, &sig, digest, key,
							     secp256k1_nonce_function_rfc6979,
							     i < 2 ? entropy[i] : NULL));
		(void)secp256k1_ecdsa_recoverable_signature_serialize_compact(context, compact[i],
									      &id, &sig);
		(void)secp256k1_ecdsa_recoverable_signature_convert(context, &plain, &sig);
		assert_true(secp256k1_ec_pubkey_create(context, &public_key, key));
		assert_true(secp256k1_ecdsa_verify(context, &plain, digest, &public_key));
	}
	assert_memory_not_equal(compact[0], compact[1], 32);
	assert_memory_not_equal(compact[0], compact[2], 32);
	assert_memory_not_equal(compact[1], compact[2], 32);
}

static int make_context(void **state)
{
	(void)state;
	context = secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
	return context ? 0 : -1;
}

static int destroy_context(void **state)
{
	(void)state;
	secp256k1_context_destroy(context);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_every_vector_of_ecdsa_secp256k1),
		cmocka_unit_test(signs_with_the_nonces_of_rfc_6979),
		cmocka_unit_test(further_entropy_makes_another_nonce),
	};

	return cmocka_run_group_tests(tests, make_context, destroy_context);
}
