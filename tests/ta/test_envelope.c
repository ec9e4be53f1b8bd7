/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HKDF, X25519 and envelopes as the TA computes them, asked inside a Trusted Application of
 * this file's own. Judges: published vectors, libsodium, and the normal world's envelopes,
 * which share no code with the TA's.
 */
#include <sodium.h>
#include <string.h>

#include "../../ta/super_relay_ta/entropy.h"
#include "../../ta/super_relay_ta/envelope.h"
#include "../../ta/super_relay_ta/hkdf.h"
#include "../../ta/super_relay_ta/transport.h"
#include "../unit/eth/vectors.h"
#include "kms/envelope.h"
#include "shim_entry.h"
#include "tee/sim/sim_test.h"
#include "tee/tee.h"
#include "temp_dir.h"

#define SECURITY TEE_ERROR_SECURITY

/* ---- the TA ------------------------------------------------------------------ */

static TEE_Result (*body)(void);

static void create(void)
{
	ta_entropy_reset();
	ta_entropy_open();
}

static TEE_Result invoke(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return body();
}

static char store[TEMP_DIR_MAX];
static struct tee_api api;
static TEEC_Context context;
static TEEC_Session session;

static int close_session(void **state)
{
	(void)state;
	api.close_session(&session);
	api.finalize_context(&context);
	sim_test_unload();
	return remove_temp_dir(store);
}

/* A panic of what shows as TARGET_DEAD. */
static TEEC_Result inside(TEE_Result (*what)(void))
{
	TEEC_Operation op = { 0 };

	body = what;
	op.paramTypes = TEEC_PARAM_TYPES(TEEC_NONE, TEEC_NONE, TEEC_NONE, TEEC_NONE);
	return api.invoke_command(&session, 0, &op, NULL);
}

/* ---- HKDF ---------------------------------------------------------------------- */

static struct ta_piece hkdf_salt, hkdf_secret, hkdf_info;
static uint8_t hkdf_out[TA_HKDF_OUT_MAX + 1];
static size_t hkdf_len;

static TEE_Result hkdf(void)
{
	return ta_hkdf_sha256(hkdf_salt, hkdf_secret, hkdf_info, hkdf_out, hkdf_len);
}

static struct ta_piece piece(const char *hex, uint8_t *buffer)
{
	const size_t len = strlen(hex) / 2;

	assert_true(sr_hex_decode(hex, strlen(hex), buffer, len));
	return (struct ta_piece){ buffer, len };
}

/* RFC 5869, appendix A: SHA-256 alone. */
static void hkdf_gives_the_vectors_of_rfc_5869(void **state)
{
	static const struct {
		const char *secret, *salt, *info, *out;
	} cases[] = {
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
		  "f0f1f2f3f4f5f6f7f8f9",
		  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
		  "34007208d5b887185865" },
		{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
		  "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
		  "404142434445464748494a4b4c4d4e4f",
		  "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
		  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
		  "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
		  "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
		  "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
		  "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
		  "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
		  "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
		  "cc30c58179ec3e87c14c01d5c1f3434f1d87" },
		{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
		  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
		  "9d201395faa4b61a96c8" },
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		uint8_t salt[80], secret[80], info[80], out[82];
		const struct ta_piece expected = piece(cases[i].out, out);

		hkdf_salt = piece(cases[i].salt, salt);
		hkdf_secret = piece(cases[i].secret, secret);
		hkdf_info = piece(cases[i].info, info);
		hkdf_len = expected.len;
		assert_int_equal(inside(hkdf), TEEC_SUCCESS);
		assert_memory_equal(hkdf_out, expected.data, expected.len);
	}
}

static void hkdf_refuses_what_is_over_its_limits(void **state)
{
	static const uint8_t zeros[TA_HKDF_OUT_MAX + 1];

	(void)state;
	hkdf_secret = hkdf_info = (struct ta_piece){ zeros, 1 };
	hkdf_salt = (struct ta_piece){ zeros, TA_HKDF_SALT_MAX };
	hkdf_len = TA_HKDF_OUT_MAX;
	assert_int_equal(inside(hkdf), TEEC_SUCCESS);
	hkdf_salt.len++;
	assert_int_equal(inside(hkdf), TEEC_ERROR_BAD_PARAMETERS);
	hkdf_salt.len = 1;
	hkdf_len++;
	memset(hkdf_out, 0xa5, sizeof(hkdf_out));
	assert_int_equal(inside(hkdf), TEEC_ERROR_BAD_PARAMETERS);
	assert_memory_equal(hkdf_out, zeros, sizeof(zeros));
}

/* ---- X25519 --------------------------------------------------------------------- */

static uint8_t scalar[32], point[32], product[32];

static TEE_Result x25519(void)
{
	return ta_x25519(scalar, point, product);
}

static void decode32(const char *hex, uint8_t out[static 32])
{
	assert_true(sr_hex_decode(hex, strlen(hex), out, 32));
}

/* RFC 7748, 5.2. */
static void x25519_gives_the_vectors_of_rfc_7748(void **state)
{
	static const char *const cases[][3] = {
		{ "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
		  "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
		  "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552" },
		{ "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
		  "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
		  "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957" },
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		uint8_t expected[32];

		decode32(cases[i][0], scalar);
		decode32(cases[i][1], point);
		decode32(cases[i][2], expected);
		assert_int_equal(inside(x25519), TEEC_SUCCESS);
		assert_memory_equal(product, expected, 32);
	}
}

static void x25519_agrees_with_libsodium(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		uint8_t expected[32];

		randombytes_buf(scalar, sizeof(scalar));
		randombytes_buf(point, sizeof(point));
		assert_int_equal(crypto_scalarmult(expected, scalar, point), 0);
		assert_int_equal(inside(x25519), TEEC_SUCCESS);
		assert_memory_equal(product, expected, 32);
	}
}

/* In the order of transport.c; each with X25519's ignored top bit clear and set. */
#define SMALL_POINTS 14

static void small_point(unsigned i, uint8_t out[static 32])
{
	static const char *const points[SMALL_POINTS / 2] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};

	decode32(points[i / 2], out);
	out[31] = (uint8_t)(out[31] | (i % 2 ? 0x80 : 0));
}

static void x25519_refuses_points_of_small_order_and_does_not_panic(void **state)
{
	const uint8_t zeros[32] = { 0 };

	(void)state;
	randombytes_buf(scalar, sizeof(scalar));
	for (unsigned i = 0; i < SMALL_POINTS; i++) {
		small_point(i, point);
		/* what makes them small: the judge has no list */
		assert_int_not_equal(crypto_scalarmult(product, scalar, point), 0);
		memset(product, 0xa5, sizeof(product));
		assert_int_equal(inside(x25519), TEEC_ERROR_BAD_PARAMETERS);
		assert_memory_equal(product, zeros, 32);
	}
}

/* ---- envelopes -------------------------------------------------------------------- */

struct vector {
	char name[32];
	uint8_t recipient_secret[32];
	uint8_t recipient[32];
	uint8_t secret[32];
	uint8_t bytes[SR_TA_ENVELOPE_MAX];
	size_t len;
};

static struct vector vectors[8];
static size_t vector_count;

static void read_vector(char *line, struct vector *v)
{
	const char *word = vectors_word(&line);

	snprintf(v->name, sizeof(v->name), "%s", word);
	decode32(vectors_word(&line), v->recipient_secret);
	(void)vectors_word(&line);
	(void)vectors_word(&line);
	decode32(vectors_word(&line), v->secret);
	word = vectors_word(&line);
	v->len = strlen(word) / 2;
	assert_true(v->len <= sizeof(v->bytes));
	assert_true(sr_hex_decode(word, strlen(word), v->bytes, v->len));
	assert_int_equal(crypto_scalarmult_base(v->recipient, v->recipient_secret), 0);
}

static void read_vectors(void)
{
	static char line[VECTOR_LINE_MAX];
	FILE *file = vectors_open("key_envelope.txt");

	while (vectors_next(file, line)) {
		assert_true(vector_count < SR_ARRAY_LEN(vectors));
		read_vector(line, &vectors[vector_count++]);
	}
	fclose(file);
	assert_true(vector_count > 1);
}

static int set_up(void **state)
{
	const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;

	(void)state;
	assert_true(sodium_init() >= 0);
	read_vectors();
	shim_entry_create = create;
	shim_entry_invoke = invoke;
	assert_true(make_temp_dir(store));
	assert_true(tee_load_simulator(store, &api, NULL));
	assert_int_equal(api.initialize_context(NULL, &context), TEEC_SUCCESS);
	assert_int_equal(
		api.open_session(&context, &session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL),
		TEEC_SUCCESS);
	return 0;
}

/* Between test and TA. */
static uint8_t envelope[SR_TA_ENVELOPE_MAX + 1];
static size_t envelope_len;
static uint8_t own_secret[32], own_public[32];
static struct ta_key key;

static TEE_Result open_envelope(void)
{
	return ta_envelope_open(envelope, envelope_len, own_secret, own_public, &key);
}

static TEE_Result check_envelope(void)
{
	return ta_envelope_check(envelope, envelope_len, &key);
}

static TEE_Result seal_envelope(void)
{
	ta_entropy_refresh();
	envelope_len = ta_envelope_size(&key);
	return ta_envelope_seal(&key, own_public, envelope, envelope_len);
}

static void take_vector(const struct vector *v)
{
	memcpy(envelope, v->bytes, v->len);
	envelope_len = v->len;
	memcpy(own_secret, v->recipient_secret, 32);
	memcpy(own_public, v->recipient, 32);
}

static void assert_no_secret(void)
{
	const uint8_t zeros[32] = { 0 };

	assert_memory_equal(key.secret, zeros, 32);
}

static void opens_the_published_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < vector_count; i++) {
		take_vector(&vectors[i]);
		assert_int_equal(inside(open_envelope), TEEC_SUCCESS);
		assert_memory_equal(key.secret, vectors[i].secret, 32);
		assert_int_equal(inside(check_envelope), TEEC_SUCCESS);
		assert_no_secret();
	}
}

static void reads_every_field_of_the_largest(void **state)
{
	const struct vector *v = &vectors[vector_count - 1];

	(void)state;
	assert_string_equal(v->name, "largest");
	take_vector(v);
	assert_int_equal(inside(open_envelope), TEEC_SUCCESS);
	assert_int_equal(key.id.len, SR_TA_KEY_ID_MAX);
	assert_memory_equal(key.id.bytes, "0123456789abcdef0123", 20);
	assert_int_equal(key.algorithm, SR_TA_ALG_SECP256K1);
	assert_int_equal(key.usage, SR_TA_USAGE_TRANSACTION);
	assert_int_equal(key.origin, SR_TA_ORIGIN_IMPORTED_WRAPPED);
	assert_int_equal(key.created, 1800000002);
	assert_int_equal(key.public_len, 65);
	assert_int_equal(key.policy_version, 0xffffffff);
	assert_int_equal(key.policy_len, SR_TA_POLICY_MAX);
	assert_int_equal(key.policy[0], SR_TA_POLICY_VERSION);
}

static bool documented(TEEC_Result result)
{
	return result == TEEC_ERROR_BAD_FORMAT || result == TEEC_ERROR_BAD_PARAMETERS ||
	       result == TEEC_ERROR_NOT_SUPPORTED || result == SECURITY;
}

static void refuses_an_envelope_with_any_bit_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i < vector_count; i++) {
		take_vector(&vectors[i]);
		for (size_t bit = 0; bit < 8 * envelope_len; bit++) {
			envelope[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (!documented(inside(open_envelope)))
				fail_msg("%s: bit %zu", vectors[i].name, bit);
			assert_no_secret();
			envelope[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		assert_int_equal(inside(open_envelope), TEEC_SUCCESS);
	}
}

static void refuses_an_envelope_cut_short_anywhere_or_followed_by_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < vector_count; i++) {
		take_vector(&vectors[i]);
		for (envelope_len = 0; envelope_len < vectors[i].len; envelope_len++) {
			assert_int_equal(inside(open_envelope), TEEC_ERROR_BAD_FORMAT);
			assert_int_equal(inside(check_envelope), TEEC_ERROR_BAD_FORMAT);
		}
		envelope[envelope_len++] = 0;
		assert_int_equal(inside(open_envelope), TEEC_ERROR_BAD_FORMAT);
	}
}

/* Offsets in the vector "sponsor", whose id is "paymaster". */
#define AT_UUID 5
#define AT_EPHEMERAL (AT_UUID + 16 + 32)
#define AT_ALGORITHM (AT_EPHEMERAL + 32)
#define AT_USAGE (AT_ALGORITHM + 1)
#define AT_ORIGIN (AT_USAGE + 4)
#define AT_ID (AT_ORIGIN + 1 + 8)
#define AT_PUBLIC (AT_ID + 1 + 9)
#define AT_VERSION (AT_PUBLIC + 1 + 65)
#define AT_SIGNATURE (AT_VERSION + 4 + 2)

static void says_what_is_wrong_with_a_field(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
		TEEC_Result expected;
	} cases[] = {
		{ 0, 's', TEEC_ERROR_BAD_FORMAT },
		{ 4, 0, TEEC_ERROR_BAD_FORMAT },
		{ 4, 2, TEEC_ERROR_BAD_FORMAT },
		{ AT_UUID + 15, 0x57, TEEC_ERROR_BAD_PARAMETERS },
		{ AT_ALGORITHM, 0, TEEC_ERROR_NOT_SUPPORTED },
		{ AT_ALGORITHM, 3, TEEC_ERROR_NOT_SUPPORTED },
		{ AT_ALGORITHM, SR_TA_ALG_ED25519, TEEC_ERROR_BAD_PARAMETERS },
		{ AT_USAGE, 0, TEEC_ERROR_BAD_PARAMETERS },
		{ AT_USAGE, SR_TA_USAGE_SPONSOR | SR_TA_USAGE_DIGEST, TEEC_ERROR_BAD_PARAMETERS },
		{ AT_USAGE, 8, TEEC_ERROR_BAD_PARAMETERS },
		{ AT_USAGE + 3, 1, TEEC_ERROR_BAD_PARAMETERS },
		{ AT_ORIGIN, 0, TEEC_ERROR_BAD_PARAMETERS },
		{ AT_ORIGIN, 4, TEEC_ERROR_BAD_PARAMETERS },
		{ AT_ID, 0, TEEC_ERROR_BAD_FORMAT },
		{ AT_ID, 255, TEEC_ERROR_BAD_FORMAT },
		{ AT_ID + 1, '/', TEEC_ERROR_BAD_PARAMETERS },
		{ AT_ID + 9, 0, TEEC_ERROR_BAD_PARAMETERS },
		{ AT_PUBLIC, 66, TEEC_ERROR_BAD_FORMAT },
		{ AT_PUBLIC, 255, TEEC_ERROR_BAD_FORMAT },
		/* a version without a policy, and a signature without a version */
		{ AT_VERSION, 1, TEEC_ERROR_BAD_FORMAT },
		{ AT_SIGNATURE, 1, TEEC_ERROR_BAD_FORMAT },
	};
	const struct vector *v = &vectors[0];

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		take_vector(v);
		envelope[cases[i].at] = cases[i].value;
		if (inside(open_envelope) != cases[i].expected ||
		    inside(check_envelope) != cases[i].expected)
			fail_msg("byte %zu as %u", cases[i].at, cases[i].value);
	}
}

static void refuses_an_envelope_to_another(void **state)
{
	(void)state;
	take_vector(&vectors[0]);
	memcpy(own_secret, vectors[1].recipient_secret, 32);
	memcpy(own_public, vectors[1].recipient, 32);
	assert_int_equal(inside(open_envelope), TEEC_ERROR_BAD_PARAMETERS);
	/* and one that lies about to whom it is */
	memcpy(envelope + AT_UUID + 16, own_public, 32);
	assert_int_equal(inside(open_envelope), SECURITY);
	assert_no_secret();
}

static void refuses_an_ephemeral_key_of_small_order(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SMALL_POINTS; i++) {
		take_vector(&vectors[0]);
		small_point(i, envelope + AT_EPHEMERAL);
		assert_int_equal(inside(open_envelope), SECURITY);
		assert_no_secret();
	}
}

static void seals_to_no_point_of_small_order(void **state)
{
	const uint8_t zeros[16] = { 0 };

	(void)state;
	take_vector(&vectors[0]);
	assert_int_equal(inside(open_envelope), TEEC_SUCCESS);
	for (unsigned i = 0; i < SMALL_POINTS; i++) {
		small_point(i, own_public);
		memset(envelope, 0, sizeof(envelope));
		assert_int_equal(inside(seal_envelope), TEEC_ERROR_BAD_PARAMETERS);
		assert_memory_equal(envelope, zeros, sizeof(zeros));
	}
}

static struct sr_bytes sealed(void)
{
	return (struct sr_bytes){ envelope, envelope_len };
}

/* From each vector, whatever fields it has, to a recipient of today. */
static void the_normal_world_opens_what_the_ta_seals(void **state)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_envelope *e = kms_envelope_new(&err);

	(void)state;
	assert_non_null(e);
	for (size_t i = 0; i < vector_count; i++) {
		take_vector(&vectors[i]);
		assert_int_equal(inside(open_envelope), TEEC_SUCCESS);
		assert_true(kms_x25519_generate(own_secret, own_public, &err));
		assert_int_equal(inside(seal_envelope), TEEC_SUCCESS);
		assert_true(kms_envelope_open(sealed(), own_secret, e, &err));
		assert_memory_equal(e->secret, vectors[i].secret, 32);
		assert_memory_equal(e->key.id, key.id.bytes, key.id.len);
		assert_int_equal(e->key.usage, key.usage);
		assert_int_equal(e->key.origin, key.origin);
		assert_int_equal(e->key.created, key.created);
		assert_int_equal(e->key.policy_version, key.policy_version);
		assert_int_equal(e->policy_len, key.policy_len);
		assert_memory_equal(e->policy, key.policy, key.policy_len);
		assert_memory_equal(e->operator_signature, key.operator_signature, 64);
	}
	kms_locked_free(e);
}

static void the_ta_opens_what_the_normal_world_seals(void **state)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_envelope *e = kms_envelope_new(&err);

	(void)state;
	assert_non_null(e);
	for (size_t i = 0; i < vector_count; i++) {
		take_vector(&vectors[i]);
		assert_true(kms_envelope_open(sealed(), own_secret, e, &err));
		assert_true(kms_x25519_generate(own_secret, own_public, &err));
		memcpy(e->recipient, own_public, 32);
		assert_true(kms_envelope_seal(e, envelope, &envelope_len, &err));
		assert_int_equal(inside(open_envelope), TEEC_SUCCESS);
		assert_memory_equal(key.secret, vectors[i].secret, 32);
	}
	kms_locked_free(e);
}

/* Neither ephemeral key nor nonce comes twice: with both the same, two keys sealed to one
 * recipient would give each other away. */
static void seals_with_fresh_numbers_each_time(void **state)
{
	static uint8_t seen[64][32];

	(void)state;
	take_vector(&vectors[0]);
	assert_int_equal(inside(open_envelope), TEEC_SUCCESS);
	for (size_t i = 0; i < SR_ARRAY_LEN(seen); i++) {
		assert_int_equal(inside(seal_envelope), TEEC_SUCCESS);
		memcpy(seen[i], envelope + AT_EPHEMERAL, 32);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(seen[i], seen[j], 32);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(hkdf_gives_the_vectors_of_rfc_5869),
		cmocka_unit_test(hkdf_refuses_what_is_over_its_limits),
		cmocka_unit_test(x25519_gives_the_vectors_of_rfc_7748),
		cmocka_unit_test(x25519_agrees_with_libsodium),
		cmocka_unit_test(x25519_refuses_points_of_small_order_and_does_not_panic),
		cmocka_unit_test(opens_the_published_vectors),
		cmocka_unit_test(reads_every_field_of_the_largest),
		cmocka_unit_test(refuses_an_envelope_with_any_bit_changed),
		cmocka_unit_test(refuses_an_envelope_cut_short_anywhere_or_followed_by_more),
		cmocka_unit_test(says_what_is_wrong_with_a_field),
		cmocka_unit_test(refuses_an_envelope_to_another),
		cmocka_unit_test(refuses_an_ephemeral_key_of_small_order),
		cmocka_unit_test(seals_to_no_point_of_small_order),
		cmocka_unit_test(the_normal_world_opens_what_the_ta_seals),
		cmocka_unit_test(the_ta_opens_what_the_normal_world_seals),
		cmocka_unit_test(seals_with_fresh_numbers_each_time),
	};

	return cmocka_run_group_tests(tests, set_up, close_session);
}
