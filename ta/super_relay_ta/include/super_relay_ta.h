/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire between the normal world and the Trusted Application: the whole
 * public contract of the TA.
 *
 * Every command takes the same parameters:
 *   0  MEMREF_INPUT   the request
 *   1  MEMREF_OUTPUT  the response
 *   2  NONE
 *   3  NONE
 * A response buffer that is too small gives TEEC_ERROR_SHORT_BUFFER with the
 * size needed, and the command has then done nothing. With any other error the
 * response has size 0. Other parameter types give BAD_PARAMETERS, an unknown
 * command NOT_SUPPORTED, a request over SR_TA_REQUEST_MAX BAD_PARAMETERS.
 * Checks come in this order: types, command, request size, the request's form,
 * its values, response size, the key. (SIGN_MESSAGE looks for the key before the
 * form of what follows it, which the key's algorithm decides.)
 *
 * Requests and responses are sequences of fields without padding: integers
 * little-endian, byte strings of fixed length as they are, "short string" =
 * u8 length and that many bytes. Both begin with the u8 SR_TA_WIRE_VERSION.
 * A request must be used up exactly: bytes left over are TEEC_ERROR_BAD_FORMAT,
 * as is any other version.
 */
#ifndef SUPER_RELAY_TA_H
#define SUPER_RELAY_TA_H

/* 12345678-5b69-11d4-9fee-00c04f4c3456 */
#define SUPER_RELAY_TA_UUID \
	{ 0x12345678, 0x5b69, 0x11d4, { 0x9f, 0xee, 0x00, 0xc0, 0x4f, 0x4c, 0x34, 0x56 } }

#define SR_TA_WIRE_VERSION 2

#define SR_TA_VERSION_MAJOR 0
#define SR_TA_VERSION_MINOR 1
#define SR_TA_VERSION_PATCH 0

/* ---- limits ------------------------------------------------------------ */

#define SR_TA_KEY_ID_MAX 64	  /* 1 to 64 of [A-Za-z0-9._-] */
#define SR_TA_KEYS_MAX 64	  /* keys in one TA */
#define SR_TA_KEYS_UNKNOWN 0xffff /* GET_INFO: the storage could not be read */
#define SR_TA_BATCH_MAX 64	  /* items of one signing request */
#define SR_TA_MESSAGE_MAX 4096	  /* bytes of one Ed25519 message */
#define SR_TA_REQUEST_MAX 32768	  /* bytes of any request */
#define SR_TA_RESPONSE_MAX 16384  /* bytes of any response */

/* ---- key attributes ---------------------------------------------------- */

#define SR_TA_ALG_SECP256K1 1 /* ECDSA, recoverable, low s */
#define SR_TA_ALG_ED25519 2   /* RFC 8032, pure */

/* Usage, fixed at creation: exactly one. Both in one key would make it an oracle: it
 * would sign the digest of any sponsorship as bytes of the caller's choice. */
#define SR_TA_USAGE_SPONSOR (1u << 0) /* SIGN_SPONSORSHIP; secp256k1 only */
#define SR_TA_USAGE_DIGEST (1u << 1)  /* SIGN_MESSAGE: bytes of the caller's choice */
/* A mask, no usage. */
#define SR_TA_USAGE_ALL (SR_TA_USAGE_SPONSOR | SR_TA_USAGE_DIGEST)

#define SR_TA_ORIGIN_GENERATED 1      /* made inside, has never been outside */
#define SR_TA_ORIGIN_IMPORTED_PLAIN 2 /* was once known to the normal world: development only */

#define SR_TA_SECP256K1_PUBLIC_SIZE 65 /* 0x04 ‖ x ‖ y */
#define SR_TA_ED25519_PUBLIC_SIZE 32
#define SR_TA_PUBLIC_KEY_MAX 65
#define SR_TA_KEY_INFO_MAX (1 + SR_TA_KEY_ID_MAX + 1 + 1 + 4 + 8 + 1 + SR_TA_PUBLIC_KEY_MAX)
#define SR_TA_SECRET_SIZE 32		  /* secp256k1 scalar big-endian, or Ed25519 seed */
#define SR_TA_HOST_ENTROPY_SIZE 64	  /* random bytes of the normal world for a new key */
#define SR_TA_SECP256K1_SIGNATURE_SIZE 65 /* r ‖ s ‖ v, v = 27 or 28 */
#define SR_TA_ED25519_SIGNATURE_SIZE 64

/* ---- commands ---------------------------------------------------------- */

/*
 * "key info" below is: short string key id · u8 algorithm · u8 origin ·
 * u32 usage · u64 created · short string public key. created is what the request
 * that made the key said, by convention seconds since 1970: the TEE's own clock
 * starts anew at each boot. It is information; the TA decides nothing by it.
 *
 * Errors common to all commands with a key id: BAD_PARAMETERS (id empty, too
 * long, or a character outside the set), ITEM_NOT_FOUND, CORRUPT_OBJECT (the
 * stored key fails its checks, or has failed them since the TA began: it stays
 * so until DELETE_KEY names it), STORAGE_NOT_AVAILABLE. NOT_SUPPORTED: unknown algorithm or scheme.
 * SECURITY: a signature did not verify before it left, so it did not leave.
 */

/* in:  version · u8 algorithm · u32 usage · short string key id · u64 created
 *      · host entropy (64)
 * out: version · key info
 * Host entropy is what the normal world's random generator gives, drawn for this
 * request alone; zeros where it has none. It is hashed together with the TEE's random
 * numbers and the CPU's: it can make up for their weakness and cannot weaken them.
 * ACCESS_CONFLICT: the id exists; the key there is untouched.
 * CORRUPT_OBJECT: the id is a damaged key's; DELETE_KEY makes it free.
 * STORAGE_NO_SPACE: SR_TA_KEYS_MAX reached. */
#define SR_TA_CMD_GENERATE_KEY 0

/* in:  version · u8 algorithm · u32 usage · short string key id · u64 created
 *      · secret (32)
 * out: version · key info
 * Development builds of the TA only: others answer ACCESS_DENIED.
 * BAD_PARAMETERS: the secret is no valid key. As GENERATE_KEY otherwise. */
#define SR_TA_CMD_IMPORT_KEY 1

/* in:  version · short string key id · u8 count ·
 *      secp256k1: count × digest (32), count 1 to SR_TA_BATCH_MAX
 *      Ed25519:   count must be 1: u16 length · message, length 0 to SR_TA_MESSAGE_MAX
 * out: version · u8 count · count × signature (65 or 64)
 * ACCESS_DENIED: the key's usage lacks SR_TA_USAGE_DIGEST. */
#define SR_TA_CMD_SIGN_MESSAGE 2

/* in:  version · short string key id
 * out: version · key info */
#define SR_TA_CMD_GET_PUBLIC_KEY 3

/* in:  version · short string key id
 * out: version */
#define SR_TA_CMD_DELETE_KEY 4

/* in:  version · u8 scheme · short string key id · u8 count · count × sponsorship
 * out: version · u8 count · count × (u32 TEE result · digest (32) · signature (65))
 * The TA computes each digest from the fields. An item that is refused has its
 * own result and zeros for digest and signature; the others are signed.
 * ACCESS_DENIED for the whole: the key's usage lacks SR_TA_USAGE_SPONSOR.
 *
 * sponsorship, scheme VERIFYING_PAYMASTER_V07, SR_TA_SPONSORSHIP_SIZE bytes:
 *   u64 chain id · entry point (20) · paymaster (20) · sender (20) · nonce (32)
 *   · H(initCode) (32) · H(callData) (32) · accountGasLimits (32) ·
 *   paymasterAndData[20:52] (32) · preVerificationGas (32) · gasFees (32) ·
 *   u64 validUntil · u64 validAfter
 * The 32-byte fields are big-endian as the contract has them. An item is
 * refused with BAD_PARAMETERS when validUntil or validAfter needs over 48 bits,
 * when validUntil is 0 or not after validAfter, or when chain id, entry point
 * or paymaster is zero. */
#define SR_TA_CMD_SIGN_SPONSORSHIP 5
#define SR_TA_SCHEME_VERIFYING_PAYMASTER_V07 1
#define SR_TA_SPONSORSHIP_SIZE (8 + 3 * 20 + 7 * 32 + 2 * 8)
#define SR_TA_SPONSORSHIP_RESULT_SIZE (4 + 32 + 65)

/* in:  version · short string after (empty: from the start)
 * out: version · u8 more · u8 count · count × key info
 * Keys in byte order of their ids, those after the given one, as many as fit
 * the response buffer; more is 1 when others follow. A damaged key is listed
 * with algorithm 0, origin 0, usage 0 and an empty public key; all those whose
 * very ids cannot be read stand in the list as one, under the id "?" (which
 * "after" may be, too). The least response buffer is SR_TA_LIST_RESPONSE_MIN. */
#define SR_TA_CMD_LIST_KEYS 6
#define SR_TA_LIST_RESPONSE_MIN (3 + SR_TA_KEY_INFO_MAX)

/* in:  version
 * out: version · u8 major · u8 minor · u8 patch · u32 features ·
 *      u32 anti-rollback protection level (gpd.tee.trustedStorage.
 *      antiRollback.protectionLevel: 0, 100 or 1000) · u16 keys (or SR_TA_KEYS_UNKNOWN) ·
 *      u16 keys max · u8 batch max · short string implementation
 * Asks the storage nothing: keys is what was counted when the TA began or last
 * listed its keys, with those made and deleted since. */
#define SR_TA_CMD_GET_INFO 7

/* Features. Those of entropy say what the numbers behind keys and signatures are made
 * of, beside the TEE's own generator, which is always asked. */
#define SR_TA_FEATURE_DEV_IMPORT (1u << 0)   /* plaintext IMPORT_KEY is compiled in */
#define SR_TA_FEATURE_CPU_RANDOM (1u << 1)   /* the CPU's random instruction is compiled in */
#define SR_TA_FEATURE_CPU_DELIVERS (1u << 2) /* and gave all it was last asked for */
/* Who built the TA vouches for the TEE's generator: hardware, or seeded by hardware.
 * A TA cannot find out. Without it the seed may be no more than the time of boot. */
#define SR_TA_FEATURE_TEE_RANDOM_TRUSTED (1u << 3)
#define SR_TA_FEATURE_HOST_RANDOM (1u << 4) /* the last key made got host entropy, not zeros */
#define SR_TA_FEATURE_TEE_STIRRED (1u << 5) /* the TEE took random bytes into its generator */

#endif
