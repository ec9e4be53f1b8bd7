/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 32

/* Writes the items of in again; what is canonical must come out as it went in. */
static void write_again(struct sr_bytes in, struct sr_buf *out)
{
	while (in.len > 0) {
		struct eth_rlp_item item = { 0 };
		struct eth_u256 v = { { 0 } };
		struct sr_buf inner = { 0 };

		if (!eth_rlp_take(&in, &item))
			abort();
		if (item.is_list) {
			write_again(item.payload, &inner);
			eth_rlp_put_list_header(out, inner.len);
			sr_buf_append(out, inner.data, inner.len);
			sr_buf_free(&inner);
		} else if (eth_rlp_item_u256(&item, &v)) {
			eth_rlp_put_u256(out, &v);
		} else {
			eth_rlp_put_bytes(out, item.payload.data, item.payload.len);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sr_bytes in = { data, size };
	struct sr_buf out = { 0 };

	if (!eth_rlp_check(in, MAX_DEPTH))
		return 0;
	write_again(in, &out);
	if (!out.failed && (out.len != size || memcmp(out.data, data, size) != 0))
		abort();
	sr_buf_free(&out);
	return 0;
}
