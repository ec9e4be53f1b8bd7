/* SPDX-License-Identifier: Apache-2.0 */
/* Names of commands and decisions, as the log has them. */
#include <stdio.h>
#include <string.h>

#include "audit/audit_private.h"

static const char *const commands[] = {
	[SR_TA_CMD_GENERATE_KEY] = "generate_key",
	[SR_TA_CMD_IMPORT_KEY] = "import_key",
	[SR_TA_CMD_SIGN_MESSAGE] = "sign_message",
	[SR_TA_CMD_GET_PUBLIC_KEY] = "get_public_key",
	[SR_TA_CMD_DELETE_KEY] = "delete_key",
	[SR_TA_CMD_SIGN_SPONSORSHIP] = "sign_sponsorship",
	[SR_TA_CMD_LIST_KEYS] = "list_keys",
	[SR_TA_CMD_GET_INFO] = "get_info",
	[SR_TA_CMD_BEGIN] = "begin",
	[SR_TA_CMD_AUDIT_READ] = "audit_read",
	[SR_TA_CMD_CHECKPOINT] = "checkpoint",
	[SR_TA_CMD_PROVISION] = "provision",
	[SR_TA_CMD_SET_POLICY] = "set_policy",
	[SR_TA_CMD_GET_POLICY] = "get_policy",
	[SR_TA_CMD_SIGN_TRANSACTION] = "sign_transaction",
	[SR_TA_CMD_ATTEST] = "attest",
	[SR_TA_CMD_IMPORT_WRAPPED] = "import_wrapped",
	[SR_TA_CMD_EXPORT_WRAPPED] = "export_wrapped",
	[SR_TA_CMD_ROTATE_KEY] = "rotate_key",
};

/* The TEE's results, by GlobalPlatform's names. A name once given stays: logs are kept. */
static const struct {
	uint32_t decision;
	const char *name;
} decisions[] = {
	{ 0x00000000, "ok" },
	{ 0xffff0001, "access_denied" },
	{ 0xffff300f, "overflow" },
	{ 0xffff0006, "bad_parameters" },
	{ 0xf0100001, "corrupt_object" },
	{ 0xf0100002, "corrupt_object_2" },
	{ 0xf0100003, "storage_not_available" },
	{ 0xf0100004, "storage_not_available_2" },
	{ 0xffff0000, "generic" },
	{ 0xffff0002, "cancel" },
	{ 0xffff0003, "access_conflict" },
	{ 0xffff0004, "excess_data" },
	{ 0xffff0005, "bad_format" },
	{ 0xffff0007, "bad_state" },
	{ 0xffff0008, "item_not_found" },
	{ 0xffff0009, "not_implemented" },
	{ 0xffff000a, "not_supported" },
	{ 0xffff000b, "no_data" },
	{ 0xffff000c, "out_of_memory" },
	{ 0xffff000d, "busy" },
	{ 0xffff000e, "communication" },
	{ 0xffff000f, "security" },
	{ 0xffff0010, "short_buffer" },
	{ 0xffff0011, "external_cancel" },
	{ 0xffff3024, "target_dead" },
	{ 0xffff3041, "storage_no_space" },
	{ 0xffff3071, "mac_invalid" },
	{ 0xffff3072, "signature_invalid" },
};

static const char *const faults[] = {
	[AUDIT_HOLDS] = "holds",
	[AUDIT_CHANGED] = "changed",
	[AUDIT_DROPPED] = "dropped",
	[AUDIT_REORDERED] = "reordered",
	[AUDIT_ADDED] = "added",
	[AUDIT_TRUNCATED] = "truncated",
	[AUDIT_REWRITTEN] = "rewritten",
	[AUDIT_FORGED] = "forged",
	[AUDIT_OTHER_CHAIN] = "other_chain",
	[AUDIT_BEGUN_BEHIND] = "begun_behind",
	[AUDIT_UNSIGNED] = "unsigned",
};

static bool is_name(const char *known, const char *name, size_t len)
{
	return known && strlen(known) == len && memcmp(known, name, len) == 0;
}

const char *audit_command_name(uint8_t command, char scratch[static AUDIT_NAME_MAX])
{
	if (command < SR_ARRAY_LEN(commands) && commands[command])
		return commands[command];
	(void)snprintf(scratch, AUDIT_NAME_MAX, "command_%u", command);
	return scratch;
}

bool audit_command_from_name(const char *name, size_t len, uint8_t *out)
{
	char scratch[AUDIT_NAME_MAX] = { 0 };

	for (unsigned i = 0; i <= UINT8_MAX; i++) {
		*out = (uint8_t)i;
		if (i < SR_ARRAY_LEN(commands)
			    ? is_name(commands[i], name, len)
			    : is_name(audit_command_name(*out, scratch), name, len))
			return true;
	}
	return false;
}

const char *audit_decision_name(uint32_t decision, char scratch[static AUDIT_NAME_MAX])
{
	for (size_t i = 0; i < SR_ARRAY_LEN(decisions); i++) {
		if (decisions[i].decision == decision)
			return decisions[i].name;
	}
	(void)snprintf(scratch, AUDIT_NAME_MAX, "0x%08x", decision);
	return scratch;
}

bool audit_decision_from_name(const char *name, size_t len, uint32_t *out)
{
	char scratch[AUDIT_NAME_MAX] = { 0 };
	uint8_t bytes[4] = { 0 };

	for (size_t i = 0; i < SR_ARRAY_LEN(decisions); i++) {
		*out = decisions[i].decision;
		if (is_name(decisions[i].name, name, len))
			return true;
	}
	if (len != 10 || !sr_hex_decode(name, len, bytes, sizeof(bytes)))
		return false;
	*out = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
	/* One spelling each: neither capitals, nor a number that has a name. */
	return is_name(audit_decision_name(*out, scratch), name, len);
}

const char *audit_fault_name(enum audit_fault fault)
{
	return (size_t)fault < SR_ARRAY_LEN(faults) ? faults[fault] : "unknown";
}
