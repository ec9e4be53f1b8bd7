// SPDX-License-Identifier: Apache-2.0
// End-to-end tests that say nothing about the relay in the emulated machine, each with the reason.
// The runner prints them, and fails when one of these names no test any more.

const HOST_FILES = "looks at the files of the simulator's store";
const NO_TEE = "no TEE and no network: the same on every machine, and tested there";
const BEFORE_TEE = "refused by the command line, before the TEE is asked";
const HOST_PROCESS = "looks at the daemon as a process of the host";

/** Files, or tests of a file by their names or patterns of them. */
export const LEFT_OUT = [
  { file: "config.test.mjs", reason: NO_TEE },
  { file: "op_hash.test.mjs", reason: NO_TEE },
  { file: "places.test.mjs", reason: NO_TEE },
  { file: "notices.test.mjs", reason: "makes the files that a machine is known by" },
  {
    file: "envelope.test.mjs",
    reason: "files of the host, and several TEEs at once; the TA's unwrap asks OP-TEE's",
  },
  { file: "soak.test.mjs", reason: HOST_PROCESS },
  {
    file: "metrics_states.test.mjs",
    reason: "fails upstreams, and has a second process renew the simulated TA; no TEE is asked more",
  },
  {
    file: "metrics.test.mjs",
    test: "spends little on a scrape",
    reason: "an emulated processor takes longer",
  },
  {
    file: "lifecycle.test.mjs",
    test: "is live when it goes on: none of its loops hangs",
    reason: HOST_PROCESS,
  },
  {
    file: "audit.test.mjs",
    reason: "keeps a log of its own, and the machine's TEE has one; power.test.mjs checks that",
  },
  {
    file: "trust.test.mjs",
    reason: "provisions TEEs, which is done once in a machine's life; power.test.mjs does it there",
  },
  { file: "get_hash.test.mjs", reason: "signs through the simulator, with the same TA" },
  { file: "transactions.test.mjs", reason: NO_TEE },
  {
    file: "health.test.mjs",
    test: "does not start with the simulator on mainnet",
    reason: "there is no simulator in it",
  },
  {
    file: "health.test.mjs",
    test: "does not start where there is no OP-TEE, and says what is missing",
    reason: "there is OP-TEE",
  },
  {
    file: "hardening.test.mjs",
    test: "two names of one address are no two ports",
    reason: "addresses of the host are others in the machine",
  },
  {
    file: "hardening.test.mjs",
    test: "a start that fails half-way says why instead of aborting",
    reason: HOST_PROCESS,
  },
  {
    file: "lifecycle.test.mjs",
    test: "at 40 moments of making keys loses none and leaves none half made",
    reason: "takes minutes on an emulated machine; storage.test.mjs cuts its power",
  },
  {
    file: "keys.test.mjs",
    test: "lie in files that only their owner may read",
    reason: HOST_FILES,
  },
  {
    file: "keys.test.mjs",
    test: "never shows the secret, and leaves it in no file as it is",
    reason: HOST_FILES,
  },
  {
    file: "keys.test.mjs",
    test: "of a random key, from a file, has the address that viem computes",
    reason: "the file is one of the host",
  },
  {
    file: "keys.test.mjs",
    test: "are all different, and as many as there are are listed in order",
    reason: "many keys are slow on an emulated machine; ta-keys lists and compares them there",
  },
  {
    file: "lifecycle.test.mjs",
    test: "of the daemon while keys are made beside it leaves all of them",
    reason: "many keys are slow on an emulated machine; supplicant.test.mjs cuts making short",
  },
  { file: "keys.test.mjs", test: /^may not be called /, reason: BEFORE_TEE },
  { file: "keys.test.mjs", test: /^takes the key from standard input: with /, reason: BEFORE_TEE },
  { file: "keys.test.mjs", test: /^refuses (nothing|a digit|no hex|far)/, reason: BEFORE_TEE },
  { file: "keys.test.mjs", test: /^that is wrong has status 2/, reason: BEFORE_TEE },
  { file: "keys.test.mjs", test: "has help and a version on standard output", reason: NO_TEE },
  {
    file: "keys.test.mjs",
    test: "says so when its output cannot be written",
    reason: "the output is a file of the host",
  },
  {
    file: "keys.test.mjs",
    test: "whose file is damaged is reported, not replaced, and the others work on",
    reason: `${HOST_FILES}; storage.test.mjs does it to OP-TEE's`,
  },
];

/** Programs of tests/ta that are about the simulator itself. */
export const LEFT_OUT_PROGRAMS = {
  damage: "damages the simulator's files; storage.test.mjs does it to OP-TEE's",
  disk: "the simulator's files, owners and power cuts",
  envelope: "has a Trusted Application of its own in the simulator; unwrap asks OP-TEE's",
  entropy: "has the simulator's sources stand still; entropy.test.mjs does it to OP-TEE's",
  "findings-access": "the simulator's storage and callers, and an operator of each test's own",
  "findings-audit": "the simulator's callers, and an operator of each test's own",
  "findings-count": "the simulator's storage and power; power.test.mjs cuts OP-TEE's",
  "findings-ledger": "takes away and damages the simulator's files, and moves its clock",
  memory: "looks through the memory of the simulated TEE",
  "own-state": "damages the simulator's files; storage.test.mjs does it to OP-TEE's",
  panic: "has the simulator panic at each call; panic.test.mjs has OP-TEE do it",
  "policy-attacks": "the simulator's storage and clock, and an operator of each test's own",
  "policy-audit": "the simulator's storage and clock, and an operator of each test's own",
  "policy-budget": "the simulator's storage and clock, and an operator of each test's own",
  "policy-operator": "the simulator's storage and clock, and an operator of each test's own",
  "policy-transactions": "the simulator's storage and clock, and an operator of each test's own",
  "protocol-examples": "reads the page in the checkout, and the TA must begin as on its first day",
  "power-cut": "cuts the simulator's power at each step; power.test.mjs cuts OP-TEE's",
  rollback: "puts back copies of the simulator's storage",
  shim: "the simulator's GlobalPlatform API, without the TA",
  store: "the simulator's store, byte by byte",
  wrap: "provisions the TA, which is done once in a machine's life; unwrap asks OP-TEE's",
};
