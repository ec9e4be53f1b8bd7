/* SPDX-License-Identifier: Apache-2.0 */
#include "kms/attest.h"
#include "kms/statement.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <secp256k1_recovery.h>
#include <sodium.h>
#include <string.h>
#include <yyjson.h>

#include "kms/kms_private.h"

#define HASH_SIZE 32
#define JSON_VERSION 1

/* ---- JSON ------------------------------------------------------------------------ */

static void put_member(struct sr_buf *out, const char *name, const uint8_t *data, size_t len)
{
	sr_buf_printf(out, ",\"%s\":\"", name);
	sr_buf_put_hex_0x(out, data, len);
	sr_buf_puts(out, "\"");
}

void kms_attestation_to_json(const struct kms_attestation *a, struct sr_buf *out)
{
	sr_buf_printf(out, "{\"superRelayAttestation\":%d", JSON_VERSION);
	put_member(out, "statement", a->statement, a->statement_len);
	put_member(out, "signature", a->signature, sizeof(a->signature));
	if (a->evidence_len)
		put_member(out, "evidence", a->evidence, a->evidence_len);
	sr_buf_puts(out, "}\n");
}

static bool get_member(yyjson_val *root, const char *name, size_t min, size_t max, uint8_t *out,
		       size_t *len, struct sr_error *err)
{
	yyjson_val *v = yyjson_obj_get(root, name);
	const char *text = yyjson_get_str(v);
	size_t digits = yyjson_get_len(v);

	*len = 0;
	if (!v && !min)
		return true;
	if (!text || digits < 2 || strncmp(text, "0x", 2) != 0 || digits % 2 ||
	    digits / 2 - 1 < min || digits / 2 - 1 > max)
		return sr_fail(
			err, SR_E_INVALID,
			"attestation: %s: expected \"0x\" and %zu to %zu bytes in hexadecimal",
			name, min, max);
	*len = digits / 2 - 1;
	return sr_hex_decode(text, digits, out, *len) ||
	       sr_fail(err, SR_E_INVALID, "attestation: %s is not hexadecimal", name);
}

bool kms_attestation_from_json(const char *text, size_t len, struct kms_attestation *out,
			       struct sr_error *err)
{
	yyjson_doc *doc = len ? yyjson_read(text, len, 0) : NULL;
	yyjson_val *root = yyjson_doc_get_root(doc);
	size_t signature_len = 0;
	bool ok = false;

	memset(out, 0, sizeof(*out));
	if (!root || yyjson_get_uint(yyjson_obj_get(root, "superRelayAttestation")) != JSON_VERSION)
		ok = sr_fail(
			err, SR_E_INVALID,
			"attestation: expected a JSON object with \"superRelayAttestation\": %d",
			JSON_VERSION);
	else
		ok = get_member(root, "statement", 1, sizeof(out->statement), out->statement,
				&out->statement_len, err) &&
		     get_member(root, "signature", sizeof(out->signature), sizeof(out->signature),
				out->signature, &signature_len, err) &&
		     get_member(root, "evidence", 0, sizeof(out->evidence), out->evidence,
				&out->evidence_len, err);
	yyjson_doc_free(doc);
	return ok;
}

/* ---- the statement ---------------------------------------------------------------- */

static void read_ta(struct kms_reader *r, struct kms_attested *out)
{
	kms_get_bytes(r, out->nonce, sizeof(out->nonce));
	kms_get_bytes(r, out->ta_uuid, sizeof(out->ta_uuid));
	out->major = kms_get_u8(r);
	out->minor = kms_get_u8(r);
	out->patch = kms_get_u8(r);
	out->features = kms_get_u32(r);
	out->anti_rollback = kms_get_u32(r);
	out->system_time_level = kms_get_u32(r);
	kms_get_bytes(r, out->attestation_key, sizeof(out->attestation_key));
	kms_get_bytes(r, out->audit_key, sizeof(out->audit_key));
	kms_get_bytes(r, out->transport_key, sizeof(out->transport_key));
	kms_get_bytes(r, out->operator_key, sizeof(out->operator_key));
	out->provision_flags = kms_get_u32(r);
	out->generation = kms_get_u64(r);
	out->sequence = kms_get_u64(r);
	kms_get_bytes(r, out->head, sizeof(out->head));
}

static bool read_statement(const struct kms_attestation *a, struct kms_attested *out,
			   struct sr_error *err)
{
	struct kms_reader r = { .data = a->statement, .len = a->statement_len };
	char magic[sizeof(SR_TA_ATTEST_MAGIC)] = "";
	uint8_t has_key = 0;

	memset(out, 0, sizeof(*out));
	kms_get_bytes(&r, magic, sizeof(magic) - 1);
	if (strcmp(magic, SR_TA_ATTEST_MAGIC) != 0 || kms_get_u8(&r) != 1)
		return sr_fail(err, SR_E_CORRUPT,
			       "attestation: the statement is none of version 1");
	read_ta(&r, out);
	has_key = kms_get_u8(&r);
	out->has_key = has_key == 1;
	if (out->has_key) {
		kms_get_key_info(&r, &out->key);
		kms_get_bytes(&r, out->policy_digest, sizeof(out->policy_digest));
	}
	if (r.failed || r.at != r.len || has_key > 1)
		return sr_fail(err, SR_E_CORRUPT, "attestation: the statement is malformed");
	return true;
}

/* The signature has one form only: low s, and the v that gives the key back. */
static bool is_signed_by(const uint8_t hash[static HASH_SIZE],
			 const uint8_t signature[static SR_TA_SECP256K1_SIGNATURE_SIZE],
			 const uint8_t public_key[static SR_TA_SECP256K1_PUBLIC_SIZE])
{
	secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_VERIFY);
	secp256k1_ecdsa_recoverable_signature recoverable;
	secp256k1_ecdsa_signature plain;
	secp256k1_pubkey key;
	uint8_t recovered[SR_TA_SECP256K1_PUBLIC_SIZE];
	size_t len = sizeof(recovered);
	bool ok = context && (signature[64] == 27 || signature[64] == 28) &&
		  secp256k1_ecdsa_recoverable_signature_parse_compact(
			  context, &recoverable, signature, signature[64] - 27) &&
		  secp256k1_ecdsa_recoverable_signature_convert(context, &plain, &recoverable) &&
		  !secp256k1_ecdsa_signature_normalize(context, NULL, &plain) &&
		  secp256k1_ecdsa_recover(context, &key, &recoverable, hash) &&
		  secp256k1_ec_pubkey_serialize(context, recovered, &len, &key,
						SECP256K1_EC_UNCOMPRESSED) &&
		  memcmp(recovered, public_key, sizeof(recovered)) == 0;

	if (context)
		secp256k1_context_destroy(context);
	return ok;
}

bool kms_attest_check(const struct kms_attestation *a, const uint8_t *nonce,
		      struct kms_attested *out, struct sr_error *err)
{
	uint8_t hash[HASH_SIZE];

	if (!read_statement(a, out, err))
		return false;
	crypto_hash_sha256(hash, a->statement, a->statement_len);
	if (!is_signed_by(hash, a->signature, out->attestation_key))
		return sr_fail(err, SR_E_CORRUPT,
			       "attestation: the signature is not the attestation key's");
	if (nonce && !sr_equal_ct(nonce, out->nonce, sizeof(out->nonce)))
		return sr_fail(err, SR_E_CORRUPT,
			       "attestation: it carries another nonce than the one asked with: it "
			       "was made for somebody else, or before");
	return true;
}

/* ---- the platform's evidence --------------------------------------------------------- */

static bool verify_pss(EVP_PKEY *key, const uint8_t digest[static HASH_SIZE],
		       struct sr_bytes signature)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	bool ok = context && EVP_PKEY_verify_init(context) > 0 &&
		  EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
		  EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) > 0 &&
		  EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) > 0 &&
		  EVP_PKEY_CTX_set_rsa_pss_saltlen(context, HASH_SIZE) > 0 &&
		  EVP_PKEY_verify(context, signature.data, signature.len, digest, HASH_SIZE) == 1;

	EVP_PKEY_CTX_free(context);
	return ok;
}

static EVP_PKEY *read_pem(struct sr_bytes pem)
{
	BIO *bio = pem.len <= INT32_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
	EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	return key;
}

bool kms_evidence_check(const struct kms_attestation *a, struct sr_bytes pem,
			uint8_t hash[static 32], struct sr_error *err)
{
	uint8_t nonce_and_hash[2 * HASH_SIZE];
	uint8_t digest[HASH_SIZE];
	EVP_PKEY *key = NULL;
	bool ok = false;

	if (a->evidence_len <= HASH_SIZE)
		return sr_fail(err, SR_E_NOT_FOUND,
			       "attestation: there is no evidence of the platform's in it");
	key = read_pem(pem);
	if (!key)
		return sr_fail(err, SR_E_INVALID,
			       "the platform's key: expected a public key in PEM");
	crypto_hash_sha256(nonce_and_hash, a->statement, a->statement_len);
	memcpy(nonce_and_hash + HASH_SIZE, a->evidence, HASH_SIZE);
	crypto_hash_sha256(digest, nonce_and_hash, sizeof(nonce_and_hash));
	memcpy(hash, a->evidence, HASH_SIZE);
	ok = verify_pss(key, digest,
			(struct sr_bytes){ a->evidence + HASH_SIZE, a->evidence_len - HASH_SIZE });
	EVP_PKEY_free(key);
	return ok || sr_fail(err, SR_E_CORRUPT,
			     "attestation: the platform's evidence is not signed by the "
			     "platform's key, or is about another statement");
}

bool kms_attest_check_ta(const struct kms_attested *said, struct sr_error *err)
{
	const TEEC_UUID ours = SUPER_RELAY_TA_UUID;
	uint8_t octets[16];

	kms_uuid_octets(&ours, octets);
	return memcmp(octets, said->ta_uuid, sizeof(octets)) == 0 ||
	       sr_fail(err, SR_E_CORRUPT, "the attestation is of another Trusted Application");
}
