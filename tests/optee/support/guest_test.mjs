// SPDX-License-Identifier: Apache-2.0
// What the end-to-end tests get for node:test when they run against the emulated machine: the
// same, but for tests that are left out there, and with the time that an emulation takes. The keys
// that a test makes are deleted when it ends: each one more makes all that OP-TEE does slower.
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as nodeTest from "node:test";

import { SLOWNESS, workspace } from "../../e2e/support/processes.mjs";
import { SHARED_STORE } from "../../e2e/support/relay.mjs";
import { runInGuest } from "./agent.mjs";
import { currentGuest } from "./current.mjs";
import { LEFT_OUT } from "./left_out.mjs";

const file = basename(process.argv[1]);
const entries = LEFT_OUT.filter((entry) => entry.file === file);
const met = new Set();

// ---- keys -------------------------------------------------------------------------

const DELETE = `
printf %s "$GUEST_CONFIG" >/tmp/delete-$$.toml
while read -r id; do ids="$ids $id"; done
for id in $ids; do
  super-relay keys delete "$id" --config /tmp/delete-$$.toml </dev/null
done
`;
const CONFIG = '[paymaster_relay]\nkms_backend = "optee"\n';

const deleted = new Set();
/** Keys that were there before the first test: of the whole file. */
let lasting;
let running = 0;

/** Key ids by the files that guest_relay.mjs keeps. */
function madeKeys({ all = false } = {}) {
  const ids = readdirSync(workspace, { recursive: true })
    .filter((name) => basename(name) === "guest-keys")
    .filter((name) => all || basename(dirname(name)) !== SHARED_STORE)
    .flatMap((name) => readFileSync(join(workspace, name), "utf8").trim().split("\n"));
  return ids.filter((id) => !deleted.has(id));
}

async function deleteKeys(ids) {
  if (ids.length === 0) return;
  for (const id of ids) deleted.add(id);
  await runInGuest(currentGuest().agentPort, ["sh", "-c", DELETE], {
    input: `${ids.join("\n")}\n`,
    env: { GUEST_CONFIG: CONFIG },
  });
}

function cleaning(body) {
  return async (...args) => {
    lasting ??= new Set(madeKeys());
    running++;
    try {
      return await body(...args);
    } finally {
      running--;
      // tests that run side by side cannot tell whose is whose
      if (running === 0) await deleteKeys(madeKeys().filter((id) => !lasting.has(id)));
    }
  };
}

// ---- node:test ------------------------------------------------------------------------

function adapt(register, wrap) {
  return (name, options, body) => {
    if (typeof options === "function") [options, body] = [{}, options];
    const entry = entries.find(({ test: left }) => (left?.test ? left.test(name) : left === name));
    if (entry) {
      met.add(entry);
      return undefined;
    }
    const timeout = options.timeout && options.timeout * SLOWNESS;
    return register(name, { ...options, ...(timeout && { timeout }) }, wrap(body));
  };
}

export const { before, beforeEach, after, afterEach, mock } = nodeTest;
export const test = adapt(nodeTest.test, cleaning);
export const it = test;
export const describe = adapt(nodeTest.describe, (body) => body);
export default test;

nodeTest.after(async () => {
  for (const entry of entries) {
    if (entry.test && !met.has(entry)) throw new Error(`left_out.mjs: no test "${entry.test}"`);
  }
  await deleteKeys(madeKeys({ all: true }));
});
