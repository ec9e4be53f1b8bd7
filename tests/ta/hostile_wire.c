/* SPDX-License-Identifier: Apache-2.0 */
/* The hostile client and the wire: types of parameters, sizes, framing, room. */
#include <stdio.h>
#include <string.h>

#include "hostile_case.h"

static struct ta_request request;

static const struct ta_request *take(struct world *w, const struct hostile_case *k)
{
	request.len = 0;
	put_bytes(&request, w->valid[k->command].data, w->valid[k->command].len);
	return &request;
}

/* ---- types ---------------------------------------------------------------------- */

static const uint32_t types[] = { TEEC_NONE,
				  TEEC_VALUE_INPUT,
				  TEEC_VALUE_OUTPUT,
				  TEEC_VALUE_INOUT,
				  TEEC_MEMREF_TEMP_INPUT,
				  TEEC_MEMREF_TEMP_OUTPUT,
				  TEEC_MEMREF_TEMP_INOUT };

/* Values that would be pointers and sizes, where the TA took them for such. */
static void set_parameter(TEEC_Parameter *parameter, uint32_t type, struct ta_request *r)
{
	memset(parameter, 0, sizeof(*parameter));
	if (type >= TEEC_MEMREF_TEMP_INPUT) {
		parameter->tmpref.buffer = r->data;
		parameter->tmpref.size = r->len;
	} else if (type != TEEC_NONE) {
		parameter->value.a = 0xfffffff0;
		parameter->value.b = 0xffffffff;
	}
}

static void send_types(struct world *w, uint32_t command, const uint32_t type[4])
{
	struct ta_client *c = &w->p->ta;
	TEEC_Operation op = { 0 };
	uint32_t origin = 0;

	op.paramTypes = TEEC_PARAM_TYPES(type[0], type[1], type[2], type[3]);
	for (unsigned i = 0; i < 4; i++)
		set_parameter(&op.params[i], type[i], &request);
	assert_int_equal(c->api.invoke_command(&c->session, command, &op, &origin),
			 TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(origin, TEEC_ORIGIN_TRUSTED_APP);
}

static void wrong_type(struct world *w, const struct hostile_case *k)
{
	const uint32_t expected[4] = { TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE,
				       TEEC_NONE };
	static uint8_t before[SR_TA_REQUEST_MAX];

	for (size_t i = 0; i < SR_ARRAY_LEN(types); i++) {
		uint32_t type[4] = { expected[0], expected[1], expected[2], expected[3] };

		if (types[i] == expected[k->variant])
			continue;
		(void)take(w, k);
		memcpy(before, request.data, request.len);
		type[k->variant] = types[i];
		send_types(w, k->command, type);
		assert_memory_equal(request.data, before, request.len);
	}
}

static void no_operation(struct world *w, const struct hostile_case *k)
{
	struct ta_client *c = &w->p->ta;
	uint32_t origin = 0;

	assert_int_equal(c->api.invoke_command(&c->session, k->command, NULL, &origin),
			 TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(origin, TEEC_ORIGIN_TRUSTED_APP);
}

static void add_type_cases(void)
{
	struct hostile_case k = { .run = wrong_type };
	char what[64] = "";

	for (k.variant = 0; k.variant < 4; k.variant++) {
		(void)snprintf(what, sizeof(what), "parameter %zu of every other type", k.variant);
		for (k.command = 0; k.command < SR_TA_COMMANDS; k.command++)
			add_case(&k, what);
	}
	k.run = no_operation;
	for (k.command = 0; k.command < SR_TA_COMMANDS; k.command++)
		add_case(&k, "no parameters at all");
}

/* ---- sizes ---------------------------------------------------------------------- */

static void cut_to(struct world *w, const struct hostile_case *k)
{
	(void)take(w, k);
	request.len = k->variant;
	(void)expect_error(w, k->command, &request, ROOM, TEEC_ERROR_BAD_FORMAT);
}

static void cut_everywhere(struct world *w, const struct hostile_case *k)
{
	for (size_t len = take(w, k)->len; len--;) {
		request.len = len;
		(void)expect_error(w, k->command, &request, ROOM, TEEC_ERROR_BAD_FORMAT);
	}
}

static void filled_up(struct world *w, const struct hostile_case *k)
{
	memset(request.data, 0, sizeof(request.data));
	(void)take(w, k);
	request.len = k->variant;
	(void)expect_error(w, k->command, &request, ROOM,
			   k->variant > SR_TA_REQUEST_MAX ? TEEC_ERROR_BAD_PARAMETERS
							  : TEEC_ERROR_BAD_FORMAT);
}

static void left_over(struct world *w, const struct hostile_case *k)
{
	(void)take(w, k);
	for (size_t i = 0; i < k->variant; i++)
		put_u8(&request, 0);
	(void)expect_error(w, k->command, &request, ROOM, TEEC_ERROR_BAD_FORMAT);
}

static void add_size_cases(void)
{
	add_for_all((struct hostile_case){ .run = cut_to, .variant = 0 }, "a request of no bytes");
	add_for_all((struct hostile_case){ .run = cut_to, .variant = 1 }, "a request of one byte");
	add_for_all((struct hostile_case){ .run = cut_to, .variant = FRAMING - 1 },
		    "a request one byte short of its framing");
	add_for_all((struct hostile_case){ .run = cut_everywhere },
		    "a request cut short at every byte");
	add_for_all((struct hostile_case){ .run = left_over, .variant = 1 }, "one byte left over");
	add_for_all((struct hostile_case){ .run = left_over, .variant = 300 },
		    "300 bytes left over");
	add_for_all((struct hostile_case){ .run = filled_up, .variant = SR_TA_REQUEST_MAX },
		    "a request of the largest size, most of it left over");
	add_for_all((struct hostile_case){ .run = filled_up, .variant = SR_TA_REQUEST_MAX + 1 },
		    "a request one byte above the largest size");
}

/* ---- framing -----------------------------------------------------------------------------------
 */

static void other_versions(struct world *w, const struct hostile_case *k)
{
	static const uint8_t versions[] = { 0, 1, 2, 4, '0' + SR_TA_WIRE_VERSION, 0x83, 255 };

	(void)take(w, k);
	for (size_t i = 0; i < sizeof(versions); i++) {
		request.data[0] = versions[i];
		(void)expect_error(w, k->command, &request, ROOM, TEEC_ERROR_BAD_FORMAT);
	}
}

static void set_audited(uint64_t audited)
{
	for (unsigned i = 0; i < 8; i++)
		request.data[1 + i] = (uint8_t)(audited >> (8 * i));
}

/* Anybody may ask for it, and so nobody is told of the log by it. */
static void tells_no_records(struct world *w)
{
	static struct answer answer;

	send_raw(&w->p->ta, &w->p->ta.session, SR_TA_CMD_GET_INFO, &request, ROOM, &answer);
	assert_int_equal(answer.result, TEEC_SUCCESS);
	assert_true(documented(&answer));
	assert_memory_equal(answer.data + answer.size - RESPONSE_END, "\0\0", RESPONSE_END);
}

static void audited_beyond(struct world *w, const struct hostile_case *k)
{
	const uint64_t next = host_read(w->p).next;
	const uint64_t beyond[] = { next, next + 1, next + 5000, UINT64_MAX >> 1, UINT64_MAX - 1 };

	(void)take(w, k);
	for (size_t i = 0; i < SR_ARRAY_LEN(beyond); i++) {
		set_audited(beyond[i]);
		if (k->command == SR_TA_CMD_GET_INFO)
			tells_no_records(w);
		else
			(void)expect_error(w, k->command, &request, ROOM,
					   TEEC_ERROR_BAD_PARAMETERS);
	}
}

static void add_framing_cases(void)
{
	add_for_all((struct hostile_case){ .run = other_versions }, "another version");
	add_for_all((struct hostile_case){ .run = audited_beyond },
		    "a log that is ahead of the chain");
}

/* ---- room
 * ----------------------------------------------------------------------------------------- */

static void no_room(struct world *w, const struct hostile_case *k)
{
	const size_t needed = expect_error(w, k->command, take(w, k), 0, TEEC_ERROR_SHORT_BUFFER);

	assert_in_range(needed, 1 + RESPONSE_END, SR_TA_RESPONSE_MAX);
}

static void room_for_one_byte(struct world *w, const struct hostile_case *k)
{
	(void)expect_error(w, k->command, take(w, k), 1, TEEC_ERROR_SHORT_BUFFER);
}

static void room_for_all_but_one_byte(struct world *w, const struct hostile_case *k)
{
	const size_t needed = expect_error(w, k->command, take(w, k), 0, TEEC_ERROR_SHORT_BUFFER);

	assert_true(needed <= ROOM);
	assert_int_equal(expect_error(w, k->command, &request, needed - 1, TEEC_ERROR_SHORT_BUFFER),
			 needed);
}

static void add_room_cases(void)
{
	add_for_all((struct hostile_case){ .run = no_room }, "no room for the response");
	add_for_all((struct hostile_case){ .run = room_for_one_byte },
		    "room for one byte of the response");
	add_for_all((struct hostile_case){ .run = room_for_all_but_one_byte },
		    "room for all but one byte of the response");
}

void add_wire_cases(void)
{
	add_type_cases();
	add_size_cases();
	add_framing_cases();
	add_room_cases();
}
