/* SPDX-License-Identifier: Apache-2.0 */
/* An attestation: its file, and the statement in it. */
#include <stdlib.h>
#include <string.h>

#include "kms/attest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kms_attestation a;
	struct kms_attested said;
	struct sr_error err = { .code = SR_OK };
	uint8_t hash[32];

	if (kms_attestation_from_json((const char *)data, size, &a, &err)) {
		/* nobody can sign: what passes has been forged */
		if (kms_attest_check(&a, NULL, &said, &err) && !said.attestation_key[0])
			abort();
		if (kms_evidence_check(&a, (struct sr_bytes){ data, size }, hash, &err))
			abort();
	} else if (!err.message[0]) {
		abort();
	}
	/* the statement alone, whose form is judged before its signature */
	memset(&a, 0, sizeof(a));
	a.statement_len = size < sizeof(a.statement) ? size : sizeof(a.statement);
	memcpy(a.statement, data, a.statement_len);
	if (kms_attest_check(&a, NULL, &said, &err))
		abort();
	return 0;
}
