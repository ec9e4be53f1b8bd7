/* SPDX-License-Identifier: Apache-2.0 */
/* What GET_INFO and ATTEST both tell of the TA and its TEE. */
#ifndef SR_TA_FEATURES_H
#define SR_TA_FEATURES_H

#include <stdint.h>

/* SR_TA_FEATURE_*. */
uint32_t ta_features(void);

/* gpd.tee.trustedStorage.antiRollback.protectionLevel; 0, no protection, where the TEE
 * does not say. */
uint32_t ta_anti_rollback_level(void);

#endif
