/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#include <stdlib.h>

static void hash_repeated(const char *unit, size_t unit_len, size_t count, uint8_t out[static 32])
{
	struct eth_keccak k;

	eth_keccak_init(&k);
	for (size_t i = 0; i < count; i++)
		eth_keccak_update(&k, unit, unit_len);
	eth_keccak_final(&k, out);
}

static void hashes_the_published_messages(void **state)
{
	uint8_t out[32];

	(void)state;
	eth_keccak256(NULL, 0, out);
	assert_hash_is(out, "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
	eth_keccak256("abc", 3, out);
	assert_hash_is(out, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
	hash_repeated("\xa3", 1, 200, out);
	assert_hash_is(out, "3a57666b048777f2c953dc4456f45a2588e1cb6f2da760122d530ac2ce607d4a");
	hash_repeated("aaaaaaaaaa", 10, 100000, out);
	assert_hash_is(out, "fadae6b49f129bbb812be8407b7b2894f34aecf6dbd1f9b0f0c7e9853098fc96");
}

static void make_message(uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(7 * i + len);
}

static void hashes_every_length_around_the_rate(void **state)
{
	FILE *file = vectors_open("keccak.txt");
	char line[VECTOR_LINE_MAX];
	unsigned count = 0;

	(void)state;
	for (; vectors_next(file, line); count++) {
		char *rest = line;
		uint8_t message[1000];
		uint8_t expected[32];
		uint8_t out[32];
		size_t len = strtoul(vectors_word(&rest), NULL, 10);

		assert_in_range(len, 1, sizeof(message));
		vectors_hash(&rest, expected);
		make_message(message, len);
		eth_keccak256(message, len, out);
		assert_memory_equal(out, expected, 32);
	}
	fclose(file);
	assert_int_equal(count, 17);
}

static void gives_the_same_for_any_split_of_a_message(void **state)
{
	uint8_t message[300];
	uint8_t whole[32];
	uint8_t parts[32];

	(void)state;
	make_message(message, sizeof(message));
	eth_keccak256(message, sizeof(message), whole);
	for (size_t cut = 0; cut <= sizeof(message); cut++) {
		struct eth_keccak k;

		eth_keccak_init(&k);
		eth_keccak_update(&k, message, cut);
		eth_keccak_update(&k, message + cut, sizeof(message) - cut);
		eth_keccak_final(&k, parts);
		assert_memory_equal(parts, whole, 32);
	}
}

static void leaves_nothing_in_a_finished_state(void **state)
{
	static const struct eth_keccak wiped = { 0 };
	struct eth_keccak k;
	uint8_t out[32];

	(void)state;
	eth_keccak_init(&k);
	eth_keccak_update(&k, "secret", 6);
	eth_keccak_final(&k, out);
	assert_memory_equal(&k, &wiped, sizeof(k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_the_published_messages),
		cmocka_unit_test(hashes_every_length_around_the_rate),
		cmocka_unit_test(gives_the_same_for_any_split_of_a_message),
		cmocka_unit_test(leaves_nothing_in_a_finished_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
