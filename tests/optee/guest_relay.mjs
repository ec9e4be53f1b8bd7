#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// Stands for build/super-relay in the end-to-end tests (SUPER_RELAY_BIN): the same command line,
// streams, signals and exit status, but the program runs in the emulated machine, on OP-TEE.
//
// The simulator gives each test a store of keys of its own; the machine has one Trusted
// Application for all. So a key's id has the mark of its store behind it in there, which is taken
// off what comes out.
import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";

import { freePort } from "../e2e/support/port.mjs";
import { GuestCommand } from "./support/agent.mjs";
import { currentGuest } from "./support/current.mjs";
import { addForward, removeForward } from "./support/qmp.mjs";

const KEY_ID_MAX = 64;
const PASSED_ON = /^(SR_|SUPER_RELAY_|ETH_NODE_URL)/;
const ATTEMPTS = 5;

const guest = currentGuest();
const forwarded = [];

// ---- keys ---------------------------------------------------------------------

function storeOf(text) {
  const [, store] = /^store = (".*")$/m.exec(text) ?? [];
  return store ? JSON.parse(store) : "";
}

const markOf = (store) => `.${createHash("sha256").update(store).digest("hex").slice(0, 8)}`;

// One that would become too long, or is no good key id, stays as it is.
const marked = (id, mark) => (id && id.length + mark.length <= KEY_ID_MAX ? id + mark : id);

/** Whoever made keys removes them: support/guest_test.mjs reads this file when its tests end. */
function remember(store, id) {
  mkdirSync(store, { recursive: true });
  appendFileSync(join(store, "guest-keys"), `${id}\n`);
}

// ---- configuration --------------------------------------------------------------

async function forward(port) {
  for (let attempt = 1; ; attempt++) {
    const chosen = port || (await freePort());
    try {
      await addForward(guest.qmp, chosen);
      forwarded.push(chosen);
      return chosen;
    } catch (error) {
      // a port that is taken is what the test wants to see: the relay will say so
      if (port) return port;
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

/** The configuration as it has to read in there. listens: whether the command is a daemon. */
async function translate(text, mark, listens) {
  let out = text
    .replaceAll(/\b(https?:\/\/)(127\.0\.0\.1|localhost)\b/g, "$110.0.2.2")
    .replace(/^(primary_paymaster = )"(.*)"$/m, (_, key, id) => `${key}"${marked(id, mark)}"`);
  for (const key of listens ? ["http_api", "listen"] : []) {
    const line = new RegExp(`^${key} = "127\\.0\\.0\\.1:(\\d+)"$`, "m");
    const [, port] = line.exec(out) ?? [];
    if (port !== undefined)
      out = out.replace(line, `${key} = "0.0.0.0:${await forward(Number(port))}"`);
  }
  return out;
}

// ---- output ---------------------------------------------------------------------

const own = (known, mark) => (id) => id.endsWith(mark) || known.includes(id);

/** `keys list`, of this store alone. */
function filterList(text, isOwn) {
  if (text.startsWith("{")) {
    const answer = JSON.parse(text);
    if (!answer.keys) return text;
    return `${JSON.stringify({ keys: answer.keys.filter(({ id }) => isOwn(id)) })}\n`;
  }
  const lines = text.split("\n").filter((line) => isOwn(line.split(" ")[0]));
  return lines.length ? `${lines.join("\n")}\n` : "no keys\n";
}

/** Writes whole lines, without the mark. */
function sink(stream, mark) {
  let rest = "";
  return {
    take(bytes) {
      rest += bytes.toString("utf8");
      const end = rest.lastIndexOf("\n") + 1;
      stream.write(rest.slice(0, end).replaceAll(mark, ""));
      rest = rest.slice(end);
    },
    end: () => stream.write(rest.replaceAll(mark, "")),
  };
}

// ---- the command line --------------------------------------------------------------

const SCRIPT = `
if [ "\${GUEST_CONFIG+set}" ]; then
  mkdir -p /tmp/configs
  printf %s "$GUEST_CONFIG" >"$GUEST_CONFIG_PATH"
  unset GUEST_CONFIG
fi
# As the machine's own relay does: the audit log of its TEE is one, and one user's.
exec su -s /bin/sh -c 'exec super-relay "$@"' -- super-relay sh "$@"
`;

const argv = process.argv.slice(2);
const configAt = argv.indexOf("--config") + 1;
const configPath = configAt ? argv[configAt] : process.env.SUPER_RELAY_CONFIG;
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => PASSED_ON.test(name)),
);

function readable(path) {
  try {
    return path && readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

const text = readable(configPath);
const store = text ? storeOf(text) : "";
const mark = markOf(store);
if (text !== undefined && text !== "") {
  const path = `/tmp/configs/${basename(configPath)}-${process.pid}`;
  env.GUEST_CONFIG = await translate(text, mark, argv.includes("node"));
  env.GUEST_CONFIG_PATH = path;
  if (configAt) argv[configAt] = path;
  else env.SUPER_RELAY_CONFIG = path;
}

const keysAt = argv.indexOf("keys") + 1;
const keysCommand = keysAt ? argv[keysAt] : "";
if (["generate", "show", "delete", "import"].includes(keysCommand) && argv.length > keysAt + 1) {
  argv[keysAt + 1] = marked(argv[keysAt + 1], mark);
  if (["generate", "import"].includes(keysCommand) && store) remember(store, argv[keysAt + 1]);
}

// ---- running ------------------------------------------------------------------------

const listed = [];
const output = sink(process.stdout, mark);
const error = sink(process.stderr, mark);
const command = new GuestCommand(guest.agentPort, ["sh", "-c", SCRIPT, "sh", ...argv], {
  env,
  on: {
    output: (bytes) => (keysCommand === "list" ? listed.push(bytes) : output.take(bytes)),
    error: (bytes) => error.take(bytes),
  },
});
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"])
  process.on(signal, () => command.kill(signal));
process.stdin.on("data", (bytes) => command.write(bytes));
process.stdin.on("end", () => command.endInput());

const exit = await command.exit;
if (listed.length) {
  const known = (readable(join(store, "guest-keys")) ?? "").split("\n");
  output.take(Buffer.from(filterList(Buffer.concat(listed).toString(), own(known, mark))));
}
output.end();
error.end();
for (const port of forwarded) await removeForward(guest.qmp, port);
if (exit.signal) {
  process.removeAllListeners(exit.signal);
  process.kill(process.pid, exit.signal);
} else {
  process.exit(exit.status);
}
