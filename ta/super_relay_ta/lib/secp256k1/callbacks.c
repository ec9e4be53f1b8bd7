/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libsecp256k1's default callbacks, which it wants where there is no stdio. They
 * are reached only before a context has its own (sign_secp256k1.c).
 */
#include <tee_internal_api.h>

void secp256k1_default_illegal_callback_fn(const char *message, void *data);
void secp256k1_default_error_callback_fn(const char *message, void *data);

void secp256k1_default_illegal_callback_fn(const char *message, void *data)
{
	(void)message;
	(void)data;
	TEE_Panic(TEE_ERROR_BAD_STATE);
}

void secp256k1_default_error_callback_fn(const char *message, void *data)
{
	(void)message;
	(void)data;
	TEE_Panic(TEE_ERROR_BAD_STATE);
}
