/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's identity, made as Linux's TEE subsystem makes it (drivers/tee/tee_core.c):
 * for users and groups a UUID of version 5 (RFC 9562), of a name space of its own and of
 * "uid=" or "gid=" and the number in hexadecimal. Unlike the kernel's, the numbers are
 * those that the process sees: in a user namespace they differ from the host's.
 */
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tee/sim/sim.h"
#include "tee/sim/sim_test.h"

#define UUID_SIZE 16
#define REE_KERNEL_MIN 0x80000000
#define REE_KERNEL_MAX 0xbfffffff

void (*sim_client_hook)(uint32_t *login, uint8_t uuid[16]);

static const uint8_t name_space[UUID_SIZE] = { 0x58, 0xac, 0x9c, 0xa0, 0x20, 0x86, 0x46, 0x83,
					       0xa1, 0xb8, 0xec, 0x4b, 0xc0, 0x8e, 0x01, 0xb6 };

static TEEC_Result name_based(const char *kind, uint32_t number, uint8_t out[static UUID_SIZE])
{
	uint8_t data[UUID_SIZE + 16] = { 0 };
	uint8_t hash[EVP_MAX_MD_SIZE] = { 0 };
	int len = 0;

	memcpy(data, name_space, UUID_SIZE);
	len = snprintf((char *)data + UUID_SIZE, sizeof(data) - UUID_SIZE, "%s=%x", kind, number);
	if (len <= 0 ||
	    EVP_Digest(data, UUID_SIZE + (size_t)len, hash, NULL, EVP_sha1(), NULL) != 1)
		return TEEC_ERROR_OUT_OF_MEMORY;
	hash[6] = (uint8_t)((hash[6] & 0x0f) | 0x50);
	hash[8] = (uint8_t)((hash[8] & 0x3f) | 0x80);
	memcpy(out, hash, UUID_SIZE);
	return TEEC_SUCCESS;
}

/* The effective group, or a supplementary one. */
static bool is_member(gid_t group)
{
	gid_t *groups = calloc(NGROUPS_MAX, sizeof(*groups));
	const int count = groups ? getgroups(NGROUPS_MAX, groups) : 0;
	bool found = group == getegid();

	for (int i = 0; i < count && !found; i++)
		found = groups[i] == group;
	free(groups);
	return found;
}

static TEEC_Result identify(uint32_t method, const void *data, uint8_t uuid[static UUID_SIZE])
{
	gid_t group = (gid_t)-1;

	switch (method) {
	case TEEC_LOGIN_PUBLIC:
		return TEEC_SUCCESS;
	case TEEC_LOGIN_USER:
		return name_based("uid", geteuid(), uuid);
	case TEEC_LOGIN_GROUP:
		memcpy(&group, data, sizeof(group));
		/* The kernel says EPERM, of which libteec makes this. */
		if (group == (gid_t)-1 || !is_member(group))
			return TEEC_ERROR_GENERIC;
		return name_based("gid", group, uuid);
	default:
		/* The kernel's own, which it lets nobody else claim. */
		if (method >= REE_KERNEL_MIN && method <= REE_KERNEL_MAX)
			return TEEC_ERROR_GENERIC;
		/* Those by application are not implemented in Linux. */
		return TEEC_ERROR_BAD_PARAMETERS;
	}
}

/* OP-TEE reads a UUID's octets in network order. */
static TEE_UUID from_octets(const uint8_t octets[static UUID_SIZE])
{
	TEE_UUID uuid = {
		.timeLow = (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 |
			   (uint32_t)octets[2] << 8 | octets[3],
		.timeMid = (uint16_t)(octets[4] << 8 | octets[5]),
		.timeHiAndVersion = (uint16_t)(octets[6] << 8 | octets[7]),
	};

	memcpy(uuid.clockSeqAndNode, octets + 8, sizeof(uuid.clockSeqAndNode));
	return uuid;
}

TEEC_Result sim_login(uint32_t method, const void *data, TEE_Identity *out)
{
	uint8_t uuid[UUID_SIZE] = { 0 };
	uint32_t login = method;
	TEEC_Result result = identify(method, data, uuid);

	if (result != TEEC_SUCCESS)
		return result;
	if (sim_client_hook)
		sim_client_hook(&login, uuid);
	*out = (TEE_Identity){ .login = login, .uuid = from_octets(uuid) };
	return TEEC_SUCCESS;
}
