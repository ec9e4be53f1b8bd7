/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth_core.h"

#include <string.h>

#define WORD 32u
#define SELECTOR 4u
#define HEAD (SELECTOR + 2 * WORD) /* offset of the array, beneficiary */

struct selector {
	uint8_t bytes[SELECTOR];
	bool packed;
	bool aggregated;
};

static const struct selector selectors[] = {
	{ { 0x1f, 0xad, 0x94, 0x8c }, false, false },
	{ { 0x4b, 0x1d, 0x7c, 0xf5 }, false, true },
	{ { 0x76, 0x5e, 0x82, 0x7f }, true, false },
	{ { 0xdb, 0xed, 0x18, 0xe0 }, true, true },
};

static const struct selector *find_selector(const uint8_t *data)
{
	for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
		if (memcmp(data, selectors[i].bytes, SELECTOR) == 0)
			return &selectors[i];
	}
	return NULL;
}

/* A word whose value is at most 64 bits. */
static bool read_word(const uint8_t *word, uint64_t *out)
{
	struct eth_u256 v = eth_u256_from_be(word);

	return eth_u256_to_u64(&v, out);
}

bool eth_handle_ops_parse(const uint8_t *data, size_t len, struct eth_handle_ops *out)
{
	static const uint8_t clean[WORD - 20] = { 0 };
	const struct selector *selector = NULL;
	uint64_t offset = 0;
	uint64_t count = 0;

	*out = (struct eth_handle_ops){ 0 };
	if (len < HEAD + WORD)
		return false;
	selector = find_selector(data);
	if (!selector || !read_word(data + SELECTOR, &offset) || offset != 2 * WORD ||
	    memcmp(data + SELECTOR + WORD, clean, sizeof(clean)) != 0 ||
	    !read_word(data + HEAD, &count))
		return false;
	/* each entry is dynamic: it has a word of offset */
	if (count == 0 || count > (len - HEAD - WORD) / WORD)
		return false;
	out->packed = selector->packed;
	out->aggregated = selector->aggregated;
	out->count = (size_t)count;
	memcpy(out->beneficiary.bytes, data + HEAD - 20, 20);
	return true;
}
