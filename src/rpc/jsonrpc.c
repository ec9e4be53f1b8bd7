/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC 2.0: from a body to calls, and from finished calls to a body. */
#include <stdlib.h>
#include <string.h>

#include "rpc/rpc_private.h"

#define RESPONSE_LIMIT ((size_t)16 * 1024 * 1024)
#define ENVELOPE_LIMIT ((size_t)4096) /* around a result: version, braces, a usual id */
#define VALUES_MAX 65536	      /* a small value takes 16 bytes, in the body 2 */
#define UNKNOWN "unknown"

struct rpc_exchange {
	const struct rpc *rpc;
	struct rpc_worker *worker;
	yyjson_doc *doc;
	rpc_done done;
	void *arg;
	bool is_batch;
	size_t count;
	size_t buffered; /* bytes that this takes of the worker's budget */
	size_t pending;	 /* calls not finished, and one for the dispatch itself */
	struct rpc_call calls[];
};

static void put_error(struct sr_buf *out, int code, const char *message, const char *data_json)
{
	sr_buf_printf(out, "{\"code\":%d,\"message\":", code);
	sr_buf_put_json_string(out, message, strlen(message));
	if (data_json)
		sr_buf_printf(out, ",\"data\":%s", data_json);
	sr_buf_puts(out, "}");
}

void rpc_write_refusal(struct sr_buf *out, int code, const char *message)
{
	sr_buf_puts(out, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":");
	put_error(out, code, message, NULL);
	sr_buf_puts(out, "}");
}

static void refuse(rpc_done done, void *arg, int code, const char *message)
{
	struct sr_buf out = { 0 };

	rpc_write_refusal(&out, code, message);
	done(arg, (struct sr_bytes){ out.data, out.len });
	sr_buf_free(&out);
}

/* ---- finishing ---------------------------------------------------------- */

static void put_batch(const struct rpc_exchange *x, struct sr_buf *out)
{
	bool first = true;

	for (size_t i = 0; i < x->count; i++) {
		const struct sr_buf *r = &x->calls[i].response;

		if (!r->len)
			continue;
		sr_buf_puts(out, first ? "[" : ",");
		sr_buf_append(out, r->data, r->len);
		first = false;
	}
	if (!first)
		sr_buf_puts(out, "]");
}

static void exchange_free(struct rpc_exchange *x)
{
	x->worker->buffered -= x->buffered;
	for (size_t i = 0; i < x->count; i++)
		sr_buf_free(&x->calls[i].response);
	yyjson_doc_free(x->doc);
	free(x);
}

static void exchange_complete(struct rpc_exchange *x)
{
	struct sr_buf whole = { .limit = 2 * RESPONSE_LIMIT };
	struct sr_bytes answer = { 0 };

	if (x->is_batch) {
		put_batch(x, &whole);
		answer = (struct sr_bytes){ whole.data, whole.len };
	} else if (x->count) {
		answer = (struct sr_bytes){ x->calls[0].response.data, x->calls[0].response.len };
	}
	if (whole.failed)
		refuse(x->done, x->arg, RPC_INTERNAL_ERROR, "out of memory for the answer");
	else
		x->done(x->arg, answer);
	sr_buf_free(&whole);
	exchange_free(x);
}

static void exchange_release(struct rpc_exchange *x)
{
	if (--x->pending == 0)
		exchange_complete(x);
}

/* The id as it came: numbers are raw text, so that none loses digits. */
static void put_id(struct sr_buf *out, yyjson_val *id)
{
	size_t len = 0;
	char *text = NULL;

	if (!id || yyjson_is_null(id)) {
		sr_buf_puts(out, "null");
		return;
	}
	text = yyjson_val_write(id, YYJSON_WRITE_NOFLAG, &len);
	if (text)
		sr_buf_append(out, text, len);
	else
		out->failed = true;
	free(text);
}

static void begin_response(struct rpc_call *call, const char *member)
{
	sr_buf_puts(&call->response, "{\"jsonrpc\":\"2.0\",\"id\":");
	put_id(&call->response, call->id);
	sr_buf_printf(&call->response, ",\"%s\":", member);
}

static void charge(struct rpc_exchange *x, size_t bytes)
{
	x->buffered += bytes;
	x->worker->buffered += bytes;
}

/* A whole batch gets no more than one call may, and all clients of a loop
 * together no more than the loop's share. */
static bool within_budget(const struct rpc_call *call)
{
	return call->exchange->buffered + call->response.len <= RESPONSE_LIMIT &&
	       call->worker->buffered + call->response.cap <= RPC_BUFFER_MAX;
}

/* The call has run; its client is told which one it was. */
static int replace_answer(struct rpc_call *call)
{
	sr_buf_free(&call->response);
	begin_response(call, "error");
	put_error(&call->response, RPC_INTERNAL_ERROR, "the answer is too large", NULL);
	sr_buf_puts(&call->response, "}");
	return RPC_INTERNAL_ERROR;
}

static void end_call(struct rpc_call *call, int code)
{
	const struct rpc *rpc = call->rpc;

	sr_buf_puts(&call->response, "}");
	if (call->notification)
		sr_buf_free(&call->response);
	else if (call->response.failed || !within_budget(call))
		code = replace_answer(call);
	charge(call->exchange, call->response.cap);
	if (rpc->observe) {
		struct rpc_observation seen = { .method = call->method,
						.code = code,
						.duration_ns =
							sr_time_monotonic_ns() - call->started_ns };

		rpc->observe(rpc->observe_arg, &seen);
	}
	exchange_release(call->exchange);
}

void rpc_finish_result(struct rpc_call *call, struct sr_bytes json)
{
	begin_response(call, "result");
	sr_buf_append(&call->response, json.data, json.len);
	end_call(call, 0);
}

void rpc_finish_error(struct rpc_call *call, int code, const char *message, const char *data_json)
{
	begin_response(call, "error");
	put_error(&call->response, code, message, data_json);
	end_call(call, code);
}

void rpc_finish_foreign_error(struct rpc_call *call, int64_t code, struct sr_bytes error_json)
{
	begin_response(call, "error");
	sr_buf_append(&call->response, error_json.data, error_json.len);
	end_call(call,
		 code >= INT32_MIN && code <= INT32_MAX && code ? (int)code : RPC_INTERNAL_ERROR);
}

static void finish_denied(struct rpc_call *call, const struct sr_error *err)
{
	char paymaster[ETH_ADDRESS_TEXT];
	char data[96];

	eth_address_to_text(&call->rpc->paymaster->config.contract, paymaster);
	snprintf(data, sizeof(data), "{\"paymaster\":\"%s\"}", paymaster);
	rpc_finish_error(call, RPC_PAYMASTER_REJECTED, err->message, data);
}

void rpc_finish_failure(struct rpc_call *call, const struct sr_error *err)
{
	switch (err->code) {
	case SR_E_INVALID:
	case SR_E_LIMIT:
		rpc_finish_error(call, RPC_INVALID_PARAMS, err->message, NULL);
		return;
	case SR_E_DENIED:
		finish_denied(call, err);
		return;
	default:
		sr_log(SR_LOG_WARN, "rpc", "%s: %s (%s)", call->method, err->message,
		       sr_code_name(err->code));
		rpc_finish_error(call, RPC_INTERNAL_ERROR, err->message, NULL);
	}
}

void rpc_finish_upstream_failure(struct rpc_call *call, const struct sr_error *err)
{
	struct sr_error ours = *err;

	if (ours.code == SR_E_INVALID || ours.code == SR_E_LIMIT)
		ours.code = SR_E_INTERNAL;
	rpc_finish_failure(call, &ours);
}

/* ---- dispatch ----------------------------------------------------------- */

static const struct rpc_method *find_in(const struct rpc_method *table, const char *name)
{
	for (; table->name; table++) {
		if (strcmp(table->name, name) == 0)
			return table;
	}
	return NULL;
}

static const struct rpc_method *find_method(const char *name)
{
	const struct rpc_method *m = find_in(rpc_methods_pm, name);

	return m ? m : find_in(rpc_methods_eth, name);
}

static size_t table_size(const struct rpc_method *table)
{
	size_t count = 0;

	while (table[count].name)
		count++;
	return count;
}

const char *rpc_method_name(const struct rpc *rpc, size_t index)
{
	size_t pm = table_size(rpc_methods_pm);
	size_t eth = table_size(rpc_methods_eth);

	if (!index--)
		return UNKNOWN;
	if (index < pm)
		return rpc_methods_pm[index].name;
	index -= pm;
	if (index < eth)
		return rpc_methods_eth[index].name;
	index -= eth;
	return index < rpc->node_method_count ? rpc->node_methods[index] : NULL;
}

static void method_not_found(struct rpc_call *call, const char *name)
{
	char message[160];

	snprintf(message, sizeof(message), "the method '%.80s' does not exist", name);
	rpc_finish_error(call, RPC_METHOD_NOT_FOUND, message, NULL);
}

static void run_method(struct rpc_call *call, yyjson_val *method)
{
	const struct rpc *rpc = call->rpc;
	const char *name = yyjson_get_str(method);
	/* a name with a NUL in it is not the name before the NUL */
	bool whole = strlen(name) == yyjson_get_len(method);
	const struct rpc_method *m = whole ? find_method(name) : NULL;
	const char *node_method = m || !whole ? NULL : rpc_find_node_method(rpc, name);

	if (node_method) {
		call->method = node_method;
		rpc_handle_node_method(call);
		return;
	}
	if (!m) {
		method_not_found(call, name);
		return;
	}
	call->method = m->name;
	call->entry = m;
	if (m->needs == RPC_NEEDS_PAYMASTER && !rpc->paymaster_enabled)
		rpc_finish_error(call, RPC_METHOD_NOT_FOUND,
				 "this relay runs without its paymaster (paymaster_relay.enabled)",
				 NULL);
	else if (m->needs == RPC_NEEDS_BUNDLER && !call->worker->bundler)
		rpc_finish_error(call, RPC_METHOD_NOT_FOUND,
				 "this relay has no upstream bundler (node.bundler_url)", NULL);
	else
		m->handle(call);
}

/* Absent params and an absent id are fine; anything of the wrong kind is not. */
static const char *check_request(yyjson_val *request)
{
	yyjson_val *version = yyjson_obj_get(request, "jsonrpc");
	yyjson_val *id = yyjson_obj_get(request, "id");
	yyjson_val *params = yyjson_obj_get(request, "params");

	if (id && !yyjson_is_str(id) && !yyjson_is_raw(id) && !yyjson_is_null(id))
		return "id: expected a string, a number or null";
	if (!yyjson_equals_str(version, "2.0"))
		return "jsonrpc: expected \"2.0\"";
	if (!yyjson_is_str(yyjson_obj_get(request, "method")))
		return "method: expected a string";
	if (params && !yyjson_is_ctn(params))
		return "params: expected an array or an object";
	return NULL;
}

static void run_call(struct rpc_call *call, yyjson_val *request)
{
	const char *wrong = "expected a request object";
	yyjson_val *id = NULL;

	call->method = UNKNOWN;
	call->started_ns = sr_time_monotonic_ns();
	if (yyjson_is_obj(request)) {
		wrong = check_request(request);
		id = yyjson_obj_get(request, "id");
	}
	if (wrong) {
		/* answered even without an id; one of a wrong kind cannot be echoed */
		call->id = yyjson_is_ctn(id) || yyjson_is_bool(id) ? NULL : id;
		rpc_finish_error(call, RPC_INVALID_REQUEST, wrong, NULL);
		return;
	}
	call->id = id;
	call->notification = !id;
	call->params = yyjson_obj_get(request, "params");
	run_method(call, yyjson_obj_get(request, "method"));
}

static void run_exchange(struct rpc_exchange *x, yyjson_val *root)
{
	yyjson_arr_iter iter = { 0 };
	size_t i = 0;

	x->pending = x->count + 1;
	if (x->is_batch) {
		yyjson_arr_iter_init(root, &iter);
		for (i = 0; i < x->count; i++)
			run_call(&x->calls[i], yyjson_arr_iter_next(&iter));
	} else {
		run_call(&x->calls[0], root);
	}
	exchange_release(x);
}

/* How deep a body nests, strings aside; checked before it is parsed. */
static bool too_deep(struct sr_bytes body, unsigned max)
{
	unsigned depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < body.len; i++) {
		uint8_t c = body.data[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			if (++depth > max)
				return true;
		} else if ((c == ']' || c == '}') && depth) {
			depth--;
		}
	}
	return false;
}

static struct rpc_exchange *exchange_new(const struct rpc *rpc, struct rpc_worker *worker,
					 yyjson_doc *doc, bool is_batch, size_t count)
{
	struct rpc_exchange *x = calloc(1, sizeof(*x) + count * sizeof(x->calls[0]));

	if (!x)
		return NULL;
	x->rpc = rpc;
	x->worker = worker;
	x->doc = doc;
	x->is_batch = is_batch;
	x->count = count;
	for (size_t i = 0; i < count; i++) {
		x->calls[i].exchange = x;
		x->calls[i].rpc = rpc;
		x->calls[i].worker = worker;
		x->calls[i].response.limit = RESPONSE_LIMIT + ENVELOPE_LIMIT;
	}
	return x;
}

static void refuse_unparsed(const yyjson_read_err *err, size_t len, rpc_done done, void *arg)
{
	char message[160];

	if (!len)
		snprintf(message, sizeof(message), "the body is empty: expected JSON");
	else
		snprintf(message, sizeof(message), "the body is no valid JSON: %s at byte %zu",
			 err->msg, err->pos);
	refuse(done, arg, RPC_PARSE_ERROR, message);
}

void rpc_handle(const struct rpc *rpc, struct rpc_worker *worker, struct sr_bytes body,
		rpc_done done, void *arg)
{
	yyjson_read_err parse_err = { 0 };
	yyjson_doc *doc = NULL;
	yyjson_val *root = NULL;
	struct rpc_exchange *x = NULL;
	char message[160];
	size_t count = 1;

	if (too_deep(body, rpc->max_depth)) {
		snprintf(message, sizeof(message), "the body nests deeper than %u levels",
			 rpc->max_depth);
		refuse(done, arg, RPC_INVALID_REQUEST, message);
		return;
	}
	/* yyjson_read_opts never writes to the input without INSITU */
	doc = yyjson_read_opts((char *)(uintptr_t)body.data, body.len, YYJSON_READ_NUMBER_AS_RAW,
			       NULL, &parse_err);
	if (!doc) {
		refuse_unparsed(&parse_err, body.len, done, arg);
		return;
	}
	root = yyjson_doc_get_root(doc);
	if (yyjson_doc_get_val_count(doc) > VALUES_MAX) {
		yyjson_doc_free(doc);
		refuse(done, arg, RPC_INVALID_REQUEST, "the body holds over 65536 JSON values");
		return;
	}
	if (yyjson_is_arr(root)) {
		count = yyjson_arr_size(root);
		if (!count || count > rpc->max_batch) {
			snprintf(message, sizeof(message),
				 "batch: expected 1 to %u requests, got %zu", rpc->max_batch,
				 count);
			yyjson_doc_free(doc);
			refuse(done, arg, RPC_INVALID_REQUEST, message);
			return;
		}
	}
	x = exchange_new(rpc, worker, doc, yyjson_is_arr(root), count);
	if (!x) {
		yyjson_doc_free(doc);
		refuse(done, arg, RPC_INTERNAL_ERROR, "out of memory");
		return;
	}
	x->done = done;
	x->arg = arg;
	charge(x, body.len + yyjson_doc_get_val_count(doc) * sizeof(void *) * 2);
	run_exchange(x, root);
}
