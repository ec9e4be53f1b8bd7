/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "kms/kms_private.h"

void kms_put_bytes(struct kms_writer *w, const void *data, size_t len)
{
	if (w->failed || len > w->size - w->len) {
		w->failed = true;
		return;
	}
	if (len)
		memcpy(w->data + w->len, data, len);
	w->len += len;
}

static void put_le(struct kms_writer *w, uint64_t v, size_t size)
{
	uint8_t le[8] = { 0 };

	for (size_t i = 0; i < size; i++)
		le[i] = (uint8_t)(v >> (8 * i));
	kms_put_bytes(w, le, size);
}

void kms_put_u8(struct kms_writer *w, uint8_t v)
{
	put_le(w, v, 1);
}

void kms_put_u16(struct kms_writer *w, uint16_t v)
{
	put_le(w, v, 2);
}

void kms_put_u32(struct kms_writer *w, uint32_t v)
{
	put_le(w, v, 4);
}

void kms_put_u64(struct kms_writer *w, uint64_t v)
{
	put_le(w, v, 8);
}

void kms_put_text(struct kms_writer *w, const char *text)
{
	size_t len = strlen(text);

	if (len > UINT8_MAX) {
		w->failed = true;
		return;
	}
	kms_put_u8(w, (uint8_t)len);
	kms_put_bytes(w, text, len);
}

void kms_put_long(struct kms_writer *w, const void *data, size_t len)
{
	if (len > UINT16_MAX) {
		w->failed = true;
		return;
	}
	kms_put_u16(w, (uint16_t)len);
	kms_put_bytes(w, data, len);
}

static void put_common(struct kms_writer *w, const struct eth_sponsorship *s)
{
	kms_put_u64(w, s->chain_id);
	kms_put_bytes(w, s->entry_point.bytes, sizeof(s->entry_point.bytes));
	kms_put_bytes(w, s->paymaster.bytes, sizeof(s->paymaster.bytes));
	kms_put_bytes(w, s->sender.bytes, sizeof(s->sender.bytes));
	kms_put_bytes(w, s->nonce, sizeof(s->nonce));
	kms_put_bytes(w, s->init_code_hash, sizeof(s->init_code_hash));
	kms_put_bytes(w, s->call_data_hash, sizeof(s->call_data_hash));
	kms_put_bytes(w, s->account_gas_limits, sizeof(s->account_gas_limits));
	kms_put_bytes(w, s->paymaster_gas_limits, sizeof(s->paymaster_gas_limits));
	kms_put_bytes(w, s->pre_verification_gas, sizeof(s->pre_verification_gas));
	kms_put_bytes(w, s->gas_fees, sizeof(s->gas_fees));
	kms_put_u64(w, s->valid_until);
	kms_put_u64(w, s->valid_after);
}

static void put_short(struct kms_writer *w, const uint8_t *data, size_t len)
{
	w->failed = w->failed || len > UINT8_MAX;
	kms_put_u8(w, (uint8_t)len);
	kms_put_bytes(w, data, len);
}

void kms_put_sponsorship(struct kms_writer *w, const struct eth_sponsorship *s)
{
	put_common(w, s);
	switch (s->scheme) {
	case ETH_SCHEME_VERIFYING_PAYMASTER_V06:
		kms_put_bytes(w, s->sender_nonce, sizeof(s->sender_nonce));
		kms_put_long(w, s->init_code, s->init_code_len);
		kms_put_long(w, s->call_data, s->call_data_len);
		return;
	case ETH_SCHEME_SINGLETON_V8:
		kms_put_bytes(w, s->delegate_init_code_hash, sizeof(s->delegate_init_code_hash));
		put_short(w, s->data, s->data_len);
		return;
	case ETH_SCHEME_SINGLETON_V6:
	case ETH_SCHEME_SINGLETON_V7:
		put_short(w, s->data, s->data_len);
		return;
	case ETH_SCHEME_OPENZEPPELIN:
		kms_put_bytes(w, s->domain_name_hash, sizeof(s->domain_name_hash));
		kms_put_bytes(w, s->domain_version_hash, sizeof(s->domain_version_hash));
		return;
	default:
		return;
	}
}

size_t kms_sponsorship_size(const struct eth_sponsorship *s)
{
	switch (s->scheme) {
	case ETH_SCHEME_VERIFYING_PAYMASTER_V06:
		return SR_TA_SPONSORSHIP_SIZE + 32 + 2 + s->init_code_len + 2 + s->call_data_len;
	case ETH_SCHEME_SINGLETON_V8:
		return SR_TA_SPONSORSHIP_SIZE + 32 + 1 + s->data_len;
	case ETH_SCHEME_SINGLETON_V6:
	case ETH_SCHEME_SINGLETON_V7:
		return SR_TA_SPONSORSHIP_SIZE + 1 + s->data_len;
	case ETH_SCHEME_OPENZEPPELIN:
		return SR_TA_SPONSORSHIP_SIZE + 2 * 32;
	default:
		return SR_TA_SPONSORSHIP_SIZE;
	}
}

void kms_get_bytes(struct kms_reader *r, void *out, size_t len)
{
	if (r->failed || len > r->len - r->at) {
		r->failed = true;
		memset(out, 0, len);
		return;
	}
	if (len)
		memcpy(out, r->data + r->at, len);
	r->at += len;
}

static uint64_t get_le(struct kms_reader *r, size_t size)
{
	uint8_t le[8] = { 0 };
	uint64_t v = 0;

	kms_get_bytes(r, le, size);
	for (size_t i = 0; i < size; i++)
		v |= (uint64_t)le[i] << (8 * i);
	return v;
}

uint8_t kms_get_u8(struct kms_reader *r)
{
	return (uint8_t)get_le(r, 1);
}

uint16_t kms_get_u16(struct kms_reader *r)
{
	return (uint16_t)get_le(r, 2);
}

uint32_t kms_get_u32(struct kms_reader *r)
{
	return (uint32_t)get_le(r, 4);
}

uint64_t kms_get_u64(struct kms_reader *r)
{
	return get_le(r, 8);
}

void kms_get_text(struct kms_reader *r, char *out, size_t size)
{
	size_t len = kms_get_u8(r);

	out[0] = '\0';
	if (len >= size) {
		r->failed = true;
		return;
	}
	kms_get_bytes(r, out, len);
	out[len] = '\0';
}

size_t kms_get_long(struct kms_reader *r, void *out, size_t size)
{
	size_t len = kms_get_u16(r);

	if (len > size) {
		r->failed = true;
		return 0;
	}
	kms_get_bytes(r, out, len);
	return r->failed ? 0 : len;
}

void kms_get_key_info(struct kms_reader *r, struct kms_key *out)
{
	memset(out, 0, sizeof(*out));
	kms_get_text(r, out->id, sizeof(out->id));
	out->algorithm = kms_get_u8(r);
	out->origin = kms_get_u8(r);
	out->usage = kms_get_u32(r);
	out->created = kms_get_u64(r);
	out->public_key_len = kms_get_u8(r);
	if (out->public_key_len > sizeof(out->public_key)) {
		out->public_key_len = 0;
		r->failed = true;
		return;
	}
	kms_get_bytes(r, out->public_key, out->public_key_len);
	out->policy_version = kms_get_u32(r);
}

bool kms_reader_done(struct kms_reader *r)
{
	unsigned count = kms_get_u16(r);
	uint8_t record[UINT8_MAX];

	for (unsigned i = 0; i < count && !r->failed; i++)
		kms_get_bytes(r, record, kms_get_u8(r));
	return !r->failed && r->at == r->len;
}
