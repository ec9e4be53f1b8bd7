/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps the page of bounded size and of one meaning: label values are ours or escaped, slots
 * run out without harm, histograms agree with themselves while they are being written to.
 */
#include "metrics_page.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/metrics_private.h"

#define UPSTREAM "superrelay_upstream_requests_total"
#define DECISIONS "superrelay_sponsorship_decisions_total"
#define WAIT "superrelay_optee_queue_wait_seconds"
#define BATCH "superrelay_optee_batch_size"

static void ask(const char *upstream, const char *method, enum chain_outcome outcome, uint64_t ns)
{
	struct chain_observation seen = {
		.upstream = upstream, .method = method, .outcome = outcome, .duration_ns = ns
	};

	metrics_observe_chain(metrics, &seen);
}

static void wait_for(uint64_t ns)
{
	struct kms_observation seen = { .what = KMS_SEEN_WAIT, .duration_ns = ns };

	metrics_observe_kms(metrics, &seen);
}

static void sign(uint32_t command, TEEC_Result result, unsigned items)
{
	struct kms_observation seen = { .command = command, .result = result, .items = items };

	metrics_observe_kms(metrics, &seen);
}

static size_t count_of(const char *what)
{
	size_t count = 0;

	for (const char *at = read_page(); (at = strstr(at, what)); at++)
		count++;
	return count;
}

/* ---- labels -------------------------------------------------------------------- */

static void escapes_what_would_end_a_label(void **state)
{
	struct metrics_labels labels = { .len = 0 };

	(void)state;
	metrics_label(&labels, "tee", "a\\b\"c\nx\ty");
	metrics_label(&labels, "next", "");
	assert_string_equal(labels.text, "tee=\"a\\\\b\\\"c\\nxy\",next=\"\"");
	assert_int_equal(labels.len, strlen(labels.text));
}

/* A name that was cut may end with half a character, and a scraper refuses a page that is no
 * UTF-8, all of it. */
static void keeps_to_ascii(void **state)
{
	struct metrics_build build = { .tee = "\xc3\xa9t\xc3\xa9 \x7f\xff\xe2\x82" };

	(void)state;
	metrics_set_build(metrics, &build);
	assert_value("superrelay_build_info{version=\"\",backend=\"\",ta_version=\"\",tee=\"t \"}",
		     1);
	for (const char *c = read_page(); *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c < 0x7f));
}

/* Cut, but never in the midst of an escape, and always with its closing quote. */
static void cuts_labels_that_are_too_long(void **state)
{
	char value[600];

	(void)state;
	for (size_t plain = 480; plain < 520; plain++) {
		struct metrics_labels labels = { .len = 0 };
		size_t backslashes = 0;

		memset(value, '"', sizeof(value));
		memset(value, 'x', plain);
		value[sizeof(value) - 1] = '\0';
		metrics_label(&labels, "l", value);
		assert_true(labels.len < sizeof(labels.text));
		assert_int_equal(labels.len, strlen(labels.text));
		assert_int_equal(labels.text[labels.len - 1], '"');
		while (labels.text[labels.len - 2 - backslashes] == '\\')
			backslashes++;
		assert_int_equal(backslashes % 2, 0);
		/* and one that has no room at all is left out */
		metrics_label(&labels, "a_name_without_any_room_for_it", "v");
		assert_null(strstr(labels.text, "a_name_without"));
	}
}

static void tells_the_build_with_its_strange_characters(void **state)
{
	struct metrics_build build = { .version = "1.2.3",
				       .backend = "optee",
				       .has_tee = true,
				       .ta_version = "4.5.6",
				       .tee = "OP-TEE \"x\\y\"",
				       .rollback_protection = 1000 };

	(void)state;
	metrics_set_build(metrics, &build);
	assert_value("superrelay_build_info{version=\"1.2.3\",backend=\"optee\","
		     "ta_version=\"4.5.6\",tee=\"OP-TEE \\\"x\\\\y\\\"\"}",
		     1);
	assert_value("superrelay_optee_rollback_protection", 1000);
}

/* ---- slots ------------------------------------------------------------------------ */

static char names[2 * METRICS_METHODS_MAX][16];

/* No caller has so many; if one ever does, the rest is not counted, and nothing is overrun. */
static void keeps_what_it_has_when_methods_run_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(names); i++) {
		struct rpc_observation seen = { .method = names[i], .duration_ns = 1 };

		snprintf(names[i], sizeof(names[i]), "method_%zu", i);
		metrics_observe_rpc(metrics, &seen);
		ask("node", names[i], CHAIN_OK, 1);
	}
	assert_value("superrelay_rpc_requests_total{method=\"method_63\",result=\"ok\"}", 1);
	assert_false(
		has_series("superrelay_rpc_requests_total{method=\"method_64\",result=\"ok\"}"));
	assert_int_equal(count_of("\nsuperrelay_rpc_requests_total{"), 2 * METRICS_METHODS_MAX);
	assert_int_equal(count_of("\n" UPSTREAM "{"), CHAIN_OUTCOMES * METRICS_METHODS_MAX);
}

static void keeps_what_it_has_when_errors_run_out(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 2 * METRICS_RESULTS_MAX; i++)
		sign(SR_TA_CMD_SIGN_MESSAGE, 0x80000000u + i, 1);
	assert_int_equal(count_of("\nsuperrelay_optee_errors_total{"), METRICS_RESULTS_MAX);
	assert_value(
		"superrelay_optee_operations_total{operation=\"sign_message\",result=\"error\"}",
		2 * METRICS_RESULTS_MAX);
}

static void has_the_methods_that_are_served_before_anybody_calls(void **state)
{
	struct rpc rpc = { .node_methods = { "eth_call", "eth_getCode" }, .node_method_count = 2 };
	const char *method = NULL;
	size_t count = 0;

	(void)state;
	for (; (method = rpc_method_name(&rpc, count)); count++)
		metrics_expect_method(metrics, method);
	assert_value("superrelay_rpc_requests_total{method=\"unknown\",result=\"ok\"}", 0);
	assert_value(
		"superrelay_rpc_requests_total{method=\"pm_getPaymasterData\",result=\"error\"}",
		0);
	assert_value("superrelay_rpc_requests_total{method=\"eth_getCode\",result=\"ok\"}", 0);
	assert_int_equal(count_of("\nsuperrelay_rpc_requests_total{"), 2 * count);
	/* the histograms come with the first call */
	assert_int_equal(count_of("\nsuperrelay_rpc_request_duration_seconds_count{"), 0);
	/* the most that a configuration may name leaves room */
	assert_true(count - 2 + RPC_NODE_METHODS_MAX <= METRICS_METHODS_MAX);
}

/* ---- figures ------------------------------------------------------------------------ */

static void counts_each_decision_under_its_reason(void **state)
{
	char series[120];

	(void)state;
	for (unsigned i = 0; i < PAYMASTER_REASONS; i++) {
		for (unsigned times = 0; times <= i; times++)
			metrics_observe_paymaster(metrics, (enum paymaster_reason)i);
	}
	for (unsigned i = 0; i < PAYMASTER_REASONS; i++) {
		snprintf(series, sizeof(series), DECISIONS "{decision=\"%s\",reason=\"%s\"}",
			 paymaster_decision_name((enum paymaster_reason)i),
			 paymaster_reason_name((enum paymaster_reason)i));
		assert_value(series, i + 1);
	}
	assert_value(DECISIONS "{decision=\"sponsored\",reason=\"ok\"}", 1);
	assert_int_equal(count_of("\n" DECISIONS "{"), PAYMASTER_REASONS);
}

static void counts_attempts_by_upstream_and_outcome(void **state)
{
	(void)state;
	ask("node", "eth_call", CHAIN_OK, 2000000);
	ask("node", "eth_call", CHAIN_TIMEOUT, 10000000000);
	ask("bundler", "eth_call", CHAIN_ERROR, 1);
	/* one that was not asked took no time */
	ask("bundler", "eth_call", CHAIN_BUSY, 0);
	assert_value(UPSTREAM "{upstream=\"node\",method=\"eth_call\",result=\"ok\"}", 1);
	assert_value(UPSTREAM "{upstream=\"node\",method=\"eth_call\",result=\"timeout\"}", 1);
	assert_value(UPSTREAM "{upstream=\"node\",method=\"eth_call\",result=\"malformed\"}", 0);
	assert_value(UPSTREAM "{upstream=\"bundler\",method=\"eth_call\",result=\"error\"}", 1);
	assert_value(UPSTREAM "{upstream=\"bundler\",method=\"eth_call\",result=\"busy\"}", 1);
	assert_value("superrelay_upstream_request_duration_seconds_count{upstream=\"node\"}", 2);
	assert_value("superrelay_upstream_request_duration_seconds_sum{upstream=\"node\"}", 10.002);
	assert_value("superrelay_upstream_request_duration_seconds_count{upstream=\"bundler\"}", 1);
}

static void takes_successful_signing_commands_alone_for_batches(void **state)
{
	(void)state;
	sign(SR_TA_CMD_SIGN_SPONSORSHIP, TEEC_SUCCESS, 1);
	sign(SR_TA_CMD_SIGN_SPONSORSHIP, TEEC_SUCCESS, 16);
	sign(SR_TA_CMD_SIGN_TRANSACTION, TEEC_SUCCESS, 3);
	sign(SR_TA_CMD_SIGN_MESSAGE, TEEC_SUCCESS, 65);
	sign(SR_TA_CMD_SIGN_SPONSORSHIP, TEEC_ERROR_TARGET_DEAD, 5);
	sign(SR_TA_CMD_GET_PUBLIC_KEY, TEEC_SUCCESS, 1);
	assert_value(BATCH "_bucket{le=\"1\"}", 1);
	assert_value(BATCH "_bucket{le=\"2\"}", 1);
	assert_value(BATCH "_bucket{le=\"4\"}", 2);
	assert_value(BATCH "_bucket{le=\"16\"}", 3);
	assert_value(BATCH "_bucket{le=\"64\"}", 3);
	assert_value(BATCH "_bucket{le=\"+Inf\"}", 4);
	assert_value(BATCH "_count", 4);
	assert_value(BATCH "_sum", 85);
	assert_value("superrelay_optee_key_operations_total{operation=\"sign\",result=\"ok\"}", 85);
}

static void takes_a_wait_for_no_command(void **state)
{
	(void)state;
	wait_for(60000);
	wait_for(6000000000);
	assert_value(WAIT "_bucket{le=\"5e-05\"}", 0);
	assert_value(WAIT "_bucket{le=\"0.0001\"}", 1);
	assert_value(WAIT "_bucket{le=\"5\"}", 1);
	assert_value(WAIT "_count", 2);
	assert_value(WAIT "_sum", 6.00006);
	/* command 0 is one, and was not sent */
	assert_int_equal(count_of("result=\"ok\"} 1\n"), 0);
}

static void counts_responses_where_they_were_given(void **state)
{
	(void)state;
	metrics_count_response(metrics, HTTP_SIDE_API, HTTP_ROUTE_READY, 503);
	metrics_count_response(metrics, HTTP_SIDE_RPC, HTTP_ROUTE_OTHER, 404);
	metrics_count_response(metrics, HTTP_SIDE_RPC, HTTP_ROUTE_OTHER, 431);
	/* a status that has no counter counts as 500 */
	metrics_count_response(metrics, HTTP_SIDE_RPC, HTTP_ROUTE_RPC, 599);
	metrics_count_connection(metrics, HTTP_SIDE_RPC, true);
	metrics_count_connection(metrics, HTTP_SIDE_RPC, true);
	metrics_count_connection(metrics, HTTP_SIDE_RPC, false);
	metrics_set_connection_limit(metrics, HTTP_SIDE_RPC, 100000);
	metrics_set_connection_limit(metrics, HTTP_SIDE_API, 256);
#define RESPONSES "superrelay_http_requests_total"
	assert_value(RESPONSES "{listener=\"http_api\",route=\"/ready\",code=\"503\"}", 1);
	assert_value(RESPONSES "{listener=\"json_rpc\",route=\"other\",code=\"404\"}", 1);
	assert_value(RESPONSES "{listener=\"json_rpc\",route=\"other\",code=\"431\"}", 1);
	assert_value(RESPONSES "{listener=\"json_rpc\",route=\"/rpc\",code=\"500\"}", 1);
	assert_value(RESPONSES "{listener=\"json_rpc\",route=\"/ready\",code=\"503\"}", 0);
	assert_value("superrelay_http_connections{listener=\"json_rpc\"}", 1);
	assert_value("superrelay_http_connections{listener=\"http_api\"}", 0);
	assert_value("superrelay_http_max_connections{listener=\"json_rpc\"}", 100000);
	assert_value("superrelay_http_max_connections{listener=\"http_api\"}", 256);
}

static void finds_the_route_of_each_target(void **state)
{
	static const struct {
		enum http_side side;
		const char *target;
		enum http_route route;
	} targets[] = {
		{ HTTP_SIDE_RPC, "/", HTTP_ROUTE_ROOT },
		{ HTTP_SIDE_RPC, "/?a=/rpc", HTTP_ROUTE_ROOT },
		{ HTTP_SIDE_RPC, "/rpc#x", HTTP_ROUTE_RPC },
		{ HTTP_SIDE_RPC, "HTTP://h", HTTP_ROUTE_ROOT },
		{ HTTP_SIDE_RPC, "http://h/ready", HTTP_ROUTE_READY },
		{ HTTP_SIDE_RPC, "/metrics", HTTP_ROUTE_OTHER },
		{ HTTP_SIDE_RPC, "", HTTP_ROUTE_OTHER },
		{ HTTP_SIDE_API, "/", HTTP_ROUTE_OTHER },
		{ HTTP_SIDE_API, "/metrics", HTTP_ROUTE_METRICS },
		{ HTTP_SIDE_API, "/metrics/", HTTP_ROUTE_OTHER },
		{ HTTP_SIDE_API, "/live", HTTP_ROUTE_LIVE },
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(targets); i++)
		assert_int_equal(http_find_route(targets[i].side, targets[i].target),
				 targets[i].route);
}

static void tells_of_the_process_itself(void **state)
{
	double before = value_of("process_cpu_seconds_total");
	volatile uint64_t spent = 0;

	(void)state;
	for (unsigned i = 0; i < 20000000; i++)
		spent += i;
	assert_true(value_of("process_cpu_seconds_total") > before);
	assert_true(value_of("process_resident_memory_bytes") > 100000);
	assert_true(value_of("process_virtual_memory_bytes") >=
		    value_of("process_resident_memory_bytes"));
	assert_true(value_of("process_threads") >= 1);
	assert_true(value_of("process_open_fds") >= 3);
	assert_true(value_of("process_max_fds") >= value_of("process_open_fds"));
}

/* ---- while it is being written to ------------------------------------------------- */

static atomic_bool enough;

static void *sign_on(void *arg)
{
	(void)arg;
	for (unsigned i = 0; !atomic_load(&enough); i++) {
		sign(SR_TA_CMD_SIGN_SPONSORSHIP, TEEC_SUCCESS, 1 + i % 64);
		wait_for(1000u << i % 24);
	}
	return NULL;
}

/* Of one scrape: buckets that rise, and a count that is the last of them. */
static void assert_adds_up(const char *page, const char *name)
{
	char prefix[96];
	double last = 0;
	const char *at = page;
	size_t len = (size_t)snprintf(prefix, sizeof(prefix), "\n%s_bucket{le=", name);

	while ((at = strstr(at, prefix))) {
		double value = strtod(strchr(at + len, ' '), NULL);

		assert_true(value >= last);
		last = value;
		at += len;
	}
	snprintf(prefix, sizeof(prefix), "\n%s_count ", name);
	at = strstr(page, prefix);
	assert_non_null(at);
	assert_true(strtod(at + strlen(prefix), NULL) - last == 0);
}

static void adds_up_in_every_scrape_under_load(void **state)
{
	pthread_t threads[2];

	(void)state;
	atomic_store(&enough, false);
	for (size_t i = 0; i < SR_ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_on, NULL), 0);
	for (unsigned i = 0; i < 100; i++) {
		const char *page = read_page();

		assert_adds_up(page, BATCH);
		assert_adds_up(page, WAIT);
	}
	atomic_store(&enough, true);
	for (size_t i = 0; i < SR_ARRAY_LEN(threads); i++)
		pthread_join(threads[i], NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, metrics_setup, metrics_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(escapes_what_would_end_a_label),
		TEST(keeps_to_ascii),
		TEST(cuts_labels_that_are_too_long),
		TEST(tells_the_build_with_its_strange_characters),
		TEST(keeps_what_it_has_when_methods_run_out),
		TEST(keeps_what_it_has_when_errors_run_out),
		TEST(has_the_methods_that_are_served_before_anybody_calls),
		TEST(counts_each_decision_under_its_reason),
		TEST(counts_attempts_by_upstream_and_outcome),
		TEST(takes_successful_signing_commands_alone_for_batches),
		TEST(takes_a_wait_for_no_command),
		TEST(counts_responses_where_they_were_given),
		TEST(finds_the_route_of_each_target),
		TEST(tells_of_the_process_itself),
		TEST(adds_up_in_every_scrape_under_load),
	};

	return cmocka_run_group_tests_name("http metrics' bounds", tests, NULL, NULL);
}
