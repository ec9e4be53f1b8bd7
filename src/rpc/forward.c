/* SPDX-License-Identifier: Apache-2.0 */
/* Passing calls on to the node or to the upstream bundler. */
#include <stdlib.h>
#include <string.h>

#include "rpc/rpc_private.h"

static void on_reply(void *arg, const struct chain_reply *reply)
{
	struct rpc_call *call = arg;

	if (reply->error.code != SR_OK)
		rpc_finish_upstream_failure(call, &reply->error);
	else if (reply->is_rpc_error)
		rpc_finish_foreign_error(call, reply->rpc_code, reply->json);
	else
		rpc_finish_result(call, reply->json);
}

void rpc_forward(struct rpc_call *call, struct chain *to, bool repeatable)
{
	struct sr_error err = { .code = SR_OK };
	struct sr_bytes params = { (const uint8_t *)"[]", 2 };
	size_t len = 0;
	char *text = NULL;

	if (call->params) {
		text = yyjson_val_write(call->params, YYJSON_WRITE_NOFLAG, &len);
		if (!text) {
			rpc_finish_error(call, RPC_INTERNAL_ERROR, "out of memory", NULL);
			return;
		}
		params = (struct sr_bytes){ (const uint8_t *)text, len };
	}
	if (!chain_call(to, call->method, params, repeatable, on_reply, call, &err))
		rpc_finish_upstream_failure(call, &err);
	free(text);
}

const char *rpc_find_node_method(const struct rpc *rpc, const char *name)
{
	for (size_t i = 0; i < rpc->node_method_count; i++) {
		if (strcmp(rpc->node_methods[i], name) == 0)
			return rpc->node_methods[i];
	}
	return NULL;
}

void rpc_handle_node_method(struct rpc_call *call)
{
	if (!call->worker->node) {
		rpc_finish_error(call, RPC_INTERNAL_ERROR,
				 "this relay has no Ethereum node (node.node_http)", NULL);
		return;
	}
	/* the configuration admits methods that only read */
	rpc_forward(call, call->worker->node, true);
}
