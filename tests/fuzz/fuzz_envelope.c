/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key envelopes, as the TA and as the tools read them: two parsers that share no code and
 * must agree on every input. What both take to be an envelope is then opened by both, sealed to
 * a key that this target has.
 */
#include <stdlib.h>
#include <string.h>

#include "../../ta/super_relay_ta/entropy.h"
#include "../../ta/super_relay_ta/envelope.h"
#include "kms/envelope.h"
#include "tee/sim/sim_test.h"
#include "tee/tee.h"
#include "ta/shim_entry.h"
#include "temp_dir.h"

#define AT_UUID 5
#define AT_RECIPIENT (AT_UUID + KMS_UUID_SIZE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- a TA that opens envelopes ------------------------------------------------------ */

static const uint8_t own_secret[32] = { 0x5e, 0xc2, 0xe7 };
static uint8_t own_public[32];
static uint8_t envelope[SR_TA_ENVELOPE_MAX];
static size_t envelope_len;
static struct ta_key opened;

static TEE_Result open_envelope(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return ta_envelope_open(envelope, envelope_len, own_secret, own_public, &opened);
}

static struct tee_api api;
static TEEC_Context context;
static TEEC_Session session;
static char store[TEMP_DIR_MAX];

static void remove_store(void)
{
	(void)remove_temp_dir(store);
}

static void set_up(void)
{
	const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;

	shim_entry_invoke = open_envelope;
	if (!make_temp_dir(store) || !tee_load_simulator(store, &api, NULL) ||
	    atexit(remove_store) || api.initialize_context(NULL, &context) ||
	    api.open_session(&context, &session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL) ||
	    !kms_x25519_public(own_secret, own_public, NULL))
		abort();
}

/* ---- the comparison ------------------------------------------------------------------ */

static void compare_fields(const struct kms_envelope *e, const struct ta_key *key)
{
	if (e->key.algorithm != key->algorithm || e->key.usage != key->usage ||
	    e->key.origin != key->origin || e->key.created != key->created ||
	    strlen(e->key.id) != key->id.len ||
	    memcmp(e->key.id, key->id.bytes, key->id.len) != 0 ||
	    e->key.public_key_len != key->public_len ||
	    memcmp(e->key.public_key, key->public_key, key->public_len) != 0 ||
	    e->key.policy_version != key->policy_version || e->policy_len != key->policy_len ||
	    memcmp(e->policy, key->policy, key->policy_len) != 0 ||
	    memcmp(e->operator_signature, key->operator_signature, 64) != 0)
		abort();
}

/* The TA does not compare the public key with the secret's: that is the command's. */
static void open_both(struct kms_envelope *e)
{
	TEEC_Operation op = { 0 };
	TEEC_Result result = TEEC_SUCCESS;
	struct sr_error err = { .code = SR_OK };
	const bool host =
		kms_envelope_open((struct sr_bytes){ envelope, envelope_len }, own_secret, e, &err);

	op.paramTypes = TEEC_PARAM_TYPES(TEEC_NONE, TEEC_NONE, TEEC_NONE, TEEC_NONE);
	result = api.invoke_command(&session, 0, &op, NULL);
	if (result != TEEC_SUCCESS && result != TEEC_ERROR_SECURITY)
		abort();
	if (host != (result == TEEC_SUCCESS) && err.code == SR_E_DENIED)
		abort();
	if (host && memcmp(e->secret, opened.secret, sizeof(opened.secret)) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t uuid[KMS_UUID_SIZE] = {
		0x12, 0x34, 0x56, 0x78, 0x5b, 0x69, 0x11, 0xd4,
		0x9f, 0xee, 0x00, 0xc0, 0x4f, 0x4c, 0x34, 0x56
	};
	static struct kms_envelope read;
	bool host = false;

	if (!api.name)
		set_up();
	if (size > sizeof(envelope)) {
		if (kms_envelope_read((struct sr_bytes){ data, size }, &read, NULL) ||
		    ta_envelope_check(data, size, &opened) != TEE_ERROR_BAD_FORMAT)
			abort();
		return 0;
	}
	memcpy(envelope, data, size);
	envelope_len = size;
	/* Past the two fields that no mutation finds. */
	if (size >= AT_RECIPIENT + sizeof(own_public)) {
		memcpy(envelope + AT_UUID, uuid, sizeof(uuid));
		memcpy(envelope + AT_RECIPIENT, own_public, sizeof(own_public));
	}
	host = kms_envelope_read((struct sr_bytes){ envelope, size }, &read, NULL);
	if (host != (ta_envelope_check(envelope, size, &opened) == TEE_SUCCESS))
		abort();
	if (!host)
		return 0;
	compare_fields(&read, &opened);
	open_both(&read);
	return 0;
}
