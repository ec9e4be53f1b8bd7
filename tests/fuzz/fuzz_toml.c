/* SPDX-License-Identifier: Apache-2.0 */
/* The TOML parser, and the configuration that is made of its tree. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/toml.h"

/* Some variables are set, one is empty, the rest are not there. */
static const char *lookup(void *arg, const char *name)
{
	(void)arg;
	if (strcmp(name, "HOME") == 0)
		return "/home/u";
	if (strcmp(name, "E") == 0)
		return "";
	return name[0] == 'S' ? "127.0.0.1:3000" : NULL;
}

/* Reads every byte of the tree, so that a sanitizer sees a wrong pointer. */
static size_t walk(const struct toml_node *node, unsigned depth)
{
	size_t sum = node->line;

	if (depth > TOML_DEPTH_MAX)
		abort();
	if (node->key.data)
		sum += strlen(node->key.data) <= node->key.len ? 1 : 0;
	if (node->type == TOML_STRING) {
		if (node->as.string.data[node->as.string.len] != '\0')
			abort();
	} else if (node->type == TOML_ARRAY || node->type == TOML_TABLE) {
		size_t count = 0;

		for (const struct toml_node *n = node->as.items.first; n; n = n->next, count++)
			sum += walk(n, depth + 1);
		if (count != node->as.items.count)
			abort();
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct toml doc;
	struct config config;
	struct sr_error err = { .code = SR_OK };

	if (toml_parse((const char *)data, size, &doc, &err)) {
		if (walk(&doc.root, 0) == (size_t)-1)
			abort();
		toml_free(&doc);
	} else if (!err.message[0]) {
		abort();
	}
	if (config_parse((const char *)data, size, "fuzz.toml", lookup, NULL, &config, &err))
		config_free(&config);
	return 0;
}
