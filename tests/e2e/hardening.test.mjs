// SPDX-License-Identifier: Apache-2.0
// What a hostile or merely unlucky client, node or machine must not be able to do.
import assert from "node:assert/strict";
import { test } from "node:test";

import { freePort, launch, until } from "./support/processes.mjs";
import {
  binary,
  CHAIN_ID,
  cli,
  ENTRY_POINT,
  failure,
  makeKey,
  ready,
  result,
  startLoneRelay,
  startRelay,
  writeConfig,
} from "./support/relay.mjs";
import { Connection, post } from "./support/socket.mjs";
import { late, Upstream } from "./support/upstream.mjs";

const BIG = "x".repeat(5_000_000);
const HASH = `0x${"ab".repeat(32)}`;
const rpc = (method, params = [], id = 1) => ({ jsonrpc: "2.0", id, method, params });
const send = async (relay, body) =>
  (
    await fetch(relay.url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    })
  ).json();

const bundler = await new Upstream({
  eth_getUserOperationByHash: () => ({ result: BIG }),
  eth_getUserOperationReceipt: late(500, { result: "late" }),
}).open();
const relay = await startLoneRelay({ node: { bundler_url: bundler.url } });

test("a client that closes its half while the answer is written gets all of it", async () => {
  const c = new Connection(relay.port);
  c.socket.write(post(rpc("eth_getUserOperationByHash", [HASH])));
  await new Promise((resolve) => c.socket.once("data", resolve));
  c.socket.end();
  const response = await c.response();

  assert.equal(JSON.parse(response.body).result.length, BIG.length);
});

test("a batch of large answers is cut off by name of the call, not by memory", async () => {
  const batch = Array.from({ length: 12 }, (_, i) => rpc("eth_getUserOperationByHash", [HASH], i));
  const answers = await send(relay, batch);

  assert.equal(answers.length, batch.length);
  assert.deepEqual(
    answers.map((answer) => answer.id),
    batch.map((call) => call.id),
  );
  const refused = answers.filter((answer) => answer.error);
  assert.ok(refused.length >= 8, `${refused.length} refused`);
  assert.ok(refused.every((answer) => answer.error.code === -32603));
  assert.equal(await result(relay, "eth_chainId"), "0x7a69");
});

test("an answer that is too large keeps the id of its call", async () => {
  const id = "i".repeat(200);
  const huge = await new Upstream({
    eth_getUserOperationByHash: () => ({ result: "y".repeat(16 * 1024 * 1024 - 60) }),
  }).open();
  const other = await startLoneRelay({ node: { bundler_url: huge.url } });
  const answer = await send(other, rpc("eth_getUserOperationByHash", [HASH], id));

  assert.equal(answer.id, id);
  assert.equal(answer.error.code, -32603);
  await other.stop();
});

test("a body of very many values is refused, whatever its size in bytes", async () => {
  const body = rpc("eth_chainId");
  body.extra = new Array(70_000).fill(0);
  const answer = await send(relay, body);

  assert.equal(answer.error.code, -32600);
  assert.match(answer.error.message, /65536/);
});

test("what is pipelined behind a slow call waits, however much it is", async () => {
  const c = new Connection(relay.port);
  const filler = { ...rpc("eth_chainId", [], 2), extra: "z".repeat(150_000) };
  c.socket.write(post(rpc("eth_getUserOperationReceipt", [HASH])));
  c.socket.write(post(filler));
  c.socket.write(post({ ...filler, id: 3 }));
  const answers = [];
  for (let i = 0; i < 3; i++) answers.push(JSON.parse((await c.response()).body));

  assert.deepEqual(
    answers.map((answer) => [answer.id, answer.result]),
    [
      [1, "late"],
      [2, "0x7a69"],
      [3, "0x7a69"],
    ],
  );
  c.socket.destroy();
});

test("HTTP/1.1 without a Host is refused", async () => {
  const c = new Connection(relay.port);
  c.socket.write(post(rpc("eth_chainId"), { headers: { Host: undefined } }));

  assert.equal((await c.response()).status, 400);
});

test("a page of an origin that is not allowed gets nothing done", async () => {
  const guarded = await startLoneRelay({ rpc: { cors_origins: ["https://dapp.example"] } });
  const ask = async (origin) => {
    const c = new Connection(guarded.port);
    c.socket.write(post(rpc("eth_chainId"), { headers: { Origin: origin } }));
    const response = await c.response();
    c.socket.destroy();
    return response.status;
  };

  assert.equal(await ask("https://evil.example"), 403);
  assert.equal(await ask("https://dapp.example"), 200);
  assert.equal(await ask(undefined), 200);
  await guarded.stop();
});

test("clients of the JSON-RPC port cannot crowd out the probes on the other", async () => {
  const small = await startLoneRelay({ rpc: { max_connections: 3, threads: 1 } });
  const idle = Array.from({ length: 8 }, () => new Connection(small.port));
  await until("they are connected", () => idle.every((c) => !c.socket.connecting));

  assert.equal((await fetch(`${small.apiUrl}/live`)).status, 200);
  for (const c of idle) c.socket.destroy();
  await small.stop();
});

test("two names of one address are no two ports", async () => {
  const port = await freePort();
  const { store } = await makeKey();
  const config = writeConfig({
    node: { chain_id: CHAIN_ID, http_api: `localhost:${port}` },
    api: { listen: `127.0.0.1:${port}` },
    simulator: { store },
  });
  const { status, stderr } = await cli(["node", "--config", config, "--paymaster-relay"]);

  assert.equal(status, 1);
  assert.match(stderr, new RegExp(`cannot listen on .* port ${port}`));
});

test("a start that fails half-way says why instead of aborting", async () => {
  const { store } = await makeKey();
  const config = writeConfig({ node: { chain_id: CHAIN_ID }, simulator: { store } });
  for (let limit = 14; limit <= 40; limit += 2) {
    const child = launch("few-files", "/bin/bash", [
      "-c",
      `ulimit -n ${limit}; exec timeout -s TERM 1 "$0" node --config "$1" --paymaster-relay`,
      binary,
      config,
    ]);
    await until("it ends", () => !child.running, { within: 10_000 });
    const { status, signal } = await child.stop();

    assert.equal(signal, null, child.output());
    // 124: timeout ended it, so it had started; 1: it refused to start, and said why
    assert.ok([0, 1, 124].includes(status), `${status}: ${child.output()}`);
    if (status === 1) assert.match(child.output(), /super-relay: /);
  }
});

test("SIGTERM twice ends no earlier, and the request in flight is answered", async () => {
  const own = await startLoneRelay({ node: { bundler_url: bundler.url } });
  const pending = send(own, rpc("eth_getUserOperationReceipt", [HASH]));
  await new Promise((resolve) => setTimeout(resolve, 150));
  process.kill(own.pid, "SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, 100));
  process.kill(own.pid, "SIGTERM");

  assert.equal((await pending).result, "late");
  await own.stop();
});

test("a relay without a deposit, or with another EntryPoint's contract, is not ready", async () => {
  const word = (hex) => `0x${hex.padStart(64, "0")}`;
  const { store, address } = await makeKey();
  const answers = { deposit: "0", entryPoint: ENTRY_POINT.slice(2) };
  const node = await new Upstream({
    eth_chainId: () => ({ result: "0x7a69" }),
    eth_call: ([{ data }]) => {
      if (data.startsWith("0x70a08231")) return { result: word(answers.deposit) };
      if (data === "0x23d9ac9b") return { result: word(address.slice(2)) };
      return { result: word(answers.entryPoint) };
    },
  }).open();
  const own = await startRelay(
    writeConfig({ node: { node_http: node.url }, simulator: { store } }),
  );
  const complaint = async () => (await (await fetch(`${own.url}/ready`)).json()).checks.paymaster;

  await until("it is asked", async () => /deposit.* is 0/.test((await complaint())?.error));
  answers.deposit = "1";
  await ready(own);
  answers.entryPoint = "ab".repeat(20);
  await until("it is seen", async () => /EntryPoint/.test((await complaint()).error));
  await own.stop();
});

test("bounds that an upstream breaks are not told as the client's fault", async () => {
  const endless = await new Upstream({
    eth_getUserOperationByHash: () => ({ result: "y".repeat(17 * 1024 * 1024) }),
  }).open();
  const own = await startLoneRelay({ node: { bundler_url: endless.url } });
  const error = await failure(own, "eth_getUserOperationByHash", [HASH]);

  assert.equal(error.code, -32603);
  assert.match(error.message, /bundler/);
  await own.stop();
});

test("messages to clients name no host or port behind the relay", async () => {
  const own = await startLoneRelay({ node: { bundler_url: "http://127.0.0.1:9" } });
  const error = await failure(own, "eth_getUserOperationByHash", [HASH]);

  assert.equal(error.code, -32603);
  assert.doesNotMatch(error.message, /127\.0\.0\.1|port 9/);
  await own.stop();
});

test("sponsoring goes on after all of this", async () => {
  const operation = {
    sender: "0x1234567890123456789012345678901234567890",
    nonce: "0x7",
    callData: "0xdeadbeef",
    callGasLimit: "0x11111",
    verificationGasLimit: "0x22222",
    preVerificationGas: "0x3333",
    maxFeePerGas: "0xb2d05e00",
    maxPriorityFeePerGas: "0x3b9aca00",
  };
  const params = [operation, ENTRY_POINT, "0x7a69", null];
  const { paymasterData } = await result(relay, "pm_getPaymasterData", params);

  assert.match(paymasterData, /^0x[0-9a-f]{258}$/);
  await relay.stop();
});
