/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the metrics share: the figures, and the writing of their text. */
#ifndef SR_METRICS_PRIVATE_H
#define SR_METRICS_PRIVATE_H

#include <stdatomic.h>

#include "http/http.h"
#include "http/http_private.h"

/* ---- histograms (metrics_histogram.c) --------------------------------------- */

#define HISTOGRAM_BOUNDS_MAX 16

/* Upper bounds in whole numbers, nanoseconds or items, of which unit is one. */
struct histogram_scale {
	uint64_t bounds[HISTOGRAM_BOUNDS_MAX];
	size_t count;
	uint64_t unit;
};

struct histogram {
	_Atomic uint64_t buckets[HISTOGRAM_BOUNDS_MAX + 1]; /* not cumulative */
	_Atomic uint64_t sum;
};

extern const struct histogram_scale histogram_tee_time, histogram_call_time, histogram_batch;

void histogram_add(struct histogram *h, const struct histogram_scale *scale, uint64_t value);

/* ---- text (metrics_text.c, metrics_histogram.c) -------------------------------- */

/* name="value",… as it stands between the braces. */
struct metrics_labels {
	char text[512];
	size_t len;
};

/* Adds one; the value is escaped, and cut where there is no room for it. */
void metrics_label(struct metrics_labels *labels, const char *name, const char *value);
/* type: "counter", "gauge" or "histogram". */
void metrics_head(struct sr_buf *out, const char *name, const char *type, const char *help);
/* labels NULL: none. */
void metrics_put(struct sr_buf *out, const char *name, const struct metrics_labels *labels,
		 uint64_t value);
void metrics_put_ratio(struct sr_buf *out, const char *name, const struct metrics_labels *labels,
		       uint64_t value, uint64_t unit);
/* Head and single sample of a family without labels. */
void metrics_put_only(struct sr_buf *out, const char *name, const char *type, const char *help,
		      uint64_t value);
void histogram_put(struct sr_buf *out, const char *name, const struct metrics_labels *labels,
		   const struct histogram *h, const struct histogram_scale *scale);

/* ---- figures (metrics.c) -------------------------------------------------------- */

#define METRICS_METHODS_MAX 64
#define METRICS_RESULTS_MAX 32

struct metrics_command {
	_Atomic uint64_t ok;
	_Atomic uint64_t failed;
	_Atomic uint64_t items; /* keys or signatures asked for by successful calls */
	_Atomic uint64_t items_failed;
	struct histogram duration;
};

/* One TEE result of one command; a slot is claimed by its first use. */
struct metrics_result {
	_Atomic uint64_t key; /* command + 1 in the high half, result in the low; 0: free */
	_Atomic uint64_t count;
};

struct metrics_method {
	_Atomic(const char *) name; /* the caller's constant; NULL: free */
	_Atomic uint64_t ok;
	_Atomic uint64_t failed;
	struct histogram duration;
};

enum metrics_upstream { METRICS_NODE, METRICS_BUNDLER, METRICS_UPSTREAMS };

struct metrics_upstream_method {
	_Atomic(const char *) name; /* as above */
	_Atomic uint64_t counts[CHAIN_OUTCOMES];
};

struct metrics {
	struct metrics_command commands[SR_TA_COMMANDS];
	struct metrics_result results[METRICS_RESULTS_MAX];
	struct histogram batch_size;
	struct histogram queue_wait;
	struct metrics_method methods[METRICS_METHODS_MAX];
	_Atomic uint64_t decisions[PAYMASTER_REASONS];
	struct metrics_upstream_method upstream[METRICS_UPSTREAMS][METRICS_METHODS_MAX];
	struct histogram upstream_duration[METRICS_UPSTREAMS];
	_Atomic uint64_t responses[HTTP_SIDES][HTTP_ROUTES][HTTP_STATUSES];
	atomic_uint connections[HTTP_SIDES];
	atomic_uint connection_limits[HTTP_SIDES];
	_Atomic(const struct kms *) kms;
	_Atomic(struct health *) health;
	struct metrics_build build;
	uint64_t started_ms;
};

/* Relaxed: a counter orders nothing. */
void metrics_add(_Atomic uint64_t *counter, uint64_t n);
uint64_t metrics_get(const _Atomic uint64_t *counter);

/* ---- families -------------------------------------------------------------------- */

void metrics_write_tee(const struct metrics *m, struct sr_buf *out);	 /* metrics_tee.c */
void metrics_write_calls(const struct metrics *m, struct sr_buf *out);	 /* metrics_calls.c */
void metrics_write_state(const struct metrics *m, struct sr_buf *out);	 /* metrics_state.c */
void metrics_write_process(const struct metrics *m, struct sr_buf *out); /* metrics_process.c */

#endif
