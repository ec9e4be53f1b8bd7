/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth.h"

#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

static bool hash(const struct eth_user_op *op, uint8_t out[static 32])
{
	static const struct eth_address delegate = { { 0xde } };
	const struct eth_u256 chain_id = { { 1, 0, 0, 0 } };
	struct sr_error err = { 0 };

	return eth_user_op_hash(op, eth_entry_point_address(op->version), &chain_id, &delegate, out,
				&err);
}

static bool parse(const char *json, size_t len, enum eth_entry_point version, uint32_t may_lack,
		  struct eth_user_op *out)
{
	yyjson_doc *doc = yyjson_read(json, len, YYJSON_READ_NUMBER_AS_RAW);
	struct sr_error err = { 0 };
	bool ok = doc && eth_user_op_parse(yyjson_doc_get_root(doc), version, may_lack, out, &err);

	if (doc && !ok && err.message[0] == '\0')
		abort();
	yyjson_doc_free(doc);
	return ok;
}

/* An operation that was accepted hashes, packs, and survives being written. */
static void check(const struct eth_user_op *op, uint32_t may_lack)
{
	struct eth_packed_user_op packed = { 0 };
	struct eth_user_op again = { 0 };
	struct eth_u256 cost = { { 0 } };
	struct sr_error err = { 0 };
	struct sr_buf json = { 0 };
	uint8_t before[32];
	uint8_t after[32];

	if (!hash(op, before))
		abort();
	if (eth_user_op_pack(op, &packed, &err) != (op->version != ETH_ENTRY_POINT_V06))
		abort();
	eth_packed_user_op_free(&packed);
	if (!eth_user_op_max_cost(op, &cost))
		cost = eth_u256_from_u64(0);
	eth_user_op_to_json(op, &json);
	if (!json.failed) {
		if (!parse((const char *)json.data, json.len, op->version, may_lack, &again) ||
		    !hash(&again, after) || memcmp(before, after, sizeof(before)) != 0 ||
		    again.present != op->present)
			abort();
		eth_user_op_free(&again);
	}
	sr_buf_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte chooses the version and what may be missing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum eth_entry_point version = ETH_ENTRY_POINT_V06;
	struct eth_user_op op = { 0 };
	uint32_t may_lack = 0;

	if (size == 0)
		return 0;
	version = (enum eth_entry_point)(ETH_ENTRY_POINT_V06 + (data[0] & 3));
	may_lack = data[0] >> 2 & 7;
	if (parse((const char *)data + 1, size - 1, version, may_lack, &op)) {
		check(&op, may_lack);
		eth_user_op_free(&op);
	}
	return 0;
}
