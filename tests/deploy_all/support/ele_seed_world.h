/* SPDX-License-Identifier: Apache-2.0 */
/* What the layer's ele_seed.c asks of OP-TEE, for a test on the host: an enclave, a cache that
 * is not coherent with it, a clock. Every header that the file includes is this one. */
#ifndef ELE_SEED_WORLD_H
#define ELE_SEED_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define __aligned(size) __attribute__((aligned(size)))
#define EMSG(text) world_message(text)

typedef uint32_t TEE_Result;
typedef uint64_t paddr_t;

struct imx_mu_msg {
	struct {
		uint8_t version;
		uint8_t size;
		uint8_t command;
		uint8_t tag;
	} header;
	union {
		uint32_t u32[17];
		uint8_t u8[68];
	} data;
};

enum utee_cache_operation { TEE_CACHECLEAN, TEE_CACHEFLUSH, TEE_CACHEINVALIDATE };

TEE_Result imx_ele_call(struct imx_mu_msg *msg);
TEE_Result cache_operation(enum utee_cache_operation op, void *va, size_t len);
TEE_Result crypto_rng_init(const void *data, size_t len);
paddr_t virt_to_phys(void *va);
uint64_t timeout_init_us(uint32_t us);
bool timeout_elapsed(uint64_t expire);
void udelay(uint32_t us);
void memzero_explicit(void *s, size_t count);
void world_message(const char *text);
_Noreturn void panic(void);
void plat_rng_init(void);

#endif
