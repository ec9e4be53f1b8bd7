/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking connections in, as many as there are places. Those over the limit are told so, in places
 * of their own: one that lingers with its refusal keeps nobody out.
 */
#include <unistd.h>

#include "http/http_private.h"

/* Exact, whatever other loops take at the same moment. */
static bool take_place(struct http_connection *c, atomic_uint *taken, unsigned limit)
{
	unsigned now = atomic_load(taken);

	while (now < limit) {
		if (atomic_compare_exchange_weak(taken, &now, now + 1)) {
			c->place = taken;
			return true;
		}
	}
	return false;
}

static void begin(struct http_connection *c)
{
	struct http_server *server = c->worker->server;

	if (!http_connection_read(c))
		return;
	if (take_place(c, &server->taken[c->side], server->places[c->side]))
		return;
	if (take_place(c, &server->refused[c->side], server->refusals))
		http_refuse(c, 503);
	else
		http_connection_close(c); /* untold */
}

static void on_rejected(uv_handle_t *handle)
{
	struct http_listener *l = handle->data;

	l->spare_busy = false;
	/* another may have come meanwhile, and libuv waits until it is taken */
	if (!http_is_draining(l->worker, l->side))
		http_connection_accept(l);
}

/* Out of memory. The connection must be taken all the same: libuv announces no
 * other before. */
static void reject(struct http_listener *l)
{
	if (l->spare_busy || uv_tcp_init(loop_uv(l->worker->loop), &l->spare))
		return;
	l->spare_busy = true;
	l->spare.data = l;
	uv_accept((uv_stream_t *)&l->tcp, (uv_stream_t *)&l->spare);
	uv_close((uv_handle_t *)&l->spare, on_rejected);
}

void http_connection_accept(struct http_listener *listener)
{
	struct http_connection *c = http_connection_new(listener->worker, listener->side);

	if (!c) {
		reject(listener);
		return;
	}
	if (uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&c->tcp))
		http_connection_close(c);
	else
		begin(c);
}

void http_connection_adopt(struct http_worker *worker, enum http_side side, int fd)
{
	struct http_connection *c = http_connection_new(worker, side);

	if (!c) {
		close(fd);
		return;
	}
	if (uv_tcp_open(&c->tcp, fd)) {
		close(fd);
		http_connection_close(c);
		return;
	}
	begin(c);
}
