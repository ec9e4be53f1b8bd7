/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <strings.h>

#include "http/http_private.h"

#define JSON "application/json"

/* ---- JSON-RPC ------------------------------------------------------------ */

static void on_rpc_done(void *arg, struct sr_bytes response)
{
	struct http_exchange *x = arg;

	/* notifications alone have no answer; RPC errors go out with 200, since
	 * clients take a 4xx for a failed transport and never read the code */
	if (response.len)
		http_respond(x, 200, JSON, response, NULL);
	else
		http_respond(x, 204, NULL, response, NULL);
}

/* "application/json; charset=utf-8" and its like; absent is taken for JSON. */
static bool is_json(const char *content_type)
{
	static const char *const accepted[] = { "application/json", "application/json-rpc",
						"application/jsonrequest" };
	size_t len = strcspn(content_type, "; \t");

	if (!len)
		return true;
	for (size_t i = 0; i < SR_ARRAY_LEN(accepted); i++) {
		if (len == strlen(accepted[i]) && strncasecmp(content_type, accepted[i], len) == 0)
			return true;
	}
	return false;
}

static void respond_buffer(struct http_exchange *x, int status, const char *type,
			   struct sr_buf *out)
{
	if (out->failed)
		http_respond_text(x, 500, "out of memory\n", NULL);
	else
		http_respond(x, status, type, (struct sr_bytes){ out->data, out->len }, NULL);
	sr_buf_free(out);
}

static void serve_rpc(struct http_exchange *x, const struct http_headers *headers,
		      struct sr_bytes body)
{
	struct sr_buf out = { 0 };

	if (!is_json(headers->content_type)) {
		rpc_write_refusal(&out, RPC_INVALID_REQUEST,
				  "Content-Type: expected application/json");
		respond_buffer(x, 415, JSON, &out);
		return;
	}
	rpc_handle(x->worker->config->rpc, &x->worker->rpc, body, on_rpc_done, x);
}

/* ---- health and metrics -------------------------------------------------- */

/* 200 while all loops turn: that of the answer, by answering. */
static void serve_live(struct http_exchange *x)
{
	struct sr_buf out = { 0 };
	bool live = http_live_report(x->worker, &out);

	respond_buffer(x, live ? 200 : 503, JSON, &out);
}

static void serve_report(struct http_exchange *x, bool fail_with_503)
{
	struct sr_buf out = { 0 };
	bool ready = health_report(x->worker->config->health, &out);

	respond_buffer(x, ready || !fail_with_503 ? 200 : 503, JSON, &out);
}

static void serve_metrics(struct http_exchange *x)
{
	struct sr_buf out = { 0 };

	metrics_write(x->worker->config->metrics, &out);
	respond_buffer(x, 200, "text/plain; version=0.0.4; charset=utf-8", &out);
}

static void serve_preflight(struct http_exchange *x)
{
	http_respond(x, 204, NULL, (struct sr_bytes){ 0 },
		     "Access-Control-Allow-Methods: POST, GET, OPTIONS\r\n"
		     "Access-Control-Allow-Headers: Content-Type, Authorization, X-API-Key\r\n"
		     "Access-Control-Max-Age: 86400\r\n");
}

/* ---- table --------------------------------------------------------------- */

static const struct {
	enum http_side side;
	const char *path;
	enum http_route route;
} table[] = {
	{ HTTP_SIDE_RPC, "/", HTTP_ROUTE_ROOT },
	{ HTTP_SIDE_RPC, "/rpc", HTTP_ROUTE_RPC },
	{ HTTP_SIDE_RPC, "/health", HTTP_ROUTE_HEALTH },
	{ HTTP_SIDE_RPC, "/live", HTTP_ROUTE_LIVE },
	{ HTTP_SIDE_RPC, "/ready", HTTP_ROUTE_READY },
	{ HTTP_SIDE_API, "/health", HTTP_ROUTE_HEALTH },
	{ HTTP_SIDE_API, "/live", HTTP_ROUTE_LIVE },
	{ HTTP_SIDE_API, "/ready", HTTP_ROUTE_READY },
	{ HTTP_SIDE_API, "/metrics", HTTP_ROUTE_METRICS },
};

const char *http_route_path(enum http_side side, enum http_route route)
{
	if (route == HTTP_ROUTE_OTHER)
		return "other";
	for (size_t i = 0; i < SR_ARRAY_LEN(table); i++) {
		if (table[i].side == side && table[i].route == route)
			return table[i].path;
	}
	return NULL;
}

/* "http://host/path" means the path (RFC 9112, section 3.2.2). */
static const char *path_of(const char *target)
{
	const char *slash = NULL;

	if (strncasecmp(target, "http://", 7) != 0)
		return target;
	slash = strchr(target + 7, '/');
	return slash ? slash : "/";
}

enum http_route http_find_route(enum http_side side, const char *target)
{
	const char *path = path_of(target);
	size_t len = strcspn(path, "?#");

	for (size_t i = 0; i < SR_ARRAY_LEN(table); i++) {
		if (table[i].side == side && strlen(table[i].path) == len &&
		    strncmp(table[i].path, path, len) == 0)
			return table[i].route;
	}
	return HTTP_ROUTE_OTHER;
}

static void serve_get(struct http_exchange *x)
{
	switch (x->route) {
	case HTTP_ROUTE_HEALTH:
		serve_report(x, false);
		return;
	case HTTP_ROUTE_READY:
		serve_report(x, true);
		return;
	case HTTP_ROUTE_LIVE:
		serve_live(x);
		return;
	default:
		serve_metrics(x);
	}
}

/* A browser does not ask before it sends a simple request: the page of an origin
 * that is not allowed must not get it done either. */
static bool forbidden_page(const struct http_exchange *x)
{
	return *x->origin && !http_allowed_origin(x->worker->config, x->origin);
}

void http_route(struct http_exchange *x, const struct http_headers *headers, struct sr_bytes body)
{
	bool rpc = x->route == HTTP_ROUTE_ROOT || x->route == HTTP_ROUTE_RPC;
	bool reads = x->method == HTTP_GET || x->method == HTTP_HEAD;

	if (x->route == HTTP_ROUTE_OTHER)
		http_respond_text(x, 404, "not found\n", NULL);
	else if (x->method == HTTP_OPTIONS)
		serve_preflight(x);
	else if (forbidden_page(x))
		http_respond_text(x, 403, "this origin is not allowed (rpc.cors_origins)\n", NULL);
	else if (rpc && x->method == HTTP_POST)
		serve_rpc(x, headers, body);
	else if (!rpc && reads)
		serve_get(x);
	else
		http_respond_text(x, 405, "method not allowed\n",
				  rpc ? "Allow: POST, OPTIONS\r\n"
				      : "Allow: GET, HEAD, OPTIONS\r\n");
}
