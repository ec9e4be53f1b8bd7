/* SPDX-License-Identifier: Apache-2.0 */
/* Counters in the Prometheus text format. All are atomics: observing takes no lock. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit.h"
#include "http/http.h"

#define METHODS_MAX 64
#define RESULTS_MAX 32

/* Upper bounds of the duration buckets, in microseconds: from one signature in
 * the simulator to a batch under emulation. */
static const uint64_t bounds_us[] = { 50,    100,   250,   500,	   1000,   2500,   5000,
				      10000, 25000, 50000, 100000, 250000, 1000000 };
#define BOUNDS SR_ARRAY_LEN(bounds_us)

struct command {
	_Atomic uint64_t ok;
	_Atomic uint64_t failed;
	_Atomic uint64_t items; /* keys or signatures asked for by successful calls */
	_Atomic uint64_t items_failed;
	_Atomic uint64_t buckets[BOUNDS + 1];
	_Atomic uint64_t sum_ns;
};

/* One TEE result of one command; a slot is claimed by its first use. */
struct result_slot {
	_Atomic uint64_t key; /* command + 1 in the high half, result in the low; 0: free */
	_Atomic uint64_t count;
};

struct method {
	_Atomic(const char *) name; /* the caller's constant; NULL: free */
	_Atomic uint64_t ok;
	_Atomic uint64_t failed;
	_Atomic uint64_t sum_ns;
};

struct metrics {
	struct command commands[SR_TA_COMMANDS];
	struct result_slot results[RESULTS_MAX];
	struct method methods[METHODS_MAX];
	_Atomic(const struct kms *) kms;
	uint64_t started_s;
};

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

bool metrics_create(struct metrics **out, struct sr_error *err)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory for metrics");
	(*out)->started_s = sr_time_unix_s();
	return true;
}

void metrics_destroy(struct metrics *m)
{
	free(m);
}

void metrics_set_kms(struct metrics *m, const struct kms *kms)
{
	atomic_store(&m->kms, kms);
}

static void count_error(struct metrics *m, uint32_t command, TEEC_Result result)
{
	uint64_t key = (uint64_t)(command + 1) << 32 | result;

	for (size_t i = 0; i < RESULTS_MAX; i++) {
		uint64_t expected = 0;

		if (get(&m->results[i].key) == key ||
		    atomic_compare_exchange_strong(&m->results[i].key, &expected, key) ||
		    expected == key) {
			add(&m->results[i].count, 1);
			return;
		}
	}
}

void metrics_observe_kms(void *arg, const struct kms_observation *seen)
{
	struct metrics *m = arg;
	struct command *c = NULL;
	size_t bucket = 0;

	if (seen->command >= SR_TA_COMMANDS)
		return;
	c = &m->commands[seen->command];
	while (bucket < BOUNDS && seen->duration_ns > bounds_us[bucket] * 1000u)
		bucket++;
	add(&c->buckets[bucket], 1);
	add(&c->sum_ns, seen->duration_ns);
	if (seen->result == TEEC_SUCCESS) {
		add(&c->ok, 1);
		add(&c->items, seen->items);
	} else {
		add(&c->failed, 1);
		add(&c->items_failed, seen->items);
		count_error(m, seen->command, seen->result);
	}
}

void metrics_observe_rpc(void *arg, const struct rpc_observation *seen)
{
	struct metrics *m = arg;

	for (size_t i = 0; i < METHODS_MAX; i++) {
		const char *expected = NULL;
		const char *name = atomic_load_explicit(&m->methods[i].name, memory_order_acquire);

		if (!name &&
		    atomic_compare_exchange_strong(&m->methods[i].name, &expected, seen->method))
			name = seen->method;
		else if (!name)
			name = expected;
		if (strcmp(name, seen->method) != 0)
			continue;
		add(seen->code ? &m->methods[i].failed : &m->methods[i].ok, 1);
		add(&m->methods[i].sum_ns, seen->duration_ns);
		return;
	}
}

/* ---- text ---------------------------------------------------------------- */

static void put_head(struct sr_buf *out, const char *name, const char *type, const char *help)
{
	sr_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_seconds(struct sr_buf *out, uint64_t ns)
{
	sr_buf_printf(out, "%llu.%09llu\n", (unsigned long long)(ns / 1000000000u),
		      (unsigned long long)(ns % 1000000000u));
}

static void put_operations(const struct metrics *m, struct sr_buf *out)
{
	put_head(out, "superrelay_optee_operations_total", "counter",
		 "Commands sent to the Trusted Application.");
	for (size_t i = 0; i < SR_TA_COMMANDS; i++) {
		const struct command *c = &m->commands[i];
		char scratch[AUDIT_NAME_MAX];
		const char *name = audit_command_name((uint8_t)i, scratch);

		sr_buf_printf(
			out,
			"superrelay_optee_operations_total{operation=\"%s\",result=\"ok\"} %llu\n"
			"superrelay_optee_operations_total{operation=\"%s\",result=\"error\"} "
			"%llu\n",
			name, (unsigned long long)get(&c->ok), name,
			(unsigned long long)get(&c->failed));
	}
}

/* Count and buckets come from the same loads, so that +Inf equals the count. */
static void put_one_duration(struct sr_buf *out, const struct command *c, const char *operation)
{
	static const char name[] = "superrelay_optee_operation_duration_seconds";
	uint64_t total = 0;

	for (size_t b = 0; b < BOUNDS; b++) {
		total += get(&c->buckets[b]);
		sr_buf_printf(out, "%s_bucket{operation=\"%s\",le=\"%g\"} %llu\n", name, operation,
			      (double)bounds_us[b] / 1e6, (unsigned long long)total);
	}
	total += get(&c->buckets[BOUNDS]);
	sr_buf_printf(out, "%s_bucket{operation=\"%s\",le=\"+Inf\"} %llu\n", name, operation,
		      (unsigned long long)total);
	sr_buf_printf(out, "%s_sum{operation=\"%s\"} ", name, operation);
	put_seconds(out, get(&c->sum_ns));
	sr_buf_printf(out, "%s_count{operation=\"%s\"} %llu\n", name, operation,
		      (unsigned long long)total);
}

static void put_durations(const struct metrics *m, struct sr_buf *out)
{
	put_head(out, "superrelay_optee_operation_duration_seconds", "histogram",
		 "Time a command spent in the Trusted Application, a batch counting once.");
	for (size_t i = 0; i < SR_TA_COMMANDS; i++) {
		char scratch[AUDIT_NAME_MAX];

		put_one_duration(out, &m->commands[i], audit_command_name((uint8_t)i, scratch));
	}
}

static void put_gauges(const struct metrics *m, struct sr_buf *out)
{
	const struct kms *kms = atomic_load(&m->kms);

	put_head(out, "superrelay_optee_sessions_active", "gauge",
		 "Sessions open to the Trusted Application.");
	sr_buf_printf(out, "superrelay_optee_sessions_active %u\n", kms ? kms_sessions(kms) : 0);
	put_head(out, "superrelay_optee_queue_depth", "gauge",
		 "Signing requests that wait for the next batch.");
	sr_buf_printf(out, "superrelay_optee_queue_depth %u\n", kms ? kms_queue_depth(kms) : 0);
}

static void put_errors(const struct metrics *m, struct sr_buf *out)
{
	put_head(out, "superrelay_optee_errors_total", "counter",
		 "Commands that the TEE or the Trusted Application refused, by GlobalPlatform "
		 "result.");
	for (size_t i = 0; i < RESULTS_MAX; i++) {
		uint64_t key = get(&m->results[i].key);
		uint32_t result = (uint32_t)key;
		const char *name = tee_result_name(result);
		char scratch[AUDIT_NAME_MAX];

		if (!key)
			continue;
		sr_buf_printf(out, "superrelay_optee_errors_total{operation=\"%s\",error=\"",
			      audit_command_name((uint8_t)((key >> 32) - 1), scratch));
		if (name)
			sr_buf_puts(out, name);
		else
			sr_buf_printf(out, "0x%08x", (unsigned)result);
		sr_buf_printf(out, "\"} %llu\n", (unsigned long long)get(&m->results[i].count));
	}
}

#define USES_MAX 3

/* A use of keys, and the commands that are one; zeros behind the last. */
static const struct key_use {
	const char *name;
	unsigned count;
	uint32_t commands[USES_MAX];
} key_uses[] = {
	{ "generate", 2, { SR_TA_CMD_GENERATE_KEY, SR_TA_CMD_ROTATE_KEY } },
	{ "import", 2, { SR_TA_CMD_IMPORT_KEY, SR_TA_CMD_IMPORT_WRAPPED } },
	{ "export", 1, { SR_TA_CMD_EXPORT_WRAPPED } },
	{ "sign",
	  3,
	  { SR_TA_CMD_SIGN_SPONSORSHIP, SR_TA_CMD_SIGN_MESSAGE, SR_TA_CMD_SIGN_TRANSACTION } },
	{ "public_key", 1, { SR_TA_CMD_GET_PUBLIC_KEY } },
	{ "delete", 1, { SR_TA_CMD_DELETE_KEY } },
};

static void put_key_operations(const struct metrics *m, struct sr_buf *out)
{
	static const char name[] = "superrelay_optee_key_operations_total";

	put_head(out, name, "counter", "Uses of keys; each signature of a batch counts.");
	for (size_t i = 0; i < SR_ARRAY_LEN(key_uses); i++) {
		const struct key_use *use = &key_uses[i];
		uint64_t ok = 0;
		uint64_t failed = 0;

		for (unsigned k = 0; k < use->count; k++) {
			ok += get(&m->commands[use->commands[k]].items);
			failed += get(&m->commands[use->commands[k]].items_failed);
		}
		sr_buf_printf(out, "%s{operation=\"%s\",result=\"ok\"} %llu\n", name, use->name,
			      (unsigned long long)ok);
		sr_buf_printf(out, "%s{operation=\"%s\",result=\"error\"} %llu\n", name, use->name,
			      (unsigned long long)failed);
	}
}

static void put_methods(const struct metrics *m, struct sr_buf *out)
{
	static const char calls[] = "superrelay_rpc_requests_total";
	static const char seconds[] = "superrelay_rpc_request_seconds_total";

	put_head(out, calls, "counter", "JSON-RPC calls by method and outcome.");
	for (size_t i = 0; i < METHODS_MAX && m->methods[i].name; i++) {
		const char *name = m->methods[i].name;

		sr_buf_printf(out, "%s{method=\"%s\",result=\"ok\"} %llu\n", calls, name,
			      (unsigned long long)get(&m->methods[i].ok));
		sr_buf_printf(out, "%s{method=\"%s\",result=\"error\"} %llu\n", calls, name,
			      (unsigned long long)get(&m->methods[i].failed));
	}
	put_head(out, seconds, "counter", "Time spent on JSON-RPC calls, waiting included.");
	for (size_t i = 0; i < METHODS_MAX && m->methods[i].name; i++) {
		sr_buf_printf(out, "%s{method=\"%s\"} ", seconds, m->methods[i].name);
		put_seconds(out, get(&m->methods[i].sum_ns));
	}
}

void metrics_write(const struct metrics *m, struct sr_buf *out)
{
	put_operations(m, out);
	put_durations(m, out);
	put_gauges(m, out);
	put_errors(m, out);
	put_key_operations(m, out);
	put_methods(m, out);
	put_head(out, "process_start_time_seconds", "gauge",
		 "When this process started, Unix time.");
	sr_buf_printf(out, "process_start_time_seconds %llu\n", (unsigned long long)m->started_s);
}
