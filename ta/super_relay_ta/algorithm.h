/* SPDX-License-Identifier: Apache-2.0 */
/* What the TA must know of a signature algorithm to keep keys of it. */
#ifndef SR_TA_ALGORITHM_H
#define SR_TA_ALGORITHM_H

#include <stdint.h>
#include <tee_internal_api.h>

#include "key.h"

struct ta_algorithm {
	uint8_t id; /* SR_TA_ALG_* */
	uint8_t public_size;
	uint8_t signature_size;
	uint32_t usages; /* those that keys of it may have */

	/* Makes secret and public key from the next random numbers (entropy.h). What it
	 * returns with an error is to be wiped by the caller all the same. */
	TEE_Result (*generate)(struct ta_key *key);

	/* Fills the public key from the secret; BAD_PARAMETERS when the secret is no
	 * valid key. */
	TEE_Result (*derive_public)(struct ta_key *key);

	/* TEE_SUCCESS only when secret and public key belong together;
	 * CORRUPT_OBJECT when they do not. */
	TEE_Result (*check_pair)(const struct ta_key *key);
};

/* NULL when unknown. */
const struct ta_algorithm *ta_algorithm_find(uint8_t id);

#endif
