/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/chain.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "chain/chain_private.h"

struct chain {
	struct loop *loop;
	struct chain_config config;
	char *urls[CHAIN_ENDPOINTS_MAX];
	size_t preferred; /* the endpoint that answered last */
	CURLM *multi;
	uv_timer_t timer;
	uv_idle_t kick; /* starts queued attempts from the loop */
	struct curl_slist *headers;
	struct request *in_flight;
	struct request *waiting; /* to be started on the next turn */
	unsigned count;
	uint64_t next_id;
	bool closing;
};

struct request {
	struct chain *chain;
	const char *method;
	uint64_t started_ns; /* of this attempt; 0: not yet */
	struct request *next;
	CURL *easy;
	struct sr_buf body;
	struct sr_buf response;
	bool repeatable;
	size_t endpoint;
	size_t attempts;
	char curl_error[CURL_ERROR_SIZE];
	chain_done done;
	void *arg;
};

/* A descriptor that curl waits on; freed when its handle has closed. */
struct watch {
	uv_poll_t poll;
	curl_socket_t socket;
	struct chain *chain;
};

bool chain_global_init(struct sr_error *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		return true;
	return sr_fail(err, SR_E_INTERNAL, "libcurl does not start");
}

void chain_global_cleanup(void)
{
	curl_global_cleanup();
}

static void request_free(struct request *r)
{
	if (r->easy)
		curl_easy_cleanup(r->easy);
	sr_buf_free(&r->body);
	sr_buf_free(&r->response);
	free(r);
}

static void unlink_request(struct request **list, struct request *r)
{
	while (*list && *list != r)
		list = &(*list)->next;
	if (*list)
		*list = r->next;
}

static void finish(struct request *r, const struct chain_reply *reply)
{
	r->chain->count--;
	r->done(r->arg, reply);
	request_free(r);
}

static void finish_error(struct request *r, enum sr_code code, const char *text)
{
	struct chain_reply reply = { .error = { .code = SR_OK } };

	sr_fail(&reply.error, code, "%s: %s", r->chain->config.name, text);
	finish(r, &reply);
}

static void observe(const struct chain *chain, const char *method, uint64_t started_ns,
		    enum chain_outcome outcome)
{
	struct chain_observation seen = { .upstream = chain->config.name,
					  .method = method,
					  .outcome = outcome };

	if (!chain->config.observe)
		return;
	if (started_ns)
		seen.duration_ns = sr_time_monotonic_ns() - started_ns;
	chain->config.observe(chain->config.observe_arg, &seen);
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct request *r = arg;

	sr_buf_append(&r->response, data, size * count);
	return r->response.failed ? 0 : size * count;
}

/* curl keeps pointers to nothing of ours but the body, which lives as long. */
static bool prepare(struct request *r)
{
	struct chain *chain = r->chain;
	CURL *easy = r->easy ? r->easy : curl_easy_init();
	CURLcode rc = CURLE_OK;

	r->easy = easy;
	if (!easy)
		return false;
	sr_buf_clear(&r->response);
	rc |= curl_easy_setopt(easy, CURLOPT_URL, chain->urls[r->endpoint]);
	rc |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	rc |= curl_easy_setopt(easy, CURLOPT_POST, 1L);
	rc |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
	rc |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, (char *)r->body.data);
	rc |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, chain->headers);
	rc |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	rc |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, r);
	rc |= curl_easy_setopt(easy, CURLOPT_PRIVATE, r);
	rc |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, r->curl_error);
	rc |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)chain->config.timeout_ms);
	rc |= curl_easy_setopt(
		easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(chain->config.timeout_ms < 5000 ? chain->config.timeout_ms : 5000));
	rc |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* else giving up on a slow name server would wait for it, loop and all */
	rc |= curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	rc |= curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	return rc == CURLE_OK;
}

static bool start(struct request *r)
{
	struct chain *chain = r->chain;

	r->started_ns = sr_time_monotonic_ns();
	r->curl_error[0] = '\0';
	if (!prepare(r) || curl_multi_add_handle(chain->multi, r->easy) != CURLM_OK)
		return false;
	r->next = chain->in_flight;
	chain->in_flight = r;
	return true;
}

static void start_or_finish(struct request *r)
{
	if (r->chain->closing) {
		finish_error(r, SR_E_UNAVAILABLE, "closing");
	} else if (!start(r)) {
		observe(r->chain, r->method, r->started_ns, CHAIN_UNAVAILABLE);
		finish_error(r, SR_E_INTERNAL, "a request could not be started");
	}
}

static void start_waiting(uv_idle_t *kick)
{
	struct chain *chain = kick->data;

	uv_idle_stop(kick);
	while (chain->waiting) {
		struct request *r = chain->waiting;

		chain->waiting = r->next;
		start_or_finish(r);
	}
}

static void queue(struct request *r)
{
	struct request **end = &r->chain->waiting;

	while (*end)
		end = &(*end)->next;
	r->next = NULL;
	*end = r;
	uv_idle_start(&r->chain->kick, start_waiting);
}

/* The next endpoint, while there is one that has not been tried. A lone
 * endpoint gets a second try: a kept-alive connection may just have died. */
static bool try_again(struct request *r)
{
	struct chain *chain = r->chain;
	size_t tries = chain->config.url_count > 1 ? chain->config.url_count : 2;

	if (!r->repeatable || chain->closing || ++r->attempts >= tries)
		return false;
	r->endpoint = (r->endpoint + 1) % chain->config.url_count;
	queue(r);
	return true;
}

static void finish_transport(struct request *r, CURLcode rc)
{
	/* clients read this: what it says names no host of ours; the log does */
	const char *text = curl_easy_strerror(rc);

	sr_log(SR_LOG_DEBUG, "chain", "%s: %s", r->chain->config.name,
	       r->curl_error[0] ? r->curl_error : text);
	observe(r->chain, r->method, r->started_ns,
		r->response.failed		 ? CHAIN_MALFORMED
		: rc == CURLE_OPERATION_TIMEDOUT ? CHAIN_TIMEOUT
						 : CHAIN_UNAVAILABLE);
	if (r->response.failed) {
		finish_error(r, SR_E_UNAVAILABLE, "the answer is too large");
		return;
	}
	if (try_again(r))
		return;
	finish_error(r, rc == CURLE_OPERATION_TIMEDOUT ? SR_E_TIMEOUT : SR_E_UNAVAILABLE, text);
}

static void complete(struct request *r, CURLcode rc)
{
	struct chain *chain = r->chain;
	struct chain_parsed parsed = { 0 };
	struct chain_reply reply = { .error = { .code = SR_OK } };
	long status = 0;

	curl_multi_remove_handle(chain->multi, r->easy);
	unlink_request(&chain->in_flight, r);
	if (rc != CURLE_OK) {
		finish_transport(r, rc);
		return;
	}
	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	/* Some servers send JSON-RPC errors with a 4xx: the body decides. */
	if (!chain_parse_reply((struct sr_bytes){ r->response.data, r->response.len }, &parsed,
			       &reply)) {
		observe(chain, r->method, r->started_ns,
			status == 200 ? CHAIN_MALFORMED : CHAIN_UNAVAILABLE);
		if (status >= 500 && try_again(r))
			return;
		if (status != 200)
			sr_fail(&reply.error, SR_E_UNAVAILABLE, "HTTP status %ld", status);
		sr_fail_in(&reply.error, "%s", chain->config.name);
		finish(r, &reply);
		return;
	}
	observe(chain, r->method, r->started_ns, reply.is_rpc_error ? CHAIN_ERROR : CHAIN_OK);
	chain->preferred = r->endpoint;
	finish(r, &reply);
	chain_parsed_free(&parsed);
}

static void check_done(struct chain *chain)
{
	CURLMsg *msg = NULL;
	int left = 0;

	while ((msg = curl_multi_info_read(chain->multi, &left))) {
		struct request *r = NULL;
		CURLcode rc = msg->data.result;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&r);
		complete(r, rc);
	}
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct watch *w = poll->data;
	int flags = 0;
	int running = 0;

	if (status < 0)
		flags = CURL_CSELECT_ERR;
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(w->chain->multi, w->socket, flags, &running);
	check_done(w->chain);
}

static void on_timer(uv_timer_t *timer)
{
	struct chain *chain = timer->data;
	int running = 0;

	curl_multi_socket_action(chain->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	check_done(chain);
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct chain *chain = arg;

	(void)multi;
	if (ms < 0 || chain->closing)
		uv_timer_stop(&chain->timer);
	else
		uv_timer_start(&chain->timer, on_timer, (uint64_t)ms, 0);
	return 0;
}

static void free_watch(uv_handle_t *handle)
{
	free(handle->data);
}

static struct watch *watch_new(struct chain *chain, curl_socket_t s)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->socket = s;
	w->chain = chain;
	if (uv_poll_init_socket(loop_uv(chain->loop), &w->poll, s)) {
		free(w);
		return NULL;
	}
	w->poll.data = w;
	curl_multi_assign(chain->multi, s, w);
	return w;
}

/* Never fails: curl would give up all transfers of this client, and some of its versions crash
 * then. A socket that nothing waits for ends with its transfer's time. */
static int set_socket(CURL *easy, curl_socket_t s, int what, void *arg, void *socket_arg)
{
	struct chain *chain = arg;
	struct watch *w = socket_arg;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (w) {
			uv_poll_stop(&w->poll);
			uv_close((uv_handle_t *)&w->poll, free_watch);
			curl_multi_assign(chain->multi, s, NULL);
		}
		return 0;
	}
	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= UV_READABLE;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= UV_WRITABLE;
	if (!w)
		w = watch_new(chain, s);
	if (!w || uv_poll_start(&w->poll, events, on_socket))
		sr_log(SR_LOG_WARN, "chain", "%s: a connection cannot be waited for",
		       chain->config.name);
	return 0;
}

static void chain_free(struct chain *chain)
{
	for (size_t i = 0; i < CHAIN_ENDPOINTS_MAX; i++)
		free(chain->urls[i]);
	curl_slist_free_all(chain->headers);
	free(chain);
}

static bool setup_curl(struct chain *chain)
{
	chain->multi = curl_multi_init();
	chain->headers = curl_slist_append(NULL, "Content-Type: application/json");
	if (chain->headers) {
		/* a 100-continue round trip is of no use here */
		struct curl_slist *more = curl_slist_append(chain->headers, "Expect:");

		if (!more)
			return false;
		chain->headers = more;
	}
	return chain->multi && chain->headers &&
	       !curl_multi_setopt(chain->multi, CURLMOPT_SOCKETFUNCTION, set_socket) &&
	       !curl_multi_setopt(chain->multi, CURLMOPT_SOCKETDATA, chain) &&
	       !curl_multi_setopt(chain->multi, CURLMOPT_TIMERFUNCTION, set_timer) &&
	       !curl_multi_setopt(chain->multi, CURLMOPT_TIMERDATA, chain) &&
	       /* calls above this wait for a connection, within their time limit */
	       !curl_multi_setopt(chain->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
				  (long)CHAIN_CONNECTIONS_MAX);
}

bool chain_open(struct loop *loop, const struct chain_config *config, struct chain **out,
		struct sr_error *err)
{
	struct chain *chain = calloc(1, sizeof(*chain));
	bool ok = true;

	*out = NULL;
	if (!chain)
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory for the %s client",
			       config->name);
	chain->loop = loop;
	chain->config = *config;
	for (size_t i = 0; i < config->url_count && ok; i++) {
		chain->urls[i] = strdup(config->urls[i]);
		ok = chain->urls[i] != NULL;
	}
	ok = ok && setup_curl(chain);
	if (!ok) {
		if (chain->multi)
			curl_multi_cleanup(chain->multi);
		chain_free(chain);
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory for the %s client",
			       config->name);
	}
	uv_timer_init(loop_uv(loop), &chain->timer);
	uv_idle_init(loop_uv(loop), &chain->kick);
	chain->timer.data = chain;
	chain->kick.data = chain;
	*out = chain;
	return true;
}

static void on_kick_closed(uv_handle_t *handle)
{
	chain_free(handle->data);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct chain *chain = handle->data;

	uv_close((uv_handle_t *)&chain->kick, on_kick_closed);
}

void chain_close(struct chain *chain)
{
	if (!chain)
		return;
	chain->closing = true;
	while (chain->in_flight) {
		struct request *r = chain->in_flight;

		chain->in_flight = r->next;
		curl_multi_remove_handle(chain->multi, r->easy);
		finish_error(r, SR_E_UNAVAILABLE, "closing");
	}
	start_waiting(&chain->kick);
	curl_multi_cleanup(chain->multi);
	uv_close((uv_handle_t *)&chain->timer, on_timer_closed);
}

bool chain_call(struct chain *chain, const char *method, struct sr_bytes params, bool repeatable,
		chain_done done, void *arg, struct sr_error *err)
{
	struct request *r = NULL;

	if (chain->closing)
		return sr_fail(err, SR_E_UNAVAILABLE, "%s: closing", chain->config.name);
	if (chain->count >= chain->config.max_in_flight) {
		observe(chain, method, 0, CHAIN_BUSY);
		return sr_fail(err, SR_E_BUSY, "%s: %u calls are in flight already",
			       chain->config.name, chain->count);
	}
	r = calloc(1, sizeof(*r));
	if (!r)
		return sr_fail(err, SR_E_NO_MEMORY, "%s: out of memory", chain->config.name);
	*r = (struct request){ .chain = chain,
			       .method = method,
			       .repeatable = repeatable,
			       .endpoint = chain->preferred,
			       .response = { .limit = chain->config.max_response_bytes },
			       .done = done,
			       .arg = arg };
	sr_buf_printf(&r->body, "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":",
		      (unsigned long long)++chain->next_id);
	sr_buf_put_json_string(&r->body, method, strlen(method));
	sr_buf_puts(&r->body, ",\"params\":");
	sr_buf_append(&r->body, params.data, params.len);
	sr_buf_puts(&r->body, "}");
	if (r->body.failed) {
		request_free(r);
		return sr_fail(err, SR_E_NO_MEMORY, "%s: the request is too large",
			       chain->config.name);
	}
	chain->count++;
	queue(r);
	return true;
}
