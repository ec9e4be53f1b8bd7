/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every key, one row each, in the order of docs/configuration.md. A row's
 * default goes through the same checks as a value from a file.
 */
#include "config/config_internal.h"

#define AT(member) .offset = offsetof(struct config, member)
#define MAX_CHAIN_ID INT64_MAX
#define MAX_GAS 10000000
#define MAX_PRE_VERIFICATION_GAS 1000000000

static const char *const kms_backends[] = { "simulator", "optee", NULL };
static const char *const log_levels[] = { "error", "warn", "info", "debug", NULL };
static const char *const log_formats[] = { "text", "json", NULL };

/* They read the chain; whatever sends or signs goes through the bundler. */
static const char *const read_only_methods[] = {
	"eth_call",
	"eth_getCode",
	"eth_getBalance",
	"eth_getStorageAt",
	"eth_getTransactionCount",
	"eth_blockNumber",
	"eth_getBlockByNumber",
	"eth_getBlockByHash",
	"eth_gasPrice",
	"eth_maxPriorityFeePerGas",
	"eth_feeHistory",
	"eth_getTransactionByHash",
	"eth_getTransactionReceipt",
	"eth_getLogs",
	"net_version",
	"web3_clientVersion",
	NULL,
};

static const struct config_key rows[] = {
	/* ---- node ---- */
	{ "node", "http_api", CONFIG_LISTEN, AT(node.http_api), .unit = "",
	  .fallback = "\"127.0.0.1:3000\"",
	  .effect = "Where JSON-RPC, `/health`, `/ready` and `/live` are served. Port 0 lets the "
		    "system choose." },
	{ "node", "network", CONFIG_TEXT, AT(node.network), .unit = "", .fallback = "\"dev\"",
	  .min = 1, .max = 32, .rule = config_rule_network,
	  .effect = "The network's name: `dev`, `sepolia`, `mainnet` or another lower-case name. "
		    "`mainnet` refuses the simulator; for `mainnet` and `sepolia` a given "
		    "`chain_id` must be theirs." },
	{ "node", "node_http", CONFIG_URLS, AT(node.node_http), .unit = "", .fallback = "[]",
	  .min = 0, .max = CONFIG_NODES_MAX, .rule = config_rule_url,
	  .effect = "The Ethereum node's JSON-RPC; further URLs take over, in their order, when "
		    "one fails. Required when the paymaster relay is enabled. An empty string "
		    "means none." },
	{ "node", "chain_id", CONFIG_U64, AT(node.chain_id), .unit = "", .fallback = "0", .min = 0,
	  .max = MAX_CHAIN_ID,
	  .effect = "The chain's id, which the node must agree with; 0 asks the node." },
	{ "node", "bundler_url", CONFIG_TEXT, AT(node.bundler_url), .unit = "", .fallback = "\"\"",
	  .min = 0, .max = 2048, .rule = config_rule_url_or_empty,
	  .effect = "The upstream bundler that `eth_sendUserOperation` and its relatives are "
		    "passed to. Empty: these methods do not exist." },
	{ "node", "node_methods", CONFIG_LIST, AT(node.node_methods), .unit = "", .fallback = "[]",
	  .min = 0, .max = 32, .choices = read_only_methods,
	  .effect = "Read-only methods that are passed to the node, so that a client needs one "
		    "endpoint." },
	{ "node", "allow_simulator_on_mainnet", CONFIG_BOOL, AT(node.allow_simulator_on_mainnet),
	  .unit = "", .fallback = "false",
	  .effect = "Lets the simulator, which does not protect its keys, run on mainnet." },

	/* ---- api ---- */
	{ "api", "listen", CONFIG_LISTEN, AT(api.listen), .unit = "",
	  .fallback = "\"127.0.0.1:9000\"",
	  .effect = "Where the HTTP API and `/metrics` are served. Port 0 lets the system "
		    "choose." },

	/* ---- rpc ---- */
	{ "rpc", "max_body_bytes", CONFIG_UNSIGNED, AT(rpc.max_body_bytes), .unit = "bytes",
	  .fallback = "1048576", .min = 1024, .max = 16777216,
	  .effect = "The largest request body; a larger one is refused." },
	{ "rpc", "max_batch", CONFIG_UNSIGNED, AT(rpc.max_batch), .unit = "", .fallback = "100",
	  .min = 1, .max = 1000, .effect = "The most calls in one JSON-RPC batch." },
	{ "rpc", "max_depth", CONFIG_UNSIGNED, AT(rpc.max_depth), .unit = "", .fallback = "32",
	  .min = 4, .max = 64, .effect = "How deep arrays and objects may nest in a request." },
	{ "rpc", "max_connections", CONFIG_UNSIGNED, AT(rpc.max_connections), .unit = "",
	  .fallback = "10000", .min = 1, .max = 100000,
	  .effect = "The most connections of JSON-RPC clients at one time; fewer when the limit "
		    "of open files has no room for them, which is said at start. The HTTP API "
		    "has 256 of its own." },
	{ "rpc", "request_timeout_ms", CONFIG_DURATION, AT(rpc.request_timeout_ms),
	  .unit = "milliseconds", .fallback = "30000", .min = 100, .max = 600000,
	  .effect = "How long a request may take to arrive, and its answer to be taken." },
	{ "rpc", "idle_timeout_s", CONFIG_DURATION, AT(rpc.idle_timeout_s), .unit = "seconds",
	  .fallback = "60", .min = 1, .max = 3600,
	  .effect = "After how long a connection without a request is closed." },
	{ "rpc", "cors_origins", CONFIG_LIST, AT(rpc.cors_origins), .unit = "",
	  .fallback = "[\"*\"]", .min = 0, .max = 64, .rule = config_rule_origin,
	  .effect = "The origins whose pages may call from a browser; `\"*\"` is any, an empty "
		    "array none." },
	{ "rpc", "threads", CONFIG_UNSIGNED, AT(rpc.threads), .unit = "", .fallback = "0", .min = 0,
	  .max = 64, .effect = "Event loops; 0 is one for each processor core." },
	{ "rpc", "shutdown_timeout_ms", CONFIG_DURATION, AT(rpc.shutdown_timeout_ms),
	  .unit = "milliseconds", .fallback = "5000", .min = 100, .max = 60000,
	  .effect = "How long requests in progress may take to end after SIGTERM." },

	/* ---- paymaster_relay ---- */
	{ "paymaster_relay", "enabled", CONFIG_BOOL, AT(paymaster_relay.enabled), .unit = "",
	  .fallback = "false",
	  .effect = "Serves the `pm_` methods. The option `--paymaster-relay` turns it on too. "
		    "Needs `paymaster` and `node_http`." },
	{ "paymaster_relay", "kms_backend", CONFIG_CHOICE, AT(paymaster_relay.kms_backend),
	  .unit = "", .fallback = "\"simulator\"", .choices = kms_backends,
	  .effect = "Where the Trusted Application runs: `optee` is the secure world; "
		    "`simulator` is this process, which protects the interface and not the "
		    "keys." },
	{ "paymaster_relay", "paymaster", CONFIG_ADDRESS, AT(paymaster_relay.paymaster), .unit = "",
	  .fallback = "\"\"",
	  .effect = "The VerifyingPaymaster contract. Required when the relay is enabled." },
	{ "paymaster_relay", "entry_point", CONFIG_ADDRESS, AT(paymaster_relay.entry_point),
	  .unit = "", .fallback = "\"0x0000000071727De22E5E9d8BAf0edAc6f37da032\"", .min = 42,
	  .max = 42, .effect = "The EntryPoint contract, of version 0.7." },
	{ "paymaster_relay", "chain_id", CONFIG_U64, AT(paymaster_relay.chain_id), .unit = "",
	  .fallback = "0", .min = 0, .max = MAX_CHAIN_ID,
	  .effect = "Another name of `[node] chain_id`. Where both are given they must agree." },
	{ "paymaster_relay", "validity", CONFIG_DURATION, AT(paymaster_relay.validity),
	  .unit = "seconds", .fallback = "600", .min = 30, .max = 86400,
	  .effect = "How long a sponsorship is valid: its `validUntil` lies this far ahead." },
	{ "paymaster_relay", "clock_skew", CONFIG_DURATION, AT(paymaster_relay.clock_skew),
	  .unit = "seconds", .fallback = "30", .min = 0, .max = 600,
	  .effect = "How far `validAfter` lies in the past, for chains whose clock is behind." },
	{ "paymaster_relay", "verification_gas_limit", CONFIG_U64,
	  AT(paymaster_relay.verification_gas_limit), .unit = "gas", .fallback = "100000", .min = 1,
	  .max = MAX_GAS,
	  .effect = "`paymasterVerificationGasLimit` of an operation that names none." },
	{ "paymaster_relay", "post_op_gas_limit", CONFIG_U64, AT(paymaster_relay.post_op_gas_limit),
	  .unit = "gas", .fallback = "1", .min = 1, .max = MAX_GAS,
	  .effect = "`paymasterPostOpGasLimit` of an operation that names none. The contract "
		    "has no postOp; ERC-7677 wants the field all the same." },
	{ "paymaster_relay", "max_verification_gas_limit", CONFIG_U64,
	  AT(paymaster_relay.max_verification_gas_limit), .unit = "gas", .fallback = "500000",
	  .min = 1, .max = MAX_GAS,
	  .effect = "The most `paymasterVerificationGasLimit` that is sponsored." },
	{ "paymaster_relay", "max_post_op_gas_limit", CONFIG_U64,
	  AT(paymaster_relay.max_post_op_gas_limit), .unit = "gas", .fallback = "100000", .min = 1,
	  .max = MAX_GAS, .effect = "The most `paymasterPostOpGasLimit` that is sponsored." },
	{ "paymaster_relay", "max_pre_verification_gas", CONFIG_U64,
	  AT(paymaster_relay.max_pre_verification_gas), .unit = "gas", .fallback = "5000000",
	  .min = 1, .max = MAX_PRE_VERIFICATION_GAS,
	  .effect = "The most `preVerificationGas` that is sponsored." },
	{ "paymaster_relay", "max_operation_cost_wei", CONFIG_WEI,
	  AT(paymaster_relay.max_operation_cost_wei), .unit = "wei",
	  .fallback = "\"50000000000000000\"",
	  .effect = "The most that one operation may cost: all its gas limits times its "
		    "`maxFeePerGas`. The default is 0.05 ETH." },
	{ "paymaster_relay", "sponsor_name", CONFIG_TEXT, AT(paymaster_relay.sponsor_name),
	  .unit = "", .fallback = "\"SuperRelay\"", .min = 1, .max = 64,
	  .effect = "The sponsor's name in `pm_getPaymasterStubData`, for wallets to show." },
	{ "paymaster_relay", "sponsor_icon", CONFIG_TEXT, AT(paymaster_relay.sponsor_icon),
	  .unit = "", .fallback = "\"\"", .min = 0, .max = 2048, .rule = config_rule_icon,
	  .effect = "The sponsor's icon, an http(s) URL or a `data:image/` URI. Empty: none." },

	/* ---- optee_kms ---- */
	{ "optee_kms", "device_path", CONFIG_TEXT, AT(optee_kms.device_path), .unit = "",
	  .fallback = "\"/dev/tee0\"", .min = 1, .max = 255, .rule = config_rule_path,
	  .scope = CONFIG_OPTEE_ONLY,
	  .effect = "The TEE's client device. `/dev/teepriv0` belongs to tee-supplicant: it is "
		    "accepted, noted, and `/dev/tee0` is meant. The client library looks for "
		    "its device by itself, so another path has no effect." },
	{ "optee_kms", "ta_uuid", CONFIG_UUID, AT(optee_kms.ta_uuid), .unit = "",
	  .fallback = "\"12345678-5b69-11d4-9fee-00c04f4c3456\"",
	  .effect = "The Trusted Application's UUID." },
	{ "optee_kms", "login_group", CONFIG_TEXT, AT(optee_kms.login_group), .unit = "",
	  .fallback = "\"\"", .min = 0, .max = 64, .rule = config_rule_group_or_empty,
	  .scope = CONFIG_OPTEE_ONLY,
	  .effect = "The group, by name or number, as which the relay logs in to the Trusted "
		    "Application; the relay must be a member. One that was provisioned with "
		    "groups serves these alone. Empty: sessions are PUBLIC, which a "
		    "provisioned Trusted Application refuses outside development." },
	{ "optee_kms.keys", "primary_paymaster", CONFIG_TEXT, AT(optee_kms.keys.primary_paymaster),
	  .unit = "", .fallback = "\"paymaster-key-001\"", .min = 1, .max = 64,
	  .rule = config_rule_key_id,
	  .effect = "The id of the key that signs sponsorships, of letters, digits, `.`, `_` and "
		    "`-`." },
	{ "optee_kms.keys", "primary_paymaster_public_key", CONFIG_TEXT,
	  AT(optee_kms.keys.primary_paymaster_public_key), .unit = "", .fallback = "\"\"", .min = 0,
	  .max = 132, .rule = config_rule_pin_or_empty,
	  .effect = "What that key must be: its address, or its public key in hexadecimal. "
		    "Another key, or none, stops the service. Empty: what it was when the relay "
		    "first started (see `tamper_detection`)." },
	{ "optee_kms.keys", "executor", CONFIG_TEXT, AT(optee_kms.keys.executor), .unit = "",
	  .fallback = "\"\"", .min = 0, .max = 64, .rule = config_rule_key_id_or_empty,
	  .effect = "The id of a key of usage `transaction`. It is checked and pinned at start, "
		    "as the paymaster's is; this version sends no transactions. Empty: none." },
	{ "optee_kms.security", "session_timeout", CONFIG_DURATION,
	  AT(optee_kms.security.session_timeout), .unit = "seconds", .fallback = "300", .min = 0,
	  .max = 86400,
	  .effect = "After how long an idle session to the Trusted Application is closed; 0 is "
		    "never." },
	{ "optee_kms.security", "max_retries", CONFIG_UNSIGNED, AT(optee_kms.security.max_retries),
	  .unit = "", .fallback = "3", .min = 0, .max = 10,
	  .effect = "Further attempts after an error that a retry can cure." },
	{ "optee_kms.security", "audit_logging", CONFIG_BOOL, AT(optee_kms.security.audit_logging),
	  .unit = "", .fallback = "true",
	  .effect = "Keeps the Trusted Application's audit records in `audit_log`, each on the "
		    "disk before the answer that it tells of goes out. With false nobody can "
		    "say afterwards what was signed, and storage that was put back is not "
		    "noticed; a Trusted Application that forces the audit then signs "
		    "nothing." },
	{ "optee_kms.security", "audit_log", CONFIG_TEXT, AT(optee_kms.security.audit_log),
	  .unit = "", .fallback = "\"\"", .min = 0, .max = 4000,
	  .effect = "The audit log's file; its directory must exist. Empty: "
		    "`/var/lib/super-relay/audit.jsonl` with OP-TEE, beside the simulator's "
		    "`store`, under its name with `-audit.jsonl`, else. The pins lie beside it, "
		    "with `.pins` behind its name." },
	{ "optee_kms.security", "audit_checkpoint_interval", CONFIG_UNSIGNED,
	  AT(optee_kms.security.audit_checkpoint_interval), .unit = "records", .fallback = "1024",
	  .min = 1, .max = 1000000,
	  .effect = "After how many records the Trusted Application signs where the log "
		    "stands." },
	{ "optee_kms.security", "tamper_detection", CONFIG_BOOL,
	  AT(optee_kms.security.tamper_detection), .unit = "", .fallback = "true",
	  .effect = "Remembers each key's public key when it is first used, and stops the "
		    "service when another is under its id, or none. (An audit log and a storage "
		    "that contradict each other stop it in any case, and so does "
		    "`primary_paymaster_public_key`.)" },
	{ "optee_kms.security", "require_rollback_protection", CONFIG_UNSIGNED,
	  AT(optee_kms.security.require_rollback_protection), .unit = "", .fallback = "0", .min = 0,
	  .max = 1000,
	  .effect = "The least protection of the TEE's storage against being put back, as "
		    "GlobalPlatform has it: 0 none, 100 by the normal world's means, 1000 by "
		    "hardware. With less the relay does not start." },
	{ "optee_kms.hardware", "use_ele_crypto", CONFIG_BOOL,
	  AT(optee_kms.hardware.use_ele_crypto), .unit = "", .fallback = "false",
	  .effect = "EdgeLock Enclave has no secp256k1, so it can neither hold the key nor sign "
		    "with it. With true, a note says so, and what this machine has, at each "
		    "start; libsecp256k1 inside the Trusted Application signs either way.",
	  .note_true = "cannot be had: EdgeLock Enclave has no secp256k1. The key lies in the "
		       "TEE, and libsecp256k1 inside the Trusted Application signs with it, on "
		       "the processor" },
	{ "optee_kms.hardware", "use_hardware_rng", CONFIG_BOOL,
	  AT(optee_kms.hardware.use_hardware_rng), .unit = "", .fallback = "false",
	  .effect = "With true, keys are made (`keys generate`, `keys rotate`, `provision`) "
		    "only in a TEE whose random numbers are known to come from hardware: who "
		    "built the Trusted Application vouches for the TEE's generator, or the "
		    "processor's instruction delivers. With false they are made anyway, with a "
		    "warning. The TEE's generator is asked in either case.",
	  .note_false = "the TEE's generator cannot be turned off; false lets keys be made where "
			"nothing in the TEE is known to be random" },
	{ "optee_kms.hardware", "use_secure_storage", CONFIG_BOOL,
	  AT(optee_kms.hardware.use_secure_storage), .unit = "", .fallback = "true",
	  .effect = "Keys always lie in the TEE's secure storage; what protects that against "
		    "rollback is logged at start. With false, a note says that there is no "
		    "other place.",
	  .note_false = "cannot be turned off: keys lie in the TEE's secure storage, and there "
			"is no other place for them" },
	{ "optee_kms.performance", "batch_size", CONFIG_UNSIGNED,
	  AT(optee_kms.performance.batch_size), .unit = "", .fallback = "16", .min = 1, .max = 64,
	  .effect = "The most signatures in one call of the Trusted Application." },
	{ "optee_kms.performance", "batch_timeout", CONFIG_DURATION,
	  AT(optee_kms.performance.batch_timeout), .unit = "milliseconds", .fallback = "0",
	  .min = 0, .max = 1000,
	  .effect = "How long a signature may wait for `min_batch` of them; 0 never waits." },
	{ "optee_kms.performance", "min_batch", CONFIG_UNSIGNED,
	  AT(optee_kms.performance.min_batch), .unit = "", .fallback = "1", .min = 1, .max = 64,
	  .effect = "How many signatures to wait for, at most `batch_size`. With 1 nothing "
		    "waits." },
	{ "optee_kms.performance", "connection_pool_size", CONFIG_UNSIGNED,
	  AT(optee_kms.performance.connection_pool_size), .unit = "", .fallback = "4", .min = 1,
	  .max = 64, .effect = "The most sessions to the Trusted Application." },

	/* ---- simulator ---- */
	{ "simulator", "store", CONFIG_TEXT, AT(simulator.store), .unit = "", .fallback = "\"\"",
	  .min = 0, .max = 4000, .scope = CONFIG_SIMULATOR_ONLY,
	  .effect = "The directory of the simulator's keys. Empty: `super-relay/tee` in "
		    "`$XDG_DATA_HOME`, or else in `$HOME/.local/share`." },

	/* ---- logging ---- */
	{ "logging", "level", CONFIG_CHOICE, AT(logging.level), .unit = "", .fallback = "\"info\"",
	  .choices = log_levels,
	  .effect = "The least important records that are written to standard error." },
	{ "logging", "format", CONFIG_CHOICE, AT(logging.format), .unit = "",
	  .fallback = "\"text\"", .choices = log_formats,
	  .effect = "A line of text, or a JSON object on a line." },
};

_Static_assert(SR_ARRAY_LEN(rows) <= CONFIG_KEYS_MAX, "CONFIG_KEYS_MAX is too small");

static const char *const sections[] = {
	"node",
	"api",
	"rpc",
	"paymaster_relay",
	"optee_kms",
	"optee_kms.keys",
	"optee_kms.security",
	"optee_kms.hardware",
	"optee_kms.performance",
	"simulator",
	"logging",
};

size_t config_schema_count(void)
{
	return SR_ARRAY_LEN(rows);
}

const struct config_key *config_schema_row(size_t i)
{
	return &rows[i];
}

size_t config_section_count(void)
{
	return SR_ARRAY_LEN(sections);
}

const char *config_section(size_t i)
{
	return sections[i];
}
