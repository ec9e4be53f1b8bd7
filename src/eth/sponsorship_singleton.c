/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/sponsorship_private.h"

/*
 * Pimlico's SingletonPaymaster. paymasterData begins with a byte (mode << 1 | allow all
 * bundlers); then, in the verifying mode, validUntil (6) and validAfter (6), and in the ERC-20
 * mode: flags (1) ‖ validUntil (6) ‖ validAfter (6) ‖ token (20) ‖ postOp gas (16) ‖
 * exchange rate (32) ‖ validation gas limit (16) ‖ treasury (20), and as the flags say prefund
 * (16), constant fee (16), recipient (20). All of it is signed.
 */
#define MODE_VERIFYING 0
#define MODE_ERC20 1
#define ERC20_LEN (1 + 117) /* without what is optional */
#define FLAG_CONSTANT_FEE 0x01u
#define FLAG_RECIPIENT 0x02u
#define FLAG_PREFUND 0x04u

/* Where things stand in the ERC-20 mode's data. */
#define TOKEN 14
#define EXCHANGE_RATE (TOKEN + 20 + 16)

static uint64_t read_time(const uint8_t *p)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < 6; i++)
		v = v << 8 | p[i];
	return v;
}

static bool names_times(const struct eth_sponsorship *s, size_t at)
{
	return read_time(s->data + at) == s->valid_until &&
	       read_time(s->data + at + 6) == s->valid_after;
}

/* The contract reverts on a zero token, rate or recipient. */
static bool erc20_data_ok(const struct eth_sponsorship *s)
{
	uint8_t flags = s->data_len > 1 ? s->data[1] : 0;
	size_t len = ERC20_LEN;

	if (flags & ~(FLAG_CONSTANT_FEE | FLAG_RECIPIENT | FLAG_PREFUND))
		return false;
	len += (flags & FLAG_PREFUND ? 16u : 0u) + (flags & FLAG_CONSTANT_FEE ? 16u : 0u) +
	       (flags & FLAG_RECIPIENT ? 20u : 0u);
	if (s->data_len != len || !names_times(s, 2))
		return false;
	return !eth_all_zero(s->data + TOKEN, 20) && !eth_all_zero(s->data + EXCHANGE_RATE, 32) &&
	       (!(flags & FLAG_RECIPIENT) || !eth_all_zero(s->data + len - 20, 20));
}

static bool data_ok(const struct eth_sponsorship *s)
{
	if (s->data_len < ETH_SINGLETON_VERIFYING_LEN)
		return false;
	switch (s->data[0] >> 1) {
	case MODE_VERIFYING:
		return s->data_len == ETH_SINGLETON_VERIFYING_LEN && names_times(s, 1);
	case MODE_ERC20:
		return erc20_data_ok(s);
	default:
		return false;
	}
}

/* H(paymasterAndData without the signature) */
static void hash_paymaster_and_data(const struct eth_sponsorship *s, uint8_t out[static 32])
{
	struct eth_keccak k;

	eth_keccak_init(&k);
	eth_keccak_update(&k, s->paymaster.bytes, sizeof(s->paymaster.bytes));
	if (s->scheme != ETH_SCHEME_SINGLETON_V6)
		eth_keccak_update(&k, s->paymaster_gas_limits, 32);
	eth_keccak_update(&k, s->data, s->data_len);
	eth_keccak_final(&k, out);
}

static void absorb_v6(struct eth_keccak *k, const struct eth_sponsorship *s)
{
	eth_absorb_half(k, s->account_gas_limits + 16);
	eth_absorb_half(k, s->account_gas_limits);
	eth_keccak_update(k, s->pre_verification_gas, 32);
	eth_absorb_half(k, s->gas_fees + 16);
	eth_absorb_half(k, s->gas_fees);
	/* callData first: the two contracts differ in this */
	eth_keccak_update(k, s->call_data_hash, 32);
	eth_keccak_update(k, s->init_code_hash, 32);
}

static void absorb_v7(struct eth_keccak *k, const struct eth_sponsorship *s)
{
	eth_keccak_update(k, s->account_gas_limits, 32);
	eth_keccak_update(k, s->pre_verification_gas, 32);
	eth_keccak_update(k, s->gas_fees, 32);
	eth_keccak_update(k, s->init_code_hash, 32);
	eth_keccak_update(k, s->call_data_hash, 32);
}

/* The contract's getHash, which V8 has around V7's. */
static void get_hash(const struct eth_sponsorship *s, uint8_t out[static 32])
{
	uint8_t data_hash[32];
	struct eth_keccak k;

	hash_paymaster_and_data(s, data_hash);
	eth_keccak_init(&k);
	eth_absorb_address(&k, &s->sender);
	eth_keccak_update(&k, s->nonce, 32);
	if (s->scheme == ETH_SCHEME_SINGLETON_V6)
		absorb_v6(&k, s);
	else
		absorb_v7(&k, s);
	eth_keccak_update(&k, data_hash, 32);
	eth_keccak_final(&k, out);

	eth_keccak_init(&k);
	eth_keccak_update(&k, out, 32);
	eth_absorb_u64(&k, s->chain_id);
	eth_keccak_final(&k, out);
	if (s->scheme != ETH_SCHEME_SINGLETON_V8)
		return;
	eth_keccak_init(&k);
	eth_keccak_update(&k, out, 32);
	eth_keccak_update(&k, s->delegate_init_code_hash, 32);
	eth_keccak_final(&k, out);
}

bool eth_singleton_digest(const struct eth_sponsorship *s, uint8_t out[static 32])
{
	uint8_t hash[32];

	if (!data_ok(s))
		return false;
	if (s->scheme == ETH_SCHEME_SINGLETON_V6 && !eth_all_zero(s->paymaster_gas_limits, 32))
		return false;
	get_hash(s, hash);
	eth_personal_digest(hash, out);
	return true;
}
