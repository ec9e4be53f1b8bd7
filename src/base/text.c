/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <string.h>

#define WORD_MAX 64

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein distance with two rows; both words at most WORD_MAX long. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[2][WORD_MAX + 1] = { { 0 } };
	size_t *prev = rows[0];
	size_t *cur = rows[1];

	for (size_t j = 0; j <= b_len; j++)
		prev[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *swap = NULL;

		cur[0] = i;
		for (size_t j = 1; j <= b_len; j++)
			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1,
				      prev[j - 1] + (a[i - 1] != b[j - 1]));
		swap = prev;
		prev = cur;
		cur = swap;
	}
	return prev[b_len];
}

const char *sr_nearest(const char *word, const char *const *candidates, size_t count)
{
	size_t word_len = strlen(word);
	size_t best = word_len / 3 + 2;
	const char *nearest = NULL;

	if (word_len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(candidates[i]);
		size_t d = 0;

		if (len > WORD_MAX)
			continue;
		d = distance(word, word_len, candidates[i], len);
		/* a distance as long as the word itself is no likeness */
		if (d < best && d < len) {
			best = d;
			nearest = candidates[i];
		}
	}
	return nearest;
}
