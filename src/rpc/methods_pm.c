/* SPDX-License-Identifier: Apache-2.0 */
/* pm_*: ERC-7677, and the sponsoring dialect of Pimlico's clients. */
#include <stdlib.h>
#include <string.h>

#include "rpc/rpc_private.h"

#define STUB_MAY_LACK (ETH_OP_MAY_LACK_GAS | ETH_OP_MAY_LACK_FEES | ETH_OP_MAY_LACK_SIGNATURE)

/* A sponsorship under way, and the operation where the answer repeats its gas. */
struct sponsoring {
	struct rpc_call *call;
	struct paymaster_request request;
	bool with_gas_limits;
	struct eth_user_op op;
	struct paymaster_grant stub;
};

static void sponsoring_free(struct sponsoring *s)
{
	eth_user_op_free(&s->op);
	free(s);
}

static void fail_sponsoring(struct sponsoring *s, const struct sr_error *err)
{
	struct rpc_call *call = s->call;

	sponsoring_free(s);
	rpc_finish_failure(call, err);
}

/* What the paymaster was never asked is still a request for a sponsorship. */
static void refuse_sponsoring(struct sponsoring *s, const struct sr_error *err)
{
	paymaster_conclude(s->call->rpc->paymaster, paymaster_reason_of(err));
	fail_sponsoring(s, err);
}

/* What bundler or TEE made fail, once the client's part was found good. */
static void fail_upstream(struct sponsoring *s, const struct sr_error *err)
{
	struct rpc_call *call = s->call;

	sponsoring_free(s);
	rpc_finish_upstream_failure(call, err);
}

/* The members that every final answer and the stub share, without the braces. */
static void put_grant(struct sr_buf *out, const struct rpc_call *call,
		      const struct paymaster_grant *grant)
{
	char paymaster[ETH_ADDRESS_TEXT];

	eth_address_to_text(&call->rpc->paymaster->config.contract, paymaster);
	sr_buf_printf(out, "\"paymaster\":\"%s\",\"paymasterData\":\"", paymaster);
	sr_buf_put_hex_0x(out, grant->data, sizeof(grant->data));
	sr_buf_puts(out, "\"");
	rpc_put_quantity(out, "paymasterVerificationGasLimit", &grant->verification_gas_limit);
	rpc_put_quantity(out, "paymasterPostOpGasLimit", &grant->post_op_gas_limit);
}

static void finish_buffer(struct rpc_call *call, struct sr_buf *out)
{
	if (out->failed)
		rpc_finish_error(call, RPC_INTERNAL_ERROR, "out of memory", NULL);
	else
		rpc_finish_result(call, (struct sr_bytes){ out->data, out->len });
	sr_buf_free(out);
}

static void on_sponsored(struct paymaster_request *request)
{
	struct sponsoring *s = request->arg;
	struct rpc_call *call = s->call;
	struct sr_buf out = { 0 };

	if (request->error.code != SR_OK) {
		struct sr_error err = request->error;

		fail_upstream(s, &err);
		return;
	}
	sr_buf_puts(&out, "{");
	put_grant(&out, call, &request->grant);
	if (s->with_gas_limits) {
		rpc_put_quantity(&out, "callGasLimit", &s->op.call_gas_limit);
		rpc_put_quantity(&out, "verificationGasLimit", &s->op.verification_gas_limit);
		rpc_put_quantity(&out, "preVerificationGas", &s->op.pre_verification_gas);
	}
	sr_buf_puts(&out, "}");
	sponsoring_free(s);
	finish_buffer(call, &out);
}

static void sponsor(struct sponsoring *s)
{
	struct sr_error err = { .code = SR_OK };

	s->request.done = on_sponsored;
	s->request.arg = s;
	if (!paymaster_sponsor(s->call->rpc->paymaster, &s->op, s->call->worker->loop, &s->request,
			       &err))
		fail_sponsoring(s, &err);
}

static struct sponsoring *sponsoring_new(struct rpc_call *call, struct sr_error *err)
{
	struct sponsoring *s = calloc(1, sizeof(*s));

	if (s) {
		s->call = call;
		return s;
	}
	sr_fail(err, SR_E_NO_MEMORY, "out of memory for a sponsorship");
	paymaster_conclude(call->rpc->paymaster, PAYMASTER_INTERNAL);
	return NULL;
}

/* ERC-7677's four parameters: userOp, entryPoint, chainId, context. */
static bool read_7677(const struct rpc_call *call, uint32_t may_lack, struct eth_user_op *op,
		      struct sr_error *err)
{
	return rpc_params(call, 3, 4, "[userOp, entryPoint, chainId, context?]", err) &&
	       rpc_param_entry_point(call, 1, err) && rpc_param_chain_id(call, 2, err) &&
	       rpc_param_object_or_null(call, 3, "context", err) &&
	       rpc_param_user_op(call, 0, may_lack, op, err);
}

static void get_paymaster_stub_data(struct rpc_call *call)
{
	const struct rpc *rpc = call->rpc;
	struct eth_user_op op = { 0 };
	struct paymaster_grant grant = { 0 };
	struct sr_error err = { .code = SR_OK };
	struct sr_buf out = { 0 };
	bool ok = read_7677(call, STUB_MAY_LACK, &op, &err);

	if (!ok)
		paymaster_conclude(rpc->paymaster, paymaster_reason_of(&err));
	else
		ok = paymaster_stub(rpc->paymaster, &op, &grant, &err);
	eth_user_op_free(&op);
	if (!ok) {
		rpc_finish_failure(call, &err);
		return;
	}
	sr_buf_puts(&out, "{\"sponsor\":{\"name\":");
	sr_buf_put_json_string(&out, rpc->sponsor_name, strlen(rpc->sponsor_name));
	if (rpc->sponsor_icon[0]) {
		sr_buf_puts(&out, ",\"icon\":");
		sr_buf_put_json_string(&out, rpc->sponsor_icon, strlen(rpc->sponsor_icon));
	}
	sr_buf_puts(&out, "},");
	put_grant(&out, call, &grant);
	sr_buf_puts(&out, ",\"isFinal\":false}");
	finish_buffer(call, &out);
}

static void get_paymaster_data(struct rpc_call *call)
{
	struct sr_error err = { .code = SR_OK };
	struct sponsoring *s = sponsoring_new(call, &err);

	if (!s) {
		rpc_finish_failure(call, &err);
		return;
	}
	if (!read_7677(call, ETH_OP_MAY_LACK_SIGNATURE, &s->op, &err))
		refuse_sponsoring(s, &err);
	else
		sponsor(s);
}

/* ---- pm_sponsorUserOperation -------------------------------------------- */

/* Takes a limit from the estimate where the operation has none. */
static bool take_estimate(yyjson_val *estimate, const char *name, bool required,
			  struct eth_u256 *limit, struct sr_error *err)
{
	yyjson_val *value = yyjson_obj_get(estimate, name);

	if (!eth_u256_is_zero(limit) || (!required && (!value || yyjson_is_null(value))))
		return true;
	if (yyjson_is_str(value) &&
	    eth_u256_from_quantity(yyjson_get_str(value), yyjson_get_len(value), limit) &&
	    eth_u256_bits(limit) <= 128)
		return true;
	return sr_fail(err, SR_E_UNAVAILABLE, "bundler: the estimate's %s is no gas limit", name);
}

static bool apply_estimate(struct sponsoring *s, struct sr_bytes json, struct sr_error *err)
{
	yyjson_doc *doc = yyjson_read((const char *)json.data, json.len, YYJSON_READ_NUMBER_AS_RAW);
	yyjson_val *root = yyjson_doc_get_root(doc);
	struct eth_user_op *op = &s->op;
	bool ok = false;

	if (!yyjson_is_obj(root))
		sr_fail(err, SR_E_UNAVAILABLE, "bundler: the estimate is no object");
	else
		ok = take_estimate(root, "callGasLimit", true, &op->call_gas_limit, err) &&
		     take_estimate(root, "verificationGasLimit", true, &op->verification_gas_limit,
				   err) &&
		     take_estimate(root, "preVerificationGas", true, &op->pre_verification_gas,
				   err) &&
		     take_estimate(root, "paymasterVerificationGasLimit", false,
				   &op->paymaster_verification_gas_limit, err);
	yyjson_doc_free(doc);
	return ok;
}

static void on_estimate(void *arg, const struct chain_reply *reply)
{
	struct sponsoring *s = arg;
	struct sr_error err = reply->error;

	if (err.code == SR_OK && reply->is_rpc_error) {
		struct rpc_call *call = s->call;

		paymaster_conclude(call->rpc->paymaster, PAYMASTER_ESTIMATE);
		sponsoring_free(s);
		rpc_finish_foreign_error(call, reply->rpc_code, reply->json);
		return;
	}
	if (err.code == SR_OK && apply_estimate(s, reply->json, &err)) {
		sponsor(s);
		return;
	}
	paymaster_conclude(s->call->rpc->paymaster, PAYMASTER_BUNDLER);
	fail_upstream(s, &err);
}

/* The operation as it will be validated: our stub in it, and a signature. */
static void put_estimate_params(const struct sponsoring *s, struct sr_buf *out)
{
	struct eth_user_op op = s->op;
	char entry_point[ETH_ADDRESS_TEXT];

	paymaster_apply(s->call->rpc->paymaster, &s->stub, &op);
	/* the usual accounts revert on a signature that does not recover */
	if (!op.signature.len)
		op.signature = SR_BYTES(paymaster_stub_signature);
	eth_address_to_text(&s->call->rpc->paymaster->config.entry_point, entry_point);
	sr_buf_puts(out, "[");
	eth_user_op_to_json(&op, out);
	sr_buf_printf(out, ",\"%s\"]", entry_point);
}

static bool ask_estimate(struct sponsoring *s, struct sr_error *err)
{
	struct sr_buf params = { 0 };
	bool ok = false;

	put_estimate_params(s, &params);
	ok = params.failed ? sr_fail(err, SR_E_NO_MEMORY, "out of memory for an estimate")
			   : chain_call(s->call->worker->bundler, "eth_estimateUserOperationGas",
					(struct sr_bytes){ params.data, params.len }, true,
					on_estimate, s, err);
	sr_buf_free(&params);
	if (!ok)
		paymaster_conclude(s->call->rpc->paymaster, err->code == SR_E_NO_MEMORY
								    ? PAYMASTER_INTERNAL
								    : PAYMASTER_BUNDLER);
	return ok;
}

static void estimate(struct sponsoring *s)
{
	struct sr_error err = { .code = SR_OK };

	if (!s->call->worker->bundler) {
		sr_fail(&err, SR_E_INVALID,
			"userOp: expected callGasLimit, verificationGasLimit and "
			"preVerificationGas, since this relay has no bundler to estimate them "
			"with");
		refuse_sponsoring(s, &err);
	} else if (!paymaster_stub(s->call->rpc->paymaster, &s->op, &s->stub, &err) ||
		   !ask_estimate(s, &err)) {
		fail_sponsoring(s, &err);
	}
}

static bool lacks_gas(const struct eth_user_op *op)
{
	return eth_u256_is_zero(&op->call_gas_limit) ||
	       eth_u256_is_zero(&op->verification_gas_limit) ||
	       eth_u256_is_zero(&op->pre_verification_gas);
}

static void sponsor_user_operation(struct rpc_call *call)
{
	struct sr_error err = { .code = SR_OK };
	struct sponsoring *s = sponsoring_new(call, &err);

	if (!s) {
		rpc_finish_failure(call, &err);
		return;
	}
	s->with_gas_limits = true;
	if (!rpc_params(call, 2, 3, "[userOp, entryPoint, context?]", &err) ||
	    !rpc_param_entry_point(call, 1, &err) ||
	    !rpc_param_object_or_null(call, 2, "context", &err) ||
	    !rpc_param_user_op(call, 0, ETH_OP_MAY_LACK_GAS | ETH_OP_MAY_LACK_SIGNATURE, &s->op,
			       &err))
		refuse_sponsoring(s, &err);
	else if (lacks_gas(&s->op))
		estimate(s);
	else
		sponsor(s);
}

const struct rpc_method rpc_methods_pm[] = {
	{ "pm_getPaymasterStubData", get_paymaster_stub_data, RPC_NEEDS_PAYMASTER, true },
	{ "pm_getPaymasterData", get_paymaster_data, RPC_NEEDS_PAYMASTER, true },
	{ "pm_sponsorUserOperation", sponsor_user_operation, RPC_NEEDS_PAYMASTER, true },
	{ NULL, NULL, RPC_NEEDS_NOTHING, false },
};
