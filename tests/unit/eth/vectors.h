/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the text files of tests/vectors, line by line. */
#ifndef TEST_VECTORS_H
#define TEST_VECTORS_H

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "eth/eth.h"

#define VECTOR_LINE_MAX 8192

/* Fails the test where the file is not there: vectors are never optional. */
static inline FILE *vectors_open(const char *name)
{
	char path[1024] = { 0 };
	FILE *file = NULL;

	snprintf(path, sizeof(path), "%s/tests/vectors/%s", SR_SOURCE_DIR, name);
	file = fopen(path, "r");
	if (!file)
		fail_msg("cannot open %s", path);
	return file;
}

/* The next line that is no comment, without its line break. */
static inline bool vectors_next(FILE *file, char line[static VECTOR_LINE_MAX])
{
	while (fgets(line, VECTOR_LINE_MAX, file)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] != '#' && line[0] != '\0')
			return true;
	}
	return false;
}

/* Cuts the next word off *line. */
static inline char *vectors_word(char **line)
{
	char *word = strsep(line, " ");

	if (!word)
		fail_msg("a vector's line is short of a word");
	return word;
}

static inline struct eth_u256 vectors_u256(char **line)
{
	const char *word = vectors_word(line);
	struct eth_u256 v = { { 0 } };

	if (!eth_u256_from_quantity(word, strlen(word), &v))
		fail_msg("no quantity in a vector: %s", word);
	return v;
}

static inline void vectors_hash(char **line, uint8_t out[static 32])
{
	const char *word = vectors_word(line);

	if (!sr_hex_decode(word, strlen(word), out, 32))
		fail_msg("no hash in a vector: %s", word);
}

/* Asserts a 32-byte value against its hex, with a readable difference. */
static inline void assert_hash_is(const uint8_t got[static 32], const char *hex)
{
	char text[65] = { 0 };

	sr_hex_encode(got, 32, text);
	assert_string_equal(text, hex);
}

#endif
