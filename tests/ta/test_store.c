/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator's storage: what survives, what is noticed, and that a kill at any
 * moment loses nothing that was promised. Needs the simulator's inside.
 */
#include "own_objects.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tee/sim/sim_test.h"

static struct ta_request request;
static struct ta_response response;

static size_t read_file(const char *path, uint8_t *out, size_t size)
{
	FILE *file = fopen(path, "rb");
	size_t len = 0;

	assert_non_null(file);
	len = fread(out, 1, size, file);
	assert_true(len < size);
	(void)fclose(file);
	return len;
}

static void write_file(const char *path, const uint8_t *data, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

/* The daemon's restart: nothing cached survives it. */
static void restart(struct ta_client *c)
{
	ta_disconnect(c);
	ta_connect(c);
}

static void keys_survive_a_restart(void **state)
{
	struct ta_client *c = *state;
	struct key_info before[2] = { 0 };
	struct key_info after[2] = { 0 };
	static const uint8_t digest[32] = { 8 };
	uint8_t signature[65] = { 0 };

	fill_keys(c);
	assert_int_equal(get_key(c, "ec", &before[0]), TEEC_SUCCESS);
	assert_int_equal(get_key(c, "ed", &before[1]), TEEC_SUCCESS);
	restart(c);
	assert_int_equal(get_key(c, "ec", &after[0]), TEEC_SUCCESS);
	assert_int_equal(get_key(c, "ed", &after[1]), TEEC_SUCCESS);
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(sign_digest(c, "ec", digest, signature), TEEC_SUCCESS);
	assert_true(secp256k1_signature_good(before[0].public_key, digest, signature));
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "ec", NULL),
			 TEEC_ERROR_ACCESS_CONFLICT);
}

static void assert_owners_alone(const char *path)
{
	struct stat st = { 0 };

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void files_are_the_owners_alone_whatever_the_umask(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
	} expected[] = {
		{ "", 0700 },	   { "/objects", 0700 },    { "/master.key", 0600 },
		{ "/lock", 0600 }, { "/generation", 0600 },
	};
	struct ta_client *c = *state;
	char path[TEMP_PATH_MAX] = "";
	struct stat st = { 0 };

	for (unsigned mask = 0; mask <= 0777; mask += 0777) {
		const mode_t old = umask((mode_t)mask);

		ta_disconnect(c);
		ta_remove_store(c->store);
		ta_connect(c);
		fill_keys(c);
		(void)umask(old);
		for (size_t i = 0; i < SR_ARRAY_LEN(expected); i++) {
			(void)snprintf(path, sizeof(path), "%s%s", c->store, expected[i].name);
			assert_int_equal(stat(path, &st), 0);
			assert_int_equal(st.st_mode & 07777, expected[i].mode);
		}
		assert_int_equal(each_object(c, assert_owners_alone), OWN_OBJECTS + FILLED_KEYS);
	}
}

static void no_secret_stands_in_the_files(void **state)
{
	struct ta_client *c = *state;
	uint8_t secret[32] = { 0 };
	uint8_t content[1024] = { 0 };
	char path[TEMP_PATH_MAX] = "";

	memset(secret, 0x5c, sizeof(secret));
	begin_new_key(&request, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "visible-name");
	put_bytes(&request, secret, sizeof(secret));
	assert_int_equal(call(c, SR_TA_CMD_IMPORT_KEY, &request, &response), TEEC_SUCCESS);
	key_object_path(c, 0, path);
	assert_true(read_file(path, content, sizeof(content)) > 0);
	assert_null(memmem(content, sizeof(content), secret, 4));
	assert_null(memmem(content, sizeof(content), "visible", 7));
}

/* ---- damage ---------------------------------------------------------------- */

static void assert_damaged(struct ta_client *c, uint8_t *signature)
{
	size_t at = 3;
	static const uint8_t digest[32] = { 8 };
	static const char *const listed[] = { "?", "k" };

	restart(c);
	/* Damaged is not absent: nothing takes its place, before it is looked at or after,
	 * and it is told of: as an object without a name, and by the name it was asked by. */
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k", NULL),
			 TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(get_key(c, "k", NULL), CORRUPT_OBJECT);
	assert_int_equal(sign_digest(c, "k", digest, signature), CORRUPT_OBJECT);
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k", NULL),
			 CORRUPT_OBJECT);
	begin_list(&request, "");
	assert_int_equal(call(c, SR_TA_CMD_LIST_KEYS, &request, &response), TEEC_SUCCESS);
	assert_int_equal(response.data[2], SR_ARRAY_LEN(listed));
	for (size_t i = 0; i < SR_ARRAY_LEN(listed); i++) {
		const struct key_info info = read_key_info(&response, &at);

		assert_string_equal(info.id, listed[i]);
		assert_int_equal(info.algorithm, 0);
	}
	assert_int_equal(count_keys(c), 1);
}

static void notices_every_flipped_byte(void **state)
{
	struct ta_client *c = *state;
	uint8_t good[1024] = { 0 };
	uint8_t signature[65] = { 0 };
	struct key_info key = { 0 };
	char path[TEMP_PATH_MAX] = "";
	size_t len = 0;

	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k", &key),
			 TEEC_SUCCESS);
	key_object_path(c, 0, path);
	len = read_file(path, good, sizeof(good));
	for (size_t i = 0; i < len; i++) {
		uint8_t bad[1024] = { 0 };

		memcpy(bad, good, len);
		bad[i] ^= (uint8_t)(1u << (i % 8));
		write_file(path, bad, len);
		assert_damaged(c, signature);
	}
	write_file(path, good, len);
	restart(c);
	assert_int_equal(get_key(c, "k", &key), TEEC_SUCCESS);
}

static void notices_truncation_and_growth(void **state)
{
	struct ta_client *c = *state;
	static uint8_t good[200 * 1024];
	uint8_t signature[65] = { 0 };
	char path[TEMP_PATH_MAX] = "";
	size_t len = 0;
	const size_t lengths[] = { 0, 1, 5, 6, 28, 29, 44, 100, 109, 110 };

	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k", NULL),
			 TEEC_SUCCESS);
	key_object_path(c, 0, path);
	len = read_file(path, good, sizeof(good));
	for (size_t i = 0; i < SR_ARRAY_LEN(lengths); i++) {
		write_file(path, good, lengths[i]);
		assert_damaged(c, signature);
	}
	write_file(path, good, len - 1);
	assert_damaged(c, signature);
	write_file(path, good, len + 1);
	assert_damaged(c, signature);
	write_file(path, good, sizeof(good));
	assert_damaged(c, signature);
}

static void notices_files_that_have_changed_places(void **state)
{
	struct ta_client *c = *state;
	char a[TEMP_PATH_MAX] = "";
	char b[TEMP_PATH_MAX] = "";
	uint8_t content[2][1024] = { { 0 } };
	size_t len[2] = { 0 };

	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k1", NULL),
			 TEEC_SUCCESS);
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k2", NULL),
			 TEEC_SUCCESS);
	key_object_path(c, 0, a);
	key_object_path(c, 1, b);
	len[0] = read_file(a, content[0], sizeof(content[0]));
	len[1] = read_file(b, content[1], sizeof(content[1]));
	write_file(a, content[1], len[1]);
	write_file(b, content[0], len[0]);
	restart(c);
	assert_int_equal(get_key(c, "k1", NULL), CORRUPT_OBJECT);
	assert_int_equal(get_key(c, "k2", NULL), CORRUPT_OBJECT);
}

static void never_makes_a_second_master_key(void **state)
{
	struct ta_client *c = *state;
	struct tee_api api = { 0 };
	struct sr_error err = { 0 };
	char path[TEMP_PATH_MAX] = "";
	uint8_t key[64] = { 0 };
	struct key_info info = { 0 };
	size_t len = 0;

	fill_keys(c);
	(void)snprintf(path, sizeof(path), "%s/master.key", c->store);
	len = read_file(path, key, sizeof(key));
	assert_int_equal(len, 32);
	ta_disconnect(c);
	assert_int_equal(unlink(path), 0);
	assert_false(tee_load_simulator(c->store, &api, &err));
	assert_int_equal(err.code, SR_E_CORRUPT);
	assert_non_null(strstr(err.message, "master.key"));
	assert_int_equal(access(path, F_OK), -1);
	write_file(path, key, 31);
	assert_false(tee_load_simulator(c->store, &api, &err));
	assert_int_equal(err.code, SR_E_CORRUPT);
	/* Another key opens nothing, and says so: of what it cannot name, all may be keys. */
	key[0] ^= 1;
	write_file(path, key, len);
	ta_connect(c);
	assert_int_equal(get_key(c, "ec", &info), CORRUPT_OBJECT);
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k", NULL),
			 CORRUPT_OBJECT);
	assert_int_equal(count_keys(c), OWN_OBJECTS + FILLED_KEYS);
	ta_disconnect(c);
	key[0] ^= 1;
	write_file(path, key, len);
	ta_connect(c);
	assert_int_equal(get_key(c, "ec", &info), TEEC_SUCCESS);
}

static void a_process_has_one_store(void **state)
{
	struct ta_client *c = *state;
	struct tee_api api = { 0 };
	struct sr_error err = { 0 };
	char other[TEMP_DIR_MAX] = "";

	assert_true(tee_load_simulator(c->store, &api, &err));
	ta_new_store(other);
	assert_false(tee_load_simulator(other, &api, &err));
	assert_int_equal(err.code, SR_E_BUSY);
	ta_remove_store(other);
}

static void says_why_a_store_cannot_be_opened(void **state)
{
	struct ta_client *c = *state;
	struct tee_api api = { 0 };
	struct sr_error err = { 0 };

	ta_disconnect(c);
	assert_false(tee_load_simulator("/nonexistent/parent/store", &api, &err));
	assert_int_equal(err.code, SR_E_UNAVAILABLE);
	assert_non_null(strstr(err.message, "/nonexistent/parent/store"));
	assert_int_equal(chmod(c->store, 0750), 0);
	assert_false(tee_load_simulator(c->store, &api, &err));
	assert_int_equal(err.code, SR_E_INVALID);
	assert_non_null(strstr(err.message, "0750"));
	assert_int_equal(chmod(c->store, 0700), 0);
	ta_connect(c);
}

/* ---- two processes ------------------------------------------------------------ */

/* Runs body in a child with a connection of its own; its result is the answer. */
static int in_child(struct ta_client *c, int (*body)(struct ta_client *c))
{
	int status = 0;
	pid_t child = fork();

	if (!child) {
		struct ta_client own = { 0 };

		memcpy(own.store, c->store, sizeof(own.store));
		ta_connect(&own);
		_exit(body(&own));
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int delete_k(struct ta_client *c)
{
	return delete_key(c, "k") == TEEC_SUCCESS ? 0 : 1;
}

static int generate_other(struct ta_client *c)
{
	return generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "other", NULL) == TEEC_SUCCESS
		       ? 0
		       : 1;
}

static void a_key_that_another_process_deleted_signs_no_more(void **state)
{
	static const uint8_t digest[32] = { 8 };
	struct ta_client *c = *state;
	uint8_t signature[65] = { 0 };

	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k", NULL),
			 TEEC_SUCCESS);
	assert_int_equal(sign_digest(c, "k", digest, signature), TEEC_SUCCESS);
	assert_int_equal(in_child(c, generate_other), 0);
	assert_int_equal(sign_digest(c, "k", digest, signature), TEEC_SUCCESS);
	assert_int_equal(get_key(c, "other", NULL), TEEC_SUCCESS);
	assert_int_equal(in_child(c, delete_k), 0);
	assert_int_equal(sign_digest(c, "k", digest, signature), TEEC_ERROR_ITEM_NOT_FOUND);
}

/* ---- failing storage ----------------------------------------------------------- */

static unsigned fault_countdown;
static int fault_error;
static bool fault_kills;

static int fail_step(const char *step)
{
	(void)step;
	if (!fault_countdown || --fault_countdown)
		return 0;
	if (fault_kills)
		(void)raise(SIGKILL);
	return fault_error;
}

/* Every step of a change fails in its turn: an error, the old state or the new,
 * no panic, and nothing temporary left. */
static void every_failing_step_leaves_the_old_state_or_the_new(void **state)
{
	static const int errors[] = { EIO, ENOSPC, EACCES, EMFILE, EROFS };
	struct ta_client *c = *state;

	sim_store_fault_hook = fail_step;
	for (size_t e = 0; e < SR_ARRAY_LEN(errors); e++) {
		unsigned failures = 0;

		fault_error = errors[e];
		for (unsigned step = 1; step < 40; step++) {
			TEEC_Result made = TEEC_SUCCESS;
			TEEC_Result found = TEEC_SUCCESS;

			restart(c);
			fault_countdown = step;
			made = generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k", NULL);
			if (fault_countdown) /* as many steps there are not */
				break;
			failures++;
			assert_int_equal(made, errors[e] == ENOSPC
						       ? TEEC_ERROR_STORAGE_NO_SPACE
						       : TEEC_ERROR_STORAGE_NOT_AVAILABLE);
			restart(c);
			found = get_key(c, "k", NULL);
			assert_true(found == TEEC_SUCCESS || found == TEEC_ERROR_ITEM_NOT_FOUND);
			if (found == TEEC_SUCCESS)
				assert_int_equal(delete_key(c, "k"), TEEC_SUCCESS);
			assert_int_equal(count_keys(c), 0);
		}
		/* The journal as the chain begins, the key, and the journal's generation. */
		assert_int_equal(failures, 3 * 6);
		fault_countdown = 1;
		assert_int_equal(delete_key(c, "k"), TEEC_ERROR_STORAGE_NOT_AVAILABLE);
		assert_int_equal(get_key(c, "k", NULL), TEEC_SUCCESS);
		fault_countdown = 0;
		assert_int_equal(delete_key(c, "k"), TEEC_SUCCESS);
	}
	sim_store_fault_hook = NULL;
}

/* In a child: a key that stays, then changes that the kill interrupts. */
static int change_until_killed(struct ta_client *c)
{
	fault_kills = true;
	sim_store_fault_hook = fail_step;
	(void)generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "new", NULL);
	(void)delete_key(c, "old");
	return 0;
}

/* Exhaustive: a kill before each step of making a key and of deleting one. */
static void a_kill_before_any_step_loses_no_key(void **state)
{
	struct ta_client *c = *state;
	bool killed = true;

	for (unsigned step = 1; killed; step++) {
		struct key_info kept = { 0 };
		struct key_info after = { 0 };
		TEEC_Result made = TEEC_SUCCESS;
		TEEC_Result old = TEEC_SUCCESS;
		int status = 0;
		pid_t child = -1;

		assert_true(step < 40);
		assert_int_equal(
			generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "kept", &kept),
			TEEC_SUCCESS);
		assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "old", NULL),
				 TEEC_SUCCESS);
		child = fork();
		if (!child) {
			fault_countdown = step;
			_exit(change_until_killed(c));
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		killed = WIFSIGNALED(status);
		restart(c);
		assert_int_equal(get_key(c, "kept", &after), TEEC_SUCCESS);
		assert_memory_equal(&kept, &after, sizeof(kept));
		made = get_key(c, "new", NULL);
		old = get_key(c, "old", NULL);
		assert_true(made == TEEC_SUCCESS || made == TEEC_ERROR_ITEM_NOT_FOUND);
		assert_true(old == TEEC_SUCCESS || old == TEEC_ERROR_ITEM_NOT_FOUND);
		/* The second change came after the first: no order but that one. */
		assert_true(made == TEEC_SUCCESS || old == TEEC_SUCCESS);
		assert_int_equal(count_keys(c), 1 + (made == TEEC_SUCCESS) + (old == TEEC_SUCCESS));
		assert_int_equal(delete_key(c, "kept"), TEEC_SUCCESS);
		(void)delete_key(c, "new");
		(void)delete_key(c, "old");
	}
}

/* Makes and deletes keys for ever, and tells each before and after: "+" id, "-" id. */
static void churn(struct ta_client *c, int report, unsigned round)
{
	for (unsigned i = 0;; i++) {
		char line[32] = "";
		const int len = snprintf(line, sizeof(line), "k%u.%u", round, i);

		if (generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, line, NULL) !=
		    TEEC_SUCCESS)
			_exit(1);
		line[len] = '\n';
		if (write(report, line, (size_t)len + 1) != len + 1)
			_exit(1);
		line[len] = 0;
		if (i % 3 && delete_key(c, line) != TEEC_SUCCESS)
			_exit(1);
	}
}

static void kills_at_random_moments_lose_no_acknowledged_key(void **state)
{
	struct ta_client *c = *state;
	unsigned kept = 0;

	for (unsigned round = 0; round < 60; round++) {
		const struct timespec delay = { .tv_nsec = 500000L + (long)(round * 137000L) };
		char reported[65536] = "";
		size_t len = 0;
		ssize_t n = 0;
		int pipes[2] = { -1, -1 };
		pid_t child = -1;

		assert_int_equal(pipe(pipes), 0);
		child = fork();
		if (!child)
			churn(c, pipes[1], round);
		assert_true(child > 0);
		close(pipes[1]);
		(void)nanosleep(&delay, NULL);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
		while ((n = read(pipes[0], reported + len, sizeof(reported) - 1 - len)) > 0)
			len += (size_t)n;
		close(pipes[0]);
		restart(c);
		/* Of every three, the first was never to be deleted. */
		for (char *id = strtok(reported, "\n"); id; id = strtok(NULL, "\n")) {
			const unsigned long i = strtoul(strchr(id, '.') + 1, NULL, 10);
			const TEEC_Result found = get_key(c, id, NULL);

			if (i % 3 == 0)
				assert_int_equal(found, TEEC_SUCCESS);
			else
				assert_true(found == TEEC_SUCCESS ||
					    found == TEEC_ERROR_ITEM_NOT_FOUND);
			kept += found == TEEC_SUCCESS;
			if (found == TEEC_SUCCESS)
				assert_int_equal(delete_key(c, id), TEEC_SUCCESS);
		}
		/* One more may have been made and not told. */
		assert_in_range(count_keys(c), 0, 1);
		begin_list(&request, "");
		assert_int_equal(call(c, SR_TA_CMD_LIST_KEYS, &request, &response), TEEC_SUCCESS);
		if (response.data[2]) {
			const struct key_info info = read_key_info(&response, &(size_t){ 3 });

			assert_int_equal(info.algorithm, SR_TA_ALG_SECP256K1);
			assert_int_equal(delete_key(c, info.id), TEEC_SUCCESS);
		}
	}
	assert_true(kept > 0);
}

/* Names in objects/ that begin with a dot, "." and ".." aside. */
static unsigned count_temporary(const struct ta_client *c)
{
	char directory[TEMP_PATH_MAX] = "";
	unsigned count = 0;
	DIR *listing = NULL;

	(void)snprintf(directory, sizeof(directory), "%s/objects", c->store);
	listing = opendir(directory);
	assert_non_null(listing);
	for (struct dirent *entry = readdir(listing); entry; entry = readdir(listing))
		count += !strncmp(entry->d_name, ".tmp-", 5);
	closedir(listing);
	return count;
}

static void nothing_temporary_stays(void **state)
{
	struct ta_client *c = *state;

	fill_keys(c);
	assert_int_equal(count_temporary(c), 0);
	sim_store_fault_hook = fail_step;
	fault_error = EIO;
	for (unsigned step = 1; step < 8; step++) {
		fault_countdown = step;
		(void)generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k", NULL);
		assert_int_equal(count_temporary(c), 0);
	}
	sim_store_fault_hook = NULL;
}

static void what_a_killed_writer_left_is_removed(void **state)
{
	struct ta_client *c = *state;
	char path[TEMP_PATH_MAX] = "";

	(void)snprintf(path, sizeof(path), "%s/objects/.tmp-1-1", c->store);
	write_file(path, (const uint8_t *)"x", 1);
	restart(c);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(count_keys(c), 0);
}

static int setup(void **state)
{
	if (ta_setup(state))
		return -1;
	note_own_objects(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys_survive_a_restart, setup, ta_teardown),
		cmocka_unit_test_setup_teardown(files_are_the_owners_alone_whatever_the_umask,
						setup, ta_teardown),
		cmocka_unit_test_setup_teardown(no_secret_stands_in_the_files, setup, ta_teardown),
		cmocka_unit_test_setup_teardown(notices_every_flipped_byte, setup, ta_teardown),
		cmocka_unit_test_setup_teardown(notices_truncation_and_growth, setup, ta_teardown),
		cmocka_unit_test_setup_teardown(notices_files_that_have_changed_places, setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(never_makes_a_second_master_key, setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(a_process_has_one_store, setup, ta_teardown),
		cmocka_unit_test_setup_teardown(says_why_a_store_cannot_be_opened, setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(a_key_that_another_process_deleted_signs_no_more,
						setup, ta_teardown),
		cmocka_unit_test_setup_teardown(every_failing_step_leaves_the_old_state_or_the_new,
						setup, ta_teardown),
		cmocka_unit_test_setup_teardown(a_kill_before_any_step_loses_no_key, setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(kills_at_random_moments_lose_no_acknowledged_key,
						setup, ta_teardown),
		cmocka_unit_test_setup_teardown(nothing_temporary_stays, setup, ta_teardown),
		cmocka_unit_test_setup_teardown(what_a_killed_writer_left_is_removed, setup,
						ta_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
