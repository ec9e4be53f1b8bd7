/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cpu_random.h"
#include "entropy.h"
#include "eth/eth_core.h"
#include "memory.h"
#include "tee_generator.h"

/* Each with its NUL: no label is another's beginning. */
static const char label_pool[] = "super-relay pool 1";
static const char label_out[] = "super-relay out 1";
static const char label_step[] = "super-relay step 1";

enum { FIELD_POOL = 1, FIELD_TEE, FIELD_CPU, FIELD_HOST };

static uint8_t pool[TA_ENTROPY_SIZE];
static uint64_t outputs;
static bool cpu_delivered;
static bool host_gave;
static bool stirred;

/* Length and name in front: no two lists of fields hash alike. */
static void put_field(struct eth_keccak *k, uint8_t id, const uint8_t *bytes, size_t len)
{
	const uint8_t head[3] = { id, (uint8_t)len, (uint8_t)(len >> 8) };

	eth_keccak_update(k, head, sizeof(head));
	if (len)
		eth_keccak_update(k, bytes, len);
}

/* A broken generator likes to say the same word for ever. That is mixed in, where it does
 * no harm, and not counted. */
static bool varies(const uint8_t *bytes, size_t len)
{
	return !ta_equal_ct(bytes, bytes + sizeof(uint64_t), len - sizeof(uint64_t));
}

/* host_len is 0, or SR_TA_HOST_ENTROPY_SIZE. */
static void mix(const uint8_t *host, size_t host_len)
{
	struct eth_keccak k = { 0 };
	uint8_t tee[TA_ENTROPY_SIZE] = { 0 };
	uint8_t cpu[TA_ENTROPY_SIZE] = { 0 };
	const size_t cpu_len = ta_cpu_random(cpu, sizeof(cpu));

	TEE_GenerateRandom(tee, sizeof(tee));
	eth_keccak_init(&k);
	eth_keccak_update(&k, label_pool, sizeof(label_pool));
	put_field(&k, FIELD_POOL, pool, sizeof(pool));
	put_field(&k, FIELD_TEE, tee, sizeof(tee));
	put_field(&k, FIELD_CPU, cpu, cpu_len);
	put_field(&k, FIELD_HOST, host, host_len);
	eth_keccak_final(&k, pool);
	cpu_delivered = cpu_len == sizeof(cpu) && varies(cpu, sizeof(cpu));
	ta_wipe(tee, sizeof(tee));
	ta_wipe(cpu, sizeof(cpu));
}

void ta_entropy_open(void)
{
	mix(NULL, 0);
}

void ta_entropy_reset(void)
{
	ta_wipe(pool, sizeof(pool));
	outputs = 0;
	cpu_delivered = false;
	host_gave = false;
	stirred = false;
}

void ta_entropy_refresh(void)
{
	mix(NULL, 0);
}

void ta_entropy_begin_key(const uint8_t host[static SR_TA_HOST_ENTROPY_SIZE])
{
	static const uint8_t none[SR_TA_HOST_ENTROPY_SIZE];

	mix(host, SR_TA_HOST_ENTROPY_SIZE);
	host_gave = !ta_equal_ct(host, none, sizeof(none));
	stirred = ta_tee_generator_stir();
}

void ta_entropy_before_change(void)
{
	/* Its own numbers would tell the generator nothing new. */
	if (cpu_delivered && !stirred)
		stirred = ta_tee_generator_stir();
}

void ta_entropy_end_key(void)
{
	struct eth_keccak k = { 0 };

	eth_keccak_init(&k);
	eth_keccak_update(&k, label_step, sizeof(label_step));
	eth_keccak_update(&k, pool, sizeof(pool));
	eth_keccak_final(&k, pool);
}

void ta_entropy_next(uint8_t out[static TA_ENTROPY_SIZE])
{
	struct eth_keccak k = { 0 };
	uint8_t number[8] = { 0 };

	for (size_t i = 0; i < sizeof(number); i++)
		number[i] = (uint8_t)(outputs >> (8 * i));
	outputs++;
	eth_keccak_init(&k);
	eth_keccak_update(&k, label_out, sizeof(label_out));
	eth_keccak_update(&k, pool, sizeof(pool));
	eth_keccak_update(&k, number, sizeof(number));
	eth_keccak_final(&k, out);
}

uint32_t ta_entropy_features(void)
{
	uint32_t features = 0;

	if (ta_cpu_random_present())
		features |= SR_TA_FEATURE_CPU_RANDOM;
	if (cpu_delivered)
		features |= SR_TA_FEATURE_CPU_DELIVERS;
	if (host_gave)
		features |= SR_TA_FEATURE_HOST_RANDOM;
	if (stirred)
		features |= SR_TA_FEATURE_TEE_STIRRED;
#ifdef CFG_SR_TA_TEE_RANDOM_TRUSTED
	features |= SR_TA_FEATURE_TEE_RANDOM_TRUSTED;
#endif
	return features;
}
