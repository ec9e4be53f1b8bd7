/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AES-GCM by libcrypto. Its GCM of old is used, with the block cipher called from here,
 * since the newer interface refuses nonces of over 128 bytes, which OP-TEE takes. Of no
 * bytes none is taken here, although OP-TEE does: SP 800-38D forbids it.
 */
#include <openssl/evp.h>
#include <openssl/modes.h>
#include <string.h>

#include "tee/sim/sim.h"

#define TAG_BITS_MIN 96
#define TAG_BITS_MAX 128
#define BLOCK_SIZE 16

/* GCM uses the cipher in this direction alone. */
static void encrypt_block(const unsigned char in[BLOCK_SIZE], unsigned char out[BLOCK_SIZE],
			  const void *key)
{
	EVP_CIPHER_CTX *aes = (EVP_CIPHER_CTX *)(uintptr_t)key;
	int len = 0;

	/* One block, no padding: there is nothing in it to fail. */
	if (EVP_EncryptUpdate(aes, out, &len, in, BLOCK_SIZE) != 1)
		TEE_Panic(TEE_ERROR_GENERIC);
}

static const EVP_CIPHER *cipher_for(size_t key_len)
{
	if (key_len == 16)
		return EVP_aes_128_ecb();
	return key_len == 24 ? EVP_aes_192_ecb() : EVP_aes_256_ecb();
}

void sim_ae_free(struct sim_operation *op)
{
	if (op->gcm)
		CRYPTO_gcm128_release(op->gcm);
	EVP_CIPHER_CTX_free(op->aes);
	op->gcm = NULL;
	op->aes = NULL;
}

/* OP-TEE has no answer but a panic when memory is short here. */
static void start(struct sim_operation *op, const void *nonce, size_t len)
{
	sim_ae_free(op);
	op->aes = EVP_CIPHER_CTX_new();
	if (!op->aes ||
	    EVP_EncryptInit_ex(op->aes, cipher_for(op->secret_len), NULL, op->secret, NULL) != 1)
		TEE_Panic(TEE_ERROR_OUT_OF_MEMORY);
	(void)EVP_CIPHER_CTX_set_padding(op->aes, 0);
	op->gcm = CRYPTO_gcm128_new(op->aes, encrypt_block);
	if (!op->gcm)
		TEE_Panic(TEE_ERROR_OUT_OF_MEMORY);
	CRYPTO_gcm128_setiv(op->gcm, nonce, len);
}

/* May be called anew before the final function: what was begun is dropped. */
TEE_Result TEE_AEInit(TEE_OperationHandle operation, const void *nonce, size_t nonceLen,
		      uint32_t tagLen, size_t AADLen, size_t payloadLen)
{
	struct sim_operation *op = NULL;

	/* For CCM. */
	(void)AADLen;
	(void)payloadLen;
	sim_api_call();
	op = sim_operation_of(operation, SIM_CLASS_AE);
	if (!nonce || !nonceLen)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (tagLen < TAG_BITS_MIN || tagLen > TAG_BITS_MAX || tagLen % 8)
		return TEE_ERROR_NOT_SUPPORTED;
	if (!op->key_set)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	start(op, nonce, nonceLen);
	op->tag_len = tagLen / 8;
	op->initialized = true;
	return TEE_SUCCESS;
}

static struct sim_operation *begun(TEE_OperationHandle handle, const void *data, size_t len)
{
	struct sim_operation *op = sim_operation_of(handle, SIM_CLASS_AE);

	if (!op->initialized || (!data && len))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	return op;
}

void TEE_AEUpdateAAD(TEE_OperationHandle operation, const void *AADdata, size_t AADdataLen)
{
	struct sim_operation *op = NULL;

	sim_api_call();
	op = begun(operation, AADdata, AADdataLen);
	if (AADdataLen && CRYPTO_gcm128_aad(op->gcm, AADdata, AADdataLen))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
}

TEE_Result TEE_AEEncryptFinal(TEE_OperationHandle operation, const void *srcData, size_t srcLen,
			      void *destData, size_t *destLen, void *tag, size_t *tagLen)
{
	struct sim_operation *op = NULL;
	bool short_buffer = false;

	sim_api_call();
	op = begun(operation, srcData, srcLen);
	if (!destLen || !tagLen)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	/* Told before the mode is looked at, and both at once. */
	if (*destLen < srcLen) {
		*destLen = srcLen;
		short_buffer = true;
	}
	if (*tagLen < op->tag_len) {
		*tagLen = op->tag_len;
		short_buffer = true;
	}
	if (short_buffer)
		return TEE_ERROR_SHORT_BUFFER;
	if (op->mode != TEE_MODE_ENCRYPT || !tag || (!destData && srcLen) ||
	    (srcLen && CRYPTO_gcm128_encrypt(op->gcm, srcData, destData, srcLen)))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	CRYPTO_gcm128_tag(op->gcm, tag, op->tag_len);
	*destLen = srcLen;
	*tagLen = op->tag_len;
	op->initialized = false;
	return TEE_SUCCESS;
}

/*
 * As in OP-TEE, the plaintext is written before the tag is compared, so that with
 * MAC_INVALID it stands in the caller's buffer; and the operation is then still between
 * init and final: it takes another init, but no key until it is reset.
 */
TEE_Result TEE_AEDecryptFinal(TEE_OperationHandle operation, const void *srcData, size_t srcLen,
			      void *destData, size_t *destLen, void *tag, size_t tagLen)
{
	struct sim_operation *op = NULL;

	sim_api_call();
	op = begun(operation, srcData, srcLen);
	if (!destLen)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (*destLen < srcLen) {
		*destLen = srcLen;
		return TEE_ERROR_SHORT_BUFFER;
	}
	if (op->mode != TEE_MODE_DECRYPT || (!tag && tagLen) || (!destData && srcLen))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (tagLen != op->tag_len)
		return TEE_ERROR_MAC_INVALID;
	if (srcLen && CRYPTO_gcm128_decrypt(op->gcm, srcData, destData, srcLen))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (CRYPTO_gcm128_finish(op->gcm, tag, tagLen))
		return TEE_ERROR_MAC_INVALID;
	*destLen = srcLen;
	op->initialized = false;
	return TEE_SUCCESS;
}
