/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads, listeners and draining. Each thread has its own pair of listeners on
 * the same two ports, and the kernel spreads connections over them.
 */
#include "http/http.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http_private.h"

#define BACKLOG 1024
#define TICK_MS 100
#define THREADS_MAX 64

/* ---- addresses ----------------------------------------------------------- */

static bool resolve(const struct http_address *a, struct sockaddr_storage *out, socklen_t *out_len,
		    struct sr_error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	char port[16];
	int rc = 0;

	snprintf(port, sizeof(port), "%u", a->port);
	rc = getaddrinfo(a->host, port, &hints, &found);
	if (rc || !found)
		return sr_fail(err, SR_E_INVALID, "listen address '%.100s': %s", a->host,
			       gai_strerror(rc));
	memcpy(out, found->ai_addr, found->ai_addrlen);
	*out_len = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

static unsigned port_of(const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)(const void *)a)->sin6_port);
	return ntohs(((const struct sockaddr_in *)(const void *)a)->sin_port);
}

/*
 * SO_REUSEPORT would let a second relay of the same user share the port in
 * silence. So the first bind is made without it, to learn whether the port is
 * free (and which it is, for port 0), and given back before the real ones. Both
 * ports are held at once, so that two names of one address are found out too.
 */
static int probe_port(const struct http_address *a, struct sockaddr_storage *addr, socklen_t len,
		      struct sr_error *err)
{
	int fd = socket(addr->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t got = sizeof(*addr);
	int on = 1;
	bool ok = fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) &&
		  !bind(fd, (const struct sockaddr *)addr, len) && !listen(fd, 1) &&
		  !getsockname(fd, (struct sockaddr *)addr, &got);

	if (ok)
		return fd;
	sr_fail(err, SR_E_UNAVAILABLE, "cannot listen on %.100s port %u: %m", a->host, a->port);
	if (fd >= 0)
		close(fd);
	return -1;
}

static int bind_shared(const struct sockaddr_storage *addr, socklen_t len)
{
	int fd = socket(addr->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) ||
	    bind(fd, (const struct sockaddr *)addr, len)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* ---- a worker's life ------------------------------------------------------ */

static void on_connection(uv_stream_t *stream, int status)
{
	if (status == 0)
		http_connection_accept(stream->data);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct http_worker *w = handle->data;

	w->handle_count--;
	http_worker_check_done(w);
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct http_listener *l = handle->data;

	l->worker->handle_count--;
	http_worker_check_done(l->worker);
}

bool http_is_draining(const struct http_worker *w, enum http_side side)
{
	return side == HTTP_SIDE_RPC ? w->draining : w->api_draining;
}

/* Closing a listener resets what waits in its backlog: take that in first. */
static void close_listener(struct http_listener *l)
{
	uv_os_fd_t fd = -1;
	int client = -1;

	if (!l->worker)
		return; /* the start failed before it was made */
	if (!uv_fileno((uv_handle_t *)&l->tcp, &fd)) {
		while ((client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
			http_connection_adopt(l->worker, l->side, client);
	}
	uv_close((uv_handle_t *)&l->tcp, on_listener_closed);
}

/* While clients wait for their answers, whoever asks /ready must hear that there will be no
 * more, rather than nothing: the HTTP API goes when the last client has. */
static void drain_api(struct http_worker *w)
{
	if (w->api_draining)
		return;
	w->api_draining = true;
	w->drain_began_ns = sr_time_monotonic_ns();
	close_listener(&w->listeners[HTTP_SIDE_API]);
	http_connections_tick(w, sr_time_monotonic_ns());
}

/* No client is left: what is still asked upstream is asked for nobody. */
static void begin_stop(struct http_worker *w)
{
	/* without its timer it beats no more, and may wait for the signer for long */
	if (atomic_exchange(&w->stopping, true))
		return;
	uv_close((uv_handle_t *)&w->timer, on_handle_closed);
	chain_close(w->rpc.bundler);
	chain_close(w->rpc.node);
}

void http_worker_check_done(struct http_worker *w)
{
	if (!w->draining || w->connection_counts[HTTP_SIDE_RPC])
		return;
	drain_api(w);
	if (w->connection_counts[HTTP_SIDE_API])
		return;
	begin_stop(w);
	/* an exchange may still wait for the signer, which posts to this loop */
	if (!w->exchange_count && !w->handle_count)
		loop_stop(w->loop);
}

static void on_drain(struct loop_task *task)
{
	struct http_worker *w =
		(struct http_worker *)(void *)((char *)task -
					       offsetof(struct http_worker, drain_task));

	close_listener(&w->listeners[HTTP_SIDE_RPC]);
	w->draining = true;
	w->drain_began_ns = sr_time_monotonic_ns();
	http_connections_tick(w, sr_time_monotonic_ns());
	http_worker_check_done(w);
}

static void on_tick(uv_timer_t *timer)
{
	struct http_worker *w = timer->data;

	http_worker_beat(w);
	http_connections_tick(w, sr_time_monotonic_ns());
}

void http_worker_name(const struct http_worker *w, char out[static 16])
{
	snprintf(out, 16, "http-%u", (unsigned)(w - w->server->workers) % 1000u);
}

static void *worker_main(void *arg)
{
	struct http_worker *w = arg;

	loop_run(w->loop);
	return NULL;
}

static bool listen_on(struct http_worker *w, enum http_side side,
		      const struct sockaddr_storage *addr, socklen_t len, struct sr_error *err)
{
	struct http_listener *l = &w->listeners[side];
	int fd = bind_shared(addr, len);
	int rc = 0;

	if (fd < 0)
		return sr_fail(err, SR_E_UNAVAILABLE, "cannot listen on port %u: %m",
			       port_of(addr));
	rc = uv_tcp_init(loop_uv(w->loop), &l->tcp);
	if (rc) {
		close(fd);
		return sr_fail(err, SR_E_UNAVAILABLE, "cannot listen on port %u: %s", port_of(addr),
			       uv_strerror(rc));
	}
	l->worker = w;
	l->side = side;
	l->tcp.data = l;
	w->handle_count++;
	rc = uv_tcp_open(&l->tcp, fd);
	if (rc)
		close(fd);
	else
		rc = uv_listen((uv_stream_t *)&l->tcp, BACKLOG, on_connection);
	if (rc)
		return sr_fail(err, SR_E_UNAVAILABLE, "cannot listen on port %u: %s", port_of(addr),
			       uv_strerror(rc));
	return true;
}

static bool open_chains(struct http_worker *w, struct sr_error *err)
{
	const struct http_config *c = w->config;

	return (!c->node.url_count || chain_open(w->loop, &c->node, &w->rpc.node, err)) &&
	       (!c->bundler.url_count || chain_open(w->loop, &c->bundler, &w->rpc.bundler, err));
}

/* All handles are made here, before the thread runs, so that a failure can be
 * told to the caller of http_start. */
static bool worker_open(struct http_worker *w, struct http_server *server,
			const struct sockaddr_storage addr[HTTP_SIDES],
			const socklen_t len[HTTP_SIDES], struct sr_error *err)
{
	w->server = server;
	w->config = server->config;
	w->drain_task.run = on_drain;
	http_worker_beat(w);
	if (!loop_create(&w->loop, err))
		return false;
	w->rpc.loop = w->loop;
	uv_timer_init(loop_uv(w->loop), &w->timer);
	w->timer.data = w;
	w->handle_count++;
	uv_timer_start(&w->timer, on_tick, TICK_MS, TICK_MS);
	for (int side = 0; side < HTTP_SIDES; side++) {
		if (!listen_on(w, (enum http_side)side, &addr[side], len[side], err))
			return false;
	}
	return open_chains(w, err);
}

static bool worker_start(struct http_worker *w, struct sr_error *err)
{
	char name[16];

	if (pthread_create(&w->thread, NULL, worker_main, w))
		return sr_fail(err, SR_E_UNAVAILABLE, "no thread for an event loop");
	w->started = true;
	http_worker_name(w, name);
	pthread_setname_np(w->thread, name);
	return true;
}

static void worker_drain(struct http_worker *w, uint64_t deadline_ns)
{
	if (!w->loop)
		return;
	w->drain_deadline_ns = deadline_ns;
	loop_post(w->loop, &w->drain_task);
	/* a worker that never got its thread is wound up on this one */
	if (!w->started)
		loop_run(w->loop);
}

/* ---- the server ----------------------------------------------------------- */

static unsigned thread_count(unsigned wanted)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (!wanted)
		wanted = cores > 0 ? (unsigned)cores : 1;
	return wanted > THREADS_MAX ? THREADS_MAX : wanted;
}

static bool find_ports(struct http_server *server, struct sockaddr_storage addr[HTTP_SIDES],
		       socklen_t len[HTTP_SIDES], struct sr_error *err)
{
	const struct http_address *wanted[HTTP_SIDES] = { &server->config->rpc_listen,
							  &server->config->api_listen };
	int probes[HTTP_SIDES] = { -1, -1 };
	bool ok = true;

	for (int side = 0; side < HTTP_SIDES && ok; side++) {
		ok = resolve(wanted[side], &addr[side], &len[side], err);
		if (ok)
			probes[side] = probe_port(wanted[side], &addr[side], len[side], err);
		ok = ok && probes[side] >= 0;
		server->ports[side] = port_of(&addr[side]);
	}
	for (int side = 0; side < HTTP_SIDES; side++) {
		if (probes[side] >= 0)
			close(probes[side]);
	}
	return ok;
}

bool http_start(const struct http_config *config, struct http_server **out, struct sr_error *err)
{
	struct http_server *server = calloc(1, sizeof(*server));
	struct sockaddr_storage addr[HTTP_SIDES] = { 0 };
	socklen_t len[HTTP_SIDES] = { 0 };
	bool ok = true;

	*out = NULL;
	if (!server)
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory for the server");
	server->config = config;
	ok = find_ports(server, addr, len, err);
	if (ok) {
		server->worker_count = thread_count(config->threads);
		server->workers = calloc(server->worker_count, sizeof(*server->workers));
		ok = server->workers || sr_fail(err, SR_E_NO_MEMORY, "out of memory for workers");
	}
	if (!server->workers)
		server->worker_count = 0;
	if (ok)
		http_set_places(server);
	for (unsigned i = 0; i < server->worker_count && ok; i++)
		ok = worker_open(&server->workers[i], server, addr, len, err);
	for (unsigned i = 0; i < server->worker_count && ok; i++)
		ok = worker_start(&server->workers[i], err);
	if (!ok) {
		http_stop(server, 0);
		return false;
	}
	*out = server;
	return true;
}

unsigned http_rpc_port(const struct http_server *server)
{
	return server->ports[HTTP_SIDE_RPC];
}

unsigned http_api_port(const struct http_server *server)
{
	return server->ports[HTTP_SIDE_API];
}

void http_stop(struct http_server *server, unsigned timeout_ms)
{
	uint64_t deadline = sr_time_monotonic_ns() + (uint64_t)timeout_ms * 1000000u;

	if (!server)
		return;
	for (unsigned i = 0; i < server->worker_count; i++)
		worker_drain(&server->workers[i], deadline);
	for (unsigned i = 0; i < server->worker_count; i++) {
		struct http_worker *w = &server->workers[i];

		if (w->started)
			pthread_join(w->thread, NULL);
		loop_destroy(w->loop);
	}
	free(server->workers);
	free(server);
}
