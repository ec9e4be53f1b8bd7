/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

#include <string.h>
#include <yyjson.h>

static void grows_to_its_limit_and_not_beyond(void **state)
{
	struct sr_buf b = { 0 };

	(void)state;
	sr_buf_init(&b, 1000);
	for (unsigned i = 0; i < 1000; i++)
		sr_buf_append(&b, "x", 1);
	assert_false(b.failed);
	assert_int_equal(b.len, 1000);
	sr_buf_append(&b, "x", 1);
	assert_true(b.failed);
	assert_int_equal(b.len, 1000);
	assert_null(sr_buf_cstr(&b));
	sr_buf_free(&b);
}

static void stays_failed_until_it_is_cleared(void **state)
{
	struct sr_buf b = { .limit = 4 };

	(void)state;
	sr_buf_puts(&b, "12345");
	assert_true(b.failed);
	sr_buf_puts(&b, "1");
	assert_int_equal(b.len, 0);
	sr_buf_clear(&b);
	sr_buf_puts(&b, "1234");
	assert_string_equal(sr_buf_cstr(&b), "1234");
	sr_buf_free(&b);
	/* freed, it can be used again under the same limit */
	sr_buf_puts(&b, "12345");
	assert_true(b.failed);
	sr_buf_free(&b);
}

static void holds_every_writer_to_the_limit(void **state)
{
	static const uint8_t bytes[2] = { 0xab, 0xcd };

	(void)state;
	for (size_t limit = 1; limit < 8; limit++) {
		struct sr_buf b = { .limit = limit };

		sr_buf_put_hex_0x(&b, bytes, sizeof(bytes));
		assert_int_equal(b.failed, limit < 6);
		sr_buf_clear(&b);
		sr_buf_printf(&b, "%06d", 7);
		assert_int_equal(b.failed, limit < 6);
		sr_buf_clear(&b);
		sr_buf_put_json_string(&b, "ab\"", 3);
		assert_int_equal(b.failed, limit < 6);
		assert_in_range(b.len, 0, limit);
		sr_buf_free(&b);
	}
}

static void refuses_lengths_that_would_wrap(void **state)
{
	struct sr_buf b = { 0 };

	(void)state;
	sr_buf_puts(&b, "abc");
	assert_false(sr_buf_reserve(&b, SIZE_MAX));
	assert_true(b.failed);
	sr_buf_clear(&b);
	assert_false(sr_buf_reserve(&b, SIZE_MAX - 2));
	sr_buf_clear(&b);
	sr_buf_put_hex_0x(&b, (const uint8_t *)"", SIZE_MAX / 2 + 1);
	assert_true(b.failed);
	sr_buf_free(&b);
}

static void gives_a_string_even_of_nothing(void **state)
{
	struct sr_buf b = { 0 };

	(void)state;
	assert_string_equal(sr_buf_cstr(&b), "");
	sr_buf_append(&b, NULL, 0);
	sr_buf_append(&b, "a\0b", 3);
	assert_int_equal(b.len, 3);
	assert_memory_equal(sr_buf_cstr(&b), "a\0b", 4);
	sr_buf_free(&b);
}

static void consumes_from_the_front(void **state)
{
	struct sr_buf b = { 0 };

	(void)state;
	sr_buf_puts(&b, "abcdef");
	sr_buf_consume(&b, 0);
	sr_buf_consume(&b, 2);
	assert_string_equal(sr_buf_cstr(&b), "cdef");
	sr_buf_consume(&b, 4);
	assert_int_equal(b.len, 0);
	sr_buf_puts(&b, "xy");
	assert_string_equal(sr_buf_cstr(&b), "xy");
	sr_buf_free(&b);
}

static void formats_longer_than_its_first_block(void **state)
{
	struct sr_buf b = { 0 };

	(void)state;
	sr_buf_printf(&b, "%1000d|", 1);
	sr_buf_printf(&b, "%s", "end");
	assert_int_equal(b.len, 1004);
	assert_string_equal(sr_buf_cstr(&b) + 999, "1|end");
	sr_buf_free(&b);
}

static void assert_json(const char *text, size_t len, const char *expected)
{
	struct sr_buf b = { 0 };

	sr_buf_put_json_string(&b, text, len);
	assert_string_equal(sr_buf_cstr(&b), expected);
	sr_buf_free(&b);
}

#define ASSERT_JSON(text, expected) assert_json(text, sizeof(text) - 1, expected)
#define LOST "\xef\xbf\xbd" /* U+FFFD */

static void escapes_json_strings(void **state)
{
	(void)state;
	ASSERT_JSON("", "\"\"");
	ASSERT_JSON("plain", "\"plain\"");
	ASSERT_JSON("a\"b\\c", "\"a\\\"b\\\\c\"");
	ASSERT_JSON("\n\r\t\x7f", "\"\\n\\u000d\\u0009\\u007f\"");
	ASSERT_JSON("a\0b", "\"a\\u0000b\"");
	ASSERT_JSON("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
		    "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

static void replaces_what_is_no_utf8(void **state)
{
	(void)state;
	/* stray and missing continuations */
	ASSERT_JSON("\x80", "\"" LOST "\"");
	ASSERT_JSON("\xc3", "\"" LOST "\"");
	ASSERT_JSON("\xe2\x82", "\"" LOST LOST "\"");
	ASSERT_JSON("\xc3(", "\"" LOST "(\"");
	/* overlong forms of two, three and four bytes */
	ASSERT_JSON("\xc0\xaf", "\"" LOST LOST "\"");
	ASSERT_JSON("\xe0\x80\xaf", "\"" LOST LOST LOST "\"");
	ASSERT_JSON("\xf0\x80\x80\xaf", "\"" LOST LOST LOST LOST "\"");
	/* a surrogate, beyond U+10FFFF, bytes that never occur */
	ASSERT_JSON("\xed\xa0\x80", "\"" LOST LOST LOST "\"");
	ASSERT_JSON("\xf4\x90\x80\x80", "\"" LOST LOST LOST LOST "\"");
	ASSERT_JSON("\xff\xfe", "\"" LOST LOST "\"");
	/* the last code points that are good */
	ASSERT_JSON("\xed\x9f\xbf\xf4\x8f\xbf\xbf", "\"\xed\x9f\xbf\xf4\x8f\xbf\xbf\"");
}

/* whatever goes in, a strict reader takes what comes out */
static void writes_strings_that_a_parser_takes(void **state)
{
	char text[3];

	(void)state;
	for (unsigned i = 0; i < 0x10000; i++) {
		struct sr_buf b = { 0 };
		yyjson_doc *doc = NULL;

		text[0] = (char)(i >> 8);
		text[1] = (char)i;
		text[2] = '"';
		sr_buf_put_json_string(&b, text, sizeof(text));
		doc = yyjson_read((const char *)b.data, b.len, 0);
		if (!doc)
			fail_msg("no JSON out of %04x", i);
		yyjson_doc_free(doc);
		sr_buf_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_to_its_limit_and_not_beyond),
		cmocka_unit_test(stays_failed_until_it_is_cleared),
		cmocka_unit_test(holds_every_writer_to_the_limit),
		cmocka_unit_test(refuses_lengths_that_would_wrap),
		cmocka_unit_test(gives_a_string_even_of_nothing),
		cmocka_unit_test(consumes_from_the_front),
		cmocka_unit_test(formats_longer_than_its_first_block),
		cmocka_unit_test(escapes_json_strings),
		cmocka_unit_test(replaces_what_is_no_utf8),
		cmocka_unit_test(writes_strings_that_a_parser_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
