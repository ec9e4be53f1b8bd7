/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth.h"

#include <string.h>

/* The encoding is told in rlp_read.c, which reads it. */
#define STRING_BASE 0x80
#define LIST_BASE 0xc0
#define SHORT_MAX 55 /* longest payload whose length fits the first byte */

/* Writes v without leading zeros to the end of out; returns how many bytes. */
static size_t minimal_be(uint64_t v, uint8_t out[static 8])
{
	size_t n = 0;

	for (; v; v >>= 8)
		out[7 - n++] = (uint8_t)v;
	return n;
}

/* base says the kind; both kinds spell their length in the same way. */
static void put_header(struct sr_buf *out, uint8_t base, size_t len)
{
	uint8_t header[1] = { 0 };
	uint8_t length[8] = { 0 };
	size_t n = 0;

	if (len <= SHORT_MAX) {
		header[0] = (uint8_t)(base + len);
	} else {
		n = minimal_be(len, length);
		header[0] = (uint8_t)(base + SHORT_MAX + n);
	}
	sr_buf_append(out, header, 1);
	sr_buf_append(out, length + 8 - n, n);
}

void eth_rlp_put_bytes(struct sr_buf *out, const uint8_t *data, size_t len)
{
	/* a byte below 0x80 is its own encoding */
	if (len != 1 || data[0] >= STRING_BASE)
		put_header(out, STRING_BASE, len);
	sr_buf_append(out, data, len);
}

void eth_rlp_put_u256(struct sr_buf *out, const struct eth_u256 *v)
{
	uint8_t be[32];
	size_t n = (eth_u256_bits(v) + 7) / 8;

	eth_u256_to_be(v, be);
	eth_rlp_put_bytes(out, be + 32 - n, n);
}

void eth_rlp_put_u64(struct sr_buf *out, uint64_t v)
{
	uint8_t be[8];
	size_t n = minimal_be(v, be);

	eth_rlp_put_bytes(out, be + 8 - n, n);
}

void eth_rlp_put_list_header(struct sr_buf *out, size_t payload_len)
{
	put_header(out, LIST_BASE, payload_len);
}

bool eth_rlp_take(struct sr_bytes *in, struct eth_rlp_item *out)
{
	struct eth_view rest = { in->data, in->len };
	struct eth_view payload = { 0 };

	if (!eth_rlp_read(&rest, &payload, &out->is_list))
		return false;
	out->payload = (struct sr_bytes){ payload.data, payload.len };
	*in = (struct sr_bytes){ rest.data, rest.len };
	return true;
}

bool eth_rlp_item_u256(const struct eth_rlp_item *item, struct eth_u256 *out)
{
	uint8_t be[32] = { 0 };
	size_t n = item->payload.len;

	if (item->is_list || n > sizeof(be) || (n > 0 && item->payload.data[0] == 0))
		return false;
	if (n > 0)
		memcpy(be + sizeof(be) - n, item->payload.data, n);
	*out = eth_u256_from_be(be);
	return true;
}

/* Recursion is as deep as max_depth says, whatever the input holds. */
static bool check_items(struct sr_bytes in, unsigned max_depth)
{
	while (in.len > 0) {
		struct eth_rlp_item item = { 0 };

		if (!eth_rlp_take(&in, &item))
			return false;
		if (item.is_list && (max_depth == 0 || !check_items(item.payload, max_depth - 1)))
			return false;
	}
	return true;
}

bool eth_rlp_check(struct sr_bytes in, unsigned max_depth)
{
	struct sr_bytes rest = in;
	struct eth_rlp_item item = { 0 };

	return eth_rlp_take(&rest, &item) && rest.len == 0 && check_items(in, max_depth);
}
