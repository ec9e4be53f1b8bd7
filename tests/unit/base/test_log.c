/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yyjson.h>

struct capture {
	int saved;
	FILE *file;
	char text[16384];
};

static void begin(struct capture *c)
{
	c->file = tmpfile();
	assert_non_null(c->file);
	c->saved = dup(STDERR_FILENO);
	assert_true(c->saved >= 0);
	assert_true(dup2(fileno(c->file), STDERR_FILENO) >= 0);
}

static void end(struct capture *c)
{
	size_t n = 0;

	dup2(c->saved, STDERR_FILENO);
	close(c->saved);
	rewind(c->file);
	n = fread(c->text, 1, sizeof(c->text) - 1, c->file);
	c->text[n] = '\0';
	fclose(c->file);
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void writes_a_line_a_record(void **state)
{
	struct capture c = { 0 };

	(void)state;
	sr_log_setup(SR_LOG_INFO, SR_LOG_TEXT);
	begin(&c);
	sr_log(SR_LOG_WARN, "rpc", "took %d ms", 7);
	end(&c);
	assert_int_equal(count_lines(c.text), 1);
	assert_non_null(strstr(c.text, "Z warn  rpc: took 7 ms\n"));
}

static void cannot_be_made_to_forge_a_record(void **state)
{
	static const char hostile[] = "a\nb\r2026 error kms: forged\x1b[2J\x7f\t";
	struct capture c = { 0 };

	(void)state;
	sr_log_setup(SR_LOG_INFO, SR_LOG_TEXT);
	begin(&c);
	sr_log(SR_LOG_INFO, "rpc", "%s", hostile);
	end(&c);
	assert_int_equal(count_lines(c.text), 1);
	assert_non_null(
		strstr(c.text, "rpc: a\\x0ab\\x0d2026 error kms: forged\\x1b[2J\\x7f\\x09\n"));
}

static void writes_json_that_a_parser_takes(void **state)
{
	struct capture c = { 0 };
	yyjson_doc *doc = NULL;
	yyjson_val *root = NULL;

	(void)state;
	sr_log_setup(SR_LOG_INFO, SR_LOG_JSON);
	begin(&c);
	sr_log(SR_LOG_ERROR, "kms", "%s", "say \"no\"\n\x01\xff");
	end(&c);
	assert_int_equal(count_lines(c.text), 1);
	doc = yyjson_read(c.text, strlen(c.text), 0);
	assert_non_null(doc);
	root = yyjson_doc_get_root(doc);
	assert_string_equal(yyjson_get_str(yyjson_obj_get(root, "level")), "error");
	assert_string_equal(yyjson_get_str(yyjson_obj_get(root, "component")), "kms");
	assert_string_equal(yyjson_get_str(yyjson_obj_get(root, "message")),
			    "say \"no\"\n\x01\xef\xbf\xbd");
	assert_int_equal(strlen(yyjson_get_str(yyjson_obj_get(root, "time"))),
			 strlen("2026-01-02T03:04:05.678Z"));
	yyjson_doc_free(doc);
}

static void bounds_a_record_of_any_message(void **state)
{
	char hostile[8000];

	(void)state;
	/* the longest escapes there are: they do not fit a record as JSON */
	memset(hostile, 1, sizeof(hostile));
	hostile[sizeof(hostile) - 1] = '\0';
	for (int format = SR_LOG_TEXT; format <= SR_LOG_JSON; format++) {
		struct capture c = { 0 };

		sr_log_setup(SR_LOG_INFO, (enum sr_log_format)format);
		begin(&c);
		sr_log(SR_LOG_INFO, "rpc", "%s", hostile);
		end(&c);
		assert_int_equal(count_lines(c.text), 1);
		/* one write of at most this much stays whole on a pipe */
		assert_in_range(strlen(c.text), 1000, 4096);
	}
}

static void is_silent_below_its_level(void **state)
{
	static const char *const levels[] = { "error", "warn", "info", "debug" };

	(void)state;
	for (int set = SR_LOG_ERROR; set <= SR_LOG_DEBUG; set++) {
		enum sr_log_level parsed = SR_LOG_ERROR;

		assert_true(sr_log_level_parse(levels[set], &parsed));
		assert_int_equal(parsed, set);
		sr_log_setup(parsed, SR_LOG_TEXT);
		for (int level = SR_LOG_ERROR; level <= SR_LOG_DEBUG; level++) {
			struct capture c = { 0 };

			assert_int_equal(sr_log_enabled((enum sr_log_level)level), level <= set);
			begin(&c);
			sr_log((enum sr_log_level)level, "rpc", "x");
			end(&c);
			assert_int_equal(count_lines(c.text), level <= set);
		}
	}
}

static void knows_no_other_level(void **state)
{
	enum sr_log_level level = SR_LOG_WARN;

	(void)state;
	assert_false(sr_log_level_parse("", &level));
	assert_false(sr_log_level_parse("INFO", &level));
	assert_false(sr_log_level_parse("trace", &level));
	assert_int_equal(level, SR_LOG_WARN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_a_line_a_record),
		cmocka_unit_test(cannot_be_made_to_forge_a_record),
		cmocka_unit_test(writes_json_that_a_parser_takes),
		cmocka_unit_test(bounds_a_record_of_any_message),
		cmocka_unit_test(is_silent_below_its_level),
		cmocka_unit_test(knows_no_other_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
