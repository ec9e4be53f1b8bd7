/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many connections each port has places for. When descriptors are few, it is clients that go
 * without: probes that were refused would have the relay restarted, with all of its clients.
 */
#include <sys/resource.h>

#include "http/http_private.h"

/* Probes and scrapers: few, and not to be told how many by what clients are granted. */
#define API_PLACES 256
/* Those over the limit that are told so; others are just closed. */
#define REFUSALS_MAX 64
/* Held besides: by the process; and by a loop with its connections to node and bundler. */
#define OWN_FILES 64
#define LOOP_FILES (16 + 2 * CHAIN_CONNECTIONS_MAX)

/* What the limit of open files leaves for clients, but never less than a quarter of it. */
static uint64_t files_for_clients(uint64_t files, unsigned loops)
{
	/* the checks of /health have a loop of their own */
	uint64_t held =
		OWN_FILES + API_PLACES + 2 * REFUSALS_MAX + (loops + UINT64_C(1)) * LOOP_FILES;

	return files > held && files - held > files / 4 ? files - held : files / 4;
}

void http_set_places(struct http_server *server)
{
	const unsigned wanted = server->config->max_connections;
	struct rlimit limit = { .rlim_cur = RLIM_INFINITY };
	uint64_t room = UINT64_MAX;

	server->refusals = REFUSALS_MAX;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
		room = files_for_clients(limit.rlim_cur, server->worker_count);
		if (limit.rlim_cur / 8 < REFUSALS_MAX)
			server->refusals = (unsigned)limit.rlim_cur / 8;
	}
	server->places[HTTP_SIDE_API] = API_PLACES;
	server->places[HTTP_SIDE_RPC] = wanted;
	if (room < wanted) {
		server->places[HTTP_SIDE_RPC] = room ? (unsigned)room : 1;
		sr_log(SR_LOG_WARN, "http",
		       "the limit of open files, %llu, leaves room for %u connections of "
		       "JSON-RPC clients, not for [rpc] max_connections = %u",
		       (unsigned long long)limit.rlim_cur, server->places[HTTP_SIDE_RPC], wanted);
	}
	for (int side = 0; side < HTTP_SIDES; side++)
		metrics_set_connection_limit(server->config->metrics, (enum http_side)side,
					     server->places[side]);
}
