/* SPDX-License-Identifier: Apache-2.0 */
/* The transactions of provisioned_client.h, and their RLP. */
#include "provisioned_client.h"

#include <string.h>

#include "eth/eth_core.h"

/* ---- transactions ---------------------------------------------------------------------------- */

struct text {
	uint8_t *data;
	size_t len;
};

static void add(struct text *out, const uint8_t *data, size_t len)
{
	assert_true(out->len + len <= 4096);
	if (len)
		memcpy(out->data + out->len, data, len);
	out->len += len;
}

/* RLP's header of a string (0x80) or list (0xc0) of len bytes. */
static void add_header(struct text *out, uint8_t kind, size_t len)
{
	const uint8_t short_form = (uint8_t)(kind + len);
	const uint8_t long_form[3] = { (uint8_t)(kind + 57), (uint8_t)(len >> 8), (uint8_t)len };
	const uint8_t middle_form[2] = { (uint8_t)(kind + 56), (uint8_t)len };

	if (len < 56)
		add(out, &short_form, 1);
	else if (len < 256)
		add(out, middle_form, 2);
	else
		add(out, long_form, 3);
}

static void add_string(struct text *out, const uint8_t *data, size_t len)
{
	if (len != 1 || data[0] >= 0x80)
		add_header(out, 0x80, len);
	add(out, data, len);
}

static void add_number(struct text *out, wei v)
{
	uint8_t be[16] = { 0 };
	size_t skip = 0;

	for (unsigned i = 0; i < 16; i++)
		be[i] = (uint8_t)(v >> (120 - 8 * i));
	while (skip < sizeof(be) && !be[skip])
		skip++;
	add_string(out, be + skip, sizeof(be) - skip);
}

size_t encode_transaction(const struct transaction *t, uint8_t out[static 4096])
{
	static uint8_t bytes[4096];
	struct text fields = { .data = bytes };
	struct text whole = { .data = out };

	add_number(&fields, t->chain_id);
	add_number(&fields, t->nonce);
	add_number(&fields, t->priority_fee);
	add_number(&fields, t->max_fee);
	add_number(&fields, t->gas);
	add_string(&fields, t->to, t->to_len);
	add_number(&fields, t->value);
	add_string(&fields, t->data, t->data_len);
	add_header(&fields, 0xc0, 0);
	add(&fields, t->authorizations, t->authorizations_len);
	if (t->type < 0xc0)
		add(&whole, &t->type, 1);
	add_header(&whole, 0xc0, fields.len);
	add(&whole, fields.data, fields.len);
	return whole.len;
}

void set_handle_ops(struct transaction *t, uint32_t selector, const uint8_t beneficiary[static 20])
{
	uint8_t *word = t->data + 4;

	memset(t->data, 0, sizeof(t->data));
	for (unsigned i = 0; i < 4; i++)
		t->data[i] = (uint8_t)(selector >> (24 - 8 * i));
	word[31] = 0x40;
	memcpy(word + 32 + 12, beneficiary, 20);
	word[64 + 31] = 1;
	word[96 + 31] = 0x20;
	t->data_len = 4 + 4 * 32 + 64;
}

struct transaction make_transaction(void)
{
	uint8_t digest[32] = { 0 };
	const struct sponsorship s = sponsorship_vector(digest);
	struct transaction t = {
		.type = 2,
		.chain_id = s.chain_id,
		.priority_fee = 1000000000,
		.max_fee = 3000000000,
		.gas = 1000000,
		.to_len = 20,
	};

	memcpy(t.to, s.entry_point, 20);
	set_handle_ops(&t, 0x765e827f, usual_beneficiary);
	return t;
}

void set_authorization(struct transaction *t, unsigned parity, const uint8_t s[static 32])
{
	uint8_t bytes[256] = { 0 };
	uint8_t tuple_bytes[256] = { 0 };
	struct text tuple = { .data = tuple_bytes };
	struct text list = { .data = bytes };
	struct text out = { .data = t->authorizations };
	uint8_t r[32] = { 0x55 };
	const uint8_t delegate[20] = { 0xde };

	add_number(&tuple, t->chain_id);
	add_string(&tuple, delegate, sizeof(delegate));
	add_number(&tuple, 7);
	add_number(&tuple, parity);
	add_string(&tuple, r, sizeof(r));
	add_string(&tuple, s, 32);
	add_header(&list, 0xc0, tuple.len);
	add(&list, tuple.data, tuple.len);
	add_header(&out, 0xc0, list.len);
	add(&out, list.data, list.len);
	t->type = 4;
	t->authorizations_len = out.len;
}

TEEC_Result sign_transaction_bytes(struct provisioned *p, const char *id, const uint8_t *bytes,
				   size_t len)
{
	begin_id(&p->request, id);
	put_u8(&p->request, 1);
	put_u16(&p->request, (uint16_t)len);
	put_bytes(&p->request, bytes, len);
	return call_for_item(p, SR_TA_CMD_SIGN_TRANSACTION);
}

TEEC_Result sign_transaction(struct provisioned *p, const char *id, const struct transaction *t)
{
	static uint8_t bytes[4096];
	const size_t len = encode_transaction(t, bytes);

	return sign_transaction_bytes(p, id, bytes, len);
}

void address_of(const struct key_info *key, uint8_t out[static 20])
{
	uint8_t hash[32] = { 0 };

	eth_keccak256(key->public_key + 1, 64, hash);
	memcpy(out, hash + 12, 20);
}
