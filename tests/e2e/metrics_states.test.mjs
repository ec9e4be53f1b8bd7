// SPDX-License-Identifier: Apache-2.0
// What /metrics says of the parts behind the relay while they fail, one after the other, and that
// docs/metrics.md lists what stands there, no less and no more.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { added, readDocument, scrape } from "./support/metrics.mjs";
import { makeOperation, params7677, toRpc, without } from "./support/operations.mjs";
import { sleep, until } from "./support/processes.mjs";
import {
  call,
  cliJson,
  ENTRY_POINT,
  makeKey,
  startRelay,
  writeConfig,
} from "./support/relay.mjs";
import { Upstream } from "./support/upstream.mjs";

const WITHIN = { within: 20_000 };
const UP = "superrelay_component_up";
const UPSTREAM = "superrelay_upstream_requests_total";
const DECISIONS = "superrelay_sponsorship_decisions_total";
const CONTRACT = "0x00000000000000000000000000000000000000A1";
const ESTIMATE = {
  callGasLimit: "0x11111",
  verificationGasLimit: "0x22222",
  preVerificationGas: "0x3333",
};

const { store, address } = await makeKey();
const word = (value) => `0x${value.toString(16).padStart(64, "0")}`;

// what the node says now; a test changes a part and puts it back
const world = { chain: "0x7a69", deposit: 1_500_000_000_000_000_000n, signer: address };
const answers = {
  "0x70a08231": () => word(world.deposit),
  "0x23d9ac9b": () => word(BigInt(world.signer)),
  "0xb0d691fe": () => word(BigInt(ENTRY_POINT)),
};
const healthy = {
  eth_chainId: () => ({ result: world.chain }),
  eth_call: ([{ data }]) => ({ result: answers[data.slice(0, 10)]() }),
  eth_getCode: { result: "0x" },
};
const serving = {
  eth_supportedEntryPoints: { result: [ENTRY_POINT] },
  eth_estimateUserOperationGas: { result: ESTIMATE },
};
const node = await new Upstream(healthy).open();
const bundler = await new Upstream(serving).open();
const config = writeConfig({
  node: {
    chain_id: 31337,
    node_http: node.url,
    bundler_url: bundler.url,
    node_methods: ["eth_getCode"],
  },
  paymaster_relay: { paymaster: CONTRACT },
  "optee_kms.security": { audit_checkpoint_interval: 2 },
  simulator: { store },
});
const relay = await startRelay(config);

const account = {
  address: "0x1234567890123456789012345678901234567890",
  getFactoryArgs: async () => ({}),
  getNonce: async () => 7n,
  encodeCalls: async () => "0xdeadbeef",
};
const OPERATION = params7677(await makeOperation(account, { signature: "0x12" }));
const BARE = [without(toRpc(await makeOperation(account)), "callGasLimit"), ENTRY_POINT];

/** Waits until exactly these components are down, and no other. */
const down = (...components) =>
  until(`down: ${components.join(" ") || "none"}`, async () => {
    const page = await scrape(relay);
    const zeros = page
      .samples(UP)
      .filter(({ value }) => value === 0)
      .map(({ labels }) => labels.component);
    return (
      zeros.toSorted().join() === components.toSorted().join() &&
      page.value("superrelay_ready") === (components.length ? 0 : 1) &&
      page
    );
  }, WITHIN);

describe("components", { timeout: 120_000 }, () => {
  test("are all up, and the relay ready, when all is well", async () => {
    const page = await down();

    assert.equal(page.value("superrelay_paymaster_deposit_ether"), 1.5);
    assert.deepEqual(
      page.samples(UP).map(({ labels }) => labels.component),
      readDocument().components,
    );
  });

  test("tell a node on another chain from one that does not answer", async () => {
    world.chain = "0x1";
    await down("chain");
    world.chain = "0x7a69";
    node.answers = { ...healthy, eth_chainId: (_, response) => void response.destroy() };
    const page = await down("chain", "node");
    const lost = { upstream: "node", method: "eth_chainId", result: "unavailable" };
    assert.ok(page.value(UPSTREAM, lost) > 0);
    node.answers = healthy;
    await down();
  });

  test("tell an empty deposit from a contract that is not ours", async () => {
    world.deposit = 0n;
    const empty = await down("deposit");
    assert.equal(empty.value("superrelay_paymaster_deposit_ether"), 0);
    world.deposit = 123_456_789_012_345_678_901n;
    world.signer = ENTRY_POINT;
    const foreign = await down("paymaster");
    const ether = foreign.value("superrelay_paymaster_deposit_ether");
    assert.ok(Math.abs(ether - 123.456789012) < 1e-8, `${ether}`);
    world.signer = address;
    await down();
  });

  test("have no deposit to tell of while the node does not answer", async () => {
    node.answers = {};
    const page = await down("node", "chain", "paymaster", "deposit");

    assert.deepEqual(page.samples("superrelay_paymaster_deposit_ether"), []);
    node.answers = healthy;
    await down();
  });

  test("tell a bundler that serves another EntryPoint", async () => {
    bundler.answers = { ...serving, eth_supportedEntryPoints: { result: [CONTRACT] } };
    await down("bundler");
    bundler.answers = serving;
    await down();
  });
});

describe("what comes of asking an upstream", { timeout: 60_000 }, () => {
  const sponsor = () => call(relay, "pm_sponsorUserOperation", BARE);
  const of = (result) => ({ upstream: "bundler", method: "eth_estimateUserOperationGas", result });
  const estimating = async (answer) => {
    bundler.answers = { ...serving, eth_estimateUserOperationGas: answer };
    const more = await added(relay, sponsor);
    bundler.answers = serving;
    assert.equal(more(DECISIONS), 1);
    return more;
  };

  test("is ok, and the operation sponsored", async () => {
    const more = await estimating({ result: ESTIMATE });

    assert.equal(more(UPSTREAM, of("ok")), 1);
    assert.equal(more(DECISIONS, { decision: "sponsored" }), 1);
  });

  test("is an error of its own, and the operation refused", async () => {
    const more = await estimating({ error: { code: -32500, message: "AA13" } });

    assert.equal(more(UPSTREAM, of("error")), 1);
    assert.equal(more(DECISIONS, { decision: "refused", reason: "estimate" }), 1);
  });

  test("is malformed, and the sponsorship failed", async () => {
    const more = await estimating((_, response) => void response.end("<html>"));

    assert.equal(more(UPSTREAM, of("malformed")), 1);
    assert.equal(more(DECISIONS, { decision: "failed", reason: "bundler" }), 1);
  });

  test("is unavailable at each of its attempts, and failed once", async () => {
    const more = await estimating((_, response) => void response.writeHead(503).end("busy"));

    assert.equal(more(UPSTREAM, of("unavailable")), 2);
    assert.equal(more(DECISIONS, { decision: "failed", reason: "bundler" }), 1);
  });

  test("is a timeout when there is no answer", async () => {
    bundler.answers = { ...serving, eth_supportedEntryPoints: () => undefined };
    const timeouts = { upstream: "bundler", method: "eth_supportedEntryPoints", result: "timeout" };
    await until(
      "the health check has given up",
      async () => (await scrape(relay)).value(UPSTREAM, timeouts) > 0,
      WITHIN,
    );
    bundler.answers = serving;
  });
});

describe("docs/metrics.md", { timeout: 60_000 }, () => {
  const document = readDocument();
  let page;

  test("lists each family with its type and labels, and no other", async () => {
    // something of everything: another process with the same store makes the TA begin anew
    for (let i = 0; i < 4; i++) await call(relay, "pm_getPaymasterData", OPERATION);
    await cliJson(["keys", "generate", "another", "--config", config]);
    await call(relay, "pm_getPaymasterData", OPERATION);
    await call(relay, "eth_getCode", [CONTRACT, "latest"]);
    await down();
    page = await scrape(relay);
    const { families } = page;

    assert.deepEqual(
      [...families.keys()].filter((name) => !document.families.some((row) => row.name === name)),
      [],
      "emitted, and not documented",
    );
    for (const row of document.families) {
      const family = families.get(row.name);
      assert.ok(family?.samples.length, `${row.name} is documented, and not emitted`);
      assert.equal(family.type, row.type, row.name);
      assert.ok(row.meaning.length > 5 && family.help.length > 5, row.name);
      for (const { labels } of family.samples) {
        const names = Object.keys(labels).filter((name) => name !== "le");
        assert.deepEqual(names, row.labels, row.name);
      }
    }
  });

  test("follows the conventions of names, units and types", () => {
    for (const { name, type } of page.families.values()) {
      assert.match(name, /^(superrelay|process)_[a-z_]+$/);
      assert.equal(name.endsWith("_total"), type === "counter", name);
      assert.doesNotMatch(name, /_(ms|us|milliseconds|kb|mb|gauge|counter|histogram)(_|$)/, name);
      assert.doesNotMatch(name, /_(count|sum|bucket)$/, name);
    }
  });

  test("lists each value of the labels whose values are fixed", () => {
    const open = ["method", "error", "version", "ta_version", "tee", "le"];
    const other = ["decision", "reason", "component"];
    const used = new Map();

    for (const family of page.families.values()) {
      for (const { labels } of family.samples) {
        for (const [label, value] of Object.entries(labels)) {
          if (open.includes(label) || other.includes(label)) continue;
          const rows = document.labels.filter((row) => row.label === label);
          const own = rows.find((one) => one.family === family.name);
          const row = own ?? rows.find((one) => !one.family);
          assert.ok(row?.values.includes(value), `${family.name} ${label}="${value}"`);
          used.set(row, (used.get(row) ?? new Set()).add(value));
        }
      }
    }
    // a relay has one backend, and answers with few of all codes
    for (const row of document.labels.filter(({ label }) => !["code", "backend"].includes(label)))
      assert.deepEqual(row.values.filter((value) => !used.get(row)?.has(value)), [], row.label);
  });

  test("lists each decision with its reason, and no other", () => {
    const emitted = page
      .samples("superrelay_sponsorship_decisions_total")
      .map(({ labels }) => [labels.decision, labels.reason]);

    assert.deepEqual(document.decisions, emitted);
  });

  test("names in its queries only what there is", () => {
    for (const [name] of document.text.matchAll(/\b(superrelay|process)_[a-z_]+\b/g)) {
      const family = name.replace(/_(bucket|sum|count)$/, "");
      assert.ok(page.families.has(name) || page.families.has(family), name);
    }
  });
});

describe("histograms", { timeout: 30_000 }, () => {
  test("rise to their count, in every scrape under load", async () => {
    let stop = false;
    const load = (async () => {
      while (!stop) {
        const ask = () => call(relay, "pm_getPaymasterData", OPERATION);
        await Promise.all(Array.from({ length: 8 }, ask));
      }
    })();
    for (let i = 0; i < 20; i++) {
      const page = await scrape(relay);
      for (const family of page.families.values()) {
        if (family.type !== "histogram") continue;
        checkHistogram(family.name, family.samples);
      }
      await sleep(20);
    }
    stop = true;
    await load;
  });
});

/** Buckets of one series stand one behind the other, rising; the last is +Inf and the count. */
function checkHistogram(name, samples) {
  let last = { value: 0, le: -1 };
  for (const { name: kind, labels, value } of samples) {
    if (kind === `${name}_bucket`) {
      const le = labels.le === "+Inf" ? Infinity : Number(labels.le);
      if (le <= last.le) last = { value: 0, le: -1 };
      assert.ok(value >= last.value, `${name} falls at ${labels.le}`);
      last = { value, le };
    } else if (kind === `${name}_count`) {
      assert.equal(last.le, Infinity, name);
      assert.equal(value, last.value, name);
    }
  }
}
