/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands of the TA's test build (CFG_SR_TEST_HOOKS=y), for tests in a real TEE. That
 * build has a UUID of its own, so that it stands beside the production TA and is never
 * taken for it; the production TA answers NOT_SUPPORTED to all of these.
 * Parameters and framing are those of super_relay_ta.h.
 */
#ifndef SUPER_RELAY_TA_TEST_H
#define SUPER_RELAY_TA_TEST_H

/* 12345678-5b69-11d4-9fee-00c04f4c3457 */
#define SUPER_RELAY_TEST_TA_UUID \
	{ 0x12345678, 0x5b69, 0x11d4, { 0x9f, 0xee, 0x00, 0xc0, 0x4f, 0x4c, 0x34, 0x57 } }

/* in: version. The instance panics: TARGET_DEAD. */
#define SR_TA_TEST_CMD_PANIC 0x7e570000

/* in: version. The instance reads memory that is not mapped: TARGET_DEAD. */
#define SR_TA_TEST_CMD_ABORT 0x7e570001

/* in:  version · u8 count, 1 to 64
 * out: version · count bytes of TEE_GenerateRandom as they come */
#define SR_TA_TEST_CMD_RAW_RANDOM 0x7e570002

/* in:  version
 * out: version · u32 size of the stack · u32 most bytes of it in use since this was last
 *      asked (or since the instance began) */
#define SR_TA_TEST_CMD_STACK 0x7e570003

/* in:  version
 * out: version · u32 bytes of TA_DATA_SIZE · u32 size of the largest block that
 *      TEE_Malloc gives now */
#define SR_TA_TEST_CMD_HEAP 0x7e570004

/* in:  version
 * out: version · the 64 bytes that TEE_GenerateRandom gave when the instance began, before
 *      the TA had given the TEE's generator anything */
#define SR_TA_TEST_CMD_FIRST_RANDOM 0x7e570005

#endif
