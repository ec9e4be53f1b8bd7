/* SPDX-License-Identifier: Apache-2.0 */
/* The entry points that GlobalPlatform's Internal Core API has the TEE call. */
#include <tee_ta_api.h>

#ifdef CFG_SR_TEST_HOOKS
#include "cmd_test.h"
#endif
#include "audit.h"
#include "caller.h"
#include "clock.h"
#include "commands.h"
#include "entropy.h"
#include "keystore.h"
#include "ledger.h"
#include "sha256.h"
#include "sign_secp256k1.h"
#include "state.h"
#include "super_relay_ta.h"
#include "wire.h"

typedef TEE_Result (*command)(struct ta_reader *in, struct ta_writer *out);

/* By number; there are no holes. A new command gets the next one. */
static const command commands[] = {
	[SR_TA_CMD_GENERATE_KEY] = ta_cmd_generate_key,
	[SR_TA_CMD_IMPORT_KEY] = ta_cmd_import_key,
	[SR_TA_CMD_SIGN_MESSAGE] = ta_cmd_sign_message,
	[SR_TA_CMD_GET_PUBLIC_KEY] = ta_cmd_get_public_key,
	[SR_TA_CMD_DELETE_KEY] = ta_cmd_delete_key,
	[SR_TA_CMD_SIGN_SPONSORSHIP] = ta_cmd_sign_sponsorship,
	[SR_TA_CMD_LIST_KEYS] = ta_cmd_list_keys,
	[SR_TA_CMD_GET_INFO] = ta_cmd_get_info,
	[SR_TA_CMD_BEGIN] = ta_cmd_begin,
	[SR_TA_CMD_AUDIT_READ] = ta_cmd_audit_read,
	[SR_TA_CMD_CHECKPOINT] = ta_cmd_checkpoint,
	[SR_TA_CMD_PROVISION] = ta_cmd_provision,
	[SR_TA_CMD_SET_POLICY] = ta_cmd_set_policy,
	[SR_TA_CMD_GET_POLICY] = ta_cmd_get_policy,
	[SR_TA_CMD_SIGN_TRANSACTION] = ta_cmd_sign_transaction,
	[SR_TA_CMD_ATTEST] = ta_cmd_attest,
	[SR_TA_CMD_IMPORT_WRAPPED] = ta_cmd_import_wrapped,
	[SR_TA_CMD_EXPORT_WRAPPED] = ta_cmd_export_wrapped,
	[SR_TA_CMD_ROTATE_KEY] = ta_cmd_rotate_key,
};

/* A number beyond the table. */
static TEE_Result other_command(uint32_t command_id, struct ta_reader *in, struct ta_writer *out)
{
#ifdef CFG_SR_TEST_HOOKS
	return ta_test_command(command_id, in, out);
#else
	(void)command_id;
	(void)in;
	(void)out;
	return TEE_ERROR_NOT_SUPPORTED;
#endif
}

/* Everything that is secret, and everything that stands for the storage's content. */
static void forget_all(void)
{
	ta_keystore_reset();
	ta_state_reset();
	ta_ledger_reset();
	ta_audit_reset();
	ta_wire_reset();
	ta_entropy_reset();
}

/* Once per instance, before its first session. Without a context nothing can be
 * signed, so the instance does not come up then. */
TEE_Result TA_CreateEntryPoint(void)
{
	TEE_Result result = TEE_SUCCESS;

#ifdef CFG_SR_TEST_HOOKS
	ta_test_begin();
#endif
	/* The TEE gives a new instance zeroed memory; the simulator reuses its own. */
	forget_all();
	ta_caller_reset();
	/* Before the first that asks for random numbers. */
	ta_entropy_open();
	result = ta_secp256k1_open();
	if (result == TEE_SUCCESS)
		result = ta_sha256_open();
	if (result != TEE_SUCCESS)
		return result;
	ta_keystore_open();
	/* A storage that cannot be read now is asked again by each command that needs it. */
	(void)ta_state_load();
	return TEE_SUCCESS;
}

/* A keep-alive TA sees this when the TEE shuts down, and in the simulator, which
 * calls it after a panic as well: so what is secret goes first. */
void TA_DestroyEntryPoint(void)
{
	forget_all();
	ta_sha256_close();
	ta_secp256k1_close();
}

/* A session is its caller's identity and nothing else: what a caller may do is decided per call. */
TEE_Result TA_OpenSessionEntryPoint(uint32_t param_types, TEE_Param params[TEE_NUM_PARAMS],
				    void **session)
{
	const uint32_t expected = TEE_PARAM_TYPES(TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE,
						  TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE);

	(void)params;
	if (param_types != expected)
		return TEE_ERROR_BAD_PARAMETERS;
	return ta_caller_open(session);
}

void TA_CloseSessionEntryPoint(void *session)
{
	ta_caller_close(session);
}

static TEE_Result run(void *session, uint32_t command_id, struct ta_reader *in,
		      struct ta_writer *out)
{
	TEE_Result result = ta_caller_check(session, command_id);

	/* Anybody may ask for it, and nobody by it for what is the log's. */
	if (command_id == SR_TA_CMD_GET_INFO)
		in->audited = SR_TA_NO_LOG;
	if (result == TEE_SUCCESS)
		result = ta_audit_take(in->audited);
	return result == TEE_SUCCESS ? commands[command_id](in, out) : result;
}

TEE_Result TA_InvokeCommandEntryPoint(void *session, uint32_t command_id, uint32_t param_types,
				      TEE_Param params[TEE_NUM_PARAMS])
{
	/* Compared whole, before params is looked at: under other types its members
	 * are numbers of the caller's choice, and reading them as pointers is how
	 * TAs fall. */
	const uint32_t expected =
		TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_MEMREF_OUTPUT,
				TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE);
	struct ta_reader in = { 0 };
	struct ta_writer out = { 0 };
	TEE_Result result = TEE_ERROR_GENERIC;

	if (param_types != expected)
		return TEE_ERROR_BAD_PARAMETERS;
	ta_clock_begin();
	result = ta_wire_begin(params, &in, &out);
	if (command_id >= sizeof(commands) / sizeof(commands[0]))
		result = other_command(command_id, &in, &out);
	else if (result == TEE_SUCCESS)
		result = run(session, command_id, &in, &out);
	/* What a command that failed has recorded waits for the next response. */
	if (result == TEE_SUCCESS)
		ta_audit_write(&out, in.audited);
	return ta_wire_end(params, &in, &out, result);
}
