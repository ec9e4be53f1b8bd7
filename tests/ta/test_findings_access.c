/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose the TA is: what was sealed before PROVISION and after it, operator's keys that are
 * nobody's or everybody's, and callers who fill the TA with sessions.
 */
#include <string.h>

#include "store_copy.h"
#include "tee/sim/sim_test.h"

static struct ta_request request;

/* ---- the transport key -------------------------------------------------------------------------
 */

static void export_to(struct provisioned *p, const char *id, const uint8_t recipient[static 32],
		      struct envelope *out)
{
	begin_export(p, &request, id, recipient);
	assert_int_equal(host_call(p, SR_TA_CMD_EXPORT_WRAPPED, &request, &p->response),
			 TEEC_SUCCESS);
	out->len = (uint16_t)(p->response.data[1] | p->response.data[2] << 8);
	memcpy(out->data, p->response.data + 3, out->len);
}

/* Not by its label, and not where the label is made to fit. */
static void assert_does_not_open(struct provisioned *p, const struct envelope *envelope,
				 const uint8_t sealed_to[static 32])
{
	struct envelope relabelled = *envelope;
	uint8_t *label = NULL;
	uint8_t own[32] = { 0 };

	assert_int_equal(import_envelope(p, envelope), TEEC_ERROR_BAD_PARAMETERS);
	transport_key(p, own);
	assert_memory_not_equal(own, sealed_to, sizeof(own));
	label = memmem(relabelled.data, relabelled.len, sealed_to, 32);
	assert_non_null(label);
	memcpy(label, own, sizeof(own));
	assert_int_equal(import_envelope(p, &relabelled), TEEC_ERROR_SECURITY);
	assert_int_equal(find_key(p, "k", NULL), TEEC_ERROR_ITEM_NOT_FOUND);
}

static void what_was_sealed_before_provisioning_does_not_open(void **state)
{
	struct provisioned *p = *state;
	struct envelope before = { .len = 0 };
	struct envelope after = { .len = 0 };
	uint8_t recipient[32] = { 0 };

	transport_key(p, recipient);
	assert_int_equal(provision(p, SR_TA_PROVISION_DEVELOPMENT), TEEC_SUCCESS);
	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "k", NULL), TEEC_SUCCESS);
	export_to(p, "k", recipient, &before);
	assert_int_equal(export_key(p, "k", &after), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "k"), TEEC_SUCCESS);
	assert_does_not_open(p, &before, recipient);
	host_restart(p);
	assert_does_not_open(p, &before, recipient);
	assert_int_equal(import_envelope(p, &after), TEEC_SUCCESS);
}

/* Whoever keeps the storage from before, and provisions that, has another transport key. */
static void a_copy_from_before_provisioning_opens_nothing_sealed_after(void **state)
{
	struct provisioned *p = *state;
	struct envelope envelope = { .len = 0 };
	char copy[TEMP_DIR_MAX] = "";
	uint8_t recipient[32] = { 0 };

	take_copy(p, copy);
	assert_int_equal(provision(p, SR_TA_PROVISION_DEVELOPMENT), TEEC_SUCCESS);
	transport_key(p, recipient);
	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "k", NULL), TEEC_SUCCESS);
	assert_int_equal(export_key(p, "k", &envelope), TEEC_SUCCESS);
	put_back(p, copy);
	p->log.kept = false;
	assert_does_not_open(p, &envelope, recipient);
	assert_int_equal(crypto_sign_keypair(p->operator_public, p->operator_secret), 0);
	assert_int_equal(provision(p, SR_TA_PROVISION_DEVELOPMENT), TEEC_SUCCESS);
	assert_does_not_open(p, &envelope, recipient);
	ta_remove_store(copy);
}

/* ---- operator's keys
 * ------------------------------------------------------------------------------ */

/* By libsodium, which adds nothing but points of the curve. */
static void no_point(uint8_t out[static 32])
{
	const uint8_t identity[32] = { 1 };
	uint8_t sum[32] = { 0 };

	memset(out, 0, 32);
	for (out[0] = 2; !crypto_core_ed25519_add(sum, identity, out); out[0]++)
		assert_true(out[0] < 100);
}

static TEEC_Result provision_with(struct provisioned *p, const uint8_t key[static 32])
{
	uint8_t own[32] = { 0 };
	TEEC_Result result = TEEC_SUCCESS;

	memcpy(own, p->operator_public, sizeof(own));
	memcpy(p->operator_public, key, sizeof(own));
	result = provision(p, SR_TA_PROVISION_DEVELOPMENT);
	memcpy(p->operator_public, own, sizeof(own));
	return result;
}

/* Encodings of the points whose order divides 8, canonical and not; the sign's bit in both states
 * is added by the test. */
static const char *const small_order[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

static void an_operators_key_is_a_point_of_full_order(void **state)
{
	struct provisioned *p = *state;
	uint8_t key[32] = { 0 };

	no_point(key);
	assert_int_equal(provision_with(p, key), TEEC_ERROR_BAD_PARAMETERS);
	for (size_t i = 0; i < SR_ARRAY_LEN(small_order); i++) {
		assert_int_equal(
			sodium_hex2bin(key, sizeof(key), small_order[i], 64, NULL, NULL, NULL), 0);
		assert_int_equal(provision_with(p, key), TEEC_ERROR_BAD_PARAMETERS);
		key[31] |= 0x80;
		assert_int_equal(provision_with(p, key), TEEC_ERROR_BAD_PARAMETERS);
	}
	assert_int_equal(provision(p, SR_TA_PROVISION_DEVELOPMENT), TEEC_SUCCESS);
}

/* OP-TEE panics where it is to make a key of what is no point: with the panic would go what is
 * written off and not used. */
static void keys_that_are_none_do_nothing_to_a_provisioned_ta(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = windowed_policy(16000, 1000);
	const uint8_t secret[32] = { 7 };
	uint8_t no_key[32] = { 0 };
	uint8_t other[32] = { 0 };
	uint8_t scratch[64] = { 0 };
	struct ta_position before = { 0 };

	(void)crypto_sign_seed_keypair(other, scratch, secret);
	no_point(no_key);
	make_sponsor(p, &policy);
	assert_int_equal(spend(p, "pm", 100), TEEC_SUCCESS);
	for (unsigned i = 0; i < 20; i++) {
		before = host_read(p);
		assert_int_equal(provision_with(p, no_key), TEEC_ERROR_BAD_PARAMETERS);
		assert_true(host_read(p).begun);
		assert_int_equal(host_read(p).next, before.next);
		assert_int_equal(provision_with(p, other), TEEC_ERROR_ACCESS_CONFLICT);
		assert_int_equal(provision(p, 0), TEEC_ERROR_ACCESS_CONFLICT);
	}
	assert_true(get_spending(p, "pm").cost == 100);
	assert_int_equal(spend(p, "pm", 16000 - 100), TEEC_SUCCESS);
}

/* ---- sessions
 * ------------------------------------------------------------------------------------- */

#define STRANGERS 8

static uint32_t login;

static void pose(uint32_t *out, uint8_t uuid[16])
{
	*out = login;
	memset(uuid, 0, 16);
	uuid[0] = 0x6a;
}

static TEEC_Result open_as(struct provisioned *p, uint32_t kind, TEEC_Session *out)
{
	const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;

	login = kind;
	sim_client_hook = pose;
	return p->ta.api.open_session(&p->ta.context, out, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL,
				      NULL);
}

static void strangers_leave_room_for_the_owner(void **state)
{
	struct provisioned *p = *state;
	static TEEC_Session strangers[STRANGERS];
	static TEEC_Session owners[40];
	TEEC_Session more = { 0 };

	assert_int_equal(provision(p, 0), TEEC_SUCCESS);
	login = TEEC_LOGIN_GROUP;
	sim_client_hook = pose;
	host_restart(p);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < STRANGERS; i++)
			assert_int_equal(open_as(p, TEEC_LOGIN_USER, &strangers[i]), TEEC_SUCCESS);
		for (unsigned i = 0; i < 300; i++)
			assert_int_equal(open_as(p, TEEC_LOGIN_PUBLIC, &more),
					 TEEC_ERROR_OUT_OF_MEMORY);
		for (unsigned i = 0; i < SR_ARRAY_LEN(owners); i++)
			assert_int_equal(open_as(p, TEEC_LOGIN_GROUP, &owners[i]), TEEC_SUCCESS);
		assert_int_equal(host_begin(p), TEEC_SUCCESS);
		p->ta.api.close_session(&strangers[0]);
		assert_int_equal(open_as(p, TEEC_LOGIN_USER, &strangers[0]), TEEC_SUCCESS);
		assert_int_equal(open_as(p, TEEC_LOGIN_USER, &more), TEEC_ERROR_OUT_OF_MEMORY);
		for (unsigned i = 0; i < STRANGERS; i++)
			p->ta.api.close_session(&strangers[i]);
		for (unsigned i = 0; i < SR_ARRAY_LEN(owners); i++)
			p->ta.api.close_session(&owners[i]);
	}
}

static int tear_down(void **state)
{
	sim_client_hook = NULL;
	return provisioned_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, provisioned_setup, tear_down)
#define ON_BLANK(name) cmocka_unit_test_setup_teardown(name, unprovisioned_setup, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_BLANK(what_was_sealed_before_provisioning_does_not_open),
		ON_BLANK(a_copy_from_before_provisioning_opens_nothing_sealed_after),
		ON_BLANK(an_operators_key_is_a_point_of_full_order),
		TEST(keys_that_are_none_do_nothing_to_a_provisioned_ta),
		ON_BLANK(strangers_leave_room_for_the_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
