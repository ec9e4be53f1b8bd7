/* SPDX-License-Identifier: Apache-2.0 */
/* What clients ask of the relay, what it decides, and what it asks of others. */
#include <stdio.h>

#include "http/metrics_private.h"

static void put_one(struct sr_buf *out, const char *name, const char *method, const char *result,
		    uint64_t value)
{
	struct metrics_labels labels = { .len = 0 };

	metrics_label(&labels, "method", method);
	metrics_label(&labels, "result", result);
	metrics_put(out, name, &labels, value);
}

static void put_methods(const struct metrics *m, struct sr_buf *out)
{
	static const char calls[] = "superrelay_rpc_requests_total";
	static const char seconds[] = "superrelay_rpc_request_duration_seconds";
	const struct metrics_method *method = m->methods;
	const struct metrics_method *end = method + METRICS_METHODS_MAX;

	metrics_head(out, calls, "counter", "JSON-RPC calls by method and outcome.");
	for (; method < end && method->name; method++) {
		put_one(out, calls, method->name, "ok", metrics_get(&method->ok));
		put_one(out, calls, method->name, "error", metrics_get(&method->failed));
	}
	metrics_head(out, seconds, "histogram",
		     "Time from reading a JSON-RPC call to its answer, waiting included.");
	/* a method that nobody calls is not worth its eighteen lines */
	for (method = m->methods; method < end && method->name; method++) {
		struct metrics_labels labels = { .len = 0 };

		if (!metrics_get(&method->ok) && !metrics_get(&method->failed))
			continue;
		metrics_label(&labels, "method", method->name);
		histogram_put(out, seconds, &labels, &method->duration, &histogram_call_time);
	}
}

static void put_decisions(const struct metrics *m, struct sr_buf *out)
{
	static const char name[] = "superrelay_sponsorship_decisions_total";

	metrics_head(out, name, "counter", "Requests for a sponsorship, by what came of them.");
	for (unsigned i = 0; i < PAYMASTER_REASONS; i++) {
		const enum paymaster_reason reason = (enum paymaster_reason)i;
		struct metrics_labels labels = { .len = 0 };

		metrics_label(&labels, "decision", paymaster_decision_name(reason));
		metrics_label(&labels, "reason", paymaster_reason_name(reason));
		metrics_put(out, name, &labels, metrics_get(&m->decisions[i]));
	}
}

/* ---- node and bundler ------------------------------------------------------------- */

static const char *const upstreams[METRICS_UPSTREAMS] = { "node", "bundler" };

static const char *const outcomes[CHAIN_OUTCOMES] = {
	[CHAIN_OK] = "ok",
	[CHAIN_ERROR] = "error",
	[CHAIN_TIMEOUT] = "timeout",
	[CHAIN_UNAVAILABLE] = "unavailable",
	[CHAIN_MALFORMED] = "malformed",
	[CHAIN_BUSY] = "busy",
};

static void put_upstream_method(struct sr_buf *out, const char *name, const char *upstream,
				const struct metrics_upstream_method *method)
{
	for (unsigned i = 0; i < CHAIN_OUTCOMES; i++) {
		struct metrics_labels labels = { .len = 0 };

		metrics_label(&labels, "upstream", upstream);
		metrics_label(&labels, "method", method->name);
		metrics_label(&labels, "result", outcomes[i]);
		metrics_put(out, name, &labels, metrics_get(&method->counts[i]));
	}
}

static void put_upstreams(const struct metrics *m, struct sr_buf *out)
{
	static const char calls[] = "superrelay_upstream_requests_total";
	static const char seconds[] = "superrelay_upstream_request_duration_seconds";

	metrics_head(out, calls, "counter", "Attempts to ask the node or the bundler.");
	for (unsigned u = 0; u < METRICS_UPSTREAMS; u++) {
		for (size_t i = 0; i < METRICS_METHODS_MAX && m->upstream[u][i].name; i++)
			put_upstream_method(out, calls, upstreams[u], &m->upstream[u][i]);
	}
	metrics_head(out, seconds, "histogram", "Time of one such attempt, failed ones included.");
	for (unsigned u = 0; u < METRICS_UPSTREAMS; u++) {
		struct metrics_labels labels = { .len = 0 };

		metrics_label(&labels, "upstream", upstreams[u]);
		histogram_put(out, seconds, &labels, &m->upstream_duration[u],
			      &histogram_call_time);
	}
}

/* ---- HTTP --------------------------------------------------------------------------- */

static const char *const listeners[HTTP_SIDES] = {
	[HTTP_SIDE_RPC] = "json_rpc", [HTTP_SIDE_API] = "http_api"
};

/* There from the start: what a route answers with when all is well, and what to watch. */
static bool is_expected(enum http_route route, int status)
{
	switch (route) {
	case HTTP_ROUTE_OTHER:
		return status == 400 || status == 404;
	case HTTP_ROUTE_LIVE:
	case HTTP_ROUTE_READY:
		return status == 200 || status == 503;
	default:
		return status == 200;
	}
}

static void put_route(const struct metrics *m, struct sr_buf *out, const char *name,
		      enum http_side side, enum http_route route)
{
	const char *path = http_route_path(side, route);

	for (unsigned i = 0; path && i < HTTP_STATUSES; i++) {
		uint64_t count = metrics_get(&m->responses[side][route][i]);
		struct metrics_labels labels = { .len = 0 };
		char code[8];

		if (!count && !is_expected(route, http_status_at(i)))
			continue;
		snprintf(code, sizeof(code), "%d", http_status_at(i));
		metrics_label(&labels, "listener", listeners[side]);
		metrics_label(&labels, "route", path);
		metrics_label(&labels, "code", code);
		metrics_put(out, name, &labels, count);
	}
}

static void put_connections(const struct metrics *m, struct sr_buf *out)
{
	static const char connections[] = "superrelay_http_connections";
	static const char limit[] = "superrelay_http_max_connections";
	struct metrics_labels labels[HTTP_SIDES] = { { .len = 0 } };

	for (unsigned side = 0; side < HTTP_SIDES; side++)
		metrics_label(&labels[side], "listener", listeners[side]);
	metrics_head(out, connections, "gauge", "Client connections that are open.");
	for (unsigned side = 0; side < HTTP_SIDES; side++)
		metrics_put(out, connections, &labels[side], atomic_load(&m->connections[side]));
	metrics_head(out, limit, "gauge", "Most client connections that are taken at a time.");
	for (unsigned side = 0; side < HTTP_SIDES; side++)
		metrics_put(out, limit, &labels[side], atomic_load(&m->connection_limits[side]));
}

static void put_http(const struct metrics *m, struct sr_buf *out)
{
	static const char requests[] = "superrelay_http_requests_total";

	metrics_head(out, requests, "counter", "HTTP requests answered.");
	for (unsigned side = 0; side < HTTP_SIDES; side++) {
		for (unsigned route = 0; route < HTTP_ROUTES; route++)
			put_route(m, out, requests, (enum http_side)side, (enum http_route)route);
	}
	put_connections(m, out);
}

void metrics_write_calls(const struct metrics *m, struct sr_buf *out)
{
	put_methods(m, out);
	put_decisions(m, out);
	put_upstreams(m, out);
	put_http(m, out);
}
