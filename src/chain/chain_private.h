/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SR_CHAIN_PRIVATE_H
#define SR_CHAIN_PRIVATE_H

#include "chain/chain.h"

struct yyjson_doc;

/* What a reply's views point into. */
struct chain_parsed {
	struct yyjson_doc *doc;
	char *text;
};

/*
 * Reads a JSON-RPC 2.0 response object. False when it is none: reply->error
 * then says why, and nothing is to be freed.
 */
bool chain_parse_reply(struct sr_bytes body, struct chain_parsed *parsed,
		       struct chain_reply *reply) SR_MUST_USE;
void chain_parsed_free(struct chain_parsed *parsed);

#endif
