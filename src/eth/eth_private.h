/* SPDX-License-Identifier: Apache-2.0 */
/* What eth's files share among themselves. Not for other folders. */
#ifndef SR_ETH_PRIVATE_H
#define SR_ETH_PRIVATE_H

#include "eth/eth.h"

/* ---- text (echo.c) ----------------------------------------------------- */

#define ETH_ECHO_MAX 56

/*
 * Quotes a client's text for an error message: cut to 40 characters, and what
 * is not printable ASCII as \xNN, so that no input can deface a log or a reply.
 */
void eth_echo(const char *text, size_t len, char out[static ETH_ECHO_MAX]);

/* ---- values of JSON fields (json_field.c) ------------------------------ */

/*
 * Each reads one value; on failure the message is "name: expected …, got …".
 * Values are strings only: a JSON number cannot hold 256 bits.
 */
bool eth_json_quantity(struct yyjson_val *value, const char *name, unsigned max_bits,
		       struct eth_u256 *out, struct sr_error *err) SR_MUST_USE;
bool eth_json_address(struct yyjson_val *value, const char *name, struct eth_address *out,
		      struct sr_error *err) SR_MUST_USE;

/* The size of a byte string, once its form is known to be right but for the digits. */
bool eth_json_bytes_size(struct yyjson_val *value, const char *name, size_t *out,
			 struct sr_error *err) SR_MUST_USE;
/* Decodes a byte string whose size was taken before to *cursor, and moves that on. */
bool eth_json_bytes(struct yyjson_val *value, const char *name, uint8_t **cursor,
		    struct sr_bytes *out, struct sr_error *err) SR_MUST_USE;

/* Fails with "name: expected …, got …". */
bool eth_json_mismatch(struct yyjson_val *value, const char *name, const char *expected,
		       struct sr_error *err);

/* The EIP-7702 authorization tuple (json_authorization.c). */
bool eth_json_authorization(struct yyjson_val *value, struct eth_authorization *out,
			    struct sr_error *err) SR_MUST_USE;
void eth_authorization_to_json(const struct eth_authorization *a, struct sr_buf *out);

/* ---- the packed form's parts (userop.c) -------------------------------- */

/* EntryPoint v0.9's paymasterAndData suffix: signature ‖ uint16 length ‖ magic. */
#define ETH_PAYMASTER_SUFFIX_LEN (ETH_PAYMASTER_MAGIC_LEN + 2)
#define ETH_PAYMASTER_SIGNATURE_MAX 0xffff

extern const struct eth_address eth_7702_marker;

bool eth_ends_in_paymaster_magic(struct sr_bytes paymaster_data) SR_MUST_USE;

/*
 * How long a signature the paymaster data ends in, by v0.9's rule: 0 for none,
 * for too short data and for a length of 0. Fails where the contract reverts.
 */
bool eth_paymaster_signature_length(struct sr_bytes paymaster_data, size_t *out,
				    struct sr_error *err) SR_MUST_USE;

/* False, and names the field, where a value does not fit its packed 128 bits. */
bool eth_user_op_check_packable(const struct eth_user_op *op, struct sr_error *err) SR_MUST_USE;

/* Two values of at most 128 bits as one word. */
void eth_pack_two_u128(const struct eth_u256 *high, const struct eth_u256 *low,
		       uint8_t out[static 32]);

/* The first 20 bytes of a packed initCode; only where the operation has a factory. */
const struct eth_address *eth_user_op_factory(const struct eth_user_op *op);

#endif
