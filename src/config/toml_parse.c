/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document: lines of headers and pairs. All state lives in one parser object,
 * all nodes in the document's arena, so that every failure is cleaned up in one
 * place, toml_parse.
 */
#include "config/toml_internal.h"

#include <stdlib.h>
#include <string.h>

/*
 * Depth counts the key's parts while its value is read, so that the tree is
 * bounded and not only the brackets.
 */
bool toml_read_pair(struct toml_parser *p, struct toml_node *table)
{
	struct toml_path path;
	struct toml_node *node = NULL;
	unsigned outer = p->depth;

	if (!toml_read_path(p, &path))
		return false;
	if (toml_peek(p) != '=')
		return toml_fail(p, p->at, "expected '=' after a key");
	p->at++;
	toml_skip_blanks(p);
	if (!toml_enter(p, (unsigned)path.count))
		return false;
	node = toml_open_key(p, table, &path);
	if (!node || !toml_read_value(p, node))
		return false;
	p->depth = outer;
	return true;
}

/* [path] or [[path]] */
static bool read_header(struct toml_parser *p)
{
	bool array = toml_starts(p, "[[");
	struct toml_path path;

	p->at += array ? 2 : 1;
	if (!toml_read_path(p, &path))
		return false;
	if (!toml_starts(p, array ? "]]" : "]"))
		return toml_fail(p, p->at, "expected '%s' after a table's name",
				 array ? "]]" : "]");
	p->at += array ? 2 : 1;
	p->depth = 0;
	if (!toml_enter(p, (unsigned)path.count + array) || !toml_open_section(p, &path, array))
		return false;
	return true;
}

/* One line of the document, though a value may go over several. */
static bool read_line(struct toml_parser *p)
{
	toml_skip_blanks(p);
	switch (toml_peek(p)) {
	case -1:
	case '#':
	case '\r':
	case '\n':
		break;
	case '[':
		if (!read_header(p))
			return false;
		break;
	default:
		if (!toml_read_pair(p, p->section))
			return false;
	}
	if (!toml_skip_comment(p))
		return false;
	if (p->at < p->end && !toml_skip_newline(p))
		return toml_fail(p, p->at, "expected the end of the line");
	return true;
}

static bool read_document(struct toml_parser *p)
{
	if (!toml_check_utf8(p))
		return false;
	/* a byte order mark says nothing in UTF-8 */
	if (toml_starts(p, "\xef\xbb\xbf")) {
		p->at += 3;
		p->text += 3;
	}
	p->counted = p->at;
	while (p->at < p->end) {
		if (!read_line(p))
			return false;
	}
	return true;
}

bool toml_parse(const char *text, size_t len, struct toml *out, struct sr_error *err)
{
	struct toml_parser *p = NULL;
	bool ok = false;

	*out = (struct toml){ .root = { .type = TOML_TABLE, .origin = TOML_FROM_HEADER } };
	if (len > TOML_TEXT_MAX)
		return sr_fail(err, SR_E_LIMIT, "%zu bytes, where at most %zu are read", len,
			       TOML_TEXT_MAX);
	p = calloc(1, sizeof(*p));
	if (!p)
		return sr_fail(err, SR_E_NO_MEMORY, "no memory for the parser");
	p->text = p->at = len ? text : "";
	p->end = p->text + len;
	p->doc = out;
	p->section = &out->root;
	p->line = 1;
	p->err = err;
	sr_buf_init(&p->scratch, TOML_TEXT_MAX);
	ok = read_document(p);
	sr_buf_free(&p->scratch);
	free(p);
	if (!ok)
		toml_free(out);
	return ok;
}

const struct toml_node *toml_get(const struct toml_node *table, const char *key)
{
	size_t len = strlen(key);
	const struct toml_node *node = table->as.items.first;

	while (node && (node->key.len != len || memcmp(node->key.data, key, len) != 0))
		node = node->next;
	return node;
}

const char *toml_type_name(enum toml_type type)
{
	static const char *const names[] = {
		[TOML_STRING] = "a string",
		[TOML_INTEGER] = "an integer",
		[TOML_FLOAT] = "a float",
		[TOML_BOOLEAN] = "a boolean",
		[TOML_OFFSET_DATETIME] = "a date with time and offset",
		[TOML_LOCAL_DATETIME] = "a date with time",
		[TOML_LOCAL_DATE] = "a date",
		[TOML_LOCAL_TIME] = "a time",
		[TOML_ARRAY] = "an array",
		[TOML_TABLE] = "a table",
	};

	return names[type];
}
