/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TA's code that touches secrets, in the simulator, branches on none of them and uses
 * none for an address: signing, importing, wrapping and unwrapping, and the checks of pairs.
 * The libraries under it are in it: libsecp256k1, libsodium, libcrypto.
 */
#include "ct.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../ta/super_relay_ta/entropy.h"
#include "../../ta/super_relay_ta/envelope.h"
#include "../../ta/super_relay_ta/hkdf.h"
#include "../../ta/super_relay_ta/key.h"
#include "../../ta/super_relay_ta/memory.h"
#include "../../ta/super_relay_ta/sha256.h"
#include "../../ta/super_relay_ta/sign_ed25519.h"
#include "../../ta/super_relay_ta/sign_secp256k1.h"
#include "../../ta/super_relay_ta/transport.h"
#include "../ta/shim_ta.h"
#include "base/base.h"
#include "tee/sim/sim_test.h"

#define REQUIRE(condition)                        \
	do {                                      \
		if (!(condition))                 \
			return TEE_ERROR_GENERIC; \
	} while (0)

/* All that the TEE's generator gives is secret: so are the pool, and what comes out of it. */
static void secret_random(void *out, size_t len)
{
	static uint8_t next = 1;

	memset(out, next++, len);
	ct_secret(out, len);
}

/* Runs it in an instance, and asks for no error but the library's own. */
static void runs_clean(shim_body body)
{
	const unsigned errors = ct_errors();
	const unsigned signatures = ct_signatures();
	unsigned allowed = 0;

	sim_random_hook = secret_random;
	assert_int_equal(shim_run(body), TEEC_SUCCESS);
	sim_random_hook = NULL;
	allowed = (ct_signatures() - signatures) * CT_ERRORS_A_SIGNATURE;
	assert_in_range(ct_errors() - errors, 0, allowed);
}

/* ---- the harness itself ------------------------------------------------------------------ */

static volatile unsigned sink;
static const uint8_t table[256] = { 1, 2, 3 };

static void branch_on(const uint8_t *secret)
{
	if (secret[0] & 1)
		sink++;
}

static void look_up(const uint8_t *secret)
{
	sink += table[secret[0]];
}

static void branch_after_hashing(const uint8_t *secret)
{
	uint8_t hash[32] = { 0 };

	if (ta_sha256(secret, 32, hash) == TEE_SUCCESS)
		branch_on(hash + 31);
}

static void compare_with_memcmp(const uint8_t *secret)
{
	static const uint8_t other[32] = { 9 };

	if (!memcmp(secret, other, sizeof(other)))
		sink++;
}

/* Each leaks on purpose, and must be caught. */
static TEE_Result leaks(TEE_Param params[TEE_NUM_PARAMS])
{
	void (*const all[])(const uint8_t *secret) = { branch_on, look_up, branch_after_hashing,
						       compare_with_memcmp };
	uint8_t secret[32] = { 5 };

	(void)params;
	REQUIRE(ta_sha256_open() == TEE_SUCCESS);
	for (size_t i = 0; i < SR_ARRAY_LEN(all); i++) {
		const unsigned before = ct_errors();

		ct_secret(secret, sizeof(secret));
		all[i](secret);
		REQUIRE(ct_errors() > before);
	}
	return TEE_SUCCESS;
}

static void the_harness_catches_what_leaks(void **state)
{
	(void)state;
	assert_int_equal(shim_run(leaks), TEEC_SUCCESS);
}

/* The same defect is counted each time, so that no number is used up by another test. */
static void the_harness_counts_every_time(void **state)
{
	uint8_t secret[32] = { 5 };
	unsigned before = 0;

	(void)state;
	ct_secret(secret, sizeof(secret));
	before = ct_errors();
	for (int i = 0; i < 5; i++)
		branch_on(secret);
	assert_int_equal(ct_errors() - before, 5);
}

/* ---- helpers ------------------------------------------------------------------------------ */

static TEE_Result make_key(struct ta_key *key, uint8_t algorithm)
{
	*key = (struct ta_key){ .algorithm = algorithm,
				.origin = SR_TA_ORIGIN_IMPORTED_PLAIN,
				.usage = SR_TA_USAGE_DIGEST,
				.id = { .bytes = "key", .len = 3 } };
	memset(key->secret, 0x42, sizeof(key->secret));
	ct_secret(key->secret, sizeof(key->secret));
	return algorithm == SR_TA_ALG_SECP256K1 ? ta_secp256k1_derive_public(key)
						: ta_ed25519_derive_public(key);
}

static TEE_Result open_all(void)
{
	ta_entropy_open();
	REQUIRE(ta_sha256_open() == TEE_SUCCESS);
	return ta_secp256k1_open();
}

static void close_all(void)
{
	ta_secp256k1_close();
	ta_sha256_close();
	ta_entropy_reset();
}

/* ---- secp256k1 ---------------------------------------------------------------------------- */

static TEE_Result use_secp256k1(TEE_Param params[TEE_NUM_PARAMS])
{
	struct ta_key key = { 0 };
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE] = { 0 };

	(void)params;
	REQUIRE(open_all() == TEE_SUCCESS);
	REQUIRE(make_key(&key, SR_TA_ALG_SECP256K1) == TEE_SUCCESS);
	REQUIRE(ta_secp256k1_check_pair(&key) == TEE_SUCCESS);
	for (uint8_t i = 0; i < 3; i++) {
		const uint8_t digest[32] = { i };

		REQUIRE(ta_secp256k1_sign(&key, digest, signature) == TEE_SUCCESS);
		REQUIRE(ct_is_public(signature, sizeof(signature)));
	}
	REQUIRE(ct_is_secret(key.secret, sizeof(key.secret)));
	close_all();
	return TEE_SUCCESS;
}

static TEE_Result generate_secp256k1(TEE_Param params[TEE_NUM_PARAMS])
{
	struct ta_key key = { .algorithm = SR_TA_ALG_SECP256K1 };

	(void)params;
	REQUIRE(open_all() == TEE_SUCCESS);
	REQUIRE(ta_secp256k1_generate(&key) == TEE_SUCCESS);
	REQUIRE(ct_is_secret(key.secret, sizeof(key.secret)));
	REQUIRE(ct_is_public(key.public_key, sizeof(key.public_key)));
	close_all();
	return TEE_SUCCESS;
}

static void secp256k1_signs_and_checks_pairs_in_constant_time(void **state)
{
	(void)state;
	runs_clean(use_secp256k1);
	runs_clean(generate_secp256k1);
}

/* A secret that is no scalar: what is wrong with it is told, and nothing else. */
static TEE_Result refuse_a_scalar(TEE_Param params[TEE_NUM_PARAMS])
{
	struct ta_key key = { .algorithm = SR_TA_ALG_SECP256K1 };

	(void)params;
	REQUIRE(open_all() == TEE_SUCCESS);
	memset(key.secret, 0xff, sizeof(key.secret));
	ct_secret(key.secret, sizeof(key.secret));
	REQUIRE(ta_secp256k1_derive_public(&key) == TEE_ERROR_BAD_PARAMETERS);
	close_all();
	return TEE_SUCCESS;
}

static void a_scalar_out_of_range_is_refused_in_constant_time(void **state)
{
	(void)state;
	runs_clean(refuse_a_scalar);
}

/* ---- Ed25519 ------------------------------------------------------------------------------ */

static TEE_Result use_ed25519(TEE_Param params[TEE_NUM_PARAMS])
{
	struct ta_key key = { 0 };
	uint8_t signature[SR_TA_ED25519_SIGNATURE_SIZE] = { 0 };

	(void)params;
	REQUIRE(open_all() == TEE_SUCCESS);
	REQUIRE(make_key(&key, SR_TA_ALG_ED25519) == TEE_SUCCESS);
	REQUIRE(ct_is_public(key.public_key, SR_TA_ED25519_PUBLIC_SIZE));
	REQUIRE(ta_ed25519_check_pair(&key) == TEE_SUCCESS);
	REQUIRE(ta_ed25519_sign(&key, (const uint8_t *)"hello", 5, signature) == TEE_SUCCESS);
	REQUIRE(ct_is_public(signature, sizeof(signature)));
	REQUIRE(ct_is_secret(key.secret, sizeof(key.secret)));
	close_all();
	return TEE_SUCCESS;
}

static void ed25519_signs_and_derives_in_constant_time(void **state)
{
	(void)state;
	runs_clean(use_ed25519);
}

/* ---- stored records ------------------------------------------------------------------------ */

static TEE_Result record_there_and_back(TEE_Param params[TEE_NUM_PARAMS])
{
	static uint8_t record[TA_KEY_RECORD_MAX];
	const uint8_t tag[TA_KEY_TAG_SIZE] = { 3 };
	struct ta_key key = { 0 };
	struct ta_key back = { 0 };
	size_t len = 0;

	(void)params;
	REQUIRE(open_all() == TEE_SUCCESS);
	REQUIRE(make_key(&key, SR_TA_ALG_SECP256K1) == TEE_SUCCESS);
	len = ta_key_record_encode(&key, tag, record);
	REQUIRE(ta_key_record_decode(record, len, tag, &back) == TEE_SUCCESS);
	REQUIRE(ct_is_secret(back.secret, sizeof(back.secret)));
	ta_wipe(record, sizeof(record));
	REQUIRE(ct_is_public(record, sizeof(record)));
	close_all();
	return TEE_SUCCESS;
}

static void a_record_is_read_and_written_in_constant_time(void **state)
{
	(void)state;
	runs_clean(record_there_and_back);
}

/* ---- envelopes ----------------------------------------------------------------------------- */

static uint8_t envelope[SR_TA_ENVELOPE_MAX];
static struct ta_key key_in;
static struct ta_key key_out;

static TEE_Result seal_and_open(TEE_Param params[TEE_NUM_PARAMS])
{
	uint8_t secret[SR_TA_SECRET_SIZE] = { 0 };
	uint8_t recipient[SR_TA_X25519_PUBLIC_SIZE] = { 0 };
	size_t size = 0;

	(void)params;
	REQUIRE(open_all() == TEE_SUCCESS);
	REQUIRE(make_key(&key_in, SR_TA_ALG_SECP256K1) == TEE_SUCCESS);
	ta_entropy_next(secret);
	REQUIRE(ct_is_secret(secret, sizeof(secret)));
	REQUIRE(ta_transport_public(secret, recipient) == TEE_SUCCESS);
	size = ta_envelope_size(&key_in);
	REQUIRE(ta_envelope_seal(&key_in, recipient, envelope, size) == TEE_SUCCESS);
	/* Nothing of what leaves says anything of what is in it. */
	REQUIRE(ct_is_public(envelope, size));
	REQUIRE(ta_envelope_open(envelope, size, secret, recipient, &key_out) == TEE_SUCCESS);
	REQUIRE(ct_is_secret(key_out.secret, sizeof(key_out.secret)));
	REQUIRE(ta_equal_ct(key_out.secret, key_in.secret, sizeof(key_in.secret)));
	REQUIRE(ta_secp256k1_check_pair(&key_out) == TEE_SUCCESS);
	/* One that does not open. */
	envelope[size - 1] ^= 1;
	REQUIRE(ta_envelope_open(envelope, size, secret, recipient, &key_out) ==
		TEE_ERROR_SECURITY);
	close_all();
	return TEE_SUCCESS;
}

static void an_envelope_is_sealed_and_opened_in_constant_time(void **state)
{
	(void)state;
	runs_clean(seal_and_open);
}

/* Another key of the sender's: the shared secret is none of the base point's. */
static TEE_Result share(TEE_Param params[TEE_NUM_PARAMS])
{
	const uint8_t salt[32] = { 1 };
	uint8_t secret[SR_TA_SECRET_SIZE] = { 7 };
	uint8_t point[SR_TA_X25519_PUBLIC_SIZE] = { 0 };
	uint8_t shared[SR_TA_X25519_PUBLIC_SIZE] = { 0 };
	uint8_t out[32] = { 0 };

	(void)params;
	REQUIRE(open_all() == TEE_SUCCESS);
	REQUIRE(ta_transport_public(secret, point) == TEE_SUCCESS);
	ct_secret(secret, sizeof(secret));
	REQUIRE(ta_x25519(secret, point, shared) == TEE_SUCCESS);
	REQUIRE(ct_is_secret(shared, sizeof(shared)));
	REQUIRE(ta_hkdf_sha256((struct ta_piece){ salt, sizeof(salt) },
			       (struct ta_piece){ shared, sizeof(shared) },
			       (struct ta_piece){ "info", 4 }, out, sizeof(out)) == TEE_SUCCESS);
	REQUIRE(ct_is_secret(out, sizeof(out)));
	close_all();
	return TEE_SUCCESS;
}

static void shared_secrets_and_keys_from_them_are_made_in_constant_time(void **state)
{
	(void)state;
	runs_clean(share);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, shim_set_up, shim_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_harness_catches_what_leaks),
		CASE(the_harness_counts_every_time),
		CASE(secp256k1_signs_and_checks_pairs_in_constant_time),
		CASE(a_scalar_out_of_range_is_refused_in_constant_time),
		CASE(ed25519_signs_and_derives_in_constant_time),
		CASE(a_record_is_read_and_written_in_constant_time),
		CASE(an_envelope_is_sealed_and_opened_in_constant_time),
		CASE(shared_secrets_and_keys_from_them_are_made_in_constant_time),
	};

	return cmocka_run_group_tests(tests, ct_set_up, NULL);
}
