/* SPDX-License-Identifier: Apache-2.0 */
#include "toml_test.h"

#include <math.h>

/* "v = <text>" as a document. */
static struct toml value_of(const char *text)
{
	char line[512] = { 0 };

	assert_true(strlen(text) + 8 < sizeof(line));
	strcat(strcpy(line, "v = "), text);
	return toml_of(line);
}

static void refuse_value(const char *text, const char *part)
{
	char line[512] = { 0 };

	assert_true(strlen(text) + 8 < sizeof(line));
	strcat(strcpy(line, "v = "), text);
	refuse(line, part);
}

static void check_string(const char *text, const char *expected, size_t len)
{
	struct toml doc = value_of(text);
	const struct toml_node *v = node_at(&doc, "v");

	assert_int_equal(v->type, TOML_STRING);
	assert_int_equal(v->as.string.len, len);
	assert_memory_equal(v->as.string.data, expected, len + 1);
	toml_free(&doc);
}

#define CHECK_STRING(text, expected) check_string(text, expected, sizeof(expected) - 1)

static void reads_basic_strings_with_every_escape(void **state)
{
	(void)state;
	CHECK_STRING("\"\"", "");
	CHECK_STRING("\"a # no comment\"", "a # no comment");
	CHECK_STRING("\"\\b\\t\\n\\f\\r\\\"\\\\\"", "\b\t\n\f\r\"\\");
	CHECK_STRING("\"\\u00e9\\U0001F600\\u0000.\"", "\xc3\xa9\xf0\x9f\x98\x80\0.");
	CHECK_STRING("\"\\uD7FF\\uE000\\U0010FFFF\"", "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf");
	CHECK_STRING("\"tab\there\"", "tab\there");
}

static void reads_literal_strings_as_they_stand(void **state)
{
	(void)state;
	CHECK_STRING("'C:\\x\\u0041 \"q\"'", "C:\\x\\u0041 \"q\"");
	CHECK_STRING("'''\nfirst\n'two' ''quotes'' ''''", "first\n'two' ''quotes'' '");
}

static void reads_multi_line_strings(void **state)
{
	(void)state;
	CHECK_STRING("\"\"\"\none\ntwo\"\"\"", "one\ntwo");
	CHECK_STRING("\"\"\"\r\none\r\ntwo\"\"\"", "one\r\ntwo");
	CHECK_STRING("\"\"\"a \\  \n\n \t b\"\"\"", "a b");
	CHECK_STRING("\"\"\"\"two\"\"\"\"\"", "\"two\"\"");
	CHECK_STRING("\"\"\"\"\"\"", "");
}

static void refuses_bad_strings(void **state)
{
	(void)state;
	refuse_value("\"open", "line 1, column 5: the string that begins here has no end");
	refuse_value("\"open\nx", "no end on its line");
	refuse_value("'''open\n", "no end");
	refuse_value("\"\\x41\"", "line 1, column 6: unknown escape");
	refuse_value("\"\\u12\"", "4 hex digits");
	refuse_value("\"\\ud800\"", "no Unicode character");
	refuse_value("\"\\U00110000\"", "no Unicode character");
	refuse_value("\"\x01\"", "control character 0x01");
	refuse_value("'\x7f'", "control character 0x7f");
	refuse_value("\"\"\"a\rb\"\"\"", "control character 0x0d");
	refuse_value("\"\"\"six\"\"\"\"\"\"", "end of the line");
	refuse_bytes("v = \"\0\"", 7, "control character 0x00");
}

static void check_integer(const char *text, int64_t expected)
{
	struct toml doc = value_of(text);

	assert_int_equal(node_at(&doc, "v")->type, TOML_INTEGER);
	assert_true(node_at(&doc, "v")->as.integer == expected);
	toml_free(&doc);
}

static void reads_integers_of_four_bases(void **state)
{
	(void)state;
	check_integer("0", 0);
	check_integer("-0", 0);
	check_integer("+17", 17);
	check_integer("1_000_000", 1000000);
	check_integer("0xDead_beef", 0xdeadbeef);
	check_integer("0o755", 493);
	check_integer("0b1010_0001", 161);
	check_integer("9223372036854775807", INT64_MAX);
	check_integer("-9223372036854775808", INT64_MIN);
	check_integer("0x7fffffffffffffff", INT64_MAX);
	check_integer("0x0000000000000000000001", 1);
}

static void refuses_bad_integers(void **state)
{
	static const char *const range = "between -2^63 and 2^63 - 1";

	(void)state;
	refuse_value("9223372036854775808", range);
	refuse_value("-9223372036854775809", range);
	refuse_value("0x8000000000000000", range);
	refuse_value("99999999999999999999999", range);
	refuse_value("01", "cannot begin with a zero");
	refuse_value("-00", "cannot begin with a zero");
	refuse_value("1__0", "expected a value");
	refuse_value("_1", "expected a value");
	refuse_value("1_", "expected a value");
	refuse_value("0x", "digits of base 16");
	refuse_value("0x_1", "digits of base 16");
	refuse_value("0o8", "digits of base 8");
	refuse_value("0b2", "digits of base 2");
	refuse_value("+0x1", "expected a value");
	refuse_value("0X1", "expected a value");
	refuse_value("1 2", "end of the line");
	refuse_value("--1", "expected a value");
}

static double real_of(const char *text)
{
	struct toml doc = value_of(text);
	double v = node_at(&doc, "v")->as.real;

	assert_int_equal(node_at(&doc, "v")->type, TOML_FLOAT);
	toml_free(&doc);
	return v;
}

static void reads_floats_with_infinity_and_nan(void **state)
{
	(void)state;
	assert_true(real_of("3.25") == 3.25);
	assert_true(real_of("-0.5e-1") == -0.05);
	assert_true(real_of("1e06") == 1e6);
	assert_true(real_of("1_0.2_5E+0_1") == 102.5);
	assert_true(isinf(real_of("inf")) && real_of("+inf") > 0 && real_of("-inf") < 0);
	assert_true(isnan(real_of("nan")) && isnan(real_of("-nan")));
	assert_true(signbit(real_of("-0.0")));
}

static void refuses_bad_floats(void **state)
{
	(void)state;
	refuse_value("1.", "expected a value");
	refuse_value(".5", "expected a value");
	refuse_value("1.e2", "expected a value");
	refuse_value("1e", "expected a value");
	refuse_value("1._5", "expected a value");
	refuse_value("1_.5", "expected a value");
	refuse_value("1e1.5", "expected a value");
	refuse_value("03.5", "cannot begin with a zero");
	refuse_value("Inf", "expected a value");
	refuse_value("nano", "expected a value");
}

static void reads_booleans_in_lower_case_only(void **state)
{
	struct toml doc = value_of("true");

	(void)state;
	assert_int_equal(node_at(&doc, "v")->type, TOML_BOOLEAN);
	assert_true(node_at(&doc, "v")->as.boolean);
	toml_free(&doc);
	doc = value_of("false");
	assert_false(node_at(&doc, "v")->as.boolean);
	toml_free(&doc);
	refuse_value("True", "expected a value");
	refuse_value("truer", "expected a value");
}

static struct toml_datetime datetime_of(const char *text, enum toml_type type)
{
	struct toml doc = value_of(text);
	struct toml_datetime when = node_at(&doc, "v")->as.datetime;

	assert_int_equal(node_at(&doc, "v")->type, type);
	toml_free(&doc);
	return when;
}

static void reads_dates_and_times_as_typed_values(void **state)
{
	struct toml_datetime t =
		datetime_of("2024-02-29T23:59:60.123456789123-07:30", TOML_OFFSET_DATETIME);

	(void)state;
	assert_int_equal(t.year, 2024);
	assert_int_equal(t.month, 2);
	assert_int_equal(t.day, 29);
	assert_int_equal(t.hour, 23);
	assert_int_equal(t.minute, 59);
	assert_int_equal(t.second, 60);
	assert_int_equal(t.nanosecond, 123456789);
	assert_int_equal(t.utc_offset, -450);
	t = datetime_of("2024-01-01 00:00:00z", TOML_OFFSET_DATETIME);
	assert_int_equal(t.utc_offset, 0);
	t = datetime_of("2024-01-01t12:30:00.5", TOML_LOCAL_DATETIME);
	assert_int_equal(t.nanosecond, 500000000);
	t = datetime_of("2024-01-01 # a date", TOML_LOCAL_DATE);
	assert_int_equal(t.day, 1);
	t = datetime_of("07:32:00", TOML_LOCAL_TIME);
	assert_int_equal(t.hour, 7);
}

static void refuses_dates_that_do_not_exist(void **state)
{
	(void)state;
	refuse_value("2023-02-29", "there is no such day: 2023-02-29");
	refuse_value("1900-02-29", "no such day");
	refuse_value("2024-13-01", "no such day");
	refuse_value("2024-04-31", "no such day");
	refuse_value("2024-1-01", "YYYY-MM-DD");
	refuse_value("24:00:00", "no such time");
	refuse_value("12:60:00", "no such time");
	refuse_value("12:30", "HH:MM:SS");
	refuse_value("12:30:00.", "digits of a second");
	refuse_value("2024-01-01T12:30:00+24:00", "offset from UTC");
	refuse_value("2024-01-01T12:30:00+0100", "offset from UTC");
	refuse_value("2024-01-01T", "HH:MM:SS");
	refuse_value("12:30:00Z", "end of the line");
}

static void reads_arrays_over_lines_and_of_mixed_types(void **state)
{
	struct toml doc = value_of("[ 1, # one\n\t'two',\r\n [3.0, []], {four = 4}, ]");

	(void)state;
	assert_int_equal(node_at(&doc, "v")->as.items.count, 4);
	assert_int_equal(node_at(&doc, "v.0")->as.integer, 1);
	assert_int_equal(node_at(&doc, "v.1")->line, 2);
	assert_int_equal(node_at(&doc, "v.2.1")->as.items.count, 0);
	assert_int_equal(node_at(&doc, "v.3.four")->as.integer, 4);
	toml_free(&doc);
}

static void refuses_bad_arrays_and_inline_tables(void **state)
{
	(void)state;
	refuse_value("[1", "the array that begins here has no end");
	refuse_value("[1 2]", "line 1, column 8: expected ',' or ']'");
	refuse_value("[,]", "expected a value");
	refuse_value("[1,,2]", "expected a value");
	refuse_value("{a = 1,}", "expected a key");
	refuse_value("{a = 1\n}", "expected ',' or '}'");
	refuse_value("{a}", "expected '='");
	refuse_value("{,}", "expected a key");
	refuse_value("{a = 1", "expected ',' or '}'");
	refuse_value("", "expected a value");
	refuse_value("# none", "expected a value");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_basic_strings_with_every_escape),
		cmocka_unit_test(reads_literal_strings_as_they_stand),
		cmocka_unit_test(reads_multi_line_strings),
		cmocka_unit_test(refuses_bad_strings),
		cmocka_unit_test(reads_integers_of_four_bases),
		cmocka_unit_test(refuses_bad_integers),
		cmocka_unit_test(reads_floats_with_infinity_and_nan),
		cmocka_unit_test(refuses_bad_floats),
		cmocka_unit_test(reads_booleans_in_lower_case_only),
		cmocka_unit_test(reads_dates_and_times_as_typed_values),
		cmocka_unit_test(refuses_dates_that_do_not_exist),
		cmocka_unit_test(reads_arrays_over_lines_and_of_mixed_types),
		cmocka_unit_test(refuses_bad_arrays_and_inline_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
