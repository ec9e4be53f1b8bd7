/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes on a connection to the real server, over loopback; the input's first
 * byte says into how many pieces they are cut. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http.h"

static struct http_config config;
static struct http_server *server;
static struct rpc rpc;
static struct paymaster pm;
static struct loop *health_loop;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct paymaster_config p = { .entry_point =
					      *eth_entry_point_address(ETH_ENTRY_POINT_V07) };
	struct health_config h = { .paymaster = &pm, .interval_ms = 1000 };
	struct sr_error err = { .code = SR_OK };

	(void)argc;
	(void)argv;
	sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
	paymaster_init(&pm, &p, NULL, 31337);
	rpc = (struct rpc){ .paymaster = &pm,
			    .max_batch = 8,
			    .max_depth = 16,
			    .sponsor_name = "fuzz",
			    .sponsor_icon = "" };
	config = (struct http_config){ .rpc_listen = { "127.0.0.1", 0 },
				       .api_listen = { "127.0.0.1", 0 },
				       .threads = 1,
				       .max_connections = 64,
				       .max_body_bytes = 4096,
				       .request_timeout_ms = 1000,
				       .idle_timeout_s = 1,
				       .cors_origins = { "*" },
				       .cors_origin_count = 1,
				       .rpc = &rpc };
	if (!loop_create(&health_loop, &err))
		abort();
	h.loop = health_loop;
	if (!health_start(&h, &config.health, &err) || !metrics_create(&config.metrics, &err) ||
	    !http_start(&config, &server, &err)) {
		fprintf(stderr, "set-up: %s\n", err.message);
		abort();
	}
	return 0;
}

static int connect_to(unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct linger reset = { 1, 0 }; /* no port is left in TIME_WAIT */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		abort();
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char answer[4096];
	size_t piece = 0;
	int fd = -1;

	if (size < 2)
		return 0;
	fd = connect_to(data[0] & 1 ? http_api_port(server) : http_rpc_port(server));
	piece = size / (1 + data[0] / 32) + 1;
	for (size_t at = 1; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;

		if (send(fd, data + at, n, MSG_NOSIGNAL) < 0)
			break;
	}
	shutdown(fd, SHUT_WR);
	while (read(fd, answer, sizeof(answer)) > 0)
		;
	close(fd);
	return 0;
}
