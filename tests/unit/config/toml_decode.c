/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads TOML from standard input and prints it as JSON in which every value
 * carries its type, as toml-test's decoders do. Exits 1 with the parser's
 * message on standard error when the text is refused.
 */
#include "config/toml.h"

#include <stdio.h>
#include <stdlib.h>

static void put_node(struct sr_buf *out, const struct toml_node *node);

static void put_items(struct sr_buf *out, const struct toml_node *node)
{
	bool table = node->type == TOML_TABLE;

	sr_buf_puts(out, table ? "{" : "[");
	for (const struct toml_node *item = node->as.items.first; item; item = item->next) {
		if (item != node->as.items.first)
			sr_buf_puts(out, ",");
		if (table) {
			sr_buf_put_json_string(out, item->key.data, item->key.len);
			sr_buf_puts(out, ":");
		}
		put_node(out, item);
	}
	sr_buf_puts(out, table ? "}" : "]");
}

static void put_datetime(struct sr_buf *out, const struct toml_node *node)
{
	const struct toml_datetime *t = &node->as.datetime;

	if (node->type != TOML_LOCAL_TIME)
		sr_buf_printf(out, "%04u-%02u-%02u", t->year, t->month, t->day);
	if (node->type == TOML_LOCAL_DATE)
		return;
	if (node->type != TOML_LOCAL_TIME)
		sr_buf_puts(out, "T");
	sr_buf_printf(out, "%02u:%02u:%02u", t->hour, t->minute, t->second);
	if (t->nanosecond)
		sr_buf_printf(out, ".%09u", (unsigned)t->nanosecond);
	if (node->type == TOML_OFFSET_DATETIME)
		sr_buf_printf(out, "%c%02d:%02d", t->utc_offset < 0 ? '-' : '+',
			      abs(t->utc_offset) / 60, abs(t->utc_offset) % 60);
}

static void put_scalar(struct sr_buf *out, const struct toml_node *node)
{
	static const char *const names[] = { "string",	   "integer",	 "float",
					     "bool",	   "datetime",	 "datetime-local",
					     "date-local", "time-local", NULL,
					     NULL };

	sr_buf_printf(out, "{\"type\":\"%s\",\"value\":", names[node->type]);
	if (node->type == TOML_STRING) {
		sr_buf_put_json_string(out, node->as.string.data, node->as.string.len);
		sr_buf_puts(out, "}");
		return;
	}
	sr_buf_puts(out, "\"");
	if (node->type == TOML_INTEGER)
		sr_buf_printf(out, "%lld", (long long)node->as.integer);
	else if (node->type == TOML_FLOAT)
		sr_buf_printf(out, "%.17g", node->as.real);
	else if (node->type == TOML_BOOLEAN)
		sr_buf_puts(out, node->as.boolean ? "true" : "false");
	else
		put_datetime(out, node);
	sr_buf_puts(out, "\"}");
}

static void put_node(struct sr_buf *out, const struct toml_node *node)
{
	if (node->type == TOML_TABLE || node->type == TOML_ARRAY)
		put_items(out, node);
	else
		put_scalar(out, node);
}

int main(void)
{
	struct sr_buf in = { .limit = 0 };
	struct sr_buf out = { .limit = (size_t)1 << 30 };
	struct sr_error err = { .code = SR_OK };
	struct toml doc = { .blocks = NULL };
	char piece[4096] = { 0 };
	size_t n = 0;
	int status = 1;

	while ((n = fread(piece, 1, sizeof(piece), stdin)) > 0)
		sr_buf_append(&in, piece, n);
	if (!in.failed && toml_parse((const char *)in.data, in.len, &doc, &err)) {
		put_node(&out, &doc.root);
		status = out.failed || fwrite(out.data, 1, out.len, stdout) != out.len;
	}
	if (err.code)
		fprintf(stderr, "%s\n", err.message);
	toml_free(&doc);
	sr_buf_free(&in);
	sr_buf_free(&out);
	return status;
}
