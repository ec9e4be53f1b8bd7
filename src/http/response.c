/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "http/http_private.h"

struct answer {
	uv_write_t write;
	struct http_connection *connection;
	struct sr_buf bytes; /* head and body: one write, one segment where it fits */
	size_t counted;	     /* what it takes of the worker's budget */
	bool keep_alive;
	bool interim; /* 100 Continue: the message goes on */
};

static const struct {
	int status;
	const char *reason;
} statuses[] = {
	{ 200, "OK" },
	{ 204, "No Content" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 431, "Request Header Fields Too Large" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
	{ 500, "Internal Server Error" }, /* and whatever is not above */
};

_Static_assert(SR_ARRAY_LEN(statuses) == HTTP_STATUSES, "each has its counter");

unsigned http_status_index(int status)
{
	unsigned i = 0;

	while (i + 1 < HTTP_STATUSES && statuses[i].status != status)
		i++;
	return i;
}

int http_status_at(unsigned index)
{
	return statuses[index].status;
}

static const char *reason(int status)
{
	return statuses[http_status_index(status)].reason;
}

static void on_written(uv_write_t *req, int status)
{
	struct answer *a = req->data;
	struct http_connection *c = a->connection;
	bool keep_alive = a->keep_alive;
	bool interim = a->interim;

	c->worker->rpc.buffered -= a->counted;
	sr_buf_free(&a->bytes);
	free(a);
	if (!interim)
		c->writing = false;
	if (c->closing || interim)
		return;
	if (status < 0)
		http_connection_close(c);
	else
		http_connection_next(c, keep_alive);
}

static void send_answer(struct http_connection *c, struct answer *a)
{
	uv_buf_t buf = { 0 };

	if (a->bytes.failed) {
		sr_buf_free(&a->bytes);
		free(a);
		http_connection_close(c);
		return;
	}
	a->connection = c;
	a->counted = a->bytes.cap;
	c->worker->rpc.buffered += a->counted;
	c->writing = c->writing || !a->interim;
	a->write.data = a;
	buf = uv_buf_init((char *)a->bytes.data, (unsigned)a->bytes.len);
	if (!a->interim)
		c->deadline_ns = sr_time_monotonic_ns() +
				 (uint64_t)c->worker->config->request_timeout_ms * 1000000u;
	if (uv_write(&a->write, (uv_stream_t *)&c->tcp, &buf, 1, on_written)) {
		c->worker->rpc.buffered -= a->counted;
		sr_buf_free(&a->bytes);
		free(a);
		http_connection_close(c);
	}
}

const char *http_allowed_origin(const struct http_config *config, const char *origin)
{
	for (size_t i = 0; i < config->cors_origin_count; i++) {
		if (strcmp(config->cors_origins[i], "*") == 0)
			return "*";
		if (*origin && strcmp(config->cors_origins[i], origin) == 0)
			return origin;
	}
	return NULL;
}

static void put_head(struct sr_buf *out, const struct http_config *config, int status,
		     const char *content_type, size_t body_len, const char *connection,
		     const char *origin, const char *extra)
{
	const char *allowed = *origin ? http_allowed_origin(config, origin) : NULL;

	sr_buf_printf(out, "HTTP/1.1 %d %s\r\n", status, reason(status));
	if (content_type)
		sr_buf_printf(out, "Content-Type: %s\r\n", content_type);
	if (status != 204)
		sr_buf_printf(out, "Content-Length: %zu\r\n", body_len);
	if (allowed)
		sr_buf_printf(out, "Access-Control-Allow-Origin: %s\r\nVary: Origin\r\n", allowed);
	if (extra)
		sr_buf_puts(out, extra);
	if (connection)
		sr_buf_printf(out, "Connection: %s\r\n", connection);
	sr_buf_puts(out, "\r\n");
}

void http_respond(struct http_exchange *x, int status, const char *content_type,
		  struct sr_bytes body, const char *extra)
{
	struct http_connection *c = x->connection;
	struct http_worker *w = x->worker;
	bool keep_alive = x->keep_alive && !http_is_draining(w, x->side);
	struct answer *a = NULL;

	if (!c)
		goto out; /* the client has gone */
	c->exchange = NULL;
	a = calloc(1, sizeof(*a));
	if (!a) {
		http_connection_close(c);
		goto out;
	}
	a->bytes.limit = body.len + HTTP_HEADERS_MAX;
	a->keep_alive = keep_alive;
	/* what each version of HTTP takes for granted is left unsaid */
	put_head(&a->bytes, w->config, status, content_type, body.len,
		 !keep_alive ? "close"
		 : x->http10 ? "keep-alive"
			     : NULL,
		 x->origin, extra);
	if (x->method != HTTP_HEAD)
		sr_buf_append(&a->bytes, body.data, body.len);
	metrics_count_response(w->config->metrics, x->side, x->route, status);
	send_answer(c, a);
out:
	free(x);
	w->exchange_count--;
	http_worker_check_done(w);
}

void http_respond_text(struct http_exchange *x, int status, const char *text, const char *extra)
{
	http_respond(x, status, "text/plain; charset=utf-8",
		     (struct sr_bytes){ (const uint8_t *)text, strlen(text) }, extra);
}

/* On the JSON-RPC port even a refusal is JSON-RPC, for clients that read bodies. */
static void put_refusal_body(struct sr_buf *out, const struct http_connection *c, int status)
{
	char message[96];

	if (status == 413)
		snprintf(message, sizeof(message), "the body is over %zu bytes",
			 c->worker->config->max_body_bytes);
	else
		snprintf(message, sizeof(message), "HTTP %d %s", status, reason(status));
	if (c->side == HTTP_SIDE_RPC)
		rpc_write_refusal(out, RPC_INVALID_REQUEST, message);
	else
		sr_buf_printf(out, "%s\n", message);
}

void http_refuse(struct http_connection *c, int status)
{
	struct answer *a = calloc(1, sizeof(*a));
	struct sr_buf body = { .limit = 1024 };

	if (!a || c->closing || c->lingering) {
		free(a);
		http_connection_close(c);
		return;
	}
	c->lingering = true; /* what else comes is dropped */
	put_refusal_body(&body, c, status);
	put_head(&a->bytes, c->worker->config, status,
		 c->side == HTTP_SIDE_RPC ? "application/json" : "text/plain; charset=utf-8",
		 body.len, "close", c->headers.origin, NULL);
	sr_buf_append(&a->bytes, body.data, body.len);
	sr_buf_free(&body);
	metrics_count_response(c->worker->config->metrics, c->side, c->route, status);
	send_answer(c, a);
}

void http_answer_late(struct http_connection *c)
{
	sr_log(SR_LOG_WARN, "http", "a request has had no answer for %d s",
	       HTTP_HANDLER_TIMEOUT_MS / 1000);
	c->exchange->connection = NULL;
	c->exchange = NULL;
	http_refuse(c, 504);
}

void http_send_continue(struct http_connection *c)
{
	struct answer *a = calloc(1, sizeof(*a));

	if (!a)
		return; /* the client will send its body without it after a while */
	a->interim = true;
	sr_buf_puts(&a->bytes, "HTTP/1.1 100 Continue\r\n\r\n");
	send_answer(c, a);
}
