/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain: an asynchronous JSON-RPC 2.0 client over HTTP(S), for Ethereum nodes
 * and upstream bundlers. Connections are kept alive; calls that may be repeated
 * are, on the next endpoint, when one does not answer.
 *
 * One client belongs to one loop and is used on its thread only.
 */
#ifndef SR_CHAIN_H
#define SR_CHAIN_H

#include "base/base.h"
#include "eth/eth.h"
#include "loop/loop.h"

#define CHAIN_ENDPOINTS_MAX 4
#define CHAIN_CONNECTIONS_MAX 64 /* of one client at a time */

struct chain;

/* What came of an attempt to ask the other side. */
enum chain_outcome {
	CHAIN_OK,	   /* a result */
	CHAIN_ERROR,	   /* a JSON-RPC error of its own */
	CHAIN_TIMEOUT,	   /* no answer in time */
	CHAIN_UNAVAILABLE, /* no connection, or an HTTP status in place of an answer */
	CHAIN_MALFORMED,   /* no JSON-RPC, or too large */
	CHAIN_BUSY,	   /* not asked: too many calls are in flight */
	CHAIN_OUTCOMES
};

/* One attempt, for metrics. On the loop's thread. */
struct chain_observation {
	const char *upstream; /* the name in the configuration */
	const char *method;
	enum chain_outcome outcome;
	uint64_t duration_ns; /* 0: not asked */
};

struct chain_config {
	const char *name; /* for messages: "node", "bundler" */
	const char *urls[CHAIN_ENDPOINTS_MAX];
	size_t url_count;	   /* 1 to CHAIN_ENDPOINTS_MAX, tried in this order */
	unsigned timeout_ms;	   /* of one attempt */
	size_t max_response_bytes; /* more is an error */
	unsigned max_in_flight;	   /* further calls fail with SR_E_BUSY */
	void (*observe)(void *arg, const struct chain_observation *seen); /* may be NULL */
	void *observe_arg;
};

bool chain_open(struct loop *loop, const struct chain_config *config, struct chain **out,
		struct sr_error *err) SR_MUST_USE;

/* Finishes what is in flight with SR_E_UNAVAILABLE, then frees the client once
 * its handles are closed (on the loop, soon). */
void chain_close(struct chain *chain);

/*
 * What came back. error.code SR_OK: the other side answered, with either a
 * result or an error of its own; the JSON texts are valid during the callback.
 */
struct chain_reply {
	struct sr_error error;
	bool is_rpc_error;
	struct sr_bytes json; /* the result, or the whole error object */
	int64_t rpc_code;
	char rpc_message[160]; /* cut, for logs */
};

typedef void (*chain_done)(void *arg, const struct chain_reply *reply);

/*
 * Calls method (a constant string) with params (a JSON array as text, copied). repeatable: the call
 * may reach the other side twice without harm. True: done runs exactly once,
 * later, from the loop. False: it never does; SR_E_BUSY, SR_E_NO_MEMORY or
 * SR_E_UNAVAILABLE. done may start other calls, but not close the client.
 */
bool chain_call(struct chain *chain, const char *method, struct sr_bytes params, bool repeatable,
		chain_done done, void *arg, struct sr_error *err) SR_MUST_USE;

/* A reply whose result is a QUANTITY, or "0x" data of exactly len bytes. */
bool chain_reply_quantity(const struct chain_reply *reply, struct eth_u256 *out,
			  struct sr_error *err) SR_MUST_USE;
bool chain_reply_data(const struct chain_reply *reply, uint8_t *out, size_t len,
		      struct sr_error *err) SR_MUST_USE;

/* Once, before the first chain_open, and after the last chain_close. */
bool chain_global_init(struct sr_error *err) SR_MUST_USE;
void chain_global_cleanup(void);

#endif
