/* SPDX-License-Identifier: Apache-2.0 */
/* Names of OP-TEE's attestation pseudo TA, which the simulator does not have: opening it
 * answers ITEM_NOT_FOUND. */
#ifndef PTA_ATTESTATION_H
#define PTA_ATTESTATION_H

#define PTA_ATTESTATION_UUID \
	{ 0x39800861, 0x182a, 0x4720, { 0x9b, 0x67, 0x2b, 0xcd, 0x62, 0x2b, 0xc0, 0xb5 } }

/* [in] memref 0: nonce. [out] memref 1: SHA-256 of the calling TA's read-only memory, then
 * the platform's signature over nonce and hash. */
#define PTA_ATTESTATION_HASH_TA_MEMORY 2

#endif
