/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that memory runs out for: a call is lost and counted, and the client is not lost.
 * What fails is called by way of this program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chain/chain.h"

#define CALLS_MAX 4
#define TIMEOUT_MS 1000

static unsigned refusals; /* so many sockets are not taken */

int uv_poll_init_socket(uv_loop_t *uv, uv_poll_t *handle, uv_os_sock_t socket)
{
	int (*real)(uv_loop_t *, uv_poll_t *, uv_os_sock_t) = NULL;
	void *found = dlsym(RTLD_NEXT, "uv_poll_init_socket");

	memcpy(&real, &found, sizeof(real));
	if (!refusals)
		return real(uv, handle, socket);
	refusals--;
	return UV_ENOMEM;
}

static unsigned refused_transfers; /* so many transfers are not made */

CURL *curl_easy_init(void)
{
	CURL *(*real)(void) = NULL;
	void *found = dlsym(RTLD_NEXT, "curl_easy_init");

	memcpy(&real, &found, sizeof(real));
	if (!refused_transfers)
		return real();
	refused_transfers--;
	return NULL;
}

/* ---- a node ---------------------------------------------------------------------- */

static int listener = -1;
static pthread_t node;

/* One request a connection; who says nothing is not waited for. */
static void answer(int client)
{
	static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 39\r\n"
				   "Connection: close\r\n\r\n"
				   "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"0x1\"}";
	const struct timeval patience = { .tv_usec = 100000 };
	char request[2048] = "";
	size_t len = 0;
	ssize_t n = 1;

	setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (n > 0 && len < sizeof(request) - 1 && !strstr(request, "[]}")) {
		n = recv(client, request + len, sizeof(request) - 1 - len, 0);
		len += n > 0 ? (size_t)n : 0;
	}
	if (n > 0)
		send(client, text, sizeof(text) - 1, MSG_NOSIGNAL);
}

static void *answer_all(void *arg)
{
	int client = -1;

	while ((client = accept(listener, NULL, NULL)) >= 0) {
		answer(client);
		close(client);
	}
	return arg;
}

static int start_node(char *url, size_t size)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
	socklen_t len = sizeof(at);

	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(listener, 16) || getsockname(listener, (struct sockaddr *)&at, &len))
		return -1;
	snprintf(url, size, "http://127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
	return pthread_create(&node, NULL, answer_all, NULL);
}

/* ---- calls -------------------------------------------------------------------------- */

static struct loop *loop;
static struct chain *chain;
static char url[64];
static unsigned seen[CHAIN_OUTCOMES];
static unsigned done;
static enum sr_code codes[CALLS_MAX];

static void observe(void *arg, const struct chain_observation *observed)
{
	(void)arg;
	seen[observed->outcome]++;
}

static void on_done(void *arg, const struct chain_reply *reply)
{
	enum sr_code *code = arg;

	*code = reply->error.code;
	done++;
}

static void ask(unsigned index)
{
	static const uint8_t params[] = { 0x5b, 0x5d }; /* "[]" */
	struct sr_error err = { .code = SR_OK };

	assert_true(chain_call(chain, "eth_call", SR_BYTES(params), false, on_done, &codes[index],
			       &err));
}

static void wait_for(unsigned count)
{
	while (done < count)
		uv_run(loop_uv(loop), UV_RUN_ONCE);
}

static unsigned seen_in_all(void)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < CHAIN_OUTCOMES; i++)
		sum += seen[i];
	return sum;
}

static int setup(void **state)
{
	struct chain_config config = { .name = "node",
				       .urls = { url },
				       .url_count = 1,
				       .timeout_ms = TIMEOUT_MS,
				       .max_response_bytes = 4096,
				       .max_in_flight = CALLS_MAX,
				       .observe = observe };
	struct sr_error err = { .code = SR_OK };

	(void)state;
	done = 0;
	refusals = 0;
	refused_transfers = 0;
	memset(seen, 0, sizeof(seen));
	if (!chain_global_init(&err) || start_node(url, sizeof(url)) || !loop_create(&loop, &err))
		return -1;
	return chain_open(loop, &config, &chain, &err) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	chain_close(chain);
	loop_stop(loop);
	loop_run(loop);
	loop_destroy(loop);
	shutdown(listener, SHUT_RDWR);
	pthread_join(node, NULL);
	close(listener);
	chain_global_cleanup();
	return 0;
}

/* ---- tests -------------------------------------------------------------------------- */

static void answers_when_all_is_well(void **state)
{
	(void)state;
	ask(0);
	wait_for(1);
	assert_int_equal(codes[0], SR_OK);
	assert_int_equal(seen[CHAIN_OK], 1);
}

/* The second is asked while the first, which curl may yet find an answer for, has no end. */
static void loses_a_call_and_not_the_client(void **state)
{
	(void)state;
	refusals = 1;
	ask(0);
	while (refusals)
		uv_run(loop_uv(loop), UV_RUN_ONCE);
	ask(1);
	wait_for(2);
	assert_int_equal(codes[1], SR_OK);
	assert_int_equal(seen_in_all(), 2);
}

static void counts_each_that_is_lost(void **state)
{
	(void)state;
	refusals = CALLS_MAX;
	for (unsigned i = 0; i < CALLS_MAX; i++)
		ask(i);
	wait_for(CALLS_MAX);
	assert_int_equal(seen_in_all(), CALLS_MAX);
	refusals = 0;
	ask(0);
	wait_for(CALLS_MAX + 1);
	assert_int_equal(codes[0], SR_OK);
}

static void counts_what_could_not_be_started(void **state)
{
	(void)state;
	refused_transfers = 1;
	ask(0);
	wait_for(1);
	assert_int_equal(codes[0], SR_E_INTERNAL);
	assert_int_equal(seen[CHAIN_UNAVAILABLE], 1);
	ask(0);
	wait_for(2);
	assert_int_equal(codes[0], SR_OK);
	assert_int_equal(seen_in_all(), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_when_all_is_well),
		TEST(loses_a_call_and_not_the_client),
		TEST(counts_each_that_is_lost),
		TEST(counts_what_could_not_be_started),
	};

	return cmocka_run_group_tests_name("chain scarcity", tests, NULL, NULL);
}
