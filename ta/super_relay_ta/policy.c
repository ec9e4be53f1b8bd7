/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "memory.h"
#include "policy.h"

/* Far apart: no single flipped bit or word of zeros turns one into the other. */
#define ALLOWED 0x3c5aa5c3u
#define REFUSED 0xc3a55a3cu

/* ---- numbers of 128 bits --------------------------------------------------- */

ta_wei ta_get_wei(struct ta_reader *in)
{
	uint8_t be[16] = { 0 };
	ta_wei v = 0;

	ta_get_bytes(in, be, sizeof(be));
	for (size_t i = 0; i < sizeof(be); i++)
		v = v << 8 | be[i];
	return v;
}

void ta_wei_to_be(ta_wei v, uint8_t out[static 16])
{
	for (unsigned i = 0; i < 16; i++)
		out[i] = (uint8_t)(v >> (120 - 8 * i));
}

void ta_put_wei(struct ta_writer *out, ta_wei v)
{
	uint8_t be[16] = { 0 };

	ta_wei_to_be(v, be);
	ta_put_bytes(out, be, sizeof(be));
}

bool ta_wei_from_u256(const struct eth_u256 *v, ta_wei *out)
{
	*out = (ta_wei)v->limb[1] << 64 | v->limb[0];
	return !v->limb[2] && !v->limb[3];
}

/* ---- the encoded form ------------------------------------------------------- */

static bool read_addresses(struct ta_reader *in, struct ta_address_list *out)
{
	out->count = ta_get_u8(in);
	if (out->count > SR_TA_POLICY_LIST_MAX)
		return false;
	for (size_t i = 0; i < out->count; i++)
		ta_get_bytes(in, out->items[i].bytes, sizeof(out->items[i].bytes));
	return true;
}

static bool read_chains(struct ta_reader *in, struct ta_policy *out)
{
	out->chain_count = ta_get_u8(in);
	if (out->chain_count > SR_TA_POLICY_LIST_MAX)
		return false;
	for (size_t i = 0; i < out->chain_count; i++)
		out->chains[i] = ta_get_u64(in);
	return true;
}

static bool values_valid(const struct ta_policy *p)
{
	if (p->flags & ~SR_TA_POLICY_FORCE_AUDIT)
		return false;
	if (p->window > SR_TA_WINDOW_MAX)
		return false;
	return p->window || (!p->budget && !p->operations);
}

TEE_Result ta_policy_decode(const uint8_t *bytes, size_t len, struct ta_policy *out)
{
	struct ta_reader in = { .data = bytes, .len = len };

	*out = (struct ta_policy){ 0 };
	if (ta_get_u8(&in) != SR_TA_POLICY_VERSION)
		return TEE_ERROR_BAD_PARAMETERS;
	out->flags = ta_get_u32(&in);
	if (!read_chains(&in, out) || !read_addresses(&in, &out->entry_points) ||
	    !read_addresses(&in, &out->paymasters) || !read_addresses(&in, &out->beneficiaries))
		return TEE_ERROR_BAD_PARAMETERS;
	out->validity_max = ta_get_u32(&in);
	out->gas_max = ta_get_u64(&in);
	out->fee_max = ta_get_wei(&in);
	out->cost_max = ta_get_wei(&in);
	out->window = ta_get_u32(&in);
	out->budget = ta_get_wei(&in);
	out->operations = ta_get_u32(&in);
	if (!ta_reader_done(&in) || !values_valid(out))
		return TEE_ERROR_BAD_PARAMETERS;
	return TEE_SUCCESS;
}

/* ---- judging ----------------------------------------------------------------- */

/* Looks at every slot of the list, whichever it is found in. */
static bool has_chain(const struct ta_policy *p, uint64_t chain)
{
	uint32_t found = 0;

	for (size_t i = 0; i < SR_TA_POLICY_LIST_MAX; i++)
		found |= (uint32_t)(i < p->chain_count) & (uint32_t)(p->chains[i] == chain);
	return found;
}

static bool has_address(const struct ta_address_list *list, const struct eth_address *address)
{
	uint32_t found = 0;

	for (size_t i = 0; i < SR_TA_POLICY_LIST_MAX; i++)
		found |= (uint32_t)(i < list->count) &
			 (uint32_t)ta_equal_ct(&list->items[i], address, sizeof(*address));
	return found;
}

static uint32_t sponsorship_verdict(const struct ta_policy *p, const struct eth_sponsorship *s,
				    ta_wei cost)
{
	uint32_t wrong = 0;

	wrong |= !has_chain(p, s->chain_id);
	wrong |= !has_address(&p->entry_points, &s->entry_point);
	wrong |= !has_address(&p->paymasters, &s->paymaster);
	wrong |= s->valid_until <= s->valid_after;
	wrong |= s->valid_until - s->valid_after > p->validity_max;
	wrong |= cost > p->cost_max;
	return wrong ? REFUSED : ALLOWED;
}

TEE_Result ta_policy_judge_sponsorship(const struct ta_policy *policy,
				       const struct eth_sponsorship *s, ta_wei cost)
{
	volatile uint32_t one = REFUSED;
	volatile uint32_t two = REFUSED;

	one = sponsorship_verdict(policy, s, cost);
	/* The compiler is not to take the second for the first. */
	__asm__ volatile("" : : "r"(policy), "r"(s) : "memory");
	two = sponsorship_verdict(policy, s, cost);
	if (one != ALLOWED || two != ALLOWED)
		return TEE_ERROR_ACCESS_DENIED;
	return TEE_SUCCESS;
}

static bool is_cancellation(const struct eth_unsigned_transaction *t, const struct eth_address *own)
{
	return t->has_to && ta_equal_ct(&t->to, own, sizeof(*own)) && !t->data.len &&
	       !t->access_list_count && !t->authorization_count;
}

static bool is_bundle(const struct ta_policy *p, const struct eth_unsigned_transaction *t,
		      const struct eth_address *own)
{
	struct eth_handle_ops call = { 0 };

	if (!t->has_to || !has_address(&p->entry_points, &t->to) ||
	    !eth_handle_ops_parse(t->data.data, t->data.len, &call))
		return false;
	return ta_equal_ct(&call.beneficiary, own, sizeof(*own)) ||
	       has_address(&p->beneficiaries, &call.beneficiary);
}

static uint32_t transaction_verdict(const struct ta_policy *p,
				    const struct eth_unsigned_transaction *t,
				    const struct eth_address *own, ta_wei cost)
{
	ta_wei fee = 0;
	uint32_t wrong = 0;

	wrong |= !has_chain(p, t->chain_id);
	wrong |= !eth_u256_is_zero(&t->value);
	wrong |= t->gas > p->gas_max;
	wrong |= !ta_wei_from_u256(&t->max_fee_per_gas, &fee);
	wrong |= fee > p->fee_max;
	wrong |= cost > p->cost_max;
	wrong |= !((uint32_t)is_cancellation(t, own) | (uint32_t)is_bundle(p, t, own));
	return wrong ? REFUSED : ALLOWED;
}

TEE_Result ta_policy_judge_transaction(const struct ta_policy *policy,
				       const struct eth_unsigned_transaction *t,
				       const struct eth_address *own, ta_wei cost)
{
	volatile uint32_t one = REFUSED;
	volatile uint32_t two = REFUSED;

	one = transaction_verdict(policy, t, own, cost);
	__asm__ volatile("" : : "r"(policy), "r"(t) : "memory");
	two = transaction_verdict(policy, t, own, cost);
	if (one != ALLOWED || two != ALLOWED)
		return TEE_ERROR_ACCESS_DENIED;
	return TEE_SUCCESS;
}
