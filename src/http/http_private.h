/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SR_HTTP_PRIVATE_H
#define SR_HTTP_PRIVATE_H

#include <llhttp.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/http.h"

#define HTTP_TARGET_MAX 2048
#define HTTP_HEADERS_MAX ((size_t)16 * 1024)
#define HTTP_READ_SIZE (64 * 1024)
/* Bytes behind a request that is being handled: above the first figure nothing
 * more is read, and one read more fits under the second. */
#define HTTP_PENDING_PAUSE ((size_t)64 * 1024)
#define HTTP_PENDING_MAX (HTTP_PENDING_PAUSE + HTTP_READ_SIZE)
/* A handler that takes longer is answered for. */
#define HTTP_HANDLER_TIMEOUT_MS 90000

enum http_side { HTTP_SIDE_RPC, HTTP_SIDE_API, HTTP_SIDES };

/* What requests are counted by; OTHER is whatever is none of ours. */
enum http_route {
	HTTP_ROUTE_OTHER,
	HTTP_ROUTE_ROOT,
	HTTP_ROUTE_RPC,
	HTTP_ROUTE_HEALTH,
	HTTP_ROUTE_LIVE,
	HTTP_ROUTE_READY,
	HTTP_ROUTE_METRICS,
	HTTP_ROUTES
};

#define HTTP_STATUSES 15 /* that are ever answered with */

struct http_worker;
struct http_exchange;

struct http_listener {
	uv_tcp_t tcp;
	struct http_worker *worker;
	enum http_side side;
	uv_tcp_t spare; /* accepts what there is no memory for */
	bool spare_busy;
};

/* Headers that a route looks at; longer values are cut and match nothing. */
#define HTTP_VALUE_MAX 256
struct http_headers {
	char content_type[HTTP_VALUE_MAX];
	char origin[HTTP_VALUE_MAX];
	bool expects_continue;
	bool has_host;
};

struct http_connection {
	uv_tcp_t tcp;
	struct http_worker *worker;
	enum http_side side;
	struct http_connection *prev;
	struct http_connection *next;
	llhttp_t parser;
	struct sr_buf target;
	struct sr_buf body;
	struct sr_buf pending; /* bytes behind a request that is being handled */
	struct http_headers headers;
	char field[32];
	size_t field_len;
	char value[HTTP_VALUE_MAX];
	size_t value_len;
	size_t headers_len;
	enum http_route route;		/* of the message; OTHER until its target is complete */
	int refusal;			/* the status to refuse the message with, or 0 */
	struct http_exchange *exchange; /* being handled */
	atomic_uint *place;		/* the count that it is in; NULL: in none */
	uint64_t deadline_ns;		/* 0: none */
	bool complete;			/* a whole message stands in the buffers */
	bool served;			/* has had an answer before */
	bool mid_message;		/* part of a message has arrived */
	bool eof;			/* the peer will send no more */
	bool paused;			/* not being read: enough is pending */
	bool lingering;			/* answered for the last time; what comes is dropped */
	bool writing;			/* an answer is on its way out */
	bool closing;
};

/* A request being handled. It outlives its connection when the client leaves. */
struct http_exchange {
	struct http_worker *worker;
	struct http_connection *connection; /* NULL: the client has gone */
	enum http_side side;
	enum http_route route;
	llhttp_method_t method;
	bool keep_alive;
	bool http10;
	char origin[HTTP_VALUE_MAX]; /* for CORS; empty: none */
};

struct http_worker {
	struct http_server *server;
	const struct http_config *config;
	struct loop *loop;
	pthread_t thread;
	bool started;
	struct http_listener listeners[HTTP_SIDES];
	uv_timer_t timer;
	struct rpc_worker rpc;
	struct http_connection *connections;
	unsigned connection_counts[HTTP_SIDES];
	unsigned exchange_count;
	unsigned handle_count; /* listeners and timer not yet closed */
	struct loop_task drain_task;
	uint64_t drain_began_ns;
	uint64_t drain_deadline_ns;
	bool draining;		  /* no clients but probes any more */
	bool api_draining;	  /* no probes either */
	atomic_bool stopping;	  /* its loop comes to its end, and beats no more */
	_Atomic uint64_t beat_ns; /* when the loop was last seen to turn */
	uint64_t resumed_ns;	  /* when it last found itself late; its own thread's */
	char read_buffer[HTTP_READ_SIZE];
};

struct http_server {
	const struct http_config *config;
	struct http_worker *workers;
	unsigned worker_count;
	unsigned ports[HTTP_SIDES];
	/* each side apart: clients must not crowd out the probes */
	unsigned places[HTTP_SIDES];
	atomic_uint taken[HTTP_SIDES];
	unsigned refusals;		 /* places of those that are told that there is none */
	atomic_uint refused[HTTP_SIDES]; /* how many of these are taken */
};

/* ---- accept.c ------------------------------------------------------------ */

void http_connection_accept(struct http_listener *listener);
/* Takes over a descriptor that was accepted by hand. */
void http_connection_adopt(struct http_worker *worker, enum http_side side, int fd);

/* ---- connection.c -------------------------------------------------------- */

/* One without a descriptor yet; NULL: out of memory. */
struct http_connection *http_connection_new(struct http_worker *worker, enum http_side side);
/* Waits for its first request; false: it is being closed. */
bool http_connection_read(struct http_connection *c);
void http_connection_close(struct http_connection *c);
/* Closes what has overstayed; with draining, also what is idle. */
void http_connections_tick(struct http_worker *worker, uint64_t now_ns);
/* Called when the last answer has been written. */
void http_connection_next(struct http_connection *c, bool keep_alive);
void http_connection_linger(struct http_connection *c);
/* Stops the worker's loop when nothing is left to wait for. */
void http_worker_check_done(struct http_worker *worker);
/* Whether this side takes no further requests. */
bool http_is_draining(const struct http_worker *worker, enum http_side side);

/* ---- response.c ---------------------------------------------------------- */

/* All statuses that are ever answered with, by a small number; 500 stands for any other. */
unsigned http_status_index(int status);
int http_status_at(unsigned index);
/* Answers and frees the exchange; exactly once. extra: further header lines, or NULL. */
void http_respond(struct http_exchange *x, int status, const char *content_type,
		  struct sr_bytes body, const char *extra);
void http_respond_text(struct http_exchange *x, int status, const char *text, const char *extra);
/* Answers a connection whose message was never understood, and ends it. */
void http_refuse(struct http_connection *c, int status);
void http_send_continue(struct http_connection *c);
/* Answers for a handler that takes too long, and lets it finish into the void. */
void http_answer_late(struct http_connection *c);
/* The origin to be allowed for a page from this one, or NULL. */
const char *http_allowed_origin(const struct http_config *config, const char *origin);

/* ---- routes.c ------------------------------------------------------------ */

/* The route of a request's target. */
enum http_route http_find_route(enum http_side side, const char *target);
/* Its path, "other", or NULL where this side has no such route. */
const char *http_route_path(enum http_side side, enum http_route route);
void http_route(struct http_exchange *x, const struct http_headers *headers, struct sr_bytes body);

/* ---- places.c ------------------------------------------------------------- */

/* How many connections each side takes at a time, with so many loops. */
void http_set_places(struct http_server *server);

/* ---- live.c ---------------------------------------------------------------- */

void http_worker_name(const struct http_worker *worker, char out[static 16]);
/* This loop turns. */
void http_worker_beat(struct http_worker *worker);
/* Whether all loops of the process turn; appends what /live answers. */
bool http_live_report(const struct http_worker *asked, struct sr_buf *out);

/* ---- metrics.c ------------------------------------------------------------- */

void metrics_count_response(struct metrics *m, enum http_side side, enum http_route route,
			    int status);
void metrics_count_connection(struct metrics *m, enum http_side side, bool opened);
/* How many connections this side takes at a time. */
void metrics_set_connection_limit(struct metrics *m, enum http_side side, unsigned limit);

#endif
