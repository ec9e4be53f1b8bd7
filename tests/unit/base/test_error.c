/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

#include <string.h>

static void carries_code_and_message(void **state)
{
	struct sr_error err = { 0 };

	(void)state;
	assert_false(sr_fail(&err, SR_E_LIMIT, "%s: at most %d", "field", 3));
	assert_int_equal(err.code, SR_E_LIMIT);
	assert_string_equal(err.message, "field: at most 3");
	assert_false(sr_fail(NULL, SR_E_LIMIT, "nobody asked"));
}

static void puts_where_before_what(void **state)
{
	struct sr_error err = { 0 };

	(void)state;
	sr_fail(&err, SR_E_NOT_FOUND, "no such key");
	assert_false(sr_fail_in(&err, "keys[%d]", 2));
	assert_int_equal(err.code, SR_E_NOT_FOUND);
	assert_string_equal(err.message, "keys[2]: no such key");
	assert_false(sr_fail_in(NULL, "nobody"));
}

static void cuts_long_messages(void **state)
{
	char text[4 * SR_ERROR_MESSAGE_MAX];
	struct sr_error err = { 0 };

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	sr_fail(&err, SR_E_INVALID, "%s", text);
	assert_int_equal(strlen(err.message), SR_ERROR_MESSAGE_MAX - 1);
	sr_fail_in(&err, "%s", "where");
	assert_int_equal(strlen(err.message), SR_ERROR_MESSAGE_MAX - 1);
	assert_memory_equal(err.message, "where: xxx", 10);
	sr_fail_in(&err, "%s", text);
	assert_int_equal(strlen(err.message), SR_ERROR_MESSAGE_MAX - 1);
}

static void names_every_code_once(void **state)
{
	(void)state;
	for (int i = SR_OK; i <= SR_E_INTERNAL; i++) {
		assert_string_not_equal(sr_code_name((enum sr_code)i), "unknown");
		for (int j = SR_OK; j < i; j++)
			assert_string_not_equal(sr_code_name((enum sr_code)i),
						sr_code_name((enum sr_code)j));
	}
	assert_string_equal(sr_code_name(SR_E_NOT_FOUND), "not_found");
	assert_string_equal(sr_code_name((enum sr_code)(SR_E_INTERNAL + 1)), "unknown");
	assert_string_equal(sr_code_name((enum sr_code) - 1), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_code_and_message),
		cmocka_unit_test(puts_where_before_what),
		cmocka_unit_test(cuts_long_messages),
		cmocka_unit_test(names_every_code_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
