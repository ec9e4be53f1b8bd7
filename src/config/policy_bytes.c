/* SPDX-License-Identifier: Apache-2.0 */
/* A policy as the TA has it (super_relay_ta.h), and as text again. */
#include "config/config_internal.h"

#include <stdio.h>
#include <string.h>

#include "eth/eth.h"
#include "super_relay_ta.h"

/* ---- bytes ------------------------------------------------------------------------ */

struct cursor {
	uint8_t *out;
	const uint8_t *in;
	size_t at, len;
	bool failed;
};

static void put(struct cursor *c, const void *data, size_t len)
{
	memcpy(c->out + c->at, data, len);
	c->at += len;
}

static void put_le(struct cursor *c, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		c->out[c->at++] = (uint8_t)(v >> (8 * i));
}

static void put_wei(struct cursor *c, const struct eth_u256 *v)
{
	uint8_t be[32];

	eth_u256_to_be(v, be);
	put(c, be + 16, 16);
}

static void put_addresses(struct cursor *c, const struct eth_address *list, unsigned count)
{
	put_le(c, count, 1);
	for (unsigned i = 0; i < count; i++)
		put(c, list[i].bytes, sizeof(list[i].bytes));
}

size_t config_policy_encode(const struct config_policy *p,
			    uint8_t out[static CONFIG_POLICY_BYTES_MAX])
{
	struct cursor c = { .out = out };

	put_le(&c, SR_TA_POLICY_VERSION, 1);
	put_le(&c, p->force_audit ? SR_TA_POLICY_FORCE_AUDIT : 0, 4);
	put_le(&c, p->chain_id_count, 1);
	for (unsigned i = 0; i < p->chain_id_count; i++)
		put_le(&c, p->chain_ids[i], 8);
	put_addresses(&c, p->entry_points, p->entry_point_count);
	put_addresses(&c, p->paymasters, p->paymaster_count);
	put_addresses(&c, p->beneficiaries, p->beneficiary_count);
	put_le(&c, p->max_validity, 4);
	put_le(&c, p->max_gas, 8);
	put_wei(&c, &p->max_fee_per_gas);
	put_wei(&c, &p->max_cost);
	put_le(&c, p->window, 4);
	put_wei(&c, &p->budget);
	put_le(&c, p->operations, 4);
	return c.at;
}

static void get(struct cursor *c, void *out, size_t len)
{
	c->failed = c->failed || len > c->len - c->at;
	if (c->failed) {
		memset(out, 0, len);
		return;
	}
	memcpy(out, c->in + c->at, len);
	c->at += len;
}

static uint64_t get_le(struct cursor *c, size_t size)
{
	uint8_t le[8] = { 0 };
	uint64_t v = 0;

	get(c, le, size);
	for (size_t i = 0; i < size; i++)
		v |= (uint64_t)le[i] << (8 * i);
	return v;
}

static struct eth_u256 get_wei(struct cursor *c)
{
	uint8_t be[32] = { 0 };

	get(c, be + 16, 16);
	return eth_u256_from_be(be);
}

static unsigned get_count(struct cursor *c)
{
	unsigned count = (unsigned)get_le(c, 1);

	c->failed = c->failed || count > CONFIG_POLICY_LIST_MAX;
	return c->failed ? 0 : count;
}

static unsigned get_addresses(struct cursor *c, struct eth_address *out)
{
	unsigned count = get_count(c);

	for (unsigned i = 0; i < count; i++)
		get(c, out[i].bytes, sizeof(out[i].bytes));
	return count;
}

bool config_policy_decode(struct sr_bytes bytes, struct config_policy *out, struct sr_error *err)
{
	struct cursor c = { .in = bytes.data, .len = bytes.len };
	uint64_t version = get_le(&c, 1);
	uint64_t flags = get_le(&c, 4);

	memset(out, 0, sizeof(*out));
	out->force_audit = flags & SR_TA_POLICY_FORCE_AUDIT;
	out->chain_id_count = get_count(&c);
	for (unsigned i = 0; i < out->chain_id_count; i++)
		out->chain_ids[i] = get_le(&c, 8);
	out->entry_point_count = get_addresses(&c, out->entry_points);
	out->paymaster_count = get_addresses(&c, out->paymasters);
	out->beneficiary_count = get_addresses(&c, out->beneficiaries);
	out->max_validity = (uint32_t)get_le(&c, 4);
	out->max_gas = get_le(&c, 8);
	out->max_fee_per_gas = get_wei(&c);
	out->max_cost = get_wei(&c);
	out->window = (uint32_t)get_le(&c, 4);
	out->budget = get_wei(&c);
	out->operations = (uint32_t)get_le(&c, 4);
	if (!c.failed && c.at == c.len && version == SR_TA_POLICY_VERSION &&
	    !(flags & ~(uint64_t)SR_TA_POLICY_FORCE_AUDIT))
		return true;
	return sr_fail(err, SR_E_CORRUPT, "the bytes are no policy of version %d",
		       SR_TA_POLICY_VERSION);
}

/* ---- text --------------------------------------------------------------------------- */

static void text_addresses(struct sr_buf *out, const char *name, const struct eth_address *list,
			   unsigned count)
{
	char text[ETH_ADDRESS_TEXT];

	sr_buf_printf(out, "%s = [", name);
	for (unsigned i = 0; i < count; i++) {
		eth_address_to_text(&list[i], text);
		sr_buf_printf(out, "%s\"%s\"", i ? ", " : "", text);
	}
	sr_buf_puts(out, "]\n");
}

/* digits / 10^decimals, without zeros at the end. */
static void put_decimal(struct sr_buf *out, const char *digits, size_t decimals)
{
	char padded[ETH_U256_DEC_MAX + 24];
	size_t len = strlen(digits);
	size_t zeros = len > decimals ? 0 : decimals + 1 - len;
	size_t end = 0;

	memset(padded, '0', zeros);
	memcpy(padded + zeros, digits, len + 1);
	end = zeros + len;
	len = end - decimals;
	while (end > len && padded[end - 1] == '0')
		end--;
	sr_buf_append(out, padded, len);
	if (end == len)
		return;
	sr_buf_puts(out, ".");
	sr_buf_append(out, padded + len, end - len);
}

/* In the unit that people would use; exact, so that it can be read again. */
static void text_wei(struct sr_buf *out, const char *name, const struct eth_u256 *v)
{
	char digits[ETH_U256_DEC_MAX];

	eth_u256_to_dec(v, digits);
	sr_buf_printf(out, "%s = \"", name);
	if (strlen(digits) > 14)
		put_decimal(out, digits, 18);
	else
		put_decimal(out, digits, strlen(digits) > 6 ? 9 : 0);
	sr_buf_printf(out, " %s\"\n",
		      strlen(digits) > 14  ? "eth"
		      : strlen(digits) > 6 ? "gwei"
					   : "wei");
}

static void text_seconds(struct sr_buf *out, const char *name, uint32_t v)
{
	if (v && v % 86400 == 0)
		sr_buf_printf(out, "%s = \"%ud\"\n", name, (unsigned)v / 86400);
	else if (v && v % 3600 == 0)
		sr_buf_printf(out, "%s = \"%uh\"\n", name, (unsigned)v / 3600);
	else if (v && v % 60 == 0)
		sr_buf_printf(out, "%s = \"%um\"\n", name, (unsigned)v / 60);
	else
		sr_buf_printf(out, "%s = \"%us\"\n", name, (unsigned)v);
}

void config_policy_to_toml(const struct config_policy *p, struct sr_buf *out)
{
	sr_buf_puts(out, "chain_ids = [");
	for (unsigned i = 0; i < p->chain_id_count; i++)
		sr_buf_printf(out, "%s%llu", i ? ", " : "", (unsigned long long)p->chain_ids[i]);
	sr_buf_puts(out, "]\n");
	text_addresses(out, "entry_points", p->entry_points, p->entry_point_count);
	text_addresses(out, "paymasters", p->paymasters, p->paymaster_count);
	text_addresses(out, "beneficiaries", p->beneficiaries, p->beneficiary_count);
	text_seconds(out, "max_validity", p->max_validity);
	sr_buf_printf(out, "max_gas = %llu\n", (unsigned long long)p->max_gas);
	text_wei(out, "max_fee_per_gas", &p->max_fee_per_gas);
	text_wei(out, "max_cost", &p->max_cost);
	text_seconds(out, "window", p->window);
	text_wei(out, "budget", &p->budget);
	sr_buf_printf(out, "operations = %u\n", (unsigned)p->operations);
	sr_buf_printf(out, "force_audit = %s\n", p->force_audit ? "true" : "false");
}
