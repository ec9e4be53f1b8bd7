/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the TA costs over the bare library: signatures a second, one by one and in
 * batches, beside libsecp256k1 doing the same work (sign, and recover to check).
 * Ratios are what to look at; absolute figures depend on the machine and its load.
 */
#include <secp256k1_recovery.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "super_relay_ta.h"
#include "tee/tee.h"
#include "temp_dir.h"

#define SIGNATURES 2048
#define ROUNDS 3

static struct tee_api api;
static TEEC_Context context;
static TEEC_Session session;
static uint8_t request[SR_TA_REQUEST_MAX];
static uint8_t response[SR_TA_RESPONSE_MAX];
static char store[TEMP_DIR_MAX];

static void give_up(const char *what, uint32_t result)
{
	(void)fprintf(stderr, "bench_sign: %s: 0x%08x\n", what, result);
	exit(1);
}

static void invoke(uint32_t command, size_t len)
{
	TEEC_Operation op = { 0 };
	uint32_t result = 0;

	op.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE,
					 TEEC_NONE);
	op.params[0].tmpref.buffer = request;
	op.params[0].tmpref.size = len;
	op.params[1].tmpref.buffer = response;
	op.params[1].tmpref.size = sizeof(response);
	result = api.invoke_command(&session, command, &op, NULL);
	if (result != TEEC_SUCCESS)
		give_up("command", result);
}

static void remove_store(void)
{
	(void)remove_temp_dir(store);
}

static size_t put(size_t at, const void *data, size_t len)
{
	memcpy(request + at, data, len);
	return at + len;
}

/* As of a host that keeps no log. */
static size_t put_framing(void)
{
	static const uint8_t no_log[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	request[0] = SR_TA_WIRE_VERSION;
	return put(1, no_log, sizeof(no_log));
}

/* "k" signs digests, "p" sponsors. */
static void make_key(char id, uint8_t usage)
{
	static const uint8_t created_and_entropy[8 + SR_TA_HOST_ENTROPY_SIZE] = { 0 };
	const uint8_t attributes[] = { SR_TA_ALG_SECP256K1, usage, 0, 0, 0, 1, (uint8_t)id };
	size_t len = put_framing();

	len = put(len, attributes, sizeof(attributes));
	len = put(len, created_and_entropy, sizeof(created_and_entropy));
	invoke(SR_TA_CMD_GENERATE_KEY, len);
}

static void set_up(void)
{
	const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;
	struct sr_error err = { 0 };

	if (!make_temp_dir(store) || atexit(remove_store) || !tee_load_simulator(store, &api, &err))
		give_up(err.message, 0);
	if (api.initialize_context(NULL, &context) ||
	    api.open_session(&context, &session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL))
		give_up("session", 0);
	make_key('k', SR_TA_USAGE_DIGEST);
	make_key('p', SR_TA_USAGE_SPONSOR);
}

/* Requests of count digests, or of count sponsorships of arbitrary content. */
static size_t make_request(uint32_t command, uint8_t count)
{
	const size_t item = command == SR_TA_CMD_SIGN_MESSAGE ? 32 : SR_TA_SPONSORSHIP_SIZE;
	size_t len = put_framing();

	if (command == SR_TA_CMD_SIGN_SPONSORSHIP)
		request[len++] = SR_TA_SCHEME_VERIFYING_PAYMASTER_V07;
	request[len++] = 1;
	request[len++] = command == SR_TA_CMD_SIGN_SPONSORSHIP ? 'p' : 'k';
	request[len++] = count;
	memset(request + len, 0x21, item * count);
	/* validUntil and validAfter: 47 bits, in order */
	for (size_t i = 0; command == SR_TA_CMD_SIGN_SPONSORSHIP && i < count; i++) {
		uint8_t *times = request + len + (i + 1) * item - 16;

		memset(times, 0, 16);
		times[0] = 2;
		times[8] = 1;
	}
	return len + item * count;
}

static double per_second(uint64_t start_ns, unsigned signatures)
{
	return signatures * 1e9 / (double)(sr_time_monotonic_ns() - start_ns);
}

static double measure_ta(uint32_t command, uint8_t count)
{
	double best = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		const size_t len = make_request(command, count);
		const uint64_t start = sr_time_monotonic_ns();
		double rate = 0;

		for (unsigned n = 0; n < SIGNATURES; n += count)
			invoke(command, len);
		rate = per_second(start, SIGNATURES);
		best = rate > best ? rate : best;
	}
	return best;
}

static double measure_library(void)
{
	secp256k1_context *library = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	const uint8_t secret[32] = { 1, 2, 3 };
	double best = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		const uint64_t start = sr_time_monotonic_ns();
		double rate = 0;

		for (unsigned n = 0; n < SIGNATURES; n++) {
			const uint8_t digest[32] = { (uint8_t)n, (uint8_t)(n >> 8), 1 };
			secp256k1_ecdsa_recoverable_signature signature;
			secp256k1_pubkey recovered;

			if (!secp256k1_ecdsa_sign_recoverable(library, &signature, digest, secret,
							      NULL, NULL) ||
			    !secp256k1_ecdsa_recover(library, &recovered, &signature, digest))
				give_up("library", 0);
		}
		rate = per_second(start, SIGNATURES);
		best = rate > best ? rate : best;
	}
	secp256k1_context_destroy(library);
	return best;
}

/* What an invocation costs that signs nothing: locks and the copy of a request. */
static double measure_empty_ns(void)
{
	const uint64_t start = sr_time_monotonic_ns();
	size_t len = put_framing();

	len = put(len, "\1k", 2);
	for (unsigned n = 0; n < SIGNATURES; n++)
		invoke(SR_TA_CMD_GET_PUBLIC_KEY, len);
	return (double)(sr_time_monotonic_ns() - start) / SIGNATURES;
}

int main(void)
{
	static const uint8_t batches[] = { 1, 16, 64 };
	const double library = measure_library();

	set_up();
	printf("%-28s %8.0f/s  1.00\n", "library, sign and recover", library);
	for (size_t i = 0; i < sizeof(batches); i++) {
		const double message = measure_ta(SR_TA_CMD_SIGN_MESSAGE, batches[i]);
		const double sponsorship = measure_ta(SR_TA_CMD_SIGN_SPONSORSHIP, batches[i]);

		printf("SIGN_MESSAGE, batch %-8u %8.0f/s  %.2f\n", batches[i], message,
		       message / library);
		printf("SIGN_SPONSORSHIP, batch %-4u %8.0f/s  %.2f\n", batches[i], sponsorship,
		       sponsorship / library);
	}
	printf("invocation without signature %.1f us\n", measure_empty_ns() / 1000);
	return 0;
}
