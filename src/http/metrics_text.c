/* SPDX-License-Identifier: Apache-2.0 */
/* The Prometheus text format, version 0.0.4. */
#include <stdio.h>
#include <string.h>

#include "http/metrics_private.h"

/* What a character of a label's value becomes; the format knows three escapes. Others than
 * those of ASCII are left out: no name of ours has one, and half a character of UTF-8, as a name
 * that was cut may end with, costs the scraper the whole page. */
static const char *escape(char c, char single[static 2])
{
	switch (c) {
	case '\\':
		return "\\\\";
	case '"':
		return "\\\"";
	case '\n':
		return "\\n";
	default:
		single[0] = (unsigned char)c < ' ' || (unsigned char)c >= 0x7f ? '\0' : c;
		single[1] = '\0';
		return single;
	}
}

void metrics_label(struct metrics_labels *labels, const char *name, const char *value)
{
	size_t room = sizeof(labels->text) - 1; /* for the closing quote */
	char single[2];
	int n = snprintf(labels->text + labels->len, room - labels->len, "%s%s=\"",
			 labels->len ? "," : "", name);

	if (n < 0 || (size_t)n >= room - labels->len) {
		labels->text[labels->len] = '\0';
		return;
	}
	labels->len += (size_t)n;
	for (; *value; value++) {
		const char *text = escape(*value, single);
		size_t len = strlen(text);

		if (labels->len + len >= room)
			break;
		memcpy(labels->text + labels->len, text, len);
		labels->len += len;
	}
	labels->text[labels->len++] = '"';
	labels->text[labels->len] = '\0';
}

void metrics_head(struct sr_buf *out, const char *name, const char *type, const char *help)
{
	sr_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_series(struct sr_buf *out, const char *name, const struct metrics_labels *labels)
{
	sr_buf_puts(out, name);
	if (labels && labels->len)
		sr_buf_printf(out, "{%s}", labels->text);
}

void metrics_put(struct sr_buf *out, const char *name, const struct metrics_labels *labels,
		 uint64_t value)
{
	put_series(out, name, labels);
	sr_buf_printf(out, " %llu\n", (unsigned long long)value);
}

/* All digits of the quotient of a power of ten: no float loses any. */
void metrics_put_ratio(struct sr_buf *out, const char *name, const struct metrics_labels *labels,
		       uint64_t value, uint64_t unit)
{
	int digits = 0;

	for (uint64_t rest = unit; rest >= 10; rest /= 10)
		digits++;
	if (!digits) {
		metrics_put(out, name, labels, value);
		return;
	}
	put_series(out, name, labels);
	sr_buf_printf(out, " %llu.%0*llu\n", (unsigned long long)(value / unit), digits,
		      (unsigned long long)(value % unit));
}

void metrics_put_only(struct sr_buf *out, const char *name, const char *type, const char *help,
		      uint64_t value)
{
	metrics_head(out, name, type, help);
	metrics_put(out, name, NULL, value);
}
