/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paymaster: decides whether to pay for a UserOperation, and has the
 * sponsorship signed by a key inside the TEE. Contract scheme: eth-infinitism's
 * VerifyingPaymaster v0.7, whose paymasterData is
 * abi.encode(uint48 validUntil, uint48 validAfter) ‖ signature (65).
 *
 * Thread-safe: one paymaster serves all loops.
 */
#ifndef SR_PAYMASTER_H
#define SR_PAYMASTER_H

#include <stdatomic.h>

#include "base/base.h"
#include "eth/eth.h"
#include "kms/kms.h"
#include "loop/loop.h"

#define PAYMASTER_DATA_SIZE (64 + SR_TA_SECP256K1_SIGNATURE_SIZE)

struct paymaster_config {
	struct eth_address contract;
	struct eth_address entry_point;
	char key_id[KMS_KEY_ID_SIZE];
	unsigned validity_s;		     /* from now to validUntil */
	unsigned clock_skew_s;		     /* validAfter lies this far in the past */
	uint64_t verification_gas_limit;     /* where the operation names none */
	uint64_t post_op_gas_limit;	     /* as above */
	uint64_t max_verification_gas_limit; /* of the paymaster's own */
	uint64_t max_post_op_gas_limit;
	struct eth_u256 max_pre_verification_gas;
	struct eth_u256 max_operation_cost; /* wei: all gas limits × maxFeePerGas */
};

/*
 * What came of a request for a sponsorship, and why. Sponsored, refused (the request or
 * its terms are at fault) or failed (what is behind this relay is).
 */
enum paymaster_reason {
	PAYMASTER_OK,	      /* sponsored */
	PAYMASTER_INVALID,    /* refused: parameters or operation are wrong */
	PAYMASTER_GAS_LIMIT,  /* refused: a gas limit is over the configured one */
	PAYMASTER_COST,	      /* refused: may cost more than the configuration lets it */
	PAYMASTER_KEY_POLICY, /* refused in the TEE, by the key's policy */
	PAYMASTER_BUDGET,     /* refused in the TEE: the budget of the window is used up */
	PAYMASTER_ESTIMATE,   /* refused: the bundler says that the operation would fail */
	PAYMASTER_NOT_READY,  /* failed: no chain id yet, or the paymaster is halted */
	PAYMASTER_BUSY,	      /* failed: too many requests wait for the signer */
	PAYMASTER_TEE,	      /* failed: TEE or audit log */
	PAYMASTER_BUNDLER,    /* failed: no estimate from the bundler */
	PAYMASTER_INTERNAL,   /* failed: out of memory, or a defect of ours */
	PAYMASTER_REASONS
};

/* "sponsored", "refused" or "failed"; "ok", "gas_limit", … */
const char *paymaster_decision_name(enum paymaster_reason reason);
const char *paymaster_reason_name(enum paymaster_reason reason);

struct paymaster {
	struct paymaster_config config;
	struct kms *kms;
	_Atomic uint64_t chain_id; /* 0 until it is known */
	atomic_bool halted;
	void (*observe)(void *arg, enum paymaster_reason reason); /* may be NULL; any thread */
	void *observe_arg;
};

/* Recovers to nobody's key; no byte of it is zero. */
extern const uint8_t paymaster_stub_signature[SR_TA_SECP256K1_SIGNATURE_SIZE];

void paymaster_init(struct paymaster *pm, const struct paymaster_config *config, struct kms *kms,
		    uint64_t chain_id);
/* For metrics; before the first request. */
void paymaster_observe(struct paymaster *pm, void (*observe)(void *arg, enum paymaster_reason),
		       void *arg);
void paymaster_set_chain_id(struct paymaster *pm, uint64_t chain_id);

/* While halted every operation is refused with SR_E_UNAVAILABLE: the key is
 * missing, or not the one that the relay started with. */
void paymaster_halt(struct paymaster *pm, bool halted);

/* What the client puts into its operation. */
struct paymaster_grant {
	struct eth_u256 verification_gas_limit;
	struct eth_u256 post_op_gas_limit;
	uint64_t valid_until;
	uint64_t valid_after;
	uint8_t data[PAYMASTER_DATA_SIZE];
	enum paymaster_reason reason; /* why it was not given */
};

/*
 * The stub: as long as the final data, with no more zero bytes, and a signature
 * that recovers to nobody of ours. The policy judges it as it will the final
 * data. SR_E_DENIED: the policy refuses; SR_E_UNAVAILABLE: the chain id is not
 * known yet, or the paymaster is halted.
 */
bool paymaster_stub(const struct paymaster *pm, const struct eth_user_op *op,
		    struct paymaster_grant *out, struct sr_error *err) SR_MUST_USE;

/* A sponsorship under way. The caller owns it until done has run. */
struct paymaster_request {
	struct paymaster_grant grant; /* valid in done when error.code is SR_OK */
	struct sr_error error;
	void (*done)(struct paymaster_request *request); /* once, on the loop given */
	void *arg;

	/* private from here on */
	const struct paymaster *paymaster;
	struct loop *loop;
	struct loop_task task;
	struct kms_request kms;
};

/*
 * Signs for a complete operation (all gas and fee fields present). op is only
 * read before this returns. False: refused at once, done never runs.
 */
bool paymaster_sponsor(const struct paymaster *pm, const struct eth_user_op *op, struct loop *loop,
		       struct paymaster_request *request, struct sr_error *err) SR_MUST_USE;

/*
 * Tells the observer about a request that never came as far as this layer, since its
 * parameters were wrong or there was no estimate for it. paymaster_stub tells of its
 * refusals itself, paymaster_sponsor of whatever comes of it.
 */
void paymaster_conclude(const struct paymaster *pm, enum paymaster_reason reason);
/* What an error in a request's parameters counts as. */
enum paymaster_reason paymaster_reason_of(const struct sr_error *err);

/* Sets the paymaster fields of an operation to a grant's; data must outlive op's use. */
void paymaster_apply(const struct paymaster *pm, const struct paymaster_grant *grant,
		     struct eth_user_op *op);

#endif
