/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks on what only the operator may do: policies, provisioning, letting secrets in and out. */
#include "provisioned_client.h"

#include <string.h>

#include "tee/sim/sim_test.h"

static struct ta_request request;
static struct ta_response response;

/* ---- SET_POLICY ------------------------------------------------------------------------------ */

static void assert_no_policy(struct provisioned *p, TEEC_Result expected)
{
	assert_int_equal(host_call(p, SR_TA_CMD_SET_POLICY, &request, &response), expected);
	assert_recorded(p, SR_TA_CMD_SET_POLICY, expected);
	assert_int_equal(get_spending(p, "pm").version, 1);
}

static void forged_signature_of_a_policy(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();

	make_sponsor(p, &policy);
	for (unsigned i = 1; i <= 64; i++) {
		begin_set_policy(p, &request, "pm", 2, &policy);
		request.data[request.len - i] ^= (uint8_t)(1u << (i % 8));
		assert_no_policy(p, SIGNATURE_RESULT);
	}
	begin_set_policy(p, &request, "pm", 2, &policy);
	memset(request.data + request.len - 64, 0, 64);
	assert_no_policy(p, SIGNATURE_RESULT);
}

static void policy_changed_after_it_was_signed(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();

	make_sponsor(p, &policy);
	begin_set_policy(p, &request, "pm", 2, &policy);
	/* The least of the longest validity: one second more. */
	request.data[FRAMING + 3 + 4 + 2 + 1 + 4 + 1 + 8 + 3 * 21] ^= 1;
	assert_no_policy(p, SIGNATURE_RESULT);
	/* Another version. */
	begin_set_policy(p, &request, "pm", 2, &policy);
	request.data[FRAMING + 3]++;
	assert_no_policy(p, SIGNATURE_RESULT);
}

static void policy_of_another_key(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();

	make_sponsor(p, &policy);
	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "p2", NULL), TEEC_SUCCESS);
	begin_set_policy(p, &request, "p2", 2, &policy);
	memcpy(request.data + FRAMING + 1, "pm", 2);
	assert_no_policy(p, SIGNATURE_RESULT);
}

/* The id is right, and the key under it another. */
static void policy_of_the_key_that_had_the_id_before(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();

	make_sponsor(p, &policy);
	begin_set_policy(p, &request, "pm", 2, &policy);
	assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	assert_int_equal(host_call(p, SR_TA_CMD_SET_POLICY, &request, &response), SIGNATURE_RESULT);
	assert_recorded(p, SR_TA_CMD_SET_POLICY, SIGNATURE_RESULT);
	assert_int_equal(spend(p, "pm", 1), DENIED);
}

/* What follows a name in a statement, signed as of another TA, or under another name. */
static void policy_for_another_ta_or_of_another_statement(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();
	static struct ta_request whole;
	static const char *const names[] = { SR_TA_STATEMENT_POLICY, SR_TA_STATEMENT_EXPORT,
					     SR_TA_STATEMENT_BEGIN, SR_TA_STATEMENT_PROVISION };
	uint8_t uuid[16] = { 0 };
	uint8_t hash[32] = { 0 };
	struct key_info key = { 0 };

	make_sponsor(p, &policy);
	assert_int_equal(find_key(p, "pm", &key), TEEC_SUCCESS);
	crypto_hash_sha256(hash, key.public_key, key.public_len);
	for (size_t i = 0; i < SR_ARRAY_LEN(names); i++) {
		memcpy(uuid, ta_uuid_bytes, sizeof(uuid));
		uuid[15] ^= !i;
		whole.len = 0;
		put_bytes(&whole, names[i], strlen(names[i]));
		put_bytes(&whole, uuid, sizeof(uuid));
		put_id(&whole, "pm");
		put_bytes(&whole, hash, sizeof(hash));
		put_u32(&whole, 2);
		put_policy(&whole, &policy);
		begin_set_policy(p, &request, "pm", 2, &policy);
		assert_int_equal(crypto_sign_detached(request.data + request.len - 64, NULL,
						      whole.data, whole.len, p->operator_secret),
				 0);
		assert_no_policy(p, SIGNATURE_RESULT);
	}
}

static void replayed_policy_of_the_same_or_an_older_version(void **state)
{
	struct provisioned *p = *state;
	const struct policy loose = usual_policy();
	const struct policy tight = windowed_policy(10, 1);
	static struct ta_request first;

	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	begin_set_policy(p, &first, "pm", 5, &loose);
	assert_int_equal(host_call(p, SR_TA_CMD_SET_POLICY, &first, &response), TEEC_SUCCESS);
	assert_int_equal(host_call(p, SR_TA_CMD_SET_POLICY, &first, &response),
			 TEEC_ERROR_ACCESS_CONFLICT);
	assert_recorded(p, SR_TA_CMD_SET_POLICY, TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(set_policy(p, "pm", 6, &tight), TEEC_SUCCESS);
	assert_int_equal(host_call(p, SR_TA_CMD_SET_POLICY, &first, &response),
			 TEEC_ERROR_ACCESS_CONFLICT);
	host_restart(p);
	assert_int_equal(host_call(p, SR_TA_CMD_SET_POLICY, &first, &response),
			 TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(get_spending(p, "pm").version, 6);
}

/* A development build takes secrets in the clear: the same key without its policy. */
static void replayed_policy_after_the_key_was_deleted_and_made_again(void **state)
{
	struct provisioned *p = *state;
	const struct policy loose = usual_policy();
	const struct policy tight = windowed_policy(10, 1);
	const uint8_t secret[32] = { 1, 2, 3 };
	static struct ta_request first;

	assert_int_equal(import_plain(p, SR_TA_USAGE_SPONSOR, "pm", secret), TEEC_SUCCESS);
	begin_set_policy(p, &first, "pm", 1, &loose);
	assert_int_equal(host_call(p, SR_TA_CMD_SET_POLICY, &first, &response), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "pm", 2, &tight), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
	host_restart(p);
	assert_int_equal(import_plain(p, SR_TA_USAGE_SPONSOR, "pm", secret), TEEC_SUCCESS);
	assert_int_equal(host_call(p, SR_TA_CMD_SET_POLICY, &first, &response),
			 TEEC_ERROR_ACCESS_CONFLICT);
	assert_recorded(p, SR_TA_CMD_SET_POLICY, TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(spend(p, "pm", 1), DENIED);
}

static void policy_with_a_window_where_the_host_sets_the_time(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();
	const struct policy windowed = windowed_policy(10, 1);

	make_sponsor(p, &policy);
	sim_system_time_protection = 100;
	begin_set_policy(p, &request, "pm", 2, &windowed);
	assert_no_policy(p, TEEC_ERROR_NOT_SUPPORTED);
}

static void policy_in_an_unprovisioned_ta(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();

	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "pm", 1, &policy), DENIED);
	assert_recorded(p, SR_TA_CMD_SET_POLICY, DENIED);
	/* Nobody's key is all zeros, and there are signatures that look good for it. */
	memset(p->operator_secret, 0, sizeof(p->operator_secret));
	assert_int_equal(set_policy(p, "pm", 1, &policy), DENIED);
}

/* ---- PROVISION ---------------------------------------------------------------------------------
 */

static void second_provisioning(void **state)
{
	struct provisioned *p = *state;
	uint8_t old[32] = { 0 };

	assert_int_equal(provision(p, SR_TA_PROVISION_DEVELOPMENT), TEEC_ERROR_ACCESS_CONFLICT);
	assert_recorded(p, SR_TA_CMD_PROVISION, TEEC_ERROR_ACCESS_CONFLICT);
	host_restart(p);
	/* Another operator's, well signed. */
	memcpy(old, p->operator_public, sizeof(old));
	assert_int_equal(crypto_sign_keypair(p->operator_public, p->operator_secret), 0);
	assert_int_equal(provision(p, SR_TA_PROVISION_DEVELOPMENT), TEEC_ERROR_ACCESS_CONFLICT);
	assert_recorded(p, SR_TA_CMD_PROVISION, TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "pm", 1, &(struct policy){ .window = 0 }), SIGNATURE_RESULT);
}

static void provisioning_that_its_operator_did_not_sign(void **state)
{
	struct provisioned *p = *state;
	uint8_t secret[64] = { 0 };
	uint8_t other[32] = { 0 };

	memcpy(secret, p->operator_secret, sizeof(secret));
	assert_int_equal(crypto_sign_keypair(other, p->operator_secret), 0);
	assert_int_equal(provision(p, SR_TA_PROVISION_DEVELOPMENT), SIGNATURE_RESULT);
	assert_recorded(p, SR_TA_CMD_PROVISION, SIGNATURE_RESULT);
	memcpy(p->operator_secret, secret, sizeof(secret));
	assert_int_equal(provision(p, SR_TA_PROVISION_DEVELOPMENT), TEEC_SUCCESS);
}

/* ---- secrets going in and out
 * --------------------------------------------------------------------- */

static void assert_no_export(struct provisioned *p, TEEC_Result expected)
{
	assert_int_equal(host_call(p, SR_TA_CMD_EXPORT_WRAPPED, &request, &response), expected);
	assert_recorded(p, SR_TA_CMD_EXPORT_WRAPPED, expected);
}

static void export_without_or_with_forged_or_with_anothers_authorization(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();
	uint8_t mine[32] = { 0 };
	uint8_t other[32] = { 0 };
	const uint8_t scalar[32] = { 9 };

	make_sponsor(p, &policy);
	assert_int_equal(crypto_scalarmult_base(mine, scalar), 0);
	transport_key(p, other);
	begin_export(p, &request, "pm", mine);
	memset(request.data + request.len - 64, 0, 64);
	assert_no_export(p, SIGNATURE_RESULT);
	for (unsigned i = 1; i <= 64; i++) {
		begin_export(p, &request, "pm", mine);
		request.data[request.len - i] ^= (uint8_t)(1u << (i % 8));
		assert_no_export(p, SIGNATURE_RESULT);
	}
	/* For another recipient, and for another key. */
	begin_export(p, &request, "pm", other);
	memcpy(request.data + request.len - 96, mine, 32);
	assert_no_export(p, SIGNATURE_RESULT);
	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "p2", NULL), TEEC_SUCCESS);
	begin_export(p, &request, "p2", mine);
	memcpy(request.data + FRAMING + 1, "pm", 2);
	assert_no_export(p, SIGNATURE_RESULT);
	begin_export(p, &request, "pm", mine);
	assert_int_equal(host_call(p, SR_TA_CMD_EXPORT_WRAPPED, &request, &response), TEEC_SUCCESS);
}

static void export_from_an_unprovisioned_ta(void **state)
{
	struct provisioned *p = *state;
	uint8_t recipient[32] = { 0 };

	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	transport_key(p, recipient);
	begin_export(p, &request, "pm", recipient);
	assert_no_export(p, DENIED);
}

static uint32_t group_login;
static void log_in_as_group(uint32_t *login, uint8_t uuid[16])
{
	*login = group_login;
	memset(uuid, 0, 16);
	uuid[0] = 0x6a;
}

static void plaintext_import_into_a_ta_provisioned_for_service(void **state)
{
	struct provisioned *p = *state;
	const uint8_t secret[32] = { 1, 2, 3 };

	assert_int_equal(provision(p, 0), TEEC_SUCCESS);
	/* The public are nobody now; who is of the group may call, and not import in the clear. */
	assert_int_equal(import_plain(p, SR_TA_USAGE_SPONSOR, "pm", secret), DENIED);
	group_login = TEEC_LOGIN_GROUP;
	sim_client_hook = log_in_as_group;
	host_restart(p);
	assert_int_equal(import_plain(p, SR_TA_USAGE_SPONSOR, "pm", secret), DENIED);
	assert_recorded(p, SR_TA_CMD_IMPORT_KEY, DENIED);
	assert_int_equal(find_key(p, "pm", NULL), TEEC_ERROR_ITEM_NOT_FOUND);
	sim_client_hook = NULL;
}

static void callers_of_no_group_or_of_another(void **state)
{
	static const uint32_t logins[] = { TEEC_LOGIN_PUBLIC, TEEC_LOGIN_USER,
					   TEEC_LOGIN_APPLICATION, TEEC_LOGIN_USER_APPLICATION,
					   TEEC_LOGIN_GROUP_APPLICATION };
	struct provisioned *p = *state;

	assert_int_equal(provision(p, 0), TEEC_SUCCESS);
	sim_client_hook = log_in_as_group;
	/* The group's very UUID under another kind of login. */
	for (size_t i = 0; i < SR_ARRAY_LEN(logins); i++) {
		group_login = logins[i];
		host_reconnect(p);
		assert_int_equal(host_begin(p), DENIED);
		assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "d", NULL), DENIED);
		assert_int_equal(raw_digest(p, "d"), DENIED);
	}
	sim_client_hook = NULL;
}

#define ATTACK(name) cmocka_unit_test_setup_teardown(name, provisioned_setup, provisioned_teardown)
#define ON_BLANK(name) \
	cmocka_unit_test_setup_teardown(name, unprovisioned_setup, provisioned_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACK(forged_signature_of_a_policy),
		ATTACK(policy_changed_after_it_was_signed),
		ATTACK(policy_of_another_key),
		ATTACK(policy_of_the_key_that_had_the_id_before),
		ATTACK(policy_for_another_ta_or_of_another_statement),
		ATTACK(replayed_policy_of_the_same_or_an_older_version),
		ATTACK(replayed_policy_after_the_key_was_deleted_and_made_again),
		ATTACK(policy_with_a_window_where_the_host_sets_the_time),
		ON_BLANK(policy_in_an_unprovisioned_ta),
		ATTACK(second_provisioning),
		ON_BLANK(provisioning_that_its_operator_did_not_sign),
		ATTACK(export_without_or_with_forged_or_with_anothers_authorization),
		ON_BLANK(export_from_an_unprovisioned_ta),
		ON_BLANK(plaintext_import_into_a_ta_provisioned_for_service),
		ON_BLANK(callers_of_no_group_or_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
