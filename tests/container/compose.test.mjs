// SPDX-License-Identifier: Apache-2.0
// docker-compose.yml, brought up by the real docker-compose: a network of containers whose relay
// has its keys in OP-TEE, under QEMU.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";

import { publicClient } from "../e2e/support/network.mjs";
import {
  handleOps,
  makeOperation,
  sign,
  simpleAccount,
  sponsor,
} from "../e2e/support/operations.mjs";
import { freePort, launch, root, run, sleep, until, workspace } from "../e2e/support/processes.mjs";
import {
  inContainer,
  isHealthy,
  logsOf,
  PODMAN,
  podman,
  podmanOutput,
  stopContainer,
  uniqueName,
} from "./support/containers.mjs";

const SECONDS = 1_000;
const BOOT = 120 * SECONDS;
const project = uniqueName("compose");
const socket = join(workspace, "podman.sock");
const ports = { relay: await freePort(), api: await freePort(), node: await freePort() };

const api = launch("podman-api", PODMAN, ["system", "service", "--time=0", `unix://${socket}`]);
await until("podman's API listens", () => {
  assert.ok(api.running, api.output());
  return existsSync(socket);
});

/** docker-compose, run to its end on this project. */
async function compose(args, { fails = false } = {}) {
  const { status, stdout, stderr } = await run(
    join(root, "build/container/docker-compose"),
    ["--project-name", project, "--file", join(root, "docker-compose.yml"), ...args],
    {
      killAfter: 2 * BOOT,
      env: {
        DOCKER_HOST: `unix://${socket}`,
        SR_RPC_PORT: String(ports.relay),
        SR_API_PORT: String(ports.api),
        SR_NODE_PORT: String(ports.node),
      },
    },
  );
  if (status !== 0 && !fails) {
    const names = await podmanOutput(["ps", "--all", "--format={{.Names}}"]);
    for (const name of names.split("\n").filter((each) => each.startsWith(project)))
      console.error(`---- ${name}\n${await logsOf(name)}`);
    assert.fail(`docker-compose ${args.join(" ")}: ${stderr}`);
  }
  return { stdout, stderr };
}

const container = (service) => `${project}-${service}-1`;
const relay = { url: `http://127.0.0.1:${ports.relay}` };
const node = publicClient(`http://127.0.0.1:${ports.node}`);
const keyContainerSaid = async () =>
  (await podmanOutput(["logs", "--tail=1", container("key")])).trim();
const SERVICES = ["anvil", "relay"];

// An engine asks for the health by itself; podman leaves that to systemd, which may not be there.
let watching = true;
const watch = (async () => {
  while (watching) {
    for (const service of SERVICES) if (watching) await isHealthy(container(service));
    await sleep(SECONDS);
  }
})();

after(async () => {
  watching = false;
  await watch;
  await compose(["down", "--volumes", "--timeout=5"], { fails: true });
  await api.stop();
});

describe("docker-compose.yml", { timeout: 30 * SECONDS }, () => {
  let services;

  test("is read without a warning", async () => {
    const { stdout, stderr } = await compose(["config", "--format=json"]);
    assert.equal(stderr, "");
    services = Object.entries(JSON.parse(stdout).services);
    assert.deepEqual(services.map(([name]) => name).sort(), ["anvil", "key", "relay"]);
  });

  test("publishes on loopback alone", () => {
    const published = services.flatMap(([, { ports: list = [] }]) => list);
    assert.deepEqual(published.map(({ target }) => target).sort(), [3000, 8545, 9000]);
    for (const { host_ip: address } of published) assert.equal(address, "127.0.0.1");
  });

  test("bounds what each service may take, and gives none a privilege", () => {
    for (const [name, service] of services) {
      const { limits } = service.deploy.resources;
      assert.ok(limits.cpus && limits.memory && limits.pids, name);
      assert.equal(service.read_only, true, name);
      assert.deepEqual(service.cap_drop, ["ALL"], name);
      assert.deepEqual(service.security_opt, ["no-new-privileges:true"], name);
      for (const key of ["privileged", "cap_add", "devices", "network_mode", "pid", "userns_mode"])
        assert.equal(service[key], undefined, `${name}: ${key}`);
    }
  });
});

describe("the network of docker-compose.yml", { timeout: 6 * BOOT }, () => {
  let signer;

  test("comes up and is ready, with the key that another container made in OP-TEE", async () => {
    await compose(["up", "--detach", "--no-build", "--wait"]);
    const { status, checks } = await (await fetch(`${relay.url}/health`)).json();
    assert.equal(status, "ready");
    assert.equal(checks.tee.backend, "optee");
    signer = checks.key.address;
    assert.equal(await keyContainerSaid(), signer);
    assert.match(await logsOf(container("relay")), new RegExp(`paymaster key .*${signer}`));
  });

  test("gives its processes no privilege and nothing to write but their volumes", async () => {
    for (const service of SERVICES) {
      const status = await inContainer(container(service), "cat /proc/1/status");
      assert.match(status, /^Uid:\s+1000[12]\s/m, service);
      assert.match(status, /^CapBnd:\s+0+$/m, service);
      assert.match(status, /^NoNewPrivs:\s+1$/m, service);
      const { stderr } = await podman(["exec", container(service), "touch", "/etc/x"]);
      assert.match(stderr, /Read-only file system/, service);
    }
  });

  test("keeps the relay's storage from the node", async () => {
    const found = await inContainer(container("anvil"), "find / -name '*.img' 2>/dev/null; true");
    assert.equal(found, "");
  });

  test("sponsors an operation that the EntryPoint carries out", async () => {
    const factory = await inContainer(container("anvil"), "cat /var/lib/anvil/factory");
    const account = await simpleAccount(node, factory);
    const operation = await sponsor(relay, await makeOperation(account));
    const { event } = await handleOps(node, await sign(account, operation));
    assert.equal(event.success, true);
  });

  test("is unhealthy while the machine stands still, and healthy again after", async () => {
    const signal = (name) =>
      `for p in /proc/[0-9]*; do read -r c <$p/comm; case $c in qemu*) kill -${name} \${p#/proc/};;
       esac; done`;
    assert.equal(await isHealthy(container("relay")), true);
    await inContainer(container("relay"), signal("STOP"));
    assert.equal(await isHealthy(container("relay")), false);
    await inContainer(container("relay"), signal("CONT"));
    await until("the relay is healthy again", () => isHealthy(container("relay")), {
      within: 20 * SECONDS,
    });
  });

  test("shuts the guest down on SIGTERM and ends with status 0", async () => {
    const { status, took } = await stopContainer(container("relay"), 45);
    const logs = await logsOf(container("relay"));
    assert.equal(status, 0, logs);
    assert.match(logs, /shutting the guest down/);
    assert.ok(took < 20 * SECONDS, `${took} ms`);
  });

  test("makes no second key, nor starts a machine to find that out", async () => {
    const said = await podmanOutput(["start", "--attach", container("key")]);
    assert.equal(said, signer);
    assert.equal(await keyContainerSaid(), signer);
    assert.doesNotMatch(await logsOf(container("key")), /shutting the guest down[^]*shutting/);
  });

  test("goes down and leaves nothing", async () => {
    watching = false;
    await watch;
    await compose(["down", "--volumes"]);
    const names = [
      await podmanOutput(["ps", "--all", "--format={{.Names}}"]),
      await podmanOutput(["volume", "ls", "--format={{.Name}}"]),
      await podmanOutput(["network", "ls", "--format={{.Name}}"]),
    ].join("\n");
    assert.doesNotMatch(names, new RegExp(project));
  });
});
