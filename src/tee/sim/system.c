/* SPDX-License-Identifier: Apache-2.0 */
/* Time and properties of the Internal Core API. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "tee/sim/sim.h"
#include "tee/sim/sim_test.h"

uint64_t (*sim_system_time_hook)(void);
uint64_t (*sim_ree_time_hook)(void);
uint32_t sim_system_time_protection = 1000;

static void read_clock(uint64_t (*hook)(void), clockid_t clock, TEE_Time *out)
{
	struct timespec now = { 0 };
	const uint64_t told = hook ? hook() : 0;

	if (!out)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (!hook)
		(void)clock_gettime(clock, &now);
	out->seconds = (uint32_t)(hook ? told / 1000 : (uint64_t)now.tv_sec);
	out->millis = (uint32_t)(hook ? told % 1000 : (uint64_t)now.tv_nsec / 1000000);
}

/* Since boot: monotonic, and not the user's to set. */
void TEE_GetSystemTime(TEE_Time *out)
{
	sim_api_call();
	read_clock(sim_system_time_hook, CLOCK_BOOTTIME, out);
}

void TEE_GetREETime(TEE_Time *out)
{
	sim_api_call();
	read_clock(sim_ree_time_hook, CLOCK_REALTIME, out);
}

/* ---- properties -------------------------------------------------------- */

#define SYSTEM_TIME_PROTECTION "gpd.tee.systemTime.protectionLevel"

/* Those that a TA may want to decide by, told as they are here. */
struct property {
	TEE_PropSetHandle set;
	const char *name;
	enum { BOOLEAN, NUMBER, TEXT, IDENTITY } type;
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
	{ TEE_PROPSET_TEE_IMPLEMENTATION, SYSTEM_TIME_PROTECTION, NUMBER, 0, NULL },
	{ TEE_PROPSET_CURRENT_CLIENT, "gpd.client.identity", IDENTITY, 0, NULL },
	{ TEE_PROPSET_CURRENT_CLIENT, "gpd.client.endian", NUMBER, 0, NULL },
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

static uint32_t number_of(const struct property *p)
{
	return strcmp(p->name, SYSTEM_TIME_PROTECTION) ? p->number : sim_system_time_protection;
}

/* Whatever type it is of has a text. */
static void text_of(const struct property *p, char *out, size_t size)
{
	const TEE_Identity *id = sim_current_client();
	const uint8_t *node = id->uuid.clockSeqAndNode;

	if (p->type == TEXT)
		(void)snprintf(out, size, "%s", p->text);
	else if (p->type == BOOLEAN)
		(void)snprintf(out, size, "%s", p->number ? "true" : "false");
	else if (p->type == NUMBER)
		(void)snprintf(out, size, "%u", (unsigned)number_of(p));
	else
		(void)snprintf(out, size, "%u:%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
			       (unsigned)id->login, (unsigned)id->uuid.timeLow,
			       (unsigned)id->uuid.timeMid, (unsigned)id->uuid.timeHiAndVersion,
			       node[0], node[1], node[2], node[3], node[4], node[5], node[6],
			       node[7]);
}

TEE_Result TEE_GetPropertyAsString(TEE_PropSetHandle set, const char *name, char *valueBuffer,
				   size_t *valueBufferLen)
{
	const struct property *p = find_property(set, name);
	char text[64] = { 0 };
	size_t size = 0;
	size_t room = 0;

	if (!valueBufferLen)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (!p)
		return TEE_ERROR_ITEM_NOT_FOUND;
	text_of(p, text, sizeof(text));
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
	*value = number_of(p);
	return TEE_SUCCESS;
}

TEE_Result TEE_GetPropertyAsIdentity(TEE_PropSetHandle set, const char *name, TEE_Identity *value)
{
	const struct property *p = find_property(set, name);

	if (!value)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (!p)
		return TEE_ERROR_ITEM_NOT_FOUND;
	if (p->type != IDENTITY)
		return TEE_ERROR_BAD_FORMAT;
	*value = *sim_current_client();
	return TEE_SUCCESS;
}
