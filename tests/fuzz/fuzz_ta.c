/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TA's commands, as a hostile normal world calls them, in a world of ta_world.h.
 *
 * Input: u8 world (INPUT_*), then up to REQUESTS requests:
 *   u8 command · u8 mode (MODE_*; its upper bits are the response's room, in units of 64 bytes,
 *   and all set all there is) · u16 length · so many bytes
 * The bytes are a whole request with MODE_RAW, and else what follows its framing. With MODE_SIGN
 * the operator signs what there is to sign: so the fuzzer reaches what lies behind a signature.
 *
 * Whatever comes in, the TA may not panic, write beyond the response, answer a success larger
 * than the room, keep a handle or memory, or sign what a key's policy refuses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eth/eth.h"
#include "ta_world.h"
#include "tee/sim/sim_test.h"

#define REQUESTS 6
#define GUARD 64
#define GUARD_BYTE 0xa5
#define COMMANDS (SR_TA_COMMANDS + 1) /* one unknown */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

struct input {
	const uint8_t *data;
	size_t len;
};

struct call {
	uint32_t command;
	uint8_t mode;
	struct message request;
	TEEC_Result result;
	uint8_t response[SR_TA_RESPONSE_MAX + GUARD];
	size_t room;
	size_t len;
};

/* What the operator or the fuzzer has changed, so that the first policies say no more. */
struct past {
	bool operated;
	bool policies_changed;
};

/* ---- oracles -------------------------------------------------------------------- */

static void check(bool good, const char *what)
{
	if (good)
		return;
	(void)fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static void check_form(const struct call *c)
{
	check(c->result != TEEC_ERROR_TARGET_DEAD, "the TA does not panic");
	check(c->result != TEEC_ERROR_GENERIC, "no error is left without a name");
	if (c->result == TEEC_SUCCESS)
		check(c->len >= 3 && c->len <= c->room && c->response[0] == SR_TA_WIRE_VERSION,
		      "a response is whole and fits");
	else if (c->result == TEEC_ERROR_SHORT_BUFFER)
		check(c->len > c->room && c->len <= SR_TA_RESPONSE_MAX, "what is needed is told");
	else
		check(c->len == 0, "an error has no response");
	for (size_t i = 0; i < GUARD; i++)
		check(c->response[c->room + i] == GUARD_BYTE, "nothing behind the response");
}

static uint64_t number(const uint8_t *data, size_t size)
{
	uint64_t v = 0;

	for (size_t i = 0; i < size; i++)
		v |= (uint64_t)data[i] << (8 * i);
	return v;
}

/* How long an item is that the TA has found well formed. */
static size_t sponsorship_size(uint8_t scheme, const uint8_t *item)
{
	const uint8_t *added = item + SR_TA_SPONSORSHIP_SIZE;
	size_t size = SR_TA_SPONSORSHIP_SIZE;

	switch (scheme) {
	case SR_TA_SCHEME_VERIFYING_PAYMASTER_V06:
		size += 32 + 2 + number(added + 32, 2);
		return size + 2 + number(item + size, 2);
	case SR_TA_SCHEME_SINGLETON_V6:
	case SR_TA_SCHEME_SINGLETON_V7:
		return size + 1 + added[0];
	case SR_TA_SCHEME_SINGLETON_V8:
		return size + 32 + 1 + added[32];
	case SR_TA_SCHEME_OPENZEPPELIN:
		return size + 64;
	default:
		return size;
	}
}

static bool allowed_sponsorship(const uint8_t *item)
{
	const uint8_t *times = item + SR_TA_SPONSORSHIP_SIZE - 16;

	return number(item, 8) == WORLD_CHAIN && !memcmp(item + 8, world_entry_point, 20) &&
	       !memcmp(item + 28, world_paymaster, 20) &&
	       number(times, 8) - number(times + 8, 8) <= WORLD_VALIDITY;
}

/* The key pm under its first policy, or one without any. */
static void check_sponsorships(const struct call *c, const struct past *past)
{
	const uint8_t *id = c->request.data + FRAMING + 1;
	const uint8_t *item = id + 1 + id[0] + 1;
	const bool pm = id[0] == 2 && !memcmp(id + 1, "pm", 2);

	for (unsigned i = 0; i < c->response[1]; i++) {
		const uint8_t *result = c->response + 2 + i * SR_TA_SPONSORSHIP_RESULT_SIZE;

		if (number(result, 4) == TEEC_SUCCESS && past->operated && !past->policies_changed)
			check(pm && allowed_sponsorship(item), "a policy that refuses is heard");
		item += sponsorship_size(c->request.data[FRAMING], item);
	}
}

static bool allowed_transaction(const uint8_t *bytes, size_t len)
{
	struct eth_unsigned_transaction t = { 0 };
	uint8_t own[20] = { 0 };

	world_own_address(own);
	return eth_unsigned_transaction_parse(bytes, len, &t) == ETH_TRANSACTION_OK &&
	       t.chain_id == WORLD_CHAIN && t.has_to && eth_u256_is_zero(&t.value) &&
	       (!memcmp(t.to.bytes, world_entry_point, 20) ||
		(!memcmp(t.to.bytes, own, 20) && !t.data.len));
}

static void check_transactions(const struct call *c, const struct past *past)
{
	const uint8_t *id = c->request.data + FRAMING;
	const uint8_t *item = id + 1 + id[0] + 1;

	for (unsigned i = 0; i < c->response[1]; i++) {
		const uint8_t *result = c->response + 2 + i * SR_TA_SPONSORSHIP_RESULT_SIZE;
		const size_t len = number(item, 2);

		if (number(result, 4) == TEEC_SUCCESS && !past->policies_changed)
			check(past->operated && allowed_transaction(item + 2, len),
			      "a policy that refuses is heard");
		item += 2 + len;
	}
}

static void check_promises(const struct call *c, struct past *past)
{
	check_form(c);
	if (c->result != TEEC_SUCCESS)
		return;
	switch (c->command) {
	case SR_TA_CMD_PROVISION:
		check(!past->operated && (c->mode & MODE_SIGN),
		      "only an operator provisions, once");
		past->operated = true;
		break;
	case SR_TA_CMD_SET_POLICY:
		check(past->operated && (c->mode & MODE_SIGN), "only the operator sets policies");
		past->policies_changed = true;
		break;
	case SR_TA_CMD_EXPORT_WRAPPED:
		check(past->operated && (c->mode & MODE_SIGN), "only the operator lets keys out");
		break;
	case SR_TA_CMD_IMPORT_WRAPPED:
	case SR_TA_CMD_ROTATE_KEY:
		past->policies_changed = true;
		break;
	case SR_TA_CMD_SIGN_SPONSORSHIP:
		check_sponsorships(c, past);
		break;
	case SR_TA_CMD_SIGN_TRANSACTION:
		check_transactions(c, past);
		break;
	default:
		break;
	}
}

/* ---- inputs --------------------------------------------------------------------- */

static uint8_t take_byte(struct input *in)
{
	const uint8_t byte = in->len ? in->data[0] : 0;

	in->data += in->len ? 1 : 0;
	in->len -= in->len ? 1 : 0;
	return byte;
}

static void take_request(struct input *in, struct call *c)
{
	const size_t low = take_byte(in);
	size_t len = low | (size_t)take_byte(in) << 8;

	if (len > in->len)
		len = in->len;
	c->request.len = 0;
	if (!(c->mode & MODE_RAW))
		begin_message(&c->request);
	if (!(c->mode & MODE_RAW) && c->mode & MODE_LOG)
		memset(c->request.data + 1, 0, 8);
	put_bytes(&c->request, in->data, len);
	in->data += len;
	in->len -= len;
	if (c->mode & MODE_SIGN && c->request.len > FRAMING)
		world_sign(c->command, &c->request);
}

static void play(struct input *in, struct past *past)
{
	static struct call c;
	const unsigned all = MODE_ROOM_ALL >> MODE_ROOM_SHIFT;

	c.command = take_byte(in) % COMMANDS;
	c.mode = take_byte(in);
	c.room = c.mode >> MODE_ROOM_SHIFT;
	c.room = c.room == all ? SR_TA_RESPONSE_MAX : c.room * 64;
	take_request(in, &c);
	memset(c.response + c.room, GUARD_BYTE, GUARD);
	c.len = c.room;
	c.result = world_invoke(c.command, c.request.data, c.request.len, c.response, &c.len);
	check_promises(&c, past);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	const uint8_t world = take_byte(&in);
	struct past past = { .operated = world & INPUT_OPERATED };
	size_t handles = 0;
	size_t allocated = 0;

	world_enter(world & INPUT_OPERATED ? WORLD_OPERATED : WORLD_BLANK, world & INPUT_CHANGES,
		    world & INPUT_BEGUN);
	handles = sim_test_open_handles();
	allocated = sim_test_allocated();
	for (unsigned i = 0; i < REQUESTS && in.len; i++)
		play(&in, &past);
	check(sim_test_open_handles() == handles, "no handle is kept");
	check(sim_test_allocated() == allocated, "no memory is kept");
	world_leave();
	return 0;
}

/* --write-corpus=DIRECTORY */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char option[] = "--write-corpus=";

	if (*argc != 2 || strncmp((*argv)[1], option, sizeof(option) - 1) != 0)
		return 0;
	exit(write_corpus((*argv)[1] + sizeof(option) - 1) ? EXIT_SUCCESS : EXIT_FAILURE);
}
