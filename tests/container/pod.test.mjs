// SPDX-License-Identifier: Apache-2.0
// The pod of k8s/superrelay-optee.yaml on one machine: command, probes, limits and times are the
// manifest's. What the kubelet does with them, tests/container/support/pod.mjs does here.
import assert from "node:assert/strict";
import { Agent, createServer, request } from "node:http";
import { after, describe, test } from "node:test";

import { startNetwork } from "../e2e/support/network.mjs";
import {
  handleOps,
  makeOperation,
  params7677,
  sign,
  simpleAccount,
  sponsor,
} from "../e2e/support/operations.mjs";
import { freePort, sleep, until } from "../e2e/support/processes.mjs";
import { startPod } from "./support/pod.mjs";

const SECONDS = 1_000;
const BOOT = 120 * SECONDS;
const KEY = "paymaster-key-001";
// Of every fresh chain's first contract after the factory: known before there is one.
const PAYMASTER = "0xDC18C4D49dF2297E7e93aF90f99ed98Bb166DAa0";
const AT_ONCE = 32;

const [rpcPort, apiPort, nodePort] = [await freePort(), await freePort(), await freePort()];
const relay = { url: `http://127.0.0.1:${rpcPort}` };

/** An upstream in front of the real one that takes as long as it is told to. */
async function startSlowUpstream() {
  const upstream = { delay: 0, target: undefined };
  const server = createServer(async (asked, response) => {
    const chunks = [];
    for await (const chunk of asked) chunks.push(chunk);
    await sleep(upstream.delay);
    try {
      const headers = { "content-type": "application/json" };
      const body = Buffer.concat(chunks);
      const answer = await fetch(upstream.target, { method: "POST", headers, body });
      response.writeHead(answer.status, headers).end(await answer.text());
    } catch {
      response.writeHead(502).end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  server.unref();
  after(() => server.close());
  upstream.url = `http://127.0.0.1:${server.address().port}`;
  return upstream;
}

const bundler = await startSlowUpstream();
const pod = await startPod("k8s/superrelay-optee.yaml", {
  image: {
    name: "localhost/super-relay-optee:latest",
    env: [
      { name: "SR_OPTEE_LISTEN", value: "127.0.0.1" },
      { name: "SR_RPC_PORT", value: String(rpcPort) },
      { name: "SR_API_PORT", value: String(apiPort) },
    ],
  },
  ports: { "json-rpc": rpcPort, "http-api": apiPort },
  variables: {
    SR_NETWORK: "dev",
    SR_PAYMASTER: PAYMASTER,
    ETH_NODE_URL: `http://127.0.0.1:${nodePort}`,
    SR_BUNDLER_URL: bundler.url,
  },
});
const watching = pod.watch();
after(async () => {
  pod.unwatch();
  await watching;
});

/**
 * Connections of clients, kept open. They are made one after another: QEMU's network lets one
 * newcomer wait, and what it has not taken in is not in flight.
 */
const clients = Array.from(
  { length: AT_ONCE },
  () => new Agent({ keepAlive: true, maxSockets: 1 }),
);
after(() => clients.forEach((agent) => agent.destroy()));

/** One JSON-RPC call on one of them: the whole response object. */
function post(agent, method, params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const headers = { "content-type": "application/json", "content-length": body.length };
  const options = { method: "POST", agent, headers, timeout: 30 * SECONDS };
  return new Promise((resolve, reject) => {
    const sending = request(relay.url, options, async (response) => {
      const chunks = await response.setEncoding("utf8").toArray();
      resolve(JSON.parse(chunks.join("")));
    });
    sending.on("timeout", () => sending.destroy(new Error("no answer")));
    sending.on("error", reject).end(body);
  });
}

/** What a root shell on the guest's console is told; the socket is open to the pod's user alone. */
const inGuest = (command) =>
  pod.exec(
    "perl",
    "-MIO::Socket::UNIX",
    "-e",
    `my $c = IO::Socket::UNIX->new("run/console.sock") or die $!; print $c "\\n$ARGV[0]\\n";
     $c->flush; sleep 1`,
    command,
  );

let network;
let signer;
let sponsoredOperation;

describe("the pod of the qemu overlay", { timeout: 4 * BOOT }, () => {
  test("waits for a key, which is made in it by hand", async () => {
    const { stdout } = await until(
      "the key is made",
      async () => {
        const made = await pod.exec("optee-startup.sh", "relay", "keys", "generate", KEY, "--json");
        if (made.status !== 0) await sleep(SECONDS);
        return made.status === 0 && made;
      },
      { within: BOOT },
    );
    signer = JSON.parse(stdout).address;
    network = await startNetwork(signer, { bundler: true, port: nodePort });
    bundler.target = network.bundler_url;
    assert.equal(network.paymaster.toLowerCase(), PAYMASTER.toLowerCase());
  });

  test("starts and becomes ready by the manifest's probes", async () => {
    await until("the pod is ready", pod.ready, { within: BOOT });
    await until("the startup probe succeeds", () => pod.events.includes("started"), {
      within: BOOT,
    });
    const { status, checks } = await (await fetch(`${relay.url}/health`)).json();
    assert.equal(status, "ready");
    assert.equal(checks.key.address, signer);
    assert.deepEqual(pod.events, ["started"]);
  });

  test("runs with the limits and the rights that the manifest gives", async () => {
    const { stdout } = await pod.exec("cat", "/proc/1/status");
    assert.match(stdout, /^Uid:\s+10001\s+10001\s+10001\s+10001$/m);
    assert.match(stdout, /^Gid:\s+10001\s+10001\s+10001\s+10001$/m);
    assert.match(stdout, /^CapBnd:\s+0+$/m);
    assert.match(stdout, /^NoNewPrivs:\s+1$/m);
    assert.match(stdout, /^Seccomp:\s+2$/m);
    const touched = await pod.exec("touch", "/etc/super-relay/x", "/x");
    assert.match(touched.stderr, /'\/x': Read-only file system/);
    const { memory, cpu } = await pod.limits();
    assert.deepEqual({ memory, cpu }, pod.declaredLimits());
  });

  test("sponsors an operation that the EntryPoint carries out", async () => {
    const account = await simpleAccount(network.client, network.factory);
    const operation = await makeOperation(account);
    sponsoredOperation = params7677(operation);
    const { event } = await handleOps(
      network.client,
      await sign(account, await sponsor(relay, operation)),
    );
    assert.equal(event.success, true);
  });

  test("is restarted by its liveness probe after the relay is frozen", async () => {
    const { Pid: before } = await pod.state();
    const { status, stderr } = await inGuest("killall -STOP super-relay");
    assert.equal(status, 0, stderr);
    assert.equal(await pod.alive(), false);
    // The container itself has noticed nothing: only the probe can.
    assert.equal((await pod.state()).Running, true);
    assert.deepEqual(pod.events, ["started"]);
    await until("the pod is restarted", () => pod.events.includes("restarted"), { within: BOOT });
    await until("the pod is ready again", pod.ready, { within: BOOT });
    await until("it has started", () => pod.events.length === 4, { within: BOOT });
    assert.deepEqual(pod.events, ["started", "unhealthy", "restarted", "started"]);
    assert.notEqual((await pod.state()).Pid, before);
    // Even then the guest has unmounted its disk.
    assert.doesNotMatch(await pod.logs(), /did not end within/);
    const { checks } = await (await fetch(`${relay.url}/health`)).json();
    assert.equal(checks.key.address, signer);
  });

  test("drains on SIGTERM and answers each request that has been sent", async () => {
    pod.unwatch();
    await watching;
    const sent = [];
    const send = (agent, method, params) => {
      sent.push(post(agent, method, params));
      return sent.at(-1);
    };
    const [slow, steady, ...others] = clients;
    for (const agent of clients) await post(agent, "pm_getPaymasterData", sponsoredOperation);
    // A client that goes on while the Service has not yet forgotten the pod.
    let hook = true;
    const client = (async () => {
      while (hook) {
        send(steady, "pm_getPaymasterData", sponsoredOperation);
        await sleep(50);
      }
    })();
    const began = Date.now();
    let answered;
    let atSigterm;
    let meanwhile;
    const status = await pod.stop({
      afterHook: async () => {
        hook = false;
        await client;
        bundler.delay = 3 * SECONDS;
        send(slow, "eth_getUserOperationByHash", [`0x${"11".repeat(32)}`])
          .then(() => (answered = Date.now()))
          .catch(() => {});
        for (const agent of others) send(agent, "pm_getPaymasterData", sponsoredOperation);
        // As long as it takes that they have all left this process.
        await sleep(50);
        atSigterm = Date.now();
        meanwhile = sleep(1.5 * SECONDS).then(async () => {
          const asked = await fetch(`http://127.0.0.1:${apiPort}/ready`);
          return [await pod.ready(), asked.status, (await asked.json()).status];
        });
      },
    });
    const took = Date.now() - began;
    const answers = await Promise.allSettled(sent);
    const failed = answers.flatMap(({ reason, value }, i) =>
      reason || value.error ? [`${i}: ${reason?.cause ?? reason ?? value.error.message}`] : [],
    );
    assert.deepEqual(failed, []);
    assert.ok(sent.length > AT_ONCE + 40, `${sent.length} requests`);
    assert.equal(status, 0, await pod.logs());
    assert.deepEqual(await meanwhile, [false, 503, "draining"]);
    assert.ok(answered - atSigterm > bundler.delay - SECONDS, "nothing was in flight");
    assert.ok(took < pod.graceSeconds * SECONDS, `${took} ms`);
  });
});
