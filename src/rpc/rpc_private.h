/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SR_RPC_PRIVATE_H
#define SR_RPC_PRIVATE_H

#include <yyjson.h>

#include "rpc/rpc.h"

struct rpc_exchange;
struct rpc_call;

typedef void (*rpc_handler)(struct rpc_call *call);

enum rpc_needs { RPC_NEEDS_NOTHING, RPC_NEEDS_PAYMASTER, RPC_NEEDS_BUNDLER };

struct rpc_method {
	const char *name;
	rpc_handler handle;
	enum rpc_needs needs;
	bool repeatable; /* for methods passed on: asking twice does no harm */
};

/* Never NULL-terminated by chance: the tables end with a NULL name. */
extern const struct rpc_method rpc_methods_pm[];
extern const struct rpc_method rpc_methods_eth[];

/*
 * One call of an exchange. A handler finishes it exactly once, now or later,
 * with one of the functions below; after that the call is gone.
 */
struct rpc_call {
	struct rpc_exchange *exchange;
	const struct rpc *rpc;
	struct rpc_worker *worker;
	const char *method; /* a constant: ours, or "unknown" */
	const struct rpc_method *entry;
	yyjson_val *params; /* array, object or NULL; lives as long as the call */
	yyjson_val *id;	    /* NULL: answered with null */
	bool notification;  /* runs, but is not answered */
	uint64_t started_ns;
	struct sr_buf response;
};

void rpc_finish_result(struct rpc_call *call, struct sr_bytes json);
/* data_json: NULL for none. */
void rpc_finish_error(struct rpc_call *call, int code, const char *message, const char *data_json);
/* An error object as another server made it, passed on as it is. */
void rpc_finish_foreign_error(struct rpc_call *call, int64_t code, struct sr_bytes error_json);
/* Chooses the JSON-RPC code by the error's kind. */
void rpc_finish_failure(struct rpc_call *call, const struct sr_error *err);
/* The same for what failed behind us: bounds that an upstream or the TEE broke
 * are not the client's. */
void rpc_finish_upstream_failure(struct rpc_call *call, const struct sr_error *err);

/* ---- parameters (params.c) --------------------------------------------- */

/* The params array, with between min and max entries; what tells the expected shape. */
bool rpc_params(const struct rpc_call *call, size_t min, size_t max, const char *what,
		struct sr_error *err);
yyjson_val *rpc_param(const struct rpc_call *call, size_t index); /* NULL when absent */
/* The entry point we serve, at params[index]. */
bool rpc_param_entry_point(const struct rpc_call *call, size_t index, struct sr_error *err);
bool rpc_param_chain_id(const struct rpc_call *call, size_t index, struct sr_error *err);
bool rpc_param_object_or_null(const struct rpc_call *call, size_t index, const char *name,
			      struct sr_error *err);
bool rpc_param_hash(const struct rpc_call *call, size_t index, const char *name,
		    struct sr_error *err);
bool rpc_param_user_op(const struct rpc_call *call, size_t index, uint32_t may_lack,
		       struct eth_user_op *out, struct sr_error *err);

/* ---- passing on (forward.c) -------------------------------------------- */

/* Sends the call's method and params as they came; finishes it with the answer. */
void rpc_forward(struct rpc_call *call, struct chain *to, bool repeatable);
/* A name in the configured list of node methods, as the constant in that list. */
const char *rpc_find_node_method(const struct rpc *rpc, const char *name);
void rpc_handle_node_method(struct rpc_call *call);

/* Writes a member: "name":"0x…" with a comma before it unless it is the first. */
void rpc_put_quantity(struct sr_buf *out, const char *name, const struct eth_u256 *v);

#endif
