/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lets tests in other languages ask the code that the TA runs: sponsorships are signed by the TA
 * itself, in the simulator with a store of its own; transactions and calls are read by what
 * it reads them with. First it writes its key's address, then one line an input line:
 *   s SCHEME HEX   a sponsorship as on the wire      result digest signature, in hex
 *   t HEX          an unsigned transaction           its fields, or "bad" or "unknown"
 *   h HEX          calldata of an EntryPoint         packed aggregated count beneficiary, or "bad"
 * Answers come when a batch is full, at an empty line and at the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eth/eth.h"
#include "super_relay_ta.h"
#include "tee/tee.h"
#include "temp_dir.h"

#define BATCH_BYTES 60000 /* of items in one request */
#define LINE_MAX_BYTES (2 * SR_TA_REQUEST_MAX + 64)

static struct tee_api api;
static TEEC_Context context;
static TEEC_Session session;
static char store[TEMP_DIR_MAX];
static uint8_t request[SR_TA_REQUEST_MAX];
static uint8_t response[SR_TA_RESPONSE_MAX];

/* Items that wait for their signatures, all of one scheme. */
static struct {
	uint8_t bytes[BATCH_BYTES];
	size_t len;
	uint8_t count;
	uint8_t scheme;
} batch;

static void give_up(const char *what, uint32_t result)
{
	(void)fprintf(stderr, "digest_tool: %s: 0x%08x\n", what, result);
	exit(1);
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

/* The version and an audited of SR_TA_NO_LOG; then a command's own fields. */
static size_t put_header(void)
{
	static const uint8_t no_log[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const uint8_t version = SR_TA_WIRE_VERSION;

	return put(put(0, &version, 1), no_log, sizeof(no_log));
}

static uint32_t invoke(uint32_t command, size_t len)
{
	TEEC_Operation op = { 0 };

	op.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE,
					 TEEC_NONE);
	op.params[0].tmpref.buffer = request;
	op.params[0].tmpref.size = len;
	op.params[1].tmpref.buffer = response;
	op.params[1].tmpref.size = sizeof(response);
	return api.invoke_command(&session, command, &op, NULL);
}

static void open_ta(void)
{
	const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;
	struct sr_error err = { 0 };
	uint32_t result = 0;

	if (!make_temp_dir(store))
		give_up("no temporary directory", 0);
	(void)atexit(remove_store);
	if (!tee_load_simulator(store, &api, &err))
		give_up(err.message, 0);
	result = api.initialize_context(NULL, &context);
	if (!result)
		result = api.open_session(&context, &session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL,
					  NULL);
	if (result)
		give_up("no session", result);
}

/* A key named "p" that sponsors; writes its address. */
static void make_key(void)
{
	static const uint8_t rest[8 + SR_TA_HOST_ENTROPY_SIZE] = { 0 };
	static const uint8_t key[] = { SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, 0, 0, 0, 1, 'p' };
	struct eth_address address = { { 0 } };
	char text[ETH_ADDRESS_TEXT] = { 0 };
	size_t len = put(put(put_header(), key, sizeof(key)), rest, sizeof(rest));
	uint32_t result = invoke(SR_TA_CMD_GENERATE_KEY, len);

	if (result)
		give_up("no key", result);
	/* version · "p" · algorithm · origin · usage · created · length of the public key */
	eth_address_from_public_key(response + 1 + 2 + 1 + 1 + 4 + 8 + 1, &address);
	eth_address_to_text(&address, text);
	puts(text);
}

static void print_hex(const uint8_t *data, size_t len, char after)
{
	for (size_t i = 0; i < len; i++)
		printf("%02x", data[i]);
	putchar(after);
}

static void print_result(const uint8_t *item)
{
	for (unsigned i = 4; i-- > 0;)
		printf("%02x", item[i]);
	putchar(' ');
	print_hex(item + 4, 32, ' ');
	print_hex(item + 36, 65, '\n');
}

static void flush_batch(void)
{
	const uint8_t head[] = { batch.scheme, 1, 'p', batch.count };
	uint32_t result = 0;
	size_t len = 0;

	if (batch.count > 0) {
		len = put(put(put_header(), head, sizeof(head)), batch.bytes, batch.len);
		result = invoke(SR_TA_CMD_SIGN_SPONSORSHIP, len);
		if (result)
			give_up("SIGN_SPONSORSHIP", result);
		for (size_t i = 0; i < batch.count; i++)
			print_result(response + 2 + i * SR_TA_SPONSORSHIP_RESULT_SIZE);
	}
	batch.count = 0;
	batch.len = 0;
	(void)fflush(stdout);
}

static void add_sponsorship(uint8_t scheme, const uint8_t *item, size_t len)
{
	if (len > BATCH_BYTES)
		give_up("an item is too long", (uint32_t)len);
	if (batch.count == SR_TA_BATCH_MAX || scheme != batch.scheme ||
	    batch.len + len > BATCH_BYTES)
		flush_batch();
	batch.scheme = scheme;
	memcpy(batch.bytes + batch.len, item, len);
	batch.len += len;
	batch.count++;
}

static void print_number(const struct eth_u256 *v)
{
	char text[ETH_U256_DEC_MAX] = { 0 };

	eth_u256_to_dec(v, text);
	printf(" %s", text);
}

static void print_address(const struct eth_address *address)
{
	char text[ETH_ADDRESS_TEXT] = { 0 };

	eth_address_to_text(address, text);
	printf("%s", text);
}

static void answer_transaction(const uint8_t *data, size_t len)
{
	struct eth_unsigned_transaction tx = { 0 };
	enum eth_transaction_result result = eth_unsigned_transaction_parse(data, len, &tx);

	if (result != ETH_TRANSACTION_OK) {
		puts(result == ETH_TRANSACTION_UNKNOWN_TYPE ? "unknown" : "bad");
		return;
	}
	printf("%u %llu %llu", tx.type, (unsigned long long)tx.chain_id,
	       (unsigned long long)tx.nonce);
	print_number(&tx.max_priority_fee_per_gas);
	print_number(&tx.max_fee_per_gas);
	printf(" %llu ", (unsigned long long)tx.gas);
	if (tx.has_to)
		print_address(&tx.to);
	else
		printf("-");
	print_number(&tx.value);
	printf(" %zu %zu 0x", tx.access_list_count, tx.authorization_count);
	print_hex(tx.data.data, tx.data.len, '\n');
}

static void answer_call(const uint8_t *data, size_t len)
{
	struct eth_handle_ops ops = { 0 };

	if (!eth_handle_ops_parse(data, len, &ops)) {
		puts("bad");
		return;
	}
	printf("%d %d %zu ", ops.packed, ops.aggregated, ops.count);
	print_address(&ops.beneficiary);
	putchar('\n');
}

static void answer(char *line)
{
	static uint8_t bytes[LINE_MAX_BYTES / 2];
	char kind = line[0];
	unsigned long scheme = 0;
	char *hex = line + 2;
	size_t len = 0;

	if (kind == 's')
		scheme = strtoul(hex, &hex, 10);
	hex += kind == 's';
	len = strlen(hex) / 2;
	if (len > 0 && !sr_hex_decode(hex, 2 * len, bytes, len))
		give_up("a line is no hex", 0);
	if (kind != 's')
		flush_batch();
	if (kind == 's')
		add_sponsorship((uint8_t)scheme, bytes, len);
	else if (kind == 't')
		answer_transaction(bytes, len);
	else if (kind == 'h')
		answer_call(bytes, len);
	else
		give_up("an unknown kind of line", (uint32_t)kind);
}

int main(void)
{
	static char line[LINE_MAX_BYTES];

	open_ta();
	make_key();
	(void)fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0')
			flush_batch();
		else
			answer(line);
	}
	flush_batch();
	api.close_session(&session);
	api.finalize_context(&context);
	return 0;
}
