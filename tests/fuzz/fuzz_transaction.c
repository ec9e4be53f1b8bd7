/* SPDX-License-Identifier: Apache-2.0 */
/* What the TA reads of a hostile host besides its own wire: transactions, calls of an
 * EntryPoint, sponsorships of each scheme. */
#include "sponsorship_wire.h"

#include <stdlib.h>

#define LIST_DEPTH 4 /* transaction, access list, entry, keys */

static void check_transaction(const uint8_t *data, size_t size)
{
	struct eth_unsigned_transaction tx = { 0 };

	if (eth_unsigned_transaction_parse(data, size, &tx) != ETH_TRANSACTION_OK)
		return;
	/* what was taken is canonical to the daemon's own walk, too */
	if (!eth_rlp_check((struct sr_bytes){ data + 1, size - 1 }, LIST_DEPTH) ||
	    tx.type != data[0] || tx.data.data < data || tx.data.data + tx.data.len > data + size ||
	    eth_u256_bits(&tx.max_fee_per_gas) > 128 ||
	    (tx.type == ETH_TRANSACTION_EIP7702) != (tx.authorization_count > 0))
		abort();
}

static void check_call(const uint8_t *data, size_t size)
{
	struct eth_handle_ops ops = { 0 };

	if (!eth_handle_ops_parse(data, size, &ops))
		return;
	if (ops.count == 0 || size < 4 + 3 * 32 + 32 * ops.count ||
	    memcmp(ops.beneficiary.bytes, data + 4 + 44, 20) != 0)
		abort();
}

static void check_sponsorship(unsigned scheme, const uint8_t *data, size_t size)
{
	struct eth_sponsorship s = { 0 };
	struct eth_u256 cost = { { 0 } };
	uint8_t digest[32];
	uint8_t other[32];

	if (!wire_sponsorship((struct eth_view){ data, size }, scheme, &s))
		return;
	if (!eth_sponsorship_cost(&s, &cost))
		cost = eth_u256_from_u64(0);
	if (!eth_sponsorship_digest(&s, digest))
		return;
	s.nonce[31] ^= 1;
	if (!eth_sponsorship_digest(&s, other) || memcmp(digest, other, 32) == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte: 0 a call, 1 to 7 a sponsorship of that scheme, else a transaction. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 0)
		check_call(data + 1, size - 1);
	else if (data[0] <= 7)
		check_sponsorship(data[0], data + 1, size - 1);
	else
		check_transaction(data + 1, size - 1);
	return 0;
}
