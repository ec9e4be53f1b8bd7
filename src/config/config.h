/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: the configuration file (TOML 1.0), checked and typed.
 *
 * Every key is one row of a schema: name, type, bounds, default, effect and
 * where it lands in struct config. A file may hold known keys only; each
 * message names the file, the line, the key and what was expected.
 *
 * ${VAR} and ${VAR:-default} are expanded inside string values after the file
 * has been parsed, so that a variable cannot add keys. $$ stands for one $.
 * Secrets have no place in the file: keys live in the TEE.
 */
#ifndef SR_CONFIG_H
#define SR_CONFIG_H

#include "base/base.h"
#include "eth/eth_core.h"

#define CONFIG_FILE_MAX ((size_t)1024 * 1024) /* bytes */
#define CONFIG_NODES_MAX 4		      /* URLs in [node] node_http */
#define CONFIG_NOTES_MAX 24
#define CONFIG_NOTE_SIZE 320
#define CONFIG_HOST_SIZE 256
#define CONFIG_BOARD_SIZE 64

/* ---- values ------------------------------------------------------------ */

/* Where to listen. host is a name or an address, IPv6 without its brackets. */
struct config_listen {
	char host[CONFIG_HOST_SIZE];
	uint16_t port; /* 0 lets the system choose */
};

/* Owned strings, as written and expanded. items is NULL when count is 0. */
struct config_list {
	char **items;
	size_t count;
};

/* RFC 4122 fields in host order, as GlobalPlatform's TEE_UUID has them. */
struct config_uuid {
	uint32_t time_low;
	uint16_t time_mid;
	uint16_t time_hi_and_version;
	uint8_t clock_seq_and_node[8];
};

enum config_kms_backend { CONFIG_KMS_SIMULATOR, CONFIG_KMS_OPTEE };

/* One thing the operator should know: what was accepted and does nothing. */
struct config_notes {
	char text[CONFIG_NOTES_MAX][CONFIG_NOTE_SIZE];
	size_t count;
};

/*
 * The whole configuration. Strings are owned, never NULL after a successful
 * load, and "" where the key is optional and absent. The units stand in the
 * schema, in docs/configuration.md and, where a name lacks them, here.
 */
struct config {
	struct {
		struct config_listen http_api;
		char *network;
		struct config_list node_http; /* 0 to CONFIG_NODES_MAX URLs, in order of failover */
		uint64_t chain_id; /* 0: ask the node. Also from paymaster_relay.chain_id */
		char *bundler_url;
		struct config_list node_methods;
		bool allow_simulator_on_mainnet;
	} node;
	struct {
		struct config_listen listen;
	} api;
	struct {
		unsigned max_body_bytes;
		unsigned max_batch;
		unsigned max_depth;
		unsigned max_connections;
		unsigned request_timeout_ms;
		unsigned idle_timeout_s;
		struct config_list cors_origins;
		unsigned threads; /* 0: one per core */
		unsigned shutdown_timeout_ms;
	} rpc;
	struct {
		bool enabled;
		enum config_kms_backend kms_backend;
		bool has_paymaster;
		struct eth_address paymaster;
		struct eth_address entry_point;
		uint64_t chain_id;   /* as in the file; read node.chain_id instead */
		unsigned validity;   /* seconds */
		unsigned clock_skew; /* seconds */
		uint64_t verification_gas_limit;
		uint64_t post_op_gas_limit;
		uint64_t max_verification_gas_limit;
		uint64_t max_post_op_gas_limit;
		uint64_t max_pre_verification_gas;
		struct eth_u256 max_operation_cost_wei;
		char *sponsor_name;
		char *sponsor_icon;
	} paymaster_relay;
	struct {
		char *device_path;
		struct config_uuid ta_uuid;
		char *login_group; /* a group's name or number; "": sessions are PUBLIC */
		struct {
			char *primary_paymaster;
			char *primary_paymaster_public_key; /* or its address; "": none given */
			char *executor;			    /* "": none */
		} keys;
		struct {
			unsigned session_timeout; /* seconds; 0: never */
			unsigned max_retries;
			bool audit_logging;
			char *audit_log; /* never "" after loading */
			unsigned audit_checkpoint_interval;
			bool tamper_detection;
			unsigned require_rollback_protection; /* 0, 100 or 1000 */
		} security;
		struct {
			bool use_ele_crypto;
			bool use_hardware_rng;
			bool use_secure_storage;
		} hardware;
		struct {
			unsigned batch_size;
			unsigned batch_timeout; /* milliseconds */
			unsigned min_batch;
			unsigned connection_pool_size;
		} performance;
	} optee_kms;
	struct {
		char *store; /* a directory; "" when kms_backend is not the simulator */
	} simulator;
	struct {
		enum sr_log_level level;
		enum sr_log_format format;
	} logging;
	struct config_notes notes;
};

/* ---- loading ----------------------------------------------------------- */

/* The value of an environment variable, or NULL. */
typedef const char *(*config_env)(void *arg, const char *name);

/* Reads a file of at most CONFIG_FILE_MAX bytes with the process's
 * environment. On failure *out is empty; after success config_free it. */
bool config_load(const char *path, struct config *out, struct sr_error *err) SR_MUST_USE;

/* The same for text in memory; name stands for the file in messages. */
bool config_parse(const char *text, size_t len, const char *name, config_env env, void *env_arg,
		  struct config *out, struct sr_error *err) SR_MUST_USE;

/*
 * What must hold between keys. Loading has done this already; call it again
 * after a command-line option has changed a field (--paymaster-relay sets
 * paymaster_relay.enabled, which then needs a paymaster and a node).
 */
bool config_check(const struct config *config, struct sr_error *err) SR_MUST_USE;

/* ---- the machine ----------------------------------------------------------- */

enum config_board {
	CONFIG_BOARD_UNKNOWN, /* nothing says what it is, as in many containers */
	CONFIG_BOARD_OTHER,
	CONFIG_BOARD_IMX93,
};

struct config_platform {
	enum config_board board;
	char name[CONFIG_BOARD_SIZE]; /* for people to read; "" when nothing is known */
};

/*
 * Asks the kernel's files under sys (usually /sys): the device tree, which many
 * container engines hide, then the SoC's driver. machine is uname's, for those that
 * have neither.
 */
void config_platform_detect(const char *sys, const char *machine, struct config_platform *out);

/* Adds to the notes what keys mean, or cannot mean, on this machine. */
void config_platform_notes(struct config *config, const struct config_platform *platform);

/* Frees what the configuration owns and leaves it empty. */
void config_free(struct config *config);

/* ---- schema ------------------------------------------------------------ */

enum config_type {
	CONFIG_BOOL,
	CONFIG_UNSIGNED, /* an integer that lands in an unsigned */
	CONFIG_DURATION, /* the same, or a string such as "50ms"; the row's unit is its unit */
	CONFIG_U64,	 /* an integer that lands in a uint64_t */
	CONFIG_CHOICE,	 /* one of some names */
	CONFIG_TEXT,
	CONFIG_LIST,	/* an array of strings */
	CONFIG_URLS,	/* a URL, or an array of them */
	CONFIG_LISTEN,	/* "host:port" */
	CONFIG_ADDRESS, /* an Ethereum address */
	CONFIG_WEI,	/* an integer, or a string of decimal digits */
	CONFIG_UUID,
};

enum config_scope { CONFIG_EVERYWHERE, CONFIG_OPTEE_ONLY, CONFIG_SIMULATOR_ONLY };

struct config_key {
	const char *section; /* "optee_kms.keys" */
	const char *name;
	enum config_type type;
	uint64_t min; /* of an integer; length of a text; number of a list's items */
	uint64_t max;
	const char *unit;	    /* "" where there is none */
	const char *fallback;	    /* the default, as TOML */
	const char *const *choices; /* of a choice (in its enum's order) or a list; NULL-ended */
	/* a further rule for a text or a list's item; returns NULL, or what it expects */
	const char *(*rule)(const char *text);
	const char *effect;    /* one or two sentences */
	const char *note_true; /* recorded when a boolean key is given so, NULL for none */
	const char *note_false;
	/* with the other backend the key has no effect, which is recorded when it is given */
	enum config_scope scope;
	size_t offset; /* in struct config */
};

/* The rows, in the order of the reference page. */
size_t config_schema_count(void);
const struct config_key *config_schema_row(size_t i);

/* "boolean", "integer", "string", … as the reference page has it. */
const char *config_type_name(enum config_type type);

/* ---- policies of keys (policy*.c) ------------------------------------------- */

/*
 * What a key may sign (super_relay_ta.h), from a TOML file of its own:
 *
 *   chain_ids = [11155111]                    integers
 *   entry_points = ["0x…"]                    addresses, as the next two
 *   paymasters = ["0x…"]
 *   beneficiaries = ["0x…"]
 *   max_validity = "15m"                      seconds, or a string with s, m, h or d
 *   max_gas = 5000000
 *   max_fee_per_gas = "100 gwei"              wei, or a string with wei, gwei or eth
 *   max_cost = "0.05 eth"
 *   window = "1d"
 *   budget = "1 eth"
 *   operations = 1000
 *   force_audit = true
 *
 * What is left out allows nothing. Amounts are exact: one with more decimals than wei
 * have is refused.
 */
#define CONFIG_POLICY_LIST_MAX 8
#define CONFIG_POLICY_BYTES_MAX 700

struct config_policy {
	uint64_t chain_ids[CONFIG_POLICY_LIST_MAX];
	struct eth_address entry_points[CONFIG_POLICY_LIST_MAX];
	struct eth_address paymasters[CONFIG_POLICY_LIST_MAX];
	struct eth_address beneficiaries[CONFIG_POLICY_LIST_MAX];
	unsigned chain_id_count, entry_point_count, paymaster_count, beneficiary_count;
	uint32_t max_validity; /* seconds */
	uint64_t max_gas;
	struct eth_u256 max_fee_per_gas; /* wei, at most 128 bits, as the next two */
	struct eth_u256 max_cost;
	uint32_t window; /* seconds; 0: no rolling limit, and the next two are 0 */
	struct eth_u256 budget;
	uint32_t operations;
	bool force_audit;
};

bool config_policy_load(const char *path, struct config_policy *out,
			struct sr_error *err) SR_MUST_USE;
/* name stands for the file in messages. */
bool config_policy_parse(const char *text, size_t len, const char *name, struct config_policy *out,
			 struct sr_error *err) SR_MUST_USE;
/* The TA's bytes of it; returns their number. */
size_t config_policy_encode(const struct config_policy *policy,
			    uint8_t out[static CONFIG_POLICY_BYTES_MAX]);
/* SR_E_CORRUPT: they are not the bytes of one policy of version 1. */
bool config_policy_decode(struct sr_bytes bytes, struct config_policy *out,
			  struct sr_error *err) SR_MUST_USE;
/* As TOML that config_policy_parse reads. */
void config_policy_to_toml(const struct config_policy *policy, struct sr_buf *out);

#endif
