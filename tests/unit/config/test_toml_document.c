/* SPDX-License-Identifier: Apache-2.0 */
#include "toml_test.h"

#include <stdlib.h>

static void reads_keys_of_every_form(void **state)
{
	struct toml doc = toml_of("bare_Key-1 = 1\n\"a\\\"quote\" = 2\n'' = 4\n 3.14159 = 5\n"
				  "a . \"b\" .c = 6\na.b.'d' = 7\n\"\xc3\xa9\" = 8\n");
	struct toml dots = toml_of("'lit.eral' = 3");

	(void)state;
	assert_int_equal(node_at(&doc, "bare_Key-1")->as.integer, 1);
	assert_int_equal(node_at(&doc, "a\"quote")->as.integer, 2);
	assert_int_equal(node_at(&doc, "")->as.integer, 4);
	assert_int_equal(node_at(&doc, "3.14159")->as.integer, 5); /* two parts */
	assert_int_equal(node_at(&doc, "a.b.c")->as.integer, 6);
	assert_int_equal(node_at(&doc, "a.b.d")->as.integer, 7);
	assert_int_equal(node_at(&doc, "\xc3\xa9")->as.integer, 8);
	assert_int_equal(toml_get(&dots.root, "lit.eral")->as.integer, 3);
	toml_free(&doc);
	toml_free(&dots);
}

static void refuses_bad_keys(void **state)
{
	(void)state;
	refuse("= 1", "line 1, column 1: expected a key");
	refuse("a. = 1", "expected a key");
	refuse("a..b = 1", "expected a key");
	refuse("a b = 1", "line 1, column 3: expected '='");
	refuse("a", "expected '='");
	refuse("a\n= 1", "expected '='");
	refuse("\"\"\"a\"\"\" = 1", "multi-line string cannot be a key");
	refuse("\xc3\xa9 = 1", "expected a key");
	refuse("a = 1 b = 2", "expected the end of the line");
}

static void refuses_a_key_defined_twice(void **state)
{
	(void)state;
	refuse("a = 1\n\na = 2", "line 3, column 1: 'a' is defined already, on line 1");
	refuse("a = 1\n\"a\" = 2", "'a' is defined already");
	refuse("a = 1\na.b = 2", "'a' is defined already");
	refuse("a.b = 1\na = 2", "'a' is defined already");
	refuse("v = { a = 1, a = 2 }", "'a' is defined already");
	refuse("v = { a.b = 1, a = 2 }", "'a' is defined already");
	refuse("[t]\na = 1\na = 2", "line 3");
}

static void reads_tables_in_any_order(void **state)
{
	struct toml doc = toml_of("[a.b.c]\nx = 1\n[ d . 'e' ]\nx = 2\n[a]\nx = 3\n[a.b]\nx = 4\n"
				  "[[l]]\nx = 5\n[l.sub]\nx = 6\n[[l]]\n[[l.n]]\nx = 7\n");

	(void)state;
	assert_int_equal(node_at(&doc, "a.b.c.x")->as.integer, 1);
	assert_int_equal(node_at(&doc, "d.e.x")->as.integer, 2);
	assert_int_equal(node_at(&doc, "a.x")->as.integer, 3);
	assert_int_equal(node_at(&doc, "a.b.x")->as.integer, 4);
	assert_int_equal(node_at(&doc, "l")->as.items.count, 2);
	assert_int_equal(node_at(&doc, "l.0.sub.x")->as.integer, 6);
	assert_int_equal(node_at(&doc, "l.1.n.0.x")->as.integer, 7);
	assert_int_equal(node_at(&doc, "a")->line, 5);
	toml_free(&doc);
}

static void refuses_a_table_defined_twice(void **state)
{
	static const char *const cases[] = {
		"[a]\n[a]",
		"[a]\n[[a]]",
		"[[a]]\n[a]",
		"[a.b]\n[a]\nb = 1",
		"a = 1\n[a]",
		"a = 1\n[a.b]",
		"a = []\n[[a]]",
		"a = {}\n[a]",
		"a = {}\n[a.b]",
		"a = {}\na.b = 1",
		"a = [{}]\n[a.b]",
		"a.b = 1\n[a]",
		"[t]\na.b.c = 1\n[t.a]",
		"[t]\na.b.c = 1\n[t.a.b]",
		"[a.b.c]\n[a]\nb.c.d = 1",
		"[[a.b]]\n[a]\nb.c = 1",
		"[a]\n[b]\n[a.c]\n[a]",
		"v = { a = {}, a.b = 1 }",
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++)
		refuse(cases[i], "is defined already");
}

static void lets_headers_add_tables_below_dotted_keys(void **state)
{
	struct toml doc = toml_of("[t]\na.b = 1\n[t.a.c]\nx = 2\n[u.v.w]\n[u]\nv.x = 3\n");

	(void)state;
	assert_int_equal(node_at(&doc, "t.a.b")->as.integer, 1);
	assert_int_equal(node_at(&doc, "t.a.c.x")->as.integer, 2);
	assert_int_equal(node_at(&doc, "u.v.x")->as.integer, 3);
	toml_free(&doc);
}

static void refuses_bad_headers(void **state)
{
	(void)state;
	refuse("[]", "expected a key");
	refuse("[a", "expected ']'");
	refuse("[[a]", "expected ']]'");
	refuse("[a] b = 1", "end of the line");
	refuse("[[a] ]", "expected ']]'");
	refuse("[a]]", "end of the line");
	refuse("[a.]", "expected a key");
}

static void reads_comments_and_both_line_ends(void **state)
{
	struct toml doc = toml_of("\xef\xbb\xbf# \xe2\x82\xac comment\r\na = 1 # one\r\n\r\n\t\n"
				  "b = 2");

	(void)state;
	assert_int_equal(node_at(&doc, "b")->as.integer, 2);
	assert_int_equal(node_at(&doc, "b")->line, 5);
	toml_free(&doc);
	doc = toml_of("");
	assert_int_equal(doc.root.as.items.count, 0);
	toml_free(&doc);
	refuse("# bell \x07\n", "control character 0x07 in a comment");
	refuse("a = 1\rb = 2", "end of the line");
	refuse("# cr \r more", "control character 0x0d in a comment");
}

static void refuses_what_is_no_utf8(void **state)
{
	static const char *const cases[] = {
		"\x80",		    /* a continuation alone */
		"\xc0\xaf",	    /* overlong */
		"\xe0\x9f\xbf",	    /* overlong */
		"\xed\xa0\x80",	    /* a surrogate */
		"\xf0\x8f\xbf\xbf", /* overlong */
		"\xf4\x90\x80\x80", /* beyond Unicode */
		"\xe2\x82",	    /* cut */
		"\xff",
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		char text[32] = "# \xc3\xa9 ";

		refuse(strcat(text, cases[i]), "line 1, column 5: the byte 0x");
	}
}

static void counts_columns_in_characters(void **state)
{
	(void)state;
	refuse("a = 1\n\"\xc3\xa9\xe2\x82\xac\" = x", "line 2, column 8");
}

/* n opening brackets, and as many closing ones. */
static void nested_arrays(char *out, size_t n)
{
	strcpy(out, "a=");
	memset(out + 2, '[', n);
	memset(out + 2 + n, ']', n);
	out[2 + 2 * n] = '\0';
}

static void limits_the_nesting(void **state)
{
	char text[512] = { 0 };
	struct toml doc;

	(void)state;
	/* the key itself is one level */
	nested_arrays(text, TOML_DEPTH_MAX - 1);
	doc = toml_of(text);
	toml_free(&doc);
	nested_arrays(text, TOML_DEPTH_MAX);
	refuse(text, "nested more than 64 levels deep");

	strcpy(text, "a");
	for (int i = 1; i < TOML_DEPTH_MAX; i++)
		strcat(text, ".a");
	doc = toml_of(strcat(text, " = 1"));
	toml_free(&doc);
	memcpy(text + 2 * TOML_DEPTH_MAX - 1, ".a=1", 5);
	refuse(text, "a key of more than 64 parts");

	memset(text, 0, sizeof(text));
	for (int i = 0; i < 100; i++)
		strcat(text, "{a=");
	memmove(text + 2, text, 300);
	memcpy(text, "a=", 2);
	refuse(text, "nested more than 64");
}

static void limits_the_size(void **state)
{
	char *text = malloc(TOML_TEXT_MAX + 1);
	struct toml doc;
	struct sr_error err = { .code = SR_OK };

	(void)state;
	assert_non_null(text);
	memset(text, '\n', TOML_TEXT_MAX + 1);
	assert_true(toml_parse(text, TOML_TEXT_MAX, &doc, &err));
	toml_free(&doc);
	assert_false(toml_parse(text, TOML_TEXT_MAX + 1, &doc, &err));
	assert_int_equal(err.code, SR_E_LIMIT);
	free(text);
}

static void reads_text_without_a_terminator(void **state)
{
	static const char whole[] = "a = \"xyz\"";

	(void)state;
	for (size_t len = 1; len < sizeof(whole) - 1; len++) {
		char *cut = malloc(len);

		/* on the heap, where a sanitizer sees a read beyond the end */
		assert_non_null(cut);
		memcpy(cut, whole, len);
		refuse_bytes(cut, len, "line 1");
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_keys_of_every_form),
		cmocka_unit_test(refuses_bad_keys),
		cmocka_unit_test(refuses_a_key_defined_twice),
		cmocka_unit_test(reads_tables_in_any_order),
		cmocka_unit_test(refuses_a_table_defined_twice),
		cmocka_unit_test(lets_headers_add_tables_below_dotted_keys),
		cmocka_unit_test(refuses_bad_headers),
		cmocka_unit_test(reads_comments_and_both_line_ends),
		cmocka_unit_test(refuses_what_is_no_utf8),
		cmocka_unit_test(counts_columns_in_characters),
		cmocka_unit_test(limits_the_nesting),
		cmocka_unit_test(limits_the_size),
		cmocka_unit_test(reads_text_without_a_terminator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
