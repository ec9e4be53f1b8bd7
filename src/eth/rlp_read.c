/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth_core.h"

#include <string.h>

/*
 * The first byte tells the kind: below 0x80 it is the payload itself, from
 * STRING_BASE a string, from LIST_BASE a list. The next 56 values of each kind
 * say a payload's length, the last 8 how many bytes of length follow.
 */
#define STRING_BASE 0x80
#define LIST_BASE 0xc0
#define SHORT_MAX 55 /* longest payload whose length fits the first byte */

/*
 * Reads a long item's length from the n bytes at p. Minimal means: no leading
 * zero, and nothing that the short form could say.
 */
static bool read_length(const uint8_t *p, size_t n, uint64_t *out)
{
	uint64_t len = 0;

	for (size_t i = 0; i < n; i++)
		len = len << 8 | p[i];
	*out = len;
	return p[0] != 0 && len > SHORT_MAX;
}

bool eth_rlp_read(struct eth_view *in, struct eth_view *payload, bool *is_list)
{
	uint8_t first = in->len ? in->data[0] : 0;
	uint8_t base = first >= LIST_BASE ? LIST_BASE : STRING_BASE;
	size_t header = 1;
	uint64_t len = 0;

	if (in->len == 0)
		return false;
	if (first < STRING_BASE) {
		header = 0;
		len = 1;
	} else if (first - base <= SHORT_MAX) {
		len = (uint64_t)(first - base);
	} else {
		size_t n = (size_t)(first - base - SHORT_MAX);

		header += n;
		if (in->len < header || !read_length(in->data + 1, n, &len))
			return false;
	}
	/* compared this way round, a length near 2^64 cannot wrap */
	if (len > in->len - header)
		return false;
	/* one byte below 0x80 is written without a header */
	if (base == STRING_BASE && header == 1 && len == 1 && in->data[1] < STRING_BASE)
		return false;
	*is_list = base == LIST_BASE;
	*payload = (struct eth_view){ in->data + header, (size_t)len };
	in->data += header + len;
	in->len -= header + (size_t)len;
	return true;
}

bool eth_rlp_read_list(struct eth_view *in, struct eth_view *payload)
{
	bool is_list = false;

	return eth_rlp_read(in, payload, &is_list) && is_list;
}

static bool read_string(struct eth_view *in, struct eth_view *payload)
{
	bool is_list = false;

	return eth_rlp_read(in, payload, &is_list) && !is_list;
}

bool eth_rlp_read_fixed(struct eth_view *in, uint8_t *out, size_t len)
{
	struct eth_view payload = { 0 };

	if (!read_string(in, &payload) || payload.len != len)
		return false;
	memcpy(out, payload.data, len);
	return true;
}

bool eth_rlp_read_u256(struct eth_view *in, unsigned bits, struct eth_u256 *out)
{
	struct eth_view payload = { 0 };
	uint8_t be[32] = { 0 };

	if (!read_string(in, &payload) || payload.len > sizeof(be) ||
	    (payload.len > 0 && payload.data[0] == 0))
		return false;
	if (payload.len > 0)
		memcpy(be + sizeof(be) - payload.len, payload.data, payload.len);
	*out = eth_u256_from_be(be);
	return eth_u256_bits(out) <= bits;
}

bool eth_rlp_read_u64(struct eth_view *in, uint64_t *out)
{
	struct eth_u256 v = { { 0 } };

	return eth_rlp_read_u256(in, 64, &v) && eth_u256_to_u64(&v, out);
}
