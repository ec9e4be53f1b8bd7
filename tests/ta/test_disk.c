/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator's directory on a disk that fails, under other users' hands, and
 * after power cuts and kills. Takes the place of readdir and fsync to see and fail
 * their calls.
 */
#include "ta_client.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tee/sim/sim_test.h"

#define STORAGE_NOT_AVAILABLE 0xF0100003u

#ifdef __USE_FILE_OFFSET64
#define READDIR "readdir64"
#else
#define READDIR "readdir"
#endif

static struct ta_request request;
static struct ta_response response;
static bool fail_readdir;
static ino_t watched;
static unsigned watched_syncs;

struct dirent *readdir(DIR *listing)
{
	struct dirent *(*real)(DIR *) = NULL;
	void *symbol = dlsym(RTLD_NEXT, READDIR);

	memcpy(&real, &symbol, sizeof(real));
	if (fail_readdir) {
		errno = EIO;
		return NULL;
	}
	return real(listing);
}

int fsync(int fd)
{
	struct stat st = { 0 };

	if (!fstat(fd, &st) && st.st_ino == watched)
		watched_syncs++;
	return (int)syscall(SYS_fsync, fd);
}

static void path_of(const struct ta_client *c, const char *name, char out[static TEMP_PATH_MAX])
{
	(void)snprintf(out, TEMP_PATH_MAX, "%s/%s", c->store, name);
}

static void make_file(const char *path, const char *content, mode_t mode)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* What the store is told to be wrong with, named in the message. */
static void assert_refused(const char *store, const char *word)
{
	struct tee_api api = { 0 };
	struct sr_error err = { 0 };

	assert_false(tee_load_simulator(store, &api, &err));
	assert_int_equal(err.code, SR_E_INVALID);
	assert_non_null(strstr(err.message, store));
	if (!strstr(err.message, word))
		fail_msg("no '%s' in: %s", word, err.message);
}

static TEEC_Result make(struct ta_client *c, const char *id)
{
	return generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, id, NULL);
}

/* ---- whose it is ---------------------------------------------------------- */

static void refuses_what_lets_others_in(void **state)
{
	struct ta_client *c = *state;
	char path[TEMP_PATH_MAX] = "";

	ta_disconnect(c);
	assert_int_equal(chmod(c->store, 0701), 0);
	assert_refused(c->store, "0701");
	assert_int_equal(chmod(c->store, 0700), 0);
	path_of(c, "objects", path);
	assert_int_equal(chmod(path, 0770), 0);
	assert_refused(c->store, "objects: expected a mode");
	assert_int_equal(chmod(path, 0700), 0);
	path_of(c, "master.key", path);
	assert_int_equal(chmod(path, 0604), 0);
	assert_refused(c->store, "master.key: expected a mode");
	assert_int_equal(chmod(path, 0600), 0);
	ta_connect(c);
}

/* Root gives a store away; another user takes a directory that is root's. */
static void refuses_what_belongs_to_another(void **state)
{
	struct ta_client *c = *state;
	const bool root = geteuid() == 0;

	ta_disconnect(c);
	if (root)
		assert_int_equal(chown(c->store, 65534, 65534), 0);
	assert_refused(root ? c->store : "/", "expected to belong to user");
	if (root)
		assert_int_equal(chown(c->store, 0, 0), 0);
	ta_connect(c);
}

static void follows_no_link_to_the_objects(void **state)
{
	struct ta_client *c = *state;
	char objects[TEMP_PATH_MAX] = "";
	char elsewhere[TEMP_PATH_MAX] = "";

	ta_disconnect(c);
	path_of(c, "objects", objects);
	path_of(c, "elsewhere", elsewhere);
	assert_int_equal(rename(objects, elsewhere), 0);
	assert_int_equal(symlink("elsewhere", objects), 0);
	assert_refused(c->store, "objects: expected a directory");
	assert_int_equal(unlink(objects), 0);
	assert_int_equal(rename(elsewhere, objects), 0);
	ta_connect(c);
}

/* ---- a failing disk ---------------------------------------------------------- */

static void makes_no_master_key_where_the_objects_cannot_be_listed(void **state)
{
	struct ta_client *c = *state;
	struct tee_api api = { 0 };
	struct sr_error err = { 0 };
	char key[TEMP_PATH_MAX] = "";
	char kept[TEMP_PATH_MAX] = "";

	fill_keys(c);
	ta_disconnect(c);
	path_of(c, "master.key", key);
	path_of(c, "kept", kept);
	assert_int_equal(rename(key, kept), 0);
	fail_readdir = true;
	assert_false(tee_load_simulator(c->store, &api, &err));
	fail_readdir = false;
	assert_int_equal(err.code, SR_E_UNAVAILABLE);
	assert_int_equal(access(key, F_OK), -1);
	assert_int_equal(rename(kept, key), 0);
	ta_connect(c);
	assert_int_equal(count_keys(c), FILLED_KEYS);
}

static void a_listing_that_fails_is_no_short_list(void **state)
{
	struct ta_client *c = *state;

	fill_keys(c);
	fail_readdir = true;
	begin_list(&request, "");
	assert_int_equal(call(c, SR_TA_CMD_LIST_KEYS, &request, &response), STORAGE_NOT_AVAILABLE);
	assert_int_equal(make(c, "new"), STORAGE_NOT_AVAILABLE);
	fail_readdir = false;
	assert_int_equal(call(c, SR_TA_CMD_LIST_KEYS, &request, &response), TEEC_SUCCESS);
	assert_int_equal(response.data[2], FILLED_KEYS);
}

/* One descriptor for the directory, none for the files in it. */
static void a_want_of_descriptors_is_not_told_as_damage(void **state)
{
	struct ta_client *c = *state;
	const int top = dup(STDERR_FILENO);
	struct rlimit before = { 0 };
	struct rlimit few = { 0 };
	TEEC_Result listed = TEEC_SUCCESS;

	fill_keys(c);
	assert_true(top >= 0);
	close(top);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)top + 1;
	begin_list(&request, "");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	listed = call(c, SR_TA_CMD_LIST_KEYS, &request, &response);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(listed, STORAGE_NOT_AVAILABLE);
	assert_int_equal(call(c, SR_TA_CMD_LIST_KEYS, &request, &response), TEEC_SUCCESS);
	assert_int_equal(response.data[2], FILLED_KEYS);
}

static void a_new_store_has_its_name_on_disk(void **state)
{
	struct ta_client *c = *state;
	struct stat st = { 0 };
	char parent[TEMP_DIR_MAX] = "";
	char store[sizeof(c->store)] = "";

	ta_disconnect(c);
	ta_new_store(parent);
	memcpy(store, c->store, sizeof(store));
	assert_int_equal(stat(parent, &st), 0);
	watched = st.st_ino;
	watched_syncs = 0;
	assert_true(snprintf(c->store, sizeof(c->store), "%.50s/store", parent) > 0);
	ta_connect(c);
	assert_true(watched_syncs > 0);
	watched = 0;
	ta_disconnect(c);
	memcpy(c->store, store, sizeof(store));
	ta_remove_store(parent);
	ta_connect(c);
}

/* ---- after kills and power cuts ---------------------------------------------- */

static unsigned count_temporary(const struct ta_client *c)
{
	char path[TEMP_PATH_MAX] = "";
	unsigned count = 0;
	DIR *listing = NULL;

	path_of(c, "objects", path);
	listing = opendir(path);
	assert_non_null(listing);
	for (struct dirent *entry = readdir(listing); entry; entry = readdir(listing))
		count += !strncmp(entry->d_name, ".tmp-", 5);
	closedir(listing);
	return count;
}

/* By a writer that was killed after this process had opened the store. */
static void what_stands_in_a_writers_way_is_not_the_key(void **state)
{
	struct ta_client *c = *state;
	char path[TEMP_PATH_MAX] = "";

	path_of(c, "objects/.tmp-new", path);
	make_file(path, "half", 0600);
	for (unsigned i = 0; i < 8; i++) {
		(void)snprintf(path, sizeof(path), "%s/objects/.tmp-%ld-%u", c->store,
			       (long)getpid(), i);
		make_file(path, "half", 0600);
	}
	assert_int_equal(make(c, "k"), TEEC_SUCCESS);
	assert_int_equal(get_key(c, "k", NULL), TEEC_SUCCESS);
	ta_disconnect(c);
	ta_connect(c);
	assert_int_equal(count_temporary(c), 0);
}

/* A kill after the link and before the temporary name went: two names, one content. */
static void a_deleted_key_stays_under_no_second_name(void **state)
{
	struct ta_client *c = *state;
	char directory[TEMP_PATH_MAX] = "";
	char object[512] = "";
	char second[512] = "";
	struct dirent *entry = NULL;
	DIR *listing = NULL;

	assert_int_equal(make(c, "k"), TEEC_SUCCESS);
	path_of(c, "objects", directory);
	listing = opendir(directory);
	assert_non_null(listing);
	do
		entry = readdir(listing);
	while (entry && entry->d_name[0] == '.');
	assert_non_null(entry);
	(void)snprintf(object, sizeof(object), "%s/%.64s", directory, entry->d_name);
	(void)snprintf(second, sizeof(second), "%s/.tmp-new", directory);
	closedir(listing);
	assert_int_equal(link(object, second), 0);
	assert_int_equal(delete_key(c, "k"), TEEC_SUCCESS);
	assert_int_equal(count_temporary(c), 0);
}

static void a_generation_cut_short_begins_anew(void **state)
{
	struct ta_client *c = *state;
	char path[TEMP_PATH_MAX] = "";
	struct stat st = { 0 };

	fill_keys(c);
	path_of(c, "generation", path);
	assert_int_equal(truncate(path, 3), 0);
	assert_int_equal(get_key(c, "ec", NULL), TEEC_SUCCESS);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 8);
	assert_int_equal(truncate(path, 3), 0);
	ta_disconnect(c);
	ta_connect(c);
	assert_int_equal(get_key(c, "ec", NULL), TEEC_SUCCESS);
	assert_int_equal(make(c, "new"), TEEC_SUCCESS);
}

static int kill_when_published(const char *step)
{
	if (!strcmp(step, "publish"))
		(void)raise(SIGKILL);
	return 0;
}

/* The parent of a helper that has nothing to do with the TEE dies inside the lock. */
static void die_with_a_helper_alive(struct ta_client *c, int ready)
{
	char byte = 0;
	int pipes[2] = { -1, -1 };

	if (pipe(pipes) || make(c, "first") != TEEC_SUCCESS)
		_exit(1);
	if (!fork()) {
		const pid_t self = getpid();

		(void)!write(ready, &self, sizeof(self));
		(void)!write(pipes[1], &byte, 1);
		(void)sleep(60);
		_exit(0);
	}
	(void)!read(pipes[0], &byte, 1);
	sim_store_fault_hook = kill_when_published;
	(void)make(c, "second");
	_exit(1);
}

static void a_helpers_life_keeps_no_lock(void **state)
{
	struct ta_client *c = *state;
	int pipes[2] = { -1, -1 };
	int status = 0;
	pid_t helper = -1;
	pid_t child = -1;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (!child)
		die_with_a_helper_alive(c, pipes[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(read(pipes[0], &helper, sizeof(helper)), sizeof(helper));
	child = fork();
	if (!child) {
		(void)alarm(5);
		_exit(get_key(c, "first", NULL) == TEEC_SUCCESS ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(kill(helper, SIGKILL), 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refuses_what_lets_others_in, ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(refuses_what_belongs_to_another, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(follows_no_link_to_the_objects, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(
			makes_no_master_key_where_the_objects_cannot_be_listed, ta_setup,
			ta_teardown),
		cmocka_unit_test_setup_teardown(a_listing_that_fails_is_no_short_list, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(a_want_of_descriptors_is_not_told_as_damage,
						ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(a_new_store_has_its_name_on_disk, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(what_stands_in_a_writers_way_is_not_the_key,
						ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(a_deleted_key_stays_under_no_second_name, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(a_generation_cut_short_begins_anew, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(a_helpers_life_keeps_no_lock, ta_setup,
						ta_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
