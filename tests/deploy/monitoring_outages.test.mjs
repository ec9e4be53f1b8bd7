// SPDX-License-Identifier: Apache-2.0
// What breaks is what the alerts name, and nothing else is named with it. Each outage is made, seen
// by a real Prometheus, and mended; the alerts do not wait here.
import assert from "node:assert/strict";
import { truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { pad } from "viem";

import { makeOperation, params7677 } from "../e2e/support/operations.mjs";
import { freePort, until } from "../e2e/support/processes.mjs";
import { call, CHAIN_ID, cli, ENTRY_POINT, KEY_ID, makeKey, ready, startRelay, writeConfig }
  from "../e2e/support/relay.mjs";
import { Upstream } from "../e2e/support/upstream.mjs";
import { impatientRules, startPrometheus } from "./support/prometheus.mjs";

const TIMEOUT = { timeout: 85_000 };
const TEN_ETHER = 10n ** 19n;
const STRANGER = "0x00000000000000000000000000000000000000e1";
const PAYMASTER = "0x00000000000000000000000000000000000000a1";
const OUT_OF_SERVICE = ["SuperRelayNotReady", "SuperRelayNoneReady"];
/** These look back, and so outlast what they tell of. */
const LOOKING_BACK = ["SuperRelayUpstreamErrors", "SuperRelayUpstreamSlow", "SuperRelayTeeErrors",
  "SuperRelayDepositRunsOut", "SuperRelayDepositRunsOutSoon"];

const hex = (value) => `0x${value.toString(16)}`;
const word = (value) => pad(typeof value === "bigint" ? hex(value) : value, { size: 32 });

// ---- a world that can be broken ------------------------------------------------------

/** What the chain says: its id, the paymaster's deposit, the contract's signer. */
const chain = { id: CHAIN_ID, deposit: TEN_ETHER, signer: undefined };
const SELECTORS = {
  "0x70a08231": () => word(chain.deposit),
  "0x23d9ac9b": () => word(chain.signer),
  "0xb0d691fe": () => word(ENTRY_POINT),
};
const node = await new Upstream({
  eth_chainId: () => ({ result: hex(chain.id) }),
  eth_call: ([{ data }]) => ({ result: SELECTORS[data.slice(0, 10)]() }),
}).open();
const bundler = await new Upstream({
  eth_supportedEntryPoints: { result: [ENTRY_POINT] },
}).open();
const [rpcPort, apiPort] = [await freePort(), await freePort()];

/** A relay with a key of its own, which the contract knows. All are the same instance. */
async function startKnown() {
  const { store, address } = await makeKey();
  chain.signer = address;
  const relay = await startRelay(writeConfig({
    node: {
      http_api: `127.0.0.1:${rpcPort}`,
      chain_id: CHAIN_ID,
      node_http: node.url,
      bundler_url: bundler.url,
    },
    api: { listen: `127.0.0.1:${apiPort}` },
    paymaster_relay: { paymaster: PAYMASTER },
    simulator: { store },
  }));
  await ready(relay);
  return Object.assign(relay, { log: `${store}-audit.jsonl` });
}

let relay = await startKnown();
const prometheus = await startPrometheus([`127.0.0.1:${apiPort}`], impatientRules());
const seen = new Set();

async function firing() {
  const { alerts } = await prometheus.ask("alerts");
  const now = alerts.filter(({ state }) => state === "firing");
  for (const { labels } of now) seen.add(labels.alertname);
  return now.map(({ labels }) => labels.alertname);
}

/** Waits until these alerts fire and no others, those that look back aside. */
async function onlyThese(expected) {
  let last = [];
  const wanted = expected.toSorted().join(" ");
  await until(`the alerts are: ${wanted}`, async () => {
    last = (await firing()).filter((name) => !LOOKING_BACK.includes(name));
    return last.toSorted().join(" ") === wanted;
  }, { within: 20_000, every: 250 }).catch((error) => {
    throw new Error(`${error.message}, and were: ${last.toSorted().join(" ")}`);
  });
}

/** Breaks something, expects its alerts, mends it, and expects peace. */
async function outage(breakIt, expected, mendIt) {
  await breakIt();
  await onlyThese([...expected, ...OUT_OF_SERVICE]);
  await mendIt();
  await onlyThese([]);
}

// ---- outages ----------------------------------------------------------------------------

describe("the alerts, one outage after the other", TIMEOUT, () => {
  test("are silent while all is well", async () => {
    await until("the relay is scraped", async () =>
      (await prometheus.query("instance:superrelay_ready:or_down == 1")).length === 1,
    );
    await onlyThese([]);
  });

  test("name the node that is gone, and not what could not be asked of it", async () => {
    const { port } = node;
    await outage(() => node.close(), ["SuperRelayNodeDown"], () => node.open(port));
  });

  test("name another chain", () =>
    outage(() => (chain.id = 1), ["SuperRelayChainWrong"], () => (chain.id = CHAIN_ID)));

  test("name a contract with another signer", () => {
    const { signer } = chain;
    return outage(
      () => (chain.signer = STRANGER),
      ["SuperRelayPaymasterWrong"],
      () => (chain.signer = signer),
    );
  });

  test("name the bundler that is gone", async () => {
    const { port } = bundler;
    await outage(() => bundler.close(), ["SuperRelayBundlerDown"], () => bundler.open(port));
  });

  test("name a deposit that is low before it is empty", async () => {
    chain.deposit = TEN_ETHER / 200n;
    await onlyThese(["SuperRelayDepositLow"]);
    await outage(
      () => (chain.deposit = 0n),
      ["SuperRelayDepositLow", "SuperRelayDepositEmpty"],
      () => (chain.deposit = TEN_ETHER),
    );
  });

  test("name a relay that hangs", async () => {
    process.kill(relay.pid, "SIGSTOP");
    await onlyThese(["SuperRelayDown", "SuperRelayNoneReady"]);
    process.kill(relay.pid, "SIGCONT");
    await onlyThese([]);
  });

  test("name a key that is gone", async () => {
    const { status } = await cli(["keys", "delete", KEY_ID, "--config", relay.config]);
    assert.equal(status, 0);
    await onlyThese(["SuperRelayKeyWrong", ...OUT_OF_SERVICE]);
  });

  test("name a relay that was killed, and forgive it when another takes its place", async () => {
    await relay.kill();
    await onlyThese(["SuperRelayDown", "SuperRelayNoneReady"]);
    relay = await startKnown();
    await onlyThese([]);
  });

  test("name a TEE that signs no more, since its log was cut", async () => {
    const account = {
      address: STRANGER,
      getFactoryArgs: async () => ({}),
      getNonce: async () => 7n,
      encodeCalls: async () => "0x",
    };
    const operation = params7677(await makeOperation(account, { signature: "0x" }));
    assert.ok((await call(relay, "pm_getPaymasterData", operation)).result);
    truncateSync(relay.log, 10);
    assert.ok((await call(relay, "pm_getPaymasterData", operation)).error);
    await onlyThese(["SuperRelayTeeNotAnswering", ...OUT_OF_SERVICE]);
  });

  test("have told of the rest, too, where they look back", () => {
    for (const name of ["SuperRelayUpstreamErrors", "SuperRelayDepositRunsOut",
      "SuperRelayDepositRunsOutSoon"])
      assert.ok(seen.has(name), `${name} in ${[...seen]}`);
  });
});
