/* SPDX-License-Identifier: Apache-2.0 */
#include "eth/eth.h"

#include <string.h>

/*
 * The singletons that everybody's accounts and paymasters trust. Deployed
 * deterministically, so each has the same address on every chain.
 */
struct deployment {
	enum eth_entry_point version;
	const char *name;
	struct eth_address address;
};

static const struct deployment deployments[] = {
	{ ETH_ENTRY_POINT_V06, "0.6", { { 0x5f, 0xf1, 0x37, 0xd4, 0xb0, 0xfd, 0xcd,
					  0x49, 0xdc, 0xa3, 0x0c, 0x7c, 0xf5, 0x7e,
					  0x57, 0x8a, 0x02, 0x6d, 0x27, 0x89 } } },
	{ ETH_ENTRY_POINT_V07, "0.7", { { 0x00, 0x00, 0x00, 0x00, 0x71, 0x72, 0x7d,
					  0xe2, 0x2e, 0x5e, 0x9d, 0x8b, 0xaf, 0x0e,
					  0xda, 0xc6, 0xf3, 0x7d, 0xa0, 0x32 } } },
	{ ETH_ENTRY_POINT_V08, "0.8", { { 0x43, 0x37, 0x08, 0x4d, 0x9e, 0x25, 0x5f,
					  0xf0, 0x70, 0x24, 0x61, 0xcf, 0x88, 0x95,
					  0xce, 0x9e, 0x3b, 0x5f, 0xf1, 0x08 } } },
	{ ETH_ENTRY_POINT_V09, "0.9", { { 0x43, 0x37, 0x09, 0x00, 0x9b, 0x83, 0x30,
					  0xfd, 0xa3, 0x23, 0x11, 0xdf, 0x1c, 0x2a,
					  0xfa, 0x40, 0x2e, 0xd8, 0xd0, 0x09 } } },
};

static const struct deployment *deployment_of(enum eth_entry_point version)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(deployments); i++) {
		if (deployments[i].version == version)
			return &deployments[i];
	}
	return NULL;
}

const struct eth_address *eth_entry_point_address(enum eth_entry_point version)
{
	const struct deployment *d = deployment_of(version);

	return d ? &d->address : NULL;
}

const char *eth_entry_point_name(enum eth_entry_point version)
{
	const struct deployment *d = deployment_of(version);

	return d ? d->name : "unknown";
}

bool eth_entry_point_parse(const char *text, enum eth_entry_point *out)
{
	if (text[0] == 'v')
		text++;
	for (size_t i = 0; i < SR_ARRAY_LEN(deployments); i++) {
		if (strcmp(text, deployments[i].name) == 0) {
			*out = deployments[i].version;
			return true;
		}
	}
	return false;
}

bool eth_entry_point_find(const struct eth_address *a, enum eth_entry_point *out)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(deployments); i++) {
		if (memcmp(a, &deployments[i].address, sizeof(*a)) == 0) {
			*out = deployments[i].version;
			return true;
		}
	}
	return false;
}
