/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks on the audit where it is forced: what nobody keeps is not signed. */
#include "provisioned_client.h"

static struct ta_request request;
static struct ta_response response;

/* ---- the audit that is forced
 * ---------------------------------------------------------------------------- */

/* A host that takes responses and keeps nothing of them. */
static TEEC_Result spend_unaudited(struct provisioned *p, uint64_t audited)
{
	const struct sponsorship s = priced(0);

	begin_sponsorships(&request, "pm", 1);
	put_sponsorship(&request, &s);
	for (unsigned i = 0; i < 8; i++)
		request.data[1 + i] = (uint8_t)(audited >> (8 * i));
	return call(&p->ta, SR_TA_CMD_SIGN_SPONSORSHIP, &request, &response);
}

static void assert_force_audit(struct provisioned *p)
{
	const struct ta_position position = host_read(p);
	const uint64_t audited = position.next - 1;
	unsigned signed_without = 0;

	assert_int_equal(spend_unaudited(p, SR_TA_NO_LOG), TEEC_ERROR_EXCESS_DATA);
	while (spend_unaudited(p, audited) == TEEC_SUCCESS)
		assert_in_range(++signed_without, 1, SR_TA_RING_MAX);
	assert_int_equal(signed_without, SR_TA_RING_MAX);
	assert_int_equal(spend_unaudited(p, audited), TEEC_ERROR_EXCESS_DATA);
	/* Nothing that was signed is missing from what the host gets when it asks. */
	(void)host_read(p);
	assert_int_equal(tail_of(&p->log).sequence, audited + SR_TA_RING_MAX);
	assert_int_equal(spend(p, "pm", 0), TEEC_SUCCESS);
}

static void host_that_drops_records_where_the_policy_forces_the_audit(void **state)
{
	struct provisioned *p = *state;
	struct policy policy = usual_policy();

	policy.flags = SR_TA_POLICY_FORCE_AUDIT;
	make_sponsor(p, &policy);
	assert_force_audit(p);
}

static void host_that_drops_records_where_the_provisioning_forces_the_audit(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();

	assert_int_equal(provision(p, SR_TA_PROVISION_DEVELOPMENT | SR_TA_PROVISION_FORCE_AUDIT),
			 TEEC_SUCCESS);
	make_sponsor(p, &policy);
	assert_force_audit(p);
	begin_new_key(&request, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "unseen");
	put_host_entropy(&request, 1);
	assert_int_equal(call(&p->ta, SR_TA_CMD_GENERATE_KEY, &request, &response),
			 TEEC_ERROR_EXCESS_DATA);
	/* Nor does one begin without a log. */
	host_reconnect(p);
	assert_int_equal(spend_unaudited(p, SR_TA_NO_LOG), TEEC_ERROR_EXCESS_DATA);
}

/* The records of a key whose audit is forced are not pushed out by those of others. */
static void host_that_pushes_forced_records_out_with_others(void **state)
{
	struct provisioned *p = *state;
	struct policy policy = usual_policy();
	uint64_t audited = 0;
	TEEC_Result result = TEEC_SUCCESS;

	policy.flags = SR_TA_POLICY_FORCE_AUDIT;
	make_sponsor(p, &policy);
	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "d", NULL), TEEC_SUCCESS);
	audited = host_read(p).next - 1;
	assert_int_equal(spend_unaudited(p, audited), TEEC_SUCCESS);
	for (unsigned i = 0; i < 2 * SR_TA_RING_MAX && result == TEEC_SUCCESS; i++) {
		begin_digests(&request, "d", 1);
		result = call(&p->ta, SR_TA_CMD_SIGN_MESSAGE, &request, &response);
	}
	assert_int_equal(result, TEEC_ERROR_EXCESS_DATA);
	(void)host_read(p);
	assert_int_equal(tail_of(&p->log).sequence, audited + SR_TA_RING_MAX);
	assert_int_equal(spend(p, "pm", 0), TEEC_SUCCESS);
}

static void host_that_confirms_records_that_do_not_exist(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();
	uint64_t next = 0;

	make_sponsor(p, &policy);
	next = host_read(p).next;
	assert_int_equal(spend_unaudited(p, next), TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(spend_unaudited(p, UINT64_MAX - 1), TEEC_ERROR_BAD_PARAMETERS);
}

#define ATTACK(name) cmocka_unit_test_setup_teardown(name, provisioned_setup, provisioned_teardown)
#define ON_BLANK(name) \
	cmocka_unit_test_setup_teardown(name, unprovisioned_setup, provisioned_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACK(host_that_drops_records_where_the_policy_forces_the_audit),
		ON_BLANK(host_that_drops_records_where_the_provisioning_forces_the_audit),
		ATTACK(host_that_pushes_forced_records_out_with_others),
		ATTACK(host_that_confirms_records_that_do_not_exist),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
