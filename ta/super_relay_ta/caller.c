/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "caller.h"
#include "operator.h"
#include "state.h"
#include "super_relay_ta.h"

/* As many as OP-TEE's clients can be expected to hold; the simulator allows as many. */
#define CALLERS_MAX 256

struct caller {
	bool used;
	bool stranger; /* was not on the list when the session opened */
	uint32_t login;
	uint8_t uuid[TA_GROUP_SIZE]; /* octets, as RFC 4122 writes them */
};

static struct caller callers[CALLERS_MAX];

void ta_caller_reset(void)
{
	memset(callers, 0, sizeof(callers));
}

/* Those who may do nothing but GET_INFO are not to fill the table, nor the heap. */
#define STRANGERS_MAX 8

static bool too_many_strangers(void)
{
	size_t count = 0;

	for (size_t i = 0; i < CALLERS_MAX; i++)
		count += callers[i].used && callers[i].stranger;
	return count >= STRANGERS_MAX;
}

static struct caller *free_slot(void)
{
	for (size_t i = 0; i < CALLERS_MAX; i++) {
		if (!callers[i].used)
			return &callers[i];
	}
	return NULL;
}

#ifdef CFG_SR_DEV_IMPORT
#define DEVELOPMENT_BUILD true
#else
#define DEVELOPMENT_BUILD false
#endif

/* Before PROVISION a production build does nothing but what leads there. */
static TEE_Result judge_unprovisioned(uint32_t command)
{
	if (DEVELOPMENT_BUILD)
		return TEE_SUCCESS;
	switch (command) {
	case SR_TA_CMD_PROVISION:
	case SR_TA_CMD_BEGIN:
	case SR_TA_CMD_ATTEST:
	case SR_TA_CMD_AUDIT_READ:
		return TEE_SUCCESS;
	default:
		return TEE_ERROR_ACCESS_DENIED;
	}
}

static TEE_Result judge_login(const struct caller *caller)
{
	const struct ta_identity *identity = ta_state_identity();

	if (caller->login == TEE_LOGIN_PUBLIC && DEVELOPMENT_BUILD &&
	    (identity->flags & SR_TA_PROVISION_DEVELOPMENT))
		return TEE_SUCCESS;
	if (caller->login != TEE_LOGIN_GROUP)
		return TEE_ERROR_ACCESS_DENIED;
	for (size_t i = 0; i < identity->group_count; i++) {
		if (!memcmp(identity->groups[i], caller->uuid, sizeof(caller->uuid)))
			return TEE_SUCCESS;
	}
	return TEE_ERROR_ACCESS_DENIED;
}

TEE_Result ta_caller_open(void **session)
{
	TEE_Identity identity = { 0 };
	struct caller *caller = free_slot();
	TEE_Result result = TEE_ERROR_OUT_OF_MEMORY;

	*session = NULL;
	if (!caller)
		return result;
	result = TEE_GetPropertyAsIdentity(TEE_PROPSET_CURRENT_CLIENT, "gpd.client.identity",
					   &identity);
	if (result != TEE_SUCCESS)
		return TEE_ERROR_ACCESS_DENIED;
	caller->login = identity.login;
	ta_uuid_to_octets(&identity.uuid, caller->uuid);
	caller->stranger = ta_state_load() == TEE_SUCCESS && ta_state_provisioned() &&
			   judge_login(caller) != TEE_SUCCESS;
	if (caller->stranger && too_many_strangers())
		return TEE_ERROR_OUT_OF_MEMORY;
	caller->used = true;
	*session = caller;
	return TEE_SUCCESS;
}

void ta_caller_close(void *session)
{
	struct caller *caller = session;

	if (caller)
		*caller = (struct caller){ 0 };
}

TEE_Result ta_caller_check(const void *session, uint32_t command)
{
	TEE_Result result = TEE_SUCCESS;

	if (command == SR_TA_CMD_GET_INFO)
		return TEE_SUCCESS;
	if (!session)
		return TEE_ERROR_ACCESS_DENIED;
	result = ta_state_load();
	if (result == TEE_SUCCESS && ta_state_provisioned())
		return judge_login(session);
	if (result == TEE_SUCCESS || result == TEE_ERROR_ITEM_NOT_FOUND)
		return judge_unprovisioned(command);
	/* Who may call cannot be known. A development build's keys can still be looked at. */
	if (result == TEE_ERROR_CORRUPT_OBJECT && DEVELOPMENT_BUILD)
		return TEE_SUCCESS;
	return result;
}
