/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_* on a machine whose /proc is as a test wants it: not there, or telling strange things.
 * The calls that would reach it are this program's own.
 */
#include "metrics_page.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What /proc/self/stat holds; NULL: there is no /proc. */
static char *proc_stat;
/* What the size of /proc/self/fd tells. */
static off_t fd_size;

FILE *fopen(const char *restrict path, const char *restrict mode)
{
	(void)mode;
	if (proc_stat && strcmp(path, "/proc/self/stat") == 0)
		return fmemopen(proc_stat, strlen(proc_stat), "r");
	errno = ENOENT;
	return NULL;
}

int stat(const char *restrict path, struct stat *restrict out)
{
	if (proc_stat && strcmp(path, "/proc/self/fd") == 0) {
		*out = (struct stat){ .st_mode = S_IFDIR, .st_size = fd_size };
		return 0;
	}
	errno = ENOENT;
	return -1;
}

DIR *opendir(const char *path)
{
	int fd = proc_stat ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0)
		return fdopendir(fd);
	errno = ENOENT;
	return NULL;
}

static int setup(void **state)
{
	proc_stat = NULL;
	fd_size = 0;
	return metrics_setup(state);
}

#define NUMBERS(threads, size, pages)                                                   \
	" S 1 2 3 0 -1 4194560 9 8 7 6 5 4 3 2 20 0 " threads " 0 4321 " size " " pages \
	" 18446744073709551615 1 1 0 0 0 0 0 4096\n"

static void leaves_out_what_no_proc_tells(void **state)
{
	(void)state;
	assert_false(has_series("process_resident_memory_bytes"));
	assert_false(has_series("process_virtual_memory_bytes"));
	assert_false(has_series("process_threads"));
	assert_false(has_series("process_open_fds"));
	/* neither a heading without a value */
	assert_null(strstr(read_page(), "process_open_fds"));
	assert_null(strstr(read_page(), "process_threads"));
}

static void tells_what_the_kernel_tells_without_it(void **state)
{
	(void)state;
	assert_true(value_of("process_cpu_seconds_total") >= 0);
	assert_true(value_of("process_max_fds") > 0);
	assert_true(value_of("process_start_time_seconds") > 0);
	assert_value("superrelay_build_info{version=\"\",backend=\"\",ta_version=\"\",tee=\"\"}",
		     1);
}

static void reads_past_any_name_of_the_process(void **state)
{
	static char *const texts[] = {
		"77 (super-relay)" NUMBERS("5", "123456789", "42"),
		"77 (a) S 1 (b c) d)" NUMBERS("5", "123456789", "42"),
		"77 ()" NUMBERS("5", "123456789", "42"),
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(texts); i++) {
		proc_stat = texts[i];
		assert_value("process_threads", 5);
		assert_value("process_virtual_memory_bytes", 123456789);
		assert_value("process_resident_memory_bytes", 42.0 * (double)sysconf(_SC_PAGESIZE));
	}
}

static void leaves_out_what_it_cannot_read(void **state)
{
	static char *const texts[] = {
		"77 (super-relay",
		"77 (super-relay) S 1 2",
		"77 (super-relay)" NUMBERS("x", "123456789", "42"),
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(texts); i++) {
		proc_stat = texts[i];
		assert_false(has_series("process_threads"));
		assert_true(has_series("process_open_fds"));
	}
}

/* Before Linux 6.2 the directory has no size, and its entries are counted. */
static void counts_descriptors_on_kernels_old_and_new(void **state)
{
	double before = 0;
	int more[3];
	const size_t count = SR_ARRAY_LEN(more);

	(void)state;
	proc_stat = "77 (x)" NUMBERS("1", "1", "1");
	before = value_of("process_open_fds");
	for (size_t i = 0; i < count; i++)
		more[i] = dup(STDOUT_FILENO);
	assert_value("process_open_fds", before + (double)count);
	for (size_t i = 0; i < count; i++)
		close(more[i]);
	fd_size = 1234;
	assert_value("process_open_fds", 1234);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, metrics_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(leaves_out_what_no_proc_tells),
		TEST(tells_what_the_kernel_tells_without_it),
		TEST(reads_past_any_name_of_the_process),
		TEST(leaves_out_what_it_cannot_read),
		TEST(counts_descriptors_on_kernels_old_and_new),
	};

	return cmocka_run_group_tests_name("http metrics of the process", tests, NULL, NULL);
}
