/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers: the TEE's, and what stands for the CPU's. */
#include <sim_cpu_random.h>
#include <sodium.h>

#include "tee/sim/sim.h"
#include "tee/sim/sim_test.h"

void (*sim_random_hook)(void *out, size_t len);
bool (*sim_cpu_random_hook)(uint64_t *out);

void TEE_GenerateRandom(void *randomBuffer, size_t randomBufferLen)
{
	sim_api_call();
	if (sim_random_hook)
		sim_random_hook(randomBuffer, randomBufferLen);
	else
		randombytes_buf(randomBuffer, randomBufferLen);
}

bool sim_cpu_random_present(void)
{
	return sim_cpu_random_hook != NULL;
}

bool sim_cpu_random(uint64_t *out)
{
	return sim_cpu_random_hook && sim_cpu_random_hook(out);
}
