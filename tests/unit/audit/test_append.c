/* SPDX-License-Identifier: Apache-2.0 */
/* Appending to a log: what is taken, what is refused, and what a crash or a full disk leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit_test.h"
#include "temp_dir.h"

struct fixture {
	char dir[TEMP_DIR_MAX], path[TEMP_PATH_MAX];
	struct audit_log *log;
	struct maker m;
	struct sr_error err;
};

static struct fixture f;

static void open_log(void)
{
	if (!audit_log_open(f.path, true, &f.log, &f.err))
		print_message("# %s\n", f.err.message);
	assert_non_null(f.log);
}

static void reopen_log(void)
{
	audit_log_close(f.log);
	open_log();
}

static int setup(void **state)
{
	(void)state;
	f = (struct fixture){ .log = NULL };
	assert_true(make_temp_dir(f.dir));
	(void)snprintf(f.path, sizeof(f.path), "%s/audit.log", f.dir);
	maker_init(&f.m, 1);
	open_log();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	audit_log_close(f.log);
	return remove_temp_dir(f.dir);
}

static struct audit_tail lock_log(void)
{
	struct audit_tail tail = { 0 };

	if (!audit_log_lock(f.log, &tail, &f.err))
		print_message("# %s\n", f.err.message);
	assert_string_equal(f.err.message, "");
	return tail;
}

static bool append(const struct made *made, size_t count)
{
	struct sr_bytes records[64];

	for (size_t i = 0; i < count; i++)
		records[i] = (struct sr_bytes){ made[i].bytes, made[i].len };
	return audit_log_append(f.log, records, count, &f.err);
}

/* BEGIN and count records. Leaves the log unlocked. */
static void fill(size_t count)
{
	struct made made;

	(void)lock_log();
	assert_true(audit_log_bind(f.log, f.m.key, &f.err));
	make_begin(&f.m, 0, &made);
	assert_true(append(&made, 1));
	for (size_t i = 0; i < count; i++) {
		make_record(&f.m, SR_TA_CMD_SIGN_SPONSORSHIP, &made);
		assert_true(append(&made, 1));
	}
	audit_log_unlock(f.log);
}

static void expect_verified(uint64_t last)
{
	struct audit_report report;

	assert_true(audit_verify(f.path, &(struct audit_options){ .allow_unsigned = true }, &report,
				 &f.err));
	if (report.fault)
		print_message("# %s\n", report.message);
	assert_string_equal(audit_fault_name(report.fault), "holds");
	assert_int_equal(report.last_seq, last);
}

static off_t size_of_log(void)
{
	struct stat st = { 0 };

	assert_int_equal(stat(f.path, &st), 0);
	return st.st_size;
}

static void refused(bool ok, enum sr_code code)
{
	assert_false(ok);
	if (f.err.code != code)
		print_message("# %s\n", f.err.message);
	assert_int_equal(f.err.code, code);
	f.err = (struct sr_error){ .code = SR_OK };
}

/* ---- opening ------------------------------------------------------------------- */

static void a_new_log_is_empty_and_its_owners_alone(void **state)
{
	struct audit_tail tail = lock_log();
	struct stat st = { 0 };

	(void)state;
	assert_true(tail.empty);
	assert_false(tail.bound);
	assert_int_equal(tail.seq, 0);
	audit_log_unlock(f.log);
	assert_int_equal(stat(f.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_string_equal(audit_log_path(f.log), f.path);
}

static void what_is_appended_verifies_and_is_found_again(void **state)
{
	struct audit_tail before;
	struct audit_tail after;

	(void)state;
	fill(40);
	expect_verified(41);
	before = lock_log();
	audit_log_unlock(f.log);
	assert_int_equal(before.seq, 41);
	assert_memory_equal(before.head, f.m.head, sizeof(before.head));
	reopen_log();
	after = lock_log();
	audit_log_unlock(f.log);
	assert_memory_equal(&before, &after, sizeof(before));
}

static void a_log_longer_than_what_is_read_of_it_is_found_again(void **state)
{
	struct audit_tail tail;
	struct made made[64];
	struct audit_log *other = NULL;

	(void)state;
	fill(0);
	assert_true(audit_log_open(f.path, false, &other, &f.err));
	(void)lock_log();
	for (unsigned batch = 0; batch < 100; batch++) {
		for (unsigned i = 0; i < 64; i++)
			make_record(&f.m, SR_TA_CMD_SIGN_SPONSORSHIP, &made[i]);
		assert_true(append(made, 64));
	}
	audit_log_unlock(f.log);
	assert_true(size_of_log() > 2 * 1024 * 1024);
	/* one that has lain open meanwhile, and one opened anew */
	for (unsigned i = 0; i < 2; i++) {
		audit_log_close(f.log);
		f.log = other;
		other = NULL;
		if (!f.log)
			open_log();
		tail = lock_log();
		assert_int_equal(tail.seq, 6401);
		assert_true(tail.bound);
		assert_memory_equal(tail.audit_key, f.m.key, sizeof(f.m.key));
		assert_memory_equal(tail.head, f.m.head, sizeof(tail.head));
		assert_true(append(made, 64)); /* the last are known again */
		audit_log_unlock(f.log);
	}
	expect_verified(6401);
}

static void refuses_files_that_are_no_private_logs(void **state)
{
	struct audit_log *log = NULL;
	char path[TEMP_PATH_MAX];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/none", f.dir);
	refused(audit_log_open(path, false, &log, &f.err), SR_E_NOT_FOUND);
	(void)snprintf(path, sizeof(path), "%s/none/audit.log", f.dir);
	refused(audit_log_open(path, true, &log, &f.err), SR_E_NOT_FOUND);
	(void)snprintf(path, sizeof(path), "%s/pipe", f.dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(audit_log_open(path, true, &log, &f.err), SR_E_DENIED);
	assert_int_equal(chmod(f.path, 0620), 0);
	refused(audit_log_open(f.path, true, &log, &f.err), SR_E_DENIED);
	assert_int_equal(chmod(f.path, 0602), 0);
	refused(audit_log_open(f.path, true, &log, &f.err), SR_E_DENIED);
	assert_null(log);
}

static void refuses_a_file_of_other_content(void **state)
{
	static const char *const contents[] = { "\n", "hello\n", "{\"seq\":1}\n",
						"{\"superRelayAudit\":1}\n" };
	struct audit_log *log = NULL;

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(contents); i++) {
		FILE *file = fopen(f.path, "w");

		assert_non_null(file);
		(void)fputs(contents[i], file);
		assert_int_equal(fclose(file), 0);
		refused(audit_log_open(f.path, true, &log, &f.err), SR_E_CORRUPT);
		assert_int_equal(size_of_log(), strlen(contents[i]));
	}
}

static void notices_a_log_that_shrank_or_was_replaced(void **state)
{
	char moved[TEMP_PATH_MAX];

	(void)state;
	fill(3);
	(void)snprintf(moved, sizeof(moved), "%s/moved", f.dir);
	assert_int_equal(rename(f.path, moved), 0);
	refused(audit_log_lock(f.log, NULL, &f.err), SR_E_CORRUPT);
	assert_int_equal(rename(moved, f.path), 0);
	(void)lock_log();
	audit_log_unlock(f.log);
	assert_int_equal(truncate(f.path, size_of_log() - 1), 0);
	refused(audit_log_lock(f.log, NULL, &f.err), SR_E_CORRUPT);
	refused(audit_log_lock(f.log, NULL, &f.err), SR_E_CORRUPT);
}

static void a_log_of_another_key_is_refused(void **state)
{
	struct maker other;

	(void)state;
	fill(1);
	maker_init(&other, 2);
	(void)lock_log();
	assert_true(audit_log_bind(f.log, f.m.key, &f.err));
	refused(audit_log_bind(f.log, other.key, &f.err), SR_E_CORRUPT);
	audit_log_unlock(f.log);
}

/* ---- records ---------------------------------------------------------------------- */

static void records_sent_again_are_passed_over(void **state)
{
	struct made made[8];
	off_t size = 0;

	(void)state;
	fill(0);
	(void)lock_log();
	for (unsigned i = 0; i < 8; i++)
		make_record(&f.m, SR_TA_CMD_SIGN_SPONSORSHIP, &made[i]);
	assert_true(append(made, 5));
	size = size_of_log();
	assert_true(append(made, 5));
	assert_true(append(made + 2, 3));
	assert_int_equal(size_of_log(), size);
	assert_true(append(made + 2, 6)); /* known ones, then new ones */
	audit_log_unlock(f.log);
	expect_verified(9);
}

static void a_record_sent_again_with_other_content_is_refused(void **state)
{
	struct made made[3];
	off_t size = 0;

	(void)state;
	fill(0);
	(void)lock_log();
	for (unsigned i = 0; i < 3; i++)
		make_record(&f.m, SR_TA_CMD_SIGN_SPONSORSHIP, &made[i]);
	assert_true(append(made, 2));
	size = size_of_log();
	made[0].bytes[30] ^= 1;
	refused(append(made, 3), SR_E_CORRUPT);
	assert_int_equal(size_of_log(), size);
	made[0].bytes[30] ^= 1;
	assert_true(append(made, 3));
	audit_log_unlock(f.log);
	expect_verified(4);
}

static void a_gap_is_begins_alone(void **state)
{
	struct maker was;
	struct made made;

	(void)state;
	fill(2);
	(void)lock_log();
	was = f.m;
	make_record(&f.m, SR_TA_CMD_SIGN_SPONSORSHIP, &made); /* lost */
	make_record(&f.m, SR_TA_CMD_SIGN_SPONSORSHIP, &made);
	refused(append(&made, 1), SR_E_CORRUPT);
	f.m = was;
	make_begin(&f.m, 100, &made);
	assert_true(append(&made, 1));
	audit_log_unlock(f.log);
	expect_verified(104);
}

static void a_log_without_header_takes_nothing(void **state)
{
	uint8_t checkpoint[SR_TA_CHECKPOINT_SIZE];
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE];
	struct made made;

	(void)state;
	make_begin(&f.m, 0, &made);
	make_checkpoint(&f.m, checkpoint, signature);
	(void)lock_log();
	refused(append(&made, 1), SR_E_INTERNAL);
	refused(audit_log_append_checkpoint(f.log, checkpoint, signature, &f.err), SR_E_INTERNAL);
	audit_log_unlock(f.log);
	assert_int_equal(size_of_log(), 0);
}

static void malformed_records_are_refused_whole(void **state)
{
	struct made made[2];
	struct made bad;
	off_t size = 0;

	(void)state;
	fill(0);
	size = size_of_log();
	(void)lock_log();
	make_record(&f.m, SR_TA_CMD_SIGN_SPONSORSHIP, &made[0]);
	make_record(&f.m, SR_TA_CMD_SIGN_SPONSORSHIP, &made[1]);
	bad = made[1];
	for (unsigned i = 0; i < 5; i++) {
		made[1] = bad;
		if (i == 0)
			made[1].bytes[0] = 2;
		else if (i == 1)
			made[1].len--;
		else if (i == 2)
			made[1].len = 10;
		else if (i == 3)
			made[1].bytes[made[1].len - 1] = '"';
		else
			made[1].bytes[made[1].len - 8] = 8;
		refused(append(made, 2), SR_E_CORRUPT);
		assert_int_equal(size_of_log(), size);
	}
	audit_log_unlock(f.log);
	expect_verified(1);
}

/* ---- checkpoints --------------------------------------------------------------------- */

static bool append_checkpoint_of(const struct maker *m)
{
	uint8_t checkpoint[SR_TA_CHECKPOINT_SIZE];
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE];

	make_checkpoint(m, checkpoint, signature);
	return audit_log_append_checkpoint(f.log, checkpoint, signature, &f.err);
}

static void checkpoints_are_taken_once_and_in_order(void **state)
{
	struct maker earlier;
	struct made made;
	off_t size = 0;

	(void)state;
	fill(5);
	earlier = f.m;
	(void)lock_log();
	make_record(&f.m, SR_TA_CMD_SIGN_SPONSORSHIP, &made);
	assert_true(append(&made, 1));
	assert_true(append_checkpoint_of(&f.m));
	size = size_of_log();
	assert_true(append_checkpoint_of(&f.m));
	assert_true(append_checkpoint_of(&earlier));
	assert_int_equal(size_of_log(), size);
	audit_log_unlock(f.log);
	reopen_log();
	assert_int_equal(lock_log().checkpoint_seq, 7);
	assert_true(append_checkpoint_of(&earlier));
	audit_log_unlock(f.log);
	assert_int_equal(size_of_log(), size);
	expect_verified(7);
}

static void checkpoints_that_do_not_fit_are_refused(void **state)
{
	struct maker other = { 0 };
	struct made made;

	(void)state;
	fill(5);
	(void)lock_log();
	other = f.m;
	make_record(&other, SR_TA_CMD_SIGN_SPONSORSHIP, &made);
	refused(append_checkpoint_of(&other), SR_E_CORRUPT); /* ahead of the log */
	other = f.m;
	other.head[0] ^= 1;
	refused(append_checkpoint_of(&other), SR_E_CORRUPT); /* of another chain */
	maker_init(&other, 2);
	other.seq = f.m.seq;
	memcpy(other.head, f.m.head, sizeof(other.head));
	refused(append_checkpoint_of(&other), SR_E_CORRUPT); /* by another key */
	audit_log_unlock(f.log);
	expect_verified(6);
}

/* ---- crashes and full disks -------------------------------------------------------------- */

static void a_torn_last_line_is_cut_off(void **state)
{
	off_t size = 0;
	off_t line = 0;
	struct maker before;
	struct made made;

	(void)state;
	fill(3);
	before = f.m;
	size = size_of_log();
	make_record(&f.m, SR_TA_CMD_SIGN_SPONSORSHIP, &made);
	(void)lock_log();
	assert_true(append(&made, 1));
	audit_log_unlock(f.log);
	line = size_of_log() - size;
	for (off_t kept = 1; kept < line; kept += kept < line - 2 ? 37 : 1) {
		if (kept > line - 38 && kept < line - 2)
			kept = line - 2;
		audit_log_close(f.log);
		assert_int_equal(truncate(f.path, size + kept), 0);
		open_log();
		/* whole but for the line feed: it is kept, and ended */
		assert_int_equal(lock_log().seq, kept == line - 1 ? 5 : 4);
		assert_int_equal(size_of_log(), kept == line - 1 ? size + line : size);
		f.m = before;
		make_record(&f.m, SR_TA_CMD_SIGN_SPONSORSHIP, &made);
		assert_true(append(&made, 1));
		audit_log_unlock(f.log);
		expect_verified(5);
	}
}

static void a_torn_line_of_another_process_is_cut_off(void **state)
{
	off_t size = 0;
	struct made made;
	FILE *other = NULL;

	(void)state;
	fill(3);
	size = size_of_log();
	other = fopen(f.path, "a");
	assert_non_null(other);
	(void)fputs("{\"seq\":5,\"gener", other);
	assert_int_equal(fclose(other), 0);
	assert_int_equal(lock_log().seq, 4);
	assert_int_equal(size_of_log(), size);
	make_record(&f.m, SR_TA_CMD_SIGN_SPONSORSHIP, &made);
	assert_true(append(&made, 1));
	audit_log_unlock(f.log);
	expect_verified(5);
}

static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit = { 0 };

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_leaves_the_log_as_it_was(void **state)
{
	struct made made[3];
	struct rlimit limit = { 0 };
	off_t size = 0;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	fill(3);
	size = size_of_log();
	for (unsigned i = 0; i < 3; i++)
		make_record(&f.m, SR_TA_CMD_SIGN_SPONSORSHIP, &made[i]);
	(void)lock_log();
	for (rlim_t more = 0; more < 900; more += 150) {
		limit_file_size((rlim_t)size + more);
		refused(append(made, 3), SR_E_UNAVAILABLE);
		assert_int_equal(size_of_log(), size);
	}
	limit_file_size(limit.rlim_max);
	assert_true(append(made, 3));
	audit_log_unlock(f.log);
	expect_verified(7);
}

static void sync_tells_how_far_the_log_is_durable(void **state)
{
	(void)state;
	assert_int_equal(audit_log_durable(f.log), 0);
	fill(3);
	assert_int_equal(audit_log_durable(f.log), 0);
	assert_true(audit_log_sync(f.log, &f.err));
	assert_int_equal(audit_log_durable(f.log), 4);
	assert_true(audit_log_sync(f.log, &f.err));
	reopen_log();
	/* what others wrote may still be on its way */
	assert_int_equal(audit_log_durable(f.log), 0);
	assert_true(audit_log_sync(f.log, &f.err));
	assert_int_equal(audit_log_durable(f.log), 4);
}

/* ---- several processes ---------------------------------------------------------------------- */

#define EACH 300

/* A process that goes on where the log ends, as the one TA would. */
static void append_as_child(void)
{
	struct audit_log *log = NULL;
	struct sr_error err = { .code = SR_OK };
	struct audit_tail tail = { 0 };
	struct maker m;
	struct made made;
	bool ok = audit_log_open(f.path, false, &log, &err);

	maker_init(&m, 1);
	for (unsigned i = 0; ok && i < EACH; i++) {
		ok = audit_log_lock(log, &tail, &err);
		if (!ok)
			break;
		m.seq = tail.seq;
		memcpy(m.head, tail.head, sizeof(m.head));
		make_record(&m, SR_TA_CMD_SIGN_SPONSORSHIP, &made);
		ok = audit_log_append(log, &(struct sr_bytes){ made.bytes, made.len }, 1, &err);
		audit_log_unlock(log);
	}
	audit_log_close(log);
	_exit(ok ? 0 : 1);
}

static void two_processes_append_to_one_chain(void **state)
{
	pid_t children[2] = { 0 };

	(void)state;
	fill(0);
	for (unsigned i = 0; i < 2; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (!children[i])
			append_as_child();
	}
	for (unsigned i = 0; i < 2; i++) {
		int status = 0;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	assert_int_equal(lock_log().seq, 1 + 2 * EACH);
	audit_log_unlock(f.log);
	expect_verified(1 + 2 * EACH);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_new_log_is_empty_and_its_owners_alone),
		test(what_is_appended_verifies_and_is_found_again),
		test(a_log_longer_than_what_is_read_of_it_is_found_again),
		test(refuses_files_that_are_no_private_logs),
		test(refuses_a_file_of_other_content),
		test(notices_a_log_that_shrank_or_was_replaced),
		test(a_log_of_another_key_is_refused),
		test(records_sent_again_are_passed_over),
		test(a_record_sent_again_with_other_content_is_refused),
		test(a_gap_is_begins_alone),
		test(a_log_without_header_takes_nothing),
		test(malformed_records_are_refused_whole),
		test(checkpoints_are_taken_once_and_in_order),
		test(checkpoints_that_do_not_fit_are_refused),
		test(a_torn_last_line_is_cut_off),
		test(a_torn_line_of_another_process_is_cut_off),
		test(a_full_disk_leaves_the_log_as_it_was),
		test(sync_tells_how_far_the_log_is_durable),
		test(two_processes_append_to_one_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
