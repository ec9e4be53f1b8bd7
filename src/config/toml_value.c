/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values by their first character. Arrays and inline tables recurse into this
 * file; toml_enter bounds how deep.
 */
#include "config/toml_internal.h"

#include <string.h>

/* [ value , value , ] with comments and line breaks between. */
static bool read_items(struct toml_parser *p, struct toml_node *out)
{
	const char *start = p->at++;

	for (;;) {
		struct toml_node *item = NULL;

		if (!toml_skip_lines(p))
			return false;
		if (toml_peek(p) == ']')
			break;
		if (toml_peek(p) < 0)
			return toml_fail(p, start, "the array that begins here has no end");
		item = toml_append(p, out, NULL);
		if (!item || !toml_read_value(p, item) || !toml_skip_lines(p))
			return false;
		if (toml_peek(p) == ',')
			p->at++;
		else if (toml_peek(p) >= 0 && toml_peek(p) != ']')
			return toml_fail(p, p->at, "expected ',' or ']' after an array's item");
	}
	p->at++;
	return true;
}

/* { key = value , key = value } on one line, with no comma at the end. */
static bool read_entries(struct toml_parser *p, struct toml_node *out)
{
	p->at++;
	toml_skip_blanks(p);
	if (toml_peek(p) == '}') {
		p->at++;
		return true;
	}
	for (;;) {
		if (!toml_read_pair(p, out))
			return false;
		toml_skip_blanks(p);
		if (toml_peek(p) == '}')
			break;
		if (toml_peek(p) != ',')
			return toml_fail(p, p->at,
					 "expected ',' or '}' in an inline table, which "
					 "stands on one line");
		p->at++;
		toml_skip_blanks(p);
	}
	p->at++;
	return true;
}

static bool read_nested(struct toml_parser *p, struct toml_node *out)
{
	bool table = *p->at == '{';
	bool ok = false;

	if (!toml_enter(p, 1))
		return false;
	out->type = table ? TOML_TABLE : TOML_ARRAY;
	out->origin = TOML_FROM_VALUE;
	ok = table ? read_entries(p, out) : read_items(p, out);
	p->depth--;
	return ok;
}

/* The end of the run of characters that numbers and booleans are made of. */
/* Too much is fine here: the readers refuse what does not belong. */
static const char *word_end(const struct toml_parser *p)
{
	const char *c = p->at;

	while (c < p->end &&
	       (toml_is_digit((unsigned char)*c) || (*c >= 'a' && *c <= 'z') ||
		(*c >= 'A' && *c <= 'Z') || *c == '+' || *c == '-' || *c == '.' || *c == '_'))
		c++;
	return c;
}

static bool read_word(struct toml_parser *p, struct toml_node *out)
{
	const char *end = word_end(p);
	size_t len = (size_t)(end - p->at);

	if (!len)
		return toml_fail(p, p->at,
				 "expected a value: a string in quotes, a number, "
				 "true, false, a date, an array or an inline table");
	if ((len == 4 && toml_starts(p, "true")) || (len == 5 && toml_starts(p, "false"))) {
		out->type = TOML_BOOLEAN;
		out->as.boolean = len == 4;
		p->at = end;
		return true;
	}
	return toml_read_number(p, end, out);
}

bool toml_read_value(struct toml_parser *p, struct toml_node *out)
{
	switch (toml_peek(p)) {
	case '"':
	case '\'':
		out->type = TOML_STRING;
		return toml_read_string(p, true, &out->as.string);
	case '[':
	case '{':
		return read_nested(p, out);
	default:
		return toml_at_datetime(p) ? toml_read_datetime(p, out) : read_word(p, out);
	}
}
