// SPDX-License-Identifier: Apache-2.0
// /live, /health and /ready tell what is true, within seconds of its becoming true; and a relay
// that could not sponsor does not start, and says why.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { writeContract } from "viem/actions";

import { gone, startEnvironment, startNetwork } from "./support/network.mjs";
import { makeOperation, params7677, paymasterAbi, simpleAccount } from "./support/operations.mjs";
import { run, until } from "./support/processes.mjs";
import {
  BACKEND,
  binary,
  cli,
  ENTRY_POINT,
  failure,
  KEY_ID,
  makeKey,
  ready,
  result,
  startRelay,
  writeConfig,
} from "./support/relay.mjs";
import { Upstream } from "./support/upstream.mjs";

const SECONDS = 10_000;

const bundler = await new Upstream({
  eth_supportedEntryPoints: { result: [ENTRY_POINT] },
}).open();
const environment = await startEnvironment({ sections: { node: { bundler_url: bundler.url } } });
const { relay, signer } = environment;
let { network } = environment;

const get = async (path, of = relay) => {
  const response = await fetch(of.url + path);
  return { http: response.status, ...(await response.json()) };
};

/** Waits until /ready is 503 because of one part alone, and returns what it says of that. */
async function broken(part, of = relay) {
  const report = await until(
    `${part} is not ok`,
    async () => {
      const said = await get("/ready", of);
      const { ok, error } = said.checks[part];
      return said.http === 503 && !ok && error !== "not checked yet" && said;
    },
    { within: SECONDS },
  );
  assert.equal(report.status, "not_ready");
  assert.equal((await get("/health", of)).http, 200);
  assert.equal((await get("/live", of)).http, 200);
  assert.equal((await get("/live", of)).status, "live");
  return report.checks[part];
}

describe("a relay that has all it needs", { timeout: 60_000 }, () => {
  test("is ready and says of what", async () => {
    const response = await fetch(`${relay.url}/ready`);
    const { status, checks } = await response.json();

    assert.equal(response.status, 200);
    assert.equal(status, "ready");
    assert.deepEqual(Object.keys(checks), ["tee", "key", "node", "paymaster", "bundler"]);
    for (const [part, check] of Object.entries(checks)) assert.equal(check.ok, true, part);
    assert.equal(checks.tee.backend, BACKEND);
    const { id, ...key } = checks.key;
    // where tests share a TEE, its ids have the test's mark behind them
    assert.equal(id.split(".")[0], KEY_ID);
    assert.deepEqual(key, { ok: true, address: signer });
    assert.equal(checks.node.chainId, 31337);
    assert.equal(checks.paymaster.address.toLowerCase(), network.paymaster.toLowerCase());
  });

  test("tells the paymaster's deposit", async () => {
    const deposit = await until("the deposit is known", async () => {
      const said = (await get("/health")).checks.paymaster.deposit;
      return /^\d+$/.test(said) && said;
    });

    assert.equal(deposit, "10000000000000000000");
  });

  test("says the same on the HTTP API's port", async () => {
    assert.equal((await fetch(`${relay.apiUrl}/ready`)).status, 200);
  });
});

describe("when something goes and comes back", { timeout: 90_000 }, () => {
  test("a bundler that is away is named, and forgiven when it is back", async () => {
    const { port } = bundler;
    await bundler.close();
    assert.match((await broken("bundler")).error, /bundler/);
    await bundler.open(port);
    await ready(relay);
  });

  test("a bundler that serves another EntryPoint is named", async () => {
    const { answers } = bundler;
    bundler.answers = { eth_supportedEntryPoints: { result: [`0x${"12".repeat(20)}`] } };
    assert.match((await broken("bundler")).error, /EntryPoint/);
    bundler.answers = { eth_supportedEntryPoints: { error: { code: -1, message: "no mood" } } };
    await until("the reason is the new one", async () =>
      /no mood/.test((await get("/health")).checks.bundler.error),
    );
    bundler.answers = answers;
    await ready(relay);
  });

  test("a deposit that is used up is named, and forgiven when it is filled", async () => {
    const contract = { address: network.paymaster, abi: paymasterAbi };
    const owner = await network.client.readContract({ ...contract, functionName: "owner" });
    const send = async (functionName, more) => {
      const hash = await writeContract(network.client, {
        ...contract,
        functionName,
        account: owner,
        ...more,
      });
      await network.client.waitForTransactionReceipt({ hash });
    };
    const deposit = BigInt((await get("/health")).checks.paymaster.deposit);

    await send("withdrawTo", { args: [owner, deposit] });
    const check = await broken("paymaster");
    assert.match(check.error, /deposit in the EntryPoint is 0/);
    assert.equal(check.deposit, "0");
    await send("deposit", { value: deposit });
    await ready(relay);
  });

  test("a node that is killed is named within seconds, and forgiven when it is back", async () => {
    const { node_url, node_pid, state } = network;
    process.kill(node_pid, "SIGKILL");
    const started = Date.now();
    const check = await broken("node");
    assert.match(check.error, /node/);
    assert.ok(Date.now() - started < 6000, "within seconds");
    assert.equal((await get("/health")).checks.paymaster.ok, false);
    assert.equal((await get("/health")).checks.key.ok, true);

    await gone(node_pid);
    await network.stop();
    const port = Number(new URL(node_url).port);
    network = await startNetwork(signer, { port, state });
    await ready(relay);
  });

  test("while the node is away, sponsoring goes on: it needs no node", async () => {
    const account = await simpleAccount(network.client, network.factory);
    const operation = await makeOperation(account);
    process.kill(network.node_pid, "SIGSTOP");
    try {
      const answer = await result(relay, "pm_getPaymasterData", params7677(operation));
      assert.match(answer.paymasterData, /^0x[0-9a-f]{258}$/);
      assert.equal((await get("/live")).status, "live");
    } finally {
      process.kill(network.node_pid, "SIGCONT");
    }
    await ready(relay);
  });
});

describe("a relay whose surroundings do not fit", { timeout: 60_000, concurrency: true }, () => {
  /** A relay on the environment's chain, with other sections. */
  const other = async (sections, store) => {
    const config = writeConfig({
      ...sections,
      node: { node_http: network.node_url, ...sections.node },
      paymaster_relay: { paymaster: network.paymaster, ...sections.paymaster_relay },
      simulator: { store },
    });
    return startRelay(config);
  };

  test("a node on another chain than the configured one is named", async () => {
    const { store } = await makeKey();
    const misled = await other({ node: { chain_id: 1234 } }, store);
    const check = await broken("node", misled);

    assert.match(check.error, /chain 31337.*1234/);
    await misled.stop();
  });

  test("a paymaster contract with another signer is named with both addresses", async () => {
    const { store, address } = await makeKey();
    const misled = await other({}, store);
    const check = await broken("paymaster", misled);

    assert.match(check.error, new RegExp(signer));
    assert.match(check.error, new RegExp(address));
    await misled.stop();
  });

  test("an address without a paymaster contract is named", async () => {
    const { store } = await makeKey();
    const nowhere = "0x00000000000000000000000000000000000000e2";
    const misled = await other({ paymaster_relay: { paymaster: nowhere } }, store);
    const check = await broken("paymaster", misled);

    assert.match(check.error, /no VerifyingPaymaster/);
    await misled.stop();
  });

  test("without a node that has ever answered, the chain id is said to be unknown", async () => {
    const { store } = await makeKey();
    const lone = await startRelay(writeConfig({ simulator: { store } }));
    const error = await failure(lone, "eth_chainId");

    assert.equal(error.code, -32603);
    assert.match(error.message, /chain id is not known/);
    assert.match((await broken("node", lone)).error, /node/);
    await lone.stop();
  });

  test("a key deleted while the relay runs is missed, and nothing is signed any more", async () => {
    const { store, address } = await makeKey();
    const robbed = await other({ node: { chain_id: 31337 } }, store);
    const account = await simpleAccount(network.client, network.factory);
    const operation = params7677(await makeOperation(account));
    await result(robbed, "pm_getPaymasterData", operation);

    const { status } = await cli(["keys", "delete", KEY_ID, "--config", robbed.config]);
    assert.equal(status, 0);
    assert.match((await broken("key", robbed)).error, new RegExp(`${KEY_ID}.*does not exist`));
    const refused = async () => {
      const error = await failure(robbed, "pm_getPaymasterData", operation);
      assert.equal(error.code, -32603);
      assert.match(error.message, /key/);
    };
    await refused();

    // another key under the same name is not the one that the contract knows
    const made = await cli(["keys", "generate", KEY_ID, "--config", robbed.config]);
    assert.equal(made.status, 0);
    assert.ok(!made.stdout.includes(address));
    const check = await until("the other key is noticed", async () => {
      const said = (await get("/ready", robbed)).checks.key;
      return !/does not exist/.test(said.error) && said;
    });
    assert.equal(check.ok, false);
    assert.match(check.error, /not the one/);
    await refused();
    await robbed.stop();
  });
});

/** Starts a relay that must not start: what it says. */
async function refusedStart(config, args = ["--paymaster-relay"]) {
  const { status, stderr } = await run(binary, ["node", "--config", config, ...args]);

  assert.equal(status, 1, stderr);
  return stderr;
}

describe("a relay that could not work", { timeout: 60_000, concurrency: true }, () => {
  test("does not start without its key, and says how to make it", async () => {
    const said = await refusedStart(writeConfig());

    assert.match(said, new RegExp(`no key '${KEY_ID}'`));
    assert.match(said, new RegExp(`super-relay keys generate ${KEY_ID}`));
  });

  test("does not start with a key that cannot sponsor", async () => {
    const config = writeConfig();
    const made = await cli([
      "keys",
      "generate",
      KEY_ID,
      "--algorithm",
      "ed25519",
      "--config",
      config,
    ]);

    assert.equal(made.status, 0, made.stderr);
    assert.match(await refusedStart(config), /cannot sponsor/);
  });

  test("does not start on a port that is taken, and names it", async () => {
    const taken = new URL(relay.url).port;
    const { store } = await makeKey();
    const on = (sections) => writeConfig({ simulator: { store }, ...sections });

    assert.match(
      await refusedStart(on({ node: { http_api: `127.0.0.1:${taken}` } })),
      new RegExp(`port ${taken}.*in use`),
    );
    assert.match(
      await refusedStart(on({ api: { listen: `127.0.0.1:${taken}` } })),
      new RegExp(`port ${taken}.*in use`),
    );
  });

  test("does not start with the simulator on mainnet", async () => {
    const { store } = await makeKey();

    for (const node of [{ network: "mainnet" }, { chain_id: 1 }]) {
      const said = await refusedStart(writeConfig({ node, simulator: { store } }));
      assert.match(said, /simulator.*mainnet|mainnet.*simulator/);
    }
  });

  test("does not start without a paymaster contract or a node", async () => {
    const { store } = await makeKey();
    const without = (sections) => writeConfig({ simulator: { store }, ...sections });

    assert.match(
      await refusedStart(without({ paymaster_relay: { paymaster: undefined } })),
      /paymaster/,
    );
    assert.match(await refusedStart(without({ node: { node_http: [] } })), /node_http/);
  });

  test("does not start where there is no OP-TEE, and says what is missing", async () => {
    const said = await refusedStart(writeConfig({ paymaster_relay: { kms_backend: "optee" } }));

    assert.match(said, /libteec|\/dev\/tee0/);
  });

  test("does not start with a configuration that is wrong", async () => {
    const said = await refusedStart(writeConfig({ node: { netwrok: "dev" } }));

    assert.match(said, /netwrok.*network/);
  });
});

describe("a relay without the paymaster", { timeout: 30_000 }, () => {
  test("starts without a key, serves the rest, and says that pm_ methods are off", async () => {
    const config = writeConfig({
      node: { node_http: network.node_url },
      paymaster_relay: { paymaster: undefined },
    });
    const plain = await startRelay(config, { args: [] });
    await ready(plain);

    assert.equal(await result(plain, "eth_chainId"), "0x7a69");
    const error = await failure(plain, "pm_getPaymasterData", []);
    assert.equal(error.code, -32601);
    assert.match(error.message, /without its paymaster/);
    assert.deepEqual(Object.keys((await get("/ready", plain)).checks), ["node"]);
    await plain.stop();
  });
});

test("the relay has served all of this as one process", () => {
  assert.ok(relay.running);
});
