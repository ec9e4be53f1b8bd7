/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth_private.h"

#include <string.h>

#define TIME_MAX (((uint64_t)1 << 48) - 1)
#define SIGNATURE_SIZE 65

/* Which EntryPoints a scheme's contract can stand behind. */
struct scheme {
	const char *name;
	enum eth_entry_point first;
	enum eth_entry_point last;
};

static const struct scheme schemes[] = {
	[ETH_SCHEME_VERIFYING_PAYMASTER_V07] = { "VerifyingPaymaster v0.7", ETH_ENTRY_POINT_V07,
						 ETH_ENTRY_POINT_V09 },
	[ETH_SCHEME_VERIFYING_PAYMASTER_V06] = { "VerifyingPaymaster v0.6", ETH_ENTRY_POINT_V06,
						 ETH_ENTRY_POINT_V06 },
	[ETH_SCHEME_SINGLETON_V6] = { "SingletonPaymasterV6", ETH_ENTRY_POINT_V06,
				      ETH_ENTRY_POINT_V06 },
	[ETH_SCHEME_SINGLETON_V7] = { "SingletonPaymasterV7", ETH_ENTRY_POINT_V07,
				      ETH_ENTRY_POINT_V09 },
	[ETH_SCHEME_SINGLETON_V8] = { "SingletonPaymasterV8", ETH_ENTRY_POINT_V08,
				      ETH_ENTRY_POINT_V09 },
	[ETH_SCHEME_OPENZEPPELIN] = { "PaymasterSigner", ETH_ENTRY_POINT_V07, ETH_ENTRY_POINT_V09 },
	[ETH_SCHEME_PARALLEL_V09] = { "ParallelVerifyingPaymaster", ETH_ENTRY_POINT_V09,
				      ETH_ENTRY_POINT_V09 },
};

static bool check_version(const struct eth_user_op *op, enum eth_sponsorship_scheme scheme,
			  struct sr_error *err)
{
	const struct scheme *s = NULL;

	if (scheme < 1 || scheme >= SR_ARRAY_LEN(schemes))
		return sr_fail(err, SR_E_INVALID, "scheme: expected 1 to 7, got %d", (int)scheme);
	s = &schemes[scheme];
	if (op->version >= s->first && op->version <= s->last)
		return true;
	return sr_fail(err, SR_E_INVALID, "%s needs EntryPoint v%s to v%s, this is v%s", s->name,
		       eth_entry_point_name(s->first), eth_entry_point_name(s->last),
		       eth_entry_point_name(op->version));
}

/* As it stands, or with the delegate in the marker's place. */
static void hash_init_code(const struct eth_user_op *op, const struct eth_address *first,
			   uint8_t out[static 32])
{
	struct eth_keccak k;

	eth_keccak_init(&k);
	if (op->has_factory) {
		eth_keccak_update(&k, first->bytes, sizeof(first->bytes));
		eth_keccak_update(&k, op->factory_data.data, op->factory_data.len);
	}
	eth_keccak_final(&k, out);
}

static bool is_7702(const struct eth_user_op *op)
{
	return op->has_factory &&
	       memcmp(eth_user_op_factory(op), &eth_7702_marker, sizeof(eth_7702_marker)) == 0;
}

/* The two schemes that know EIP-7702 differ: one signs the hash of what runs instead of the
 * bytes', the other both. */
static bool take_init_code(const struct eth_user_op *op, const struct eth_sponsorship_terms *terms,
			   struct eth_sponsorship *out, struct sr_error *err)
{
	bool parallel = out->scheme == ETH_SCHEME_PARALLEL_V09;
	uint8_t *delegated = parallel ? out->init_code_hash : out->delegate_init_code_hash;

	hash_init_code(op, eth_user_op_factory(op), out->init_code_hash);
	if (!is_7702(op) || (!parallel && out->scheme != ETH_SCHEME_SINGLETON_V8))
		return true;
	if (!terms->delegate)
		return sr_fail(err, SR_E_INVALID,
			       "factory: is the EIP-7702 marker, so the sponsorship needs the "
			       "account's delegate, and none was given");
	hash_init_code(op, terms->delegate, delegated);
	return true;
}

/* v0.6 packs nothing; the wire has its numbers as later versions pack them. */
static bool take_v06(const struct eth_user_op *op, struct eth_sponsorship *out,
		     struct sr_error *err)
{
	if (op->paymaster_and_data.len < sizeof(out->paymaster.bytes))
		return sr_fail(err, SR_E_INVALID,
			       "paymasterAndData: expected a paymaster's address, got %zu bytes",
			       op->paymaster_and_data.len);
	memcpy(out->paymaster.bytes, op->paymaster_and_data.data, sizeof(out->paymaster.bytes));
	if (out->scheme == ETH_SCHEME_SINGLETON_V6) {
		eth_keccak256(op->init_code.data, op->init_code.len, out->init_code_hash);
		eth_keccak256(op->call_data.data, op->call_data.len, out->call_data_hash);
		return true;
	}
	out->init_code = op->init_code.data;
	out->init_code_len = op->init_code.len;
	out->call_data = op->call_data.data;
	out->call_data_len = op->call_data.len;
	return true;
}

static bool take_packed(const struct eth_user_op *op, const struct eth_sponsorship_terms *terms,
			struct eth_sponsorship *out, struct sr_error *err)
{
	if (!op->has_paymaster)
		return sr_fail(err, SR_E_INVALID, "paymaster: missing, nothing to sponsor with");
	out->paymaster = op->paymaster;
	eth_pack_two_u128(&op->paymaster_verification_gas_limit, &op->paymaster_post_op_gas_limit,
			  out->paymaster_gas_limits);
	eth_keccak256(op->call_data.data, op->call_data.len, out->call_data_hash);
	return take_init_code(op, terms, out, err);
}

static bool take_domain(const struct eth_sponsorship_terms *terms, struct eth_sponsorship *out,
			struct sr_error *err)
{
	if (!terms->domain_name || !terms->domain_version)
		return sr_fail(err, SR_E_INVALID,
			       "PaymasterSigner needs its EIP-712 domain's name and version");
	eth_keccak256(terms->domain_name, strlen(terms->domain_name), out->domain_name_hash);
	eth_keccak256(terms->domain_version, strlen(terms->domain_version),
		      out->domain_version_hash);
	return true;
}

static bool take_terms(const struct eth_sponsorship_terms *terms, struct eth_sponsorship *out,
		       struct sr_error *err)
{
	if (terms->valid_until > TIME_MAX || terms->valid_after > TIME_MAX)
		return sr_fail(err, SR_E_INVALID,
			       "validUntil, validAfter: expected at most 48 bits");
	if (!eth_u256_to_u64(&terms->chain_id, &out->chain_id))
		return sr_fail(err, SR_E_INVALID, "chainId: expected at most 64 bits");
	out->scheme = terms->scheme;
	out->entry_point = terms->entry_point;
	out->valid_until = terms->valid_until;
	out->valid_after = terms->valid_after;
	out->data = terms->data.data;
	out->data_len = terms->data.len;
	eth_u256_to_be(&terms->sender_nonce, out->sender_nonce);
	return terms->scheme != ETH_SCHEME_OPENZEPPELIN || take_domain(terms, out, err);
}

bool eth_sponsorship_from_terms(const struct eth_user_op *op,
				const struct eth_sponsorship_terms *terms,
				struct eth_sponsorship *out, struct sr_error *err)
{
	memset(out, 0, sizeof(*out));
	if (!check_version(op, terms->scheme, err) || !take_terms(terms, out, err) ||
	    !eth_user_op_check_packable(op, err))
		return false;
	out->sender = op->sender;
	eth_u256_to_be(&op->nonce, out->nonce);
	eth_pack_two_u128(&op->verification_gas_limit, &op->call_gas_limit,
			  out->account_gas_limits);
	eth_u256_to_be(&op->pre_verification_gas, out->pre_verification_gas);
	eth_pack_two_u128(&op->max_priority_fee_per_gas, &op->max_fee_per_gas, out->gas_fees);
	return op->version == ETH_ENTRY_POINT_V06 ? take_v06(op, out, err)
						  : take_packed(op, terms, out, err);
}

bool eth_sponsorship_from_user_op(const struct eth_user_op *op,
				  const struct eth_address *entry_point,
				  const struct eth_u256 *chain_id, uint64_t valid_until,
				  uint64_t valid_after, struct eth_sponsorship *out,
				  struct sr_error *err)
{
	const struct eth_sponsorship_terms terms = {
		.scheme = ETH_SCHEME_VERIFYING_PAYMASTER_V07,
		.entry_point = *entry_point,
		.chain_id = *chain_id,
		.valid_until = valid_until,
		.valid_after = valid_after,
	};

	return eth_sponsorship_from_terms(op, &terms, out, err);
}

static void write_time(uint64_t time, uint8_t out[static 6])
{
	for (unsigned i = 0; i < 6; i++)
		out[i] = (uint8_t)(time >> (40 - 8 * i));
}

void eth_singleton_verifying_data(bool allow_all_bundlers, uint64_t valid_until,
				  uint64_t valid_after,
				  uint8_t out[static ETH_SINGLETON_VERIFYING_LEN])
{
	out[0] = allow_all_bundlers;
	write_time(valid_until, out + 1);
	write_time(valid_after, out + 7);
}

/* Two times of 6 bytes each. */
static void put_times(uint64_t first, uint64_t second, struct sr_buf *out)
{
	uint8_t times[12];

	write_time(first, times);
	write_time(second, times + 6);
	sr_buf_append(out, times, sizeof(times));
}

static void put_words(const struct eth_sponsorship *s, struct sr_buf *out)
{
	uint8_t words[2][32];

	eth_abi_u64(words[0], s->valid_until);
	eth_abi_u64(words[1], s->valid_after);
	sr_buf_append(out, words, sizeof(words));
}

void eth_paymaster_data_encode(const struct eth_sponsorship *s, const uint8_t signature[static 65],
			       struct sr_buf *out)
{
	static const uint8_t length[2] = { 0, SIGNATURE_SIZE };
	bool parallel = s->scheme == ETH_SCHEME_PARALLEL_V09;

	if (s->data_len > 0)
		sr_buf_append(out, s->data, s->data_len);
	else if (s->scheme == ETH_SCHEME_OPENZEPPELIN)
		put_times(s->valid_after, s->valid_until, out);
	else if (parallel)
		put_times(s->valid_until, s->valid_after, out);
	else
		put_words(s, out);
	sr_buf_append(out, signature, SIGNATURE_SIZE);
	if (parallel) {
		sr_buf_append(out, length, sizeof(length));
		sr_buf_append(out, eth_paymaster_magic, sizeof(eth_paymaster_magic));
	}
}
