// SPDX-License-Identifier: Apache-2.0
// Ten thousand sponsorships through HTTP: no memory, session or descriptor is left behind, and
// the metrics have counted every one.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { describe, test } from "node:test";

import { makeOperation, params7677 } from "./support/operations.mjs";
import { startLoneRelay } from "./support/relay.mjs";

const TOTAL = 10_000;
const WARM_UP = 2_000;
const CLIENTS = 8;
const REFUSED = 50;
const MiB = 1024;
const POOL = 4;
/** Name, labels, value. */
const SAMPLE = /^(\w+)(\{(?:\w+="[^"\\\n]*",?)*\})? (\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

// a sanitizer keeps freed memory for a while: here not, since memory is what is measured
process.env.ASAN_OPTIONS = [
  ...(process.env.ASAN_OPTIONS?.split(":") ?? []),
  "quarantine_size_mb=0",
  "thread_local_quarantine_size_kb=0",
].join(":");

const relay = await startLoneRelay({
  "optee_kms.performance": { connection_pool_size: POOL, batch_size: 16 },
});
const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });

const account = {
  address: "0x1234567890123456789012345678901234567890",
  getFactoryArgs: async () => ({}),
  getNonce: async () => 7n,
  encodeCalls: async () => `0x${"ab".repeat(200)}`,
};
const operation = await makeOperation(account, { signature: "0x" });

/** One call over a connection that is kept: its answer. */
function ask(id, method, params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const options = { port: relay.port, host: "127.0.0.1", method: "POST", agent, headers };
    request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve(JSON.parse(text)));
    })
      .on("error", reject)
      .end(body);
  });
}

async function sponsorTimes(from, to) {
  let next = from;
  const client = async () => {
    while (next < to) {
      const id = next++;
      const params = params7677({ ...operation, nonce: BigInt(id) });
      const answer = await ask(id, "pm_getPaymasterData", params);
      assert.equal(answer.id, id);
      assert.equal(answer.result?.paymasterData.length, 2 + 258, JSON.stringify(answer));
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

function memory() {
  const status = readFileSync(`/proc/${relay.pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)[1]);
}

const descriptors = () => readdirSync(`/proc/${relay.pid}/fd`).length;

/** The metrics as a map from "name{labels}" to the value; every line must be of the format. */
async function metrics() {
  const text = await (await fetch(`${relay.apiUrl}/metrics`)).text();
  const samples = new Map();
  const types = new Map();

  assert.ok(text.endsWith("\n"));
  for (const line of text.trimEnd().split("\n")) {
    const type = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(line);
    if (type) {
      assert.ok(!types.has(type[1]), `${type[1]} is declared twice`);
      types.set(type[1], type[2]);
    } else if (!/^# HELP \w+ \S/.test(line)) {
      const sample = SAMPLE.exec(line);
      assert.ok(sample, `no sample: ${line}`);
      const family = sample[1].replace(/_(bucket|sum|count)$/, "");
      assert.ok(types.has(sample[1]) || types.get(family) === "histogram", `untyped: ${line}`);
      const key = sample[1] + (sample[2] ?? "");
      assert.ok(!samples.has(key), `twice: ${key}`);
      samples.set(key, Number(sample[3]));
    }
  }
  return { samples, types };
}

describe("ten thousand sponsorships", { timeout: 120_000 }, () => {
  const before = {};

  test("are all answered", async () => {
    await sponsorTimes(0, WARM_UP);
    before.memory = memory();
    before.descriptors = descriptors();
    await sponsorTimes(WARM_UP, TOTAL);
  });

  test("do not make the relay grow", () => {
    const grown = memory() - before.memory;

    assert.ok(grown < 2 * MiB, `${grown} KiB more than after ${WARM_UP}`);
    assert.equal(descriptors(), before.descriptors);
  });

  test("and some that are refused are counted, each once", async () => {
    for (let id = 0; id < REFUSED; id++)
      assert.equal((await ask(id, "pm_getPaymasterData", [])).error.code, -32602);
    const { samples } = await metrics();
    const of = (name) => samples.get(name);
    const commands = of(
      'superrelay_optee_operations_total{operation="sign_sponsorship",result="ok"}',
    );

    assert.equal(of('superrelay_optee_key_operations_total{operation="sign",result="ok"}'), TOTAL);
    assert.equal(of('superrelay_optee_key_operations_total{operation="sign",result="error"}'), 0);
    assert.equal(
      of('superrelay_rpc_requests_total{method="pm_getPaymasterData",result="ok"}'),
      TOTAL,
    );
    assert.equal(
      of('superrelay_rpc_requests_total{method="pm_getPaymasterData",result="error"}'),
      REFUSED,
    );
    // batches: at least one for sixteen, at most one for each
    assert.ok(commands >= TOTAL / 16 && commands <= TOTAL, `${commands} commands`);
    assert.equal(
      of('superrelay_optee_operation_duration_seconds_count{operation="sign_sponsorship"}'),
      commands,
    );
  });

  test("leave no session open beyond the pool", async () => {
    const { samples } = await metrics();
    const open = samples.get("superrelay_optee_sessions_active");

    assert.ok(open >= 1 && open <= POOL, `${open} sessions`);
    assert.equal(samples.get("superrelay_optee_queue_depth"), 0);
  });
});

describe("/metrics", { timeout: 30_000 }, () => {
  test("has the five of the plan, each of its type", async () => {
    const { types } = await metrics();

    assert.equal(types.get("superrelay_optee_operations_total"), "counter");
    assert.equal(types.get("superrelay_optee_operation_duration_seconds"), "histogram");
    assert.equal(types.get("superrelay_optee_sessions_active"), "gauge");
    assert.equal(types.get("superrelay_optee_errors_total"), "counter");
    assert.equal(types.get("superrelay_optee_key_operations_total"), "counter");
  });

  test("has histograms that add up", async () => {
    const { samples } = await metrics();
    const name = "superrelay_optee_operation_duration_seconds";
    const buckets = [...samples].filter(([key]) =>
      key.startsWith(`${name}_bucket{operation="sign_sponsorship"`),
    );
    const values = buckets.map(([, value]) => value);

    assert.ok(buckets.length > 5);
    assert.deepEqual(values, [...values].sort((a, b) => a - b));
    assert.match(buckets.at(-1)[0], /le="\+Inf"/);
    assert.equal(values.at(-1), samples.get(`${name}_count{operation="sign_sponsorship"}`));
    assert.ok(samples.get(`${name}_sum{operation="sign_sponsorship"}`) > 0);
  });

  test("counts methods under their names, and unknown ones under one", async () => {
    const unknown = 'superrelay_rpc_requests_total{method="unknown",result="error"}';
    const { samples: first } = await metrics();
    for (const method of ["nope", "nope2", 'evil"} 1\n'.repeat(3)]) await ask(1, method, []);
    const { samples: second } = await metrics();

    assert.equal(second.get(unknown) - (first.get(unknown) ?? 0), 3);
    assert.ok(![...second.keys()].some((key) => key.includes("nope")));
  });
});
