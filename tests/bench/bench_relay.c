/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sponsorships a second through the whole relay: HTTP, JSON-RPC, policy, the
 * signer's queue and the TA, over loopback and keep-alive connections. Beside
 * it, in the same run, requests that are answered without a signature, so that
 * the ratio tells what the signature costs.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/http.h"
#include "temp_dir.h"

enum { CLIENTS = 16, REQUESTS = 500 };

static const char cheap[] =
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\",\"params\":[]}";
static const char sponsor[] =
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pm_getPaymasterData\",\"params\":[{"
	"\"sender\":\"0x1234567890123456789012345678901234567890\",\"nonce\":\"0x7\","
	"\"callData\":\"0xdeadbeef\",\"callGasLimit\":\"0x11111\","
	"\"verificationGasLimit\":\"0x22222\",\"preVerificationGas\":\"0x3333\","
	"\"maxFeePerGas\":\"0xb2d05e00\",\"maxPriorityFeePerGas\":\"0x3b9aca00\"},"
	"\"0x0000000071727De22E5E9d8BAf0edAc6f37da032\",\"0x7a69\",{}]}";

static unsigned port;

static void die(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static int connect_to_relay(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		die("connect");
	return fd;
}

static void *client_main(void *arg)
{
	const char *body = arg;
	char request[2048];
	char answer[4096];
	int fd = connect_to_relay();
	int n = snprintf(request, sizeof(request),
			 "POST / HTTP/1.1\r\nHost: relay\r\nContent-Type: application/json\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 strlen(body), body);

	for (int i = 0; i < REQUESTS; i++) {
		ssize_t got = 0;

		if (write(fd, request, (size_t)n) != n)
			die("write");
		got = read(fd, answer, sizeof(answer) - 1);
		if (got <= 0)
			die("read");
		answer[got] = '\0';
		if (!strstr(answer, "\"result\""))
			die(answer);
	}
	close(fd);
	return NULL;
}

static double run(const char *body)
{
	pthread_t threads[CLIENTS];
	uint64_t started = sr_time_monotonic_ns();

	for (int i = 0; i < CLIENTS; i++)
		pthread_create(&threads[i], NULL, client_main, (void *)(uintptr_t)body);
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(threads[i], NULL);
	return CLIENTS * REQUESTS / ((double)(sr_time_monotonic_ns() - started) / 1e9);
}

int main(void)
{
	static char store[TEMP_DIR_MAX];
	static struct paymaster pm;
	static struct http_config config;
	struct rpc rpc = { .paymaster = &pm,
			   .paymaster_enabled = true,
			   .max_batch = 10,
			   .max_depth = 32,
			   .sponsor_name = "bench",
			   .sponsor_icon = "" };
	struct kms_config k = { .ta_uuid = SUPER_RELAY_TA_UUID,
				.pool_size = 2,
				.batch_size = 16,
				.min_batch = 1,
				.queue_limit = 1000 };
	struct paymaster_config p = { .contract = { { 1 } },
				      .entry_point = *eth_entry_point_address(ETH_ENTRY_POINT_V07),
				      .key_id = "bench",
				      .validity_s = 600,
				      .max_pre_verification_gas = eth_u256_from_u64(UINT64_MAX),
				      .max_operation_cost = eth_u256_from_u64(UINT64_MAX) };
	struct health_config h = { .paymaster = &pm, .interval_ms = 1000 };
	struct sr_error err = { .code = SR_OK };
	struct http_server *server = NULL;
	struct kms *kms = NULL;
	struct kms_key key;
	double cheap_rate = 0;
	double sponsor_rate = 0;

	sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
	if (!make_temp_dir(store) || !tee_load_simulator(store, &k.api, &err) ||
	    !kms_open(&k, &kms, &err) ||
	    !kms_generate_key(kms, "bench", SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, &key, &err) ||
	    !loop_create(&h.loop, &err) || !health_start(&h, &config.health, &err) ||
	    !metrics_create(&config.metrics, &err))
		die(err.message);
	paymaster_init(&pm, &p, kms, 31337);
	config.rpc_listen = (struct http_address){ "127.0.0.1", 0 };
	config.api_listen = config.rpc_listen;
	config.max_connections = 100;
	config.max_body_bytes = 65536;
	config.request_timeout_ms = 10000;
	config.idle_timeout_s = 10;
	config.rpc = &rpc;
	if (!http_start(&config, &server, &err))
		die(err.message);
	port = http_rpc_port(server);
	run(cheap);
	cheap_rate = run(cheap);
	sponsor_rate = run(sponsor);
	printf("eth_chainId          %9.0f requests/s\n", cheap_rate);
	printf("pm_getPaymasterData  %9.0f sponsorships/s (signed and verified in the TA)\n",
	       sponsor_rate);
	printf("ratio                %9.2f\n", cheap_rate / sponsor_rate);
	http_stop(server, 1000);
	kms_close(kms, 0);
	return remove_temp_dir(store);
}
