/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The KMS with an audit log: nothing goes out that is not on the disk, whatever happens to
 * the disk, to the TA's instance, or beside it. Faults are injected between the KMS and the
 * TEE's client API, and into fdatasync, which this program has of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kms/kms.h"
#include "temp_dir.h"

#define KEY "audited"

static struct tee_api real_api;
static char store_dir[TEMP_PATH_MAX];
static char base_dir[TEMP_DIR_MAX];
static char log_path[TEMP_PATH_MAX];

/* ---- faults -------------------------------------------------------------------- */

static atomic_bool sync_fails;
static atomic_int syncs;
static atomic_uint delay_us; /* of each sync */

int fdatasync(int fd)
{
	usleep(atomic_load(&delay_us));
	atomic_fetch_add(&syncs, 1);
	if (atomic_load(&sync_fails)) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static _Atomic uint32_t fail_command; /* the next invocation of this one fails */
static _Atomic TEEC_Result fail_with;
static atomic_bool fails;
static atomic_int invoked[SR_TA_CMD_ROTATE_KEY + 1];

static TEEC_Result faulty_invoke(TEEC_Session *session, uint32_t command, TEEC_Operation *operation,
				 uint32_t *origin)
{
	if (command <= SR_TA_CMD_ROTATE_KEY)
		atomic_fetch_add(&invoked[command], 1);
	if (command == atomic_load(&fail_command) && atomic_exchange(&fails, false)) {
		*origin = TEEC_ORIGIN_TEE;
		return atomic_load(&fail_with);
	}
	return real_api.invoke_command(session, command, operation, origin);
}

static void fail_next(uint32_t command, TEEC_Result result)
{
	atomic_store(&fail_command, command);
	atomic_store(&fail_with, result);
	atomic_store(&fails, true);
}

/* ---- fixture -------------------------------------------------------------------- */

static struct kms *open_kms(unsigned interval)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_config c = { .api = real_api,
				.ta_uuid = SUPER_RELAY_TA_UUID,
				.pool_size = 2,
				.batch_size = 16,
				.min_batch = 1,
				.max_retries = 2,
				.queue_limit = 10000,
				.audit_checkpoint_interval = interval };
	struct kms *kms = NULL;

	c.api.invoke_command = faulty_invoke;
	if (!audit_log_open(log_path, true, &c.log, &err) || !kms_open(&c, &kms, &err))
		fail_msg("%s", err.message);
	return kms;
}

static void make_key(struct kms *kms, const char *id, uint32_t usage)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_key key;

	if (!kms_generate_key(kms, id, SR_TA_ALG_SECP256K1, usage, &key, &err) &&
	    err.code != SR_E_EXISTS)
		fail_msg("generate %s: %s", id, err.message);
}

/* The tests share a store and a log, and what each leaves in them must hold for the next. */
static int fresh(void **state)
{
	(void)state;
	atomic_store(&sync_fails, false);
	atomic_store(&fails, false);
	atomic_store(&delay_us, 0);
	atomic_store(&syncs, 0);
	for (size_t i = 0; i < SR_ARRAY_LEN(invoked); i++)
		atomic_store(&invoked[i], 0);
	return 0;
}

static int make_store(void **state)
{
	struct sr_error err = { .code = SR_OK };

	(void)state;
	if (!make_temp_dir(base_dir))
		return -1;
	snprintf(store_dir, sizeof(store_dir), "%s/tee", base_dir);
	snprintf(log_path, sizeof(log_path), "%s/log", base_dir);
	if (tee_load_simulator(store_dir, &real_api, &err))
		return 0;
	fprintf(stderr, "%s\n", err.message);
	return -1;
}

static int remove_store(void **state)
{
	(void)state;
	return remove_temp_dir(base_dir);
}

/* ---- requests --------------------------------------------------------------------- */

struct waiter {
	struct kms_request request;
	int syncs_at_callback;
	atomic_int done;
};

static void on_done(struct kms_request *request)
{
	struct waiter *w = (struct waiter *)request;

	w->syncs_at_callback = atomic_load(&syncs);
	atomic_fetch_add(&w->done, 1);
}

static void fill(struct waiter *w, const char *key_id, unsigned salt)
{
	memset(w, 0, sizeof(*w));
	snprintf(w->request.key_id, sizeof(w->request.key_id), "%s", key_id);
	w->request.sponsorship.scheme = ETH_SCHEME_VERIFYING_PAYMASTER_V07;
	w->request.sponsorship.chain_id = 31337;
	memset(&w->request.sponsorship.entry_point, 1, 20);
	memset(&w->request.sponsorship.paymaster, 2, 20);
	w->request.sponsorship.nonce[31] = (uint8_t)salt;
	w->request.sponsorship.nonce[30] = (uint8_t)(salt >> 8);
	w->request.sponsorship.valid_until = 2000000000;
	w->request.sponsorship.valid_after = 1;
	w->request.done = on_done;
}

static void submit(struct kms *kms, struct waiter *w)
{
	struct sr_error err = { .code = SR_OK };

	if (!kms_sign_sponsorship(kms, &w->request, &err))
		fail_msg("submit: %s", err.message);
}

static void wait_for(struct waiter *w)
{
	for (int i = 0; i < 20000 && !atomic_load(&w->done); i++)
		usleep(1000);
	assert_int_equal(atomic_load(&w->done), 1);
}

static void sign_one(struct kms *kms, struct waiter *w, unsigned salt)
{
	fill(w, KEY, salt);
	submit(kms, w);
	wait_for(w);
}

static void assert_signed(const struct waiter *w)
{
	uint8_t digest[32];

	if (w->request.result.error.code != SR_OK)
		fail_msg("%s", w->request.result.error.message);
	assert_true(eth_sponsorship_digest(&w->request.sponsorship, digest));
	assert_memory_equal(digest, w->request.result.digest, 32);
}

/* ---- what the log holds ------------------------------------------------------------- */

struct counts {
	unsigned begins, signatures, refusals, checkpoints;
	uint64_t last;
	const uint8_t *wanted; /* digest */
	bool found;
};

static bool count_entry(void *arg, const struct audit_entry *entry)
{
	struct counts *c = arg;
	const struct audit_record *r = &entry->record;

	if (entry->type == AUDIT_LINE_CHECKPOINT)
		c->checkpoints++;
	if (entry->type != AUDIT_LINE_RECORD)
		return true;
	c->last = r->seq;
	c->begins += r->command == SR_TA_CMD_BEGIN;
	if (r->command == SR_TA_CMD_SIGN_SPONSORSHIP) {
		c->signatures += r->decision == TEEC_SUCCESS;
		c->refusals += r->decision != TEEC_SUCCESS;
	}
	c->found |= c->wanted && memcmp(r->digest, c->wanted, 32) == 0;
	return true;
}

static struct counts read_log(const uint8_t *wanted)
{
	struct counts c = { .wanted = wanted };
	struct sr_error err = { .code = SR_OK };

	if (!audit_read(log_path, count_entry, &c, &err))
		fail_msg("%s", err.message);
	return c;
}

static void assert_log_holds(void)
{
	const struct audit_options options = { .audit_key = NULL };
	struct sr_error err = { .code = SR_OK };
	static struct audit_report report;

	if (!audit_verify(log_path, &options, &report, &err))
		fail_msg("%s", err.message);
	if (report.fault != AUDIT_HOLDS)
		fail_msg("line %llu: %s", (unsigned long long)report.line, report.message);
}

/* ---- another process ------------------------------------------------------------------ */

/* This program again, as a child that signs count times with the same store and log. */
static pid_t start_other(unsigned count)
{
	char number[16];
	pid_t pid = 0;

	snprintf(number, sizeof(number), "%u", count);
	pid = fork();
	if (pid == 0) {
		execl("/proc/self/exe", "other", store_dir, log_path, number, (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	return pid;
}

static void end_other(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int be_other(char **argv)
{
	struct sr_error err = { .code = SR_OK };
	unsigned count = (unsigned)atoi(argv[3]);
	struct waiter w;
	struct kms *kms = NULL;
	int status = 0;

	snprintf(log_path, sizeof(log_path), "%s", argv[2]);
	if (!tee_load_simulator(argv[1], &real_api, &err))
		return 2;
	kms = open_kms(0);
	for (unsigned i = 0; i < count && !status; i++) {
		fill(&w, KEY, 5000 + i);
		if (!kms_sign_sponsorship(kms, &w.request, &err))
			status = 3;
		while (!status && !atomic_load(&w.done))
			usleep(200);
		if (!status && w.request.result.error.code != SR_OK) {
			fprintf(stderr, "other: %s\n", w.request.result.error.message);
			status = 4;
		}
	}
	kms_close(kms, 0);
	return status;
}

/* ---- tests ---------------------------------------------------------------------------- */

static void a_signature_goes_out_when_its_record_is_on_the_disk(void **state)
{
	struct kms *kms = open_kms(0);
	struct waiter w;
	int before = 0;

	(void)state;
	make_key(kms, KEY, SR_TA_USAGE_SPONSOR);
	before = atomic_load(&syncs);
	sign_one(kms, &w, 1);
	assert_signed(&w);
	assert_true(w.syncs_at_callback > before);
	assert_true(read_log(w.request.result.digest).found);
	kms_close(kms, 0);
	assert_log_holds();
}

static void what_is_signed_while_the_disk_works_shares_its_next_sync(void **state)
{
	enum { COUNT = 200 };
	static struct waiter w[COUNT];
	struct kms *kms = open_kms(0);
	int before = 0;

	(void)state;
	make_key(kms, KEY, SR_TA_USAGE_SPONSOR);
	atomic_store(&delay_us, 20000);
	before = atomic_load(&syncs);
	for (unsigned i = 0; i < COUNT; i++) {
		fill(&w[i], KEY, i);
		submit(kms, &w[i]);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		wait_for(&w[i]);
		assert_signed(&w[i]);
	}
	/* 200 signatures are 13 batches at least, which did not wait for one another's sync */
	assert_in_range(atomic_load(&syncs) - before, 1, 8);
	kms_close(kms, 0);
	assert_log_holds();
}

static void a_refusal_is_recorded_as_well(void **state)
{
	struct kms *kms = open_kms(0);
	struct sr_error err = { .code = SR_OK };
	struct kms_key key;
	struct waiter w;
	uint64_t before = 0;

	(void)state;
	make_key(kms, "no-sponsor", SR_TA_USAGE_DIGEST);
	before = read_log(NULL).last;
	fill(&w, "no-sponsor", 1);
	submit(kms, &w);
	wait_for(&w);
	assert_int_equal(w.request.result.error.code, SR_E_DENIED);
	assert_false(kms_generate_key(kms, "no-sponsor", SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR,
				      &key, &err));
	assert_int_equal(err.code, SR_E_EXISTS);
	assert_int_equal(read_log(NULL).last, before + 2);
	kms_close(kms, 0);
	assert_log_holds();
}

static void an_instance_that_began_anew_is_bound_to_the_log_again(void **state)
{
	static const TEEC_Result results[] = { TEEC_ERROR_BAD_STATE, TEEC_ERROR_TARGET_DEAD };
	struct kms *kms = open_kms(0);
	struct waiter w;

	(void)state;
	make_key(kms, KEY, SR_TA_USAGE_SPONSOR);
	for (unsigned i = 0; i < SR_ARRAY_LEN(results); i++) {
		int before = atomic_load(&invoked[SR_TA_CMD_BEGIN]);

		fail_next(SR_TA_CMD_SIGN_SPONSORSHIP, results[i]);
		sign_one(kms, &w, i);
		assert_signed(&w);
		/* a session that died is opened again, and its instance knows its log */
		assert_int_equal(atomic_load(&invoked[SR_TA_CMD_BEGIN]) - before,
				 results[i] == TEEC_ERROR_BAD_STATE ? 1 : 0);
	}
	kms_close(kms, 0);
	assert_log_holds();
}

static void a_ta_whose_records_were_not_taken_is_drained_and_asked_again(void **state)
{
	struct kms *kms = open_kms(0);
	struct waiter w;
	int before = 0;

	(void)state;
	make_key(kms, KEY, SR_TA_USAGE_SPONSOR);
	before = atomic_load(&invoked[SR_TA_CMD_AUDIT_READ]);
	fail_next(SR_TA_CMD_SIGN_SPONSORSHIP, TEEC_ERROR_EXCESS_DATA);
	sign_one(kms, &w, 1);
	assert_signed(&w);
	assert_int_equal(atomic_load(&invoked[SR_TA_CMD_AUDIT_READ]) - before, 1);
	kms_close(kms, 0);
	assert_log_holds();
}

/* A host that keeps no log leaves its records with the TA; ours come behind them. */
static void records_that_were_left_behind_do_not_hide_our_own(void **state)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_config c = { .api = real_api,
				.ta_uuid = SUPER_RELAY_TA_UUID,
				.pool_size = 1,
				.batch_size = 1,
				.min_batch = 1,
				.queue_limit = 10 };
	struct kms *kms = open_kms(0);
	struct kms *without = NULL;
	struct waiter w;
	unsigned before = 0;

	(void)state;
	make_key(kms, KEY, SR_TA_USAGE_SPONSOR);
	before = read_log(NULL).signatures;
	assert_true(kms_open(&c, &without, &err));
	for (unsigned i = 0; i < 40; i++) {
		sign_one(without, &w, i);
		assert_signed(&w);
	}
	kms_close(without, 0);
	sign_one(kms, &w, 99);
	assert_signed(&w);
	assert_true(read_log(w.request.result.digest).found);
	assert_int_equal(read_log(NULL).signatures - before, 41);
	kms_close(kms, 0);
	assert_log_holds();
}

static void a_checkpoint_follows_every_so_many_records_and_the_end(void **state)
{
	struct kms *kms = open_kms(4);
	unsigned before = 0;
	unsigned after = 0;
	struct waiter w;

	(void)state;
	make_key(kms, KEY, SR_TA_USAGE_SPONSOR);
	before = read_log(NULL).checkpoints;
	for (unsigned i = 0; i < 12; i++)
		sign_one(kms, &w, i);
	after = read_log(NULL).checkpoints;
	assert_int_equal(after - before, 3);
	sign_one(kms, &w, 99);
	kms_close(kms, 0);
	assert_int_equal(read_log(NULL).checkpoints, after + 1);
	assert_log_holds();
}

static void two_processes_share_one_store_and_one_log(void **state)
{
	enum { COUNT = 40 };
	struct kms *kms = open_kms(0);
	unsigned before = 0;
	struct waiter w;
	pid_t other = 0;

	(void)state;
	make_key(kms, KEY, SR_TA_USAGE_SPONSOR);
	before = read_log(NULL).signatures;
	other = start_other(COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		sign_one(kms, &w, i);
		assert_signed(&w);
	}
	end_other(other);
	sign_one(kms, &w, COUNT);
	assert_signed(&w);
	kms_close(kms, 0);
	assert_int_equal(read_log(NULL).signatures - before, 2 * COUNT + 1);
	assert_log_holds();
}

static void closing_finishes_every_request_exactly_once(void **state)
{
	enum { COUNT = 300 };
	static struct waiter w[COUNT];
	struct kms *kms = open_kms(0);
	unsigned signatures = 0;
	unsigned done = 0;

	(void)state;
	make_key(kms, KEY, SR_TA_USAGE_SPONSOR);
	signatures = read_log(NULL).signatures;
	atomic_store(&delay_us, 5000);
	for (unsigned i = 0; i < COUNT; i++) {
		fill(&w[i], KEY, i);
		submit(kms, &w[i]);
	}
	kms_close(kms, 0);
	for (unsigned i = 0; i < COUNT; i++) {
		assert_int_equal(atomic_load(&w[i].done), 1);
		if (w[i].request.result.error.code == SR_OK)
			done++;
		else
			assert_int_equal(w[i].request.result.error.code, SR_E_UNAVAILABLE);
	}
	assert_int_equal(read_log(NULL).signatures - signatures, done);
	assert_log_holds();
}

/* The log's end is cut off, and the instance is a new one, so that only the log can be wrong. */
static void a_log_that_was_cut_stops_the_signing_and_says_so(void **state)
{
	struct kms *kms = open_kms(0);
	struct sr_error err = { .code = SR_OK };
	struct waiter w;
	struct kms_key key;
	off_t length = 0;
	FILE *log = NULL;

	(void)state;
	make_key(kms, KEY, SR_TA_USAGE_SPONSOR);
	log = fopen(log_path, "r");
	assert_non_null(log);
	fseek(log, 0, SEEK_END);
	length = ftell(log);
	fclose(log);
	sign_one(kms, &w, 1);
	kms_close(kms, 0);
	end_other(start_other(1));
	assert_int_equal(truncate(log_path, length), 0);

	kms = open_kms(0);
	assert_false(kms_audit_begin(kms, &err));
	assert_int_equal(err.code, SR_E_CORRUPT);
	assert_non_null(strstr(err.message, "the audit log is older than the TEE's storage"));
	assert_non_null(strstr(err.message, "operator sign begin"));
	assert_false(kms_check(kms, &err));
	assert_int_equal(err.code, SR_E_UNAVAILABLE);
	fill(&w, KEY, 2);
	assert_false(kms_sign_sponsorship(kms, &w.request, &err));
	assert_int_equal(err.code, SR_E_UNAVAILABLE);
	assert_false(kms_generate_key(kms, "never", SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, &key,
				      &err));
	/* what signs nothing goes on: the operator has to see what is there */
	assert_true(kms_get_key(kms, KEY, &key, &err));
	assert_false(kms_get_key(kms, "never", &key, &err));
	kms_close(kms, 0);
}

/* Where the audit is not forced: it begins at the chain's head(0), signed checkpoints and all, and
 * says that there was one before. */
static void a_new_log_begins_anew_behind_one_that_is_gone(void **state)
{
	const struct audit_options strict = { 0 };
	const struct audit_options lenient = { .allow_begun_behind = true };
	struct sr_error err = { .code = SR_OK };
	struct audit_report report;
	char usual[TEMP_PATH_MAX];
	struct kms *kms = open_kms(0);

	(void)state;
	make_key(kms, KEY, SR_TA_USAGE_SPONSOR);
	kms_close(kms, 0);
	memcpy(usual, log_path, sizeof(usual));
	snprintf(log_path, sizeof(log_path), "%s/empty", base_dir);
	kms = open_kms(0);
	make_key(kms, "other", SR_TA_USAGE_SPONSOR);
	assert_true(kms_check(kms, &err));
	kms_close(kms, 0);
	assert_true(audit_verify(log_path, &lenient, &report, &err));
	assert_int_equal(report.fault, AUDIT_HOLDS);
	assert_int_equal(report.unsigned_records, 0);
	assert_true(report.checkpoints > 0);
	assert_true(audit_verify(log_path, &strict, &report, &err));
	assert_int_equal(report.fault, AUDIT_BEGUN_BEHIND);
	/* From here on the TA knows of this log, and takes no older one. */
	assert_int_equal(rename(log_path, usual), 0);
	memcpy(log_path, usual, sizeof(log_path));
}

static void a_disk_that_fails_lets_no_signature_out(void **state)
{
	enum { COUNT = 20 };
	static struct waiter w[COUNT];
	static const uint8_t zeros[SR_TA_SECP256K1_SIGNATURE_SIZE];
	struct sr_error err = { .code = SR_OK };
	struct kms *kms = NULL;

	(void)state;
	kms = open_kms(0);
	make_key(kms, KEY, SR_TA_USAGE_SPONSOR);
	atomic_store(&sync_fails, true);
	for (unsigned i = 0; i < COUNT; i++) {
		fill(&w[i], KEY, i);
		if (!kms_sign_sponsorship(kms, &w[i].request, &err))
			atomic_store(&w[i].done, 2);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		for (int n = 0; n < 20000 && !atomic_load(&w[i].done); n++)
			usleep(1000);
		if (atomic_load(&w[i].done) == 2)
			continue;
		assert_int_equal(w[i].request.result.error.code, SR_E_UNAVAILABLE);
		assert_memory_equal(w[i].request.result.signature, zeros, sizeof(zeros));
	}
	assert_int_not_equal(atomic_load(&w[0].done), 2);
	/* a disk that comes back changes nothing: nobody knows what it has lost */
	atomic_store(&sync_fails, false);
	assert_false(kms_check(kms, &err));
	assert_false(kms_sign_sponsorship(kms, &w[0].request, &err));
	assert_int_equal(err.code, SR_E_UNAVAILABLE);
	kms_close(kms, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_signature_goes_out_when_its_record_is_on_the_disk, fresh),
		cmocka_unit_test_setup(what_is_signed_while_the_disk_works_shares_its_next_sync,
				       fresh),
		cmocka_unit_test_setup(a_refusal_is_recorded_as_well, fresh),
		cmocka_unit_test_setup(an_instance_that_began_anew_is_bound_to_the_log_again,
				       fresh),
		cmocka_unit_test_setup(a_ta_whose_records_were_not_taken_is_drained_and_asked_again,
				       fresh),
		cmocka_unit_test_setup(records_that_were_left_behind_do_not_hide_our_own, fresh),
		cmocka_unit_test_setup(a_checkpoint_follows_every_so_many_records_and_the_end,
				       fresh),
		cmocka_unit_test_setup(two_processes_share_one_store_and_one_log, fresh),
		cmocka_unit_test_setup(closing_finishes_every_request_exactly_once, fresh),
		cmocka_unit_test_setup(a_new_log_begins_anew_behind_one_that_is_gone, fresh),
		cmocka_unit_test_setup(a_disk_that_fails_lets_no_signature_out, fresh),
		cmocka_unit_test_setup(a_log_that_was_cut_stops_the_signing_and_says_so, fresh),
	};

	if (argc == 4)
		return be_other(argv);
	return cmocka_run_group_tests(tests, make_store, remove_store);
}
