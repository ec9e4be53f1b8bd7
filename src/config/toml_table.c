/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOML's rules of definition: a key is defined once; a table is defined by one
 * header, or by the dotted keys of one section, or by an inline table; only
 * [[headers]] append to an array.
 */
#include "config/toml_internal.h"

#include <string.h>

/*
 * FNV-1a over the key, begun with the table's address. The file is its
 * operator's own, so nobody gains from collisions.
 */
static struct toml_node **bucket_of(struct toml_parser *p, const struct toml_node *table,
				    const struct toml_text *key)
{
	uint64_t h = 0xcbf29ce484222325u ^ (uint64_t)(uintptr_t)table;

	for (size_t i = 0; i < key->len; i++)
		h = (h ^ (unsigned char)key->data[i]) * 0x100000001b3u;
	return &p->buckets[(h ^ h >> 32) % TOML_BUCKETS];
}

static struct toml_node *find(struct toml_parser *p, const struct toml_node *table,
			      const struct toml_text *key)
{
	struct toml_node *node = *bucket_of(p, table, key);

	while (node && (node->table != table || node->key.len != key->len ||
			memcmp(node->key.data, key->data, key->len) != 0))
		node = node->bucket;
	return node;
}

/* Does not look for an entry of the same name: its callers have. */
struct toml_node *toml_append(struct toml_parser *p, struct toml_node *parent,
			      const struct toml_part *key)
{
	struct toml_node *node = toml_alloc(p, sizeof(*node));

	if (!node)
		return NULL;
	node->table = parent;
	node->line = toml_line(p, key ? key->at : p->at);
	if (key) {
		struct toml_node **bucket = bucket_of(p, parent, &key->text);

		node->key = key->text;
		node->bucket = *bucket;
		*bucket = node;
	}
	if (parent->as.items.last)
		parent->as.items.last->next = node;
	else
		parent->as.items.first = node;
	parent->as.items.last = node;
	parent->as.items.count++;
	return node;
}

static struct toml_node *append_table(struct toml_parser *p, struct toml_node *parent,
				      const struct toml_part *key, enum toml_origin origin)
{
	struct toml_node *node = toml_append(p, parent, key);

	if (node) {
		node->type = TOML_TABLE;
		node->origin = origin;
	}
	return node;
}

static struct toml_node *fail_defined(struct toml_parser *p, const struct toml_part *part,
				      const struct toml_node *node)
{
	int len = part->text.len > 48 ? 48 : (int)part->text.len;

	toml_fail(p, part->at, "'%.*s' is defined already, on line %u", len, part->text.data,
		  node->line);
	return NULL;
}

/* ---- headers ----------------------------------------------------------- */

/* One part of a header's path that is not its last. */
static struct toml_node *pass_header(struct toml_parser *p, struct toml_node *table,
				     const struct toml_part *part)
{
	struct toml_node *node = find(p, table, &part->text);

	if (!node)
		return append_table(p, table, part, TOML_FROM_PATH);
	if (node->type == TOML_ARRAY && node->origin == TOML_FROM_HEADER)
		return node->as.items.last;
	if (node->type != TOML_TABLE || node->origin == TOML_FROM_VALUE)
		return fail_defined(p, part, node);
	return node;
}

/* A table passed on the way may be defined afterwards, once. */
static struct toml_node *define_table(struct toml_parser *p, struct toml_node *table,
				      const struct toml_part *part)
{
	struct toml_node *node = find(p, table, &part->text);

	if (!node)
		return append_table(p, table, part, TOML_FROM_HEADER);
	if (node->type != TOML_TABLE || node->origin != TOML_FROM_PATH)
		return fail_defined(p, part, node);
	node->origin = TOML_FROM_HEADER;
	node->line = toml_line(p, part->at);
	return node;
}

/* Appends to an array that headers have made, or begins one. */
static struct toml_node *define_item(struct toml_parser *p, struct toml_node *table,
				     const struct toml_part *part)
{
	struct toml_node *node = find(p, table, &part->text);

	if (!node) {
		node = toml_append(p, table, part);
		if (!node)
			return NULL;
		node->type = TOML_ARRAY;
		node->origin = TOML_FROM_HEADER;
	} else if (node->type != TOML_ARRAY || node->origin != TOML_FROM_HEADER) {
		return fail_defined(p, part, node);
	}
	return append_table(p, node, NULL, TOML_FROM_HEADER);
}

bool toml_open_section(struct toml_parser *p, const struct toml_path *path, bool array)
{
	const struct toml_part *last = &path->part[path->count - 1];
	struct toml_node *table = &p->doc->root;

	for (const struct toml_part *part = path->part; table && part < last; part++)
		table = pass_header(p, table, part);
	if (table)
		table = array ? define_item(p, table, last) : define_table(p, table, last);
	p->section = table;
	return table != NULL;
}

/* ---- dotted keys ------------------------------------------------------- */

/*
 * Dotted keys may add to what dotted keys have made. They cannot meet those of
 * another section: its own header would stand between and be refused.
 */
static struct toml_node *pass_dots(struct toml_parser *p, struct toml_node *table,
				   const struct toml_part *part)
{
	struct toml_node *node = find(p, table, &part->text);

	if (!node)
		return append_table(p, table, part, TOML_FROM_DOTS);
	if (node->type != TOML_TABLE ||
	    (node->origin != TOML_FROM_DOTS && node->origin != TOML_FROM_PATH))
		return fail_defined(p, part, node);
	node->origin = TOML_FROM_DOTS;
	return node;
}

struct toml_node *toml_open_key(struct toml_parser *p, struct toml_node *table,
				const struct toml_path *path)
{
	const struct toml_part *last = &path->part[path->count - 1];
	struct toml_node *node = NULL;

	for (const struct toml_part *part = path->part; table && part < last; part++)
		table = pass_dots(p, table, part);
	if (!table)
		return NULL;
	node = find(p, table, &last->text);
	return node ? fail_defined(p, last, node) : toml_append(p, table, last);
}
