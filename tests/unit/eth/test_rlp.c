/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

static struct sr_bytes decode_hex(const char *hex, uint8_t *out)
{
	size_t len = strcmp(hex, "-") == 0 ? 0 : strlen(hex) / 2;

	if (len > 0 && !sr_hex_decode(hex, strlen(hex), out, len))
		fail_msg("no hex in a vector: %s", hex);
	return (struct sr_bytes){ out, len };
}

/* Writes an item again, as taken apart. */
static void write_again(struct sr_bytes in, struct sr_buf *out)
{
	while (in.len > 0) {
		struct eth_rlp_item item = { 0 };
		struct sr_buf inner = { 0 };

		assert_true(eth_rlp_take(&in, &item));
		if (item.is_list) {
			write_again(item.payload, &inner);
			eth_rlp_put_list_header(out, inner.len);
			sr_buf_append(out, inner.data, inner.len);
			sr_buf_free(&inner);
		} else {
			eth_rlp_put_bytes(out, item.payload.data, item.payload.len);
		}
	}
}

static void check_vector(bool valid, const char *name, struct sr_bytes encoding)
{
	struct sr_buf again = { 0 };

	if (eth_rlp_check(encoding, 8) != valid)
		fail_msg("%s: expected %s", name, valid ? "valid" : "invalid");
	if (!valid)
		return;
	write_again(encoding, &again);
	if (again.len != encoding.len || memcmp(again.data, encoding.data, again.len) != 0)
		fail_msg("%s: does not survive a round trip", name);
	sr_buf_free(&again);
}

static void tells_canonical_encodings_from_others(void **state)
{
	FILE *file = vectors_open("rlp.txt");
	char line[VECTOR_LINE_MAX];
	unsigned valid = 0;
	unsigned invalid = 0;

	(void)state;
	while (vectors_next(file, line)) {
		uint8_t bytes[VECTOR_LINE_MAX / 2];
		char *rest = line;
		bool ok = strcmp(vectors_word(&rest), "ok") == 0;
		const char *name = vectors_word(&rest);

		check_vector(ok, name, decode_hex(vectors_word(&rest), bytes));
		valid += ok;
		invalid += !ok;
	}
	fclose(file);
	assert_int_equal(valid, 21);
	assert_int_equal(invalid, 32);
}

static void assert_encodes(struct sr_buf *got, const char *hex)
{
	char text[128] = { 0 };

	assert_false(got->failed);
	assert_in_range(got->len, 1, 40);
	sr_hex_encode(got->data, got->len, text);
	assert_string_equal(text, hex);
	sr_buf_clear(got);
}

static void encodes_integers_without_leading_zeros(void **state)
{
	static const struct {
		uint64_t value;
		const char *hex;
	} cases[] = {
		{ 0, "80" },
		{ 1, "01" },
		{ 127, "7f" },
		{ 128, "8180" },
		{ 255, "81ff" },
		{ 256, "820100" },
		{ 1000, "8203e8" },
		{ 100000, "830186a0" },
		{ UINT32_MAX, "84ffffffff" },
		{ (uint64_t)1 << 32, "850100000000" },
		{ UINT64_MAX, "88ffffffffffffffff" },
	};
	struct sr_buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		struct eth_u256 v = eth_u256_from_u64(cases[i].value);

		eth_rlp_put_u64(&out, cases[i].value);
		assert_encodes(&out, cases[i].hex);
		eth_rlp_put_u256(&out, &v);
		assert_encodes(&out, cases[i].hex);
	}
	eth_rlp_put_u256(&out, &(struct eth_u256){ { 0, 0, 0, (uint64_t)1 << 63 } });
	assert_encodes(&out, "a08000000000000000000000000000000000000000000000000000000000000000");
	sr_buf_free(&out);
}

static void encodes_long_headers_minimally(void **state)
{
	struct sr_buf out = { 0 };

	(void)state;
	eth_rlp_put_list_header(&out, 55);
	assert_encodes(&out, "f7");
	eth_rlp_put_list_header(&out, 56);
	assert_encodes(&out, "f838");
	eth_rlp_put_list_header(&out, 255);
	assert_encodes(&out, "f8ff");
	eth_rlp_put_list_header(&out, 256);
	assert_encodes(&out, "f90100");
	eth_rlp_put_list_header(&out, 0x1000000);
	assert_encodes(&out, "fb01000000");
	sr_buf_free(&out);
}

static bool as_integer(const char *hex, struct eth_u256 *out)
{
	uint8_t bytes[64];
	struct sr_bytes in = decode_hex(hex, bytes);
	struct eth_rlp_item item = { 0 };

	assert_true(eth_rlp_take(&in, &item));
	return eth_rlp_item_u256(&item, out);
}

static void reads_integers_and_refuses_other_items(void **state)
{
	struct eth_u256 v = { { 0 } };

	(void)state;
	assert_true(as_integer("80", &v));
	assert_true(eth_u256_is_zero(&v));
	assert_true(as_integer("8203e8", &v));
	assert_true(v.limb[0] == 1000);
	assert_true(as_integer("a0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
			       &v));
	assert_int_equal(eth_u256_bits(&v), 256);
	/* a zero byte, a leading zero, 33 bytes, a list */
	assert_false(as_integer("00", &v));
	assert_false(as_integer("820001", &v));
	assert_false(as_integer(
		"a1010000000000000000000000000000000000000000000000000000000000000000", &v));
	assert_false(as_integer("c0", &v));
}

static void bounds_the_depth_of_lists(void **state)
{
	/* three lists, one in the other */
	static const uint8_t nested[] = { 0xc2, 0xc1, 0xc0 };
	static const uint8_t string[] = { 0x83, 'd', 'o', 'g' };

	(void)state;
	assert_true(eth_rlp_check(SR_BYTES(nested), 3));
	assert_false(eth_rlp_check(SR_BYTES(nested), 2));
	assert_true(eth_rlp_check(SR_BYTES(string), 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_canonical_encodings_from_others),
		cmocka_unit_test(encodes_integers_without_leading_zeros),
		cmocka_unit_test(encodes_long_headers_minimally),
		cmocka_unit_test(reads_integers_and_refuses_other_items),
		cmocka_unit_test(bounds_the_depth_of_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
