// SPDX-License-Identifier: Apache-2.0
// The program under test: its command line, its configuration file, its daemon.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { launch, root, run, until, workspace } from "./processes.mjs";

export const binary = resolve(process.env.SUPER_RELAY_BIN ?? join(root, "build/super-relay"));
/** Where the keys are: "optee" when the program is tests/optee/guest_relay.mjs. */
export const BACKEND = process.env.SR_TEST_BACKEND ?? "simulator";
export const KEY_ID = "paymaster-e2e";
export const CHAIN_ID = 31337;
export const ENTRY_POINT = "0x0000000071727De22E5E9d8BAf0edAc6f37da032";

// What viem and permissionless ask of a node, so that they need no other endpoint.
const NODE_METHODS = [
  "eth_call",
  "eth_getCode",
  "eth_getBalance",
  "eth_blockNumber",
  "eth_getBlockByNumber",
  "eth_maxPriorityFeePerGas",
  "eth_getTransactionReceipt",
];

/** The store of the key that lone relays of a file share. */
export const SHARED_STORE = "keys-shared";

let counter = 0;

/** super-relay, run to its end. */
export const cli = (args, options) => run(binary, args, options);

/** The same, with --json: its standard output, parsed. */
export async function cliJson(args, options) {
  const { status, stdout, stderr } = await cli([...args, "--json"], options);
  assert.equal(status, 0, `super-relay ${args.join(" ")}: ${stderr}`);
  return JSON.parse(stdout);
}

// JSON's strings, numbers, booleans and arrays of them are TOML's too.
function toToml(sections) {
  const lines = [];
  for (const [section, keys] of Object.entries(sections)) {
    lines.push(`[${section}]`);
    for (const [key, value] of Object.entries(keys)) {
      if (value !== undefined) lines.push(`${key} = ${JSON.stringify(value)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

/** Writes a configuration: ours, with the given sections over it. Returns its path. */
export function writeConfig(sections = {}) {
  const path = join(workspace, `relay-${counter++}.toml`);
  const whole = {
    node: {
      network: "dev",
      http_api: "127.0.0.1:0",
      // a port that nothing can listen on: tests that need a node give one
      node_http: "http://127.0.0.1:1",
      node_methods: NODE_METHODS,
    },
    api: { listen: "127.0.0.1:0" },
    rpc: {},
    paymaster_relay: {
      kms_backend: BACKEND,
      paymaster: "0x00000000000000000000000000000000000000a1",
    },
    "optee_kms.keys": { primary_paymaster: KEY_ID },
    simulator: { store: join(workspace, `store-${counter}`) },
  };
  for (const [section, keys] of Object.entries(sections))
    whole[section] = { ...whole[section], ...keys };
  writeFileSync(path, toToml(whole));
  return path;
}

/** A store of keys of its own, holding the paymaster's: { store, address }. */
export async function makeKey(name = `keys-${counter++}`) {
  const store = join(workspace, name);
  const config = writeConfig({ simulator: { store } });
  const { address } = await cliJson(["keys", "generate", KEY_ID, "--config", config]);
  return { store, address };
}

/** Starts the daemon and waits until it listens. files: the most that it may open. */
export async function startRelay(config, { args = ["--paymaster-relay"], env, files } = {}) {
  const limit = files ? ["prlimit", `--nofile=${files}`, "--"] : [];
  const [program, ...words] = [...limit, binary, "node", "--config", config, ...args];
  const child = launch("relay", program, words, { env });
  const listening = /JSON-RPC on \S+ port (\d+), HTTP API on \S+ port (\d+)/;
  const ports = await until("the relay listens", () => {
    const found = listening.exec(child.output());
    if (!found && !child.running) throw new Error(`the relay has ended: ${child.output()}`);
    return found;
  });
  const end = child.stop.bind(child);
  return Object.assign(child, {
    config,
    port: Number(ports[1]),
    apiPort: Number(ports[2]),
    url: `http://127.0.0.1:${ports[1]}`,
    apiUrl: `http://127.0.0.1:${ports[2]}`,
    /** SIGTERM must end it well: a leak found by a sanitizer, or a crash, is another status. */
    async stop() {
      assert.deepEqual(await end(), { status: 0, signal: null }, child.output());
    },
  });
}

let shared;
/** A key is made for each lone relay, but under OP-TEE, where that takes a second, for each file. */
const loneKey = () => (BACKEND === "optee" ? (shared ??= makeKey(SHARED_STORE)) : makeKey());

/** A relay without node and bundler, for what needs neither; options: those of startRelay. */
export async function startLoneRelay(sections = {}, options = {}) {
  const { store, address } = await loneKey();
  const config = writeConfig({
    ...sections,
    node: { chain_id: CHAIN_ID, ...sections.node },
    simulator: { store, ...sections.simulator },
  });
  return Object.assign(await startRelay(config, options), { signer: address });
}

/** Waits until /ready says so. */
export const ready = (relay) =>
  until("the relay is ready", async () => (await fetch(`${relay.url}/ready`)).status === 200, {
    within: 15_000,
  });

/** One JSON-RPC call: the whole response object. HTTP must say 200 whatever the outcome. */
export async function call(relay, method, params = [], id = 1) {
  const response = await fetch(relay.url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id, method, params }),
  });
  const answer = await response.json();
  assert.equal(response.status, 200, `${method}: HTTP ${response.status}`);
  assert.equal(answer.jsonrpc, "2.0");
  assert.equal(answer.id, id);
  return answer;
}

/** The result of a call that must succeed. */
export async function result(relay, method, params) {
  const answer = await call(relay, method, params);
  assert.equal(answer.error, undefined, `${method}: ${JSON.stringify(answer.error)}`);
  return answer.result;
}

/** The error of a call that must fail. */
export async function failure(relay, method, params) {
  const answer = await call(relay, method, params);
  assert.equal(answer.result, undefined, `${method} succeeded: ${JSON.stringify(answer.result)}`);
  return answer.error;
}
