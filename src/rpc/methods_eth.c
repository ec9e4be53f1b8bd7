/* SPDX-License-Identifier: Apache-2.0 */
/* eth_*: ERC-7769, in front of an upstream bundler. */
#include "rpc/rpc_private.h"

static void eth_chain_id(struct rpc_call *call)
{
	uint64_t id = atomic_load(&call->rpc->paymaster->chain_id);
	struct sr_error err = { .code = SR_OK };
	char json[32];
	int n = 0;

	if (!rpc_params(call, 0, 0, "no parameters", &err)) {
		rpc_finish_failure(call, &err);
		return;
	}
	if (!id) {
		sr_fail(&err, SR_E_UNAVAILABLE,
			"the chain id is not known yet: the node has not answered");
		rpc_finish_failure(call, &err);
		return;
	}
	n = snprintf(json, sizeof(json), "\"0x%llx\"", (unsigned long long)id);
	rpc_finish_result(call, (struct sr_bytes){ (const uint8_t *)json, (size_t)n });
}

static void supported_entry_points(struct rpc_call *call)
{
	struct sr_error err = { .code = SR_OK };
	char address[ETH_ADDRESS_TEXT];
	char json[ETH_ADDRESS_TEXT + 8];
	int n = 0;

	if (!rpc_params(call, 0, 0, "no parameters", &err)) {
		rpc_finish_failure(call, &err);
		return;
	}
	eth_address_to_text(&call->rpc->paymaster->config.entry_point, address);
	n = snprintf(json, sizeof(json), "[\"%s\"]", address);
	rpc_finish_result(call, (struct sr_bytes){ (const uint8_t *)json, (size_t)n });
}

/* An operation that is wrong is refused here, by the name of its field, rather
 * than by each bundler in its own words. */
static void forward_user_op(struct rpc_call *call, size_t max, const char *what, uint32_t may_lack)
{
	struct eth_user_op op = { 0 };
	struct sr_error err = { .code = SR_OK };

	if (!rpc_params(call, 2, max, what, &err) || !rpc_param_entry_point(call, 1, &err) ||
	    !rpc_param_user_op(call, 0, may_lack, &op, &err)) {
		rpc_finish_failure(call, &err);
		return;
	}
	eth_user_op_free(&op);
	rpc_forward(call, call->worker->bundler, call->entry->repeatable);
}

static void send_user_operation(struct rpc_call *call)
{
	forward_user_op(call, 2, "[userOp, entryPoint]", 0);
}

static void estimate_user_operation_gas(struct rpc_call *call)
{
	forward_user_op(call, 3, "[userOp, entryPoint, stateOverrides?]",
			ETH_OP_MAY_LACK_GAS | ETH_OP_MAY_LACK_FEES | ETH_OP_MAY_LACK_SIGNATURE);
}

static void forward_by_hash(struct rpc_call *call)
{
	struct sr_error err = { .code = SR_OK };

	if (!rpc_params(call, 1, 1, "[userOpHash]", &err) ||
	    !rpc_param_hash(call, 0, "userOpHash", &err)) {
		rpc_finish_failure(call, &err);
		return;
	}
	rpc_forward(call, call->worker->bundler, true);
}

/* Pimlico's extension that clients ask before they build an operation. */
static void forward_gas_price(struct rpc_call *call)
{
	struct sr_error err = { .code = SR_OK };

	if (!rpc_params(call, 0, 0, "no parameters", &err)) {
		rpc_finish_failure(call, &err);
		return;
	}
	rpc_forward(call, call->worker->bundler, true);
}

const struct rpc_method rpc_methods_eth[] = {
	{ "eth_chainId", eth_chain_id, RPC_NEEDS_NOTHING, true },
	{ "eth_supportedEntryPoints", supported_entry_points, RPC_NEEDS_NOTHING, true },
	{ "pm_supportedEntryPoints", supported_entry_points, RPC_NEEDS_PAYMASTER, true },
	{ "pm_chainId", eth_chain_id, RPC_NEEDS_PAYMASTER, true },
	{ "eth_sendUserOperation", send_user_operation, RPC_NEEDS_BUNDLER, false },
	{ "eth_estimateUserOperationGas", estimate_user_operation_gas, RPC_NEEDS_BUNDLER, true },
	{ "eth_getUserOperationByHash", forward_by_hash, RPC_NEEDS_BUNDLER, true },
	{ "eth_getUserOperationReceipt", forward_by_hash, RPC_NEEDS_BUNDLER, true },
	{ "pimlico_getUserOperationStatus", forward_by_hash, RPC_NEEDS_BUNDLER, true },
	{ "pimlico_getUserOperationGasPrice", forward_gas_price, RPC_NEEDS_BUNDLER, true },
	{ NULL, NULL, RPC_NEEDS_NOTHING, false },
};
