/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the sponsorship schemes share. The TA compiles it, too. */
#ifndef SR_ETH_SPONSORSHIP_PRIVATE_H
#define SR_ETH_SPONSORSHIP_PRIVATE_H

#include "eth/eth_core.h"

/*
 * abi.encode of static types is their words in a row: absorbed as they come,
 * so that the TA holds no copy of the encoding.
 */
void eth_absorb_u64(struct eth_keccak *k, uint64_t v);
void eth_absorb_address(struct eth_keccak *k, const struct eth_address *a);
/* One half of a packed pair, as the word of its own that v0.6 has. */
void eth_absorb_half(struct eth_keccak *k, const uint8_t half[static 16]);
/* validUntil or validAfter as packed encodings have it: 6 bytes. */
void eth_absorb_time(struct eth_keccak *k, uint64_t time);

bool eth_all_zero(const uint8_t *data, size_t len);

/* The schemes of other files; each says false for additions that are not of its form. */
bool eth_verifying_paymaster_v06_digest(const struct eth_sponsorship *s, uint8_t out[static 32]);
bool eth_singleton_digest(const struct eth_sponsorship *s, uint8_t out[static 32]);
void eth_paymaster_signer_digest(const struct eth_sponsorship *s, uint8_t out[static 32]);
void eth_parallel_paymaster_digest(const struct eth_sponsorship *s, uint8_t out[static 32]);

#endif
