/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

static struct eth_address repeated_address(uint8_t byte)
{
	struct eth_address a = { { 0 } };

	memset(a.bytes, byte, sizeof(a.bytes));
	return a;
}

static struct eth_address read_address(const char *text)
{
	struct eth_address a = { { 0 } };

	assert_true(eth_address_from_text(text, strlen(text), &a, NULL));
	return a;
}

static void hash_text(const char *text, uint8_t out[static 32])
{
	eth_keccak256(text, strlen(text), out);
}

static void hash_person(const char *name, const char *wallet, uint8_t out[static 32])
{
	struct eth_address a = read_address(wallet);
	uint8_t words[3][32];

	hash_text("Person(string name,address wallet)", words[0]);
	hash_text(name, words[1]);
	eth_abi_address(words[2], &a);
	eth_keccak256(words, sizeof(words), out);
}

/* the worked example of EIP-712's text */
static void gives_the_standards_mail_digest(void **state)
{
	struct eth_eip712_domain domain = { "Ether Mail", "1", eth_u256_from_u64(1),
					    repeated_address(0xcc) };
	uint8_t words[4][32];
	uint8_t separator[32];
	uint8_t mail[32];
	uint8_t digest[32];

	(void)state;
	eth_eip712_domain_separator(&domain, separator);
	assert_hash_is(separator,
		       "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f");
	hash_text("Mail(Person from,Person to,string contents)Person(string name,address wallet)",
		  words[0]);
	hash_person("Cow", "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826", words[1]);
	hash_person("Bob", "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB", words[2]);
	hash_text("Hello, Bob!", words[3]);
	eth_keccak256(words, sizeof(words), mail);
	assert_hash_is(mail, "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e");
	eth_eip712_digest(separator, mail, digest);
	assert_hash_is(digest, "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
}

static void prefixes_a_personal_message(void **state)
{
	uint8_t hash[32];
	uint8_t digest[32];

	(void)state;
	eth_keccak256(NULL, 0, hash);
	eth_personal_digest(hash, digest);
	assert_hash_is(digest, "618e860eefb172f655b56aad9bdc5685c037efba70b9c34a8e303b19778efd2c");
	/* in place too */
	eth_personal_digest(hash, hash);
	assert_memory_equal(hash, digest, 32);
}

static void writes_abi_words(void **state)
{
	struct eth_address a = repeated_address(0xab);
	struct eth_u256 v = { { 1, 2, 3, 4 } };
	uint8_t word[32];

	(void)state;
	memset(word, 0xee, sizeof(word));
	eth_abi_u64(word, 0x0102030405060708);
	assert_hash_is(word, "0000000000000000000000000000000000000000000000000102030405060708");
	memset(word, 0xee, sizeof(word));
	eth_abi_address(word, &a);
	assert_hash_is(word, "000000000000000000000000abababababababababababababababababababab");
	eth_abi_u256(word, &v);
	assert_hash_is(word, "0000000000000004000000000000000300000000000000020000000000000001");
}

static void pads_to_whole_words(void **state)
{
	(void)state;
	assert_int_equal(eth_abi_padded(0), 0);
	assert_int_equal(eth_abi_padded(1), 32);
	assert_int_equal(eth_abi_padded(31), 32);
	assert_int_equal(eth_abi_padded(32), 32);
	assert_int_equal(eth_abi_padded(33), 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_standards_mail_digest),
		cmocka_unit_test(prefixes_a_personal_message),
		cmocka_unit_test(writes_abi_words),
		cmocka_unit_test(pads_to_whole_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
