/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth_core.h"

#include <string.h>

void eth_eip712_hashed_separator(const uint8_t name_hash[static 32],
				 const uint8_t version_hash[static 32],
				 const struct eth_u256 *chain_id,
				 const struct eth_address *contract, uint8_t out[static 32])
{
	static const char type[] = "EIP712Domain(string name,string version,uint256 chainId,"
				   "address verifyingContract)";
	/* encodeData: strings stand as their hashes, in the type's order */
	uint8_t words[5][32];

	eth_keccak256(type, sizeof(type) - 1, words[0]);
	memcpy(words[1], name_hash, 32);
	memcpy(words[2], version_hash, 32);
	eth_abi_u256(words[3], chain_id);
	eth_abi_address(words[4], contract);
	eth_keccak256(words, sizeof(words), out);
}

void eth_eip712_domain_separator(const struct eth_eip712_domain *d, uint8_t out[static 32])
{
	uint8_t name[32];
	uint8_t version[32];

	eth_keccak256(d->name, strlen(d->name), name);
	eth_keccak256(d->version, strlen(d->version), version);
	eth_eip712_hashed_separator(name, version, &d->chain_id, &d->verifying_contract, out);
}

void eth_eip712_digest(const uint8_t domain_separator[static 32],
		       const uint8_t struct_hash[static 32], uint8_t out[static 32])
{
	/* EIP-191's version byte for structured data, which no transaction begins with */
	static const uint8_t prefix[2] = { 0x19, 0x01 };
	struct eth_keccak k;

	eth_keccak_init(&k);
	eth_keccak_update(&k, prefix, sizeof(prefix));
	eth_keccak_update(&k, domain_separator, 32);
	eth_keccak_update(&k, struct_hash, 32);
	eth_keccak_final(&k, out);
}
