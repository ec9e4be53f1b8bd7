/* SPDX-License-Identifier: Apache-2.0 */
/* A key's policy: from TOML to the TA's bytes and back, and the bytes themselves. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted must come back as it was, from bytes and from text. */
static void round_trip(const struct config_policy *policy)
{
	struct config_policy again;
	struct sr_error err = { .code = SR_OK };
	struct sr_buf text = { 0 };
	uint8_t bytes[CONFIG_POLICY_BYTES_MAX];
	uint8_t same[CONFIG_POLICY_BYTES_MAX];
	size_t len = config_policy_encode(policy, bytes);

	if (!config_policy_decode((struct sr_bytes){ bytes, len }, &again, &err))
		abort();
	config_policy_to_toml(&again, &text);
	if (!config_policy_parse((const char *)text.data, text.len, "again", &again, &err) ||
	    config_policy_encode(&again, same) != len || memcmp(bytes, same, len) != 0)
		abort();
	sr_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_policy policy;
	struct sr_error err = { .code = SR_OK };
	uint8_t bytes[CONFIG_POLICY_BYTES_MAX];

	if (config_policy_parse((const char *)data, size, "fuzz", &policy, &err))
		round_trip(&policy);
	else if (!err.message[0])
		abort();
	/* one encoding a policy: what is read is written as it was */
	if (config_policy_decode((struct sr_bytes){ data, size }, &policy, &err) &&
	    (config_policy_encode(&policy, bytes) != size || memcmp(bytes, data, size) != 0))
		abort();
	return 0;
}
