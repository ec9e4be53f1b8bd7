/* SPDX-License-Identifier: Apache-2.0 */
/* Timed samples of several ways to do the same work, taken in turns, and their table. */
#ifndef SR_BENCH_ROWS_H
#define SR_BENCH_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#define BENCH_ROWS_MAX 40
#define BENCH_SAMPLES_MAX 8192

/* One way to do one work. Rows of the same work and batch stand in a row, the first
 * of them being the reference of the ratios. */
struct bench_row {
	const char *work;
	const char *path;
	unsigned batch;	    /* pieces of work that are done together */
	unsigned pieces;    /* of work that one run does, when not batch: see bench_pieces */
	unsigned per_round; /* runs in a round */
	bool (*run)(const struct bench_row *row);
	void *subject;	 /* run's own */
	double *samples; /* microseconds a piece */
	size_t count;
	double min, median, p99;
	double together; /* signatures an invocation, where the run cannot tell beforehand */
};

struct bench_table {
	struct bench_row rows[BENCH_ROWS_MAX];
	size_t count;
};

/* What one run of a row does, and a sample is divided by. */
unsigned bench_pieces(const struct bench_row *row);
/* False when the table is full or memory is short. */
bool bench_add(struct bench_table *table, const struct bench_row *row);
void bench_free(struct bench_table *table);
/* Runs rounds until the time is up; one first, unmeasured. False: a run failed. */
bool bench_measure(struct bench_table *table, double seconds, size_t *rounds);
void bench_summarize(struct bench_table *table);
void bench_print(const struct bench_table *table);
/* The rows as members of one JSON array. */
void bench_print_json(const struct bench_table *table);
/* The reference of a row: the first of its group. */
const struct bench_row *bench_reference(const struct bench_table *table, size_t row);

#endif
