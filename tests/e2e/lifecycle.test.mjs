// SPDX-License-Identifier: Apache-2.0
// Ends of the daemon, asked for and not: requests in flight are finished, no key is ever lost.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
  GAS_LIMITS,
  makeOperation,
  params7677,
  takeApart,
  without,
} from "./support/operations.mjs";
import { launch, SLOWNESS, sleep, until } from "./support/processes.mjs";
import {
  binary,
  call,
  CHAIN_ID,
  cli,
  cliJson,
  ENTRY_POINT,
  failure,
  KEY_ID,
  makeKey,
  result,
  startLoneRelay,
  startRelay,
  writeConfig,
} from "./support/relay.mjs";
import { Connection, exchange, post } from "./support/socket.mjs";
import { Upstream } from "./support/upstream.mjs";

const TIMEOUT = { timeout: 90_000 };
const HASH = `0x${"ab".repeat(32)}`;
const LOOK_UP = { jsonrpc: "2.0", id: 1, method: "eth_getUserOperationByHash", params: [HASH] };
const CHAIN = { jsonrpc: "2.0", id: 1, method: "eth_chainId" };

// an account that nothing is asked of the chain for
const account = {
  address: "0x1234567890123456789012345678901234567890",
  getFactoryArgs: async () => ({}),
  getNonce: async () => 7n,
  encodeCalls: async () => "0xdeadbeef",
};
const OPERATION = params7677(await makeOperation(account, { signature: "0x12" }));

const relayBehind = (bundler, rpc = {}) =>
  startLoneRelay({ node: { bundler_url: bundler.url }, rpc });

const served = { eth_supportedEntryPoints: { result: [ENTRY_POINT] } };

describe("SIGTERM", TIMEOUT, () => {
  test("of an idle relay ends it at once, with status 0", async () => {
    const relay = await startLoneRelay();
    const idle = new Connection(relay.port).write(post(CHAIN));
    await idle.response();
    const started = Date.now();
    await relay.stop();

    assert.ok(Date.now() - started < 2000);
    assert.ok(await idle.closes());
    assert.match(relay.output(), /signal 15: draining/);
    assert.match(relay.output(), /stopped/);
  });

  test("lets requests in flight finish, and takes no new ones", async () => {
    let release;
    const released = new Promise((resolve) => (release = resolve));
    const answer = () => released.then(() => ({ result: { found: true } }));
    const bundler = await new Upstream({ ...served, eth_getUserOperationByHash: answer }).open();
    const relay = await relayBehind(bundler);
    const open = Array.from({ length: 8 }, () => new Connection(relay.port).write(post(LOOK_UP)));
    const batch = new Connection(relay.port).write(post([LOOK_UP, CHAIN]));
    const arrived = () => bundler.calls.filter((method) => method === LOOK_UP.method).length;
    await until("all are in flight", () => arrived() === open.length + 1);
    const started = Date.now();
    const stopped = relay.stop();
    await sleep(300);
    // impatience does not cut it short
    relay.process.kill("SIGTERM");

    const late_comer = new Connection(relay.port).write(post(CHAIN));
    assert.ok(await late_comer.closes(), "refused while it drains");
    release();
    for (const connection of open) {
      const response = await connection.response();
      assert.deepEqual(JSON.parse(response.body).result, { found: true });
      assert.equal(response.headers.connection, "close");
      assert.ok(await connection.closes());
    }
    assert.equal(JSON.parse((await batch.response()).body).length, 2);
    await stopped;
    assert.ok(Date.now() - started < 5000 * SLOWNESS);
  });

  test("has /ready say so at once, while requests in flight finish", async () => {
    let release;
    const released = new Promise((resolve) => (release = resolve));
    const answer = () => released.then(() => ({ result: { found: true } }));
    const bundler = await new Upstream({ ...served, eth_getUserOperationByHash: answer }).open();
    const relay = await relayBehind(bundler, { shutdown_timeout_ms: 20_000 });
    const open = new Connection(relay.port).write(post(LOOK_UP));
    await until("it is in flight", () => bundler.calls.includes(LOOK_UP.method));
    const stopped = relay.stop();
    const asked = (path) => fetch(`${relay.apiUrl}${path}`);
    await until("/ready says no", async () => (await asked("/ready")).status === 503);

    // again and again: no probe is refused while there is somebody to wait for
    for (let i = 0; i < 20; i++) {
      const ready = await asked("/ready");
      assert.equal(ready.status, 503);
      assert.equal((await ready.json()).status, "draining");
      assert.equal((await asked("/live")).status, 200);
      assert.match(await (await asked("/metrics")).text(), /^superrelay_ready 0$/m);
      await sleep(20);
    }
    const late_comer = new Connection(relay.port).write(post(CHAIN));
    assert.ok(await late_comer.closes(), "clients are refused");
    release();
    assert.deepEqual(JSON.parse((await open.response()).body).result, { found: true });
    await stopped;
    await assert.rejects(asked("/ready"), "with the last client the probes go, too");
  });

  test("answers what a client sends while it cannot know of the end", async () => {
    const relay = await startLoneRelay();
    const known = new Connection(relay.port).write(post(CHAIN));
    await known.response();
    const fresh = new Connection(relay.port);
    await until("it is connected", () => fresh.socket.readyState === "open");
    relay.process.kill("SIGTERM");
    await until("it drains", () => /signal 15: draining/.test(relay.output()));
    for (const connection of [known, fresh]) connection.write(post(CHAIN));
    for (const connection of [known, fresh]) {
      const response = await connection.response();
      assert.equal(response.status, 200);
      assert.equal(response.headers.connection, "close");
      assert.ok(await connection.closes());
    }
    await relay.stop();
  });

  test("does not wait for ever for an upstream that does not answer", async () => {
    const bundler = await new Upstream({
      ...served,
      eth_getUserOperationByHash: () => undefined,
    }).open();
    const relay = await relayBehind(bundler, { shutdown_timeout_ms: 700 });
    const connection = new Connection(relay.port).write(post(LOOK_UP));
    await sleep(300);
    const started = Date.now();
    await relay.stop();
    const took = Date.now() - started;

    assert.ok(took >= 600 && took < 3000, `${took} ms`);
    await connection.response();
    assert.ok(connection.ended);
  });

  test("under load loses no answer that was begun", async () => {
    const relay = await startLoneRelay();
    let stopping = false;
    const counts = { answered: 0, refused: 0 };
    const client = async () => {
      for (;;) {
        const connection = new Connection(relay.port);
        connection.write(post({ ...CHAIN, method: "pm_getPaymasterData", params: OPERATION }));
        const response = await connection.response();
        connection.destroy();
        if (response === null) {
          assert.ok(stopping, "an answer was lost before the end");
          counts.refused++;
          return;
        }
        assert.match(JSON.parse(response.body).result.paymasterData, /^0x[0-9a-f]{258}$/);
        counts.answered++;
      }
    };
    const clients = Array.from({ length: 6 }, client);
    await until("many are answered", () => counts.answered > 50);
    stopping = true;
    await relay.stop();
    await Promise.all(clients);

    assert.equal(counts.refused, 6);
  });

  test("while it is still starting ends it, too", async () => {
    const { store } = await makeKey();
    const config = writeConfig({ node: { chain_id: CHAIN_ID }, simulator: { store } });

    for (let delay = 0; delay < 60; delay += 4) {
      const args = ["node", "--config", config, "--paymaster-relay"];
      const child = launch("starting", binary, args);
      await sleep(delay);
      const { status, signal } = await child.kill("SIGTERM");
      // before it could say what to do with a signal, the signal's own action ends it
      assert.ok(status === 0 || signal === "SIGTERM", `${delay} ms: ${status} ${child.output()}`);
    }
  });

  test("SIGINT does the same", async () => {
    const relay = await startLoneRelay();

    assert.deepEqual(await relay.kill("SIGINT"), { status: 0, signal: null });
  });
});

describe("a relay that was stopped for a while", TIMEOUT, () => {
  test("is live when it goes on: none of its loops hangs", async () => {
    const relay = await startLoneRelay();
    relay.process.kill("SIGSTOP");
    // longer than a loop may take to turn
    await sleep(11_000);
    relay.process.kill("SIGCONT");
    const probes = Array.from({ length: 20 }, () =>
      exchange(relay.apiPort, "GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    );
    for (const probe of probes) assert.equal((await probe).body, '{"status":"live"}');
    await relay.stop();
  });
});

describe("an upstream that fails", TIMEOUT, () => {
  const lookUp = (relay) => call(relay, LOOK_UP.method, LOOK_UP.params);

  test("with an error of its own has it passed on as it is", async () => {
    const error = { code: -32504, message: "throttled", data: { big: "x", n: 1 } };
    const bundler = await new Upstream({ ...served, eth_getUserOperationByHash: { error } }).open();
    const relay = await relayBehind(bundler);

    assert.deepEqual((await lookUp(relay)).error, error);
  });

  test("with a null result has that passed on, too", async () => {
    const bundler = await new Upstream({
      ...served,
      eth_getUserOperationByHash: { result: null },
    }).open();

    assert.equal((await lookUp(await relayBehind(bundler))).result, null);
  });

  const garbage = {
    "an empty body": (_, response) => void response.end(),
    "no JSON": (_, response) => void response.end("<html>busy</html>"),
    "JSON that is no object": (_, response) => void response.end("[]"),
    "neither result nor error": (_, response) => void response.end('{"jsonrpc":"2.0","id":1}'),
    "status 500": (_, response) => void response.writeHead(500).end("oops"),
    "half a body": (_, response) => {
      response.writeHead(200, { "content-length": 1000 });
      response.write('{"jsonrpc":"2.0","id":1,"result":{');
      setTimeout(() => response.destroy(), 50);
    },
    "a closed connection": (_, response) => void response.destroy(),
    "a redirection": (_, response) =>
      void response.writeHead(302, { location: "http://127.0.0.1:1/" }).end(),
  };

  test("with garbage is answered with -32603, naming the bundler", async () => {
    const bundler = await new Upstream(served).open();
    const relay = await relayBehind(bundler);

    for (const [what, answer] of Object.entries(garbage)) {
      bundler.answers = { ...served, eth_getUserOperationByHash: answer };
      const { error } = await lookUp(relay);
      assert.equal(error.code, -32603, what);
      assert.match(error.message, /bundler/, what);
    }
    bundler.answers = { ...served, eth_getUserOperationByHash: { result: 1 } };
    assert.equal((await lookUp(relay)).result, 1);
  });

  test("is not sent an operation twice when its answer is lost", async () => {
    const bundler = await new Upstream({
      ...served,
      eth_sendUserOperation: garbage["a closed connection"],
    }).open();
    const relay = await relayBehind(bundler);
    const [operation] = OPERATION;
    const error = await failure(relay, "eth_sendUserOperation", [operation, ENTRY_POINT]);

    assert.equal(error.code, -32603);
    assert.equal(bundler.calls.filter((method) => method === "eth_sendUserOperation").length, 1);
  });

  test("while estimating is told to who asked for the sponsorship", async () => {
    const bundler = await new Upstream(served).open();
    const relay = await relayBehind(bundler);
    const params = [without(OPERATION[0], "callGasLimit"), ENTRY_POINT];
    const estimate = (answer) => {
      bundler.answers = { ...served, eth_estimateUserOperationGas: answer };
      return failure(relay, "pm_sponsorUserOperation", params);
    };

    const own = { code: -32500, message: "AA13 initCode failed or OOG" };
    assert.deepEqual(await estimate({ error: own }), own);
    for (const result of [
      "0x1",
      {},
      { callGasLimit: 5 },
      { callGasLimit: "0xzz" },
      { callGasLimit: `0x1${"0".repeat(32)}` },
    ]) {
      const error = await estimate({ result });
      assert.equal(error.code, -32603, JSON.stringify(result));
      assert.match(error.message, /estimate/);
    }
    // an estimate over the policy is refused like a limit of the client's
    assert.equal((await estimate({ result: { callGasLimit: "0xffffffffff" } })).code, -32501);
  });
});

describe("an upstream's estimate", TIMEOUT, () => {
  const estimate = {
    callGasLimit: "0x11111",
    verificationGasLimit: "0x22222",
    preVerificationGas: "0x3333",
    paymasterVerificationGasLimit: "0x14444",
  };

  test("fills in what the operation lacks, field by field, and only that", async () => {
    let asked;
    const bundler = await new Upstream({
      ...served,
      eth_estimateUserOperationGas: (params) => {
        [asked] = params;
        return { result: estimate };
      },
    }).open();
    const relay = await relayBehind(bundler);
    const bare = without(OPERATION[0], ...GAS_LIMITS, "signature");
    const { verificationGasLimit } = OPERATION[0];
    const sponsor = (operation) =>
      result(relay, "pm_sponsorUserOperation", [operation, ENTRY_POINT]);
    const { paymaster, paymasterData, ...limits } = await sponsor(bare);

    assert.deepEqual(limits, { ...estimate, paymasterPostOpGasLimit: "0x1" });
    // the bundler was asked with the stub, and with a signature that the account can look at
    assert.equal(asked.paymaster, paymaster);
    assert.equal(asked.paymasterData.length, paymasterData.length);
    assert.notEqual(asked.paymasterData, paymasterData);
    assert.equal(asked.signature.length, 2 + 130);

    const kept = await sponsor({ ...bare, verificationGasLimit });
    assert.equal(kept.verificationGasLimit, verificationGasLimit);
    assert.equal(kept.callGasLimit, estimate.callGasLimit);
  });
});

describe("kill -9", { timeout: 120_000 }, () => {
  const ROUNDS = 40;
  const listed = async (config) =>
    (await cliJson(["keys", "list", "--config", config])).keys.map(({ id, address }) => [
      id,
      address,
    ]);

  test(`at ${ROUNDS} moments of making keys loses none and leaves none half made`, async () => {
    const config = writeConfig();
    const started = Date.now();
    await cliJson(["keys", "generate", "first", "--config", config]);
    const whole = Date.now() - started;
    let known = new Map(await listed(config));
    let finished = 0;

    for (let round = 0; round < ROUNDS; round++) {
      // from before the program runs to after it has ended
      const killAfter = (round / ROUNDS) * whole * 1.3;
      const { status } = await cli(["keys", "generate", `key-${round}`, "--config", config], {
        killAfter,
      });
      const now = new Map(await listed(config));
      for (const [id, address] of known) assert.equal(now.get(id), address, id);
      if (status === 0) {
        finished++;
        assert.ok(now.has(`key-${round}`), "acknowledged and not there");
      }
      for (const address of now.values()) assert.match(address, /^0x\w{40}$/);
      known = now;
    }
    assert.ok(finished > 0 && finished < ROUNDS, `${finished} of ${ROUNDS} came to their end`);
    await cliJson(["keys", "generate", "last", "--config", config]);
    assert.equal((await listed(config)).length, known.size + 1);
  });

  test("of the daemon while it signs leaves the key as it was", async () => {
    const { store, address } = await makeKey();
    const config = writeConfig({ node: { chain_id: CHAIN_ID }, simulator: { store } });

    for (let round = 0; round < 6; round++) {
      const relay = await startRelay(config);
      assert.ok(relay.output().includes(address));
      const asking = Array.from({ length: 4 }, async () => {
        for (;;) {
          const answer = await result(relay, "pm_getPaymasterData", OPERATION).catch(() => null);
          if (!answer) return;
          assert.equal(takeApart(answer.paymasterData).signature.length, 2 + 130);
        }
      });
      await sleep(20 + 60 * round);
      assert.equal((await relay.kill("SIGKILL")).signal, "SIGKILL");
      await Promise.all(asking);
    }
    assert.equal((await cliJson(["keys", "show", KEY_ID, "--config", config])).address, address);
  });

  test("of the daemon while keys are made beside it leaves all of them", async () => {
    const { store, address } = await makeKey();
    const config = writeConfig({ node: { chain_id: CHAIN_ID }, simulator: { store } });

    for (let round = 0; round < 4; round++) {
      const relay = await startRelay(config);
      const making = cli(["keys", "generate", `beside-${round}`, "--config", config]);
      await sleep(5 * round);
      await relay.kill("SIGKILL");
      assert.equal((await making).status, 0);
    }
    const keys = new Map(await listed(config));
    assert.equal(keys.size, 5);
    assert.equal(keys.get(KEY_ID), address);
  });
});
