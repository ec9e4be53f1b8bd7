/* SPDX-License-Identifier: Apache-2.0 */
/* super-relay node: puts the layers together and runs them until told to stop. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/cli.h"
#include "http/http.h"

static const char help[] =
	"Usage: super-relay node --config FILE [--paymaster-relay] [--json]\n\n"
	"Runs the relay: JSON-RPC on node.http_api, HTTP API and metrics on api.listen.\n"
	"SIGTERM or SIGINT lets requests in flight finish and exits with status 0.\n\n"
	"  --config FILE      configuration (default: $SUPER_RELAY_CONFIG)\n"
	"  --paymaster-relay  sponsor operations, as paymaster_relay.enabled = true\n"
	"  --json             log in JSON\n";

#define MAINNET_CHAIN_ID 1
#define SEPOLIA_CHAIN_ID 11155111
#define STOP_GRACE_S 5
#define NODE_TIMEOUT_MS 10000
#define BUNDLER_TIMEOUT_MS 30000
#define HEALTH_TIMEOUT_MS 5000
#define HEALTH_INTERVAL_MS 2000
#define UPSTREAM_RESPONSE_MAX ((size_t)16 * 1024 * 1024)
#define UPSTREAM_IN_FLIGHT 2000

/* Everything the process holds, in the order in which it is made. */
struct node {
	struct config config;
	struct metrics *metrics;
	struct kms *kms;
	struct kms_key key;
	struct kms_info tee; /* of the TEE, when there is one */
	struct paymaster paymaster;
	struct rpc rpc;
	struct loop *loop;
	struct chain *chain;
	struct chain *bundler;
	struct health *health;
	struct http_config http;
	struct http_server *server;
	uv_signal_t signals[2];
	int caught;
};

static struct chain_config node_client(const struct config *c, struct metrics *metrics,
				       unsigned timeout_ms)
{
	struct chain_config out = { .name = "node",
				    .timeout_ms = timeout_ms,
				    .max_response_bytes = UPSTREAM_RESPONSE_MAX,
				    .max_in_flight = UPSTREAM_IN_FLIGHT,
				    .observe = metrics_observe_chain,
				    .observe_arg = metrics };

	for (size_t i = 0; i < c->node.node_http.count && i < CHAIN_ENDPOINTS_MAX; i++)
		out.urls[out.url_count++] = c->node.node_http.items[i];
	return out;
}

static struct chain_config bundler_client(const struct config *c, struct metrics *metrics,
					  unsigned timeout_ms)
{
	struct chain_config out = { .name = "bundler",
				    .timeout_ms = timeout_ms,
				    .max_response_bytes = UPSTREAM_RESPONSE_MAX,
				    .max_in_flight = UPSTREAM_IN_FLIGHT,
				    .observe = metrics_observe_chain,
				    .observe_arg = metrics };

	if (c->node.bundler_url[0])
		out.urls[out.url_count++] = c->node.bundler_url;
	return out;
}

/* The file's, or the one that the network's name stands for; 0: the node's. */
static uint64_t chain_id_of(const struct config *c)
{
	if (c->node.chain_id)
		return c->node.chain_id;
	if (strcmp(c->node.network, "mainnet") == 0)
		return MAINNET_CHAIN_ID;
	return strcmp(c->node.network, "sepolia") == 0 ? SEPOLIA_CHAIN_ID : 0;
}

bool cli_is_mainnet(const struct config *config)
{
	return chain_id_of(config) == MAINNET_CHAIN_ID;
}

static const char *backend_name(const struct node *n)
{
	return n->config.paymaster_relay.kms_backend == CONFIG_KMS_OPTEE ? "optee" : "simulator";
}

static bool open_tee(struct node *n, struct sr_error *err)
{
	if (!cli_open_kms(&n->config, metrics_observe_kms, n->metrics, &n->kms, err))
		return false;
	metrics_set_kms(n->metrics, n->kms);
	return cli_check_tee(&n->config, n->kms, &n->key, err) &&
	       kms_get_info(n->kms, &n->tee, err);
}

/* Without the paymaster there is no TEE to speak of. */
static void set_build(struct node *n)
{
	struct metrics_build build = { .version = SR_VERSION,
				       .backend = n->kms ? backend_name(n) : "none",
				       .has_tee = n->kms != NULL,
				       .rollback_protection = n->tee.anti_rollback };

	if (n->kms) {
		snprintf(build.ta_version, sizeof(build.ta_version), "%u.%u.%u", n->tee.major,
			 n->tee.minor, n->tee.patch);
		snprintf(build.tee, sizeof(build.tee), "%s", n->tee.implementation);
	}
	metrics_set_build(n->metrics, &build);
}

/* ---- the layers ------------------------------------------------------------- */

/* A node that turns out to be mainnet's must not get round the rules that neither the
 * simulator nor a key that was outside signs there. */
static uint64_t forbidden_chain_id(const struct node *n)
{
	const struct config *c = &n->config;
	bool simulated = c->paymaster_relay.kms_backend == CONFIG_KMS_SIMULATOR &&
			 !c->node.allow_simulator_on_mainnet;

	return simulated || n->key.origin == SR_TA_ORIGIN_IMPORTED_PLAIN ? MAINNET_CHAIN_ID : 0;
}

static void setup_paymaster(struct node *n)
{
	const struct config *c = &n->config;
	struct paymaster_config pm = {
		.contract = c->paymaster_relay.paymaster,
		.entry_point = c->paymaster_relay.entry_point,
		.validity_s = c->paymaster_relay.validity,
		.clock_skew_s = c->paymaster_relay.clock_skew,
		.verification_gas_limit = c->paymaster_relay.verification_gas_limit,
		.post_op_gas_limit = c->paymaster_relay.post_op_gas_limit,
		.max_verification_gas_limit = c->paymaster_relay.max_verification_gas_limit,
		.max_post_op_gas_limit = c->paymaster_relay.max_post_op_gas_limit,
		.max_pre_verification_gas =
			eth_u256_from_u64(c->paymaster_relay.max_pre_verification_gas),
		.max_operation_cost = c->paymaster_relay.max_operation_cost_wei,
	};

	snprintf(pm.key_id, sizeof(pm.key_id), "%s", c->optee_kms.keys.primary_paymaster);
	paymaster_init(&n->paymaster, &pm, n->kms, chain_id_of(c));
	paymaster_observe(&n->paymaster, metrics_observe_paymaster, n->metrics);
}

static void setup_rpc(struct node *n)
{
	const struct config *c = &n->config;
	const char *method = NULL;

	n->rpc = (struct rpc){ .paymaster = &n->paymaster,
			       .paymaster_enabled = c->paymaster_relay.enabled,
			       .max_batch = c->rpc.max_batch,
			       .max_depth = c->rpc.max_depth,
			       .sponsor_name = c->paymaster_relay.sponsor_name,
			       .sponsor_icon = c->paymaster_relay.sponsor_icon,
			       .observe = metrics_observe_rpc,
			       .observe_arg = n->metrics };
	for (size_t i = 0; i < c->node.node_methods.count && i < RPC_NODE_METHODS_MAX; i++)
		n->rpc.node_methods[n->rpc.node_method_count++] = c->node.node_methods.items[i];
	for (size_t i = 0; (method = rpc_method_name(&n->rpc, i)); i++)
		metrics_expect_method(n->metrics, method);
}

static bool start_health(struct node *n, struct sr_error *err)
{
	struct chain_config node = node_client(&n->config, n->metrics, HEALTH_TIMEOUT_MS);
	struct chain_config bundler = bundler_client(&n->config, n->metrics, HEALTH_TIMEOUT_MS);
	struct health_config h = { .kms = n->kms,
				   .paymaster = &n->paymaster,
				   .paymaster_enabled = n->config.paymaster_relay.enabled,
				   .chain_id = chain_id_of(&n->config),
				   .forbidden_chain_id = forbidden_chain_id(n),
				   .kms_backend = backend_name(n),
				   .public_key = n->kms ? n->key.public_key : NULL,
				   .interval_ms = HEALTH_INTERVAL_MS };

	if ((node.url_count && !chain_open(n->loop, &node, &n->chain, err)) ||
	    (bundler.url_count && !chain_open(n->loop, &bundler, &n->bundler, err)))
		return false;
	h.loop = n->loop;
	h.node = n->chain;
	h.bundler = n->bundler;
	if (!health_start(&h, &n->health, err))
		return false;
	metrics_set_health(n->metrics, n->health);
	return true;
}

static bool start_http(struct node *n, struct sr_error *err)
{
	const struct config *c = &n->config;

	n->http = (struct http_config){
		.rpc_listen = { c->node.http_api.host, c->node.http_api.port },
		.api_listen = { c->api.listen.host, c->api.listen.port },
		.threads = c->rpc.threads,
		.max_connections = c->rpc.max_connections,
		.max_body_bytes = c->rpc.max_body_bytes,
		.request_timeout_ms = c->rpc.request_timeout_ms,
		.idle_timeout_s = c->rpc.idle_timeout_s,
		.rpc = &n->rpc,
		.health = n->health,
		.metrics = n->metrics,
		.node = node_client(c, n->metrics, NODE_TIMEOUT_MS),
		.bundler = bundler_client(c, n->metrics, BUNDLER_TIMEOUT_MS),
	};
	for (size_t i = 0; i < c->rpc.cors_origins.count && i < HTTP_CORS_ORIGINS_MAX; i++)
		n->http.cors_origins[n->http.cors_origin_count++] = c->rpc.cors_origins.items[i];
	if (!http_start(&n->http, &n->server, err))
		return false;
	sr_log(SR_LOG_INFO, "node", "JSON-RPC on %s port %u, HTTP API on %s port %u",
	       n->http.rpc_listen.host, http_rpc_port(n->server), n->http.api_listen.host,
	       http_api_port(n->server));
	return true;
}

/* ---- running ---------------------------------------------------------------- */

static const int watched[] = { SIGTERM, SIGINT };

static void close_signals(struct node *n)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(watched); i++) {
		uv_handle_t *handle = (uv_handle_t *)&n->signals[i];

		if (handle->type != UV_SIGNAL || uv_is_closing(handle))
			continue;
		uv_close(handle, NULL);
		/* that brought the default action back, and one more signal
		 * would turn an end in good order into a kill */
		signal(watched[i], SIG_IGN);
	}
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct node *n = handle->data;

	/* the watchers stay: a second signal must not cut the draining short */
	n->caught = number;
	uv_stop(loop_uv(n->loop));
}

static void watch_signals(struct node *n)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(watched); i++) {
		uv_signal_init(loop_uv(n->loop), &n->signals[i]);
		n->signals[i].data = n;
		uv_signal_start(&n->signals[i], on_signal, watched[i]);
	}
}

/* Each client takes a descriptor: the soft limit of 1024 is soon reached. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit = { 0 };

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		sr_log(SR_LOG_WARN, "node", "the limit of open files could not be raised");
}

static bool start(struct node *n, struct sr_error *err)
{
	if (!metrics_create(&n->metrics, err) || !chain_global_init(err) ||
	    !loop_create(&n->loop, err))
		return false;
	/* from here on a signal waits until there is something to drain */
	watch_signals(n);
	if (n->config.paymaster_relay.enabled && !open_tee(n, err))
		return false;
	set_build(n);
	setup_paymaster(n);
	setup_rpc(n);
	return start_health(n, err) && start_http(n, err);
}

/* A TEE that hangs holds its callers, and whoever waits for them. */
static void on_alarm(int number)
{
	static const char message[] = "super-relay: could not stop in time, ending now\n";
	ssize_t n = write(STDERR_FILENO, message, sizeof(message) - 1);

	(void)number;
	(void)n;
	_exit(CLI_FAILED);
}

/* The order matters: requests in flight need the signer, and the signer's
 * answers need the loops. */
static void stop(struct node *n)
{
	signal(SIGALRM, on_alarm);
	alarm(n->config.rpc.shutdown_timeout_ms / 1000 + STOP_GRACE_S);
	if (n->health)
		health_set_draining(n->health);
	http_stop(n->server, n->config.rpc.shutdown_timeout_ms);
	if (n->loop) {
		close_signals(n);
		if (n->health)
			health_stop(n->health);
		chain_close(n->bundler);
		chain_close(n->chain);
		loop_stop(n->loop);
		loop_run(n->loop);
		loop_destroy(n->loop);
	}
	metrics_set_health(n->metrics, NULL);
	health_destroy(n->health);
	metrics_set_kms(n->metrics, NULL);
	kms_close(n->kms, 1000);
	metrics_destroy(n->metrics);
	chain_global_cleanup();
}

static int run(const char *path, bool paymaster_relay)
{
	struct node *n = calloc(1, sizeof(*n));
	struct sr_error err = { .code = SR_OK };
	int status = CLI_OK;

	if (!n) {
		sr_fail(&err, SR_E_NO_MEMORY, "out of memory");
		return cli_fail(&err);
	}
	if (!cli_load_config(path, &n->config, &err)) {
		free(n);
		return cli_fail(&err);
	}
	n->config.paymaster_relay.enabled |= paymaster_relay;
	sr_log_setup(n->config.logging.level, cli_json() ? SR_LOG_JSON : n->config.logging.format);
	signal(SIGPIPE, SIG_IGN);
	raise_descriptor_limit();
	cli_note_platform(&n->config);
	for (size_t i = 0; i < n->config.notes.count; i++)
		sr_log(SR_LOG_WARN, "config", "%s", n->config.notes.text[i]);
	if (config_check(&n->config, &err) && start(n, &err)) {
		uv_run(loop_uv(n->loop), UV_RUN_DEFAULT);
		sr_log(SR_LOG_INFO, "node", "signal %d: draining", n->caught);
	} else {
		status = cli_fail(&err);
	}
	if (n->metrics)
		stop(n);
	if (status == CLI_OK)
		sr_log(SR_LOG_INFO, "node", "stopped");
	config_free(&n->config);
	free(n);
	return status;
}

int cli_node(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
						 { "paymaster-relay", no_argument, NULL, 'p' },
						 { "json", no_argument, NULL, 'j' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	const char *path = NULL;
	bool paymaster_relay = false;
	struct sr_buf out = { 0 };
	int c = 0;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (c == 'c')
			path = optarg;
		else if (c == 'p')
			paymaster_relay = true;
		else if (c == 'h') {
			sr_buf_puts(&out, help);
			return cli_print(&out);
		} else if (c == 'j')
			cli_set_json(true);
		else
			return cli_bad_option("node", c, argv);
	}
	if (optind < argc)
		return cli_usage_error("node", "unexpected word '%.60s'", argv[optind]);
	return run(path, paymaster_relay);
}
