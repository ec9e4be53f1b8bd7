/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SR_HEALTH_PRIVATE_H
#define SR_HEALTH_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "http/http.h"

/* What a report has an entry for. */
enum part { PART_TEE, PART_KEY, PART_NODE, PART_PAYMASTER, PART_BUNDLER, PARTS };

extern const char *const health_part_names[PARTS];

/* What one part looked like when it was last asked. */
struct check {
	bool watched;
	bool ok;
	uint64_t checked_ns; /* 0: not yet */
	char error[SR_ERROR_MESSAGE_MAX];
	char detail[192]; /* JSON members behind "ok", each with a comma before it */
};

/* What is known of the contract beyond that. */
struct contract_facts {
	unsigned right; /* of its two addresses, those that are as expected */
	bool deposit_known;
	struct eth_u256 deposit;
};

struct health {
	struct health_config config;
	uv_timer_t timer;
	uv_work_t tee_work;
	bool tee_busy;
	unsigned asking; /* questions to node and bundler without an answer yet */
	bool stopping;
	atomic_bool draining;
	_Atomic uint64_t beat_ns;
	pthread_mutex_t lock; /* of the next three */
	struct check checks[PARTS];
	bool node_answers;
	struct contract_facts contract;
	struct eth_address signer; /* of the key the relay signs with */
	/* between the work thread and its completion */
	bool tee_stopped; /* kms_check */
	struct sr_error tee_error;
	struct kms_key tee_key;
	/* this round's */
	unsigned contract_asking; /* answers still to come */
	struct sr_error contract_error;
	struct contract_facts contract_seen;
};

#define CONTRACT_ADDRESSES 2

#endif
