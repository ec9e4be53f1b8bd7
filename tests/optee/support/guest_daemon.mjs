// SPDX-License-Identifier: Apache-2.0
// super-relay inside the machine, as its own user, on the ports that are forwarded at boot.
import { until } from "../../e2e/support/processes.mjs";
import { CHAIN_ID } from "../../e2e/support/relay.mjs";
import { GuestCommand } from "./agent.mjs";
import { PAYMASTER } from "./sponsor.mjs";

const CONFIG = "/tmp/guest-test.toml";
const AS_RELAY = ["su", "-s", "/bin/sh", "-c", 'exec super-relay "$@"', "--", "super-relay", "sh"];

/**
 * A configuration without node and bundler; uuid: of the Trusted Application, where it is not the
 * usual one. A log belongs to one TEE's chain: another application is one, and would refuse the
 * usual one's.
 */
export const configFor = ({ key, uuid } = {}) => `
[node]
network = "dev"
chain_id = ${CHAIN_ID}
node_http = "http://127.0.0.1:1"
http_api = "0.0.0.0:3000"
[api]
listen = "0.0.0.0:9000"
[paymaster_relay]
kms_backend = "optee"
paymaster = "${PAYMASTER}"
[optee_kms]
${uuid ? `ta_uuid = "${uuid}"` : ""}
[optee_kms.security]
${uuid ? `audit_log = "/var/lib/super-relay/audit-${uuid}.jsonl"` : ""}
[optee_kms.keys]
primary_paymaster = "${key ?? "sponsor"}"
`;

/** super-relay, run to its end in there. */
export async function relayCli(guest, argv, { config = configFor(), ...options } = {}) {
  await guest.write(CONFIG, config);
  return guest.exec([...AS_RELAY, ...argv, "--config", CONFIG], options);
}

/** `keys …` that must succeed: its answer. */
export async function keysJson(guest, words, options) {
  const ended = await relayCli(guest, ["keys", ...words, "--json"], options);
  if (ended.status !== 0) throw new Error(`keys ${words.join(" ")}: ${ended.stderr}`);
  return JSON.parse(ended.stdout);
}

/** Starts the daemon, and waits until it listens. */
export async function startInGuest(guest, options = {}) {
  await guest.write(CONFIG, configFor(options));
  let written = "";
  const take = (bytes) => (written += bytes.toString("utf8"));
  const argv = [...AS_RELAY, "node", "--config", CONFIG, "--paymaster-relay"];
  const command = new GuestCommand(guest.agentPort, argv, { on: { output: take, error: take } });
  const relay = {
    url: `http://127.0.0.1:${guest.rpcPort}`,
    apiUrl: `http://127.0.0.1:${guest.apiPort}`,
    running: true,
    output: () => written,
    exit: command.exit.finally(() => (relay.running = false)),
    async stop() {
      await command.kill("SIGTERM");
      return command.exit;
    },
  };
  relay.exit.catch(() => {});
  await until("the relay in the machine listens", () => {
    if (!relay.running) throw new Error(`the relay has ended: ${written}`);
    return /JSON-RPC on \S+ port/.test(written);
  });
  return relay;
}
