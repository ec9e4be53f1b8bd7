/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Decodes as text, and encodes as bytes; each must undo the other. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool prefixed = size >= 2 && data[0] == '0' && (data[1] | 0x20) == 'x';
	size_t digits = prefixed ? size - 2 : size;
	uint8_t *bytes = malloc(size + 1);
	char *text = malloc(2 * size + 3);

	if (bytes && text) {
		if (sr_hex_decode((const char *)data, size, bytes, digits / 2)) {
			sr_hex_encode(bytes, digits / 2, text);
			for (size_t i = 0; i < digits; i++) {
				if ((text[i] | 0x20) != (data[size - digits + i] | 0x20))
					abort();
			}
		}
		sr_hex_encode_0x(data, size, text);
		if (!sr_hex_decode(text, 2 * size + 2, bytes, size) ||
		    (size && memcmp(bytes, data, size) != 0))
			abort();
	}
	free(bytes);
	free(text);
	return 0;
}
