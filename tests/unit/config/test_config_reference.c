/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs/configuration.md has a table for each section of the schema, row by
 * row. Run with --print, this program writes those tables, to be put there.
 */
#include "config_test.h"

#include <stdio.h>

static struct sr_buf page;

static void put_choices(struct sr_buf *b, const struct config_key *key)
{
	for (size_t i = 0; key->choices[i]; i++)
		sr_buf_printf(b, "%s`%s`", i ? ", " : "", key->choices[i]);
}

static void put_bounds(struct sr_buf *b, const struct config_key *key)
{
	unsigned long long min = (unsigned long long)key->min;
	unsigned long long max = (unsigned long long)key->max;

	switch (key->type) {
	case CONFIG_UNSIGNED:
	case CONFIG_DURATION:
	case CONFIG_U64:
		sr_buf_printf(b, "%llu to %llu", min, max);
		break;
	case CONFIG_TEXT:
		sr_buf_printf(b, "%llu to %llu bytes", min, max);
		break;
	case CONFIG_LIST:
	case CONFIG_URLS:
		sr_buf_printf(b, "%llu to %llu items%s", min, max, key->choices ? " of " : "");
		break;
	case CONFIG_WEI:
		sr_buf_puts(b, "1 to 2^256 - 1");
		break;
	case CONFIG_LISTEN:
		sr_buf_puts(b, "port 0 to 65535");
		break;
	case CONFIG_ADDRESS:
		sr_buf_puts(b, "20 bytes, not zero");
		break;
	case CONFIG_UUID:
		sr_buf_puts(b, "16 bytes");
		break;
	case CONFIG_BOOL:
		sr_buf_puts(b, "`true`, `false`");
		break;
	case CONFIG_CHOICE:
		break;
	}
	if (key->choices)
		put_choices(b, key);
}

static void put_row(struct sr_buf *b, const struct config_key *key)
{
	sr_buf_printf(b, "| `%s` | %s | `%s` | ", key->name, config_type_name(key->type),
		      key->fallback);
	put_bounds(b, key);
	sr_buf_printf(b, " | %s | %s |\n", key->unit, key->effect);
}

/* The heading and the table of the section that begins at row i; returns the
 * row behind it. */
static size_t put_section(struct sr_buf *b, size_t i)
{
	const char *section = config_schema_row(i)->section;

	sr_buf_printf(b,
		      "## `[%s]`\n\n| Key | Type | Default | Bounds | Unit | Effect |\n"
		      "|---|---|---|---|---|---|\n",
		      section);
	for (; i < config_schema_count(); i++) {
		const struct config_key *key = config_schema_row(i);

		if (strcmp(key->section, section) != 0)
			break;
		put_row(b, key);
	}
	return i;
}

static int load_page(void **state)
{
	char piece[4096] = { 0 };
	FILE *f = fopen(SR_SOURCE_DIR "/docs/configuration.md", "r");
	size_t n = 0;

	(void)state;
	if (!f) {
		print_error("docs/configuration.md cannot be found\n");
		return -1;
	}
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		sr_buf_append(&page, piece, n);
	fclose(f);
	return sr_buf_cstr(&page) ? 0 : -1;
}

static int free_page(void **state)
{
	(void)state;
	sr_buf_free(&page);
	return 0;
}

static void documents_every_key_as_the_schema_has_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_schema_count();) {
		struct sr_buf expected = { .limit = 0 };

		i = put_section(&expected, i);
		assert_non_null(sr_buf_cstr(&expected));
		if (!strstr(sr_buf_cstr(&page), sr_buf_cstr(&expected)))
			fail_msg("docs/configuration.md lacks:\n%s", sr_buf_cstr(&expected));
		sr_buf_free(&expected);
	}
}

/* How often a line begins with these words. */
static size_t count_lines(const char *text, const char *begin)
{
	size_t count = 0;

	while (text) {
		count += strncmp(text, begin, strlen(begin)) == 0;
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return count;
}

static void documents_no_key_that_does_not_exist(void **state)
{
	size_t sections = 1;

	(void)state;
	for (size_t i = 1; i < config_schema_count(); i++)
		sections += strcmp(config_schema_row(i)->section,
				   config_schema_row(i - 1)->section) != 0;
	assert_int_equal(count_lines(sr_buf_cstr(&page), "| `"), config_schema_count());
	assert_int_equal(count_lines(sr_buf_cstr(&page), "## `["), sections);
}

static void keeps_a_sections_rows_together_and_names_unique(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_schema_count(); i++) {
		const struct config_key *a = config_schema_row(i);
		bool left = false;

		for (size_t j = i + 1; j < config_schema_count(); j++) {
			const struct config_key *b = config_schema_row(j);
			bool same = strcmp(a->section, b->section) == 0;

			left |= !same;
			assert_false(same && left);
			assert_false(same && strcmp(a->name, b->name) == 0);
		}
	}
}

static int print_tables(void)
{
	struct sr_buf b = { .limit = 0 };

	for (size_t i = 0; i < config_schema_count();) {
		if (i)
			sr_buf_puts(&b, "\n");
		i = put_section(&b, i);
	}
	fputs(sr_buf_cstr(&b), stdout);
	sr_buf_free(&b);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_every_key_as_the_schema_has_it),
		cmocka_unit_test(documents_no_key_that_does_not_exist),
		cmocka_unit_test(keeps_a_sections_rows_together_and_names_unique),
	};

	if (argc == 2 && strcmp(argv[1], "--print") == 0)
		return print_tables();
	return cmocka_run_group_tests(tests, load_page, free_page);
}
