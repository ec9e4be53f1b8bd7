/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eth: Ethereum's encodings and hashes, and ERC-4337's UserOperation.
 *
 * Pure: no I/O, no clock, no global state. Nothing here allocates unless its
 * comment says so; everything is reentrant. Integers are big-endian on the
 * wire, as the Yellow Paper has them.
 *
 * Standards: Keccak (the original padding 0x01, not SHA-3's), Yellow Paper
 * appendix B (RLP), the Solidity contract ABI, EIP-55, EIP-191 (version 0x45),
 * EIP-712, ERC-4337 (v0.6 to v0.9), EIP-7702.
 *
 * The TA compiles what eth_core.h declares as it stands: no libc beyond <string.h>, no
 * struct sr_error, no other header.
 */
#ifndef SR_ETH_H
#define SR_ETH_H

#include "base/base.h"
#include "eth/eth_core.h"

/* ---- u256 as text (u256_text.c) ---------------------------------------- */

#define ETH_U256_DEC_MAX 79 /* 78 digits and a NUL */
#define ETH_U256_HEX_MAX 67 /* "0x", 64 digits and a NUL */

/* JSON-RPC QUANTITY: "0x" and no leading zeros, "0x0" for zero. */
size_t eth_u256_to_quantity(const struct eth_u256 *v, char out[static ETH_U256_HEX_MAX]);
size_t eth_u256_to_dec(const struct eth_u256 *v, char out[static ETH_U256_DEC_MAX]);

/*
 * Reads "0x…" hex of 1 to 64 digits. Leading zeros are accepted (clients send
 * them). False for anything else: no prefix, no digits, a sign, spaces, over
 * 256 bits.
 */
bool eth_u256_from_quantity(const char *text, size_t len, struct eth_u256 *out) SR_MUST_USE;
bool eth_u256_from_dec(const char *text, size_t len, struct eth_u256 *out) SR_MUST_USE;

/* ---- addresses (address.c), EIP-55 ------------------------------------- */

#define ETH_ADDRESS_TEXT 43 /* "0x", 40 digits and a NUL */

void eth_address_to_text(const struct eth_address *a, char out[static ETH_ADDRESS_TEXT]);

/*
 * Reads "0x" and 40 hex digits. All-lower and all-upper case are taken as they
 * are; mixed case must carry a right EIP-55 checksum.
 */
bool eth_address_from_text(const char *text, size_t len, struct eth_address *out,
			   struct sr_error *err) SR_MUST_USE;

/* ---- RLP (rlp.c), Yellow Paper appendix B; the reader is the core's ----- */

/* Encoding appends to a buffer (which allocates); check out->failed at the end. */
void eth_rlp_put_bytes(struct sr_buf *out, const uint8_t *data, size_t len);
void eth_rlp_put_u256(struct sr_buf *out, const struct eth_u256 *v); /* no leading zeros */
void eth_rlp_put_u64(struct sr_buf *out, uint64_t v);
/* The header of a list whose encoded items are payload_len bytes long. */
void eth_rlp_put_list_header(struct sr_buf *out, size_t payload_len);

/* One item, cut from the front of *in. Strict: refuses non-minimal lengths,
 * single bytes below 0x80 with a header, and items that reach past the end. */
struct eth_rlp_item {
	struct sr_bytes payload; /* within the input */
	bool is_list;
};

bool eth_rlp_take(struct sr_bytes *in, struct eth_rlp_item *out) SR_MUST_USE;
/* A string item as an integer: at most 32 bytes, no leading zero. */
bool eth_rlp_item_u256(const struct eth_rlp_item *item, struct eth_u256 *out) SR_MUST_USE;
/* Walks a whole encoding (one item, nothing after it) to max_depth lists deep. */
bool eth_rlp_check(struct sr_bytes in, unsigned max_depth) SR_MUST_USE;

/* ---- UserOperation (userop.c, userop_json.c, userop_hash.c) ------------ */

enum eth_entry_point {
	ETH_ENTRY_POINT_V06 = 6,
	ETH_ENTRY_POINT_V07 = 7,
	ETH_ENTRY_POINT_V08 = 8,
	ETH_ENTRY_POINT_V09 = 9,
};

/* The canonical singleton's address. */
const struct eth_address *eth_entry_point_address(enum eth_entry_point version);
/* "0.6" to "0.9" (also with a leading "v"). */
bool eth_entry_point_parse(const char *text, enum eth_entry_point *out) SR_MUST_USE;
const char *eth_entry_point_name(enum eth_entry_point version);
/* The version whose canonical address this is. */
bool eth_entry_point_find(const struct eth_address *a, enum eth_entry_point *out) SR_MUST_USE;

#define ETH_USER_OP_BYTES_MAX (128 * 1024) /* of any one byte field */

/* EIP-7702 authorization tuple, as bundlers take it in JSON ("eip7702Auth"). */
struct eth_authorization {
	struct eth_u256 chain_id;
	struct eth_address address;
	uint64_t nonce;
	uint8_t y_parity;
	struct eth_u256 r;
	struct eth_u256 s;
};

/*
 * One operation of any version, in the fields of the RPC form. Byte fields are
 * views into memory that eth_user_op_parse allocated (one block, owned by the
 * operation) or that the maker keeps alive.
 *
 * v0.6: init_code and paymaster_and_data are used, the factory and paymaster
 * fields are not. v0.7 and later: the other way round.
 */
struct eth_user_op {
	enum eth_entry_point version;
	struct eth_address sender;
	struct eth_u256 nonce;
	struct sr_bytes init_code; /* v0.6 */
	bool has_factory;
	bool factory_is_7702; /* the marker 0x7702 (RPC: "0x7702", or padded to 20 bytes) */
	struct eth_address factory;
	struct sr_bytes factory_data;
	struct sr_bytes call_data;
	struct eth_u256 call_gas_limit; /* ≤ uint128 from v0.7 */
	struct eth_u256 verification_gas_limit;
	struct eth_u256 pre_verification_gas;
	struct eth_u256 max_fee_per_gas;
	struct eth_u256 max_priority_fee_per_gas;
	struct sr_bytes paymaster_and_data; /* v0.6 */
	bool has_paymaster;
	struct eth_address paymaster;
	struct eth_u256 paymaster_verification_gas_limit;
	struct eth_u256 paymaster_post_op_gas_limit;
	struct sr_bytes paymaster_data;	     /* v0.9: without the appended signature and magic */
	bool has_paymaster_signature;	     /* v0.9 */
	struct sr_bytes paymaster_signature; /* v0.9: appended to the data, not hashed */
	struct sr_bytes signature;
	bool has_authorization;
	struct eth_authorization authorization;

	uint32_t present; /* ETH_OP_HAS_* of what the JSON carried */
	uint8_t *owned;	  /* the block behind the views, or NULL */
};

/* Which fields the JSON had (null counts as absent). */
#define ETH_OP_HAS_CALL_GAS_LIMIT (1u << 0)
#define ETH_OP_HAS_VERIFICATION_GAS_LIMIT (1u << 1)
#define ETH_OP_HAS_PRE_VERIFICATION_GAS (1u << 2)
#define ETH_OP_HAS_MAX_FEE (1u << 3)
#define ETH_OP_HAS_MAX_PRIORITY_FEE (1u << 4)
#define ETH_OP_HAS_PM_VERIFICATION_GAS (1u << 5)
#define ETH_OP_HAS_PM_POST_OP_GAS (1u << 6)
#define ETH_OP_HAS_SIGNATURE (1u << 7)

/* What eth_user_op_parse may find missing without refusing. */
#define ETH_OP_MAY_LACK_GAS (1u << 0)  /* the three gas limits */
#define ETH_OP_MAY_LACK_FEES (1u << 1) /* both fees */
#define ETH_OP_MAY_LACK_SIGNATURE (1u << 2)

struct yyjson_val;

/*
 * Reads the RPC form (ERC-7769). Numbers must be "0x…" strings; unknown fields
 * are refused by name, as are duplicates and fields of another version; every
 * message names the field and what was expected. null means absent; so do
 * factory and paymaster "0x", and a zero paymaster without data. Allocates one
 * block; free with eth_user_op_free (also after a failure, where it does
 * nothing).
 *
 * v0.9: the paymaster's signature is taken from paymasterSignature, where
 * paymasterData may end in the magic or in the same signature's whole suffix;
 * or from paymasterData's suffix alone. An empty paymasterSignature is none: the
 * contract's own encoder then appends nothing.
 */
bool eth_user_op_parse(struct yyjson_val *json, enum eth_entry_point version, uint32_t may_lack,
		       struct eth_user_op *out, struct sr_error *err) SR_MUST_USE;
void eth_user_op_free(struct eth_user_op *op);

/*
 * Appends the RPC form as JSON (allocates in out). Optional parts that are
 * absent are left out: gas and fees that are zero without their ETH_OP_HAS_* bit,
 * empty byte strings but callData and v0.6's own two.
 */
void eth_user_op_to_json(const struct eth_user_op *op, struct sr_buf *out);

/*
 * The packed form of v0.7 and later (ERC-4337's PackedUserOperation). Byte
 * strings are appended to the given buffers (which allocate).
 */
struct eth_packed_user_op {
	struct sr_buf init_code;
	uint8_t account_gas_limits[32];
	uint8_t gas_fees[32];
	struct sr_buf paymaster_and_data;
};

bool eth_user_op_pack(const struct eth_user_op *op, struct eth_packed_user_op *out,
		      struct sr_error *err) SR_MUST_USE;
void eth_packed_user_op_free(struct eth_packed_user_op *packed);

/*
 * userOpHash as the EntryPoint of the operation's version computes it.
 * delegate: for an EIP-7702 initCode on v0.8 and later, the account's delegate
 * (what stands behind 0xef0100 in its code), else NULL; refused where it is
 * needed and NULL. Also refused: what the EntryPoint reverts on (v0.9: a
 * paymaster signature length that reaches past the data) and values over their
 * packed 128 bits.
 */
bool eth_user_op_hash(const struct eth_user_op *op, const struct eth_address *entry_point,
		      const struct eth_u256 *chain_id, const struct eth_address *delegate,
		      uint8_t out[static 32], struct sr_error *err) SR_MUST_USE;

/*
 * The most this operation can cost in wei: the sum of all its gas limits times
 * maxFeePerGas, as the EntryPoint's required prefund. False when it overflows.
 */
bool eth_user_op_max_cost(const struct eth_user_op *op, struct eth_u256 *out) SR_MUST_USE;

/* ---- sponsorships (userop_sponsorship.c) ------------------------------- */

/* What a sponsorship says that the operation does not. */
struct eth_sponsorship_terms {
	enum eth_sponsorship_scheme scheme;
	struct eth_address entry_point;
	struct eth_u256 chain_id;
	uint64_t valid_until; /* unix seconds, at most 48 bits */
	uint64_t valid_after;
	/* SINGLETON_*: paymasterData up to the signature */
	struct sr_bytes data;
	/* SINGLETON_V8, PARALLEL_V09: as for eth_user_op_hash; refused where it is needed */
	const struct eth_address *delegate;
	/* VERIFYING_PAYMASTER_V06: the contract's senderNonce of the account */
	struct eth_u256 sender_nonce;
	/* OPENZEPPELIN: the contract's EIP-712 domain */
	const char *domain_name;
	const char *domain_version;
};

/*
 * The fields that the scheme's contract signs, taken from an operation of a version that the
 * scheme is for, whose paymaster and gas fields are set. Views in *out are into the operation
 * and the terms' data.
 */
bool eth_sponsorship_from_terms(const struct eth_user_op *op,
				const struct eth_sponsorship_terms *terms,
				struct eth_sponsorship *out, struct sr_error *err) SR_MUST_USE;

/* The same for VerifyingPaymaster v0.7. */
bool eth_sponsorship_from_user_op(const struct eth_user_op *op,
				  const struct eth_address *entry_point,
				  const struct eth_u256 *chain_id, uint64_t valid_until,
				  uint64_t valid_after, struct eth_sponsorship *out,
				  struct sr_error *err) SR_MUST_USE;

/* Singleton's data in its verifying mode. */
void eth_singleton_verifying_data(bool allow_all_bundlers, uint64_t valid_until,
				  uint64_t valid_after,
				  uint8_t out[static ETH_SINGLETON_VERIFYING_LEN]);

/*
 * Appends what the contract reads behind the paymaster's address (v0.6) or its gas limits:
 * times and signature, in the scheme's order. PARALLEL_V09: with the suffix
 * signature ‖ length ‖ magic; in JSON, the signature is paymasterSignature and what stands
 * before it paymasterData.
 */
void eth_paymaster_data_encode(const struct eth_sponsorship *s, const uint8_t signature[static 65],
			       struct sr_buf *out);

#endif
