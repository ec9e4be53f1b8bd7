/* SPDX-License-Identifier: Apache-2.0 */
/* A log of a million records: what verification says of it, and how long it takes to say so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "big_log.h"
#include "temp_dir.h"

#define RECORDS 1000000u

static char dir[TEMP_DIR_MAX];
static char path[TEMP_PATH_MAX];
static struct sr_buf text;
static struct maker m;

static double cpu_seconds(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool write_text(void)
{
	FILE *file = fopen(path, "w");
	bool ok = file && fwrite(text.data, 1, text.len, file) == text.len;

	return file && fclose(file) == 0 && ok;
}

static int make_log(void **state)
{
	(void)state;
	assert_true(make_temp_dir(dir));
	(void)snprintf(path, sizeof(path), "%s/audit.log", dir);
	return big_log_make(&text, &m, RECORDS) && write_text() ? 0 : -1;
}

static int remove_log(void **state)
{
	(void)state;
	sr_buf_free(&text);
	return remove_temp_dir(dir);
}

static void a_million_records_are_verified(void **state)
{
	struct audit_report report;
	struct sr_error err = { .code = SR_OK };
	double start = cpu_seconds();
	bool ok = audit_verify(path, NULL, &report, &err);
	double seconds = cpu_seconds() - start;

	(void)state;
	print_message("# %u records, %zu bytes, %llu checkpoints: %.2f s of one core\n", RECORDS,
		      text.len, (unsigned long long)report.checkpoints, seconds);
	assert_true(ok);
	assert_string_equal(report.message, "");
	assert_int_equal(report.fault, AUDIT_HOLDS);
	assert_int_equal(report.records, RECORDS);
	assert_int_equal(report.last_seq, RECORDS);
	assert_int_equal(report.checkpoints, RECORDS / 256 + 1);
	assert_int_equal(report.signed_seq, RECORDS);
	assert_memory_equal(report.head, m.head, sizeof(m.head));
}

/* One digit of one record, far behind. */
static void the_one_changed_record_of_a_million_is_named(void **state)
{
	struct audit_report report;
	char *line = memmem(text.data, text.len, "{\"seq\":987654,", 14);
	char *time = line ? strstr(line, "\"time\":") : NULL;

	(void)state;
	assert_non_null(time);
	time[7] ^= 1;
	assert_true(audit_verify_text((const char *)text.data, text.len, NULL, &report, NULL));
	time[7] ^= 1;
	assert_int_equal(report.fault, AUDIT_CHANGED);
	assert_int_equal(report.first, 987654);
}

/* Dropped, so that all that follows is searched. */
static void the_one_dropped_record_of_a_million_is_named(void **state)
{
	struct audit_report report;
	uint8_t *line = memmem(text.data, text.len, "{\"seq\":3,", 9);
	const uint8_t *next = memmem(text.data, text.len, "{\"seq\":4,", 9);

	(void)state;
	assert_true(line && next);
	memmove(line, next, (size_t)(text.data + text.len - next));
	text.len -= (size_t)(next - line);
	assert_true(audit_verify_text((const char *)text.data, text.len, NULL, &report, NULL));
	assert_int_equal(report.fault, AUDIT_DROPPED);
	assert_int_equal(report.first, 3);
	assert_int_equal(report.last, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_records_are_verified),
		cmocka_unit_test(the_one_changed_record_of_a_million_is_named),
		cmocka_unit_test(the_one_dropped_record_of_a_million_is_named),
	};

	return cmocka_run_group_tests(tests, make_log, remove_log);
}
