/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs/ta-protocol.md against the TA. The page's examples are one session: they are sent in its
 * order, from a blank storage on, and the answers must be the page's to the last byte. Nothing is
 * left to chance there: clock and random numbers stand still, and the host's share is in
 * the requests. Limits and numbers of the tables are compared with the header.
 *
 * With "--print" this writes the page with the answers that the TA gives now, lines and
 * words kept. Requests are not made anew: whoever changes what a signature in them is over
 * signs again, with the operator's seed, 32 bytes of 4f.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "super_relay_ta.h"
#include "tee/sim/sim_test.h"
#include "tee/tee.h"
#include "temp_dir.h"

#define PAGE SR_SOURCE_DIR "/docs/ta-protocol.md"
#define LINE_BYTES 32 /* of a field that goes on in the next line */
#define LINE_MAX_CHARS 512

/* ---- what stands still ------------------------------------------------------------- */

static void frozen_random(void *out, size_t len)
{
	memset(out, 0x11, len);
}

static uint64_t frozen_clock(void)
{
	return 60000;
}

/* ---- the header -------------------------------------------------------------------- */

#define NAMED(name) { #name, name }
struct named {
	const char *name;
	uint64_t value;
};

#define COMMAND(name) { #name, SR_TA_CMD_##name }
static const struct named commands[SR_TA_COMMANDS] = {
	COMMAND(GENERATE_KEY),	 COMMAND(IMPORT_KEY),	  COMMAND(SIGN_MESSAGE),
	COMMAND(GET_PUBLIC_KEY), COMMAND(DELETE_KEY),	  COMMAND(SIGN_SPONSORSHIP),
	COMMAND(LIST_KEYS),	 COMMAND(GET_INFO),	  COMMAND(BEGIN),
	COMMAND(AUDIT_READ),	 COMMAND(CHECKPOINT),	  COMMAND(PROVISION),
	COMMAND(SET_POLICY),	 COMMAND(GET_POLICY),	  COMMAND(SIGN_TRANSACTION),
	COMMAND(ATTEST),	 COMMAND(IMPORT_WRAPPED), COMMAND(EXPORT_WRAPPED),
	COMMAND(ROTATE_KEY),
};

/* ---- the page ------------------------------------------------------------------------ */

enum part { OUTSIDE, HEAD, REQUEST, ANSWER, RESPONSE };

struct example {
	unsigned line; /* of its command */
	uint32_t command;
	char name[32];
	uint8_t request[SR_TA_REQUEST_MAX];
	size_t request_len;
	uint32_t result;
	uint8_t response[SR_TA_RESPONSE_MAX];
	size_t response_len;
};

struct reader {
	FILE *file;
	unsigned line;
	enum part part;
	struct example example;
};

static void fail_at(const struct reader *r, const char *what)
{
	fail_msg("%s:%u: %s", PAGE, r->line, what);
}

static void append_line(struct reader *r, const char *text, uint8_t *to, size_t size, size_t *len)
{
	const size_t digits = strspn(text, "0123456789abcdef");
	uint8_t bytes[LINE_BYTES] = { 0 };

	if (!digits || digits % 2 || digits > 2 * LINE_BYTES ||
	    (text[digits] != '\n' && text[digits] != ' ') || *len + digits / 2 > size ||
	    !sr_hex_decode(text, digits, bytes, digits / 2))
		fail_at(r, "neither hexadecimal nor a word of the form");
	memcpy(to + *len, bytes, digits / 2);
	*len += digits / 2;
}

static void read_example_line(struct reader *r, const char *text)
{
	struct example *e = &r->example;

	if (sscanf(text, "command %u %31s", &e->command, e->name) == 2)
		e->line = r->line;
	else if (!strcmp(text, "request\n"))
		r->part = REQUEST;
	else if (sscanf(text, "result %x", &e->result) == 1)
		r->part = ANSWER;
	else if (!strcmp(text, "response\n"))
		r->part = RESPONSE;
	else if (r->part == REQUEST)
		append_line(r, text, e->request, sizeof(e->request), &e->request_len);
	else if (r->part == RESPONSE)
		append_line(r, text, e->response, sizeof(e->response), &e->response_len);
	else
		fail_at(r, "not a line of an example");
}

/* Sees each line; in an example's last one, r->part is still that of the example. */
typedef void (*see_line)(struct reader *r, const char *text, bool ends, void *arg);

static void read_page(see_line see, void *arg)
{
	static struct reader r;
	char text[LINE_MAX_CHARS] = { 0 };

	r = (struct reader){ .file = fopen(PAGE, "re") };
	assert_non_null(r.file);
	while (fgets(text, sizeof(text), r.file)) {
		const bool fence = !strncmp(text, "```", 3);

		r.line++;
		see(&r, text, fence && r.part != OUTSIDE, arg);
		if (fence && r.part != OUTSIDE) {
			r.part = OUTSIDE;
		} else if (!strcmp(text, "```ta-example\n")) {
			r.example = (struct example){ 0 };
			r.part = HEAD;
		} else if (r.part != OUTSIDE) {
			read_example_line(&r, text);
		}
	}
	assert_int_equal(r.part, OUTSIDE);
	assert_int_equal(fclose(r.file), 0);
}

/* ---- the TA -------------------------------------------------------------------------- */

struct session {
	struct tee_api api;
	TEEC_Context context;
	TEEC_Session session;
	char store[TEMP_DIR_MAX];
	unsigned examples;
	unsigned of_command[SR_TA_COMMANDS];
	uint8_t response[SR_TA_RESPONSE_MAX];
	size_t response_len;
	size_t printed; /* bytes of the response */
};

static int open_session(void **state)
{
	static struct session s;
	const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;
	struct sr_error err = { 0 };
	uint32_t origin = 0;

	s = (struct session){ 0 };
	sim_random_hook = frozen_random;
	sim_system_time_hook = frozen_clock;
	if (!make_temp_dir(s.store) || !tee_load_simulator(s.store, &s.api, &err) ||
	    s.api.initialize_context(NULL, &s.context) != TEEC_SUCCESS ||
	    s.api.open_session(&s.context, &s.session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL,
			       &origin) != TEEC_SUCCESS)
		return -1;
	*state = &s;
	return 0;
}

static int close_session(void **state)
{
	struct session *s = *state;

	s->api.close_session(&s->session);
	s->api.finalize_context(&s->context);
	sim_test_unload();
	sim_random_hook = NULL;
	sim_system_time_hook = NULL;
	(void)remove_temp_dir(s->store);
	return 0;
}

static TEEC_Result invoke(struct session *s, struct example *e)
{
	TEEC_Operation operation = { 0 };
	TEEC_Result result = TEEC_SUCCESS;
	uint32_t origin = 0;

	operation.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT,
						TEEC_NONE, TEEC_NONE);
	operation.params[0].tmpref = (TEEC_TempMemoryReference){ e->request, e->request_len };
	operation.params[1].tmpref = (TEEC_TempMemoryReference){ s->response, sizeof(s->response) };
	result = s->api.invoke_command(&s->session, e->command, &operation, &origin);
	s->response_len = operation.params[1].tmpref.size;
	return result;
}

/* ---- the tests ------------------------------------------------------------------------ */

static void try_example(struct reader *r, const char *text, bool ends, void *arg)
{
	struct session *s = arg;
	struct example *e = &r->example;
	TEEC_Result result = TEEC_SUCCESS;

	(void)text;
	if (!ends || (r->part != RESPONSE && r->part != ANSWER))
		return;
	if (e->command >= SR_TA_COMMANDS || strcmp(e->name, commands[e->command].name) != 0)
		fail_at(r, "an example of no command");
	r->line = e->line;
	result = invoke(s, e);
	if (result != e->result)
		fail_msg("%s:%u: %s gives %08x", PAGE, e->line, e->name, result);
	if (s->response_len != e->response_len)
		fail_msg("%s:%u: %s answers %zu bytes, the page %zu", PAGE, e->line, e->name,
			 s->response_len, e->response_len);
	for (size_t i = 0; i < e->response_len; i++) {
		if (s->response[i] != e->response[i])
			fail_msg("%s:%u: %s differs at offset %zu", PAGE, e->line, e->name, i);
	}
	s->examples++;
	if (result == TEEC_SUCCESS)
		s->of_command[e->command]++;
}

static void the_ta_answers_every_example_as_the_page_says(void **state)
{
	struct session *s = *state;

	read_page(try_example, s);
	assert_true(s->examples >= SR_TA_COMMANDS);
}

/* After the other, whose examples it counts. */
static void every_command_has_an_example_that_succeeds(void **state)
{
	const struct session *s = *state;

	for (unsigned i = 0; i < SR_TA_COMMANDS; i++) {
		if (!s->of_command[i])
			fail_msg("%s: no example of command %u", PAGE, i);
	}
}

static const struct named limits[] = {
	NAMED(SR_TA_KEY_ID_MAX),	NAMED(SR_TA_KEYS_MAX),
	NAMED(SR_TA_LEDGERS_MAX),	NAMED(SR_TA_BATCH_MAX),
	NAMED(SR_TA_MESSAGE_MAX),	NAMED(SR_TA_REQUEST_MAX),
	NAMED(SR_TA_RESPONSE_MAX),	NAMED(SR_TA_GROUPS_MAX),
	NAMED(SR_TA_KEY_INFO_MAX),	NAMED(SR_TA_POLICY_LIST_MAX),
	NAMED(SR_TA_POLICY_MAX),	NAMED(SR_TA_WINDOW_MAX),
	NAMED(SR_TA_RECORD_MAX),	NAMED(SR_TA_RING_MAX),
	NAMED(SR_TA_CHECKPOINT_SIZE),	NAMED(SR_TA_SPONSORSHIP_SIZE),
	NAMED(SR_TA_LIST_RESPONSE_MIN), NAMED(SR_TA_SPONSORSHIP_RESULT_SIZE),
	NAMED(SR_TA_ENVELOPE_MAX),	NAMED(SR_TA_EVIDENCE_MAX),
};

struct search {
	const char *beginning;
	unsigned found;
};

static void look_for(struct reader *r, const char *text, bool ends, void *arg)
{
	struct search *search = arg;

	(void)ends;
	if (r->part == OUTSIDE && !strncmp(text, search->beginning, strlen(search->beginning)))
		search->found++;
}

static void assert_one_line(const char *beginning)
{
	struct search search = { .beginning = beginning };

	read_page(look_for, &search);
	if (search.found != 1)
		fail_msg("%s: %u lines begin with \"%s\"", PAGE, search.found, beginning);
}

static void the_pages_limits_are_the_headers(void **state)
{
	char row[128] = { 0 };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(limits); i++) {
		(void)snprintf(row, sizeof(row), "| `%s` | %llu |", limits[i].name,
			       (unsigned long long)limits[i].value);
		assert_one_line(row);
	}
}

static void the_page_has_every_command_by_its_number(void **state)
{
	char text[128] = { 0 };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(commands); i++) {
		const unsigned number = (unsigned)commands[i].value;

		(void)snprintf(text, sizeof(text), "| %u | [%s](#", number, commands[i].name);
		assert_one_line(text);
		(void)snprintf(text, sizeof(text), "### %u %s\n", number, commands[i].name);
		assert_one_line(text);
	}
}

/* ---- writing the page -------------------------------------------------------------------- */

static void print_bytes(struct session *s, size_t count)
{
	for (size_t i = 0; i < count && s->printed < s->response_len; i++)
		printf("%02x", s->response[s->printed++]);
}

/* A field's line with what the TA answers now. */
static void print_line(struct reader *r, const char *text, bool ends, void *arg)
{
	struct session *s = arg;
	const size_t digits = strspn(text, "0123456789abcdef");

	if (ends && r->part == RESPONSE && s->printed < s->response_len) {
		print_bytes(s, SIZE_MAX);
		printf("  here the page was shorter\n");
	}
	if (!strncmp(text, "result ", 7) && r->part == REQUEST) {
		printf("result %08x\n", invoke(s, &r->example));
		s->printed = 0;
	} else if (r->part == RESPONSE && !ends) {
		print_bytes(s, digits / 2);
		fputs(text + digits, stdout);
	} else {
		fputs(text, stdout);
	}
}

static int print_page(void)
{
	void *state = NULL;

	if (open_session(&state))
		return EXIT_FAILURE;
	read_page(print_line, state);
	return close_session(&state) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ta_answers_every_example_as_the_page_says),
		cmocka_unit_test(every_command_has_an_example_that_succeeds),
		cmocka_unit_test(the_pages_limits_are_the_headers),
		cmocka_unit_test(the_page_has_every_command_by_its_number),
	};

	if (argc == 2 && !strcmp(argv[1], "--print"))
		return print_page();
	return cmocka_run_group_tests(tests, open_session, close_session);
}
