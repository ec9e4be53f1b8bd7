/* SPDX-License-Identifier: Apache-2.0 */
/* OP-TEE names the entry points' header so; they are in tee_internal_api.h. */
#ifndef TEE_TA_API_H
#define TEE_TA_API_H

#include "tee_internal_api.h"

#endif
