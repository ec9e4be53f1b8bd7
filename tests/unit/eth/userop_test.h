/* SPDX-License-Identifier: Apache-2.0 */
/* UserOperations from JSON text, as a server reads them. */
#ifndef TEST_USEROP_H
#define TEST_USEROP_H

#include "vectors.h"

#include <yyjson.h>

#define GAS                                                                                  \
	",\"callGasLimit\":\"0x1\",\"verificationGasLimit\":\"0x2\",\"preVerificationGas\":" \
	"\"0x3\""
#define FEES ",\"maxFeePerGas\":\"0x5\",\"maxPriorityFeePerGas\":\"0x4\""
#define SENDER "\"sender\":\"0x1234567890123456789012345678901234567890\""
/* a whole operation but for the closing brace, so that more fields can follow */
#define OPEN_OP \
	"{" SENDER ",\"nonce\":\"0x7\",\"callData\":\"0xdeadbeef\",\"signature\":\"0x\"" GAS FEES
#define PAYMASTER ",\"paymaster\":\"0xabcdef0123456789abcdef0123456789abcdef01\""
#define FACTORY ",\"factory\":\"0x9fbb5fa1d5a1c26d5b0e5a3b1c3f5e4d2c1b0a99\""
#define MAGIC "22e325a297439656"

static inline bool parse_op(const char *json, enum eth_entry_point version, uint32_t may_lack,
			    struct eth_user_op *out, struct sr_error *err)
{
	/* numbers as text: how JSON-RPC ids keep their exact form */
	yyjson_doc *doc = yyjson_read(json, strlen(json), YYJSON_READ_NUMBER_AS_RAW);
	bool ok = false;

	if (!doc)
		fail_msg("a test's JSON is broken: %s", json);
	ok = eth_user_op_parse(yyjson_doc_get_root(doc), version, may_lack, out, err);
	/* nothing in the operation may point into the document */
	yyjson_doc_free(doc);
	return ok;
}

static inline struct eth_user_op must_parse(const char *json, enum eth_entry_point version)
{
	struct eth_user_op op = { 0 };
	struct sr_error err = { 0 };

	if (!parse_op(json, version, 0, &op, &err))
		fail_msg("v%s: %s: %s", eth_entry_point_name(version), err.message, json);
	return op;
}

/* Asserts that bytes are what hex says. */
static inline void assert_bytes_are(struct sr_bytes bytes, const char *hex)
{
	struct sr_buf text = { 0 };

	sr_buf_put_hex_0x(&text, bytes.data, bytes.len);
	assert_string_equal(sr_buf_cstr(&text), hex);
	sr_buf_free(&text);
}

#endif
