/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom the simulator tells a TA that it serves, what time it is, and whom the TA can call:
 * as Linux's driver and OP-TEE 4.10 have it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "shim_ta.h"
#include "tee/sim/sim_test.h"

#define REQUIRE(condition)                        \
	do {                                      \
		if (!(condition))                 \
			return TEE_ERROR_GENERIC; \
	} while (0)

static TEE_Identity seen;

static TEE_Result look_at_the_client(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return TEE_GetPropertyAsIdentity(TEE_PROPSET_CURRENT_CLIENT, "gpd.client.identity", &seen);
}

/* The UUID's fields as text, the way RFC 9562 writes one. */
static const char *text_of(const TEE_UUID *u)
{
	static char text[40];

	(void)snprintf(text, sizeof(text), "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		       u->timeLow, u->timeMid, u->timeHiAndVersion, u->clockSeqAndNode[0],
		       u->clockSeqAndNode[1], u->clockSeqAndNode[2], u->clockSeqAndNode[3],
		       u->clockSeqAndNode[4], u->clockSeqAndNode[5], u->clockSeqAndNode[6],
		       u->clockSeqAndNode[7]);
	return text;
}

/* From another description of the rule than the simulator's: the kernel's, step by step. */
static const char *expected_uuid(const char *name)
{
	static char text[40];
	uint8_t data[64] = { 0x58, 0xac, 0x9c, 0xa0, 0x20, 0x86, 0x46, 0x83,
			     0xa1, 0xb8, 0xec, 0x4b, 0xc0, 0x8e, 0x01, 0xb6 };
	uint8_t h[20] = { 0 };

	memcpy(data + 16, name, strlen(name));
	assert_int_equal(EVP_Digest(data, 16 + strlen(name), h, NULL, EVP_sha1(), NULL), 1);
	(void)snprintf(text, sizeof(text),
		       "%02x%02x%02x%02x-%02x%02x-5%x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", h[0],
		       h[1], h[2], h[3], h[4], h[5], h[6] & 0xf, h[7], (h[8] & 0x3f) | 0x80, h[9],
		       h[10], h[11], h[12], h[13], h[14], h[15]);
	return text;
}

/* ---- identity ------------------------------------------------------------------------ */

static void a_public_client_has_no_uuid(void **state)
{
	const TEE_UUID nil = { 0 };

	(void)state;
	memset(&seen, 0xee, sizeof(seen));
	assert_int_equal(shim_run(look_at_the_client), TEEC_SUCCESS);
	assert_int_equal(seen.login, TEE_LOGIN_PUBLIC);
	assert_memory_equal(&seen.uuid, &nil, sizeof(nil));
}

static void a_user_has_the_kernels_uuid(void **state)
{
	char name[32] = "";

	(void)state;
	assert_int_equal(shim_run_as(TEEC_LOGIN_USER, NULL, look_at_the_client, NULL),
			 TEEC_SUCCESS);
	(void)snprintf(name, sizeof(name), "uid=%x", (unsigned)geteuid());
	assert_int_equal(seen.login, TEE_LOGIN_USER);
	assert_string_equal(text_of(&seen.uuid), expected_uuid(name));
}

/* Computed by uuid5 of other software, for user and group 0 and group 1000. */
static void the_rule_gives_known_uuids(void **state)
{
	(void)state;
	assert_string_equal(expected_uuid("uid=0"), "ef0180a3-13f3-5d1c-b7f5-888c0e21059a");
	assert_string_equal(expected_uuid("gid=0"), "d93bc168-f863-58d3-a1fe-bb2039421b99");
	assert_string_equal(expected_uuid("gid=3e8"), "0ece43ed-001d-51bd-bab7-480c8954c3cf");
}

static void a_member_of_a_group_has_its_uuid(void **state)
{
	gid_t groups[256] = { 0 };
	int count = getgroups(255, groups);
	uint32_t origin = 0;

	(void)state;
	assert_true(count >= 0);
	groups[count++] = getegid();
	for (int i = 0; i < count; i++) {
		char name[32] = "";

		assert_int_equal(
			shim_run_as(TEEC_LOGIN_GROUP, &groups[i], look_at_the_client, &origin),
			TEEC_SUCCESS);
		(void)snprintf(name, sizeof(name), "gid=%x", (unsigned)groups[i]);
		assert_int_equal(seen.login, TEE_LOGIN_GROUP);
		assert_string_equal(text_of(&seen.uuid), expected_uuid(name));
	}
}

static bool is_mine(gid_t group)
{
	gid_t groups[256] = { 0 };
	const int count = getgroups(256, groups);
	bool mine = group == getegid();

	for (int i = 0; i < count; i++)
		mine |= groups[i] == group;
	return mine;
}

/* Not even root: the kernel asks for membership, not for rights. */
static void a_group_is_refused_to_others(void **state)
{
	gid_t other = 4242;
	const gid_t none = (gid_t)-1;
	uint32_t origin = 0;

	(void)state;
	while (is_mine(other))
		other++;
	assert_int_equal(shim_run_as(TEEC_LOGIN_GROUP, &other, look_at_the_client, &origin),
			 TEEC_ERROR_GENERIC);
	assert_int_equal(origin, TEEC_ORIGIN_COMMS);
	assert_int_equal(shim_run_as(TEEC_LOGIN_GROUP, &none, look_at_the_client, &origin),
			 TEEC_ERROR_GENERIC);
	assert_int_equal(origin, TEEC_ORIGIN_COMMS);
	assert_int_equal(shim_run_as(TEEC_LOGIN_GROUP, NULL, look_at_the_client, &origin),
			 TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(origin, TEEC_ORIGIN_API);
}

static void other_logins_are_refused_as_linux_does(void **state)
{
	const uint32_t methods[] = { TEEC_LOGIN_APPLICATION,
				     TEEC_LOGIN_USER_APPLICATION,
				     TEEC_LOGIN_GROUP_APPLICATION,
				     3,
				     7,
				     0x12345678 };
	const gid_t group = getegid();
	uint32_t origin = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		assert_int_equal(shim_run_as(methods[i], &group, look_at_the_client, &origin),
				 TEEC_ERROR_BAD_PARAMETERS);
		assert_int_equal(origin, TEEC_ORIGIN_COMMS);
	}
	/* The kernel's own, which no user may claim. */
	assert_int_equal(shim_run_as(0x80000000, NULL, look_at_the_client, &origin),
			 TEEC_ERROR_GENERIC);
	assert_int_equal(origin, TEEC_ORIGIN_COMMS);
	assert_int_equal(shim_run_as(0xbfffffff, NULL, look_at_the_client, &origin),
			 TEEC_ERROR_GENERIC);
}

static void pose(uint32_t *login, uint8_t uuid[16])
{
	*login = TEE_LOGIN_GROUP;
	for (uint8_t i = 0; i < 16; i++)
		uuid[i] = i;
}

static void a_test_can_pose_as_another(void **state)
{
	(void)state;
	sim_client_hook = pose;
	assert_int_equal(shim_run(look_at_the_client), TEEC_SUCCESS);
	assert_int_equal(seen.login, TEE_LOGIN_GROUP);
	assert_string_equal(text_of(&seen.uuid), "00010203-0405-0607-0809-0a0b0c0d0e0f");
}

static TEE_Result look_at_all_properties(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_PropSetHandle client = TEE_PROPSET_CURRENT_CLIENT;
	char text[64] = "";
	size_t len = 46;
	uint32_t number = 7;
	bool flag = false;

	(void)params;
	REQUIRE(TEE_GetPropertyAsString(client, "gpd.client.identity", text, &len) == TEE_SUCCESS);
	REQUIRE(!strcmp(text, "2:00010203-0405-0607-0809-0a0b0c0d0e0f") && len == 39);
	len = 38;
	REQUIRE(TEE_GetPropertyAsString(client, "gpd.client.identity", text, &len) ==
		TEE_ERROR_SHORT_BUFFER);
	REQUIRE(TEE_GetPropertyAsU32(client, "gpd.client.endian", &number) == TEE_SUCCESS);
	REQUIRE(number == 0);
	REQUIRE(TEE_GetPropertyAsBool(client, "gpd.client.identity", &flag) ==
		TEE_ERROR_BAD_FORMAT);
	REQUIRE(TEE_GetPropertyAsIdentity(client, "gpd.client.endian", &seen) ==
		TEE_ERROR_BAD_FORMAT);
	REQUIRE(TEE_GetPropertyAsIdentity(client, "gpd.client.name", &seen) ==
		TEE_ERROR_ITEM_NOT_FOUND);
	/* The property is the client's, and of no other set. */
	return TEE_GetPropertyAsIdentity(TEE_PROPSET_CURRENT_TA, "gpd.client.identity", &seen) ==
			       TEE_ERROR_ITEM_NOT_FOUND
		       ? TEE_SUCCESS
		       : TEE_ERROR_GENERIC;
}

static TEE_Result identity_into_nothing(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return TEE_GetPropertyAsIdentity(TEE_PROPSET_CURRENT_CLIENT, "gpd.client.identity", NULL);
}

static void the_identity_is_a_property_like_others(void **state)
{
	(void)state;
	sim_client_hook = pose;
	assert_int_equal(shim_run(look_at_all_properties), TEEC_SUCCESS);
	assert_int_equal(shim_run(identity_into_nothing), SHIM_PANICS);
}

/* ---- time ---------------------------------------------------------------------------- */

static TEE_Time times[3];

static TEE_Result look_at_the_clocks(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	TEE_GetSystemTime(&times[0]);
	TEE_GetREETime(&times[1]);
	TEE_GetSystemTime(&times[2]);
	return TEE_SUCCESS;
}

static uint64_t ms(const TEE_Time *t)
{
	return (uint64_t)t->seconds * 1000 + t->millis;
}

static void system_time_goes_on_and_is_not_the_users(void **state)
{
	struct timespec boot = { 0 };
	const time_t now = time(NULL);

	(void)state;
	assert_int_equal(shim_run(look_at_the_clocks), TEEC_SUCCESS);
	assert_int_equal(clock_gettime(CLOCK_BOOTTIME, &boot), 0);
	assert_true(times[0].millis < 1000 && times[1].millis < 1000);
	assert_true(ms(&times[0]) <= ms(&times[2]));
	assert_true(times[2].seconds <= (uint64_t)boot.tv_sec);
	assert_true((uint64_t)boot.tv_sec - times[0].seconds < 60);
	assert_true(times[1].seconds - (uint64_t)now < 60);
}

static uint64_t system_ms;

static uint64_t told_system_time(void)
{
	return system_ms;
}

static uint64_t told_ree_time(void)
{
	return 1700000000123;
}

static void a_test_can_turn_either_clock(void **state)
{
	(void)state;
	sim_system_time_hook = told_system_time;
	sim_ree_time_hook = told_ree_time;
	system_ms = 4294967295999; /* the last that OP-TEE can tell */
	assert_int_equal(shim_run(look_at_the_clocks), TEEC_SUCCESS);
	assert_int_equal(ms(&times[0]), system_ms);
	assert_int_equal(ms(&times[1]), 1700000000123);
	system_ms = 0;
	assert_int_equal(shim_run(look_at_the_clocks), TEEC_SUCCESS);
	assert_int_equal(ms(&times[0]), 0);
}

static uint32_t level;

static TEE_Result look_at_the_protection(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return TEE_GetPropertyAsU32(TEE_PROPSET_TEE_IMPLEMENTATION,
				    "gpd.tee.systemTime.protectionLevel", &level);
}

static void the_clocks_protection_is_told_as_op_tee_does(void **state)
{
	(void)state;
	assert_int_equal(shim_run(look_at_the_protection), TEEC_SUCCESS);
	assert_int_equal(level, 1000);
	sim_system_time_protection = 100;
	assert_int_equal(shim_run(look_at_the_protection), TEEC_SUCCESS);
	assert_int_equal(level, 100);
}

/* ---- other TAs ----------------------------------------------------------------------- */

static TEE_Result open_the_attestation_pta(TEE_Param params[TEE_NUM_PARAMS])
{
	static const TEE_UUID attestation = {
		0x39800861, 0x182a, 0x4720, { 0x9b, 0x67, 0x2b, 0xcd, 0x62, 0x2b, 0xc0, 0xb5 }
	};
	TEE_Param none[TEE_NUM_PARAMS] = { 0 };
	TEE_TASessionHandle session = TEE_HANDLE_NULL;
	uint32_t origin = 0;
	TEE_Result result = TEE_OpenTASession(&attestation, TEE_TIMEOUT_INFINITE,
					      TEE_PARAM_TYPES(0, 0, 0, 0), none, &session, &origin);

	(void)params;
	return origin == TEE_ORIGIN_TEE ? result : TEE_ERROR_GENERIC;
}

static void there_is_no_attestation_pta(void **state)
{
	(void)state;
	assert_int_equal(shim_run(open_the_attestation_pta), TEEC_ERROR_ITEM_NOT_FOUND);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, shim_set_up, shim_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_public_client_has_no_uuid),
		CASE(a_user_has_the_kernels_uuid),
		CASE(the_rule_gives_known_uuids),
		CASE(a_member_of_a_group_has_its_uuid),
		CASE(a_group_is_refused_to_others),
		CASE(other_logins_are_refused_as_linux_does),
		CASE(a_test_can_pose_as_another),
		CASE(the_identity_is_a_property_like_others),
		CASE(system_time_goes_on_and_is_not_the_users),
		CASE(a_test_can_turn_either_clock),
		CASE(the_clocks_protection_is_told_as_op_tee_does),
		CASE(there_is_no_attestation_pta),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
