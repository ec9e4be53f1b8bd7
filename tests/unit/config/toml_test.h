/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the TOML parser share. */
#ifndef SR_TEST_TOML_H
#define SR_TEST_TOML_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/toml.h"

/* Parses text, which must be valid. */
static inline struct toml toml_of(const char *text)
{
	struct toml doc = { .blocks = NULL };
	struct sr_error err = { .code = SR_OK };

	if (!toml_parse(text, strlen(text), &doc, &err))
		fail_msg("refused: %s\n%s", err.message, text);
	return doc;
}

/* Parses bytes, which must be refused with a message that holds part. */
static inline void refuse_bytes(const char *text, size_t len, const char *part)
{
	struct toml doc = { .blocks = NULL };
	struct sr_error err = { .code = SR_OK };

	if (toml_parse(text, len, &doc, &err))
		fail_msg("accepted: %s", text);
	if (!strstr(err.message, part))
		fail_msg("'%s' is not in '%s'\n%s", part, err.message, text);
	assert_null(doc.blocks);
}

static inline void refuse(const char *text, const char *part)
{
	refuse_bytes(text, strlen(text), part);
}

/* The node at a path of names and item numbers, such as "a.b.0.c". */
static inline const struct toml_node *node_at(const struct toml *doc, const char *path)
{
	const struct toml_node *node = &doc->root;
	char copy[128] = { 0 };
	char *rest = copy;
	char *part = NULL;

	assert_true(strlen(path) < sizeof(copy));
	memcpy(copy, path, strlen(path));
	while ((part = strsep(&rest, ".")) != NULL) {
		assert_non_null(node);
		if (node->type == TOML_ARRAY) {
			int index = part[0] - '0';

			for (node = node->as.items.first; node && index > 0; index--)
				node = node->next;
		} else {
			node = toml_get(node, part);
		}
	}
	if (!node)
		fail_msg("nothing at %s", path);
	return node;
}

#endif
