/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <yyjson.h>

#include "chain/chain_private.h"

void chain_parsed_free(struct chain_parsed *parsed)
{
	free(parsed->text);
	yyjson_doc_free(parsed->doc);
	*parsed = (struct chain_parsed){ 0 };
}

static void read_rpc_error(yyjson_val *error, struct chain_reply *reply)
{
	yyjson_val *code = yyjson_obj_get(error, "code");
	const char *message = yyjson_get_str(yyjson_obj_get(error, "message"));

	reply->is_rpc_error = true;
	/* numbers are kept as text, so that the other side's survive the trip */
	if (yyjson_is_raw(code))
		reply->rpc_code = strtoll(yyjson_get_raw(code), NULL, 10);
	snprintf(reply->rpc_message, sizeof(reply->rpc_message), "%s",
		 message ? message : "no message");
}

bool chain_parse_reply(struct sr_bytes body, struct chain_parsed *parsed, struct chain_reply *reply)
{
	yyjson_val *root = NULL;
	yyjson_val *payload = NULL;
	size_t len = 0;

	*parsed = (struct chain_parsed){ 0 };
	if (body.len)
		parsed->doc =
			yyjson_read((const char *)body.data, body.len, YYJSON_READ_NUMBER_AS_RAW);
	root = yyjson_doc_get_root(parsed->doc);
	if (!yyjson_is_obj(root)) {
		sr_fail(&reply->error, SR_E_CORRUPT, "the answer is no JSON-RPC object");
		goto fail;
	}
	payload = yyjson_obj_get(root, "error");
	if (yyjson_is_obj(payload)) {
		read_rpc_error(payload, reply);
	} else {
		payload = yyjson_obj_get(root, "result");
		if (!payload) {
			sr_fail(&reply->error, SR_E_CORRUPT,
				"the answer has neither result nor error");
			goto fail;
		}
	}
	parsed->text = yyjson_val_write(payload, YYJSON_WRITE_NOFLAG, &len);
	if (!parsed->text) {
		sr_fail(&reply->error, SR_E_NO_MEMORY, "out of memory for an answer");
		goto fail;
	}
	reply->json = (struct sr_bytes){ (const uint8_t *)parsed->text, len };
	return true;
fail:
	chain_parsed_free(parsed);
	return false;
}

/* The text between the quotes of a JSON string without escapes. */
static bool unquote(const struct chain_reply *reply, const char **text, size_t *len,
		    struct sr_error *err)
{
	const struct sr_bytes *json = &reply->json;

	if (reply->error.code != SR_OK) {
		*err = reply->error;
		return false;
	}
	if (reply->is_rpc_error)
		return sr_fail(err, SR_E_UNAVAILABLE, "the node answers error %lld: %s",
			       (long long)reply->rpc_code, reply->rpc_message);
	if (json->len < 2 || json->data[0] != '"' || memchr(json->data, '\\', json->len))
		return sr_fail(err, SR_E_CORRUPT, "the node's answer is no hex string");
	*text = (const char *)json->data + 1;
	*len = json->len - 2;
	return true;
}

bool chain_reply_quantity(const struct chain_reply *reply, struct eth_u256 *out,
			  struct sr_error *err)
{
	const char *text = NULL;
	size_t len = 0;

	if (!unquote(reply, &text, &len, err))
		return false;
	if (!eth_u256_from_quantity(text, len, out))
		return sr_fail(err, SR_E_CORRUPT, "the node's answer is no quantity");
	return true;
}

bool chain_reply_data(const struct chain_reply *reply, uint8_t *out, size_t len,
		      struct sr_error *err)
{
	const char *text = NULL;
	size_t text_len = 0;

	if (!unquote(reply, &text, &text_len, err))
		return false;
	if (text_len < 2 || text[0] != '0' || !sr_hex_decode(text, text_len, out, len))
		return sr_fail(err, SR_E_CORRUPT, "the node's answer is not %zu bytes of hex", len);
	return true;
}
