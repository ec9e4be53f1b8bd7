/* SPDX-License-Identifier: Apache-2.0 */
/* The entry points that GlobalPlatform's Internal Core API has the TEE call. */
#include <tee_ta_api.h>

#ifdef CFG_SR_TEST_HOOKS
#include "cmd_test.h"
#endif
#include "commands.h"
#include "entropy.h"
#include "keystore.h"
#include "sign_secp256k1.h"
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

/* Once per instance, before its first session. Without a context nothing can be
 * signed, so the instance does not come up then. */
TEE_Result TA_CreateEntryPoint(void)
{
	TEE_Result result = TEE_SUCCESS;

#ifdef CFG_SR_TEST_HOOKS
	ta_test_begin();
#endif
	/* The TEE gives a new instance zeroed memory; the simulator reuses its own. */
	ta_keystore_reset();
	ta_wire_reset();
	ta_entropy_reset();
	/* Before the first that asks for random numbers. */
	ta_entropy_open();
	result = ta_secp256k1_open();
	if (result == TEE_SUCCESS)
		ta_keystore_open();
	return result;
}

/* A keep-alive TA sees this when the TEE shuts down, and in the simulator, which
 * calls it after a panic as well: so what is secret goes first. */
void TA_DestroyEntryPoint(void)
{
	ta_keystore_reset();
	ta_wire_reset();
	ta_entropy_reset();
	ta_secp256k1_close();
}

/* Sessions carry no state: what a caller may do is decided by the key, per call. */
TEE_Result TA_OpenSessionEntryPoint(uint32_t param_types, TEE_Param params[TEE_NUM_PARAMS],
				    void **session)
{
	const uint32_t expected = TEE_PARAM_TYPES(TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE,
						  TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE);

	(void)params;
	if (param_types != expected)
		return TEE_ERROR_BAD_PARAMETERS;
	*session = NULL;
	return TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *session)
{
	(void)session;
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

	(void)session;
	if (param_types != expected)
		return TEE_ERROR_BAD_PARAMETERS;
	result = ta_wire_begin(params, &in, &out);
	if (command_id >= sizeof(commands) / sizeof(commands[0]))
		result = other_command(command_id, &in, &out);
	else if (result == TEE_SUCCESS)
		result = commands[command_id](&in, &out);
	return ta_wire_end(params, &in, &out, result);
}
