/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of eth that both worlds compile: the daemon, and the TA with
 * nothing but freestanding headers and <string.h>. No allocation, no failure
 * but what a return value says.
 */
#ifndef SR_ETH_CORE_H
#define SR_ETH_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Keccak-256 (keccak.c) --------------------------------------------- */

struct eth_keccak {
	uint64_t state[25];
	uint32_t used; /* bytes absorbed into the current block */
};

void eth_keccak_init(struct eth_keccak *k);
void eth_keccak_update(struct eth_keccak *k, const void *data, size_t len);
void eth_keccak_final(struct eth_keccak *k, uint8_t out[static 32]); /* wipes the state */
void eth_keccak256(const void *data, size_t len, uint8_t out[static 32]);

/* ---- 256-bit unsigned integers (u256.c) -------------------------------- */

/* Limbs from the least significant. */
struct eth_u256 {
	uint64_t limb[4];
};

struct eth_address {
	uint8_t bytes[20];
};

struct eth_u256 eth_u256_from_u64(uint64_t v);
struct eth_u256 eth_u256_from_be(const uint8_t be[static 32]);
void eth_u256_to_be(const struct eth_u256 *v, uint8_t out[static 32]);
/* False when v does not fit; *out is then unspecified. */
bool eth_u256_to_u64(const struct eth_u256 *v, uint64_t *out) __attribute__((warn_unused_result));

int eth_u256_cmp(const struct eth_u256 *a, const struct eth_u256 *b); /* <0, 0, >0 */
bool eth_u256_is_zero(const struct eth_u256 *v);
unsigned eth_u256_bits(const struct eth_u256 *v); /* 0 for zero, else index of top bit + 1 */

/* Each says false when the true result does not fit (or b is 0 for div);
 * add, sub and mul then leave the result modulo 2^256 in *out. out may be a or b. */
bool eth_u256_add(const struct eth_u256 *a, const struct eth_u256 *b, struct eth_u256 *out)
	__attribute__((warn_unused_result));
bool eth_u256_sub(const struct eth_u256 *a, const struct eth_u256 *b, struct eth_u256 *out)
	__attribute__((warn_unused_result));
bool eth_u256_mul(const struct eth_u256 *a, const struct eth_u256 *b, struct eth_u256 *out)
	__attribute__((warn_unused_result));
bool eth_u256_div(const struct eth_u256 *a, const struct eth_u256 *b, struct eth_u256 *quotient,
		  struct eth_u256 *remainder) __attribute__((warn_unused_result));

/* ---- ABI words (abi.c), Solidity contract ABI -------------------------- */

/* One 32-byte word each, written to out. */
void eth_abi_u64(uint8_t out[static 32], uint64_t v);
void eth_abi_u256(uint8_t out[static 32], const struct eth_u256 *v);
void eth_abi_address(uint8_t out[static 32], const struct eth_address *a);

/* The length of n bytes padded to whole words. */
size_t eth_abi_padded(size_t n);

/* ---- EIP-191 (sponsorship.c) ------------------------------------------- */

/* keccak("\x19Ethereum Signed Message:\n32" ‖ hash): the personal message of a 32-byte hash. */
void eth_personal_digest(const uint8_t hash[static 32], uint8_t out[static 32]);

/* ---- what a paymaster signs (sponsorship.c) ---------------------------- */

/*
 * The fields behind a VerifyingPaymaster v0.7 signature. entry_point is not
 * part of the digest; a policy needs it.
 */
struct eth_sponsorship {
	uint64_t chain_id;
	struct eth_address entry_point;
	struct eth_address paymaster;
	struct eth_address sender;
	uint8_t nonce[32];
	uint8_t init_code_hash[32];
	uint8_t call_data_hash[32];
	uint8_t account_gas_limits[32];	  /* verificationGasLimit ‖ callGasLimit */
	uint8_t paymaster_gas_limits[32]; /* paymasterAndData[20:52] */
	uint8_t pre_verification_gas[32];
	uint8_t gas_fees[32]; /* maxPriorityFeePerGas ‖ maxFeePerGas */
	uint64_t valid_until; /* 48 bits, unix seconds; 0 means for ever */
	uint64_t valid_after; /* 48 bits */
};

/*
 * VerifyingPaymaster v0.7: keccak(abi.encode(sender, nonce, H(initCode),
 * H(callData), accountGasLimits, uint256(paymasterAndData[20:52]),
 * preVerificationGas, gasFees, chainid, paymaster, validUntil, validAfter)),
 * as a personal message.
 */
void eth_verifying_paymaster_v07_digest(const struct eth_sponsorship *s, uint8_t out[static 32]);

#endif
