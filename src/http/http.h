/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http: the server (HTTP/1.1, RFC 9110 and 9112), its routes, health and
 * metrics. One event loop a thread, each with its own listeners on both ports
 * (SO_REUSEPORT); no handler blocks.
 *
 * JSON-RPC port: POST / and /rpc; GET /health, /live, /ready.
 * HTTP API port: GET /metrics, /health, /live, /ready.
 */
#ifndef SR_HTTP_H
#define SR_HTTP_H

#include "base/base.h"
#include "chain/chain.h"
#include "kms/kms.h"
#include "paymaster/paymaster.h"
#include "rpc/rpc.h"

/* ---- metrics (metrics.c), Prometheus text format 0.0.4 ------------------- */

struct metrics;

bool metrics_create(struct metrics **out, struct sr_error *err) SR_MUST_USE;
void metrics_destroy(struct metrics *m);

struct health;

/* Observers, to be handed to the layers below; arg is the metrics. Any thread. */
void metrics_observe_kms(void *arg, const struct kms_observation *seen);
void metrics_observe_rpc(void *arg, const struct rpc_observation *seen);
void metrics_observe_chain(void *arg, const struct chain_observation *seen);
void metrics_observe_paymaster(void *arg, enum paymaster_reason reason);

/* A method that is served: its counters are there before its first call. name is a constant. */
void metrics_expect_method(struct metrics *m, const char *name);

/* What is read when the page is written; NULL: nothing (any more). */
void metrics_set_kms(struct metrics *m, const struct kms *kms);
void metrics_set_health(struct metrics *m, struct health *health);

/* Facts that do not change. Before the page is first written. */
struct metrics_build {
	const char *version; /* constants */
	const char *backend;
	bool has_tee; /* what follows was asked of the Trusted Application */
	char ta_version[16];
	char tee[64];
	uint32_t rollback_protection;
};

void metrics_set_build(struct metrics *m, const struct metrics_build *build);
void metrics_write(const struct metrics *m, struct sr_buf *out);

/* ---- health (health.c) --------------------------------------------------- */

/*
 * Watches what a sponsorship needs: the TEE and its key, the node and its chain
 * id, the paymaster contract, the bundler. Checks run every few seconds on the
 * loop given (the TEE's on a thread of its own); questions are answered from the last
 * results, from any thread.
 */
struct health_config {
	struct loop *loop;
	struct kms *kms; /* NULL: not watched, as the next two */
	struct chain *node;
	struct chain *bundler;
	struct paymaster *paymaster;
	bool paymaster_enabled;
	uint64_t chain_id;	     /* 0: whatever the node says first, but */
	uint64_t forbidden_chain_id; /* not this one; 0: none */
	const char *kms_backend;
	const uint8_t *public_key; /* 65 bytes: what the key must be, for ever */
	unsigned interval_ms;
};

bool health_start(const struct health_config *config, struct health **out,
		  struct sr_error *err) SR_MUST_USE;
void health_stop(struct health *health); /* on its loop's thread */
/* After the loop has ended. */
void health_destroy(struct health *health);
/* From now on not ready, whatever the checks say. */
void health_set_draining(struct health *health);
/* Appends the JSON report; returns whether all that is needed works. */
bool health_report(struct health *health, struct sr_buf *out);

/* The same for metrics, finer: a node that answers may be on the wrong chain, a contract
 * that is ours may have no deposit. What was not asked lately is not up. */
enum health_component {
	HEALTH_TEE,
	HEALTH_KEY,
	HEALTH_NODE,
	HEALTH_CHAIN,
	HEALTH_PAYMASTER,
	HEALTH_DEPOSIT,
	HEALTH_BUNDLER,
	HEALTH_COMPONENTS
};

struct health_view {
	bool watched[HEALTH_COMPONENTS];
	bool up[HEALTH_COMPONENTS];
	bool ready;
	bool deposit_known;
	double deposit_ether;
};

void health_look(struct health *health, struct health_view *out);
/* When the loop of the checks was last seen to turn, on the monotonic clock; UINT64_MAX while
 * it is being wound up and need not. */
uint64_t health_beat_ns(const struct health *health);

/* ---- server (server.c) --------------------------------------------------- */

struct http_server;

#define HTTP_CORS_ORIGINS_MAX 64

struct http_address {
	const char *host; /* a name or an address, IPv6 without brackets */
	unsigned port;	  /* 0 picks a free one */
};

struct http_config {
	struct http_address rpc_listen;
	struct http_address api_listen;
	unsigned threads; /* 0: one a core */
	unsigned max_connections;
	size_t max_body_bytes;
	unsigned request_timeout_ms; /* to receive a request, and to send an answer */
	unsigned idle_timeout_s;
	unsigned stuck_after_ms; /* a loop that does not turn for so long fails /live; 0: 10 s */
	const char *cors_origins[HTTP_CORS_ORIGINS_MAX]; /* "*" alone: any */
	size_t cors_origin_count;
	const struct rpc *rpc;
	struct health *health;
	struct metrics *metrics;
	struct chain_config node; /* url_count 0: none */
	struct chain_config bundler;
};

/* Binds both ports and starts the threads. config and what it points to must
 * outlive the server. */
bool http_start(const struct http_config *config, struct http_server **out,
		struct sr_error *err) SR_MUST_USE;
unsigned http_rpc_port(const struct http_server *server);
unsigned http_api_port(const struct http_server *server);

/*
 * Takes what waits in the backlog, refuses new connections, lets requests in
 * flight finish for at most timeout_ms, then ends the threads and frees the
 * server. Blocks.
 */
void http_stop(struct http_server *server, unsigned timeout_ms);

#endif
