/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metrics page as a scraper reads it, and docs/metrics.md as the list of what may stand on it:
 * each family has its row there. That each row has its family is for a whole relay to show
 * (tests/e2e/metrics.test.mjs).
 */
#include "metrics_page.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAMILIES_MAX 64
#define NAME_SIZE 80
#define LABELS_SIZE 80
#define LINE_SIZE 512

#define DURATION "superrelay_optee_operation_duration_seconds"
#define SPONSORING "operation=\"sign_sponsorship\""

/* A family as the page or the document has it. */
struct family {
	char name[NAME_SIZE];
	char type[16];
	char labels[LABELS_SIZE]; /* their names: "operation, error"; of the first sample */
	bool sampled;
};

struct families {
	struct family items[FAMILIES_MAX];
	size_t count;
};

/* ---- observing ------------------------------------------------------------ */

static void observe_command(uint32_t command, TEEC_Result result, uint64_t ns, unsigned items)
{
	struct kms_observation seen = {
		.command = command, .result = result, .duration_ns = ns, .items = items
	};

	metrics_observe_kms(metrics, &seen);
}

static void observe_call(const char *method, int code, uint64_t ns)
{
	struct rpc_observation seen = { .method = method, .code = code, .duration_ns = ns };

	metrics_observe_rpc(metrics, &seen);
}

/* So that every family has at least one sample. */
static void observe_something_of_all(void)
{
	struct chain_observation asked = {
		.upstream = "node", .method = "eth_call", .outcome = CHAIN_OK, .duration_ns = 9
	};

	observe_command(SR_TA_CMD_SIGN_SPONSORSHIP, TEEC_SUCCESS, 70000, 3);
	observe_command(SR_TA_CMD_SIGN_SPONSORSHIP, TEEC_SUCCESS, 2000000000, 1);
	observe_command(SR_TA_CMD_GENERATE_KEY, TEEC_ERROR_ACCESS_CONFLICT, 90000, 1);
	observe_call("pm_getPaymasterData", 0, 80000);
	observe_call("unknown", RPC_METHOD_NOT_FOUND, 10000);
	metrics_observe_chain(metrics, &asked);
}

/* ---- reading lines --------------------------------------------------------- */

/* Cuts the next line from *at; false at the end. Every line must have its end. */
static bool next_line(const char **at, char line[static LINE_SIZE])
{
	const char *end = strchr(*at, '\n');
	size_t len = end ? (size_t)(end - *at) : 0;

	if (!**at)
		return false;
	assert_non_null(end);
	assert_true(len < LINE_SIZE);
	memcpy(line, *at, len);
	line[len] = '\0';
	*at = end + 1;
	return true;
}

static void copy(char *out, size_t size, const char *from, size_t len)
{
	assert_true(len > 0 && len < size);
	memcpy(out, from, len);
	out[len] = '\0';
}

static struct family *find(struct families *all, const char *name)
{
	for (size_t i = 0; i < all->count; i++) {
		if (strcmp(all->items[i].name, name) == 0)
			return &all->items[i];
	}
	return NULL;
}

static struct family *add_family(struct families *all, const char *name, size_t len)
{
	struct family *f = &all->items[all->count];

	assert_true(all->count < FAMILIES_MAX);
	copy(f->name, sizeof(f->name), name, len);
	/* all lines of a family stand together: it can begin only once */
	assert_null(find(all, f->name));
	all->count++;
	return f;
}

/* What may stand behind a family's name in a sample of its. */
static bool is_suffix(const struct family *f, const char *suffix, size_t len)
{
	static const char *const histogram[] = { "_bucket", "_sum", "_count" };

	if (strcmp(f->type, "histogram") != 0)
		return len == 0;
	for (size_t i = 0; i < SR_ARRAY_LEN(histogram); i++) {
		if (len == strlen(histogram[i]) && strncmp(suffix, histogram[i], len) == 0)
			return true;
	}
	return false;
}

/* {name="value",…}: names into out, le left aside; what follows the brace. */
static const char *read_labels(const char *at, char out[static LABELS_SIZE])
{
	size_t used = 0;

	out[0] = '\0';
	while (*at != '}') {
		size_t name = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_");
		size_t value = strcspn(at + 1 + name + 2, "\"\\\n");

		assert_true(*at == '{' || *at == ',');
		assert_true(name > 0 && strncmp(at + 1 + name, "=\"", 2) == 0);
		if (name != 2 || strncmp(at + 1, "le", 2) != 0)
			used += (size_t)snprintf(out + used, LABELS_SIZE - used, "%s%.*s",
						 used ? ", " : "", (int)name, at + 1);
		assert_true(used < LABELS_SIZE);
		at += 1 + name + 2 + value;
		assert_int_equal(*at, '"');
		at++;
	}
	return at + 1;
}

static void read_sample(struct family *f, const char *line)
{
	size_t base = f ? strlen(f->name) : 0;
	size_t name = strcspn(line, "{ ");
	char labels[LABELS_SIZE] = "";
	const char *at = line + name;
	char *end = NULL;

	assert_non_null(f);
	if (strncmp(line, f->name, base) != 0 || !is_suffix(f, line + base, name - base))
		fail_msg("'%s' stands among the lines of %s", line, f->name);
	if (*at == '{')
		at = read_labels(at, labels);
	assert_int_equal(*at, ' ');
	assert_true(strtod(at + 1, &end) >= 0);
	assert_true(end != at + 1 && *end == '\0');
	if (f->sampled)
		assert_string_equal(labels, f->labels);
	memcpy(f->labels, labels, sizeof(labels));
	f->sampled = true;
}

/* HELP, then TYPE of the same name, then its samples; the format's version 0.0.4. */
static void read_families(const char *text, struct families *all)
{
	char line[LINE_SIZE];
	struct family *f = NULL;
	bool wants_type = false;

	while (next_line(&text, line)) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			assert_false(wants_type);
			f = add_family(all, line + 7, strcspn(line + 7, " "));
			assert_true(strlen(line) > 7 + strlen(f->name) + 1);
			wants_type = true;
		} else if (strncmp(line, "# TYPE ", 7) == 0) {
			size_t len = strcspn(line + 7, " ");

			assert_true(wants_type);
			assert_int_equal(len, strlen(f->name));
			assert_memory_equal(line + 7, f->name, len);
			copy(f->type, sizeof(f->type), line + 8 + len, strlen(line + 8 + len));
			wants_type = false;
		} else {
			assert_false(wants_type);
			read_sample(f, line);
		}
	}
}

/* ---- reading the document ---------------------------------------------------- */

static char *read_document(void)
{
	FILE *file = fopen(SR_SOURCE_DIR "/docs/metrics.md", "r");
	size_t size = (size_t)64 * 1024;
	char *text = calloc(1, size);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, size - 1, file) < size - 1);
	fclose(file);
	return text;
}

/* A cell's text without spaces around it and without backticks in it. */
static const char *read_cell(const char *at, char *out, size_t size)
{
	size_t used = 0;

	for (at += strspn(at, " "); *at && *at != '|'; at++) {
		assert_true(used + 1 < size);
		if (*at != '`')
			out[used++] = *at;
	}
	while (used && out[used - 1] == ' ')
		used--;
	out[used] = '\0';
	assert_int_equal(*at, '|');
	return at + 1;
}

/* The rows "| `name` | type | labels | meaning |" of the one table of metrics. */
static void read_rows(const char *text, struct families *all)
{
	char line[LINE_SIZE];
	char name[NAME_SIZE];
	char meaning[LINE_SIZE];

	while (next_line(&text, line)) {
		struct family *f = NULL;
		const char *at = line + 1;

		if (strncmp(line, "| `superrelay_", 14) != 0 &&
		    strncmp(line, "| `process_", 11) != 0)
			continue;
		at = read_cell(at, name, sizeof(name));
		f = add_family(all, name, strlen(name));
		at = read_cell(at, f->type, sizeof(f->type));
		at = read_cell(at, f->labels, sizeof(f->labels));
		read_cell(at, meaning, sizeof(meaning));
		assert_true(strlen(meaning) > 0);
	}
}

/* ---- tests -------------------------------------------------------------------- */

static void documents_each_metric(void **state)
{
	struct families emitted = { .count = 0 };
	struct families documented = { .count = 0 };
	char *text = read_document();

	(void)state;
	observe_something_of_all();
	read_families(read_page(), &emitted);
	read_rows(text, &documented);
	free(text);
	for (size_t i = 0; i < emitted.count; i++) {
		const struct family *f = &emitted.items[i];
		const struct family *row = find(&documented, f->name);

		if (!row)
			fail_msg("docs/metrics.md has no row for %s", f->name);
		assert_string_equal(row->type, f->type);
		assert_true(f->sampled);
		assert_string_equal(row->labels, f->labels);
	}
	assert_true(emitted.count > 0);
}

static void writes_valid_text_before_anything_is_observed(void **state)
{
	struct families all = { .count = 0 };

	(void)state;
	read_families(read_page(), &all);
	assert_non_null(find(&all, "superrelay_optee_operations_total"));
	assert_value("superrelay_optee_operations_total{operation=\"generate_key\",result=\"ok\"}",
		     0);
}

static void writes_every_series_once(void **state)
{
	const char *text = NULL;
	char line[LINE_SIZE];

	(void)state;
	observe_something_of_all();
	observe_something_of_all();
	text = read_page();
	while (next_line(&text, line)) {
		char *value = strrchr(line, ' ');

		if (line[0] == '#')
			continue;
		/* the space stays: no series is the beginning of another */
		value[1] = '\0';
		assert_null(strstr(text, line));
	}
}

static void adds_up_the_buckets_of_a_duration(void **state)
{
	const char *text = NULL;
	char line[LINE_SIZE];
	double last = 0;
	unsigned buckets = 0;

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		observe_command(SR_TA_CMD_SIGN_SPONSORSHIP, TEEC_SUCCESS, 1000u << i % 24, 1);
	text = read_page();
	while (next_line(&text, line)) {
		double value = strtod(strrchr(line, ' '), NULL);

		if (strncmp(line, DURATION "_bucket{" SPONSORING,
			    strlen(DURATION "_bucket{" SPONSORING)) != 0)
			continue;
		assert_true(value >= last);
		last = value;
		buckets++;
	}
	assert_true(buckets > 2);
	assert_value(DURATION "_bucket{" SPONSORING ",le=\"+Inf\"}", 40);
	assert_value(DURATION "_count{" SPONSORING "}", 40);
}

static void counts_a_duration_on_a_bound_as_within_it(void **state)
{
	(void)state;
	observe_command(SR_TA_CMD_SIGN_SPONSORSHIP, TEEC_SUCCESS, 50000, 1);
	observe_command(SR_TA_CMD_SIGN_SPONSORSHIP, TEEC_SUCCESS, 50001, 1);
	observe_command(SR_TA_CMD_SIGN_SPONSORSHIP, TEEC_SUCCESS, 5000000001, 1);
	assert_value(DURATION "_bucket{" SPONSORING ",le=\"5e-05\"}", 1);
	assert_value(DURATION "_bucket{" SPONSORING ",le=\"0.0001\"}", 2);
	assert_value(DURATION "_bucket{" SPONSORING ",le=\"5\"}", 2);
	assert_value(DURATION "_bucket{" SPONSORING ",le=\"+Inf\"}", 3);
	assert_value(DURATION "_sum{" SPONSORING "}", 5.000100002);
}

static void counts_a_batch_once_as_command_and_whole_as_signatures(void **state)
{
	(void)state;
	observe_command(SR_TA_CMD_SIGN_SPONSORSHIP, TEEC_SUCCESS, 1000, 16);
	observe_command(SR_TA_CMD_SIGN_SPONSORSHIP, TEEC_SUCCESS, 1000, 2);
	observe_command(SR_TA_CMD_SIGN_MESSAGE, TEEC_SUCCESS, 1000, 5);
	observe_command(SR_TA_CMD_SIGN_SPONSORSHIP, TEEC_ERROR_TARGET_DEAD, 1000, 7);
	assert_value("superrelay_optee_operations_total{" SPONSORING ",result=\"ok\"}", 2);
	assert_value("superrelay_optee_operations_total{" SPONSORING ",result=\"error\"}", 1);
	assert_value("superrelay_optee_key_operations_total{operation=\"sign\",result=\"ok\"}", 23);
	assert_value("superrelay_optee_key_operations_total{operation=\"sign\",result=\"error\"}",
		     7);
	assert_value("superrelay_optee_key_operations_total{operation=\"delete\",result=\"ok\"}",
		     0);
}

static void names_errors_by_their_globalplatform_result(void **state)
{
	(void)state;
	observe_command(SR_TA_CMD_GET_PUBLIC_KEY, TEEC_ERROR_ITEM_NOT_FOUND, 1000, 1);
	observe_command(SR_TA_CMD_GET_PUBLIC_KEY, TEEC_ERROR_ITEM_NOT_FOUND, 1000, 1);
	observe_command(SR_TA_CMD_DELETE_KEY, TEEC_ERROR_ITEM_NOT_FOUND, 1000, 1);
	observe_command(SR_TA_CMD_GENERATE_KEY, 0x8000abcd, 1000, 1);
	assert_value("superrelay_optee_errors_total{operation=\"get_public_key\","
		     "error=\"TEEC_ERROR_ITEM_NOT_FOUND\"}",
		     2);
	assert_value("superrelay_optee_errors_total{operation=\"delete_key\","
		     "error=\"TEEC_ERROR_ITEM_NOT_FOUND\"}",
		     1);
	assert_value("superrelay_optee_errors_total{operation=\"generate_key\","
		     "error=\"0x8000abcd\"}",
		     1);
}

static void counts_calls_by_method_and_outcome(void **state)
{
	char method[] = "eth_chainId";

	(void)state;
	observe_call("eth_chainId", 0, 1500000000);
	/* the same name at another address is the same method */
	observe_call(method, RPC_INVALID_PARAMS, 500000000);
	observe_call("unknown", RPC_METHOD_NOT_FOUND, 1);
	assert_value("superrelay_rpc_requests_total{method=\"eth_chainId\",result=\"ok\"}", 1);
	assert_value("superrelay_rpc_requests_total{method=\"eth_chainId\",result=\"error\"}", 1);
	assert_value("superrelay_rpc_requests_total{method=\"unknown\",result=\"error\"}", 1);
	assert_value("superrelay_rpc_request_duration_seconds_sum{method=\"eth_chainId\"}", 2);
	assert_value("superrelay_rpc_request_duration_seconds_count{method=\"eth_chainId\"}", 2);
}

/* The page but for what changes by itself. */
static char *without_process(void)
{
	const char *text = read_page();
	const char *end = strstr(text, "# HELP process_");
	char *copied = NULL;

	assert_non_null(end);
	copied = strndup(text, (size_t)(end - text));
	assert_non_null(copied);
	return copied;
}

static void leaves_commands_aside_that_are_none(void **state)
{
	char *before = without_process();
	char *after = NULL;

	(void)state;
	observe_command(SR_TA_CMD_ROTATE_KEY + 1, TEEC_SUCCESS, 1000, 1);
	observe_command(UINT32_MAX, TEEC_ERROR_GENERIC, 1000, 1);
	after = without_process();
	assert_string_equal(after, before);
	free(before);
	free(after);
}

static void tells_when_the_process_started(void **state)
{
	double now = (double)sr_time_unix_ms() / 1000;
	double started = value_of("process_start_time_seconds");

	(void)state;
	assert_true(started <= now && started > now - 60);
}

/* ---- gauges -------------------------------------------------------------------- */

static TEEC_Result open_context(const char *name, TEEC_Context *context)
{
	(void)name;
	(void)context;
	return TEEC_SUCCESS;
}

static void close_context(TEEC_Context *context)
{
	(void)context;
}

static TEEC_Result open_session(TEEC_Context *context, TEEC_Session *session, const TEEC_UUID *uuid,
				uint32_t method, const void *data, TEEC_Operation *operation,
				uint32_t *origin)
{
	(void)context;
	(void)session;
	(void)uuid;
	(void)method;
	(void)data;
	(void)operation;
	*origin = TEEC_ORIGIN_TEE;
	return TEEC_SUCCESS;
}

static void close_session(TEEC_Session *session)
{
	(void)session;
}

static TEEC_Result allocate(TEEC_Context *context, TEEC_SharedMemory *memory)
{
	(void)context;
	memory->buffer = calloc(1, memory->size);
	return memory->buffer ? TEEC_SUCCESS : TEEC_ERROR_OUT_OF_MEMORY;
}

static void release(TEEC_SharedMemory *memory)
{
	free(memory->buffer);
}

/* A TEE that has sessions and nothing else: enough for what a gauge shows. */
static void reads_the_gauges_from_the_kms(void **state)
{
	struct kms_config config = { .api = { .name = "test",
					      .initialize_context = open_context,
					      .finalize_context = close_context,
					      .open_session = open_session,
					      .close_session = close_session,
					      .allocate_shared_memory = allocate,
					      .release_shared_memory = release },
				     .pool_size = 2,
				     .batch_size = 1,
				     .min_batch = 1,
				     .queue_limit = 1 };
	struct sr_error err = { .code = SR_OK };
	struct kms *kms = NULL;

	(void)state;
	assert_value("superrelay_optee_sessions_active", 0);
	assert_true(kms_open(&config, &kms, &err));
	metrics_set_kms(metrics, kms);
	assert_value("superrelay_optee_sessions_active", 1);
	assert_value("superrelay_optee_queue_depth", 0);
	metrics_set_kms(metrics, NULL);
	kms_close(kms, 0);
	assert_value("superrelay_optee_sessions_active", 0);
}

/* ---- threads ------------------------------------------------------------------- */

#define THREADS 4
#define ROUNDS 5000

static const char *const methods[] = { "eth_call", "eth_chainId", "eth_gasPrice", "net_version" };

static void *observe_much(void *arg)
{
	unsigned first = *(const unsigned *)arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		observe_call(methods[(first + i) % THREADS], 0, 1);
		observe_command(SR_TA_CMD_DELETE_KEY, TEEC_ERROR_BUSY + (first + i) % THREADS, 1,
				1);
	}
	return NULL;
}

/* All threads race for the same free slots: none may be taken twice for one name. */
static void loses_nothing_to_concurrent_observers(void **state)
{
	pthread_t threads[THREADS];
	unsigned first[THREADS];
	char series[160];

	(void)state;
	for (unsigned i = 0; i < THREADS; i++) {
		first[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, observe_much, &first[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned i = 0; i < THREADS; i++) {
		snprintf(series, sizeof(series),
			 "superrelay_rpc_requests_total{method=\"%s\",result=\"ok\"}", methods[i]);
		assert_value(series, ROUNDS);
	}
	assert_value("superrelay_optee_errors_total{operation=\"delete_key\","
		     "error=\"TEEC_ERROR_BUSY\"}",
		     ROUNDS);
	assert_value("superrelay_optee_operations_total{operation=\"delete_key\",result=\"error\"}",
		     THREADS * ROUNDS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, metrics_setup, metrics_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(documents_each_metric),
		TEST(writes_valid_text_before_anything_is_observed),
		TEST(writes_every_series_once),
		TEST(adds_up_the_buckets_of_a_duration),
		TEST(counts_a_duration_on_a_bound_as_within_it),
		TEST(counts_a_batch_once_as_command_and_whole_as_signatures),
		TEST(names_errors_by_their_globalplatform_result),
		TEST(counts_calls_by_method_and_outcome),
		TEST(leaves_commands_aside_that_are_none),
		TEST(tells_when_the_process_started),
		TEST(reads_the_gauges_from_the_kms),
		TEST(loses_nothing_to_concurrent_observers),
	};

	return cmocka_run_group_tests_name("http metrics", tests, NULL, NULL);
}
