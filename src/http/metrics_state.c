/* SPDX-License-Identifier: Apache-2.0 */
/* What /health knows, and what this build is. */
#include "http/metrics_private.h"

static const char *const components[HEALTH_COMPONENTS] = {
	[HEALTH_TEE] = "tee",
	[HEALTH_KEY] = "key",
	[HEALTH_NODE] = "node",
	[HEALTH_CHAIN] = "chain",
	[HEALTH_PAYMASTER] = "paymaster",
	[HEALTH_DEPOSIT] = "deposit",
	[HEALTH_BUNDLER] = "bundler",
};

static void put_health(struct health *health, struct sr_buf *out)
{
	static const char up[] = "superrelay_component_up";
	static const char deposit[] = "superrelay_paymaster_deposit_ether";
	struct health_view view;

	health_look(health, &view);
	metrics_head(out, up, "gauge", "Whether a part that sponsoring needs works: 1 or 0.");
	for (unsigned i = 0; i < HEALTH_COMPONENTS; i++) {
		struct metrics_labels labels = { .len = 0 };

		if (!view.watched[i])
			continue;
		metrics_label(&labels, "component", components[i]);
		metrics_put(out, up, &labels, view.up[i]);
	}
	metrics_put_only(out, "superrelay_ready", "gauge", "1 when /ready answers 200, else 0.",
			 view.ready);
	if (!view.deposit_known)
		return;
	metrics_head(out, deposit, "gauge", "The paymaster's deposit in the EntryPoint.");
	sr_buf_printf(out, "%s %.12g\n", deposit, view.deposit_ether);
}

static void put_build(const struct metrics_build *build, struct sr_buf *out)
{
	static const char info[] = "superrelay_build_info";
	struct metrics_labels labels = { .len = 0 };

	metrics_label(&labels, "version", build->version ? build->version : "");
	metrics_label(&labels, "backend", build->backend ? build->backend : "");
	metrics_label(&labels, "ta_version", build->ta_version);
	metrics_label(&labels, "tee", build->tee);
	metrics_head(out, info, "gauge", "What runs here; always 1.");
	metrics_put(out, info, &labels, 1);
	if (build->has_tee)
		metrics_put_only(out, "superrelay_optee_rollback_protection", "gauge",
				 "Protection of the TEE's storage against being put back: 0, 100 "
				 "or 1000.",
				 build->rollback_protection);
}

void metrics_write_state(const struct metrics *m, struct sr_buf *out)
{
	struct health *health = atomic_load(&m->health);

	if (health)
		put_health(health, out);
	put_build(&m->build, out);
}
