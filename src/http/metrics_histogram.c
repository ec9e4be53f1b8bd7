/* SPDX-License-Identifier: Apache-2.0 */
/* Histograms of fixed bounds. Observing is two atomic additions; nothing is locked. */
#include "http/metrics_private.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)

/* From one signature in the simulator to a whole batch under emulation. */
const struct histogram_scale histogram_tee_time = {
	.bounds = { 50 * US, 100 * US, 250 * US, 500 * US, 1 * MS, 2500 * US, 5 * MS, 10 * MS,
		    25 * MS, 50 * MS, 100 * MS, 250 * MS, 1 * S, 2500 * MS, 5 * S },
	.count = 15,
	.unit = S,
};

/* From what is answered here to the longest that an upstream is given. */
const struct histogram_scale histogram_call_time = {
	.bounds = { 250 * US, 500 * US, 1 * MS, 2500 * US, 5 * MS, 10 * MS, 25 * MS, 50 * MS,
		    100 * MS, 250 * MS, 500 * MS, 1 * S, 2500 * MS, 5 * S, 10 * S, 30 * S },
	.count = 16,
	.unit = S,
};

const struct histogram_scale histogram_batch = {
	.bounds = { 1, 2, 4, 8, 16, 32, 64 },
	.count = 7,
	.unit = 1,
};

void histogram_add(struct histogram *h, const struct histogram_scale *scale, uint64_t value)
{
	size_t bucket = 0;

	while (bucket < scale->count && value > scale->bounds[bucket])
		bucket++;
	metrics_add(&h->buckets[bucket], 1);
	metrics_add(&h->sum, value);
}

static void put_bucket(struct sr_buf *out, const char *name, const struct metrics_labels *labels,
		       const char *bound, uint64_t total)
{
	const char *text = labels ? labels->text : "";

	sr_buf_printf(out, "%s_bucket{%s%sle=\"%s\"} %llu\n", name, text, *text ? "," : "", bound,
		      (unsigned long long)total);
}

/* Count and buckets come from the same loads, so that +Inf equals the count. */
void histogram_put(struct sr_buf *out, const char *name, const struct metrics_labels *labels,
		   const struct histogram *h, const struct histogram_scale *scale)
{
	char part[96];
	char bound[32];
	uint64_t total = 0;

	for (size_t i = 0; i < scale->count; i++) {
		total += metrics_get(&h->buckets[i]);
		snprintf(bound, sizeof(bound), "%g",
			 (double)scale->bounds[i] / (double)scale->unit);
		put_bucket(out, name, labels, bound, total);
	}
	total += metrics_get(&h->buckets[scale->count]);
	put_bucket(out, name, labels, "+Inf", total);
	snprintf(part, sizeof(part), "%s_sum", name);
	metrics_put_ratio(out, part, labels, metrics_get(&h->sum), scale->unit);
	snprintf(part, sizeof(part), "%s_count", name);
	metrics_put(out, part, labels, total);
}
