/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Integers and floats. The grammar is checked by hand first, because strtod and
 * strtoll take much that TOML does not: leading zeros, blanks, hex floats, "1.".
 */
#include "config/toml_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A run of digits of a base, with single underscores between two of them. */
static const char *skip_digits(const char *c, const char *end, bool (*is_digit)(int))
{
	const char *start = c;

	while (c < end &&
	       (is_digit((unsigned char)*c) || (*c == '_' && c > start && c[-1] != '_' &&
						c + 1 < end && is_digit((unsigned char)c[1]))))
		c++;
	return c;
}

static bool is_hex(int c)
{
	return toml_is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_octal(int c)
{
	return c >= '0' && c <= '7';
}

static bool is_binary(int c)
{
	return c == '0' || c == '1';
}

/* Of a character that is known to be a digit. */
static unsigned digit_of(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10);
}

/* The digits have been checked. False above limit. */
static bool accumulate(const char *c, const char *end, unsigned base, uint64_t limit, uint64_t *out)
{
	uint64_t v = 0;

	for (; c < end; c++) {
		unsigned digit = *c == '_' ? 0 : digit_of(*c);

		if (*c == '_')
			continue;
		if (v > (limit - digit) / base)
			return false;
		v = v * base + digit;
	}
	*out = v;
	return true;
}

static bool out_of_range(struct toml_parser *p)
{
	return toml_fail(p, p->at, "an integer must lie between -2^63 and 2^63 - 1");
}

/* 0x, 0o and 0b take no sign; leading zeros are fine. */
static bool read_prefixed(struct toml_parser *p, const char *end, struct toml_node *out)
{
	const char *c = p->at + 2;
	char kind = p->at[1];
	bool (*is_digit)(int) = kind == 'x' ? is_hex : kind == 'o' ? is_octal : is_binary;
	unsigned base = kind == 'x' ? 16 : kind == 'o' ? 8 : 2;
	uint64_t v = 0;

	if (c == end || skip_digits(c, end, is_digit) != end)
		return toml_fail(p, p->at,
				 "0%c must be followed by digits of base %u, with single "
				 "underscores between them",
				 kind, base);
	if (!accumulate(c, end, base, INT64_MAX, &v))
		return out_of_range(p);
	out->type = TOML_INTEGER;
	out->as.integer = (int64_t)v;
	p->at = end;
	return true;
}

static bool read_decimal(struct toml_parser *p, const char *digits, const char *end,
			 struct toml_node *out)
{
	bool negative = *p->at == '-';
	uint64_t v = 0;

	if (!accumulate(digits, end, 10, (uint64_t)INT64_MAX + negative, &v))
		return out_of_range(p);
	out->type = TOML_INTEGER;
	/* via unsigned arithmetic: -2^63 has no positive counterpart */
	out->as.integer = (int64_t)(negative ? 0 - v : v);
	p->at = end;
	return true;
}

/* Behind the integer part: [.digits][e[sign]digits], to the very end. */
static bool is_float_tail(const char *c, const char *end)
{
	const char *start = NULL;

	if (c < end && *c == '.') {
		start = ++c;
		c = skip_digits(c, end, toml_is_digit);
		if (c == start)
			return false;
	}
	if (c < end && (*c == 'e' || *c == 'E')) {
		c++;
		if (c < end && (*c == '+' || *c == '-'))
			c++;
		start = c;
		c = skip_digits(c, end, toml_is_digit);
		if (c == start)
			return false;
	}
	return c == end;
}

/* The process stays in the C locale, so strtod's decimal point is TOML's. */
static bool read_float(struct toml_parser *p, const char *end, struct toml_node *out)
{
	char *plain = toml_alloc(p, (size_t)(end - p->at) + 1);
	char *stop = NULL;
	size_t len = 0;

	if (!plain)
		return false;
	for (const char *c = p->at; c < end; c++) {
		if (*c != '_')
			plain[len++] = *c;
	}
	out->type = TOML_FLOAT;
	out->as.real = strtod(plain, &stop);
	if (stop != plain + len)
		return toml_fail(p, p->at, "a float that this system cannot read");
	p->at = end;
	return true;
}

/* inf and nan, the sign before them being optional. */
static bool read_special(struct toml_parser *p, const char *word, const char *end,
			 struct toml_node *out)
{
	double v = *word == 'i' ? (double)INFINITY : (double)NAN;

	out->type = TOML_FLOAT;
	out->as.real = *p->at == '-' ? -v : v;
	p->at = end;
	return true;
}

static bool is_word(const char *c, const char *end, const char *word)
{
	return (size_t)(end - c) == strlen(word) && memcmp(c, word, strlen(word)) == 0;
}

/*
 * A word that is no number at all lands here too, such as a string without its
 * quotes, so the message shows what was found.
 */
bool toml_read_number(struct toml_parser *p, const char *end, struct toml_node *out)
{
	const char *digits = p->at + (*p->at == '+' || *p->at == '-');
	const char *tail = skip_digits(digits, end, toml_is_digit);

	if (is_word(digits, end, "inf") || is_word(digits, end, "nan"))
		return read_special(p, digits, end, out);
	if (tail == p->at + 1 && *p->at == '0' && tail < end && strchr("xob", *tail))
		return read_prefixed(p, end, out);
	if (tail == digits || !(tail == end || is_float_tail(tail, end)))
		return toml_fail(p, p->at, "expected a value, found '%.*s'",
				 (int)(end - p->at > 32 ? 32 : end - p->at), p->at);
	if (tail - digits > 1 && *digits == '0')
		return toml_fail(p, p->at, "a number cannot begin with a zero");
	return tail == end ? read_decimal(p, digits, end, out) : read_float(p, end, out);
}
