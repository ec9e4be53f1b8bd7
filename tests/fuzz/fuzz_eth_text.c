/* SPDX-License-Identifier: Apache-2.0 */
/* Quantities, decimals and addresses: what is read must survive being written. */
#include "eth/eth.h"

#include <stdlib.h>
#include <string.h>

static void check_quantity(const char *text, size_t len)
{
	struct eth_u256 v = { { 0 } };
	struct eth_u256 back = { { 0 } };
	char out[ETH_U256_HEX_MAX];
	size_t n = 0;

	if (!eth_u256_from_quantity(text, len, &v))
		return;
	n = eth_u256_to_quantity(&v, out);
	if (n > len || !eth_u256_from_quantity(out, n, &back) || eth_u256_cmp(&v, &back) != 0)
		abort();
}

static void check_decimal(const char *text, size_t len)
{
	struct eth_u256 v = { { 0 } };
	struct eth_u256 back = { { 0 } };
	char out[ETH_U256_DEC_MAX];
	size_t n = 0;

	if (!eth_u256_from_dec(text, len, &v))
		return;
	n = eth_u256_to_dec(&v, out);
	if (n > len || !eth_u256_from_dec(out, n, &back) || eth_u256_cmp(&v, &back) != 0)
		abort();
}

static void check_address(const char *text, size_t len)
{
	struct eth_address a = { { 0 } };
	struct eth_address back = { { 0 } };
	struct sr_error err = { 0 };
	char out[ETH_ADDRESS_TEXT];

	if (!eth_address_from_text(text, len, &a, &err)) {
		if (err.code != SR_E_INVALID || err.message[0] == '\0')
			abort();
		return;
	}
	eth_address_to_text(&a, out);
	if (!eth_address_from_text(out, strlen(out), &back, NULL) ||
	    memcmp(&a, &back, sizeof(a)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* an exact copy, so that reading one byte too far is seen */
	char *text = malloc(size ? size : 1);

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	check_quantity(text, size);
	check_decimal(text, size);
	check_address(text, size);
	free(text);
	return 0;
}
