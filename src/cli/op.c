/* SPDX-License-Identifier: Apache-2.0 */
/* super-relay op hash: a UserOperation's userOpHash. */
#include <getopt.h>
#include <string.h>
#include <unistd.h>
#include <yyjson.h>

#include "cli/cli.h"
#include "eth/eth.h"

#define OPERATION_MAX ((size_t)4 * 1024 * 1024)

static const char help[] =
	"Usage: super-relay op hash --entry-point VERSION --chain-id N [OPTION]… < op.json\n\n"
	"Reads a UserOperation in its JSON-RPC form and prints its userOpHash.\n\n"
	"  --entry-point 0.6|0.7|0.8|0.9  version of the EntryPoint\n"
	"  --chain-id N                   decimal or 0x-prefixed\n"
	"  --address ADDRESS              of the EntryPoint, where it is not the canonical one\n"
	"  --delegate ADDRESS             the account's EIP-7702 delegate, for an initCode of "
	"0x7702\n"
	"  --json                         machine-readable output\n";

struct hash_options {
	const char *entry_point;
	const char *chain_id;
	const char *address;
	const char *delegate;
};

struct hash_input {
	enum eth_entry_point version;
	struct eth_u256 chain_id;
	struct eth_address address;
	struct eth_address delegate;
	bool has_delegate;
};

static bool read_address(const char *name, const char *text, struct eth_address *out,
			 struct sr_error *err)
{
	return eth_address_from_text(text, strlen(text), out, err) || sr_fail_in(err, "%s", name);
}

static bool read_options(const struct hash_options *o, struct hash_input *in, struct sr_error *err)
{
	size_t len = strlen(o->chain_id);

	if (!eth_entry_point_parse(o->entry_point, &in->version))
		return sr_fail(err, SR_E_INVALID,
			       "--entry-point: expected 0.6, 0.7, 0.8 or 0.9, got '%.40s'",
			       o->entry_point);
	if (!eth_u256_from_dec(o->chain_id, len, &in->chain_id) &&
	    !eth_u256_from_quantity(o->chain_id, len, &in->chain_id))
		return sr_fail(err, SR_E_INVALID,
			       "--chain-id: expected a decimal or 0x-prefixed number, got '%.40s'",
			       o->chain_id);
	in->address = *eth_entry_point_address(in->version);
	if (o->address && !read_address("--address", o->address, &in->address, err))
		return false;
	in->has_delegate = o->delegate != NULL;
	return !o->delegate || read_address("--delegate", o->delegate, &in->delegate, err);
}

/* An operation that carries its authorization names the delegate itself. */
static const struct eth_address *choose_delegate(const struct hash_input *in,
						 const struct eth_user_op *op)
{
	if (in->has_delegate)
		return &in->delegate;
	return op->has_authorization ? &op->authorization.address : NULL;
}

static bool hash_text(const struct sr_buf *text, const struct hash_input *in, uint8_t hash[32],
		      struct sr_error *err)
{
	struct eth_user_op op = { 0 };
	yyjson_read_err parse_err = { 0 };
	yyjson_doc *doc = NULL;
	bool ok = false;

	if (text->len)
		doc = yyjson_read_opts((char *)text->data, text->len, YYJSON_READ_NUMBER_AS_RAW,
				       NULL, &parse_err);
	if (!doc)
		return sr_fail(err, SR_E_INVALID, "standard input is no valid JSON: %s at byte %zu",
			       parse_err.msg ? parse_err.msg : "empty", parse_err.pos);
	ok = eth_user_op_parse(yyjson_doc_get_root(doc), in->version, ETH_OP_MAY_LACK_SIGNATURE,
			       &op, err) &&
	     eth_user_op_hash(&op, &in->address, &in->chain_id, choose_delegate(in, &op), hash,
			      err);
	eth_user_op_free(&op);
	yyjson_doc_free(doc);
	return ok;
}

static int print_hash(const struct hash_input *in, const uint8_t hash[32])
{
	struct sr_buf out = { 0 };
	char address[ETH_ADDRESS_TEXT];
	char chain_id[ETH_U256_HEX_MAX];

	if (cli_json()) {
		eth_address_to_text(&in->address, address);
		eth_u256_to_quantity(&in->chain_id, chain_id);
		sr_buf_puts(&out, "{\"userOpHash\":\"");
		sr_buf_put_hex_0x(&out, hash, 32);
		sr_buf_printf(&out,
			      "\",\"entryPoint\":\"%s\",\"version\":\"%s\",\"chainId\":\"%s\"}\n",
			      address, eth_entry_point_name(in->version), chain_id);
	} else {
		sr_buf_put_hex_0x(&out, hash, 32);
		sr_buf_puts(&out, "\n");
	}
	return cli_print(&out);
}

static int run_hash(const struct hash_options *options)
{
	struct hash_input in = { 0 };
	struct sr_error err = { .code = SR_OK };
	struct sr_buf text = { 0 };
	uint8_t hash[32];
	bool ok = read_options(options, &in, &err) &&
		  cli_read_all(STDIN_FILENO, OPERATION_MAX, "standard input", &text, &err) &&
		  hash_text(&text, &in, hash, &err);

	sr_buf_free(&text);
	return ok ? print_hash(&in, hash) : cli_fail(&err);
}

int cli_op(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "entry-point", required_argument, NULL, 'e' },
		{ "chain-id", required_argument, NULL, 'c' },
		{ "address", required_argument, NULL, 'a' },
		{ "delegate", required_argument, NULL, 'd' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct hash_options options = { 0 };
	struct sr_buf out = { 0 };
	int c = 0;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (c == 'e')
			options.entry_point = optarg;
		else if (c == 'c')
			options.chain_id = optarg;
		else if (c == 'a')
			options.address = optarg;
		else if (c == 'd')
			options.delegate = optarg;
		else if (c == 'h') {
			sr_buf_puts(&out, help);
			return cli_print(&out);
		} else if (c == 'j')
			cli_set_json(true);
		else
			return cli_bad_option("op", c, argv);
	}
	if (argc - optind != 1 || strcmp(argv[optind], "hash") != 0)
		return cli_usage_error("op", "expected 'hash'");
	if (!options.entry_point)
		return cli_usage_error("op",
				       "hash: --entry-point is missing (0.6, 0.7, 0.8 or 0.9)");
	if (!options.chain_id)
		return cli_usage_error("op", "hash: --chain-id is missing");
	return run_hash(&options);
}
