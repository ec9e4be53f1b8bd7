/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#define ADDRESS "1111111111111111111111111111111111111111"
#define R "7777777777777777777777777777777777777777777777777777777777777777"
#define S "1212121212121212121212121212121212121212121212121212121212121212"
#define ORDER "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
#define HALF_ORDER "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0"
#define KEY "a0" R

/* The fields in their order, each an RLP item in hex. */
enum { CHAIN, NONCE, PRIORITY, FEE, GAS, TO, VALUE, DATA, ACCESS, AUTHORIZATIONS, FIELDS };

static const char *const plain[FIELDS] = {
	"01", "07", "843b9aca00", "8506fc23ac00", "825208", ("94" ADDRESS), "80", "80", "c0", NULL,
};
#define TUPLE "f85a8094" ADDRESS "0501a0" R "a0" S
#define DELEGATION "f85c" TUPLE

static void append_hex(struct sr_buf *out, const char *hex)
{
	uint8_t bytes[2048];
	size_t len = strlen(hex) / 2;

	assert_true(len <= sizeof(bytes) && sr_hex_decode(hex, 2 * len, bytes, len));
	sr_buf_append(out, bytes, len);
}

/* Writes a transaction of the plain fields with one of them replaced, and with authorizations
 * where they are given. */
static void encode(uint8_t type, const char *authorizations, int field, const char *with,
		   struct sr_buf *out)
{
	struct sr_buf payload = { 0 };

	for (int i = 0; i < FIELDS; i++) {
		const char *item = i == AUTHORIZATIONS ? authorizations : plain[i];

		if (i == field)
			item = with;
		if (item)
			append_hex(&payload, item);
	}
	sr_buf_append(out, &type, 1);
	eth_rlp_put_list_header(out, payload.len);
	sr_buf_append(out, payload.data, payload.len);
	assert_false(out->failed || payload.failed);
	sr_buf_free(&payload);
}

static enum eth_transaction_result parse_with(uint8_t type, int field, const char *with,
					      struct eth_unsigned_transaction *out)
{
	/* kept until the next call: out has a view */
	static struct sr_buf encoded = { 0 };

	sr_buf_free(&encoded);
	encode(type, type == 4 ? DELEGATION : NULL, field, with, &encoded);
	return eth_unsigned_transaction_parse(encoded.data, encoded.len, out);
}

static void assert_taken(uint8_t type, int field, const char *with, bool taken)
{
	struct eth_unsigned_transaction tx = { 0 };
	enum eth_transaction_result expected =
		taken ? ETH_TRANSACTION_OK : ETH_TRANSACTION_BAD_FORMAT;

	if (parse_with(type, field, with, &tx) != expected)
		fail_msg("type %u, field %d: expected %s for %s", type, field,
			 taken ? "success" : "BAD_FORMAT", with);
}

/* what viem 2 serializes, and its Keccak */
static void reads_a_plain_transaction(void **state)
{
	struct eth_unsigned_transaction tx = { 0 };
	struct sr_buf encoded = { 0 };
	uint8_t hash[32];

	(void)state;
	encode(2, NULL, -1, NULL, &encoded);
	eth_keccak256(encoded.data, encoded.len, hash);
	assert_hash_is(hash, "875c07993a9b2119357ecd089721eca8d70ce76e566ab5beaa720ad5b85b1b43");
	assert_int_equal(eth_unsigned_transaction_parse(encoded.data, encoded.len, &tx),
			 ETH_TRANSACTION_OK);
	assert_int_equal(tx.type, 2);
	assert_int_equal(tx.chain_id, 1);
	assert_int_equal(tx.nonce, 7);
	assert_true(tx.max_priority_fee_per_gas.limb[0] == 1000000000);
	assert_true(tx.max_fee_per_gas.limb[0] == 30000000000);
	assert_int_equal(tx.gas, 21000);
	assert_true(tx.has_to && tx.to.bytes[0] == 0x11 && tx.to.bytes[19] == 0x11);
	assert_true(eth_u256_is_zero(&tx.value));
	assert_int_equal(tx.data.len, 0);
	assert_int_equal(tx.access_list_count + tx.authorization_count, 0);
	sr_buf_free(&encoded);
}

static void reads_a_delegation(void **state)
{
	struct eth_unsigned_transaction tx = { 0 };
	struct sr_buf encoded = { 0 };
	uint8_t hash[32];

	(void)state;
	encode(4,
	       "f85cf85a8094666666666666666666666666666666666666666605"
	       "01a0" R "a0" S,
	       -1, NULL, &encoded);
	eth_keccak256(encoded.data, encoded.len, hash);
	assert_hash_is(hash, "09f2b01292ab78a80a8b14ca1f67c1b3a1e6fe1bfcfb399e533913b5d09fe922");
	assert_int_equal(eth_unsigned_transaction_parse(encoded.data, encoded.len, &tx),
			 ETH_TRANSACTION_OK);
	assert_int_equal(tx.type, 4);
	assert_int_equal(tx.authorization_count, 1);
	sr_buf_free(&encoded);
}

static void reads_data_and_lists(void **state)
{
	struct eth_unsigned_transaction tx = { 0 };

	(void)state;
	assert_int_equal(parse_with(2, DATA, "84deadbeef", &tx), ETH_TRANSACTION_OK);
	assert_int_equal(tx.data.len, 4);
	assert_int_equal(tx.data.data[0], 0xde);
	assert_int_equal(parse_with(2, TO, "80", &tx), ETH_TRANSACTION_OK);
	assert_false(tx.has_to);
	assert_int_equal(parse_with(2, ACCESS, "f84fd694" ADDRESS "c0f794" ADDRESS "e1" KEY, &tx),
			 ETH_TRANSACTION_OK);
	assert_int_equal(tx.access_list_count, 2);
}

static void takes_the_largest_numbers_and_no_larger(void **state)
{
	static const struct {
		int field;
		const char *largest;
		const char *larger;
	} cases[] = {
		{ CHAIN, "88ffffffffffffffff", "89010000000000000000" },
		{ NONCE, "88ffffffffffffffff", "89010000000000000000" },
		{ GAS, "88ffffffffffffffff", "89010000000000000000" },
		{ PRIORITY, "90ffffffffffffffffffffffffffffffff",
		  "910100000000000000000000000000000000" },
		{ FEE, "90ffffffffffffffffffffffffffffffff",
		  "910100000000000000000000000000000000" },
		{ VALUE, "a0" ORDER, "a101" R },
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		assert_taken(2, cases[i].field, cases[i].largest, true);
		assert_taken(2, cases[i].field, cases[i].larger, false);
	}
}

static void refuses_integers_that_are_not_minimal(void **state)
{
	static const char *const cases[] = { "00", "8101", "820001", "8100", "c0", "b80101" };

	(void)state;
	for (int field = CHAIN; field <= VALUE; field++) {
		for (size_t i = 0; field != TO && i < SR_ARRAY_LEN(cases); i++)
			assert_taken(2, field, cases[i], false);
	}
}

static void refuses_addresses_and_data_of_another_form(void **state)
{
	(void)state;
	assert_taken(2, TO,
		     "93"
		     "11111111111111111111111111111111111111",
		     false);
	assert_taken(2, TO, "95" ADDRESS "11", false);
	assert_taken(2, TO, "d4" ADDRESS, false);
	assert_taken(2, TO, "01", false);
	assert_taken(2, DATA, "c0", false);
	assert_taken(2, DATA, "8101", false);
	assert_taken(2, DATA, "b80401020304", false);
}

static void refuses_access_lists_of_another_form(void **state)
{
	static const char *const cases[] = {
		"80",			 /* a string */
		"c180",			 /* no list within */
		"c1c0",			 /* an empty entry */
		"d694" ADDRESS "80",	 /* no list for an entry */
		"d6d594" ADDRESS,	 /* no keys */
		"d7d694" ADDRESS "80",	 /* keys are a string */
		"d8d794" ADDRESS "c180", /* a short key */
		"d8d794" ADDRESS "c080", /* something behind the keys */
		"d7d69311"
		"111111111111111111111111111111111111"
		"80c0",			     /* a short address */
		"f838f794" ADDRESS "e1e0" R, /* a key that is a list */
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++)
		assert_taken(2, ACCESS, cases[i], false);
}

static void takes_only_authorizations_that_can_be_good(void **state)
{
	(void)state;
	assert_taken(4, AUTHORIZATIONS, DELEGATION, true);
	assert_taken(4, AUTHORIZATIONS, "f8b8" TUPLE TUPLE, true);
	/* parity 0, chain 1 */
	assert_taken(4, AUTHORIZATIONS, "f85cf85a0194" ADDRESS "0580a0" R "a0" S, true);
	/* the largest r and s */
	assert_taken(4, AUTHORIZATIONS,
		     "f85cf85a8094" ADDRESS "0501a0"
		     "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140"
		     "a0" HALF_ORDER,
		     true);
}

static void refuses_authorizations_of_another_form(void **state)
{
	static const char *const cases[] = {
		"c0",					       /* none */
		"80",					       /* a string */
		"c180",					       /* not a tuple */
		"f83bf8398094" ADDRESS "0501a0" R,	       /* no s */
		"f85df85b8094" ADDRESS "0501a0" R "a0" S "80", /* a field too many */
		"f85cf85a8094" ADDRESS "0502a0" R "a0" S,      /* parity 2 */
		"f85df85b8094" ADDRESS "05811ba0" R "a0" S,    /* v instead of a parity */
		"f83cf83a8094" ADDRESS "050180a0" S,	       /* r 0 */
		"f83cf83a8094" ADDRESS "0501a0" R "80",	       /* s 0 */
		"f85cf85a8094" ADDRESS "0501a0" ORDER "a0" S,  /* r = n */
		"f85cf85a8094" ADDRESS "0501a0" R "a0" ORDER,  /* s = n */
		/* the least s that is high */
		"f85cf85a8094" ADDRESS "0501a0" R "a0"
		"7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1",
		"f848f846"
		"80"
		"80"
		"0501a0" R "a0" S "80"
		"80"
		"80", /* no address */
		"f865f86380"
		"94" ADDRESS "89010000000000000000"
		"01a0" R "a0" S, /* nonce */
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++)
		assert_taken(4, AUTHORIZATIONS, cases[i], false);
	/* EIP-7702 creates no contracts */
	assert_taken(4, TO, "80", false);
	/* and the list belongs to its type */
	assert_taken(4, AUTHORIZATIONS, NULL, false);
	assert_taken(2, AUTHORIZATIONS, DELEGATION, false);
}

static void refuses_what_is_cut_or_followed(void **state)
{
	struct eth_unsigned_transaction tx = { 0 };
	struct sr_buf encoded = { 0 };

	(void)state;
	encode(4, DELEGATION, -1, NULL, &encoded);
	for (size_t len = 0; len < encoded.len; len++)
		assert_int_equal(eth_unsigned_transaction_parse(encoded.data, len, &tx),
				 ETH_TRANSACTION_BAD_FORMAT);
	sr_buf_append(&encoded, "", 1);
	assert_int_equal(eth_unsigned_transaction_parse(encoded.data, encoded.len, &tx),
			 ETH_TRANSACTION_BAD_FORMAT);
	sr_buf_free(&encoded);
	/* a signed transaction has three fields more */
	assert_taken(2, AUTHORIZATIONS, "01a0" R "a0" S, false);
	assert_taken(2, CHAIN, "", false);
}

static void names_other_types(void **state)
{
	static const uint8_t types[] = { 0x00, 0x01, 0x03, 0x05, 0x7f, 0xc0, 0xf8 };
	struct eth_unsigned_transaction tx = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(types); i++)
		assert_int_equal(parse_with(types[i], -1, NULL, &tx), ETH_TRANSACTION_UNKNOWN_TYPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_plain_transaction),
		cmocka_unit_test(reads_a_delegation),
		cmocka_unit_test(reads_data_and_lists),
		cmocka_unit_test(takes_the_largest_numbers_and_no_larger),
		cmocka_unit_test(refuses_integers_that_are_not_minimal),
		cmocka_unit_test(refuses_addresses_and_data_of_another_form),
		cmocka_unit_test(refuses_access_lists_of_another_form),
		cmocka_unit_test(takes_only_authorizations_that_can_be_good),
		cmocka_unit_test(refuses_authorizations_of_another_form),
		cmocka_unit_test(refuses_what_is_cut_or_followed),
		cmocka_unit_test(names_other_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
