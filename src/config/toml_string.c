/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four kinds of string. Content is gathered in p->scratch, because escapes
 * and line continuations make it differ from the text, and copied to the arena
 * once it is whole. Line ends within multi-line strings stay as they are.
 */
#include "config/toml_internal.h"

#include <string.h>

/* Code points only; surrogates have been refused. */
static void put_code_point(struct sr_buf *b, uint32_t cp)
{
	unsigned char utf8[4] = { 0 };
	size_t len = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0x00, 0xc0, 0xe0, 0xf0 };

	for (size_t i = len; i-- > 1; cp >>= 6)
		utf8[i] = (unsigned char)(0x80 | (cp & 0x3f));
	utf8[0] = (unsigned char)(lead[len] | cp);
	sr_buf_append(b, utf8, len);
}

/* -1 for what is no digit, and for the end. */
static int hex_value(int c)
{
	if (toml_is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* p->at is behind the 'u' or 'U'. */
static bool read_unicode(struct toml_parser *p, int digits)
{
	const char *start = p->at - 2;
	uint32_t cp = 0;

	for (int i = 0; i < digits; i++, p->at++) {
		int v = hex_value(toml_peek(p));

		if (v < 0)
			return toml_fail(p, start, "\\%c must be followed by %d hex digits",
					 start[1], digits);
		cp = cp << 4 | (uint32_t)v;
	}
	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return toml_fail(p, start, "\\%c%0*x is no Unicode character", start[1], digits,
				 cp);
	put_code_point(&p->scratch, cp);
	return true;
}

/* A backslash, blanks and a line break: all white space up to the next
 * character goes. False when the backslash means something else. */
static bool skip_line_continuation(struct toml_parser *p)
{
	const char *start = p->at;

	p->at++;
	toml_skip_blanks(p);
	if (!toml_skip_newline(p)) {
		p->at = start;
		return false;
	}
	do
		toml_skip_blanks(p);
	while (toml_skip_newline(p));
	return true;
}

/* At the backslash. */
static bool read_escape(struct toml_parser *p, bool multiline)
{
	static const char names[] = "btnfr\"\\";
	static const char meant[] = "\b\t\n\f\r\"\\";
	const char *found = NULL;
	int c = -1;

	if (multiline && skip_line_continuation(p))
		return true;
	p->at++;
	c = toml_peek(p);
	if (c == 'u' || c == 'U') {
		p->at++;
		return read_unicode(p, c == 'u' ? 4 : 8);
	}
	found = c > 0 ? strchr(names, c) : NULL;
	if (!found)
		return toml_fail(p, p->at - 1,
				 "unknown escape; known are "
				 "\\b \\t \\n \\f \\r \\\" \\\\ \\uXXXX \\UXXXXXXXX");
	sr_buf_append(&p->scratch, meant + (found - names), 1);
	p->at++;
	return true;
}

/* At a quote: true when it ends the string. Up to two quotes may stand
 * directly before the closing three. */
static bool take_quotes(struct toml_parser *p, char quote, bool multiline)
{
	size_t run = 1;

	if (!multiline) {
		p->at++;
		return true;
	}
	while (run < 5 && p->at + run < p->end && p->at[run] == quote)
		run++;
	sr_buf_append(&p->scratch, p->at, run < 3 ? run : run - 3);
	p->at += run;
	return run >= 3;
}

/* The characters up to the next one that means something. */
static void take_plain(struct toml_parser *p, char quote)
{
	const char *start = p->at;

	while (p->at < p->end) {
		unsigned char c = (unsigned char)*p->at;

		if (c == (unsigned char)quote || (c == '\\' && quote == '"') || c == 0x7f ||
		    (c < 0x20 && c != '\t'))
			break;
		p->at++;
	}
	sr_buf_append(&p->scratch, start, (size_t)(p->at - start));
}

static bool take_newline(struct toml_parser *p)
{
	const char *start = p->at;

	if (!toml_skip_newline(p))
		return false;
	sr_buf_append(&p->scratch, start, (size_t)(p->at - start));
	return true;
}

/*
 * From behind the opening quotes to behind the closing ones. start is where the
 * string begins: where its end is missing, that is the place to look.
 */
static bool read_content(struct toml_parser *p, char quote, bool multiline, const char *start)
{
	for (;;) {
		int c = -1;

		take_plain(p, quote);
		c = toml_peek(p);
		if (c < 0)
			return toml_fail(p, start, "the string that begins here has no end");
		if (c == quote) {
			if (take_quotes(p, quote, multiline))
				return true;
		} else if (c == '\\') {
			if (!read_escape(p, multiline))
				return false;
		} else if (multiline && take_newline(p)) {
			continue;
		} else if (c == '\n' || toml_starts(p, "\r\n")) {
			return toml_fail(p, start,
					 "the string that begins here has no end on "
					 "its line");
		} else {
			return toml_fail(p, p->at, "control character 0x%02x in a string",
					 (unsigned)c);
		}
	}
}

/* A line break directly behind three opening quotes is no content. */
bool toml_read_string(struct toml_parser *p, bool multiline, struct toml_text *out)
{
	const char *start = p->at;
	char quote = *p->at;
	bool three = toml_starts(p, quote == '"' ? "\"\"\"" : "'''");

	if (three && !multiline)
		return toml_fail(p, start, "a multi-line string cannot be a key");
	p->at += three ? 3 : 1;
	if (three)
		toml_skip_newline(p);
	sr_buf_clear(&p->scratch);
	if (!read_content(p, quote, three, start))
		return false;
	if (p->scratch.failed)
		return sr_fail(p->err, SR_E_NO_MEMORY, "no memory for a string");
	return toml_copy(p, p->scratch.data, p->scratch.len, out);
}
