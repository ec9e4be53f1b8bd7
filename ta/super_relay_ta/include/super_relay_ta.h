/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire between the normal world and the Trusted Application: the whole
 * public contract of the TA. docs/ta-protocol.md has it byte for byte, with examples.
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
 * Checks come in this order: types, command, request size, the framing, the caller,
 * the request's form, its values, response size, the state of the TA, the key.
 * (SIGN_MESSAGE looks for the key before the form of what follows it, which the key decides.)
 *
 * Requests and responses are sequences of fields without padding: integers
 * little-endian, byte strings of fixed length as they are, "short string" =
 * u8 length and that many bytes, "long string" = u16 length and that many bytes.
 *
 *   request  = u8 SR_TA_WIRE_VERSION · u64 audited · what the command takes ("in" below)
 *   response = u8 SR_TA_WIRE_VERSION · what the command gives ("out") · u16 count ·
 *              count × short string audit record
 *
 * audited is the sequence number of the last audit record that the host's log holds (0: none
 * yet), or SR_TA_NO_LOG where the host keeps no log. The response brings the records
 * after it, as many as fit; the TA keeps them until a later request's audited covers
 * them. A request must be used up exactly: bytes left over are TEEC_ERROR_BAD_FORMAT,
 * as is any other version.
 */
#ifndef SUPER_RELAY_TA_H
#define SUPER_RELAY_TA_H

/* 12345678-5b69-11d4-9fee-00c04f4c3456 */
#define SUPER_RELAY_TA_UUID \
	{ 0x12345678, 0x5b69, 0x11d4, { 0x9f, 0xee, 0x00, 0xc0, 0x4f, 0x4c, 0x34, 0x56 } }

#define SR_TA_WIRE_VERSION 3

#define SR_TA_VERSION_MAJOR 0
#define SR_TA_VERSION_MINOR 2
#define SR_TA_VERSION_PATCH 0

#define SR_TA_NO_LOG UINT64_MAX

/* ---- limits ------------------------------------------------------------ */

#define SR_TA_KEY_ID_MAX 64	  /* 1 to 64 of [A-Za-z0-9._-] */
#define SR_TA_KEYS_MAX 64	  /* keys in one TA */
#define SR_TA_KEYS_UNKNOWN 0xffff /* GET_INFO: the storage could not be read */
#define SR_TA_BATCH_MAX 64	  /* items of one signing request */
#define SR_TA_MESSAGE_MAX 4096	  /* bytes of one Ed25519 message */
#define SR_TA_REQUEST_MAX 65536	  /* bytes of any request */
#define SR_TA_RESPONSE_MAX 32768  /* bytes of any response */
#define SR_TA_GROUPS_MAX 8	  /* groups of callers */
#define SR_TA_LEDGERS_MAX 256	  /* public keys that a policy was ever set for */

/* ---- key attributes ---------------------------------------------------- */

#define SR_TA_ALG_SECP256K1 1 /* ECDSA, recoverable, low s */
#define SR_TA_ALG_ED25519 2   /* RFC 8032, pure */

/* Usage, fixed at creation: exactly one. Two in one key would make it an oracle: it
 * would sign the digest of any sponsorship as bytes of the caller's choice. */
#define SR_TA_USAGE_SPONSOR (1u << 0)	  /* SIGN_SPONSORSHIP; secp256k1 only */
#define SR_TA_USAGE_DIGEST (1u << 1)	  /* SIGN_MESSAGE: bytes of the caller's choice */
#define SR_TA_USAGE_TRANSACTION (1u << 2) /* SIGN_TRANSACTION; secp256k1 only */
/* A mask, no usage. */
#define SR_TA_USAGE_ALL (SR_TA_USAGE_SPONSOR | SR_TA_USAGE_DIGEST | SR_TA_USAGE_TRANSACTION)

#define SR_TA_ORIGIN_GENERATED 1	/* made inside, has never been outside in the clear */
#define SR_TA_ORIGIN_IMPORTED_PLAIN 2	/* was once known to the normal world: development only */
#define SR_TA_ORIGIN_IMPORTED_WRAPPED 3 /* came in an envelope: who sealed it may know it */

#define SR_TA_SECP256K1_PUBLIC_SIZE 65 /* 0x04 ‖ x ‖ y */
#define SR_TA_ED25519_PUBLIC_SIZE 32
#define SR_TA_X25519_PUBLIC_SIZE 32
#define SR_TA_PUBLIC_KEY_MAX 65
#define SR_TA_KEY_INFO_MAX (1 + SR_TA_KEY_ID_MAX + 1 + 1 + 4 + 8 + 1 + SR_TA_PUBLIC_KEY_MAX + 4)
#define SR_TA_SECRET_SIZE 32		  /* secp256k1 scalar big-endian, or Ed25519 seed */
#define SR_TA_HOST_ENTROPY_SIZE 64	  /* random bytes of the normal world for a new key */
#define SR_TA_SECP256K1_SIGNATURE_SIZE 65 /* r ‖ s ‖ v, v = 27 or 28 */
#define SR_TA_ED25519_SIGNATURE_SIZE 64
#define SR_TA_OPERATOR_SIGNATURE_SIZE 64 /* Ed25519 */

/* ---- the operator's statements ------------------------------------------- */

/*
 * What the operator's Ed25519 key signs: the statement's name as below, without a NUL, then the
 * TA's UUID as RFC 4122 writes it (16 octets), then the fields given at the command.
 */
#define SR_TA_STATEMENT_PROVISION "SuperRelay provision 1"
#define SR_TA_STATEMENT_POLICY "SuperRelay policy 1"
#define SR_TA_STATEMENT_EXPORT "SuperRelay export 1"
#define SR_TA_STATEMENT_BEGIN "SuperRelay begin 1"

/* ---- policy --------------------------------------------------------------- */

/*
 * What a key may sign; at most SR_TA_POLICY_MAX bytes:
 *   u8 1 · u32 flags (SR_TA_POLICY_*)
 *   · u8 count, at most 8 · count × u64 chain id
 *   · u8 count, at most 8 · count × EntryPoint (20)
 *   · u8 count, at most 8 · count × paymaster (20)         SPONSOR: who is paid from
 *   · u8 count, at most 8 · count × beneficiary (20)       TRANSACTION: who may be refunded,
 *                                                          beside the key's own address
 *   · u32 longest validity, seconds                        SPONSOR: validUntil - validAfter
 *   · u64 most gas · max maxFeePerGas (16)                 TRANSACTION: of one transaction
 *   · most cost of one operation, wei (16)
 *   · u32 window, seconds, at most SR_TA_WINDOW_MAX        0: no rolling limit
 *   · budget of a window, wei (16) · u32 operations of a window
 * 16-byte numbers are big-endian and unsigned. An empty list allows nothing. A limit
 * of 0 allows 0; there is no value for "unlimited" but the largest. With window 0,
 * budget and operations must be 0, too.
 *
 * An operation costs what its EntryPoint may take of the deposit: the sum of its gas limits
 * (v0.6: verificationGasLimit three times) times maxFeePerGas. A transaction costs
 * gas times maxFeePerGas. In no span of the window's length are more than
 * budget and operations signed; what was signed is counted for up to a sixteenth longer.
 */
#define SR_TA_POLICY_VERSION 1
#define SR_TA_POLICY_LIST_MAX 8
#define SR_TA_POLICY_MAX (1 + 4 + 1 + 8 * 8 + 3 * (1 + 8 * 20) + 4 + 8 + 16 + 16 + 4 + 16 + 4)
#define SR_TA_WINDOW_MAX (366u * 86400u)
/* Signs only for hosts that keep the log: audited is not SR_TA_NO_LOG, and the TA has
 * room for the records to come (EXCESS_DATA otherwise). */
#define SR_TA_POLICY_FORCE_AUDIT (1u << 0)

/* ---- audit ------------------------------------------------------------------ */

/*
 * An audit record, at most SR_TA_RECORD_MAX bytes:
 *   u8 1 · u64 sequence number, from 1 · u64 generation · u64 time · u8 command ·
 *   u32 decision (the TEE result) · u32 policy version · value (16) · digest (32) ·
 *   short string key id
 * head(n) = SHA-256(head(n-1) ‖ record n), and
 * head(0) = SHA-256(SR_TA_AUDIT_GENESIS, without a NUL, ‖ audit public key (65)).
 * time: milliseconds of the TEE's system time, which begins anew at boot. generation: how often
 * the TA's storage has changed. policy version: the key's, 0 without a policy.
 *
 * value and digest, by command:
 *   SIGN_SPONSORSHIP, SIGN_TRANSACTION   cost in wei, big-endian; what was (to be) signed
 *   SIGN_MESSAGE                         0; the digest, or SHA-256 of the Ed25519 message
 *   GENERATE_KEY, IMPORT_KEY,
 *   IMPORT_WRAPPED, ROTATE_KEY,
 *   DELETE_KEY                           0; SHA-256 of the public key (zeros: there is none)
 *   SET_POLICY                           policy version, big-endian; SHA-256 of the policy
 *   PROVISION                            0; SHA-256 of the statement signed
 *   EXPORT_WRAPPED                       0; SHA-256 of the recipient's public key
 *   BEGIN                                u64 host's unix time · u64 number of the last record
 *                                        that the TA knows to be durable, both big-endian;
 *                                        the head at that record. Its policy version is 1
 *                                        where the operator overrode, else 0
 *
 * BEGIN's record continues the log where the host says that it ends, and its sequence number
 * may lie further ahead: numbers are written off in storage before they are used, and what a
 * crash leaves of them is not used again. All other records follow without a gap.
 */
#define SR_TA_RECORD_VERSION 1
#define SR_TA_RECORD_MAX (1 + 8 + 8 + 8 + 1 + 4 + 4 + 16 + 32 + 1 + SR_TA_KEY_ID_MAX)
#define SR_TA_AUDIT_GENESIS "SuperRelay audit 1"
#define SR_TA_HEAD_SIZE 32
#define SR_TA_RING_MAX 256 /* records that the TA keeps for a host that has not taken them */

/*
 * A checkpoint, SR_TA_CHECKPOINT_SIZE bytes, signed by the audit key (secp256k1, r ‖ s ‖ v over
 * its SHA-256):
 *   SR_TA_CHECKPOINT_MAGIC (4) · u8 1 · TA UUID (16) · u64 sequence number · u64 generation ·
 *   u64 time · head (32)
 */
#define SR_TA_CHECKPOINT_MAGIC "SRAC"
#define SR_TA_CHECKPOINT_SIZE (4 + 1 + 16 + 8 + 8 + 8 + 32)

/* ---- commands ---------------------------------------------------------- */

/*
 * "key info" below is: short string key id · u8 algorithm · u8 origin ·
 * u32 usage · u64 created · short string public key · u32 policy version (0: none).
 * created is what the request that made the key said, by convention seconds since 1970:
 * the TEE's own clock starts anew at each boot. It is information; the TA decides nothing by it.
 *
 * Errors common to all commands with a key id: BAD_PARAMETERS (id empty, too
 * long, or a character outside the set), ITEM_NOT_FOUND, CORRUPT_OBJECT (the
 * stored key fails its checks, or has failed them since the TA began: it stays
 * so until DELETE_KEY names it), STORAGE_NOT_AVAILABLE. NOT_SUPPORTED: unknown algorithm or scheme.
 * SECURITY: a signature did not verify before it left, so it did not leave; or a statement
 * is not the operator's.
 *
 * ACCESS_DENIED to all commands but GET_INFO: the caller's login is not on the
 * list that PROVISION fixed; or the TA is not provisioned, and is no development build, and
 * the command is neither PROVISION, BEGIN, ATTEST nor AUDIT_READ.
 * BAD_STATE to all commands that append to the audit chain: audited is not SR_TA_NO_LOG, and
 * BEGIN has not been called since this instance began.
 * CORRUPT_OBJECT to the same: the TA's own state in storage is damaged, or gone while keys are
 * there. EXCESS_DATA to the same: a policy or the provisioning forces the audit, and the records of
 * this command do not fit beside those that the host has not taken.
 */

/* in:  u8 algorithm · u32 usage · short string key id · u64 created
 *      · host entropy (64)
 * out: key info
 * Host entropy is what the normal world's random generator gives, drawn for this
 * request alone; zeros where it has none. It is hashed together with the TEE's random
 * numbers and the CPU's: it can make up for their weakness and cannot weaken them.
 * ACCESS_CONFLICT: the id exists; the key there is untouched.
 * CORRUPT_OBJECT: the id is a damaged key's; DELETE_KEY makes it free.
 * STORAGE_NO_SPACE: SR_TA_KEYS_MAX reached. */
#define SR_TA_CMD_GENERATE_KEY 0

/* in:  u8 algorithm · u32 usage · short string key id · u64 created
 *      · secret (32)
 * out: key info
 * Development builds of the TA only, and only where it is not provisioned or was
 * provisioned for development: others answer ACCESS_DENIED.
 * BAD_PARAMETERS: the secret is no valid key. As GENERATE_KEY otherwise. */
#define SR_TA_CMD_IMPORT_KEY 1

/* in:  short string key id · u8 count ·
 *      secp256k1: count × digest (32), count 1 to SR_TA_BATCH_MAX
 *      Ed25519:   count must be 1: u16 length · message, length 0 to SR_TA_MESSAGE_MAX
 * out: u8 count · count × signature (65 or 64)
 * ACCESS_DENIED: the key's usage lacks SR_TA_USAGE_DIGEST, or its policy's operations
 * of the window are used up. A key of this usage needs no policy. */
#define SR_TA_CMD_SIGN_MESSAGE 2

/* in:  short string key id
 * out: key info */
#define SR_TA_CMD_GET_PUBLIC_KEY 3

/* in:  short string key id
 * out: nothing
 * What the key has spent stays known: the same key in an envelope goes on from there. */
#define SR_TA_CMD_DELETE_KEY 4

/* in:  u8 scheme · short string key id · u8 count · count × sponsorship
 * out: u8 count · count × (u32 TEE result · digest (32) · signature (65))
 * The TA computes each digest from the fields. An item that is refused has its
 * own result and zeros for signature, and for digest where none was computed; the others are
 * signed. ACCESS_DENIED for the whole: the key's usage lacks SR_TA_USAGE_SPONSOR, or the TA is
 * provisioned and the key has no policy.
 *
 * A sponsorship is the common part, SR_TA_SPONSORSHIP_SIZE bytes, and what the
 * scheme adds:
 *   u64 chain id · entry point (20) · paymaster (20) · sender (20) · nonce (32)
 *   · H(initCode) (32) · H(callData) (32) · accountGasLimits (32) ·
 *   paymasterAndData[20:52] (32) · preVerificationGas (32) · gasFees (32) ·
 *   u64 validUntil · u64 validAfter
 * The 32-byte fields are big-endian as the v0.7 contract has them; for operations of v0.6 too:
 * accountGasLimits = verificationGasLimit(16) ‖ callGasLimit(16), gasFees =
 * maxPriorityFeePerGas(16) ‖ maxFeePerGas(16), paymasterAndData[20:52] zeros.
 *   VERIFYING_PAYMASTER_V07  nothing
 *   VERIFYING_PAYMASTER_V06  senderNonce (32) · long string initCode · long string callData;
 *                            the two hashes of the common part are zeros
 *   SINGLETON_V6             short string data
 *   SINGLETON_V7             short string data
 *   SINGLETON_V8             H(initCode) with the EIP-7702 delegate in the marker's place (32;
 * zeros without EIP-7702) · short string data OPENZEPPELIN             H(EIP-712 domain name) (32)
 * · H(domain version) (32) PARALLEL_V09             nothing; H(initCode) as in v0.9's userOpHash
 * data is paymasterData up to the signature: mode and flags byte · validUntil (6) ·
 * validAfter (6) and, in the ERC-20 mode, what the contract has there. Its times must be the
 * common part's.
 *
 * An item is refused with BAD_PARAMETERS when validUntil or validAfter needs over 47 bits
 * (bit 47 makes block numbers of them to EntryPoint v0.9 and OpenZeppelin), when validUntil is 0
 * or not after validAfter, when chain id, entry point or paymaster is zero, or when what the
 * scheme adds is not of its form. With ACCESS_DENIED by the key's policy: chain, EntryPoint,
 * paymaster, validity, cost; with OVERFLOW when its budget or operations of the window are used
 * up. */
#define SR_TA_CMD_SIGN_SPONSORSHIP 5
#define SR_TA_SCHEME_VERIFYING_PAYMASTER_V07 1
#define SR_TA_SCHEME_VERIFYING_PAYMASTER_V06 2
#define SR_TA_SCHEME_SINGLETON_V6 3
#define SR_TA_SCHEME_SINGLETON_V7 4
#define SR_TA_SCHEME_SINGLETON_V8 5
#define SR_TA_SCHEME_OPENZEPPELIN 6
#define SR_TA_SCHEME_PARALLEL_V09 7
#define SR_TA_SPONSORSHIP_SIZE (8 + 3 * 20 + 7 * 32 + 2 * 8)
#define SR_TA_SPONSORSHIP_RESULT_SIZE (4 + 32 + 65)

/* in:  short string after (empty: from the start)
 * out: u8 more · u8 count · count × key info
 * Keys in byte order of their ids, those after the given one, as many as fit
 * the response buffer; more is 1 when others follow. A damaged key is listed
 * with algorithm 0, origin 0, usage 0 and an empty public key; all those whose
 * very ids cannot be read stand in the list as one, under the id "?" (which
 * "after" may be, too). The least response buffer is SR_TA_LIST_RESPONSE_MIN. */
#define SR_TA_CMD_LIST_KEYS 6
#define SR_TA_LIST_RESPONSE_MIN (3 + SR_TA_KEY_INFO_MAX + 2)

/* in:  nothing
 * out: u8 major · u8 minor · u8 patch · u32 features ·
 *      u32 anti-rollback protection level (gpd.tee.trustedStorage.
 *      antiRollback.protectionLevel: 0, 100 or 1000) · u32 protection level of the system time
 *      (gpd.tee.systemTime.protectionLevel: 100, the normal world may set it, or 1000) ·
 *      u16 keys (or SR_TA_KEYS_UNKNOWN) ·
 *      u16 keys max · u8 batch max · short string implementation
 * Asks the storage nothing: keys is what was counted when the TA began or last
 * listed its keys, with those made and deleted since. Anybody may ask: audited is not looked at,
 * and no records come with the answer. */
#define SR_TA_CMD_GET_INFO 7

/* Features. Those of entropy say what the numbers behind keys and signatures are made
 * of, beside the TEE's own generator, which is always asked. */
#define SR_TA_FEATURE_DEV_IMPORT (1u << 0)   /* a development build: plaintext IMPORT_KEY, PUBLIC */
#define SR_TA_FEATURE_CPU_RANDOM (1u << 1)   /* the CPU's random instruction is compiled in */
#define SR_TA_FEATURE_CPU_DELIVERS (1u << 2) /* and gave all it was last asked for */
/* Who built the TA vouches for the TEE's generator: hardware, or seeded by hardware.
 * A TA cannot find out. Without it the seed may be no more than the time of boot. */
#define SR_TA_FEATURE_TEE_RANDOM_TRUSTED (1u << 3)
#define SR_TA_FEATURE_HOST_RANDOM (1u << 4) /* the last key made got host entropy, not zeros */
#define SR_TA_FEATURE_TEE_STIRRED (1u << 5) /* the TEE took random bytes into its generator */
#define SR_TA_FEATURE_PROVISIONED (1u << 6) /* as far as the storage has been asked already */
#define SR_TA_FEATURE_DEVELOPMENT (1u << 7) /* provisioned for development */

/* in:  u64 host's unix time · host entropy (64) · u64 tail's sequence number (0: empty log)
 *      · u64 tail's generation · tail's head (32) · u8 override (0 or 1) ·
 *      override 1: signature (64)
 * out: audit public key (65) · u64 generation · u64 sequence number · head (32) ·
 *      u8 begun anew
 *
 * Binds the host's log to the TA's chain. The first of an instance makes the TA's own keys where
 * there are none (and no keys of the host's), appends a BEGIN record behind the log's tail, and
 * compares: SECURITY when the tail is newer than the TA's storage knows (an older copy of the
 * storage was put back), or older than what the TA knows to be durable (the log was cut or put
 * back), or has another head at the same number. An empty log counts as older only where the
 * provisioning forces the audit; it is continued from head(0).
 *
 * Later ones compare the tail with the instance's chain as far as it is known, and append nothing;
 * but where the chain began without a log, or for one that is gone, and the audit is not forced,
 * they begin anew.
 *
 * Override, with the operator's signature, goes on all the same. Its statement:
 * u64 TA's generation · u64 TA's next sequence number · tail's three fields ·
 * audit public key (65). AUDIT_READ gives the first two also when BEGIN has answered SECURITY.
 *
 * With audited SR_TA_NO_LOG the tail must be zeros; where no BEGIN came, the first command that
 * appends does as much by itself, unless the provisioning forces the audit. */
#define SR_TA_CMD_BEGIN 8

/* in:  nothing
 * out: audit public key (65; zeros before the first BEGIN) · u64 generation ·
 *      u64 sequence number of the last record, as stored and as far as it may have been used ·
 *      u64 next sequence number · head (32) · u8 begun
 * The records themselves are in the response's end, as with every command. */
#define SR_TA_CMD_AUDIT_READ 9

/* in:  u8 store (1: the chain's head goes to storage, and unused numbers are given back)
 * out: checkpoint (SR_TA_CHECKPOINT_SIZE) · signature (65)
 * With this command, and with BEGIN's tail, the host says that its log up to audited is
 * durable: from then on a log that ends before it is an old one, and the TA stores that before
 * it signs.
 * EXCESS_DATA: audited is not the chain's last record (and not SR_TA_NO_LOG). */
#define SR_TA_CMD_CHECKPOINT 10

/* in:  operator's Ed25519 public key (32) · u32 flags · u8 count, at most SR_TA_GROUPS_MAX ·
 *      count × group (16) · signature (64)
 * out: nothing
 * Once: ACCESS_CONFLICT afterwards. Statement: operator's public key · flags · count · groups.
 * A group is the UUID (octets) that the kernel gives callers with TEEC_LOGIN_GROUP. No group:
 * nobody but PUBLIC callers where flags allow them; BAD_PARAMETERS where they do not.
 * BAD_PARAMETERS: the key is no point of the curve, or of small order; an unknown flag,
 * SR_TA_PROVISION_DEVELOPMENT in a build that is none. */
#define SR_TA_CMD_PROVISION 11
#define SR_TA_PROVISION_DEVELOPMENT (1u << 0) /* PUBLIC, plaintext import: development builds */
#define SR_TA_PROVISION_FORCE_AUDIT (1u << 1) /* as the policy's, for every key and command */

/* in:  short string key id · u32 version, above the key's present one · long string policy ·
 *      signature (64)
 * out: key info
 * Statement: short string key id · SHA-256 of the key's public key (32) · u32 version · policy.
 * SECURITY: not the operator's signature. ACCESS_CONFLICT: version is not above
 * the last that this public key had in this TA, deleted or not. ACCESS_DENIED: not provisioned.
 * BAD_PARAMETERS: the policy is not of its form.
 * NOT_SUPPORTED: it has a window, and the normal world can set the TEE's time. */
#define SR_TA_CMD_SET_POLICY 12

/* in:  short string key id
 * out: u32 version · long string policy (version 0: empty) · operator's signature (64) ·
 *      spent in the window (16) · u32 operations in the window */
#define SR_TA_CMD_GET_POLICY 13

/* in:  short string key id · u8 count · count × long string unsigned transaction
 * out: u8 count · count × (u32 TEE result · digest (32) · signature (65))
 * A transaction is 0x02 ‖ RLP (EIP-1559) or 0x04 ‖ RLP (EIP-7702), as it is hashed for signing.
 * Signed are calls of handleOps and handleAggregatedOps of an allowed EntryPoint on an allowed
 * chain, without value, with a beneficiary that the policy names or the key's own address; and the
 * cancellation: to the key's own address, no value, no data, no lists. All within
 * the policy's gas, fee, cost, and window.
 * Items: BAD_FORMAT (not such a transaction), NOT_SUPPORTED (another type), ACCESS_DENIED (the
 * policy), OVERFLOW (the window). For the whole: ACCESS_DENIED as SIGN_SPONSORSHIP, by
 * SR_TA_USAGE_TRANSACTION. A key of this usage signs nothing without a policy, provisioned or not.
 */
#define SR_TA_CMD_SIGN_TRANSACTION 14

/* in:  nonce (32) · short string key id (empty: of the TA alone) · u8 platform evidence wanted
 * out: long string statement · signature (65) · long string platform evidence (empty: none)
 * The attestation key (secp256k1) signs the statement's SHA-256. Statement:
 *
 *   SR_TA_ATTEST_MAGIC (4) · u8 1 · nonce (32) · TA UUID (16) ·
 *   u8 major · u8 minor · u8 patch · u32 features ·
 *   u32 anti-rollback level · u32 system time level ·
 *   attestation public key (65) · audit public key (65) ·
 *   transport public key (32) ·
 *   operator's public key (32; zeros: not provisioned) · u32 provisioning flags ·
 *   u64 generation · u64 sequence number · head (32) · u8 has key ·
 *   1: key info · policy digest (32; SHA-256, zeros without a policy)
 *
 * Platform evidence is what OP-TEE's attestation PTA says of the TA's memory: 32 bytes of hash,
 * then the platform key's RSA signature over SHA-256 of the statement and that hash; NOT_SUPPORTED
 * where it is wanted and there is none. */
#define SR_TA_CMD_ATTEST 15
#define SR_TA_ATTEST_MAGIC "SRAT"
#define SR_TA_EVIDENCE_MAX 1024

/* in:  long string envelope (docs/key-envelope.md) · u64 created
 * out: key info
 * The key appears under the envelope's id with its usage, and with its policy where the operator
 * has signed that. Origin IMPORTED_WRAPPED (IMPORTED_PLAIN stays so). SECURITY: the envelope does
 * not open, or its policy's signature is not the operator's. ACCESS_CONFLICT: the id exists, or the
 * policy's version is older than this public key's last. */
#define SR_TA_CMD_IMPORT_WRAPPED 16
#define SR_TA_ENVELOPE_MAX 1024

/* in:  short string key id · recipient's X25519 public key (32) · signature (64)
 * out: long string envelope
 * Statement: short string key id · SHA-256 of the key's public key (32) · recipient (32).
 * SECURITY: not the operator's signature. ACCESS_DENIED: not provisioned.
 * BAD_PARAMETERS: the recipient is a point of small order. */
#define SR_TA_CMD_EXPORT_WRAPPED 17

/* in:  short string key id · short string new id · u64 created · host entropy (64)
 * out: key info of the new key
 * A new key of the same algorithm and usage, under the old one's policy, and with what that has
 * spent. The old one stays until it is deleted. Errors as GENERATE_KEY. */
#define SR_TA_CMD_ROTATE_KEY 18

#define SR_TA_COMMANDS 19 /* numbers from 0 */

#endif
