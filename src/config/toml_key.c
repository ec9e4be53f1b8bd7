/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys: bare, quoted, and dotted paths of both (TOML 1.0.0, "Keys").
 */
#include "config/toml_internal.h"

static bool is_bare(int c)
{
	return toml_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       c == '-';
}

/* An empty quoted key is a key; a bare one must have a character. */
static bool read_part(struct toml_parser *p, struct toml_part *out)
{
	int c = toml_peek(p);

	out->at = p->at;
	if (c == '"' || c == '\'')
		return toml_read_string(p, false, &out->text);
	while (is_bare(toml_peek(p)))
		p->at++;
	if (p->at == out->at)
		return toml_fail(p, p->at,
				 "expected a key: letters, digits, '_' and '-', "
				 "or a quoted string");
	return toml_copy(p, out->at, (size_t)(p->at - out->at), &out->text);
}

/* Blanks may stand around each part. Ends behind them. */
bool toml_read_path(struct toml_parser *p, struct toml_path *out)
{
	out->count = 0;
	for (;;) {
		if (out->count == TOML_DEPTH_MAX)
			return toml_fail(p, p->at, "a key of more than %d parts", TOML_DEPTH_MAX);
		toml_skip_blanks(p);
		if (!read_part(p, &out->part[out->count]))
			return false;
		out->count++;
		toml_skip_blanks(p);
		if (toml_peek(p) != '.')
			return true;
		p->at++;
	}
}
