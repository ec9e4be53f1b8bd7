/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <tee_internal_api.h>

#include "clock.h"

static uint64_t now_ms;
static bool asked;

void ta_clock_begin(void)
{
	asked = false;
}

uint64_t ta_clock_ms(void)
{
	TEE_Time now = { 0 };

	if (!asked) {
		TEE_GetSystemTime(&now);
		now_ms = (uint64_t)now.seconds * 1000 + now.millis;
		asked = true;
	}
	return now_ms;
}

uint32_t ta_clock_protection(void)
{
	uint32_t level = 0;
	TEE_Result result = TEE_GetPropertyAsU32(TEE_PROPSET_TEE_IMPLEMENTATION,
						 "gpd.tee.systemTime.protectionLevel", &level);

	return result == TEE_SUCCESS ? level : 0;
}
