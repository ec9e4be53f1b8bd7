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

/* ---- addresses (public_key.c) ------------------------------------------ */

/* The last 20 bytes of the Keccak of an uncompressed secp256k1 point
 * (0x04 ‖ x ‖ y). */
void eth_address_from_public_key(const uint8_t key[static 65], struct eth_address *out);

/* ---- EIP-191 (sponsorship.c) ------------------------------------------- */

/* keccak("\x19Ethereum Signed Message:\n32" ‖ hash): the personal message of a 32-byte hash. */
void eth_personal_digest(const uint8_t hash[static 32], uint8_t out[static 32]);

/* ---- EIP-712 (eip712.c) ------------------------------------------------ */

/* The domain EIP712Domain(string name,string version,uint256 chainId,address verifyingContract). */
struct eth_eip712_domain {
	const char *name;
	const char *version;
	struct eth_u256 chain_id;
	struct eth_address verifying_contract;
};

void eth_eip712_domain_separator(const struct eth_eip712_domain *d, uint8_t out[static 32]);
/* The same, from Keccak of the name and of the version. */
void eth_eip712_hashed_separator(const uint8_t name_hash[static 32],
				 const uint8_t version_hash[static 32],
				 const struct eth_u256 *chain_id,
				 const struct eth_address *contract, uint8_t out[static 32]);
/* keccak(0x1901 ‖ domain separator ‖ struct hash) */
void eth_eip712_digest(const uint8_t domain_separator[static 32],
		       const uint8_t struct_hash[static 32], uint8_t out[static 32]);

/* ---- ERC-4337's constants (sponsorship_typed.c) ------------------------- */

/* What v0.9's paymasterAndData ends in where a paymaster's signature was appended. */
#define ETH_PAYMASTER_MAGIC_LEN 8
extern const uint8_t eth_paymaster_magic[ETH_PAYMASTER_MAGIC_LEN];

/* keccak of ERC-4337's type PackedUserOperation(address sender,uint256 nonce,…). */
extern const uint8_t eth_packed_user_op_type[32];

/* ---- what a paymaster signs (sponsorship*.c) --------------------------- */

/* The numbers are the TA's wire's (SR_TA_SCHEME_*). */
enum eth_sponsorship_scheme {
	ETH_SCHEME_VERIFYING_PAYMASTER_V07 = 1, /* eth-infinitism's sample */
	ETH_SCHEME_VERIFYING_PAYMASTER_V06 = 2,
	ETH_SCHEME_SINGLETON_V6 = 3, /* Pimlico's */
	ETH_SCHEME_SINGLETON_V7 = 4,
	ETH_SCHEME_SINGLETON_V8 = 5,
	ETH_SCHEME_OPENZEPPELIN = 6, /* PaymasterSigner, 5.7 and later */
	/* A v0.9 paymaster signature, made while the account signs. Upstream has the encoding
	 * (doc/paymaster-signature), but no paymaster that checks a signature by it, so the
	 * contract is ours: contracts/ParallelVerifyingPaymaster.sol. */
	ETH_SCHEME_PARALLEL_V09 = 7,
};

/*
 * The fields behind a paymaster's signature. Not every digest covers every field
 * (VerifyingPaymaster's does not name its EntryPoint); a policy needs them all.
 */
struct eth_sponsorship {
	enum eth_sponsorship_scheme scheme;
	uint64_t chain_id;
	struct eth_address entry_point;
	struct eth_address paymaster;
	struct eth_address sender;
	uint8_t nonce[32];
	uint8_t init_code_hash[32]; /* zeros for VERIFYING_PAYMASTER_V06, as the next */
	uint8_t call_data_hash[32];
	uint8_t account_gas_limits[32];	  /* verificationGasLimit ‖ callGasLimit, v0.6 too */
	uint8_t paymaster_gas_limits[32]; /* paymasterAndData[20:52]; zeros for v0.6 */
	uint8_t pre_verification_gas[32];
	uint8_t gas_fees[32]; /* maxPriorityFeePerGas ‖ maxFeePerGas */
	uint64_t valid_until; /* 48 bits, unix seconds; 0 means for ever */
	uint64_t valid_after; /* 48 bits */

	/* SINGLETON_*: paymasterData up to the signature. All pointers are views. */
	const uint8_t *data;
	size_t data_len;
	/* SINGLETON_V8: for an EIP-7702 initCode, its hash with the delegate in the marker's
	 * place; else zeros. init_code_hash is that of the bytes as they stand. */
	uint8_t delegate_init_code_hash[32];
	/* VERIFYING_PAYMASTER_V06: the contract signs these whole */
	uint8_t sender_nonce[32];
	const uint8_t *init_code;
	size_t init_code_len;
	const uint8_t *call_data;
	size_t call_data_len;
	/* OPENZEPPELIN: the contract's own EIP-712 domain */
	uint8_t domain_name_hash[32];
	uint8_t domain_version_hash[32];
};

#define ETH_SINGLETON_VERIFYING_LEN 13 /* data of Singleton's verifying mode */
#define ETH_SINGLETON_DATA_MAX 170     /* of its ERC-20 mode with all that is optional */

/*
 * VerifyingPaymaster v0.7: keccak(abi.encode(sender, nonce, H(initCode),
 * H(callData), accountGasLimits, uint256(paymasterAndData[20:52]),
 * preVerificationGas, gasFees, chainid, paymaster, validUntil, validAfter)),
 * as a personal message.
 */
void eth_verifying_paymaster_v07_digest(const struct eth_sponsorship *s, uint8_t out[static 32]);

/*
 * What the scheme's contract recovers its signer from. False, and out is unspecified, when
 * the scheme is unknown, when a field that it does not use is not zero as stated above, when
 * Singleton's data is not of its mode's form or names other times, or when a time has bit 47:
 * to EntryPoint v0.9 and to OpenZeppelin those are block numbers, and no limit in seconds
 * would hold.
 */
bool eth_sponsorship_digest(const struct eth_sponsorship *s, uint8_t out[static 32])
	__attribute__((warn_unused_result));

/*
 * The most that the EntryPoint may take of the paymaster's deposit, in wei, as its
 * _getRequiredPrefund: from v0.7 the sum of all five gas limits times maxFeePerGas; on v0.6
 * (callGas + 3 × verificationGas + preVerificationGas) × maxFeePerGas, since a paymaster's two
 * calls run under verificationGasLimit, too. False when it overflows 256 bits.
 */
bool eth_sponsorship_cost(const struct eth_sponsorship *s, struct eth_u256 *out)
	__attribute__((warn_unused_result));

/* ---- RLP, reading (rlp_read.c), Yellow Paper appendix B ---------------- */

/* Bytes that someone else owns. */
struct eth_view {
	const uint8_t *data;
	size_t len;
};

/*
 * Cuts one item from the front of *in; payload lies within it. Strict: refuses non-minimal
 * lengths, single bytes below 0x80 with a header, and items that reach past the end.
 */
bool eth_rlp_read(struct eth_view *in, struct eth_view *payload, bool *is_list)
	__attribute__((warn_unused_result));
/* The next item must be a list. */
bool eth_rlp_read_list(struct eth_view *in, struct eth_view *payload)
	__attribute__((warn_unused_result));
/* The next item must be a string of exactly len bytes, which are copied to out. */
bool eth_rlp_read_fixed(struct eth_view *in, uint8_t *out, size_t len)
	__attribute__((warn_unused_result));
/* The next item must be an integer of at most that many bits, without leading zeros. */
bool eth_rlp_read_u256(struct eth_view *in, unsigned bits, struct eth_u256 *out)
	__attribute__((warn_unused_result));
bool eth_rlp_read_u64(struct eth_view *in, uint64_t *out) __attribute__((warn_unused_result));

/* ---- unsigned transactions (transaction.c), EIP-2718 ------------------- */

#define ETH_TRANSACTION_EIP1559 2
#define ETH_TRANSACTION_EIP7702 4

enum eth_transaction_result {
	ETH_TRANSACTION_OK,
	ETH_TRANSACTION_BAD_FORMAT,
	ETH_TRANSACTION_UNKNOWN_TYPE, /* legacy ones, too */
};

struct eth_unsigned_transaction {
	uint8_t type; /* ETH_TRANSACTION_EIP1559 or ETH_TRANSACTION_EIP7702 */
	uint64_t chain_id;
	uint64_t nonce;
	struct eth_u256 max_priority_fee_per_gas; /* at most 128 bits, as the next */
	struct eth_u256 max_fee_per_gas;
	uint64_t gas;
	bool has_to; /* false: creates a contract */
	struct eth_address to;
	struct eth_u256 value;
	struct eth_view data;	    /* within the input */
	size_t access_list_count;   /* addresses, with or without keys */
	size_t authorization_count; /* EIP-7702: at least 1 */
};

/*
 * Reads the whole of what is hashed for signing: 0x02 or 0x04, then RLP, with nothing after it.
 * Access list and authorizations are walked to their ends: addresses of 20 bytes, keys of 32,
 * signatures with parity 0 or 1 and 0 < r < n, 0 < s ≤ n/2. Numbers over the widths
 * above are BAD_FORMAT, as is an EIP-7702 transaction without address or authorization.
 */
enum eth_transaction_result eth_unsigned_transaction_parse(const uint8_t *data, size_t len,
							   struct eth_unsigned_transaction *out)
	__attribute__((warn_unused_result));

/* ---- calls of an EntryPoint (handle_ops.c) ----------------------------- */

struct eth_handle_ops {
	bool packed;	 /* PackedUserOperation: v0.7 and later; else v0.6 */
	bool aggregated; /* handleAggregatedOps */
	struct eth_address beneficiary;
	size_t count; /* of operations, or of aggregators; at least 1 */
};

/*
 * True for calldata of handleOps(ops, beneficiary) or handleAggregatedOps whose head is
 * canonical: the array begins at 0x40, the beneficiary's word has no dirty bits, and the array
 * has at least one entry and room for an offset each. What is within the operations
 * is the EntryPoint's to judge.
 */
bool eth_handle_ops_parse(const uint8_t *data, size_t len, struct eth_handle_ops *out)
	__attribute__((warn_unused_result));

#endif
