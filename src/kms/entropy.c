/* SPDX-License-Identifier: Apache-2.0 */
/* What the normal world gives to a new key, and what the TA says of its own sources. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "kms/kms_private.h"

bool kms_host_entropy(uint8_t out[static SR_TA_HOST_ENTROPY_SIZE], struct sr_error *err)
{
	ssize_t n = -1;

	/* Waits, early after boot, until the kernel's generator has been seeded. Requests
	 * of up to 256 bytes are then answered whole. */
	do
		n = getrandom(out, SR_TA_HOST_ENTROPY_SIZE, 0);
	while (n < 0 && errno == EINTR);
	if (n == SR_TA_HOST_ENTROPY_SIZE)
		return true;
	return sr_fail(err, SR_E_UNAVAILABLE, "random bytes for a new key: the kernel gives none");
}

static const char *cpu_text(uint32_t features)
{
	if (!(features & SR_TA_FEATURE_CPU_RANDOM))
		return "no CPU instruction";
	return features & SR_TA_FEATURE_CPU_DELIVERS ? "the CPU's instruction"
						     : "a CPU instruction that gives nothing";
}

bool kms_entropy_text(const struct kms_info *info, char out[static KMS_ENTROPY_TEXT])
{
	const bool trusted = info->features & SR_TA_FEATURE_TEE_RANDOM_TRUSTED;

	snprintf(out, KMS_ENTROPY_TEXT,
		 "the TEE's generator (%s), %s, %d bytes of this host's kernel for each key",
		 trusted ? "vouched for by who built the TA" : "its seed is not known",
		 cpu_text(info->features), SR_TA_HOST_ENTROPY_SIZE);
	return trusted || (info->features & SR_TA_FEATURE_CPU_DELIVERS);
}
