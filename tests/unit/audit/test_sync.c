/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that share one log: each record once, and nobody goes on before its record is durable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "audit_test.h"
#include "temp_dir.h"

#define THREADS 4
#define EACH 50

static struct audit_log *audit;
static struct maker m; /* under the log's lock, as the one TA is */

static bool append_one(uint64_t *seq, struct sr_error *err)
{
	struct audit_tail tail = { 0 };
	struct made made;
	bool ok = false;

	if (!audit_log_lock(audit, &tail, err))
		return false;
	if (tail.seq == m.seq) {
		make_record(&m, SR_TA_CMD_SIGN_SPONSORSHIP, &made);
		ok = audit_log_append(audit, &(struct sr_bytes){ made.bytes, made.len }, 1, err);
	}
	*seq = m.seq;
	audit_log_unlock(audit);
	return ok;
}

static void *append_and_sync(void *failed)
{
	struct sr_error err = { .code = SR_OK };
	uint64_t seq = 0;

	for (unsigned i = 0; i < EACH; i++) {
		if (!append_one(&seq, &err) || !audit_log_sync(audit, &err) ||
		    audit_log_durable(audit) < seq) {
			*(bool *)failed = true;
			return NULL;
		}
	}
	return NULL;
}

static void threads_append_in_turn_and_sync_together(void **state)
{
	pthread_t threads[THREADS];
	bool failed[THREADS] = { false };
	char dir[TEMP_DIR_MAX];
	char path[TEMP_PATH_MAX];
	struct audit_report report;
	struct sr_error err = { .code = SR_OK };
	struct made made;

	(void)state;
	assert_true(make_temp_dir(dir));
	(void)snprintf(path, sizeof(path), "%s/audit.log", dir);
	maker_init(&m, 1);
	assert_true(audit_log_open(path, true, &audit, &err));
	assert_true(audit_log_lock(audit, NULL, &err));
	assert_true(audit_log_bind(audit, m.key, &err));
	make_begin(&m, 0, &made);
	assert_true(audit_log_append(audit, &(struct sr_bytes){ made.bytes, made.len }, 1, &err));
	audit_log_unlock(audit);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, append_and_sync, &failed[i]), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_false(failed[i]);
	}
	assert_int_equal(audit_log_durable(audit), 1 + THREADS * EACH);
	audit_log_close(audit);
	assert_true(audit_verify(path, &(struct audit_options){ .allow_unsigned = true }, &report,
				 &err));
	assert_string_equal(report.message, "");
	assert_int_equal(report.records, 1 + THREADS * EACH);
	assert_int_equal(remove_temp_dir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_append_in_turn_and_sync_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
