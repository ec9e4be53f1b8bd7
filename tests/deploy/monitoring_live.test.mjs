// SPDX-License-Identifier: Apache-2.0
// A real Prometheus scrapes two real relays: one that works, with a chain, a bundler and load, and
// one in trouble. Every query of the dashboard and every part of every rule must give numbers.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";

import { http } from "viem";
import { createBundlerClient, createPaymasterClient } from "viem/account-abstraction";

import { chainAt, publicClient, startEnvironment } from "../e2e/support/network.mjs";
import { makeOperation, NO_OP, params7677, simpleAccount, without }
  from "../e2e/support/operations.mjs";
import { freePort, sleep, until, workspace } from "../e2e/support/processes.mjs";
import { CHAIN_ID, cli, cliJson, ENTRY_POINT, KEY_ID, startRelay, writeConfig }
  from "../e2e/support/relay.mjs";
import { Upstream } from "../e2e/support/upstream.mjs";
import {
  operands,
  promtool,
  queriesOf,
  readDashboard,
  readRules,
  startPrometheus,
  withVariables,
} from "./support/prometheus.mjs";

const TIMEOUT = { timeout: 85_000 };
const BUDGET = 30;
const IN_A_BATCH = 24;
/** Long enough for several scrapes, short enough to be full of load when the queries are asked. */
const RATES_OVER = "15s";
const CHECKPOINT_EVERY = 64;
/** A few scrapes, and evaluations of what was scraped. */
const SETTLING_MS = 3000;

// ---- the relays ------------------------------------------------------------------

const PERFORMANCE = { "optee_kms.security": { audit_checkpoint_interval: CHECKPOINT_EVERY } };

/** The operator's file for the troubled relay: a handful of operations a day. */
function smallBudget(paymaster) {
  const path = join(workspace, "policy.toml");
  const policy = {
    chain_ids: [CHAIN_ID],
    entry_points: [ENTRY_POINT],
    paymasters: [paymaster],
    max_validity: "1h",
    max_cost: "0.05 eth",
    window: "1d",
    budget: "1 eth",
    operations: BUDGET,
  };
  const lines = Object.entries(policy).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  writeFileSync(path, lines.join(""));
  return path;
}

/** A bundler that answers its health check, refuses operations, and hangs up on estimates. */
const badBundler = () =>
  new Upstream({
    eth_supportedEntryPoints: { result: [ENTRY_POINT] },
    eth_getUserOperationReceipt: { result: null },
    eth_sendUserOperation: { error: { code: -32500, message: "not today" } },
    eth_estimateUserOperationGas: (_params, response) => {
      response.destroy();
    },
  }).open();

/** A relay with a key that the contract does not know, and a budget that does not last. */
async function startTroubled(network) {
  const bundler = await badBundler();
  const operator = join(workspace, "operator");
  const [rpc, api] = [await freePort(), await freePort()];
  const config = writeConfig({
    ...PERFORMANCE,
    // ports of its own, so that it is the same instance after a restart
    node: {
      http_api: `127.0.0.1:${rpc}`,
      node_http: network.node_url,
      bundler_url: bundler.url,
      chain_id: CHAIN_ID,
    },
    api: { listen: `127.0.0.1:${api}` },
    paymaster_relay: { paymaster: network.paymaster },
    simulator: { store: join(workspace, "troubled") },
  });
  const run = (...words) => cliJson([...words, "--config", config]);
  await cliJson(["operator", "keygen", "--out", operator]);
  await run("provision", "--operator-key", operator, "--development");
  await run("keys", "generate", KEY_ID);
  await run("policy", "set", KEY_ID, "--file", smallBudget(network.paymaster), "--version", "1",
    "--operator-key", operator);
  return startRelay(config);
}

// ---- load --------------------------------------------------------------------------

const ACCOUNT = {
  address: "0x1234567890123456789012345678901234567890",
  getFactoryArgs: async () => ({}),
  getNonce: async () => 7n,
  encodeCalls: async () => `0x${"ab".repeat(100)}`,
};
const OPERATION = await makeOperation(ACCOUNT, { signature: "0x" });

const post = async (relay, body) =>
  (await fetch(relay.url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  })).json();

const request = (method, params, id = 1) => ({ jsonrpc: "2.0", id, method, params });
const sponsoring = (over = {}) =>
  request("pm_getPaymasterData", params7677({ ...OPERATION, ...over }));
let nonce = 0n;

/** One of each thing that clients do, well or badly. */
const MIXED = [
  sponsoring({ maxFeePerGas: 10n ** 15n }),
  sponsoring({ preVerificationGas: 10n ** 9n }),
  request("pm_getPaymasterData", params7677(without(OPERATION, "callGasLimit"))),
  request("pm_getPaymasterStubData", params7677(OPERATION)),
  request("pm_sponsorUserOperation", [params7677(OPERATION)[0], ENTRY_POINT, {}]),
  request("eth_chainId", []),
  request("eth_supportedEntryPoints", []),
  request("eth_getUserOperationReceipt", [`0x${"5e".repeat(32)}`]),
  request("eth_estimateUserOperationGas", [params7677(OPERATION)[0], ENTRY_POINT]),
  request("eth_sendUserOperation", [params7677(OPERATION)[0], ENTRY_POINT]),
  request("eth_blockNumber", []),
  request("eth_call", [{ to: ENTRY_POINT, data: "0xdeadbeef" }, "latest"]),
  request("anything_else", []),
];

async function loadOnce(relay) {
  const batch = Array.from({ length: IN_A_BATCH }, () => sponsoring({ nonce: nonce++ }));
  await Promise.all([
    post(relay, batch),
    post(relay, MIXED),
    fetch(`${relay.url}/nothing`),
    fetch(`${relay.url}/ready`),
    fetch(`${relay.apiUrl}/live`),
  ].map((each) => each.then((response) => response.arrayBuffer?.())));
}

/** Load until end() is called, of several clients at once. The first that gets no answer ends. */
function underLoad(relay, clients) {
  const load = { going: true, errors: [] };
  const client = async () => {
    while (load.going) {
      await loadOnce(relay);
      await sleep(50);
    }
  };
  const all = Array.from({ length: clients }, () =>
    client().catch((error) => load.errors.push(error)),
  );
  load.end = () => {
    load.going = false;
    return Promise.all(all);
  };
  return load;
}

/** An operation that a wallet has sponsored, sent and mined: the deposit falls. */
async function sendOperation({ relay, network }) {
  const client = publicClient(relay.url);
  const wallet = createBundlerClient({
    account: await simpleAccount(client, network.factory),
    client,
    chain: chainAt(relay.url),
    transport: http(relay.url),
    paymaster: createPaymasterClient({ transport: http(relay.url) }),
    pollingInterval: 100,
  });
  const hash = await wallet.sendUserOperation({ calls: [NO_OP] });
  return wallet.waitForUserOperationReceipt({ hash, timeout: 20_000 });
}

// ---- the whole ----------------------------------------------------------------------

const environment = await startEnvironment({ bundler: true, sections: PERFORMANCE });
const healthy = environment.relay;
let troubled = await startTroubled(environment.network);
const instances = [healthy, troubled].map(({ apiPort }) => `127.0.0.1:${apiPort}`);
const prometheus = await startPrometheus(instances);
const loads = [underLoad(healthy, 2), underLoad(troubled, 1)];

const scraped = (query) => until(query, async () => (await prometheus.query(query)).length > 0, {
  within: 20_000,
  every: 250,
});
const rate = (decision, more = "") =>
  `rate(superrelay_sponsorship_decisions_total{decision="${decision}"${more}}[10s]) > 0`;

/** The relay in trouble is restarted, and loses its key. */
async function worsen() {
  await loads.pop().end();
  await troubled.stop();
  troubled = await startRelay(troubled.config);
  loads.push(underLoad(troubled, 1));
  assert.equal((await cli(["keys", "delete", KEY_ID, "--config", troubled.config])).status, 0);
}

before(async () => {
  await scraped(rate("sponsored"));
  await scraped(rate("refused", ',reason="budget"'));
  // two that fall into two scrapes: the deposit falls, and has a slope
  await sendOperation(environment);
  // after each of these the Trusted Application of the simulator begins anew
  for (let i = 0; i < 4; i++) {
    const { status } = await cli(["audit", "checkpoint", "--config", healthy.config]);
    assert.equal(status, 0);
    await sleep(1000);
  }
  await sendOperation(environment);
  // last, since a restart is seen for a minute only
  await worsen();
  await scraped(rate("failed"));
  await scraped('ALERTS{alertname="SuperRelayBudgetExhausted",alertstate="firing"}');
  await scraped('ALERTS{alertname="SuperRelayTaRestarting",alertstate="firing"}');
  await scraped('ALERTS{alertname="SuperRelayKeyWrong"}');
  await sleep(SETTLING_MS);
}, TIMEOUT);


/** What is wrong with a query's answer: "" when it is numbers. */
async function trouble(query) {
  const samples = await prometheus.query(query);
  if (samples.length === 0) return `no data: ${query}`;
  const odd = samples.filter(({ value }) => !Number.isFinite(value));
  return odd.length ? `${JSON.stringify(odd.slice(0, 3))}: ${query}` : "";
}

const troubles = async (queries) => (await Promise.all(queries.map(trouble))).filter(Boolean);

describe("the metrics of a relay under load", TIMEOUT, () => {
  test("are what Prometheus' own check wants them to be", async () => {
    for (const relay of [healthy, troubled]) {
      const input = await (await fetch(`${relay.apiUrl}/metrics`)).text();
      const { status, stdout, stderr } = await promtool(["check", "metrics"], { input });
      assert.equal(status, 0, stdout + stderr);
      assert.equal(stdout + stderr, "");
    }
  });

  test("are scraped without an error, within the interval", async () => {
    const { activeTargets } = await prometheus.ask("targets");
    const scraping = activeTargets.map(({ labels }) => labels.instance);
    assert.deepEqual(scraping.toSorted(), instances.toSorted());
    for (const { health, lastError, lastScrapeDuration } of activeTargets) {
      assert.equal(health, "up", lastError);
      assert.ok(lastScrapeDuration < 1, `${lastScrapeDuration} s`);
    }
  });
});

describe("the dashboard on a real Prometheus", TIMEOUT, () => {
  const dashboard = readDashboard();
  const queries = queriesOf(dashboard);

  test("gets numbers for every query", async () => {
    const asked = queries.map(({ expr }) => withVariables(expr, RATES_OVER));
    assert.deepEqual(await troubles(asked), []);
  });

  test("has no panel that shows nothing but zeros", async () => {
    // nothing waits for long in a simulator, and it protects nothing
    const zeros = ["Queue depth", "Rollback protection"];
    const dead = [];
    for (const { title, expr } of queries) {
      const samples = await prometheus.query(withVariables(expr, RATES_OVER));
      const alive = samples.some(({ value }) => value !== 0);
      if (!alive && !zeros.includes(title)) dead.push(`${title}: ${expr}`);
    }
    assert.deepEqual(dead, []);
  });

  test("finds jobs and instances to choose from", async () => {
    const values = async (label) =>
      prometheus.ask(`label/${label}/values`, { "match[]": "superrelay_build_info" });
    const asked = dashboard.templating.list.map(({ query }) => query.query).filter(Boolean);
    assert.deepEqual(asked, [
      "label_values(superrelay_build_info,job)",
      'label_values(superrelay_build_info{job=~"$job"},instance)',
    ]);
    assert.deepEqual(await values("job"), ["super-relay"]);
    assert.deepEqual((await values("instance")).sort(), instances.toSorted());
  });
});

describe("the rules on a real Prometheus", TIMEOUT, () => {
  const { alerts, records } = readRules();

  test("are evaluated without an error", async () => {
    const { groups } = await prometheus.ask("rules");
    const rules = groups.flatMap((group) => group.rules);
    assert.equal(rules.length, alerts.length + records.length);
    for (const { name, health, lastError } of rules)
      assert.equal(health, "ok", `${name}: ${lastError}`);
  });

  test("record numbers", async () => {
    assert.deepEqual(await troubles(records.map(({ record }) => record)), []);
  });

  test("have alerts whose every vector is there to be compared", async () => {
    assert.deepEqual(await troubles(alerts.flatMap(({ expr }) => operands(expr))), []);
  });

  test("let those alerts come that the troubled relay deserves, with their texts", async () => {
    const { alerts: active } = await prometheus.ask("alerts");
    const names = active.map(({ labels }) => labels.alertname);
    for (const name of ["SuperRelayBudgetExhausted", "SuperRelayKeyWrong",
      "SuperRelayPaymasterWrong", "SuperRelayNotReady", "SuperRelayTaRestarting"])
      assert.ok(names.includes(name), `${name} in ${names}`);
    for (const { annotations } of active)
      assert.doesNotMatch(JSON.stringify(annotations), /<error|<no value>|NaN/);
  });

  test("were asked while every client got its answers", async () => {
    await Promise.all(loads.map((load) => load.end()));
    assert.deepEqual(loads.flatMap((load) => load.errors), []);
  });

  test("leave a relay that works alone, but for what was done to it", async () => {
    const { alerts: active } = await prometheus.ask("alerts");
    const ofHealthy = active.filter(({ labels }) => labels.instance === instances[0]);
    // its TA began anew, and in its short life it has spent as one that will soon be poor
    const allowed = ["SuperRelayTaRestarting", "SuperRelayTeeErrors", "SuperRelayDepositRunsOut",
      "SuperRelayDepositRunsOutSoon"];
    assert.deepEqual(
      ofHealthy.map(({ labels }) => labels.alertname).filter((name) => !allowed.includes(name)),
      [],
    );
  });
});
