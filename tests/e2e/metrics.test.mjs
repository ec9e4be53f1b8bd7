// SPDX-License-Identifier: Apache-2.0
// /metrics of a real relay under load: every number is the number of what was done.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { startEnvironment } from "./support/network.mjs";
import { added, scrape } from "./support/metrics.mjs";
import {
  makeOperation,
  params7677,
  simpleAccount,
  toRpc,
  without,
} from "./support/operations.mjs";
import { sleep, until } from "./support/processes.mjs";
import { call, ENTRY_POINT, failure, result, startLoneRelay } from "./support/relay.mjs";
import { Connection, exchange, post } from "./support/socket.mjs";

const SPONSORSHIPS = 120;
const CLIENTS = 24;
const DECISIONS = "superrelay_sponsorship_decisions_total";
const CALLS = "superrelay_rpc_requests_total";
const HTTP = "superrelay_http_requests_total";
const UPSTREAM = "superrelay_upstream_requests_total";
const CHAIN_ID = { jsonrpc: "2.0", id: 1, method: "eth_chainId" };

const { relay, network, node } = await startEnvironment({
  bundler: true,
  sections: {
    rpc: { max_body_bytes: 20_000, cors_origins: ["https://dapp.example"] },
    "optee_kms.security": { audit_checkpoint_interval: 16 },
  },
});
// one that nobody else is connected to
const lone = await startLoneRelay();
const account = await simpleAccount(node, network.factory);
const operation = await makeOperation(account, { signature: `0x${"12".repeat(65)}` });
const sponsor = (over = {}) =>
  call(relay, "pm_getPaymasterData", params7677({ ...operation, ...over }));

async function sponsorMany() {
  let left = SPONSORSHIPS;
  const client = async () => {
    while (left-- > 0) {
      const answer = await sponsor();
      assert.match(answer.result?.paymasterData ?? JSON.stringify(answer), /^0x[0-9a-f]{258}$/);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

describe("sponsorships", { timeout: 60_000 }, () => {
  test("are as many decisions, signatures, waits, records and calls", async () => {
    const more = await added(relay, sponsorMany);

    assert.equal(more(DECISIONS, { decision: "sponsored", reason: "ok" }), SPONSORSHIPS);
    assert.equal(more(DECISIONS), SPONSORSHIPS);
    assert.equal(more("superrelay_optee_batch_size_sum"), SPONSORSHIPS);
    assert.equal(more("superrelay_optee_queue_wait_seconds_count"), SPONSORSHIPS);
    assert.equal(more("superrelay_audit_records_total"), SPONSORSHIPS);
    assert.equal(
      more("superrelay_optee_key_operations_total", { operation: "sign", result: "ok" }),
      SPONSORSHIPS,
    );
    assert.equal(more(CALLS, { method: "pm_getPaymasterData", result: "ok" }), SPONSORSHIPS);
    assert.equal(
      more("superrelay_rpc_request_duration_seconds_count", { method: "pm_getPaymasterData" }),
      SPONSORSHIPS,
    );
    assert.equal(more(HTTP, { listener: "json_rpc", route: "/", code: "200" }), SPONSORSHIPS);
  });

  test("are signed in as many batches as commands", async () => {
    const more = await added(relay, sponsorMany);
    const batches = more("superrelay_optee_batch_size_count");

    assert.equal(
      more("superrelay_optee_operations_total", { operation: "sign_sponsorship", result: "ok" }),
      batches,
    );
    assert.ok(batches >= SPONSORSHIPS / 64 && batches <= SPONSORSHIPS, `${batches} batches`);
    assert.equal(more("superrelay_optee_batch_size_bucket", { le: "64" }), batches);
  });

  test("that are refused are told apart by their reasons", async () => {
    const refused = async () => {
      assert.equal((await call(relay, "pm_getPaymasterData", [])).error.code, -32602);
      assert.equal((await sponsor({ preVerificationGas: 10_000_000n })).error.code, -32501);
      assert.equal((await sponsor({ maxFeePerGas: 10n ** 18n })).error.code, -32501);
      assert.equal((await sponsor({ maxFeePerGas: 10n ** 17n })).error.code, -32501);
    };
    const more = await added(relay, refused);

    assert.equal(more(DECISIONS, { decision: "refused", reason: "invalid" }), 1);
    assert.equal(more(DECISIONS, { decision: "refused", reason: "gas_limit" }), 1);
    assert.equal(more(DECISIONS, { decision: "refused", reason: "cost" }), 2);
    assert.equal(more(DECISIONS), 4);
    assert.equal(more(CALLS, { method: "pm_getPaymasterData", result: "error" }), 4);
    assert.equal(more("superrelay_optee_queue_wait_seconds_count"), 0);
  });

  test("are promised by stubs that count only when they are refused", async () => {
    const stub = (over) =>
      call(relay, "pm_getPaymasterStubData", params7677({ ...operation, ...over }));
    const more = await added(relay, async () => {
      assert.equal((await stub({})).error, undefined);
      assert.equal((await stub({ preVerificationGas: 10_000_000n })).error.code, -32501);
      assert.equal((await call(relay, "pm_getPaymasterStubData", [1])).error.code, -32602);
    });

    assert.equal(more(DECISIONS, { reason: "gas_limit" }), 1);
    assert.equal(more(DECISIONS, { reason: "invalid" }), 1);
    assert.equal(more(DECISIONS), 2);
  });

  test("that the bundler is asked for count once, whatever it says", async () => {
    const bare = without(toRpc(operation), "callGasLimit");
    const broken = { ...bare, callData: "0xdeadbeef", sender: `0x${"11".repeat(20)}` };
    const more = await added(relay, async () => {
      await call(relay, "pm_sponsorUserOperation", [bare, ENTRY_POINT]);
      await call(relay, "pm_sponsorUserOperation", [broken, ENTRY_POINT]);
    });

    assert.equal(more(DECISIONS), 2);
    const estimate = { upstream: "bundler", method: "eth_estimateUserOperationGas" };
    assert.equal(more(UPSTREAM, estimate), 2);
    assert.equal(
      more(UPSTREAM, { ...estimate, result: "error" }),
      more(DECISIONS, { decision: "refused", reason: "estimate" }),
    );
  });

  test("end in checkpoints that leave few records unsigned", async () => {
    const page = await scrape(relay);

    assert.ok(page.value("superrelay_audit_unsigned_records") < 16 + CLIENTS);
    const checkpoint = page.value("superrelay_audit_last_checkpoint_timestamp_seconds");
    const age = Date.now() / 1000 - checkpoint;
    assert.ok(age > -1 && age < 60, `${age} s old`);
    assert.ok(page.value("superrelay_audit_log_size_bytes") > 200 * SPONSORSHIPS);
  });
});

describe("calls to the node", { timeout: 30_000 }, () => {
  test("are counted by method and by what came of them", async () => {
    const more = await added(relay, async () => {
      for (let i = 0; i < 7; i++)
        await result(relay, "eth_getCode", [ENTRY_POINT, "latest"]);
      await failure(relay, "eth_getCode", ["no address", "latest"]);
    });
    const get_code = { upstream: "node", method: "eth_getCode" };

    assert.equal(more(UPSTREAM, { ...get_code, result: "ok" }), 7);
    assert.equal(more(UPSTREAM, { ...get_code, result: "error" }), 1);
    assert.equal(more(UPSTREAM, get_code), 8);
    assert.equal(more(CALLS, { method: "eth_getCode", result: "ok" }), 7);
    assert.equal(more(CALLS, { method: "eth_getCode", result: "error" }), 1);
    const timed = more("superrelay_upstream_request_duration_seconds_count", { upstream: "node" });
    assert.ok(timed >= 8, `${timed} were timed`);
  });
});

describe("HTTP requests", { timeout: 30_000 }, () => {
  const get = (path, method = "GET", headers = "") =>
    `${method} ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
  const other_type = { headers: { "Content-Type": "text/plain" } };
  const evil = { headers: { Origin: "https://evil.example" } };
  const table = [
    ["a call", "port", post(CHAIN_ID), "/", 200],
    ["a call at /rpc", "port", post(CHAIN_ID, { path: "/rpc?key=1" }), "/rpc", 200],
    ["a notification", "port", post({ ...CHAIN_ID, id: undefined }), "/", 204],
    ["a body that is no JSON", "port", post("{"), "/", 200],
    ["an unknown path", "port", get("/nope"), "other", 404],
    ["a path of the other port", "port", get("/metrics"), "other", 404],
    ["GET of JSON-RPC", "port", get("/rpc"), "/rpc", 405],
    ["a preflight", "port", get("/rpc", "OPTIONS"), "/rpc", 204],
    ["another media type", "port", post(CHAIN_ID, other_type), "/", 415],
    ["a page that is not allowed", "port", post(CHAIN_ID, evil), "/", 403],
    ["a large body", "port", post("x".repeat(20_001), { path: "/rpc" }), "/rpc", 413],
    ["no Host", "port", "GET /live HTTP/1.1\r\n\r\n", "/live", 400],
    ["no HTTP", "port", "no HTTP at all\r\n\r\n", "other", 400],
    ["a long target", "port", get(`/${"x".repeat(3000)}`), "other", 414],
    ["large headers", "port", get("/live", "GET", `X: ${"x".repeat(20_000)}\r\n`), "/live", 431],
    ["/health", "apiPort", get("/health"), "/health", 200],
    ["/ready", "apiPort", get("/ready"), "/ready", 200],
    ["/live", "apiPort", get("/live"), "/live", 200],
    ["HEAD of /live", "apiPort", get("/live", "HEAD"), "/live", 200],
    ["a path of the other port", "apiPort", get("/"), "other", 404],
    ["DELETE of /metrics", "apiPort", get("/metrics", "DELETE"), "/metrics", 405],
  ];

  for (const [what, port, text, route, code] of table) {
    const listener = port === "port" ? "json_rpc" : "http_api";
    test(`${what} counts as ${listener} ${route} ${code}`, async () => {
      const more = await added(relay, async () => {
        const bodiless = text.startsWith("HEAD");
        assert.equal((await exchange(relay[port], text, { bodiless })).status, code);
      });

      assert.equal(more(HTTP, { listener, route, code: String(code) }), 1);
      // the scrape before counts, too
      assert.equal(more(HTTP), 2);
      assert.equal(more(HTTP, { route: "/metrics", code: "200" }), 1);
    });
  }
});

describe("connections", { timeout: 30_000 }, () => {
  const OPEN = "superrelay_http_connections";
  const count = async (listener) => (await scrape(lone)).value(OPEN, { listener });

  test("are counted while they are open, and no longer", async () => {
    const before = await count("json_rpc");
    const open = Array.from({ length: 9 }, () => new Connection(lone.port).write(post(CHAIN_ID)));
    for (const connection of open) assert.equal((await connection.response()).status, 200);

    assert.equal(await count("json_rpc"), before + 9);
    for (const connection of open) connection.destroy();
    await until("they are gone", async () => (await count("json_rpc")) === before);
  });

  test("of one listener do not count as the other's", async () => {
    const before = await scrape(lone);
    const probe = new Connection(lone.apiPort);
    await sleep(100);
    const during = await scrape(lone);
    probe.destroy();
    const grown = (listener) => during.value(OPEN, { listener }) - before.value(OPEN, { listener });

    assert.equal(grown("json_rpc"), 0);
    assert.equal(grown("http_api"), 1);
  });
});

describe("the process", { timeout: 30_000 }, () => {
  test("tells of itself what the kernel tells of it", async () => {
    const page = await scrape(relay);
    const start = page.value("process_start_time_seconds");

    assert.ok(Math.abs(Date.now() / 1000 - start) < 120);
    assert.ok(page.value("process_cpu_seconds_total") > 0.01);
    assert.ok(page.value("process_threads") >= 4);
    assert.ok(page.value("process_open_fds") < page.value("process_max_fds"));
    assert.ok(
      page.value("process_resident_memory_bytes") < page.value("process_virtual_memory_bytes"),
    );
  });

  test("spends little on a scrape", async () => {
    const cpu = async () => (await scrape(relay)).value("process_cpu_seconds_total");
    const before = await cpu();
    for (let i = 0; i < 50; i++) await scrape(relay);
    const each = ((await cpu()) - before) / 51;

    assert.ok(each < 0.02, `${each} s of CPU time a scrape`);
  });
});
