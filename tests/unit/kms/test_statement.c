/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator signs, byte for byte, and what a TA's own statement has to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <secp256k1_recovery.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kms/attest.h"
#include "kms/statement.h"

static const uint8_t uuid[16] = { 0x12, 0x34, 0x56, 0x78, 0x5b, 0x69, 0x11, 0xd4,
				  0x9f, 0xee, 0x00, 0xc0, 0x4f, 0x4c, 0x34, 0x56 };

/* ---- statements -------------------------------------------------------------------- */

/* name ‖ UUID, and where the rest begins */
static const uint8_t *check_head(const struct sr_buf *b, const char *name, size_t rest)
{
	size_t len = strlen(name);

	assert_false(b->failed);
	assert_int_equal(b->len, len + sizeof(uuid) + rest);
	assert_memory_equal(b->data, name, len);
	assert_memory_equal(b->data + len, uuid, sizeof(uuid));
	return b->data + len + sizeof(uuid);
}

static void a_provisioning_is_signed_with_its_flags_and_groups(void **state)
{
	struct kms_provision p = { .operator_key = { 0xaa },
				   .flags = 0x01020304,
				   .group_count = 2 };
	struct sr_buf b = { 0 };
	const uint8_t *rest = NULL;
	static const uint8_t middle[] = { 4, 3, 2, 1, 2 };

	(void)state;
	memset(p.groups[0], 0x11, 16);
	memset(p.groups[1], 0x22, 16);
	kms_statement_provision(uuid, &p, &b);
	rest = check_head(&b, "SuperRelay provision 1", 32 + 4 + 1 + 32);
	assert_memory_equal(rest, p.operator_key, 32);
	assert_memory_equal(rest + 32, middle, sizeof(middle));
	assert_memory_equal(rest + 37, p.groups, 32);
	sr_buf_free(&b);
}

static void a_policy_is_signed_for_one_key_and_one_version(void **state)
{
	static const uint8_t public_key[65] = { 4, 1 };
	static const uint8_t policy[3] = { 7, 8, 9 };
	uint8_t hash[32];
	struct sr_buf b = { 0 };
	const uint8_t *rest = NULL;

	(void)state;
	crypto_hash_sha256(hash, public_key, sizeof(public_key));
	kms_statement_policy(uuid, "key", SR_BYTES(public_key), 0x0a0b0c0d, SR_BYTES(policy), &b);
	rest = check_head(&b, "SuperRelay policy 1", 1 + 3 + 32 + 4 + 3);
	assert_memory_equal(rest, "\x03key", 4);
	assert_memory_equal(rest + 4, hash, 32);
	assert_memory_equal(rest + 36, "\x0d\x0c\x0b\x0a\x07\x08\x09", 7);
	sr_buf_free(&b);
}

static void an_export_is_signed_for_one_recipient(void **state)
{
	static const uint8_t public_key[32] = { 5 };
	static const uint8_t recipient[32] = { 0xcc };
	uint8_t hash[32];
	struct sr_buf b = { 0 };
	const uint8_t *rest = NULL;

	(void)state;
	crypto_hash_sha256(hash, public_key, sizeof(public_key));
	kms_statement_export(uuid, "k", SR_BYTES(public_key), recipient, &b);
	rest = check_head(&b, "SuperRelay export 1", 1 + 1 + 32 + 32);
	assert_memory_equal(rest, "\x01k", 2);
	assert_memory_equal(rest + 2, hash, 32);
	assert_memory_equal(rest + 34, recipient, 32);
	sr_buf_free(&b);
}

static void a_beginning_is_signed_for_this_storage_and_this_log(void **state)
{
	struct kms_audit_state ta = { .generation = 1, .next = 2, .public_key = { 4, 0xee } };
	struct audit_tail tail = { .seq = 3, .generation = 4, .head = { 0x99 } };
	struct sr_buf b = { 0 };
	const uint8_t *rest = NULL;

	(void)state;
	kms_statement_begin(uuid, &ta, &tail, &b);
	rest = check_head(&b, "SuperRelay begin 1", 4 * 8 + 32 + 65);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(rest[8 * i], i + 1);
	assert_memory_equal(rest + 32, tail.head, 32);
	assert_memory_equal(rest + 64, ta.public_key, 65);
	sr_buf_free(&b);
}

/* RFC 8032, section 7.1, test 1. */
static void an_operators_signature_is_ed25519(void **state)
{
	static const uint8_t seed[32] = { 0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60,
					  0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
					  0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19,
					  0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60 };
	static const uint8_t public_begin[4] = { 0xd7, 0x5a, 0x98, 0x01 };
	static const uint8_t signature_begin[4] = { 0xe5, 0x56, 0x43, 0x00 };
	const struct sr_bytes empty = { NULL, 0 };
	uint8_t public_key[32];
	uint8_t signature[64];
	struct sr_error err = { .code = SR_OK };

	(void)state;
	assert_true(kms_operator_public(seed, public_key, &err));
	assert_memory_equal(public_key, public_begin, sizeof(public_begin));
	assert_true(kms_operator_sign(seed, empty, signature, &err));
	assert_memory_equal(signature, signature_begin, sizeof(signature_begin));
	assert_true(kms_operator_verify(public_key, empty, signature));
	assert_false(kms_operator_verify(public_key, SR_BYTES(uuid), signature));
	signature[0] ^= 1;
	assert_false(kms_operator_verify(public_key, empty, signature));
}

/* uuid5(58ac9ca0-2086-4683-a1b8-ec4bc08e01b6, "gid=%x"), by another implementation. */
static void a_groups_uuid_is_the_kernels(void **state)
{
	static const struct {
		uint32_t gid;
		const char *uuid;
	} cases[] = {
		{ 0, "d93bc168f86358d3a1febb2039421b99" },
		{ 1000, "0ece43ed001d51bdbab7480c8954c3cf" },
		{ 4242, "e6271a558f6a5e8288d0ecd7ef475ec7" },
		{ 0xfffffffe, "8375c01c968e5872b871171afa317cee" },
	};
	struct sr_error err = { .code = SR_OK };
	uint8_t octets[16];
	char text[33];

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		assert_true(kms_group_uuid(cases[i].gid, octets, &err));
		sr_hex_encode(octets, 16, text);
		assert_string_equal(text, cases[i].uuid);
	}
}

/* ---- attestations --------------------------------------------------------------------- */

static secp256k1_context *secp;

static void sign_statement(struct kms_attestation *a, const uint8_t secret[32])
{
	secp256k1_ecdsa_recoverable_signature signature;
	uint8_t hash[32];
	int id = 0;

	crypto_hash_sha256(hash, a->statement, a->statement_len);
	assert_true(secp256k1_ecdsa_sign_recoverable(secp, &signature, hash, secret, NULL, NULL));
	secp256k1_ecdsa_recoverable_signature_serialize_compact(secp, a->signature, &id,
								&signature);
	a->signature[64] = (uint8_t)(27 + id);
}

static void put(struct kms_attestation *a, const void *data, size_t len)
{
	memcpy(a->statement + a->statement_len, data, len);
	a->statement_len += len;
}

/* A statement of the TA alone, signed by the key that is all ones. */
static struct kms_attestation good_statement(void)
{
	struct kms_attestation a = { .statement_len = 0 };
	static const uint8_t zeros[256];
	uint8_t secret[32];
	uint8_t nonce[32];
	uint8_t public_key[65];
	secp256k1_pubkey key;
	size_t len = sizeof(public_key);

	memset(secret, 1, sizeof(secret));
	memset(nonce, 0x5a, sizeof(nonce));
	assert_true(secp256k1_ec_pubkey_create(secp, &key, secret));
	secp256k1_ec_pubkey_serialize(secp, public_key, &len, &key, SECP256K1_EC_UNCOMPRESSED);
	put(&a, "SRAT\x01", 5);
	put(&a, nonce, sizeof(nonce));
	put(&a, uuid, sizeof(uuid));
	put(&a, "\x01\x02\x03", 3);
	put(&a, "\x40\0\0\0\xe8\x03\0\0\x64\0\0\0", 12);
	put(&a, public_key, sizeof(public_key));
	put(&a, zeros, 65 + 32 + 32 + 4);
	put(&a, "\x07\0\0\0\0\0\0\0\x08\0\0\0\0\0\0\0", 16);
	put(&a, zeros, 32 + 1);
	sign_statement(&a, secret);
	return a;
}

static void a_statement_is_read_and_its_signature_checked(void **state)
{
	struct kms_attestation a = good_statement();
	struct kms_attestation changed;
	struct kms_attested said;
	struct sr_error err = { .code = SR_OK };
	uint8_t nonce[32];

	(void)state;
	memset(nonce, 0x5a, sizeof(nonce));
	if (!kms_attest_check(&a, nonce, &said, &err))
		fail_msg("%s", err.message);
	assert_int_equal(said.minor, 2);
	assert_int_equal(said.features, SR_TA_FEATURE_PROVISIONED);
	assert_int_equal(said.anti_rollback, 1000);
	assert_int_equal(said.system_time_level, 100);
	assert_int_equal(said.generation, 7);
	assert_int_equal(said.sequence, 8);
	assert_false(said.has_key);
	nonce[31] ^= 1;
	assert_false(kms_attest_check(&a, nonce, &said, &err));
	assert_non_null(strstr(err.message, "another nonce"));
	/* every byte counts, of the statement and of the signature */
	for (size_t i = 0; i < a.statement_len; i++) {
		changed = a;
		changed.statement[i] ^= 1;
		assert_false(kms_attest_check(&changed, NULL, &said, &err));
	}
	for (size_t i = 0; i < sizeof(a.signature); i++) {
		changed = a;
		changed.signature[i] ^= 1;
		assert_false(kms_attest_check(&changed, NULL, &said, &err));
	}
	for (size_t len = 0; len < a.statement_len; len++) {
		changed = a;
		changed.statement_len = len;
		assert_false(kms_attest_check(&changed, NULL, &said, &err));
	}
}

/* Pins are found by the UUID that a statement names: one of its own would be seen for the first
 * time, and believed. */
static void a_statement_of_another_ta_is_not_this_ones(void **state)
{
	struct kms_attestation a = good_statement();
	struct kms_attested said;
	struct sr_error err = { .code = SR_OK };
	uint8_t secret[32];

	(void)state;
	assert_true(kms_attest_check(&a, NULL, &said, &err));
	assert_true(kms_attest_check_ta(&said, &err));
	memset(secret, 1, sizeof(secret));
	a.statement[5 + 32] ^= 1;
	sign_statement(&a, secret);
	assert_true(kms_attest_check(&a, NULL, &said, &err));
	assert_false(kms_attest_check_ta(&said, &err));
	assert_int_equal(err.code, SR_E_CORRUPT);
}

static void an_attestation_survives_its_file(void **state)
{
	struct kms_attestation a = good_statement();
	struct kms_attestation again;
	struct sr_error err = { .code = SR_OK };
	struct sr_buf text = { 0 };

	(void)state;
	a.evidence_len = 40;
	memset(a.evidence, 3, a.evidence_len);
	kms_attestation_to_json(&a, &text);
	assert_true(kms_attestation_from_json((const char *)text.data, text.len, &again, &err));
	assert_memory_equal(&a, &again, sizeof(a));
	for (size_t len = 0; len + 1 < text.len; len++)
		assert_false(kms_attestation_from_json((const char *)text.data, len, &again, &err));
	sr_buf_free(&text);
}

/* ---- the platform's evidence, as OP-TEE's attestation PTA makes it --------------------------- */

static void sign_evidence(struct kms_attestation *a, EVP_PKEY *key, int salt)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	uint8_t both[64];
	uint8_t digest[32];
	size_t len = sizeof(a->evidence) - 32;

	memset(a->evidence, 0x77, 32);
	crypto_hash_sha256(both, a->statement, a->statement_len);
	memcpy(both + 32, a->evidence, 32);
	crypto_hash_sha256(digest, both, sizeof(both));
	assert_true(EVP_PKEY_sign_init(context) > 0);
	assert_true(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0);
	assert_true(EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) > 0);
	assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt) > 0);
	assert_true(EVP_PKEY_sign(context, a->evidence + 32, &len, digest, sizeof(digest)) > 0);
	a->evidence_len = 32 + len;
	EVP_PKEY_CTX_free(context);
}

static struct sr_buf pem_of(EVP_PKEY *key)
{
	struct sr_buf out = { 0 };
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;

	long len = 0;

	assert_true(PEM_write_bio_PUBKEY(bio, key));
	len = BIO_get_mem_data(bio, &text);
	sr_buf_append(&out, text, (size_t)len);
	BIO_free(bio);
	return out;
}

static void the_platforms_evidence_is_of_this_statement_and_this_key(void **state)
{
	struct kms_attestation a = good_statement();
	struct kms_attestation changed;
	struct sr_error err = { .code = SR_OK };
	EVP_PKEY *key = EVP_RSA_gen(2048);
	EVP_PKEY *other = EVP_RSA_gen(2048);
	struct sr_buf pem = pem_of(key);
	struct sr_buf other_pem = pem_of(other);
	uint8_t hash[32];

	(void)state;
	assert_false(kms_evidence_check(&a, (struct sr_bytes){ pem.data, pem.len }, hash, &err));
	assert_int_equal(err.code, SR_E_NOT_FOUND);
	sign_evidence(&a, key, 32);
	if (!kms_evidence_check(&a, (struct sr_bytes){ pem.data, pem.len }, hash, &err))
		fail_msg("%s", err.message);
	assert_memory_equal(hash, a.evidence, 32);
	assert_false(kms_evidence_check(&a, (struct sr_bytes){ other_pem.data, other_pem.len },
					hash, &err));
	assert_false(kms_evidence_check(&a, SR_BYTES(uuid), hash, &err));
	changed = a;
	changed.evidence[0] ^= 1;
	assert_false(
		kms_evidence_check(&changed, (struct sr_bytes){ pem.data, pem.len }, hash, &err));
	changed = a;
	changed.statement[40] ^= 1;
	assert_false(
		kms_evidence_check(&changed, (struct sr_bytes){ pem.data, pem.len }, hash, &err));
	/* another salt's length is not what the PTA makes */
	sign_evidence(&changed, key, 20);
	assert_false(
		kms_evidence_check(&changed, (struct sr_bytes){ pem.data, pem.len }, hash, &err));
	sr_buf_free(&pem);
	sr_buf_free(&other_pem);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static int set_up(void **state)
{
	(void)state;
	secp = secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
	return sodium_init() < 0 || !secp;
}

static int tear_down(void **state)
{
	(void)state;
	secp256k1_context_destroy(secp);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_provisioning_is_signed_with_its_flags_and_groups),
		cmocka_unit_test(a_policy_is_signed_for_one_key_and_one_version),
		cmocka_unit_test(an_export_is_signed_for_one_recipient),
		cmocka_unit_test(a_beginning_is_signed_for_this_storage_and_this_log),
		cmocka_unit_test(an_operators_signature_is_ed25519),
		cmocka_unit_test(a_groups_uuid_is_the_kernels),
		cmocka_unit_test(a_statement_is_read_and_its_signature_checked),
		cmocka_unit_test(a_statement_of_another_ta_is_not_this_ones),
		cmocka_unit_test(an_attestation_survives_its_file),
		cmocka_unit_test(the_platforms_evidence_is_of_this_statement_and_this_key),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
