/* SPDX-License-Identifier: Apache-2.0 */
/* The figures behind /metrics. All are atomics: observing takes no lock. */
#include "http/metrics_private.h"

#include <stdlib.h>
#include <string.h>

void metrics_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

uint64_t metrics_get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

bool metrics_create(struct metrics **out, struct sr_error *err)
{
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory for metrics");
	(*out)->started_ms = sr_time_unix_ms();
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

void metrics_set_health(struct metrics *m, struct health *health)
{
	atomic_store(&m->health, health);
}

void metrics_set_build(struct metrics *m, const struct metrics_build *build)
{
	m->build = *build;
}

void metrics_write(const struct metrics *m, struct sr_buf *out)
{
	metrics_write_tee(m, out);
	metrics_write_calls(m, out);
	metrics_write_state(m, out);
	metrics_write_process(m, out);
}

/* ---- the TEE ---------------------------------------------------------------- */

static void count_error(struct metrics *m, uint32_t command, TEEC_Result result)
{
	uint64_t key = (uint64_t)(command + 1) << 32 | result;

	for (size_t i = 0; i < METRICS_RESULTS_MAX; i++) {
		uint64_t expected = 0;

		if (metrics_get(&m->results[i].key) == key ||
		    atomic_compare_exchange_strong(&m->results[i].key, &expected, key) ||
		    expected == key) {
			metrics_add(&m->results[i].count, 1);
			return;
		}
	}
}

static bool signs(uint32_t command)
{
	return command == SR_TA_CMD_SIGN_SPONSORSHIP || command == SR_TA_CMD_SIGN_TRANSACTION ||
	       command == SR_TA_CMD_SIGN_MESSAGE;
}

void metrics_observe_kms(void *arg, const struct kms_observation *seen)
{
	struct metrics *m = arg;
	struct metrics_command *c = NULL;

	if (seen->what == KMS_SEEN_WAIT) {
		histogram_add(&m->queue_wait, &histogram_tee_time, seen->duration_ns);
		return;
	}
	if (seen->command >= SR_TA_COMMANDS)
		return;
	c = &m->commands[seen->command];
	histogram_add(&c->duration, &histogram_tee_time, seen->duration_ns);
	if (seen->result == TEEC_SUCCESS) {
		metrics_add(&c->ok, 1);
		metrics_add(&c->items, seen->items);
		if (signs(seen->command))
			histogram_add(&m->batch_size, &histogram_batch, seen->items);
	} else {
		metrics_add(&c->failed, 1);
		metrics_add(&c->items_failed, seen->items);
		count_error(m, seen->command, seen->result);
	}
}

/* ---- calls ------------------------------------------------------------------- */

/* Whether this slot is the name's; a free one becomes it. */
static bool is_slot_of(_Atomic(const char *) *slot, const char *name)
{
	const char *expected = NULL;
	const char *now = atomic_load_explicit(slot, memory_order_acquire);

	if (!now && atomic_compare_exchange_strong(slot, &expected, name))
		return true;
	return strcmp(now ? now : expected, name) == 0;
}

static struct metrics_method *method_of(struct metrics *m, const char *name)
{
	for (size_t i = 0; i < METRICS_METHODS_MAX; i++) {
		if (is_slot_of(&m->methods[i].name, name))
			return &m->methods[i];
	}
	return NULL;
}

void metrics_expect_method(struct metrics *m, const char *name)
{
	(void)method_of(m, name);
}

void metrics_observe_rpc(void *arg, const struct rpc_observation *seen)
{
	struct metrics_method *method = method_of(arg, seen->method);

	if (!method)
		return;
	metrics_add(seen->code ? &method->failed : &method->ok, 1);
	histogram_add(&method->duration, &histogram_call_time, seen->duration_ns);
}

void metrics_observe_paymaster(void *arg, enum paymaster_reason reason)
{
	struct metrics *m = arg;

	if ((unsigned)reason < PAYMASTER_REASONS)
		metrics_add(&m->decisions[reason], 1);
}

void metrics_observe_chain(void *arg, const struct chain_observation *seen)
{
	struct metrics *m = arg;
	unsigned upstream = strcmp(seen->upstream, "node") == 0 ? METRICS_NODE : METRICS_BUNDLER;

	if (seen->duration_ns)
		histogram_add(&m->upstream_duration[upstream], &histogram_call_time,
			      seen->duration_ns);
	for (size_t i = 0; i < METRICS_METHODS_MAX; i++) {
		struct metrics_upstream_method *method = &m->upstream[upstream][i];

		if (is_slot_of(&method->name, seen->method)) {
			metrics_add(&method->counts[seen->outcome], 1);
			return;
		}
	}
}

/* ---- HTTP -------------------------------------------------------------------- */

void metrics_count_response(struct metrics *m, enum http_side side, enum http_route route,
			    int status)
{
	metrics_add(&m->responses[side][route][http_status_index(status)], 1);
}

void metrics_set_connection_limit(struct metrics *m, enum http_side side, unsigned limit)
{
	atomic_store(&m->connection_limits[side], limit);
}

void metrics_count_connection(struct metrics *m, enum http_side side, bool opened)
{
	if (opened)
		atomic_fetch_add_explicit(&m->connections[side], 1, memory_order_relaxed);
	else
		atomic_fetch_sub_explicit(&m->connections[side], 1, memory_order_relaxed);
}
