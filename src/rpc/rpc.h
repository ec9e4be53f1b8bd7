/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rpc: JSON-RPC 2.0 and the methods, one file a namespace. Implements the
 * JSON-RPC 2.0 specification (batches, notifications, all standard errors),
 * ERC-7677 (paymaster web service) and the client side of ERC-7769 (bundler
 * RPC) in front of an upstream bundler.
 */
#ifndef SR_RPC_H
#define SR_RPC_H

#include "base/base.h"
#include "chain/chain.h"
#include "loop/loop.h"
#include "paymaster/paymaster.h"

/* Codes of JSON-RPC 2.0 and of ERC-7769. */
#define RPC_PARSE_ERROR (-32700)
#define RPC_INVALID_REQUEST (-32600)
#define RPC_METHOD_NOT_FOUND (-32601)
#define RPC_INVALID_PARAMS (-32602)
#define RPC_INTERNAL_ERROR (-32603)
#define RPC_PAYMASTER_REJECTED (-32501)

#define RPC_NODE_METHODS_MAX 32

/* What the calls on one loop use; each loop has its own. */
struct rpc_worker {
	struct loop *loop;
	struct chain *node;    /* NULL: none configured */
	struct chain *bundler; /* NULL: none configured */
	/* Bytes of requests being handled and of answers not yet sent, on this
	 * loop; above RPC_BUFFER_MAX answers are replaced by an error. */
	size_t buffered;
};

#define RPC_BUFFER_MAX ((size_t)128 * 1024 * 1024)

/* One finished call, for metrics. method is a constant string: "unknown" for
 * names that are none of ours, so that clients cannot make up labels. */
struct rpc_observation {
	const char *method;
	int code; /* 0 for a result */
	uint64_t duration_ns;
};

struct rpc {
	struct paymaster *paymaster;
	bool paymaster_enabled;
	unsigned max_batch;
	unsigned max_depth;
	const char *sponsor_name;
	const char *sponsor_icon;			/* empty: none */
	const char *node_methods[RPC_NODE_METHODS_MAX]; /* passed through to the node */
	size_t node_method_count;
	void (*observe)(void *arg, const struct rpc_observation *seen); /* may be NULL */
	void *observe_arg;
};

/* The response text; empty when there is nothing to answer (notifications
 * only). Valid during the call. */
typedef void (*rpc_done)(void *arg, struct sr_bytes response);

/*
 * Handles one HTTP body: a request or a batch. body is only read before this
 * returns. done runs exactly once on the worker's loop, possibly before this
 * returns. Bodies that are wrong, too deep or too many are answered, not lost.
 */
void rpc_handle(const struct rpc *rpc, struct rpc_worker *worker, struct sr_bytes body,
		rpc_done done, void *arg);

/* The names that calls are observed under: "unknown" first, NULL behind the last. */
const char *rpc_method_name(const struct rpc *rpc, size_t index);

/* Appends an error response with id null, for whoever refuses a body unread. */
void rpc_write_refusal(struct sr_buf *out, int code, const char *message);

#endif
