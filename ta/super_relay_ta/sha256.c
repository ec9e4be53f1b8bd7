/* SPDX-License-Identifier: Apache-2.0 */
#include "sha256.h"

static TEE_OperationHandle operation = TEE_HANDLE_NULL;

TEE_Result ta_sha256_open(void)
{
	/* A handle of an instance that is gone is nobody's to free. */
	operation = TEE_HANDLE_NULL;
	return TEE_AllocateOperation(&operation, TEE_ALG_SHA256, TEE_MODE_DIGEST, 0);
}

void ta_sha256_close(void)
{
	operation = TEE_HANDLE_NULL;
}

TEE_Result ta_sha256_pieces(const struct ta_piece *pieces, size_t count,
			    uint8_t out[static TA_SHA256_SIZE])
{
	const struct ta_piece *last = &pieces[count - 1];
	size_t size = TA_SHA256_SIZE;

	if (operation == TEE_HANDLE_NULL || !count)
		return TEE_ERROR_BAD_STATE;
	for (; pieces < last; pieces++) {
		if (pieces->len)
			TEE_DigestUpdate(operation, pieces->data, pieces->len);
	}
	/* Each call of the API enters the TEE's kernel: one for one piece. */
	return TEE_DigestDoFinal(operation, last->len ? last->data : NULL, last->len, out, &size);
}

TEE_Result ta_sha256(const void *data, size_t len, uint8_t out[static TA_SHA256_SIZE])
{
	const struct ta_piece piece = { .data = data, .len = len };

	return ta_sha256_pieces(&piece, 1, out);
}
