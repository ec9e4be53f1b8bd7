/* SPDX-License-Identifier: Apache-2.0 */
/* Asking what a sponsorship needs, again and again. What came of it: health_report.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/health_private.h"

const char *const health_part_names[PARTS] = { "tee", "key", "node", "paymaster", "bundler" };

/* Records a result; a change is worth a line in the log. */
static void record(struct health *h, enum part part, const struct sr_error *err, const char *detail)
{
	struct check *c = &h->checks[part];
	bool ok = err->code == SR_OK;
	bool changed = false;

	pthread_mutex_lock(&h->lock);
	changed = !c->checked_ns || c->ok != ok;
	c->ok = ok;
	c->checked_ns = sr_time_monotonic_ns();
	memcpy(c->error, err->message, sizeof(c->error));
	snprintf(c->detail, sizeof(c->detail), "%s", detail);
	pthread_mutex_unlock(&h->lock);
	if (changed && ok)
		sr_log(SR_LOG_INFO, "health", "%s: ok", health_part_names[part]);
	else if (changed)
		sr_log(SR_LOG_WARN, "health", "%s is not well: %s", health_part_names[part],
		       err->message);
}

/* ---- TEE and key --------------------------------------------------------- */

static void tee_ask(uv_work_t *work)
{
	struct health *h = work->data;

	h->tee_error = (struct sr_error){ .code = SR_OK };
	h->tee_stopped = !kms_check(h->config.kms, &h->tee_error);
	if (h->tee_stopped || !kms_get_key(h->config.kms, h->config.paymaster->config.key_id,
					   &h->tee_key, &h->tee_error))
		memset(&h->tee_key, 0, sizeof(h->tee_key));
}

static void tee_answer(uv_work_t *work, int status)
{
	struct health *h = work->data;
	struct sr_error none = { .code = SR_OK };
	struct sr_error key = h->tee_error;
	bool answered = key.code == SR_OK || key.code == SR_E_NOT_FOUND || key.code == SR_E_CORRUPT;
	char detail[192];
	char address[ETH_ADDRESS_TEXT];

	h->tee_busy = false;
	if (status || h->stopping)
		return;
	snprintf(detail, sizeof(detail), ",\"backend\":\"%s\"", h->config.kms_backend);
	record(h, PART_TEE, answered ? &none : &key, detail);
	if (key.code == SR_OK &&
	    (h->tee_key.public_key_len != SR_TA_SECP256K1_PUBLIC_SIZE ||
	     memcmp(h->tee_key.public_key, h->config.public_key, SR_TA_SECP256K1_PUBLIC_SIZE) != 0))
		sr_fail(&key, SR_E_CORRUPT, "the key is not the one this relay started with");
	eth_address_to_text(&h->signer, address);
	snprintf(detail, sizeof(detail), ",\"id\":\"%s\",\"address\":\"%s\"",
		 h->config.paymaster->config.key_id, address);
	record(h, PART_KEY, &key, detail);
	/* nothing is signed with a key that the contract does not know */
	paymaster_halt(h->config.paymaster, h->tee_stopped || (answered && key.code != SR_OK));
}

/* ---- node ---------------------------------------------------------------- */

static void check_chain_id(struct health *h, const struct eth_u256 *value, struct sr_error *err)
{
	uint64_t given = 0;
	uint64_t expected = h->config.chain_id;

	if (!eth_u256_to_u64(value, &given) || !given) {
		sr_fail(err, SR_E_CORRUPT, "the node's chain id is no number from 1 to 2^64-1");
		return;
	}
	if (!expected && given == h->config.forbidden_chain_id) {
		sr_fail(err, SR_E_DENIED,
			"the node is on chain %llu, where this relay must not sign with a "
			"simulated TEE",
			(unsigned long long)given);
	} else if (!expected) {
		/* fixed by the first answer: a node that changes its mind is another chain */
		h->config.chain_id = given;
		paymaster_set_chain_id(h->config.paymaster, given);
		sr_log(SR_LOG_INFO, "health", "chain id %llu, from the node",
		       (unsigned long long)given);
	} else if (given != expected) {
		sr_fail(err, SR_E_CORRUPT, "the node is on chain %llu, this relay on %llu",
			(unsigned long long)given, (unsigned long long)expected);
	}
}

static void set_node_answers(struct health *h, bool answers)
{
	pthread_mutex_lock(&h->lock);
	h->node_answers = answers;
	pthread_mutex_unlock(&h->lock);
}

static void on_chain_id(void *arg, const struct chain_reply *reply)
{
	struct health *h = arg;
	struct sr_error err = { .code = SR_OK };
	struct eth_u256 value;
	bool answers = false;
	char detail[192] = "";

	h->asking--;
	if (h->stopping)
		return;
	answers = chain_reply_quantity(reply, &value, &err);
	if (answers)
		check_chain_id(h, &value, &err);
	set_node_answers(h, answers);
	if (h->config.chain_id)
		snprintf(detail, sizeof(detail), ",\"chainId\":%llu",
			 (unsigned long long)h->config.chain_id);
	record(h, PART_NODE, &err, detail);
}

/* ---- paymaster contract --------------------------------------------------- */

/* The contract is asked three things at once. The first that is wrong counts, and
 * a wrong contract more than an empty deposit, which is its consequence. */
static void contract_answered(struct health *h, const struct sr_error *err)
{
	char address[ETH_ADDRESS_TEXT];
	char deposit[ETH_U256_DEC_MAX] = "unknown";
	char detail[192];

	h->asking--;
	if (h->stopping)
		return;
	if (err->code == SR_E_CORRUPT || h->contract_error.code == SR_OK)
		h->contract_error = *err;
	if (--h->contract_asking)
		return;
	eth_address_to_text(&h->config.paymaster->config.contract, address);
	if (h->contract_seen.deposit_known)
		eth_u256_to_dec(&h->contract_seen.deposit, deposit);
	snprintf(detail, sizeof(detail), ",\"address\":\"%s\",\"deposit\":\"%s\"", address,
		 deposit);
	pthread_mutex_lock(&h->lock);
	h->contract = h->contract_seen;
	pthread_mutex_unlock(&h->lock);
	record(h, PART_PAYMASTER, &h->contract_error, detail);
}

static void on_deposit(void *arg, const struct chain_reply *reply)
{
	struct health *h = arg;
	struct sr_error err = { .code = SR_OK };
	uint8_t word[32];

	if (chain_reply_data(reply, word, sizeof(word), &err)) {
		h->contract_seen.deposit = eth_u256_from_be(word);
		h->contract_seen.deposit_known = true;
		if (eth_u256_is_zero(&h->contract_seen.deposit))
			sr_fail(&err, SR_E_UNAVAILABLE,
				"the paymaster's deposit in the EntryPoint is 0");
	} else if (err.code == SR_E_CORRUPT) {
		sr_fail(&err, SR_E_CORRUPT, "there is no EntryPoint at the address given");
	}
	contract_answered(h, &err);
}

/* An answer that is one address, which must be the one expected. */
static bool expect_address(const struct chain_reply *reply, const char *what,
			   const struct eth_address *expected, struct sr_error *err)
{
	uint8_t word[32];
	struct eth_address given;
	char text[ETH_ADDRESS_TEXT];
	char ours[ETH_ADDRESS_TEXT];

	if (!chain_reply_data(reply, word, sizeof(word), err)) {
		if (err->code == SR_E_CORRUPT)
			sr_fail(err, SR_E_CORRUPT,
				"there is no VerifyingPaymaster at the address given");
		return false;
	}
	memcpy(given.bytes, word + 12, sizeof(given.bytes));
	if (memcmp(&given, expected, sizeof(given)) == 0)
		return true;
	eth_address_to_text(&given, text);
	eth_address_to_text(expected, ours);
	return sr_fail(err, SR_E_CORRUPT, "the contract's %s is %s, ours %s", what, text, ours);
}

static void on_signer(void *arg, const struct chain_reply *reply)
{
	struct health *h = arg;
	struct sr_error err = { .code = SR_OK };

	if (expect_address(reply, "verifying signer", &h->signer, &err))
		h->contract_seen.right++;
	contract_answered(h, &err);
}

static void on_contract_entry_point(void *arg, const struct chain_reply *reply)
{
	struct health *h = arg;
	struct sr_error err = { .code = SR_OK };

	if (expect_address(reply, "EntryPoint", &h->config.paymaster->config.entry_point, &err))
		h->contract_seen.right++;
	contract_answered(h, &err);
}

/* ---- bundler -------------------------------------------------------------- */

static void on_entry_points(void *arg, const struct chain_reply *reply)
{
	struct health *h = arg;
	struct sr_error err = reply->error;
	char text[ETH_ADDRESS_TEXT];
	char *list = NULL;

	h->asking--;
	if (h->stopping)
		return;
	eth_address_to_text(&h->config.paymaster->config.entry_point, text);
	if (err.code == SR_OK && reply->is_rpc_error)
		sr_fail(&err, SR_E_UNAVAILABLE, "the bundler answers error %lld: %s",
			(long long)reply->rpc_code, reply->rpc_message);
	else if (err.code == SR_OK) {
		list = strndup((const char *)reply->json.data, reply->json.len);
		if (!list || !strcasestr(list, text))
			sr_fail(&err, SR_E_CORRUPT, "the bundler does not serve EntryPoint %s",
				text);
		free(list);
	}
	record(h, PART_BUNDLER, &err, "");
}

/* ---- rounds --------------------------------------------------------------- */

static void ask(struct health *h, struct chain *chain, enum part part, const char *method,
		const char *params, chain_done done)
{
	struct sr_error err = { .code = SR_OK };

	h->asking++;
	if (chain_call(chain, method, (struct sr_bytes){ (const uint8_t *)params, strlen(params) },
		       true, done, h, &err))
		return;
	h->asking--;
	if (part == PART_NODE)
		set_node_answers(h, false);
	record(h, part, &err, "");
}

static void ask_contract(struct health *h, const struct eth_address *to, const char *data,
			 const char *tail, chain_done done)
{
	struct sr_error err = { .code = SR_OK };
	char address[ETH_ADDRESS_TEXT];
	char params[256];
	int n = 0;

	eth_address_to_text(to, address);
	n = snprintf(params, sizeof(params), "[{\"to\":\"%s\",\"data\":\"%s%s\"},\"latest\"]",
		     address, data, tail);
	if (!chain_call(h->config.node, "eth_call",
			(struct sr_bytes){ (const uint8_t *)params, (size_t)n }, true, done, h,
			&err))
		contract_answered(h, &err);
}

static void start_contract_round(struct health *h)
{
	const struct paymaster_config *pm = &h->config.paymaster->config;
	char contract[ETH_ADDRESS_TEXT];

	eth_address_to_text(&pm->contract, contract);
	h->contract_error = (struct sr_error){ .code = SR_OK };
	h->contract_seen = (struct contract_facts){ .right = 0 };
	h->contract_asking = 3;
	h->asking += 3;
	/* EntryPoint.balanceOf(address), then the contract's own verifyingSigner()
	 * and entryPoint() */
	ask_contract(h, &pm->entry_point, "0x70a08231000000000000000000000000", contract + 2,
		     on_deposit);
	ask_contract(h, &pm->contract, "0x23d9ac9b", "", on_signer);
	ask_contract(h, &pm->contract, "0xb0d691fe", "", on_contract_entry_point);
}

static void start_round(struct health *h)
{
	if (h->checks[PART_TEE].watched && !h->tee_busy) {
		h->tee_busy = true;
		if (uv_queue_work(loop_uv(h->config.loop), &h->tee_work, tee_ask, tee_answer))
			h->tee_busy = false;
	}
	/* a slow other side is not asked again before it has answered */
	if (h->asking)
		return;
	if (h->checks[PART_NODE].watched)
		ask(h, h->config.node, PART_NODE, "eth_chainId", "[]", on_chain_id);
	if (h->checks[PART_PAYMASTER].watched)
		start_contract_round(h);
	if (h->checks[PART_BUNDLER].watched)
		ask(h, h->config.bundler, PART_BUNDLER, "eth_supportedEntryPoints", "[]",
		    on_entry_points);
}

/* Whoever asks /live wants to know that this loop turns. */
static void beat(struct health *h)
{
	atomic_store_explicit(&h->beat_ns, sr_time_monotonic_ns(), memory_order_relaxed);
}

static void on_timer(uv_timer_t *timer)
{
	beat(timer->data);
	start_round(timer->data);
}

bool health_start(const struct health_config *config, struct health **out, struct sr_error *err)
{
	struct health *h = calloc(1, sizeof(*h));

	*out = NULL;
	if (!h || pthread_mutex_init(&h->lock, NULL)) {
		free(h);
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory for the health checks");
	}
	h->config = *config;
	h->tee_work.data = h;
	beat(h);
	h->checks[PART_TEE].watched = config->kms != NULL;
	h->checks[PART_KEY].watched = config->kms != NULL;
	h->checks[PART_NODE].watched = config->node != NULL;
	h->checks[PART_PAYMASTER].watched = config->node && config->paymaster_enabled;
	h->checks[PART_BUNDLER].watched = config->bundler != NULL;
	if (config->public_key)
		eth_address_from_public_key(config->public_key, &h->signer);
	uv_timer_init(loop_uv(config->loop), &h->timer);
	h->timer.data = h;
	uv_timer_start(&h->timer, on_timer, 0, config->interval_ms);
	*out = h;
	return true;
}

void health_stop(struct health *h)
{
	h->stopping = true;
	uv_close((uv_handle_t *)&h->timer, NULL);
}

void health_destroy(struct health *h)
{
	if (!h)
		return;
	pthread_mutex_destroy(&h->lock);
	free(h);
}

void health_set_draining(struct health *h)
{
	atomic_store(&h->draining, true);
}
