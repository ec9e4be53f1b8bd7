/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the layer's ele_seed.c on the host, against an enclave that behaves as the argument says.
 * Prints what became of it: "panic: …", or "seeded: HEX" and what the buffers hold afterwards. */
#include <stdio.h>
#include <stdlib.h>

#include "ele_seed_world.h"
#include SEED_SOURCE

#define MEMORY_BASE 0x96000000u

static const char *enclave;
static uint64_t now;
static unsigned polls;
static unsigned draws;
static uint8_t memory[sizeof(seed)]; /* what the enclave sees behind the cache */

static bool is(const char *name)
{
	return !strcmp(enclave, name);
}

void world_message(const char *text)
{
	printf("message: %s\n", text);
}

void panic(void)
{
	printf("panic after %llu ms and %u draws\n", (unsigned long long)now / 1000, draws);
	exit(0);
}

paddr_t virt_to_phys(void *va)
{
	const size_t offset = (size_t)((uint8_t *)va - (uint8_t *)&seed);

	if (is("nowhere"))
		return 0;
	return (is("high") ? UINT32_MAX - 16 : MEMORY_BASE) + offset;
}

uint64_t timeout_init_us(uint32_t us)
{
	return now + us;
}

bool timeout_elapsed(uint64_t expire)
{
	return now >= expire;
}

void udelay(uint32_t us)
{
	now += us;
}

void memzero_explicit(void *s, size_t count)
{
	memset(s, 0, count);
}

TEE_Result cache_operation(enum utee_cache_operation op, void *va, size_t len)
{
	if (va != &seed || len != sizeof(seed))
		abort();
	if (op == TEE_CACHEINVALIDATE)
		memcpy(&seed, memory, sizeof(seed));
	else
		memcpy(memory, &seed, sizeof(seed));
	return 0;
}

static TEE_Result answer_state(struct imx_mu_msg *msg)
{
	const bool ready = !is("busy") && (!is("late") || polls >= 5);

	polls++;
	msg->data.u8[4] = ready ? 3 : 1;
	return is("mute") ? 1 : 0;
}

/* 32 bytes to an address: a count, so that the test knows them again. */
static TEE_Result answer_random(const struct imx_mu_msg *msg)
{
	const uint32_t offset = msg->data.u32[1] - MEMORY_BASE;
	size_t size = msg->data.u32[2];

	if (msg->data.u32[0] || offset > sizeof(memory) || size > sizeof(memory) - offset)
		abort();
	draws++;
	if (is("empty") || (is("hiccup") && draws == 2))
		return 1;
	if (is("silent") || (is("once") && draws == 2))
		return 0;
	if (is("short"))
		size -= sizeof(uint64_t);
	for (size_t i = 0; i < size; i++)
		memory[offset + i] = is("constant") ? 0x5a : (uint8_t)(draws * 32 + i);
	return 0;
}

TEE_Result imx_ele_call(struct imx_mu_msg *msg)
{
	const uint32_t head = (uint32_t)msg->header.tag << 24 |
			      (uint32_t)msg->header.command << 16 |
			      (uint32_t)msg->header.size << 8 | msg->header.version;

	if (head == 0x17a40106)
		return answer_state(msg);
	if (head == 0x17cd0407)
		return answer_random(msg);
	printf("unknown request %08x\n", head);
	exit(1);
}

TEE_Result crypto_rng_init(const void *data, size_t len)
{
	const uint8_t *bytes = data;

	printf("seeded: ");
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	printf("\n");
	return is("refused") ? 1 : 0;
}

static bool blank(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint8_t all = 0;

	for (size_t i = 0; i < len; i++)
		all |= bytes[i];
	return !all;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	enclave = argv[1];
	plat_rng_init();
	printf("buffer %s, memory %s\n", blank(&seed, sizeof(seed)) ? "wiped" : "left",
	       blank(memory, sizeof(memory)) ? "wiped" : "left");
	return 0;
}
