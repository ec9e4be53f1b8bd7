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
  { file: "soak.test.mjs", reason: HOST_PROCESS },
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
  entropy: "has the simulator's sources stand still; entropy.test.mjs does it to OP-TEE's",
  memory: "looks through the memory of the simulated TEE",
  panic: "has the simulator panic at each call; panic.test.mjs has OP-TEE do it",
  shim: "the simulator's GlobalPlatform API, without the TA",
  store: "the simulator's store, byte by byte",
};
