/* SPDX-License-Identifier: Apache-2.0 */
/* What BEGIN's statement is about: asked where the TEE is, and carried to where the operator is. */
#include <string.h>
#include <yyjson.h>

#include "cli/operator.h"

#define REQUEST_MAX ((size_t)16 * 1024)

bool operator_ask_begin(const char *config_path, struct kms_audit_state *ta,
			struct audit_tail *tail, struct sr_error *err)
{
	struct config config = { 0 };
	struct kms *kms = NULL;
	bool ok = false;

	if (!cli_load_config(config_path, &config, err))
		return false;
	sr_log_setup(SR_LOG_ERROR, config.logging.format);
	ok = config.optee_kms.security.audit_logging ||
	     sr_fail(err, SR_E_INVALID, "there is no audit log: audit_logging is off");
	ok = ok && cli_open_kms(&config, NULL, NULL, &kms, err) &&
	     kms_audit_state(kms, ta, tail, err);
	kms_close(kms, 0);
	config_free(&config);
	return ok;
}

void operator_put_request(struct sr_buf *out, const struct kms_audit_state *ta,
			  const struct audit_tail *tail)
{
	sr_buf_printf(out,
		      "{\"superRelayBegin\":1,\"generation\":%llu,\"next\":%llu,\"auditKey\":\"",
		      (unsigned long long)ta->generation, (unsigned long long)ta->next);
	sr_buf_put_hex_0x(out, ta->public_key, sizeof(ta->public_key));
	sr_buf_printf(out, "\",\"logSeq\":%llu,\"logGeneration\":%llu,\"logHead\":\"",
		      (unsigned long long)tail->seq, (unsigned long long)tail->generation);
	sr_buf_put_hex_0x(out, tail->head, sizeof(tail->head));
	sr_buf_puts(out, "\"}\n");
}

static bool get_u64(yyjson_val *root, const char *name, uint64_t *out)
{
	yyjson_val *v = yyjson_obj_get(root, name);

	*out = yyjson_get_uint(v);
	return yyjson_is_uint(v);
}

static bool get_hex(yyjson_val *root, const char *name, uint8_t *out, size_t len)
{
	yyjson_val *v = yyjson_obj_get(root, name);

	return yyjson_is_str(v) && sr_hex_decode(yyjson_get_str(v), yyjson_get_len(v), out, len);
}

bool operator_read_request(const char *path, struct kms_audit_state *ta, struct audit_tail *tail,
			   struct sr_error *err)
{
	struct sr_buf text = { 0 };
	yyjson_doc *doc = NULL;
	yyjson_val *root = NULL;
	bool ok = cli_read_file(path, REQUEST_MAX, &text, err);

	if (ok) {
		doc = text.len ? yyjson_read((const char *)text.data, text.len, 0) : NULL;
		root = yyjson_doc_get_root(doc);
		ok = (yyjson_get_uint(yyjson_obj_get(root, "superRelayBegin")) == 1 &&
		      get_u64(root, "generation", &ta->generation) &&
		      get_u64(root, "next", &ta->next) &&
		      get_hex(root, "auditKey", ta->public_key, sizeof(ta->public_key)) &&
		      get_u64(root, "logSeq", &tail->seq) &&
		      get_u64(root, "logGeneration", &tail->generation) &&
		      get_hex(root, "logHead", tail->head, sizeof(tail->head))) ||
		     sr_fail(err, SR_E_INVALID,
			     "%.150s: expected what `super-relay operator begin-request` writes",
			     path);
	}
	yyjson_doc_free(doc);
	sr_buf_free(&text);
	return ok;
}
