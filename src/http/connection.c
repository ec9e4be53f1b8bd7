/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One client connection: bytes in, one request at a time to the routes. While a
 * request is handled, what the client sends behind it waits, bounded.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>

#include "http/http_private.h"

#define LINGER_NS UINT64_C(2000000000)
#define DRAIN_GRACE_NS UINT64_C(500000000)

static void feed(struct http_connection *c, const char *data, size_t len);
static void resume_reading(struct http_connection *c);

static void set_deadline_ms(struct http_connection *c, uint64_t ms)
{
	c->deadline_ns = sr_time_monotonic_ns() + ms * 1000000u;
}

/* ---- parser callbacks ---------------------------------------------------- */

static int refuse_with(struct http_connection *c, int status)
{
	c->refusal = status;
	return -1;
}

static int on_begin(llhttp_t *p)
{
	struct http_connection *c = p->data;

	/* the clock runs from the first byte: a trickle must not hold a slot */
	c->mid_message = true;
	set_deadline_ms(c, c->worker->config->request_timeout_ms);
	return 0;
}

static int on_url(llhttp_t *p, const char *at, size_t len)
{
	struct http_connection *c = p->data;

	sr_buf_append(&c->target, at, len);
	return c->target.failed ? refuse_with(c, 414) : 0;
}

static int on_url_complete(llhttp_t *p)
{
	struct http_connection *c = p->data;
	const char *target = sr_buf_cstr(&c->target);

	if (target)
		c->route = http_find_route(c->side, target);
	return 0;
}

static int count_header_bytes(struct http_connection *c, size_t len)
{
	c->headers_len += len;
	return c->headers_len > HTTP_HEADERS_MAX ? refuse_with(c, 431) : 0;
}

static int on_header_field(llhttp_t *p, const char *at, size_t len)
{
	struct http_connection *c = p->data;

	for (size_t i = 0; i < len; i++, c->field_len++) {
		if (c->field_len + 1 < sizeof(c->field))
			c->field[c->field_len] = at[i];
	}
	return count_header_bytes(c, len);
}

static int on_header_value(llhttp_t *p, const char *at, size_t len)
{
	struct http_connection *c = p->data;

	for (size_t i = 0; i < len; i++, c->value_len++) {
		if (c->value_len + 1 < sizeof(c->value))
			c->value[c->value_len] = at[i];
	}
	return count_header_bytes(c, len);
}

static int on_header_complete(llhttp_t *p)
{
	struct http_connection *c = p->data;
	bool whole = c->field_len < sizeof(c->field) && c->value_len < sizeof(c->value);

	/* a Host too long to be looked at is there all the same */
	if (c->field_len == 4 && strncasecmp(c->field, "host", 4) == 0)
		c->headers.has_host = true;
	if (whole) {
		c->field[c->field_len] = '\0';
		c->value[c->value_len] = '\0';
		if (strcasecmp(c->field, "content-type") == 0)
			memcpy(c->headers.content_type, c->value, sizeof(c->value));
		else if (strcasecmp(c->field, "origin") == 0)
			memcpy(c->headers.origin, c->value, sizeof(c->value));
		else if (strcasecmp(c->field, "expect") == 0)
			c->headers.expects_continue = strcasecmp(c->value, "100-continue") == 0;
	}
	c->field_len = 0;
	c->value_len = 0;
	return 0;
}

static int on_headers_complete(llhttp_t *p)
{
	struct http_connection *c = p->data;

	if (p->method == HTTP_CONNECT)
		return refuse_with(c, 501);
	/* RFC 9112, section 3.2 */
	if (p->http_major == 1 && p->http_minor == 1 && !c->headers.has_host)
		return refuse_with(c, 400);
	/* another protocol is offered, not demanded (RFC 9110, 7.8): some clients
	 * offer HTTP/2 with every request */
	p->upgrade = 0;
	if ((p->flags & F_CONTENT_LENGTH) && p->content_length > c->worker->config->max_body_bytes)
		return refuse_with(c, 413);
	if (c->headers.expects_continue)
		http_send_continue(c);
	return 0;
}

static int on_body(llhttp_t *p, const char *at, size_t len)
{
	struct http_connection *c = p->data;

	sr_buf_append(&c->body, at, len);
	return c->body.failed ? refuse_with(c, 413) : 0;
}

static int on_message_complete(llhttp_t *p)
{
	struct http_connection *c = p->data;

	c->complete = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t *settings(void)
{
	static const llhttp_settings_t s = {
		.on_message_begin = on_begin,
		.on_url = on_url,
		.on_url_complete = on_url_complete,
		.on_header_field = on_header_field,
		.on_header_value = on_header_value,
		.on_header_value_complete = on_header_complete,
		.on_headers_complete = on_headers_complete,
		.on_body = on_body,
		.on_message_complete = on_message_complete,
	};

	return &s;
}

/* ---- life ---------------------------------------------------------------- */

static void forget_message(struct http_connection *c)
{
	sr_buf_clear(&c->target);
	sr_buf_clear(&c->body);
	memset(&c->headers, 0, sizeof(c->headers));
	c->route = HTTP_ROUTE_OTHER;
	c->headers_len = 0;
	c->field_len = 0;
	c->value_len = 0;
	c->refusal = 0;
	c->complete = false;
	c->mid_message = false;
}

static void on_closed(uv_handle_t *handle)
{
	struct http_connection *c = handle->data;
	struct http_worker *w = c->worker;

	if (c->prev)
		c->prev->next = c->next;
	else
		w->connections = c->next;
	if (c->next)
		c->next->prev = c->prev;
	w->connection_counts[c->side]--;
	if (c->place)
		atomic_fetch_sub(c->place, 1);
	metrics_count_connection(w->config->metrics, c->side, false);
	sr_buf_free(&c->target);
	sr_buf_free(&c->body);
	sr_buf_free(&c->pending);
	free(c);
	http_worker_check_done(w);
}

void http_connection_close(struct http_connection *c)
{
	if (c->closing)
		return;
	c->closing = true;
	/* its handler goes on and finishes into the void */
	if (c->exchange)
		c->exchange->connection = NULL;
	c->exchange = NULL;
	uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
	(void)status;
	free(req);
}

/* Closing with unread bytes would reset the connection and could take the
 * answer with it: say that we are done, and wait for the peer to be. */
void http_connection_linger(struct http_connection *c)
{
	uv_shutdown_t *req = NULL;

	if (c->closing)
		return;
	if (c->eof || !(req = calloc(1, sizeof(*req)))) {
		http_connection_close(c);
		return;
	}
	c->lingering = true;
	c->deadline_ns = sr_time_monotonic_ns() + LINGER_NS;
	if (c->paused)
		resume_reading(c);
	if (uv_shutdown(req, (uv_stream_t *)&c->tcp, on_shutdown)) {
		free(req);
		http_connection_close(c);
	}
}

void http_connection_next(struct http_connection *c, bool keep_alive)
{
	struct sr_buf pending = c->pending;

	c->served = true;
	if (c->lingering || !keep_alive || http_is_draining(c->worker, c->side)) {
		http_connection_linger(c);
		return;
	}
	forget_message(c);
	set_deadline_ms(c, (uint64_t)c->worker->config->idle_timeout_s * 1000u);
	if (pending.len) {
		sr_buf_init(&c->pending, HTTP_PENDING_MAX);
		feed(c, (const char *)pending.data, pending.len);
		sr_buf_free(&pending);
	}
	if (c->closing)
		return;
	/* the rest of a message that stops half-way will not come */
	if (c->eof && !c->complete && !c->lingering)
		http_connection_close(c);
	else if (c->paused && c->pending.len < HTTP_PENDING_PAUSE)
		resume_reading(c);
}

/* What a client pipelines stays in its socket until there is room for it. */
static void pause_reading(struct http_connection *c)
{
	c->paused = true;
	uv_read_stop((uv_stream_t *)&c->tcp);
}

static void dispatch(struct http_connection *c)
{
	struct http_exchange *x = calloc(1, sizeof(*x));

	if (!x || !sr_buf_cstr(&c->target)) {
		free(x);
		http_refuse(c, 503);
		return;
	}
	x->worker = c->worker;
	x->connection = c;
	x->side = c->side;
	x->route = c->route;
	x->method = (llhttp_method_t)c->parser.method;
	x->http10 = c->parser.http_major == 1 && c->parser.http_minor == 0;
	x->keep_alive =
		llhttp_should_keep_alive(&c->parser) && !http_is_draining(c->worker, c->side);
	memcpy(x->origin, c->headers.origin, sizeof(x->origin));
	c->exchange = x;
	c->worker->exchange_count++;
	/* a TEE or a chain that hangs must not hold its clients for ever */
	set_deadline_ms(c, HTTP_HANDLER_TIMEOUT_MS);
	http_route(x, &c->headers, (struct sr_bytes){ c->body.data, c->body.len });
	/* read by now: what is large is not kept while the handler waits */
	if (c->body.cap > HTTP_PENDING_PAUSE)
		sr_buf_free(&c->body);
}

static void feed(struct http_connection *c, const char *data, size_t len)
{
	llhttp_errno_t rc = llhttp_execute(&c->parser, data, len);
	const char *stop = NULL;
	size_t rest = 0;

	if (rc == HPE_OK)
		return;
	if (rc != HPE_PAUSED || !c->complete) {
		http_refuse(c, c->refusal ? c->refusal : 400);
		return;
	}
	stop = llhttp_get_error_pos(&c->parser);
	rest = (size_t)(data + len - stop);
	sr_buf_append(&c->pending, stop, rest);
	llhttp_resume(&c->parser);
	dispatch(c);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct http_connection *c = handle->data;

	/* one buffer a loop: what is read is consumed before the next read */
	(void)suggested;
	*buf = uv_buf_init(c->worker->read_buffer, HTTP_READ_SIZE);
}

static void on_end(struct http_connection *c)
{
	c->eof = true;
	/* a client may close its half and still wait for its answer */
	if (!c->exchange && !c->writing)
		http_connection_close(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct http_connection *c = stream->data;

	if (c->closing || n == 0)
		return;
	if (n == UV_EOF) {
		on_end(c);
	} else if (n < 0) {
		http_connection_close(c);
	} else if (c->lingering) {
		return;
	} else if (c->complete) {
		sr_buf_append(&c->pending, buf->base, (size_t)n);
		if (c->pending.failed)
			http_connection_close(c);
		else if (c->pending.len >= HTTP_PENDING_PAUSE)
			pause_reading(c);
	} else {
		feed(c, buf->base, (size_t)n);
	}
}

bool http_connection_read(struct http_connection *c)
{
	uv_tcp_nodelay(&c->tcp, 1);
	set_deadline_ms(c, c->worker->config->request_timeout_ms);
	if (!uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read))
		return true;
	http_connection_close(c);
	return false;
}

static void resume_reading(struct http_connection *c)
{
	c->paused = false;
	if (uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read))
		http_connection_close(c);
}

struct http_connection *http_connection_new(struct http_worker *w, enum http_side side)
{
	struct http_connection *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->worker = w;
	c->side = side;
	sr_buf_init(&c->target, HTTP_TARGET_MAX);
	sr_buf_init(&c->body, w->config->max_body_bytes);
	sr_buf_init(&c->pending, HTTP_PENDING_MAX);
	llhttp_init(&c->parser, HTTP_REQUEST, settings());
	c->parser.data = c;
	uv_tcp_init(loop_uv(w->loop), &c->tcp);
	c->tcp.data = c;
	c->next = w->connections;
	if (c->next)
		c->next->prev = c;
	w->connections = c;
	w->connection_counts[side]++;
	metrics_count_connection(w->config->metrics, side, true);
	return c;
}

/* What has come from the client and was not read yet: closing would reset it unanswered. */
static bool has_unread(const struct http_connection *c)
{
	uv_os_fd_t fd = -1;
	int bytes = 0;

	return !uv_fileno((const uv_handle_t *)&c->tcp, &fd) && !ioctl(fd, FIONREAD, &bytes) &&
	       bytes > 0;
}

/* While draining, an idle connection goes after a moment: a request may be on the way, sent by
 * a client that cannot know yet. */
static bool overstays(const struct http_connection *c, uint64_t now)
{
	const struct http_worker *w = c->worker;
	bool idle = !c->exchange && !c->mid_message && !c->lingering && !c->complete;

	if (c->deadline_ns && now >= c->deadline_ns)
		return true;
	if (!w->draining)
		return false;
	if (now >= w->drain_deadline_ns)
		return true;
	return http_is_draining(w, c->side) && idle && now >= w->drain_began_ns + DRAIN_GRACE_NS &&
	       !has_unread(c);
}

void http_connections_tick(struct http_worker *worker, uint64_t now_ns)
{
	struct http_connection *next = NULL;

	for (struct http_connection *c = worker->connections; c; c = next) {
		next = c->next;
		if (c->closing || !overstays(c, now_ns))
			continue;
		if (c->exchange && !worker->draining)
			http_answer_late(c);
		else if (c->mid_message && !c->complete && !worker->draining)
			http_refuse(c, 408);
		else
			http_connection_close(c);
	}
}
