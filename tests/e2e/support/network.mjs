// SPDX-License-Identifier: Apache-2.0
// A real chain with real contracts, and a relay in front of it.
import { join } from "node:path";
import { createInterface } from "node:readline";

import { createPublicClient, defineChain, http } from "viem";

import { freePort, launch, root, until, workspace } from "./processes.mjs";
import { CHAIN_ID, makeKey, ready, startRelay, writeConfig } from "./relay.mjs";

const ATTEMPTS = 3;
let counter = 0;

/** The chain as viem's clients know it, reached through one URL. */
export const chainAt = (url) =>
  defineChain({
    id: CHAIN_ID,
    name: "Local",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });

export const publicClient = (url) =>
  createPublicClient({ chain: chainAt(url), transport: http(url), pollingInterval: 50 });

async function serve(args) {
  const script = join(root, "scripts/devnet.sh");
  const child = launch("devnet", "bash", [script, "serve", ...args], { output: "pipe" });
  const [line] = await Promise.race([
    createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      .next()
      .then(({ value }) => [value]),
    child.exit.then(() => []),
  ]);
  if (!line) throw new Error(`the local network did not start: ${child.output()}`);
  return { child, ...JSON.parse(line) };
}

/**
 * Starts anvil with EntryPoint, SimpleAccountFactory and a VerifyingPaymaster of this signer,
 * and with bundler an upstream bundler. A state directory and a port continue an earlier chain.
 */
export async function startNetwork(signer, { bundler = false, port, state } = {}) {
  state ??= join(workspace, `chain-${counter++}`);
  for (let attempt = 1; ; attempt++) {
    const args = ["--state", state, "--signer", signer];
    args.push("--port", port ?? (await freePort()));
    if (bundler) args.push("--bundler-port", await freePort());
    try {
      const network = await serve(args.map(String));
      const stop = () => network.child.stop("SIGTERM");
      return { ...network, state, stop, client: publicClient(network.node_url) };
    } catch (error) {
      // a free port may have been taken in between
      if (port || attempt === ATTEMPTS || !/already in use/.test(error.message)) throw error;
    }
  }
}

/** Key, chain, contracts, relay, and on request the bundler: all up and ready. */
export async function startEnvironment({ bundler = false, sections = {} } = {}) {
  const { store, address } = await makeKey();
  const network = await startNetwork(address, { bundler });
  const config = writeConfig({
    ...sections,
    node: {
      node_http: network.node_url,
      bundler_url: network.bundler_url ?? "",
      ...sections.node,
    },
    paymaster_relay: { paymaster: network.paymaster, ...sections.paymaster_relay },
    simulator: { store },
  });
  const relay = await startRelay(config);
  await ready(relay);
  return { relay, network, signer: address, node: network.client };
}

/** A loopback port of a network can be taken up again only when its owner is gone. */
export const gone = (pid) =>
  until(`process ${pid} has ended`, () => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  });
