/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes in the normal world: the published vectors both ways, and what is refused. */
#include "../eth/vectors.h"

#include "kms/envelope.h"

struct vector {
	char name[32];
	uint8_t recipient_secret[32];
	uint8_t ephemeral_secret[32];
	uint8_t nonce[12];
	uint8_t secret[32];
	uint8_t bytes[SR_TA_ENVELOPE_MAX + 1];
	size_t len;
};

static struct vector vectors[8];
static size_t vector_count;
static struct kms_envelope *envelope;

static void decode(char **line, uint8_t *out, size_t len)
{
	const char *word = vectors_word(line);

	assert_true(sr_hex_decode(word, strlen(word), out, len));
}

static void read_vector(char *line, struct vector *v)
{
	snprintf(v->name, sizeof(v->name), "%s", vectors_word(&line));
	decode(&line, v->recipient_secret, sizeof(v->recipient_secret));
	decode(&line, v->ephemeral_secret, sizeof(v->ephemeral_secret));
	decode(&line, v->nonce, sizeof(v->nonce));
	decode(&line, v->secret, sizeof(v->secret));
	v->len = strlen(line) / 2;
	assert_true(v->len <= SR_TA_ENVELOPE_MAX);
	decode(&line, v->bytes, v->len);
}

static int set_up(void **state)
{
	static char line[VECTOR_LINE_MAX];
	FILE *file = vectors_open("key_envelope.txt");

	(void)state;
	while (vectors_next(file, line)) {
		assert_true(vector_count < SR_ARRAY_LEN(vectors));
		read_vector(line, &vectors[vector_count++]);
	}
	fclose(file);
	assert_true(vector_count > 1);
	envelope = kms_envelope_new(NULL);
	return envelope ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	kms_locked_free(envelope);
	return 0;
}

static struct sr_bytes bytes_of(const struct vector *v)
{
	return (struct sr_bytes){ v->bytes, v->len };
}

static void opens_the_published_vectors(void **state)
{
	struct sr_error err = { .code = SR_OK };

	(void)state;
	for (size_t i = 0; i < vector_count; i++) {
		if (!kms_envelope_open(bytes_of(&vectors[i]), vectors[i].recipient_secret, envelope,
				       &err))
			fail_msg("%s: %s", vectors[i].name, err.message);
		assert_memory_equal(envelope->secret, vectors[i].secret, 32);
	}
}

static void seals_the_published_vectors(void **state)
{
	uint8_t out[SR_TA_ENVELOPE_MAX];
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < vector_count; i++) {
		const struct vector *v = &vectors[i];

		assert_true(kms_envelope_open(bytes_of(v), v->recipient_secret, envelope, NULL));
		memset(envelope->ephemeral, 0, sizeof(envelope->ephemeral));
		assert_true(kms_envelope_seal_with(envelope, v->ephemeral_secret, v->nonce, out,
						   &len, NULL));
		assert_int_equal(len, v->len);
		assert_memory_equal(out, v->bytes, len);
	}
}

static void reads_what_is_in_the_clear_without_a_key(void **state)
{
	const uint8_t zeros[32] = { 0 };
	const uint8_t uuid[KMS_UUID_SIZE] = { 0x12, 0x34, 0x56, 0x78, 0x5b, 0x69, 0x11, 0xd4,
					      0x9f, 0xee, 0x00, 0xc0, 0x4f, 0x4c, 0x34, 0x56 };

	(void)state;
	assert_true(kms_envelope_read(bytes_of(&vectors[0]), envelope, NULL));
	assert_memory_equal(envelope->ta_uuid, uuid, sizeof(uuid));
	assert_string_equal(envelope->key.id, "paymaster");
	assert_int_equal(envelope->key.algorithm, SR_TA_ALG_SECP256K1);
	assert_int_equal(envelope->key.usage, SR_TA_USAGE_SPONSOR);
	assert_int_equal(envelope->key.origin, SR_TA_ORIGIN_GENERATED);
	assert_int_equal(envelope->key.created, 1800000000);
	assert_int_equal(envelope->key.public_key_len, 65);
	assert_int_equal(envelope->policy_len, 0);
	assert_memory_equal(envelope->secret, zeros, 32);
}

static void refuses_an_envelope_with_any_bit_changed(void **state)
{
	const uint8_t zeros[32] = { 0 };

	(void)state;
	for (size_t i = 0; i < vector_count; i++) {
		struct vector v = vectors[i];

		for (size_t bit = 0; bit < 8 * v.len; bit++) {
			struct sr_error err = { .code = SR_OK };

			v.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (kms_envelope_open(bytes_of(&v), v.recipient_secret, envelope, &err) ||
			    (err.code != SR_E_INVALID && err.code != SR_E_DENIED))
				fail_msg("%s: bit %zu: %s", v.name, bit, err.message);
			assert_memory_equal(envelope->secret, zeros, 32);
			v.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	}
}

static void refuses_an_envelope_cut_short_anywhere_or_followed_by_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < vector_count; i++) {
		struct vector v = vectors[i];
		const size_t whole = v.len;

		for (v.len = 0; v.len < whole; v.len++)
			assert_false(kms_envelope_read(bytes_of(&v), envelope, NULL));
		v.len = whole + 1;
		assert_false(kms_envelope_read(bytes_of(&v), envelope, NULL));
	}
}

static void refuses_a_key_id_with_a_nul_inside(void **state)
{
	struct vector v = vectors[0];

	(void)state;
	/* "paymaster" begins behind magic, UUID, two keys and four attributes */
	v.bytes[5 + 16 + 32 + 32 + 1 + 4 + 1 + 8 + 1 + 3] = 0;
	assert_false(kms_envelope_read(bytes_of(&v), envelope, NULL));
}

static void refuses_an_envelope_to_another(void **state)
{
	struct sr_error err = { .code = SR_OK };

	(void)state;
	assert_false(kms_envelope_open(bytes_of(&vectors[0]), vectors[1].recipient_secret, envelope,
				       &err));
	assert_int_equal(err.code, SR_E_DENIED);
	assert_non_null(strstr(err.message, "another key"));
}

static void refuses_to_seal_to_a_point_of_small_order(void **state)
{
	struct sr_error err = { .code = SR_OK };
	uint8_t out[SR_TA_ENVELOPE_MAX];
	size_t len = 0;

	(void)state;
	assert_true(kms_envelope_open(bytes_of(&vectors[0]), vectors[0].recipient_secret, envelope,
				      NULL));
	memset(envelope->recipient, 0, 32);
	for (uint8_t u = 0; u < 2; u++) {
		envelope->recipient[0] = u;
		assert_false(kms_x25519_usable(envelope->recipient));
		assert_false(kms_envelope_seal(envelope, out, &len, &err));
		assert_int_equal(err.code, SR_E_INVALID);
	}
	assert_true(kms_x25519_generate(envelope->secret, envelope->recipient, &err));
	assert_true(kms_x25519_usable(envelope->recipient));
}

static void refuses_to_seal_a_pair_that_is_none(void **state)
{
	struct sr_error err = { .code = SR_OK };
	uint8_t out[SR_TA_ENVELOPE_MAX];
	size_t len = 0;

	(void)state;
	assert_true(kms_envelope_open(bytes_of(&vectors[0]), vectors[0].recipient_secret, envelope,
				      NULL));
	envelope->secret[31] ^= 1;
	assert_false(kms_envelope_seal(envelope, out, &len, &err));
	assert_int_equal(err.code, SR_E_CORRUPT);
	memset(envelope->secret, 0, 32);
	assert_false(kms_envelope_seal(envelope, out, &len, &err));
	assert_int_equal(err.code, SR_E_INVALID);
}

static void each_backup_key_is_new(void **state)
{
	uint8_t secrets[2][32], publics[2][32], again[32];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_true(kms_x25519_generate(secrets[i], publics[i], NULL));
		assert_true(kms_x25519_public(secrets[i], again, NULL));
		assert_memory_equal(publics[i], again, 32);
	}
	assert_memory_not_equal(secrets[0], secrets[1], 32);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_the_published_vectors),
		cmocka_unit_test(seals_the_published_vectors),
		cmocka_unit_test(reads_what_is_in_the_clear_without_a_key),
		cmocka_unit_test(refuses_an_envelope_with_any_bit_changed),
		cmocka_unit_test(refuses_an_envelope_cut_short_anywhere_or_followed_by_more),
		cmocka_unit_test(refuses_a_key_id_with_a_nul_inside),
		cmocka_unit_test(refuses_an_envelope_to_another),
		cmocka_unit_test(refuses_to_seal_to_a_point_of_small_order),
		cmocka_unit_test(refuses_to_seal_a_pair_that_is_none),
		cmocka_unit_test(each_backup_key_is_new),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
