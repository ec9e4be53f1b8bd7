// SPDX-License-Identifier: Apache-2.0
// What the tests of scripts/provision.sh share: a commissioning with the simulator, and an operator
// on another machine.
import { execFile } from "node:child_process";
import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { directory, root, script } from "./board.mjs";

const exec = promisify(execFile);
export const WAITING = 4;
export const binary = process.env.SUPER_RELAY_BIN ?? join(root, "build/super-relay");
export const relay = async (words) => JSON.parse((await exec(binary, [...words, "--json"])).stdout);
export const provision = (words, options = {}) =>
  script("provision.sh", words, { ...options, env: { SUPER_RELAY_BIN: binary, ...options.env } });

// ---- a commissioning with the simulator -------------------------------------------------------

export const POLICY = `chain_ids = [31337]
entry_points = ["0x0000000071727De22E5E9d8BAf0edAc6f37da032"]
paymasters = ["0x00000000000000000000000000000000000000a1"]
max_validity = "1h"
max_cost = "0.05 eth"
window = "1d"
budget = "1 eth"
operations = 1000
force_audit = true
`;
const EXECUTOR = `chain_ids = [31337]
entry_points = ["0x0000000071727De22E5E9d8BAf0edAc6f37da032"]
max_gas = 1000000
max_fee_per_gas = "100 gwei"
max_cost = "0.1 eth"
`;

/** The relay's configuration, with a simulated TEE. */
export const toml = (store, log, key = "primary") => `[node]
network = "dev"
chain_id = 31337
node_http = "http://127.0.0.1:1"
[paymaster_relay]
kms_backend = "simulator"
paymaster = "0x00000000000000000000000000000000000000a1"
[optee_kms.keys]
primary_paymaster = "${key}"
[simulator]
store = "${store}"
[optee_kms.security]
audit_logging = true
audit_log = "${log}"
`;

/** A TEE, an operator on another machine, two keys to be made, and the words for the script. */
export async function commission({ policy = POLICY } = {}) {
  const there = directory("operator");
  const here = directory("relay");
  await relay(["operator", "keygen", "--out", join(there, "operator.key")]);
  for (const [name, text] of [["primary.toml", policy], ["executor.toml", EXECUTOR]])
    for (const where of [here, there]) writeFileSync(join(where, name), text);
  const at = (name) => join(here, name);
  copyFileSync(join(there, "operator.key.pub"), at("operator.key.pub"));
  writeFileSync(at("relay.toml"), toml(at("store"), at("audit.jsonl")));
  const words = ["--operator", at("operator.key.pub"), "--config", at("relay.toml"),
    "--dir", at("dir"), "--key", "primary=sponsor", "--policy", `primary=${at("primary.toml")}`,
    "--key", "executor=transaction", "--policy", `executor=${at("executor.toml")}`];
  const run = (more = [], options) => provision(["--simulator", ...words, ...more], options);
  const ask = (question) => relay([...question, "--config", at("relay.toml")]);
  return { there, here, at, words, run, ask };
}

/** The operator does what the script has printed for him, and brings the signatures back. */
export async function sign({ there, at }, said) {
  const signed = [];
  for (const [, line] of said.matchAll(/^ {4}super-relay (operator sign .*)$/gm)) {
    const words = line.split(" ");
    await exec(binary, words, { cwd: there });
    signed.push(words.at(-1));
    copyFileSync(join(there, words.at(-1)), join(at("dir"), words.at(-1)));
  }
  for (const [, line] of said.matchAll(/^ {4}super-relay (attest verify \S+)/gm)) {
    const words = line.split(" ");
    copyFileSync(join(at("dir"), words[2]), join(there, words[2]));
    await exec(binary, [...words, "--pin", join(there, "ta.pin")], { cwd: there });
  }
  return signed;
}

/** From nothing to the record, as often as the script has to be run for it. */
export async function finish(all, options) {
  for (let i = 0; i < 4; i++) {
    const begun = existsSync(all.at("dir/plan"));
    const result = await all.run(begun ? ["--resume"] : [], options);
    if (result.status !== WAITING) return result;
    await sign(all, result.stdout);
  }
  throw new Error("it waits for signatures for ever");
}
