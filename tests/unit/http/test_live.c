/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /live of a real server, while one of its loops is held: by a handler that does not return,
 * which here is the observer of a JSON-RPC call.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "http/http.h"
#include "http/http_private.h"

#define STUCK_AFTER_MS 500
#define PATIENCE_S 20
#define THREADS 3
#define CALLS_MAX 64
#define TEXT_MAX 4096

static struct paymaster pm;
static struct rpc rpc;
static struct http_config config;
static struct http_server *server;
static struct loop *main_loop;
static pthread_t main_thread;

/* How long a client waits; one that asks a held loop is to give up soon. */
static long patience_ms;

/* What holds a loop: the next call that is observed, or the next task. */
static atomic_bool hold;
static sem_t held;
static sem_t release;

static void hold_here(void)
{
	if (!atomic_exchange(&hold, false))
		return;
	sem_post(&held);
	while (sem_wait(&release))
		;
}

static void observe(void *arg, const struct rpc_observation *seen)
{
	(void)arg;
	(void)seen;
	hold_here();
}

static void run_held(struct loop_task *task)
{
	(void)task;
	hold_here();
}

static void *run_main(void *arg)
{
	(void)arg;
	loop_run(main_loop);
	return NULL;
}

static int setup(void **state)
{
	struct paymaster_config p = { .entry_point =
					      *eth_entry_point_address(ETH_ENTRY_POINT_V07) };
	struct health_config h = { .paymaster = &pm, .interval_ms = 50 };
	struct sr_error err = { .code = SR_OK };

	(void)state;
	sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
	patience_ms = 5000;
	sem_init(&held, 0, 0);
	sem_init(&release, 0, 0);
	paymaster_init(&pm, &p, NULL, 31337);
	rpc = (struct rpc){ .paymaster = &pm,
			    .max_batch = 8,
			    .max_depth = 16,
			    .sponsor_name = "live",
			    .sponsor_icon = "",
			    .observe = observe };
	config = (struct http_config){ .rpc_listen = { "127.0.0.1", 0 },
				       .api_listen = { "127.0.0.1", 0 },
				       .threads = THREADS,
				       .max_connections = 1000,
				       .max_body_bytes = 4096,
				       .request_timeout_ms = 10000,
				       .idle_timeout_s = 10,
				       .stuck_after_ms = STUCK_AFTER_MS,
				       .rpc = &rpc };
	if (!loop_create(&main_loop, &err))
		return -1;
	h.loop = main_loop;
	return health_start(&h, &config.health, &err) && metrics_create(&config.metrics, &err) &&
			       http_start(&config, &server, &err) &&
			       !pthread_create(&main_thread, NULL, run_main, NULL)
		       ? 0
		       : -1;
}

static void stop_main(struct loop_task *task)
{
	(void)task;
	health_stop(config.health);
	loop_stop(main_loop);
}

static int teardown(void **state)
{
	struct loop_task task = { .run = stop_main };

	(void)state;
	/* a test that failed may have left loops held */
	for (unsigned i = 0; i < THREADS + 1; i++)
		sem_post(&release);
	health_set_draining(config.health);
	http_stop(server, 1000);
	loop_post(main_loop, &task);
	pthread_join(main_thread, NULL);
	loop_destroy(main_loop);
	health_destroy(config.health);
	metrics_destroy(config.metrics);
	return 0;
}

/* ---- a client --------------------------------------------------------------- */

static int connect_to(unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port),
				 .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct timeval patience = { .tv_sec = patience_ms / 1000,
				    .tv_usec = patience_ms % 1000 * 1000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* The status of /live, and its whole answer; 0: none, since the loop that was asked is held. */
static unsigned ask_live(char out[static TEXT_MAX])
{
	static const char request[] = "GET /live HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
	int fd = connect_to(http_api_port(server));
	size_t len = 0;
	ssize_t n = 0;
	unsigned status = 0;

	assert_int_equal(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
	while (len < TEXT_MAX - 1 && (n = recv(fd, out + len, TEXT_MAX - 1 - len, 0)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(fd);
	return sscanf(out, "HTTP/1.1 %u", &status) == 1 ? status : 0;
}

/* Asks until a loop that turns answers so; whatever it says before is as good. */
static void expect_live(unsigned expected, char out[static TEXT_MAX])
{
	uint64_t end = sr_time_monotonic_ns() + PATIENCE_S * UINT64_C(1000000000);
	unsigned status = 0;

	while (status != expected && sr_time_monotonic_ns() < end)
		status = ask_live(out);
	assert_int_equal(status, expected);
}

static int call_nothing(void)
{
	static const char body[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"nothing\"}";
	char request[512];
	int fd = connect_to(http_rpc_port(server));
	int len = snprintf(request, sizeof(request),
			   "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n%s",
			   sizeof(body) - 1, body);

	assert_int_equal(send(fd, request, (size_t)len, MSG_NOSIGNAL), len);
	return fd;
}

static int hold_a_server_loop(void)
{
	int fd = -1;

	patience_ms = 200;
	atomic_store(&hold, true);
	fd = call_nothing();
	while (sem_wait(&held))
		;
	return fd;
}

/* ---- tests -------------------------------------------------------------------- */

static void is_live_while_all_loops_turn(void **state)
{
	char answer[TEXT_MAX];

	(void)state;
	usleep(2 * STUCK_AFTER_MS * 1000);
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(ask_live(answer), 200);
		assert_non_null(strstr(answer, "\r\n\r\n{\"status\":\"live\"}"));
	}
}

static void fails_while_one_loop_of_the_server_is_held(void **state)
{
	char answer[TEXT_MAX];
	int fd = hold_a_server_loop();

	(void)state;
	expect_live(503, answer);
	assert_non_null(strstr(answer, "{\"status\":\"stuck\",\"loops\":[\"http-"));
	assert_null(strstr(answer, "main"));
	sem_post(&release);
	expect_live(200, answer);
	close(fd);
}

static void fails_while_the_main_loop_is_held(void **state)
{
	static struct loop_task task = { .run = run_held };
	char answer[TEXT_MAX];

	(void)state;
	atomic_store(&hold, true);
	loop_post(main_loop, &task);
	while (sem_wait(&held))
		;
	expect_live(503, answer);
	assert_non_null(strstr(answer, "{\"status\":\"stuck\",\"loops\":[\"main\"]}"));
	sem_post(&release);
	expect_live(200, answer);
}

/* The thread of the checks waits for the server then, and its loop does not turn. */
static void does_not_ask_for_the_main_loop_while_draining(void **state)
{
	static struct loop_task task = { .run = run_held };
	char answer[TEXT_MAX];

	(void)state;
	health_set_draining(config.health);
	atomic_store(&hold, true);
	loop_post(main_loop, &task);
	while (sem_wait(&held))
		;
	usleep(2 * STUCK_AFTER_MS * 1000);
	assert_int_equal(ask_live(answer), 200);
	sem_post(&release);
}

/* A loop without clients has given its timer back, and a client that left may have left the
 * signer with work. Another loop, whose clients are still waited for, is asked meanwhile. */
static void is_live_while_a_loop_that_winds_up_waits_for_the_signer(void **state)
{
	static struct http_worker workers[2];
	struct http_server both = { .workers = workers, .worker_count = 2 };
	struct http_worker *asked = &workers[0];
	struct http_worker *ending = &workers[1];
	struct sr_error err = { .code = SR_OK };
	struct sr_buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(workers); i++) {
		workers[i] = (struct http_worker){ .server = &both, .config = &config };
		http_worker_beat(&workers[i]);
	}
	assert_true(loop_create(&ending->loop, &err));
	uv_timer_init(loop_uv(ending->loop), &ending->timer);
	ending->timer.data = ending;
	ending->handle_count = 1;
	ending->exchange_count = 1;
	ending->draining = true;
	ending->api_draining = true;
	http_worker_check_done(ending);
	/* a pause of this thread's would excuse the other */
	for (unsigned i = 0; i < 30; i++) {
		usleep(STUCK_AFTER_MS * 1000 / 10);
		http_worker_beat(asked);
	}
	assert_true(http_live_report(asked, &out));
	sr_buf_free(&out);
	ending->exchange_count = 0;
	loop_destroy(ending->loop);
}

/* Further calls are made until each loop of the server has got one that it is held by. */
static void hold_all_loops(int fds[static CALLS_MAX], unsigned *count)
{
	static struct loop_task task = { .run = run_held };
	unsigned loops = 0;

	for (*count = 0; loops < THREADS; (*count)++) {
		struct timespec until;

		assert_true(*count < CALLS_MAX);
		atomic_store(&hold, true);
		fds[*count] = call_nothing();
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 1;
		/* one that came to a held loop waits there, and this for nothing */
		loops += sem_timedwait(&held, &until) == 0;
	}
	atomic_store(&hold, true);
	loop_post(main_loop, &task);
	while (sem_wait(&held))
		;
}

/* As after SIGSTOP and SIGCONT: whichever loop turns first must not accuse the others. */
static void is_live_at_once_when_all_loops_were_held(void **state)
{
	char answer[TEXT_MAX];
	int fds[CALLS_MAX];
	unsigned count = 0;

	(void)state;
	hold_all_loops(fds, &count);
	usleep(2 * STUCK_AFTER_MS * 1000);
	for (unsigned i = 0; i < THREADS + 1; i++)
		sem_post(&release);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(ask_live(answer), 200);
	while (count)
		close(fds[--count]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(is_live_while_all_loops_turn),
		TEST(fails_while_one_loop_of_the_server_is_held),
		TEST(fails_while_the_main_loop_is_held),
		TEST(is_live_at_once_when_all_loops_were_held),
		TEST(does_not_ask_for_the_main_loop_while_draining),
		TEST(is_live_while_a_loop_that_winds_up_waits_for_the_signer),
	};

	return cmocka_run_group_tests_name("http live", tests, NULL, NULL);
}
