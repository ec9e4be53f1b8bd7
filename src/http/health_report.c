/* SPDX-License-Identifier: Apache-2.0 */
/* What the last checks found, as JSON and for metrics. From any thread. */
#include <stdlib.h>
#include <string.h>

#include "http/health_private.h"

/* A result this old says nothing any more: its check hangs. */
static bool is_fresh(const struct health *h, const struct check *c)
{
	uint64_t stale_ns = ((uint64_t)h->config.interval_ms * 3 + 10000) * 1000000u;

	return c->checked_ns && sr_time_monotonic_ns() - c->checked_ns < stale_ns;
}

static bool works(const struct health *h, enum part part)
{
	return is_fresh(h, &h->checks[part]) && h->checks[part].ok;
}

/* With the lock held. */
static bool is_ready(const struct health *h)
{
	for (unsigned i = 0; i < PARTS; i++) {
		if (h->checks[i].watched && !works(h, (enum part)i))
			return false;
	}
	return !atomic_load(&h->draining);
}

/* ---- JSON ----------------------------------------------------------------- */

static void put_check(struct sr_buf *out, const struct health *h, enum part part)
{
	const struct check *c = &h->checks[part];
	const bool ok = works(h, part);
	const char *error = !c->checked_ns    ? "not checked yet"
			    : !is_fresh(h, c) ? "the check does not end"
					      : c->error;

	sr_buf_printf(out, "\"%s\":{\"ok\":%s%s", health_part_names[part], ok ? "true" : "false",
		      c->detail);
	if (!ok) {
		sr_buf_puts(out, ",\"error\":");
		sr_buf_put_json_string(out, error, strlen(error));
	}
	sr_buf_puts(out, "}");
}

bool health_report(struct health *h, struct sr_buf *out)
{
	bool draining = atomic_load(&h->draining);
	bool ready = false;
	bool first = true;

	pthread_mutex_lock(&h->lock);
	ready = is_ready(h) && !draining;
	sr_buf_printf(out, "{\"status\":\"%s\",\"checks\":{",
		      draining ? "draining"
		      : ready  ? "ready"
			       : "not_ready");
	for (unsigned i = 0; i < PARTS; i++) {
		if (!h->checks[i].watched)
			continue;
		sr_buf_puts(out, first ? "" : ",");
		put_check(out, h, (enum part)i);
		first = false;
	}
	pthread_mutex_unlock(&h->lock);
	sr_buf_puts(out, "}}\n");
	return ready;
}

/* ---- metrics ---------------------------------------------------------------- */

static double ether(const struct eth_u256 *wei)
{
	char text[ETH_U256_DEC_MAX];

	eth_u256_to_dec(wei, text);
	return strtod(text, NULL) / 1e18;
}

/* With the lock held. */
static void look_at_contract(const struct health *h, struct health_view *out)
{
	bool fresh = is_fresh(h, &h->checks[PART_PAYMASTER]);

	out->up[HEALTH_PAYMASTER] = fresh && h->contract.right == CONTRACT_ADDRESSES;
	out->deposit_known = fresh && h->contract.deposit_known;
	if (!out->deposit_known)
		return;
	out->up[HEALTH_DEPOSIT] = !eth_u256_is_zero(&h->contract.deposit);
	out->deposit_ether = ether(&h->contract.deposit);
}

void health_look(struct health *h, struct health_view *out)
{
	*out = (struct health_view){ .ready = false };
	pthread_mutex_lock(&h->lock);
	out->watched[HEALTH_TEE] = h->checks[PART_TEE].watched;
	out->watched[HEALTH_KEY] = h->checks[PART_KEY].watched;
	out->watched[HEALTH_NODE] = h->checks[PART_NODE].watched;
	out->watched[HEALTH_CHAIN] = h->checks[PART_NODE].watched;
	out->watched[HEALTH_PAYMASTER] = h->checks[PART_PAYMASTER].watched;
	out->watched[HEALTH_DEPOSIT] = h->checks[PART_PAYMASTER].watched;
	out->watched[HEALTH_BUNDLER] = h->checks[PART_BUNDLER].watched;
	out->up[HEALTH_TEE] = works(h, PART_TEE);
	out->up[HEALTH_KEY] = works(h, PART_KEY);
	out->up[HEALTH_NODE] = is_fresh(h, &h->checks[PART_NODE]) && h->node_answers;
	out->up[HEALTH_CHAIN] = works(h, PART_NODE);
	out->up[HEALTH_BUNDLER] = works(h, PART_BUNDLER);
	look_at_contract(h, out);
	out->ready = is_ready(h);
	pthread_mutex_unlock(&h->lock);
}

/* ---- the loop of the checks --------------------------------------------------- */

uint64_t health_beat_ns(const struct health *h)
{
	if (atomic_load(&h->draining))
		return UINT64_MAX;
	return atomic_load_explicit(&h->beat_ns, memory_order_relaxed);
}
