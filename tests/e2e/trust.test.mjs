// SPDX-License-Identifier: Apache-2.0
// What an operator says to a TEE, what a TEE says of itself, and what happens when it is not the
// one that it was: provisioning, policies, attestation, pins, storage and logs that are put back.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { privateKeyToAccount } from "viem/accounts";

import { scrape } from "./support/metrics.mjs";
import { SENDER } from "./support/operations.mjs";
import { workspace } from "./support/processes.mjs";
import {
  CHAIN_ID,
  cli,
  cliJson,
  ENTRY_POINT,
  failure,
  KEY_ID,
  result,
  startRelay,
  writeConfig,
} from "./support/relay.mjs";

const TIMEOUT = { timeout: 120_000 };
const PAYMASTER = "0x00000000000000000000000000000000000000a1";
const REFUSED = -32501;
const VALIDITY = 600;

let counter = 0;
const path = (name) => join(workspace, `${name}-${counter++}`);

/** A TEE of the test's own: its configuration, and where it keeps what. */
function newTee(sections = {}) {
  const store = path("tee");
  const config = writeConfig({
    ...sections,
    node: { chain_id: CHAIN_ID, ...sections.node },
    paymaster_relay: { validity: VALIDITY, ...sections.paymaster_relay },
    simulator: { store },
  });
  const log = `${store}-audit.jsonl`;
  return { config, store, log, pins: `${log}.pins` };
}

const run = ({ config }, words, options) => cli([...words, "--config", config], options);
const json = ({ config }, words, options) => cliJson([...words, "--config", config], options);

async function refused(tee, words, pattern) {
  const { status, stdout, stderr } = await run(tee, words);
  assert.equal(status, 1, `${words.join(" ")}: ${stdout}${stderr}`);
  assert.match(stderr, pattern);
}

async function newOperator() {
  const key = path("operator");
  const { publicKey } = await cliJson(["operator", "keygen", "--out", key]);
  return { key, publicKey };
}

/** A provisioned TEE with a paymaster's key, and the operator of it. */
async function newProvisioned(flags = ["--development"], sections = {}) {
  const tee = newTee(sections);
  const operator = await newOperator();
  await json(tee, ["provision", "--operator-key", operator.key, ...flags]);
  const made = await json(tee, ["keys", "generate", KEY_ID]);
  return { tee, operator, key: made };
}

const quote = (value) => JSON.stringify(value);

function policyFile(over = {}) {
  const file = path("policy");
  const whole = {
    chain_ids: [CHAIN_ID],
    entry_points: [ENTRY_POINT],
    paymasters: [PAYMASTER],
    max_validity: "15m",
    max_cost: "0.05 eth",
    window: "1d",
    budget: "1 eth",
    operations: 1000,
    ...over,
  };
  writeFileSync(file, Object.entries(whole).map(([k, v]) => `${k} = ${quote(v)}\n`).join(""));
  return file;
}

const setPolicy = ({ tee, operator }, file, version) =>
  json(tee, ["policy", "set", KEY_ID, "--file", file, "--version", String(version),
    "--operator-key", operator.key]);

const OPERATION = [
  {
    sender: SENDER,
    nonce: "0x1",
    callData: "0x",
    callGasLimit: "0x186a0",
    verificationGasLimit: "0x186a0",
    preVerificationGas: "0xc350",
    maxFeePerGas: "0x3b9aca00",
    maxPriorityFeePerGas: "0x3b9aca00",
    signature: "0x",
  },
  ENTRY_POINT,
  `0x${CHAIN_ID.toString(16)}`,
  {},
];
const sponsor = (relay) => result(relay, "pm_getPaymasterData", OPERATION);
const sponsorFails = (relay) => failure(relay, "pm_getPaymasterData", OPERATION);

/** What the relay says when it does not start. */
async function failsToStart({ config }, pattern) {
  const { status, stderr } = await cli(["node", "--config", config, "--paymaster-relay"]);
  assert.equal(status, 1, stderr);
  assert.match(stderr, pattern);
}

describe("an operator's key", TIMEOUT, () => {
  test("is for its owner alone, is never shown, and never replaced", async () => {
    const file = path("key");
    const { stdout, stderr } = await cli(["operator", "keygen", "--out", file]);
    const seed = readFileSync(file, "utf8").trim();

    assert.match(seed, /^[0-9a-f]{64}$/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.ok(!(stdout + stderr).includes(seed));
    assert.ok(stdout.includes(readFileSync(`${file}.pub`, "utf8").trim()));
    assert.equal((await cli(["operator", "keygen", "--out", file])).status, 1);
    assert.equal(readFileSync(file, "utf8").trim(), seed);
  });

  test("that others can read is not used", async () => {
    const file = path("open-key");
    writeFileSync(file, "11".repeat(32), { mode: 0o644 });
    const words = ["operator", "sign", "provision", "--key", file, "--development"];
    const { status, stderr } = await cli([...words, "--out", path("no")]);

    assert.equal(status, 1);
    assert.match(stderr, /only its owner may read/);
  });
});

describe("provisioning", TIMEOUT, () => {
  test("takes what was signed apart from the TEE, once, and nothing else", async () => {
    const tee = newTee();
    const { key, publicKey } = await newOperator();
    const other = await newOperator();
    const signature = path("signature");
    const words = ["provision", "--operator", publicKey, "--signature", signature];
    await cliJson(["operator", "sign", "provision", "--key", key, "--out", signature,
      "--development"]);

    // other flags, another operator: other statements
    await refused(tee, [...words, "--development", "--force-audit"], /another statement/);
    await refused(tee, ["provision", "--operator", other.publicKey, "--signature", signature,
      "--development"], /another statement/);
    assert.deepEqual(await json(tee, [...words, "--development"]), {
      provisioned: true,
      operator: publicKey,
    });
    await refused(tee, [...words, "--development"], /provisioned already/);
    await refused(tee, ["provision", "--operator-key", other.key, "--development"],
      /provisioned already/);
  });

  test("for a group leaves out who is not in it", async () => {
    const tee = newTee();
    const { key } = await newOperator();
    await json(tee, ["provision", "--operator-key", key, "--group", "4242"]);

    await refused(tee, ["keys", "generate", KEY_ID], /denies/);
    await refused(tee, ["keys", "list"], /denies/);
  });

  test("for nobody at all is refused before it is too late", async () => {
    const { key } = await newOperator();

    await refused(newTee(), ["provision", "--operator-key", key], /nobody could call/);
  });
});

describe("a policy", TIMEOUT, () => {
  test("is needed to sign once the TEE is provisioned, and then bounds what is signed", async () => {
    const all = await newProvisioned();
    const relay = await startRelay(all.tee.config);

    assert.equal((await sponsorFails(relay)).code, REFUSED);
    const decided = async (labels) =>
      (await scrape(relay)).value("superrelay_sponsorship_decisions_total", labels);
    assert.equal(await decided({ decision: "refused", reason: "key_policy" }), 1);
    await setPolicy(all, policyFile({ operations: 2 }), 1);
    assert.match((await sponsor(relay)).paymasterData, /^0x[0-9a-f]{258}$/);
    await sponsor(relay);
    const used = await sponsorFails(relay);
    assert.equal(used.code, REFUSED);
    assert.match(used.message, /budget in the TEE is used up/);
    assert.equal(await decided({ decision: "refused", reason: "budget" }), 1);
    assert.equal(await decided({ decision: "sponsored", reason: "ok" }), 2);
    // a restart gives nothing back
    await relay.stop();
    const again = await startRelay(all.tee.config);
    assert.match((await sponsorFails(again)).message, /used up/);
    await setPolicy(all, policyFile({ operations: 3 }), 2);
    await sponsor(again);
    const shown = await json(all.tee, ["policy", "show", KEY_ID]);
    assert.equal(shown.version, 2);
    assert.equal(shown.operations, 3);
    await again.stop();
  });

  const tight = {
    "another chain": { chain_ids: [1] },
    "another EntryPoint": { entry_points: [PAYMASTER] },
    "another paymaster": { paymasters: [ENTRY_POINT] },
    "a shorter validity": { max_validity: VALIDITY - 1 },
    "a lower cost": { max_cost: "1 gwei" },
    "a smaller budget": { budget: "1 gwei" },
  };

  for (const [what, over] of Object.entries(tight)) {
    test(`that allows ${what} refuses`, async () => {
      const all = await newProvisioned();
      await setPolicy(all, policyFile(over), 1);
      const relay = await startRelay(all.tee.config);

      const error = await sponsorFails(relay);
      assert.equal(error.code, REFUSED, error.message);
      await relay.stop();
    });
  }

  test("is the operator's, for one key, and never an older one", async () => {
    const all = await newProvisioned();
    const stranger = await newOperator();
    const file = policyFile();
    const signature = path("signature");
    const set = ["policy", "set", KEY_ID, "--file", file, "--version"];
    const sign = ["operator", "sign", "policy", KEY_ID, "--file", file, "--public-key",
      all.key.publicKey, "--version"];

    await refused(all.tee, [...set, "1", "--operator-key", stranger.key], /not the operator's/);
    await cliJson([...sign, "3", "--key", all.operator.key, "--out", signature]);
    await refused(all.tee, [...set, "4", "--signature", signature], /another statement/);
    await json(all.tee, [...set, "3", "--signature", signature]);
    await refused(all.tee, [...set, "3", "--signature", signature], /this version or a higher/);
    // the same id, another key: the old signature says nothing of it
    await json(all.tee, ["keys", "delete", KEY_ID]);
    await json(all.tee, ["keys", "generate", KEY_ID]);
    await refused(all.tee, [...set, "3", "--signature", signature], /another statement/);
  });

  test("is shown as it can be given again", async () => {
    const all = await newProvisioned();
    const file = policyFile({ max_cost: "1.5 gwei", max_validity: 61, force_audit: true });
    await setPolicy(all, file, 1);
    const shown = await json(all.tee, ["policy", "show", KEY_ID]);
    const again = path("again");
    writeFileSync(again, shown.toml);

    const { policy } = await cliJson(["policy", "encode", file]);
    assert.equal(shown.policy, policy);
    assert.equal((await cliJson(["policy", "encode", again])).policy, policy);
    const { digest } = await cliJson(["policy", "digest", file]);
    const bytes = Buffer.from(policy.slice(2), "hex");
    assert.equal(digest, `0x${createHash("sha256").update(bytes).digest("hex")}`);
    assert.equal(shown.digest, digest);
  });
});

describe("a TEE that forces the audit", TIMEOUT, () => {
  test("does nothing for a host where no log is kept", async () => {
    const { tee, operator } = await newProvisioned(["--development", "--force-audit"]);
    await setPolicy({ tee, operator }, policyFile(), 1);
    const without = writeConfig({
      node: { chain_id: CHAIN_ID },
      simulator: { store: tee.store },
      "optee_kms.security": { audit_logging: false },
    });

    await refused({ config: without }, ["keys", "generate", "no"], /keeps its audit log/);
    const silent = await startRelay(without);
    assert.match((await sponsorFails(silent)).message, /keeps its audit log/);
    await silent.stop();
    const relay = await startRelay(tee.config);
    await sponsor(relay);
    await relay.stop();
    rmSync(tee.log);
    await failsToStart(tee, /the audit log is older than the TEE's storage/);
  });
});

describe("an attestation", TIMEOUT, () => {
  test("names the key, where it comes from, its policy, and the nonce that was asked with", async () => {
    const all = await newProvisioned();
    await setPolicy(all, policyFile(), 5);
    const file = path("attestation");
    const pin = path("pin");
    const nonce = "ab".repeat(32);
    await run(all.tee, ["attest", KEY_ID, "--nonce", nonce, "--out", file]);
    const verify = ["attest", "verify", file, "--nonce", nonce];
    const said = await cliJson([...verify, "--pin", pin]);

    assert.equal(said.trust, "first-use");
    assert.equal(said.id, KEY_ID);
    assert.equal(said.publicKey, all.key.publicKey);
    assert.equal(said.origin, "generated");
    assert.equal(said.operator, all.operator.publicKey);
    assert.equal(said.policyVersion, 5);
    assert.equal(said.policyDigest, (await json(all.tee, ["policy", "show", KEY_ID])).digest);
    assert.equal((await cliJson([...verify, "--pin", pin])).trust, "pin");
    assert.equal((await cliJson([...verify, "--key", said.attestationKey])).trust, "key");
    // another TEE under the same pin, another nonce, and a changed statement
    const other = path("attestation");
    await run((await newProvisioned()).tee, ["attest", "--nonce", nonce, "--out", other]);
    for (const [words, pattern] of [
      [["attest", "verify", other, "--pin", pin], /not what it was when it was first seen/],
      [["attest", "verify", file, "--pin", pin, "--nonce", "00".repeat(32)], /another nonce/],
      [["attest", "verify", file, "--key", `0x04${"11".repeat(64)}`], /another key/],
    ]) {
      const { status, stderr } = await cli(words);
      assert.equal(status, 1, words.join(" "));
      assert.match(stderr, pattern);
    }
    const changed = JSON.parse(readFileSync(file, "utf8"));
    changed.statement = changed.statement.replace(/.$/, (c) => (c === "0" ? "1" : "0"));
    writeFileSync(other, JSON.stringify(changed));
    assert.match((await cli(["attest", "verify", other, "--pin", pin])).stderr, /not the attest/);
  });

  test("by a key that nobody knows is not called verified", async () => {
    const { status, stderr } = await cli(["attest", "verify", "any"]);

    assert.equal(status, 2);
    assert.match(stderr, /--key HEX, --pin FILE or --platform-key/);
  });

  test("has no platform's evidence in the simulator, and says so", async () => {
    await refused(newTee(), ["attest", "--platform"], /NOT_SUPPORTED|no evidence|not supported/i);
  });
});

describe("a key that is not the one that it was", TIMEOUT, () => {
  test("or that is missing stops the service, and none is made", async () => {
    const tee = newTee();
    const made = await json(tee, ["keys", "generate", KEY_ID]);
    await (await startRelay(tee.config)).stop();

    await json(tee, ["keys", "delete", KEY_ID]);
    await failsToStart(tee, /has been in this TEE and is missing/);
    assert.deepEqual(await json(tee, ["keys", "list"]), { keys: [] });
    await json(tee, ["keys", "generate", KEY_ID]);
    await failsToStart(tee, /not what it was when it was first seen/);
    rmSync(tee.pins);
    await (await startRelay(tee.config)).stop();
    assert.notEqual((await json(tee, ["keys", "show", KEY_ID])).address, made.address);
  });

  test("is told by the configuration, too, by its address or its public key", async () => {
    const tee = newTee();
    const { address, publicKey } = await json(tee, ["keys", "generate", KEY_ID]);
    const config = (pin) =>
      writeConfig({
        node: { chain_id: CHAIN_ID },
        simulator: { store: tee.store },
        "optee_kms.keys": { primary_paymaster: KEY_ID, primary_paymaster_public_key: pin },
      });

    for (const pin of [address, publicKey]) await (await startRelay(config(pin))).stop();
    await failsToStart({ config: config(PAYMASTER) }, /not the one that .* names/);
  });

  test("was imported in the clear, and does not sign on mainnet", async () => {
    const secret = `0x${"77".repeat(32)}`;
    const tee = newTee({ node: { chain_id: 1, allow_simulator_on_mainnet: true } });
    const { address } = await json(tee, ["keys", "import", KEY_ID], { input: secret });

    assert.equal(address, privateKeyToAccount(secret).address);
    await failsToStart(tee, /imported-plain.*refused on mainnet/);
  });
});

describe("what is put back", TIMEOUT, () => {
  test("of the storage is noticed by the log, and goes on when the operator says so", async () => {
    const { tee, operator } = await newProvisioned();
    const copy = path("copy");
    const signature = path("signature");
    cpSync(tee.store, copy, { recursive: true });
    await json(tee, ["keys", "generate", "later"]);
    rmSync(tee.store, { recursive: true });
    cpSync(copy, tee.store, { recursive: true });

    await failsToStart(tee, /the TEE's storage is older than the audit log/);
    await refused(tee, ["keys", "generate", "no"], /operator sign begin/);
    // a signature for another state is none
    const stranger = await newOperator();
    await run(tee, ["operator", "sign", "begin", "--key", stranger.key, "--out", signature]);
    await refused(tee, ["audit", "accept", "--signature", signature], /operator/);
    rmSync(signature);
    const request = path("request");
    await run(tee, ["operator", "begin-request", "--out", request]);
    await cliJson(["operator", "sign", "begin", "--request", request, "--key", operator.key,
      "--out", signature]);
    const accepted = await run(tee, ["audit", "accept", "--signature", signature]);
    assert.equal(accepted.status, 0, accepted.stderr);
    await json(tee, ["keys", "generate", "goes-on"]);
    await (await startRelay(tee.config)).stop();
  });

  test("of the log is noticed by the TEE", async () => {
    const { tee } = await newProvisioned();
    const old = readFileSync(tee.log);
    await json(tee, ["keys", "generate", "later"]);
    writeFileSync(tee.log, old);

    await failsToStart(tee, /the audit log is older than the TEE's storage/);
    await refused(tee, ["keys", "generate", "no"], /audit log is older/);
    // reading goes on: the operator has to see what is there
    assert.equal((await json(tee, ["keys", "list"])).keys.length, 2);
  });

  test("under a running relay stops it: it is not ready, and sponsors nothing", async () => {
    const { tee } = await newProvisioned();
    const old = readFileSync(tee.log);
    const all = { tee, operator: await newOperator() };
    const relay = await startRelay(tee.config);
    await json(all.tee, ["keys", "generate", "later"]);
    writeFileSync(tee.log, old);

    const error = await sponsorFails(relay);
    assert.match(error.message, /audit log/);
    const { checks } = await (await fetch(`${relay.url}/health`)).json();
    assert.ok(checks.tee.ok || /audit/.test(checks.tee.error));
    const deadline = Date.now() + 10_000;
    let status = 200;
    let report = {};
    while (Date.now() < deadline && report.checks?.tee?.ok !== false) {
      const response = await fetch(`${relay.url}/ready`);
      status = response.status;
      report = await response.json();
      await new Promise((done) => setTimeout(done, 100));
    }
    assert.equal(status, 503);
    assert.match(report.checks.tee.error, /audit log/);
    await relay.stop();
  });
});

describe("the protection of the storage", TIMEOUT, () => {
  test("that is asked for and not there keeps the relay from starting", async () => {
    const tee = newTee({ "optee_kms.security": { require_rollback_protection: 1000 } });
    await json(tee, ["keys", "generate", KEY_ID]);

    await failsToStart(tee, /rollback protection 0.*asks for 1000/);
  });
});
