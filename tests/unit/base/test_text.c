/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

#include <string.h>

static const char *const names[] = { "network", "node_http", "http_api", "batch_size", "id" };

static const char *nearest(const char *word)
{
	return sr_nearest(word, names, SR_ARRAY_LEN(names));
}

static void suggests_the_closest_name(void **state)
{
	(void)state;
	assert_string_equal(nearest("netwrok"), "network");
	assert_string_equal(nearest("node_htp"), "node_http");
	assert_string_equal(nearest("batchsize"), "batch_size");
	assert_string_equal(nearest("network"), "network");
	assert_string_equal(nearest("ids"), "id");
}

static void suggests_nothing_where_nothing_is_like_it(void **state)
{
	char longest[66];

	(void)state;
	assert_null(nearest("completely_different"));
	assert_null(nearest("xy"));
	assert_null(nearest(""));
	assert_null(sr_nearest("network", names, 0));
	/* 65 characters: over the bound, even beside an equal candidate */
	memset(longest, 'n', sizeof(longest));
	longest[65] = '\0';
	assert_null(sr_nearest(longest, (const char *const[]){ longest }, 1));
	longest[64] = '\0';
	assert_non_null(sr_nearest(longest, (const char *const[]){ longest }, 1));
}

static void never_runs_backwards(void **state)
{
	uint64_t last = sr_time_monotonic_ns();

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t now = sr_time_monotonic_ns();

		assert_true(now >= last);
		last = now;
	}
}

static void gives_wall_clock_time_in_its_unit(void **state)
{
	uint64_t s = sr_time_unix_s();
	uint64_t ms = sr_time_unix_ms();

	(void)state;
	/* after 2024, and both of the same moment */
	assert_true(s > 1704067200u);
	assert_in_range(ms / 1000 - s, 0, 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suggests_the_closest_name),
		cmocka_unit_test(suggests_nothing_where_nothing_is_like_it),
		cmocka_unit_test(never_runs_backwards),
		cmocka_unit_test(gives_wall_clock_time_in_its_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
