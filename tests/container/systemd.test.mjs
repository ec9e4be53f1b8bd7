// SPDX-License-Identifier: Apache-2.0
// The relay under its own unit, on a machine that systemd boots: what the unit forbids must not be
// in the relay's way, and what the unit promises must happen. The machine is a container.
import assert from "node:assert/strict";
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { startNetwork } from "../e2e/support/network.mjs";
import {
  handleOps,
  makeOperation,
  sign,
  simpleAccount,
  sponsor,
} from "../e2e/support/operations.mjs";
import { freePort, sleep, until, workspace } from "../e2e/support/processes.mjs";
import { CHAIN_ID, ENTRY_POINT, KEY_ID, writeConfig } from "../e2e/support/relay.mjs";
import { Connection, post } from "../e2e/support/socket.mjs";
import { Upstream } from "../e2e/support/upstream.mjs";
import { inContainer, inspect, logsOf, podmanOutput, uniqueName } from "./support/containers.mjs";

const IMAGE = "super-relay-systemd";
const UNIT = "super-relay.service";
const LOOK_UP = {
  jsonrpc: "2.0",
  id: 1,
  method: "eth_getUserOperationByHash",
  params: [`0x${"ab".repeat(32)}`],
};
const TIMEOUT = { timeout: 120_000 };
const etc = join(workspace, "etc");
const machine = uniqueName("machine");
// two devices of the TEE's names, both of which swallow what is written
const DEVICES = ["/dev/tee0", "/dev/teepriv0"].map((name) => `--device=/dev/null:${name}`);

const property = (name) =>
  inContainer(machine, `systemctl show --property=${name} --value ${UNIT}`);
const journal = () => inContainer(machine, `journalctl --no-pager --output=cat --unit ${UNIT}`);
const control = (verb) => inContainer(machine, `systemctl ${verb} ${UNIT}`);
const asRelay = (command) =>
  inContainer(machine, `cd / && runuser --user super-relay -- ${command}`);
/** A command among the files that the relay sees; it is root's, so that modes refuse nothing. */
const besideRelay = async (command) =>
  inContainer(machine, `nsenter --mount --target ${await property("MainPID")} ${command}`);

/** Waits until /ready says so. The unit counts as started before the relay listens. */
const ready = () =>
  until("the relay is ready", async () => {
    const response = await fetch(`${relay.url}/ready`).catch(() => undefined);
    return response?.status === 200;
  });

/** systemd needs to mount and to make cgroups; it has no terminal and no clock to set. */
async function boot() {
  mkdirSync(etc, { mode: 0o755 });
  const options = ["--systemd=always", "--cap-add=SYS_ADMIN", "--cap-add=SYS_PTRACE"];
  options.push("--tmpfs=/run", "--tmpfs=/tmp", "--network=host", "--memory=1g", "--pull=never");
  options.push(`--volume=${etc}:/etc/super-relay:ro`, ...DEVICES);
  await podmanOutput(["run", "--detach", "--name", machine, ...options, IMAGE]);
  await until("the machine is up", async () => {
    assert.ok((await inspect(machine)).State.Running, await logsOf(machine));
    const state = "systemctl is-system-running || true";
    return /running|degraded/.test(await inContainer(machine, state));
  });
}

/** Where the unit expects it, and a variable of it where the unit expects that. */
function configure(sections) {
  const tidy = structuredClone(sections);
  const { paymaster } = tidy.paymaster_relay;
  tidy.paymaster_relay.paymaster = "${SR_PAYMASTER}";
  tidy.simulator = { store: "/var/lib/super-relay/tee" };
  tidy["optee_kms.security"] = { audit_log: "/var/lib/super-relay/audit.jsonl" };
  copyFileSync(writeConfig(tidy), join(etc, "config.toml"));
  writeFileSync(join(etc, "environment"), `SR_PAYMASTER=${paymaster}\n`);
  chmodSync(join(etc, "environment"), 0o600);
}

after(() => podmanOutput(["rm", "--force", "--time=0", "--ignore", machine]));
await boot();
const bundler = new Upstream({ eth_supportedEntryPoints: { result: [ENTRY_POINT] } });
await bundler.open();
const port = await freePort();
const relay = { port, url: `http://127.0.0.1:${port}` };
const sections = {
  node: { chain_id: CHAIN_ID, http_api: `127.0.0.1:${port}`, bundler_url: bundler.url },
  paymaster_relay: { enabled: true, paymaster: `0x${"a1".repeat(20)}` },
};
let network;

describe("the unit on a machine", TIMEOUT, () => {
  test("leaves a relay that cannot start failed, after some attempts", async () => {
    await until("it is tried again", async () => Number(await property("NRestarts")) > 0);
    assert.match(await journal(), /\/etc\/super-relay\/config\.toml/);
    await control("stop");
  });

  test("runs the relay, which becomes ready with a key made as its user", async () => {
    configure(sections);
    const variable = `SR_PAYMASTER=${sections.paymaster_relay.paymaster}`;
    const options = "--json --config /etc/super-relay/config.toml";
    const made = await asRelay(`env ${variable} super-relay keys generate ${KEY_ID} ${options}`);
    const { address } = JSON.parse(made);
    network = await startNetwork(address);
    sections.node.node_http = network.node_url;
    sections.paymaster_relay.paymaster = network.paymaster;
    configure(sections);
    await inContainer(machine, `systemctl reset-failed ${UNIT}`);
    await control("start");
    await ready();
    const report = await (await fetch(`${relay.url}/health`)).json();
    assert.equal(report.checks.key.address, address);
  });

  test("lets it sponsor an operation, and keep its audit log", async () => {
    const account = await simpleAccount(network.client, network.factory);
    const operation = await sponsor(relay, await makeOperation(account));
    const { event } = await handleOps(network.client, await sign(account, operation));
    assert.equal(event.success, true);
    const log = await inContainer(machine, "stat -c '%U %a' /var/lib/super-relay/audit.jsonl");
    assert.equal(log, "super-relay 600");
    assert.equal(await inContainer(machine, "stat -c %a /var/lib/super-relay"), "700");
  });

  test("leaves it no privilege", async () => {
    const status = await inContainer(machine, `cat /proc/${await property("MainPID")}/status`);
    const sets = [...status.matchAll(/^Cap\w+:\s+(\w+)$/gm)].map(([, set]) => set);
    assert.ok(sets.length === 5 && sets.every((set) => /^0+$/.test(set)), status);
    assert.doesNotMatch(status, /^Uid:.*\b0\b/m);
    assert.match(status, /^NoNewPrivs:\s+1$/m);
    assert.match(status, /^Seccomp:\s+2$/m);
    const group = await inContainer(machine, "getent group tee | cut -d : -f 3");
    assert.match(status, new RegExp(`^Groups:.*\\b${group}\\b`, "m"));
  });

  test("shows it the client's device of the TEE, and not the supplicant's", async () => {
    await besideRelay("test -c /dev/tee0");
    await assert.rejects(besideRelay("test -e /dev/teepriv0"));
    await assert.rejects(besideRelay("test -e /dev/fuse -o -e /dev/mem"));
  });

  test("lets nothing but its state be written", async () => {
    await besideRelay("touch /var/lib/super-relay/written");
    for (const path of ["/usr/bin/written", "/etc/super-relay/written", "/var/lib/written"])
      await assert.rejects(besideRelay(`touch ${path}`), /Read-only file system/);
  });

  test("starts it again after it was killed", async () => {
    const before = await property("MainPID");
    await inContainer(machine, `kill -KILL ${before}`);
    await until("it is another process", async () => {
      const now = await property("MainPID");
      return now !== "0" && now !== before;
    });
    await ready();
  });

  test("stops it without cutting requests in progress short", async () => {
    let release;
    const released = new Promise((resolve) => (release = resolve));
    bundler.answers[LOOK_UP.method] = () => released.then(() => ({ result: { found: true } }));
    const connection = new Connection(port).write(post(LOOK_UP));
    await until("it is in flight", () => bundler.calls.includes(LOOK_UP.method));
    const stopped = control("stop");
    await sleep(500);
    release();
    assert.deepEqual(JSON.parse((await connection.response()).body).result, { found: true });
    await stopped;
    assert.equal(await property("Result"), "success");
    assert.equal(await property("ExecMainStatus"), "0");
    assert.match(await journal(), /signal 15: draining/);
  });
});
