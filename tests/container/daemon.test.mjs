// SPDX-License-Identifier: Apache-2.0
// The daemon alone in a container: without root, capabilities or a writable root file system it
// does all that it does outside.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { startNetwork } from "../e2e/support/network.mjs";
import {
  handleOps,
  makeOperation,
  sign,
  simpleAccount,
  sponsor,
} from "../e2e/support/operations.mjs";
import { freePort, until, workspace } from "../e2e/support/processes.mjs";
import { KEY_ID, ready, writeConfig } from "../e2e/support/relay.mjs";
import {
  HARDENED,
  inContainer,
  inspect,
  isHealthy,
  logsOf,
  makeVolume,
  podman,
  podmanOutput,
  removeContainer,
  startContainer,
  stopContainer,
} from "./support/containers.mjs";

const IMAGE = "super-relay";
const STORE = "/var/lib/super-relay/tee";
const CONFIG = "/etc/super-relay/config.toml";
const SECONDS = 1_000;
const VARIABLES = {
  ETH_NODE_URL: "http://127.0.0.1:1",
  SR_PAYMASTER: "0x00000000000000000000000000000000000000a1",
};

const mounted = (config, volume) => [
  `--volume=${config}:${CONFIG}:ro`,
  ...(volume ? [`--volume=${volume}:/var/lib/super-relay`] : []),
];

/** The daemon's image, run to its end. */
const relay = (args, options = []) =>
  podman(["run", "--rm", ...HARDENED, ...options, IMAGE, ...args]);

const environment = (variables) =>
  Object.entries(variables).map(([name, value]) => `--env=${name}=${value}`);

/** A volume that holds a key made in it, and the key's address. */
async function makeKeyVolume() {
  const volume = await makeVolume();
  const config = writeConfig({ simulator: { store: STORE } });
  const { status, stdout, stderr } = await relay(
    ["keys", "generate", KEY_ID, "--json"],
    mounted(config, volume),
  );
  assert.equal(status, 0, stderr);
  return { volume, address: JSON.parse(stdout).address };
}

/** A container of the daemon with its own free ports, and a configuration that is mounted. */
async function startRelay(volume, sections) {
  const [port, apiPort] = [await freePort(), await freePort()];
  const config = writeConfig({
    ...sections,
    node: { ...sections.node, http_api: `127.0.0.1:${port}` },
    api: { listen: `127.0.0.1:${apiPort}` },
    simulator: { store: STORE },
  });
  const url = `http://127.0.0.1:${port}`;
  const options = [...mounted(config, volume), `--env=SR_HEALTH_URL=${url}/live`];
  const name = await startContainer(IMAGE, options, ["node", "--paymaster-relay"]);
  const started = { name, url, apiUrl: `http://127.0.0.1:${apiPort}` };
  await until("the relay listens", async () => {
    const { State } = await inspect(name);
    assert.ok(State.Running, await logsOf(name));
    return (await logsOf(name)).includes("JSON-RPC on");
  });
  return started;
}

const { volume, address } = await makeKeyVolume();
const network = await startNetwork(address);
const sections = {
  node: { node_http: network.node_url },
  paymaster_relay: { paymaster: network.paymaster },
};
let running = await startRelay(volume, sections);

describe("what cannot run says why and fails", { timeout: 60_000 }, () => {
  test("a variable that the shipped configuration needs is missing", async () => {
    const { status, stderr } = await relay([]);
    assert.equal(status, 1);
    assert.match(stderr, /\/etc\/super-relay\/config\.toml: line \d+: .*ETH_NODE_URL is not set/);
  });

  test("the machine has no TEE that it could talk to", async () => {
    const { status, stderr } = await relay([], environment(VARIABLES));
    assert.equal(status, 1);
    assert.match(stderr, /^super-relay: OP-TEE('s client library|).*(libteec|tee0)/m);
  });

  test("a mounted configuration is wrong", async () => {
    const config = join(workspace, "wrong.toml");
    writeFileSync(config, '[node]\nnetwork = "dev"\nhttp_appi = "127.0.0.1:0"\n');
    const { status, stderr } = await relay([], mounted(config));
    assert.equal(status, 1);
    assert.match(stderr, /config\.toml: line 3: .*http_appi.*did you mean 'http_api'/);
  });

  test("the volume holds no key, and none is made unasked", async () => {
    const empty = await makeVolume();
    const options = mounted(writeConfig({ simulator: { store: STORE } }), empty);
    const started = await relay(["node", "--paymaster-relay"], options);
    assert.equal(started.status, 1);
    assert.match(started.stderr, /there is no key 'paymaster-e2e' in the TEE; make it with/);
    const listed = await relay(["keys", "list", "--json"], options);
    assert.deepEqual(JSON.parse(listed.stdout), { keys: [] });
  });
});

describe("a relay in a container without any privilege", { timeout: 120_000 }, () => {
  test("becomes ready, with the key that was made in its volume", async () => {
    await ready(running);
    const report = await (await fetch(`${running.apiUrl}/health`)).json();
    assert.equal(report.checks.key.address, address);
  });

  test("is process 1, and holds no capability", async () => {
    const status = await inContainer(running.name, "cat /proc/1/status");
    assert.match(status, /^Name:\s+super-relay$/m);
    assert.match(status, /^Uid:\s+10001\s+10001\s+10001\s+10001$/m);
    const sets = [...status.matchAll(/^Cap\w+:\s+(\w+)$/gm)].map(([, set]) => set);
    assert.equal(sets.length, 5);
    assert.ok(sets.every((set) => /^0+$/.test(set)), status);
    assert.match(status, /^NoNewPrivs:\s+1$/m);
  });

  test("sponsors an operation that the EntryPoint carries out", async () => {
    const account = await simpleAccount(network.client, network.factory);
    const operation = await sponsor(running, await makeOperation(account));
    const { event } = await handleOps(network.client, await sign(account, operation));
    assert.equal(event.success, true);
    assert.equal(event.paymaster.toLowerCase(), network.paymaster.toLowerCase());
  });

  test("is healthy, is not while it stands still, and is again", async () => {
    assert.equal(await isHealthy(running.name), true);
    await podmanOutput(["kill", "--signal=STOP", running.name]);
    assert.equal(await isHealthy(running.name), false);
    await podmanOutput(["kill", "--signal=CONT", running.name]);
    assert.equal(await isHealthy(running.name), true);
  });

  test("ends with status 0 within seconds of SIGTERM", async () => {
    const { status, took } = await stopContainer(running.name);
    assert.equal(status, 0, await logsOf(running.name));
    assert.ok(took < 5 * SECONDS, `${took} ms`);
  });

  test("has its key when the container is replaced", async () => {
    await removeContainer(running.name);
    running = await startRelay(volume, sections);
    await ready(running);
    const report = await (await fetch(`${running.apiUrl}/health`)).json();
    assert.equal(report.checks.key.address, address);
    assert.equal((await stopContainer(running.name)).status, 0);
  });
});
