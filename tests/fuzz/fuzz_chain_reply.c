/* SPDX-License-Identifier: Apache-2.0 */
/* What a node or a bundler answers. */
#include "chain/chain_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct chain_parsed parsed;
	struct chain_reply reply = { .error = { .code = SR_OK } };
	struct sr_error err = { .code = SR_OK };
	struct eth_u256 v;
	uint8_t word[32];

	if (!chain_parse_reply((struct sr_bytes){ data, size }, &parsed, &reply))
		return 0;
	if (!chain_reply_quantity(&reply, &v, &err) &&
	    !chain_reply_data(&reply, word, sizeof(word), &err) && err.code == SR_OK)
		__builtin_trap();
	chain_parsed_free(&parsed);
	return 0;
}
