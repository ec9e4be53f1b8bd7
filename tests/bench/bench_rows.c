/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/bench_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

bool bench_add(struct bench_table *table, const struct bench_row *row)
{
	double *samples = NULL;

	if (table->count == BENCH_ROWS_MAX)
		return false;
	samples = calloc(BENCH_SAMPLES_MAX, sizeof(*samples));
	if (!samples)
		return false;
	table->rows[table->count] = *row;
	table->rows[table->count].samples = samples;
	table->count++;
	return true;
}

unsigned bench_pieces(const struct bench_row *row)
{
	return row->pieces ? row->pieces : row->batch;
}

void bench_free(struct bench_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->rows[i].samples);
	table->count = 0;
}

static bool same_group(const struct bench_row *a, const struct bench_row *b)
{
	return a->batch == b->batch && strcmp(a->work, b->work) == 0;
}

static size_t group_end(const struct bench_table *table, size_t first)
{
	size_t end = first + 1;

	while (end < table->count && same_group(&table->rows[first], &table->rows[end]))
		end++;
	return end;
}

const struct bench_row *bench_reference(const struct bench_table *table, size_t row)
{
	while (row && same_group(&table->rows[row], &table->rows[row - 1]))
		row--;
	return &table->rows[row];
}

static bool take_sample(struct bench_row *row, bool keep)
{
	const uint64_t started = sr_time_monotonic_ns();
	double us = 0;

	if (!row->run(row)) {
		(void)fprintf(stderr, "bench: %s, batch %u, %s: failed\n", row->work, row->batch,
			      row->path);
		return false;
	}
	us = (double)(sr_time_monotonic_ns() - started) / 1e3 / bench_pieces(row);
	if (keep && row->count < BENCH_SAMPLES_MAX)
		row->samples[row->count++] = us;
	return true;
}

/* The rows of a group take turns, sample by sample, so that what else the machine
 * does strikes all of them alike; who begins changes from turn to turn. */
static bool run_group(struct bench_table *table, size_t first, size_t end, size_t round, bool keep)
{
	const size_t rows = end - first;

	for (size_t turn = 0; turn < table->rows[first].per_round; turn++) {
		for (size_t i = 0; i < rows; i++) {
			const size_t at = first + (i + turn + round) % rows;

			if (!take_sample(&table->rows[at], keep))
				return false;
		}
	}
	return true;
}

static bool run_round(struct bench_table *table, size_t round, bool keep)
{
	for (size_t first = 0; first < table->count;) {
		const size_t end = group_end(table, first);

		if (!run_group(table, first, end, round, keep))
			return false;
		first = end;
	}
	return true;
}

bool bench_measure(struct bench_table *table, double seconds, size_t *rounds)
{
	uint64_t started = 0;

	*rounds = 0;
	if (!run_round(table, 0, false))
		return false;
	started = sr_time_monotonic_ns();
	do {
		if (!run_round(table, *rounds, true))
			return false;
		(*rounds)++;
	} while ((double)(sr_time_monotonic_ns() - started) < seconds * 1e9);
	return true;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a;
	const double y = *(const double *)b;

	return (x > y) - (x < y);
}

void bench_summarize(struct bench_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		struct bench_row *row = &table->rows[i];

		if (!row->count)
			continue;
		qsort(row->samples, row->count, sizeof(*row->samples), compare);
		row->min = row->samples[0];
		row->median = row->samples[row->count / 2];
		row->p99 = row->samples[row->count * 99 / 100];
	}
}

void bench_print(const struct bench_table *table)
{
	printf("%-12s %5s  %-26s %7s %9s %9s %9s  %6s %6s\n", "work", "batch", "path", "samples",
	       "min us", "median us", "p99 us", "min", "median");
	for (size_t i = 0; i < table->count; i++) {
		const struct bench_row *row = &table->rows[i];
		const struct bench_row *reference = bench_reference(table, i);

		if (reference == row)
			printf("\n");
		printf("%-12s %5u  %-26s %7zu %9.1f %9.1f %9.1f  %6.2f %6.2f", row->work,
		       row->batch, row->path, row->count, row->min, row->median, row->p99,
		       row->min / reference->min, row->median / reference->median);
		if (row->together > 0)
			printf("  (%.1f an invocation)", row->together);
		printf("\n");
	}
}

void bench_print_json(const struct bench_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct bench_row *row = &table->rows[i];
		const struct bench_row *reference = bench_reference(table, i);

		printf("%s{\"work\":\"%s\",\"batch\":%u,\"path\":\"%s\",\"samples\":%zu,"
		       "\"min_us\":%.2f,\"median_us\":%.2f,\"p99_us\":%.2f,"
		       "\"ratio_min\":%.4f,\"ratio_median\":%.4f,\"per_invocation\":%.2f}",
		       i ? "," : "", row->work, row->batch, row->path, row->count, row->min,
		       row->median, row->p99, row->min / reference->min,
		       row->median / reference->median, row->together);
	}
}
