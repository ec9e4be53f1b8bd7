/* SPDX-License-Identifier: Apache-2.0 */
/* cli: the command line. One file a subcommand; nothing stands above it. */
#ifndef SR_CLI_H
#define SR_CLI_H

#include "base/base.h"
#include "config/config.h"
#include "kms/kms.h"

#define SR_VERSION "0.1.0"

enum cli_exit { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

/* Each is given its own words: argv[0] is the subcommand. Returns the exit status. */
int cli_node(int argc, char **argv);
int cli_keys(int argc, char **argv);
int cli_config(int argc, char **argv);
int cli_op(int argc, char **argv);

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

/* ---- shared steps (setup.c) ---------------------------------------------- */

/* path NULL: $SUPER_RELAY_CONFIG, else the defaults (the simulator). */
bool cli_load_config(const char *path, struct config *out, struct sr_error *err) SR_MUST_USE;
/* The KMS that a configuration asks for. observe may be NULL. */
bool cli_open_kms(const struct config *config,
		  void (*observe)(void *arg, const struct kms_observation *seen), void *observe_arg,
		  struct kms **out, struct sr_error *err) SR_MUST_USE;
/* Reads a whole stream of at most limit bytes. The buffer is the caller's to free. */
bool cli_read_all(int fd, size_t limit, const char *name, struct sr_buf *out,
		  struct sr_error *err) SR_MUST_USE;

#endif
