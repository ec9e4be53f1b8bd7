/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cpu_random.h"
#include "memory.h"

/* The CPU's generator may be busy for a while; one that is broken must not hold the
 * TA. */
#define TRIES 64

#if defined(CFG_SR_TA_RNDR)

#if defined(SR_TA_SIMULATED)

#include <sim_cpu_random.h>

static bool read_word(uint64_t *out)
{
	return sim_cpu_random(out);
}

bool ta_cpu_random_present(void)
{
	return sim_cpu_random_present();
}

#else

/* By their numbers: assemblers know the names for newer architectures only. Both set
 * the Z flag when they have nothing to give. */
static bool read_reseeded(uint64_t *out)
{
	uint32_t failed = 1;

	__asm__ volatile("mrs %0, s3_3_c2_c4_1\n\tcset %w1, eq"
			 : "=r"(*out), "=r"(failed)
			 :
			 : "cc");
	return !failed;
}

static bool read_plain(uint64_t *out)
{
	uint32_t failed = 1;

	__asm__ volatile("mrs %0, s3_3_c2_c4_0\n\tcset %w1, eq"
			 : "=r"(*out), "=r"(failed)
			 :
			 : "cc");
	return !failed;
}

/* RNDRRS reseeds the CPU's own generator first, and so fails sooner than RNDR. */
static bool read_word(uint64_t *out)
{
	return read_reseeded(out) || read_plain(out);
}

bool ta_cpu_random_present(void)
{
	return true;
}

#endif

static bool try_word(uint64_t *out)
{
	for (unsigned i = 0; i < TRIES; i++) {
		if (read_word(out))
			return true;
	}
	return false;
}

size_t ta_cpu_random(uint8_t *out, size_t len)
{
	size_t filled = 0;
	uint64_t word = 0;

	while (len - filled >= sizeof(word) && try_word(&word)) {
		memcpy(out + filled, &word, sizeof(word));
		filled += sizeof(word);
	}
	ta_wipe(&word, sizeof(word));
	return filled;
}

#else

bool ta_cpu_random_present(void)
{
	return false;
}

size_t ta_cpu_random(uint8_t *out, size_t len)
{
	(void)out;
	(void)len;
	return 0;
}

#endif
