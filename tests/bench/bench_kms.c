/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a signature in the TEE costs beside the same signature made natively on the
 * same machine, in one run: microseconds a signature, and ratios.
 *
 *   bench-kms [simulator|optee] [SECONDS]
 *
 * A "burst" is the whole way of so many sponsorships that come together: they are
 * queued, the signer's thread wakes and has them signed, every callback runs, and the
 * caller wakes. A "stream" is the way under load, when the next batch has queued while
 * the last one was signed. "digest" is SIGN_MESSAGE, which has no queue. A library does
 * the same work in the caller's thread, as often in a row: digest of the sponsorship,
 * signature with added entropy, recovery of the public key from the bytes that would
 * leave.
 * The reference of the ratios is the library made of the TA's own sources and table
 * sizes where the build knows them (its option secp256k1_source), otherwise the
 * distribution's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench_work.h"
#include "bench/native_signer.h"
#include "temp_dir.h"

#define DEFAULT_SECONDS 10
#define PROMISED_BATCH 16
#define STREAM 128 /* signatures of one sample of a stream */

static const unsigned batches[] = { 1, 4, PROMISED_BATCH, SR_TA_BATCH_MAX };
/* Samples a round: the most of what is promised, the fewest of what takes long. */
static const unsigned burst_samples[] = { 8, 4, 6, 1 };
static const unsigned digest_samples[] = { 4, 2, 2, 1 };

static struct bench_subject subjects[SR_ARRAY_LEN(batches)];
static struct bench_subject stream;
static struct kms_config base_config;
static char store[TEMP_DIR_MAX];

/* ---- the table --------------------------------------------------------- */

static void add(struct bench_table *table, struct bench_row row)
{
	if (!bench_add(table, &row))
		bench_die("no room for another row");
}

static void add_libraries(struct bench_table *table, struct bench_row row)
{
#ifdef BENCH_TA_SOURCES
	row.path = "library, the TA's sources";
	row.subject = (void *)(uintptr_t)&native_ta_sources;
	add(table, row);
#endif
	row.path = "library, the distribution's";
	row.subject = (void *)(uintptr_t)&native_distribution;
	add(table, row);
}

/* One work: by each library, and by the KMS. */
static void add_group(struct bench_table *table, struct bench_row row,
		      bool (*kms_run)(const struct bench_row *), struct bench_subject *subject)
{
	add_libraries(table, row);
	row.path = "kms";
	row.run = kms_run;
	row.subject = subject;
	add(table, row);
}

static void add_single_rows(struct bench_table *table)
{
	struct bench_row row = { .work = "ed25519",
				 .path = "libsodium",
				 .batch = 1,
				 .per_round = 1,
				 .run = native_ed25519 };

	add(table, row);
	row.path = "kms";
	row.run = kms_ed25519;
	row.subject = &subjects[0];
	add(table, row);
	row.work = "no signature";
	row.per_round = 4;
	row.run = kms_nothing;
	add(table, row);
}

static void add_rows(struct bench_table *table)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(batches); i++)
		add_group(table,
			  (struct bench_row){ .work = "burst",
					      .batch = batches[i],
					      .per_round = burst_samples[i],
					      .run = native_sponsor },
			  kms_burst, &subjects[i]);
	add_group(table,
		  (struct bench_row){ .work = "stream",
				      .batch = PROMISED_BATCH,
				      .pieces = STREAM,
				      .per_round = 2,
				      .run = native_sponsor },
		  kms_stream, &stream);
	for (size_t i = 0; i < SR_ARRAY_LEN(batches); i++)
		add_group(table,
			  (struct bench_row){ .work = "digest",
					      .batch = batches[i],
					      .per_round = digest_samples[i],
					      .run = native_digests },
			  kms_digests, &subjects[i]);
	add_single_rows(table);
}

static void print_json(const struct bench_table *table, double seconds, size_t rounds)
{
	printf("{\"bench\":\"kms\",\"backend\":\"%s\",\"seconds\":%.0f,\"rounds\":%zu,\"rows\":[",
	       base_config.api.name, seconds, rounds);
	bench_print_json(table);
	printf("]}\n");
}

static bool goes_through_queue(const struct bench_row *row)
{
	return row->run == kms_burst || row->run == kms_stream;
}

/* The rows that the project promises something about. */
static void print_promise(const struct bench_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct bench_row *row = &table->rows[i];
		const struct bench_row *reference = bench_reference(table, i);

		if (row->batch == PROMISED_BATCH && goes_through_queue(row))
			printf("%s of %u: a sponsorship costs %.2f times native (min %.2f).\n",
			       row->work, row->batch, row->median / reference->median,
			       row->min / reference->min);
	}
}

/* How many were signed by one invocation, on the average. */
static void count_together(struct bench_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		struct bench_row *row = &table->rows[i];
		const struct bench_subject *s = row->subject;

		if (goes_through_queue(row))
			row->together = (double)s->signed_in_them / (double)s->invocations;
	}
}

/* ---- set-up ------------------------------------------------------------ */

/* What a run before this one, cut short, may have left. */
static void drop_keys(void)
{
	static const char *const ids[] = { SPONSOR_KEY, DIGEST_KEY, ED25519_KEY };
	struct sr_error err = { .code = SR_OK };

	for (size_t i = 0; i < SR_ARRAY_LEN(ids); i++) {
		if (!kms_delete_key(subjects[0].kms, ids[i], &err) && err.code != SR_E_NOT_FOUND)
			bench_die(err.message);
	}
}

static void make_keys(void)
{
	struct sr_error err = { .code = SR_OK };
	struct kms *kms = subjects[0].kms;
	struct kms_key key;

	if (!kms_generate_key(kms, SPONSOR_KEY, SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, &key,
			      &err) ||
	    !kms_generate_key(kms, DIGEST_KEY, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, &key,
			      &err) ||
	    !kms_generate_key(kms, ED25519_KEY, SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST, &key, &err))
		bench_die(err.message);
	native_ed25519_open();
	if (!native_distribution.open())
		bench_die("libsecp256k1");
#ifdef BENCH_TA_SOURCES
	if (!native_ta_sources.open())
		bench_die("libsecp256k1 of the TA's sources");
#endif
}

static void remove_store(void)
{
	if (*store)
		(void)remove_temp_dir(store);
}

static void load_backend(const char *name)
{
	struct sr_error err = { .code = SR_OK };
	bool ok = false;

	base_config = (struct kms_config){ .ta_uuid = SUPER_RELAY_TA_UUID,
					   .pool_size = 1,
					   .min_batch = 1,
					   .queue_limit = SR_TA_BATCH_MAX };
	if (strcmp(name, "optee") == 0)
		ok = tee_load_optee(&base_config.api, &err);
	else if (strcmp(name, "simulator") == 0)
		ok = make_temp_dir(store) && !atexit(remove_store) &&
		     tee_load_simulator(store, &base_config.api, &err);
	else
		bench_die("usage: bench-kms [simulator|optee] [SECONDS]");
	if (!ok)
		bench_die(err.message);
}

/* 1 to 600. */
static double read_seconds(const char *text)
{
	char *end = NULL;
	const double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds >= 1 && seconds <= 600))
		bench_die("SECONDS: expected 1 to 600");
	return seconds;
}

int main(int argc, char **argv)
{
	static struct bench_table table;
	const double seconds = argc > 2 ? read_seconds(argv[2]) : DEFAULT_SECONDS;
	size_t rounds = 0;
	bool ok = false;

	sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
	load_backend(argc > 1 ? argv[1] : "simulator");
	for (size_t i = 0; i < SR_ARRAY_LEN(batches); i++)
		bench_open_subject(&subjects[i], &base_config, batches[i]);
	bench_open_subject(&stream, &base_config, PROMISED_BATCH);
	drop_keys();
	make_keys();
	add_rows(&table);
	ok = bench_measure(&table, seconds, &rounds);
	count_together(&table);
	drop_keys();
	for (size_t i = 0; i < SR_ARRAY_LEN(batches); i++)
		kms_close(subjects[i].kms, 0);
	kms_close(stream.kms, 0);
	if (!ok)
		return 1;
	bench_summarize(&table);
	printf("Signing by KMS (%s) and natively, %zu rounds in turns; us a signature, and ratios "
	       "to the first row of each group.\n\n",
	       base_config.api.name, rounds);
	bench_print(&table);
	print_promise(&table);
	print_json(&table, seconds, rounds);
	bench_free(&table);
	return 0;
}
