/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification of a log of a million records, beside SHA-256 of the same bytes: of the log's
 * text, and of the records alone, one hash each as the chain has them.
 *
 * bench-audit [RECORDS]
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "unit/audit/big_log.h"

#define ROUNDS 3

static double cpu_seconds(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double least(double a, double b)
{
	return a == 0 || b < a ? b : a;
}

static double time_verify(const struct sr_buf *log, struct audit_report *report)
{
	double best = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		double start = cpu_seconds();

		if (!audit_verify_text((const char *)log->data, log->len, NULL, report, NULL) ||
		    report->fault) {
			(void)fprintf(stderr, "bench-audit: %s\n", report->message);
			exit(1);
		}
		best = least(best, cpu_seconds() - start);
	}
	return best;
}

static double time_hash(const struct sr_buf *log, size_t piece)
{
	uint8_t digest[crypto_hash_sha256_BYTES];
	volatile uint8_t keep = 0;
	double best = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		double start = cpu_seconds();

		for (size_t at = 0; at + piece <= log->len; at += piece) {
			(void)crypto_hash_sha256(digest, log->data + at, piece);
			keep ^= digest[0];
		}
		best = least(best, cpu_seconds() - start);
	}
	return best;
}

int main(int argc, char **argv)
{
	uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	struct audit_report report;
	struct sr_buf log = { 0 };
	struct sr_buf chain = { 0 };
	struct maker m;
	struct made made;
	size_t link = 0;
	double verify = 0;

	if (sodium_init() < 0 || records < 1 || !big_log_make(&log, &m, records))
		return 1;
	make_record(&m, SR_TA_CMD_SIGN_SPONSORSHIP, &made);
	link = AUDIT_HEAD_SIZE + made.len;
	chain = log; /* any bytes do, as many as the chain hashes */
	chain.len = link * records < log.len ? link * records : log.len;
	verify = time_verify(&log, &report);
	printf("%llu records, %llu checkpoints, %zu bytes\n", (unsigned long long)report.records,
	       (unsigned long long)report.checkpoints, log.len);
	printf("  verify                        %6.2f s  %7.0f ns a record\n", verify,
	       verify * 1e9 / (double)records);
	printf("  SHA-256 of the log's text     %6.2f s  verify takes %.2f times that\n",
	       time_hash(&log, log.len), verify / time_hash(&log, log.len));
	printf("  SHA-256 of each record alone  %6.2f s  verify takes %.2f times that\n",
	       time_hash(&chain, link), verify / time_hash(&chain, link));
	sr_buf_free(&log);
	return 0;
}
