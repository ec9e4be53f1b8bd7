/* SPDX-License-Identifier: Apache-2.0 */
/* What the simulator has of OP-TEE's system pseudo TA, under OP-TEE's names. */
#ifndef PTA_SYSTEM_H
#define PTA_SYSTEM_H

#define PTA_SYSTEM_UUID \
	{ 0x3a2f8978, 0x5dc0, 0x11e8, { 0x9c, 0x2d, 0xfa, 0x7a, 0xe0, 0x1b, 0xbe, 0xbc } }

/* [in] memref 0: bytes for the random generator, of which it takes at most 32.
 * BAD_PARAMETERS: other parameter types, no bytes. */
#define PTA_SYSTEM_ADD_RNG_ENTROPY 0

#endif
