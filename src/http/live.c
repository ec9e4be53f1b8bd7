/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /live. That a loop answers proves that this one turns. The others are asked when they
 * last did: a handler that never returns holds its clients, and the kernel goes on giving
 * it its share of the new ones.
 */
#include "http/http_private.h"

#define STUCK_AFTER_NS UINT64_C(10000000000)

static uint64_t limit_ns(const struct http_worker *w)
{
	uint64_t limit = (uint64_t)w->config->stuck_after_ms * 1000000u;

	return limit ? limit : STUCK_AFTER_NS;
}

static uint64_t beat_of(const struct http_worker *w)
{
	return atomic_load_explicit(&w->beat_ns, memory_order_relaxed);
}

/* A process that was stopped and goes on has stopped all of its loops alike: the one that
 * finds itself late gives the others their time anew. */
void http_worker_beat(struct http_worker *w)
{
	uint64_t now = sr_time_monotonic_ns();

	if (now - beat_of(w) > limit_ns(w) / 2)
		w->resumed_ns = now;
	atomic_store_explicit(&w->beat_ns, now, memory_order_relaxed);
}

/* Measured against the last turn of the loop that is asked: what was not seen to turn since is
 * as old as that loop's own rest, when it has had one. */
static bool is_stuck(const struct http_worker *asked, uint64_t beat_ns)
{
	uint64_t ours = beat_of(asked);
	uint64_t since = beat_ns > asked->resumed_ns ? beat_ns : asked->resumed_ns;

	return since < ours && ours - since > limit_ns(asked);
}

static void put_stuck(struct sr_buf *out, bool *live, const char *name)
{
	sr_buf_printf(out, "%s\"%s\"", *live ? "{\"status\":\"stuck\",\"loops\":[" : ",", name);
	*live = false;
}

bool http_live_report(const struct http_worker *asked, struct sr_buf *out)
{
	const struct http_server *server = asked->server;
	bool live = true;
	char name[16];

	for (unsigned i = 0; i < server->worker_count; i++) {
		const struct http_worker *w = &server->workers[i];

		/* one that winds up while draining may turn no more */
		if (atomic_load(&w->stopping) || !is_stuck(asked, beat_of(w)))
			continue;
		http_worker_name(w, name);
		put_stuck(out, &live, name);
	}
	if (is_stuck(asked, health_beat_ns(asked->config->health)))
		put_stuck(out, &live, "main");
	sr_buf_puts(out, live ? "{\"status\":\"live\"}" : "]}");
	return live;
}
