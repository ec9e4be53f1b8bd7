/* SPDX-License-Identifier: Apache-2.0 */
/* A body on the JSON-RPC port, down to the TA that signs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/rpc.h"
#include "temp_dir.h"

static struct paymaster pm;
static struct rpc rpc;
static struct rpc_worker worker;
static char store[TEMP_DIR_MAX];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void remove_store(void)
{
	if (remove_temp_dir(store))
		fprintf(stderr, "%s was not removed\n", store);
}

static void die(const struct sr_error *err)
{
	fprintf(stderr, "set-up: %s\n", err->message);
	abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct kms_config c = { .ta_uuid = SUPER_RELAY_TA_UUID,
				.pool_size = 1,
				.batch_size = 4,
				.min_batch = 1,
				.queue_limit = 1000 };
	struct paymaster_config p = { .contract = { { 1 } },
				      .entry_point = *eth_entry_point_address(ETH_ENTRY_POINT_V07),
				      .key_id = "fuzz",
				      .validity_s = 600,
				      .max_verification_gas_limit = UINT64_MAX,
				      .max_post_op_gas_limit = UINT64_MAX };
	struct sr_error err = { .code = SR_OK };
	struct kms *kms = NULL;
	struct kms_key key;

	(void)argc;
	(void)argv;
	sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
	memset(&p.max_operation_cost, 0xff, sizeof(p.max_operation_cost));
	memset(&p.max_pre_verification_gas, 0xff, sizeof(p.max_pre_verification_gas));
	if (!make_temp_dir(store) || atexit(remove_store) ||
	    !tee_load_simulator(store, &c.api, &err) || !kms_open(&c, &kms, &err) ||
	    !kms_generate_key(kms, "fuzz", SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, &key, &err) ||
	    !loop_create(&worker.loop, &err))
		die(&err);
	paymaster_init(&pm, &p, kms, 31337);
	rpc = (struct rpc){ .paymaster = &pm,
			    .paymaster_enabled = true,
			    .max_batch = 8,
			    .max_depth = 16,
			    .sponsor_name = "fuzz",
			    .sponsor_icon = "" };
	return 0;
}

static void on_done(void *arg, struct sr_bytes response)
{
	(void)response;
	*(bool *)arg = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool done = false;

	rpc_handle(&rpc, &worker, (struct sr_bytes){ data, size }, on_done, &done);
	while (!done)
		uv_run(loop_uv(worker.loop), UV_RUN_ONCE);
	return 0;
}
