/* SPDX-License-Identifier: Apache-2.0 */
#include "algorithm.h"
#include "sign_ed25519.h"
#include "sign_secp256k1.h"

static const struct ta_algorithm algorithms[] = {
	{
		.id = SR_TA_ALG_SECP256K1,
		.public_size = SR_TA_SECP256K1_PUBLIC_SIZE,
		.signature_size = SR_TA_SECP256K1_SIGNATURE_SIZE,
		.usages = SR_TA_USAGE_ALL,
		.generate = ta_secp256k1_generate,
		.derive_public = ta_secp256k1_derive_public,
		.check_pair = ta_secp256k1_check_pair,
	},
	{
		.id = SR_TA_ALG_ED25519,
		.public_size = SR_TA_ED25519_PUBLIC_SIZE,
		.signature_size = SR_TA_ED25519_SIGNATURE_SIZE,
		.usages = SR_TA_USAGE_DIGEST,
		.generate = ta_ed25519_generate,
		.derive_public = ta_ed25519_derive_public,
		.check_pair = ta_ed25519_check_pair,
	},
};

const struct ta_algorithm *ta_algorithm_find(uint8_t id)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		if (algorithms[i].id == id)
			return &algorithms[i];
	}
	return NULL;
}
