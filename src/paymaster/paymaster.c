/* SPDX-License-Identifier: Apache-2.0 */
#include "paymaster/paymaster.h"

#include <stddef.h>
#include <string.h>

#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/*
 * The stub's signature. VerifyingPaymaster reverts on one that does not
 * recover, so r is the x of a point on the curve and s is low; no byte of it is
 * zero, since calldata's zero bytes are cheaper than a real signature's.
 */
const uint8_t paymaster_stub_signature[SR_TA_SECP256K1_SIGNATURE_SIZE] = {
	0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
	0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
	0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0x7a, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
	0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
	0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0x1c,
};

/* As few zero bytes as any real window has, and open at any time of simulation. */
#define STUB_VALID_UNTIL UINT64_C(0xffffffffffff)
#define STUB_VALID_AFTER UINT64_C(0x01010101)

void paymaster_init(struct paymaster *pm, const struct paymaster_config *config, struct kms *kms,
		    uint64_t chain_id)
{
	pm->config = *config;
	pm->kms = kms;
	atomic_init(&pm->chain_id, chain_id);
	atomic_init(&pm->halted, false);
	pm->observe = NULL;
	pm->observe_arg = NULL;
}

void paymaster_set_chain_id(struct paymaster *pm, uint64_t chain_id)
{
	atomic_store(&pm->chain_id, chain_id);
}

void paymaster_halt(struct paymaster *pm, bool halted)
{
	atomic_store(&pm->halted, halted);
}

/* A limit of ours: the operation's own where it names one, else the default. */
static bool choose_limit(const char *field, const struct eth_u256 *given, uint64_t fallback,
			 uint64_t max, struct eth_u256 *out, struct sr_error *err)
{
	struct eth_u256 bound = eth_u256_from_u64(max);
	char text[ETH_U256_DEC_MAX];

	if (eth_u256_is_zero(given)) {
		*out = eth_u256_from_u64(fallback);
		return true;
	}
	if (eth_u256_cmp(given, &bound) > 0) {
		eth_u256_to_dec(given, text);
		return sr_fail(err, SR_E_DENIED, "%s: %s is over the policy's limit of %llu", field,
			       text, (unsigned long long)max);
	}
	*out = *given;
	return true;
}

static bool choose_limits(const struct paymaster *pm, const struct eth_user_op *op,
			  struct paymaster_grant *out, struct sr_error *err)
{
	const struct paymaster_config *c = &pm->config;

	return choose_limit("paymasterVerificationGasLimit", &op->paymaster_verification_gas_limit,
			    c->verification_gas_limit, c->max_verification_gas_limit,
			    &out->verification_gas_limit, err) &&
	       choose_limit("paymasterPostOpGasLimit", &op->paymaster_post_op_gas_limit,
			    c->post_op_gas_limit, c->max_post_op_gas_limit, &out->post_op_gas_limit,
			    err);
}

void paymaster_apply(const struct paymaster *pm, const struct paymaster_grant *grant,
		     struct eth_user_op *op)
{
	op->has_paymaster = true;
	op->paymaster = pm->config.contract;
	op->paymaster_verification_gas_limit = grant->verification_gas_limit;
	op->paymaster_post_op_gas_limit = grant->post_op_gas_limit;
	op->paymaster_data = SR_BYTES(grant->data);
}

static bool check_ready(const struct paymaster *pm, struct sr_error *err)
{
	if (!atomic_load(&pm->chain_id))
		return sr_fail(err, SR_E_UNAVAILABLE,
			       "the chain id is not known yet: the node has not answered");
	if (atomic_load(&pm->halted))
		return sr_fail(
			err, SR_E_UNAVAILABLE,
			"the paymaster's key is missing or not the one this relay started with");
	return true;
}

static bool check_gas_limits(const struct paymaster *pm, const struct eth_user_op *op,
			     struct paymaster_grant *grant, struct sr_error *err)
{
	char have[ETH_U256_DEC_MAX];
	char most[ETH_U256_DEC_MAX];

	if (!choose_limits(pm, op, grant, err))
		return false;
	if (eth_u256_cmp(&op->pre_verification_gas, &pm->config.max_pre_verification_gas) <= 0)
		return true;
	eth_u256_to_dec(&op->pre_verification_gas, have);
	eth_u256_to_dec(&pm->config.max_pre_verification_gas, most);
	return sr_fail(err, SR_E_DENIED, "preVerificationGas: %s is over the policy's limit of %s",
		       have, most);
}

static bool check_cost(const struct paymaster *pm, const struct eth_user_op *op,
		       const struct paymaster_grant *grant, struct sr_error *err)
{
	struct eth_user_op priced = *op;
	struct eth_u256 cost;
	char have[ETH_U256_DEC_MAX];
	char most[ETH_U256_DEC_MAX];

	paymaster_apply(pm, grant, &priced);
	if (!eth_user_op_max_cost(&priced, &cost))
		return sr_fail(err, SR_E_DENIED, "the operation's cost is over 2^256 wei");
	if (eth_u256_cmp(&cost, &pm->config.max_operation_cost) <= 0)
		return true;
	eth_u256_to_dec(&cost, have);
	eth_u256_to_dec(&pm->config.max_operation_cost, most);
	return sr_fail(err, SR_E_DENIED,
		       "the operation may cost %s wei: the policy's limit is %s wei", have, most);
}

/*
 * The policy, the same for stub and final data; puts the limits it judged by into
 * the grant, and the reason of a refusal. Gas limits that the operation lacks are not
 * judged here.
 */
static bool check_policy(const struct paymaster *pm, const struct eth_user_op *op,
			 struct paymaster_grant *grant, struct sr_error *err)
{
	grant->reason = PAYMASTER_NOT_READY;
	if (!check_ready(pm, err))
		return false;
	grant->reason = PAYMASTER_GAS_LIMIT;
	if (!check_gas_limits(pm, op, grant, err))
		return false;
	grant->reason = PAYMASTER_COST;
	if (!check_cost(pm, op, grant, err))
		return false;
	grant->reason = PAYMASTER_OK;
	return true;
}

static void fill_data(struct paymaster_grant *grant,
		      const uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE])
{
	eth_abi_u64(grant->data, grant->valid_until);
	eth_abi_u64(grant->data + 32, grant->valid_after);
	memcpy(grant->data + 64, signature, SR_TA_SECP256K1_SIGNATURE_SIZE);
}

bool paymaster_stub(const struct paymaster *pm, const struct eth_user_op *op,
		    struct paymaster_grant *out, struct sr_error *err)
{
	*out = (struct paymaster_grant){ .valid_until = STUB_VALID_UNTIL,
					 .valid_after = STUB_VALID_AFTER };
	if (!check_policy(pm, op, out, err)) {
		paymaster_conclude(pm, out->reason);
		return false;
	}
	fill_data(out, paymaster_stub_signature);
	return true;
}

static void on_loop(struct loop_task *task)
{
	struct paymaster_request *request = CONTAINER_OF(task, struct paymaster_request, task);

	request->done(request);
}

/* What the KMS's error counts as: what the TA refused is the request's fault. */
static enum paymaster_reason signing_reason(const struct kms_signature *result)
{
	switch (result->error.code) {
	case SR_OK:
		return PAYMASTER_OK;
	case SR_E_DENIED:
		return result->over_budget ? PAYMASTER_BUDGET : PAYMASTER_KEY_POLICY;
	default:
		return PAYMASTER_TEE;
	}
}

/* On the signer's thread. The digest that the TA signed is compared with our
 * own: a difference would be a defect, and is worth one hash to know. */
static void on_signed(struct kms_request *kms)
{
	struct paymaster_request *request = CONTAINER_OF(kms, struct paymaster_request, kms);
	enum paymaster_reason reason = signing_reason(&kms->result);
	uint8_t digest[32];

	request->error = kms->result.error;
	if (request->error.code == SR_OK) {
		eth_verifying_paymaster_v07_digest(&kms->sponsorship, digest);
		if (sr_equal_ct(digest, kms->result.digest, sizeof(digest))) {
			fill_data(&request->grant, kms->result.signature);
		} else {
			reason = PAYMASTER_INTERNAL;
			sr_fail(&request->error, SR_E_CORRUPT,
				"the TA signed another digest than this operation's");
		}
	}
	/* whoever reads an answer finds it counted; after the post the request is gone */
	paymaster_conclude(request->paymaster, reason);
	loop_post(request->loop, &request->task);
}

static bool queue_for_signing(const struct paymaster *pm, const struct eth_user_op *op,
			      struct paymaster_request *request, struct sr_error *err)
{
	struct eth_u256 chain_id = eth_u256_from_u64(atomic_load(&pm->chain_id));
	struct eth_user_op sponsored = *op;
	struct sr_error why = { .code = SR_OK };

	paymaster_apply(pm, &request->grant, &sponsored);
	request->kms = (struct kms_request){ .done = on_signed };
	memcpy(request->kms.key_id, pm->config.key_id, sizeof(request->kms.key_id));
	request->grant.reason = PAYMASTER_INVALID;
	if (!eth_sponsorship_from_user_op(&sponsored, &pm->config.entry_point, &chain_id,
					  request->grant.valid_until, request->grant.valid_after,
					  &request->kms.sponsorship, err))
		return false;
	request->grant.reason = PAYMASTER_OK;
	if (kms_sign_sponsorship(pm->kms, &request->kms, &why))
		return true;
	request->grant.reason = why.code == SR_E_BUSY ? PAYMASTER_BUSY : PAYMASTER_TEE;
	if (err)
		*err = why;
	return false;
}

bool paymaster_sponsor(const struct paymaster *pm, const struct eth_user_op *op, struct loop *loop,
		       struct paymaster_request *request, struct sr_error *err)
{
	uint64_t now = sr_time_unix_s();

	request->grant = (struct paymaster_grant){ .valid_until = now + pm->config.validity_s,
						   .valid_after = now - pm->config.clock_skew_s };
	request->error = (struct sr_error){ .code = SR_OK };
	request->paymaster = pm;
	request->loop = loop;
	request->task = (struct loop_task){ .run = on_loop };
	if (check_policy(pm, op, &request->grant, err) && queue_for_signing(pm, op, request, err))
		return true;
	paymaster_conclude(pm, request->grant.reason);
	return false;
}
