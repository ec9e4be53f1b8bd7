/* SPDX-License-Identifier: Apache-2.0 */
#include <tee_internal_api.h>

#include "entropy.h"
#include "features.h"
#include "state.h"

#ifdef CFG_SR_DEV_IMPORT
#define BUILD_FEATURES SR_TA_FEATURE_DEV_IMPORT
#else
#define BUILD_FEATURES 0
#endif

uint32_t ta_features(void)
{
	uint32_t features = BUILD_FEATURES | ta_entropy_features();

	if (ta_state_provisioned())
		features |= SR_TA_FEATURE_PROVISIONED;
	if (ta_state_flags() & SR_TA_PROVISION_DEVELOPMENT)
		features |= SR_TA_FEATURE_DEVELOPMENT;
	return features;
}

uint32_t ta_anti_rollback_level(void)
{
	uint32_t level = 0;
	TEE_Result result =
		TEE_GetPropertyAsU32(TEE_PROPSET_TEE_IMPLEMENTATION,
				     "gpd.tee.trustedStorage.antiRollback.protectionLevel", &level);

	return result == TEE_SUCCESS ? level : 0;
}
