/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256

void sr_buf_init(struct sr_buf *b, size_t limit)
{
	*b = (struct sr_buf){ .limit = limit };
}

void sr_buf_free(struct sr_buf *b)
{
	free(b->data);
	sr_buf_init(b, b->limit);
}

void sr_buf_clear(struct sr_buf *b)
{
	b->len = 0;
	b->failed = false;
}

/* One byte more than asked for is always there, for sr_buf_cstr's NUL. */
bool sr_buf_reserve(struct sr_buf *b, size_t extra)
{
	size_t limit = b->limit ? b->limit : SR_BUF_DEFAULT_LIMIT;
	size_t cap = b->cap ? b->cap : FIRST_CAPACITY;
	uint8_t *grown = NULL;

	if (b->failed || extra > limit || b->len > limit - extra) {
		b->failed = true;
		return false;
	}
	if (b->data && b->len + extra < b->cap)
		return true;
	while (cap <= b->len + extra)
		cap *= 2;
	grown = realloc(b->data, cap);
	if (!grown) {
		b->failed = true;
		return false;
	}
	b->data = grown;
	b->cap = cap;
	return true;
}

void sr_buf_append(struct sr_buf *b, const void *data, size_t len)
{
	if (!len || !sr_buf_reserve(b, len))
		return;
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

void sr_buf_puts(struct sr_buf *b, const char *text)
{
	sr_buf_append(b, text, strlen(text));
}

void sr_buf_printf(struct sr_buf *b, const char *fmt, ...)
{
	va_list ap;
	va_list again;
	int n = 0;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		b->failed = true;
	else if (sr_buf_reserve(b, (size_t)n)) {
		vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void sr_buf_put_hex_0x(struct sr_buf *b, const uint8_t *data, size_t len)
{
	if (len > SR_BUF_DEFAULT_LIMIT || !sr_buf_reserve(b, 2 * len + 2)) {
		b->failed = true;
		return;
	}
	sr_hex_encode_0x(data, len, (char *)b->data + b->len);
	b->len += 2 * len + 2;
}

/* The length of the valid UTF-8 sequence at p, or 0. */
static size_t utf8_length(const uint8_t *p, size_t left)
{
	uint32_t cp = 0;
	size_t n = p[0] < 0x80	 ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf5 ? 4
				 : 0;

	if (n <= 1 || n > left)
		return n > left ? 0 : n;
	cp = p[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (p[i] & 0x3fu);
	}
	/* overlong three- and four-byte forms, surrogates, beyond Unicode */
	if ((n == 3 && cp < 0x800) || (n == 4 && cp < 0x10000) || cp > 0x10ffff ||
	    (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	return n;
}

void sr_buf_put_json_string(struct sr_buf *b, const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;

	sr_buf_append(b, "\"", 1);
	for (size_t i = 0; i < len;) {
		size_t n = utf8_length(p + i, len - i);

		if (!n) {
			sr_buf_puts(b, "\xef\xbf\xbd");
			n = 1;
		} else if (p[i] == '"' || p[i] == '\\') {
			sr_buf_printf(b, "\\%c", p[i]);
		} else if (p[i] == '\n') {
			sr_buf_puts(b, "\\n");
		} else if (p[i] < 0x20 || p[i] == 0x7f) {
			sr_buf_printf(b, "\\u%04x", p[i]);
		} else {
			sr_buf_append(b, p + i, n);
		}
		i += n;
	}
	sr_buf_append(b, "\"", 1);
}

void sr_buf_consume(struct sr_buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
		return;
	}
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}

const char *sr_buf_cstr(struct sr_buf *b)
{
	if (b->failed || !sr_buf_reserve(b, 0))
		return NULL;
	b->data[b->len] = '\0';
	return (const char *)b->data;
}
