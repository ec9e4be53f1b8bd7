/* SPDX-License-Identifier: Apache-2.0 */
/* cli: the command line. One file a subcommand; nothing stands above it. */
#ifndef SR_CLI_H
#define SR_CLI_H

#include "base/base.h"
#include "config/config.h"
#include "eth/eth.h"
#include "kms/kms.h"

#define SR_VERSION "0.1.0"

enum cli_exit { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* Each is given its own words: argv[0] is the subcommand. Returns the exit status. */
int cli_node(int argc, char **argv);
int cli_keys(int argc, char **argv);
/* keys_wrap.c: wrap, import --wrapped, backup-key, backup, restore, migrate, rotate. False: the
 * words ask for none of these. */
bool cli_keys_move(int argc, char **argv, int *status) SR_MUST_USE;
int cli_config(int argc, char **argv);
int cli_op(int argc, char **argv);
int cli_operator(int argc, char **argv);
int cli_provision(int argc, char **argv);
int cli_policy(int argc, char **argv);
int cli_attest(int argc, char **argv);
int cli_audit(int argc, char **argv);

/* ---- output (output.c) --------------------------------------------------- */

/* Looked for before anything is parsed, so that usage errors know it too. */
void cli_set_json(bool json);
bool cli_json(void);

/* Writes text to standard output; CLI_FAILED when it cannot be written. */
int cli_print(struct sr_buf *text);
/* "super-relay: …", or {"error":{"code":…,"message":…}}, on standard error. */
int cli_fail(const struct sr_error *err);
/* A wrong command line, with where to read on. */
int cli_usage_error(const char *subcommand, const char *fmt, ...) SR_PRINTF(2, 3);
/* What getopt_long complained about: an unknown option or a missing argument. */
int cli_bad_option(const char *subcommand, int result, char **argv);

/* ---- keys (key_io.c) ------------------------------------------------------- */

const char *cli_algorithm_name(uint8_t algorithm); /* "damaged" for none */
const char *cli_origin_name(uint8_t origin);	   /* "unknown" */
const char *cli_usage_name(uint32_t usage);	   /* "" */
/* sponsor, digest or transaction. */
bool cli_parse_usage(const char *text, uint32_t *bits) SR_MUST_USE;
/* False for keys that have none. */
bool cli_key_address(const struct kms_key *key, char out[static ETH_ADDRESS_TEXT]);
void cli_put_key_json(struct sr_buf *out, const struct kms_key *key);
int cli_print_key(const struct kms_key *key);
/* To be asked after a key was made, so that it tells what the TA had last, and that is for this
 * key unless a relay has signed in between. The key is there whether or not this can be told. */
void cli_warn_of_entropy(struct kms *kms);
/* To be asked before a key is made. SR_E_DENIED: the configuration demands hardware's random
 * numbers (use_hardware_rng), and nothing in the TEE is known to be any. */
bool cli_may_make_keys(const struct config *config, const struct kms_info *info,
		       struct sr_error *err) SR_MUST_USE;
/* The same, of the TEE that is open. */
bool cli_check_entropy(const struct config *config, struct kms *kms,
		       struct sr_error *err) SR_MUST_USE;
/* 64 hex digits from a file, or from standard input (file NULL), where they are not shown when
 * typed. They pass through locked memory alone; the caller wipes the secret. */
bool cli_read_secret(const char *file, uint8_t secret[static SR_TA_SECRET_SIZE],
		     struct sr_error *err) SR_MUST_USE;

/* ---- shared steps (setup.c) ---------------------------------------------- */

/* path NULL: $SUPER_RELAY_CONFIG, else the defaults (the simulator). */
bool cli_load_config(const char *path, struct config *out, struct sr_error *err) SR_MUST_USE;
/* Adds to the notes what concerns this machine, as $SUPER_RELAY_SYS (default: /sys) tells it. */
void cli_note_platform(struct config *config);
/* The KMS that a configuration asks for, with its audit log. observe may be NULL. */
bool cli_open_kms(const struct config *config,
		  void (*observe)(void *arg, const struct kms_observation *seen), void *observe_arg,
		  struct kms **out, struct sr_error *err) SR_MUST_USE;
/* Whether the TEE is what the configuration asks for: rollback protection, audit log, keys that
 * are those of before. Says in the log what it found. *paymaster is the key that sponsors. */
bool cli_check_tee(const struct config *config, struct kms *kms, struct kms_key *paymaster,
		   struct sr_error *err) SR_MUST_USE;
/* By the chain id, or by the network's name. */
bool cli_is_mainnet(const struct config *config);
TEEC_UUID cli_ta_uuid(const struct config *config);
/* Of a group's name, or of its number as text. */
bool cli_group_id(const char *name, uint32_t *gid, struct sr_error *err) SR_MUST_USE;
/* One more of those who may call. */
bool cli_add_group(struct kms_provision *p, const char *name, struct sr_error *err) SR_MUST_USE;
/* Reads a whole stream of at most limit bytes. The buffer is the caller's to free. */
bool cli_read_all(int fd, size_t limit, const char *name, struct sr_buf *out,
		  struct sr_error *err) SR_MUST_USE;

/* ---- pins (pins.c) ---------------------------------------------------------- */

/*
 * What was once seen under a name, in a file of lines "NAME HEX". The first time, the value is
 * written down and *first set; later it must be the same, else SR_E_CORRUPT.
 * Names: "key/ID", "attestation/UUID".
 */
#define CLI_PIN_NAME_MAX 96
bool cli_pin(const char *path, const char *name, struct sr_bytes value, bool *first,
	     struct sr_error *err) SR_MUST_USE;
/* Whether there is a pin of this name. False with err->code SR_OK: there is none. */
bool cli_has_pin(const char *path, const char *name, struct sr_error *err) SR_MUST_USE;

/* ---- the operator's word (leave.c) -------------------------------------------- */

/* How a command gets it: one of the two is set. */
struct cli_leave {
	const char *signature_file; /* made by `super-relay operator sign` */
	const char *key_file;	    /* the operator's key itself: for development */
};

/* What statements are called on the command line and in signature files. */
#define CLI_STATEMENT_PROVISION "provision"
#define CLI_STATEMENT_POLICY "policy"
#define CLI_STATEMENT_EXPORT "export"
#define CLI_STATEMENT_BEGIN "begin"

/*
 * The operator's signature over a statement. SR_E_INVALID: neither or both are given, or
 * the file is of another kind of statement. SR_E_DENIED: the file's signature is over
 * another statement than this one, which the message says.
 */
bool cli_leave_signature(const struct cli_leave *leave, const char *kind,
			 const struct sr_buf *statement,
			 uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE],
			 struct sr_error *err) SR_MUST_USE;
/* Reads the key's seed from a file that only its owner may read. The caller wipes it. */
bool cli_read_operator_key(const char *path, uint8_t seed[static 32],
			   struct sr_error *err) SR_MUST_USE;
/* The operator's public key: 64 hex digits, or the file that keygen wrote beside the key. */
bool cli_read_operator_public(const char *text, uint8_t out[static SR_TA_ED25519_PUBLIC_SIZE],
			      struct sr_error *err) SR_MUST_USE;
/* Signs a statement and writes the signature file. */
bool cli_write_signature(const char *path, const char *kind, const uint8_t seed[static 32],
			 const struct sr_buf *statement, struct sr_error *err) SR_MUST_USE;

/* ---- arguments and files (files.c) ---------------------------------------------- */

/* Exactly len bytes in hexadecimal, "0x" before them or not. name: the option, for messages. */
bool cli_hex(const char *name, const char *text, uint8_t *out, size_t len,
	     struct sr_error *err) SR_MUST_USE;
/* 8-4-4-4-12 hex digits to 16 octets. */
bool cli_uuid(const char *name, const char *text, uint8_t out[static 16],
	      struct sr_error *err) SR_MUST_USE;
bool cli_number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *out,
		struct sr_error *err) SR_MUST_USE;
/* A whole file of at most limit bytes; "-" is standard input. The buffer is the caller's to free.
 */
bool cli_read_file(const char *path, size_t limit, struct sr_buf *out,
		   struct sr_error *err) SR_MUST_USE;
/* A new file; one that exists is left as it is (SR_E_EXISTS). */
bool cli_write_file(const char *path, unsigned mode, const void *data, size_t len,
		    struct sr_error *err) SR_MUST_USE;

#endif
