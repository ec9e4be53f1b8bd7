/* SPDX-License-Identifier: Apache-2.0 */
/* Time and properties of the Internal Core API. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tee/sim/sim.h"

static void read_clock(clockid_t clock, TEE_Time *out)
{
	struct timespec now = { 0 };

	(void)clock_gettime(clock, &now);
	out->seconds = (uint32_t)now.tv_sec;
	out->millis = (uint32_t)(now.tv_nsec / 1000000);
}

/* Since boot: monotonic, and not the user's to set. */
void TEE_GetSystemTime(TEE_Time *out)
{
	sim_api_call();
	read_clock(CLOCK_BOOTTIME, out);
}

void TEE_GetREETime(TEE_Time *out)
{
	sim_api_call();
	read_clock(CLOCK_REALTIME, out);
}

/* ---- properties -------------------------------------------------------- */

/* Those that a TA may want to decide by, told as they are here. */
struct property {
	TEE_PropSetHandle set;
	const char *name;
	enum { BOOLEAN, NUMBER, TEXT } type;
	uint32_t number;
	const char *text;
};

static const struct property properties[] = {
	{ TEE_PROPSET_TEE_IMPLEMENTATION, "gpd.tee.description", TEXT, 0,
	  "SuperRelay simulator: protects no key" },
	{ TEE_PROPSET_TEE_IMPLEMENTATION, "gpd.tee.apiversion", TEXT, 0, "GPD-1.3.1-simulated" },
	{ TEE_PROPSET_TEE_IMPLEMENTATION, "gpd.tee.internalCore.version", NUMBER, 0x01030100,
	  NULL },
	{ TEE_PROPSET_TEE_IMPLEMENTATION, "gpd.tee.trustedStorage.antiRollback.protectionLevel",
	  NUMBER, 0, NULL },
	{ TEE_PROPSET_CURRENT_TA, "gpd.ta.singleInstance", BOOLEAN, 1, NULL },
	{ TEE_PROPSET_CURRENT_TA, "gpd.ta.multiSession", BOOLEAN, 1, NULL },
	{ TEE_PROPSET_CURRENT_TA, "gpd.ta.instanceKeepAlive", BOOLEAN, 1, NULL },
	{ TEE_PROPSET_CURRENT_TA, "gpd.ta.endian", NUMBER, 0, NULL },
};

static const struct property *find_property(TEE_PropSetHandle set, const char *name)
{
	sim_api_call();
	if (!name)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	for (size_t i = 0; i < SR_ARRAY_LEN(properties); i++) {
		if (properties[i].set == set && !strcmp(properties[i].name, name))
			return &properties[i];
	}
	return NULL;
}

TEE_Result TEE_GetPropertyAsString(TEE_PropSetHandle set, const char *name, char *valueBuffer,
				   size_t *valueBufferLen)
{
	const struct property *p = find_property(set, name);
	char number[16] = { 0 };
	const char *text = number;
	size_t size = 0;
	size_t room = 0;

	if (!valueBufferLen)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (!p)
		return TEE_ERROR_ITEM_NOT_FOUND;
	/* Whatever type it is of has a text. */
	if (p->type == TEXT)
		text = p->text;
	else if (p->type == BOOLEAN)
		text = p->number ? "true" : "false";
	else
		(void)snprintf(number, sizeof(number), "%u", (unsigned)p->number);
	size = strlen(text) + 1;
	room = *valueBufferLen;
	*valueBufferLen = size;
	if (room < size)
		return TEE_ERROR_SHORT_BUFFER;
	memcpy(valueBuffer, text, size);
	return TEE_SUCCESS;
}

TEE_Result TEE_GetPropertyAsBool(TEE_PropSetHandle set, const char *name, bool *value)
{
	const struct property *p = find_property(set, name);

	if (!value)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (!p)
		return TEE_ERROR_ITEM_NOT_FOUND;
	if (p->type != BOOLEAN)
		return TEE_ERROR_BAD_FORMAT;
	*value = p->number != 0;
	return TEE_SUCCESS;
}

TEE_Result TEE_GetPropertyAsU32(TEE_PropSetHandle set, const char *name, uint32_t *value)
{
	const struct property *p = find_property(set, name);

	if (!value)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (!p)
		return TEE_ERROR_ITEM_NOT_FOUND;
	if (p->type != NUMBER)
		return TEE_ERROR_BAD_FORMAT;
	*value = p->number;
	return TEE_SUCCESS;
}
